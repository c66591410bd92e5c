#!/usr/bin/env bash
# Has an executable write its own man pages and completions, under the names that the shells look for. They are the same on
# every platform, so that one executable that runs here serves for all archives.
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
    [[ -s $out/completions/${pair#*:} ]] || { printf 'man-and-completions.sh: nothing came for %s\n' "${pair%%:*}" >&2; exit 1; }
done
[[ -s $out/man/mscommerce.1 ]] || { printf 'man-and-completions.sh: mscommerce.1 was not written\n' >&2; exit 1; }
