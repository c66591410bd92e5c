#!/usr/bin/env bash
# Creates the archive of one platform: the executable, the man pages, the completions, the licence and the README, in one
# directory with the archive's name. Archives are reproducible: names are sorted, owners are 0, modes are set here, and
# every time is SOURCE_DATE_EPOCH, which must be set (the workflow uses the time of the commit).
#
#   packaging/archive.sh VERSION TARGET EXECUTABLE DOCUMENTS OUT
#
# TARGET     target triple; Windows targets get a zip file, all others a .tar.gz
# DOCUMENTS  directory with man/ and completions/, as packaging/man-and-completions.sh creates it
# OUT        output directory; the path of the archive is printed
set -euo pipefail

fail() {
    printf 'archive.sh: %s\n' "$*" >&2
    exit 1
}

[[ $# == 5 ]] || { sed -n '2,10s/^# \{0,1\}//p' "$0" >&2; exit 2; }
version=$1 target=$2 executable=$3 documents=$4 out=$5
root=$(cd "$(dirname "$0")/.." && pwd)

[[ ${SOURCE_DATE_EPOCH:-} =~ ^[0-9]+$ ]] || fail 'SOURCE_DATE_EPOCH must be a number of seconds'
# The earliest time in a zip file, so that both kinds of archive have the same times.
((SOURCE_DATE_EPOCH >= 315532800)) || fail 'SOURCE_DATE_EPOCH is before 1980, which a zip file cannot store'
[[ -s $executable ]] || fail "there is no executable at $executable"
compgen -G "$documents/man/*.1" >/dev/null || fail "there are no man pages in $documents/man"
compgen -G "$documents/completions/*mscommerce*" >/dev/null || fail "there are no completions in $documents/completions"
for file in LICENSE README.md; do
    [[ -s $root/$file ]] || fail "$file is missing"
done

stem=mscommerce-$version-$target
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$out" "$work/$stem/man" "$work/$stem/completions"
out=$(cd "$out" && pwd)

name=mscommerce
[[ $target == *windows* ]] && name=mscommerce.exe
cp "$executable" "$work/$stem/$name"
cp "$root/LICENSE" "$root/README.md" "$work/$stem/"
cp "$documents"/man/*.1 "$work/$stem/man/"
cp "$documents"/completions/* "$work/$stem/completions/"

# Build artifacts of a workflow lose their modes.
find "$work/$stem" -type d -exec chmod 755 {} +
find "$work/$stem" -type f -exec chmod 644 {} +
chmod 755 "$work/$stem/$name"
find "$work/$stem" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +

cd "$work"
if [[ $target == *windows* ]]; then
    archive=$out/$stem.zip
    rm -f "$archive"
    # -X omits owners and sub-second times. A zip file stores local time, so the time zone is fixed too.
    find "$stem" | LC_ALL=C sort | TZ=UTC zip -q -9 -X -@ "$archive"
else
    archive=$out/$stem.tar.gz
    # -n omits the name and the current time from the gzip header.
    tar --create --format=ustar --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" "$stem" |
        gzip -9 -n >"$archive"
fi
printf '%s\n' "$archive"
