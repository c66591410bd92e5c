#!/usr/bin/env bash
# Writes the man pages and completion scripts of an executable, under the file names that the shells expect. They are the
# same on every platform, so one executable that runs here is enough for all archives.
#
#   packaging/man-and-completions.sh EXECUTABLE OUT
set -euo pipefail

[[ $# == 2 ]] || { sed -n '2,5s/^# \{0,1\}//p' "$0" >&2; exit 2; }
executable=$1 out=$2
[[ $executable == */* ]] || executable=./$executable
rm -rf "$out/man" "$out/completions"
mkdir -p "$out/man" "$out/completions"

"$executable" man --directory "$out/man"
for pair in bash:mscommerce.bash zsh:_mscommerce fish:mscommerce.fish powershell:mscommerce.ps1 elvish:mscommerce.elv; do
    "$executable" completions "${pair%%:*}" >"$out/completions/${pair#*:}"
    [[ -s $out/completions/${pair#*:} ]] || { printf 'man-and-completions.sh: no completions for %s\n' "${pair%%:*}" >&2; exit 1; }
done
[[ -s $out/man/mscommerce.1 ]] || { printf 'man-and-completions.sh: mscommerce.1 was not written\n' >&2; exit 1; }
