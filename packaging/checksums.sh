#!/usr/bin/env bash
# Writes the SHA-256 checksums of all files in a directory to SHA256SUMS there, sorted by name, in the format of
# `sha256sum --check` and `shasum -a 256 --check`.
#
#   packaging/checksums.sh DIRECTORY
set -euo pipefail

[[ $# == 1 ]] || { sed -n '2,5s/^# \{0,1\}//p' "$0" >&2; exit 2; }
cd "$1"
rm -f SHA256SUMS
mapfile -d '' -t files < <(find . -maxdepth 1 -type f -printf '%P\0' | LC_ALL=C sort -z)
((${#files[@]} > 0)) || { printf 'checksums.sh: %s has no files\n' "$1" >&2; exit 1; }
sha256sum -- "${files[@]}" >SHA256SUMS.new
mv SHA256SUMS.new SHA256SUMS
