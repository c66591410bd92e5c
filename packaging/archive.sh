#!/usr/bin/env bash
# Makes the archive of one platform: the executable, the man pages, the completions, the licence and the README, in one
# directory named like the archive. The same input gives the same bytes: names are sorted, owners are 0, modes are set
# here, and every time is SOURCE_DATE_EPOCH, which must be set (the workflow takes the time of the commit).
#
#   packaging/archive.sh VERSION TARGET EXECUTABLE DOCUMENTS OUT
#
# TARGET     Rust's name of the platform; one with "windows" in it gets a zip file, every other a .tar.gz
# DOCUMENTS  a directory with man/ and completions/, as packaging/man-and-completions.sh makes it
# OUT        the directory that the archive is put into; its path is printed
set -euo pipefail

fail() {
    printf 'archive.sh: %s\n' "$*" >&2
    exit 1
}

[[ $# == 5 ]] || { sed -n '2,10s/^# \{0,1\}//p' "$0" >&2; exit 2; }
version=$1 target=$2 executable=$3 documents=$4 out=$5
root=$(cd "$(dirname "$0")/.." && pwd)

[[ ${SOURCE_DATE_EPOCH:-} =~ ^[0-9]+$ ]] || fail 'SOURCE_DATE_EPOCH must be a number of seconds'
# The oldest time that a zip file can hold, so that both kinds of archive say the same.
((SOURCE_DATE_EPOCH >= 315532800)) || fail 'SOURCE_DATE_EPOCH lies before 1980, which a zip file cannot hold'
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

# The modes of what was handed over are not trusted: a store of build artifacts forgets them.
find "$work/$stem" -type d -exec chmod 755 {} +
find "$work/$stem" -type f -exec chmod 644 {} +
chmod 755 "$work/$stem/$name"
find "$work/$stem" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +

cd "$work"
if [[ $target == *windows* ]]; then
    archive=$out/$stem.zip
    rm -f "$archive"
    # -X leaves out owners and finer times; a zip file holds local time, so the zone is fixed too.
    find "$stem" | LC_ALL=C sort | TZ=UTC zip -q -9 -X -@ "$archive"
else
    archive=$out/$stem.tar.gz
    # -n keeps the name and the time of the moment out of the gzip header.
    tar --create --format=ustar --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" "$stem" |
        gzip -9 -n >"$archive"
fi
printf '%s\n' "$archive"
