#!/usr/bin/env bash
# Makes the Debian package of one architecture from a ready static executable, with cargo-deb and the table
# [package.metadata.deb] of Cargo.toml. Times are SOURCE_DATE_EPOCH, as in the archives.
#
#   packaging/deb.sh TARGET EXECUTABLE DOCUMENTS OUT
#
# DOCUMENTS is a directory with man/ and completions/; the path of the package is printed.
set -euo pipefail

fail() {
    printf 'deb.sh: %s\n' "$*" >&2
    exit 1
}

[[ $# == 4 ]] || { sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; exit 2; }
target=$1 executable=$2 documents=$3 out=$4
[[ ${SOURCE_DATE_EPOCH:-} =~ ^[0-9]+$ ]] || fail 'SOURCE_DATE_EPOCH must be a number of seconds'
[[ -s $executable ]] || fail "there is no executable at $executable"
command -v cargo-deb >/dev/null || fail 'cargo-deb is missing: RELEASING.md names the version'
mkdir -p "$out"
executable=$(realpath "$executable") documents=$(realpath "$documents") out=$(realpath "$out")
cd "$(dirname "$0")/.."

# cargo-deb takes files from Cargo's target directory alone, so one is laid out for it, away from that of the builds.
CARGO_TARGET_DIR=$(mktemp -d)
export CARGO_TARGET_DIR
trap 'rm -rf "$CARGO_TARGET_DIR"' EXIT
install -D -m 755 "$executable" "$CARGO_TARGET_DIR/$target/release/mscommerce"
cp -R "$documents/man" "$documents/completions" "$CARGO_TARGET_DIR/$target/release/"
# As Debian's policy has it (12.1); without the name and the time of the moment.
gzip -9 -n "$CARGO_TARGET_DIR/$target/release/man"/*.1

cargo deb --locked --no-build --no-strip --target "$target" --output "$out/"
