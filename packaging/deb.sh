#!/usr/bin/env bash
# Creates the Debian package of one architecture from a static executable, with cargo-deb and the table
# [package.metadata.deb] in Cargo.toml. Times are SOURCE_DATE_EPOCH, as in the archives.
#
#   packaging/deb.sh TARGET EXECUTABLE DOCUMENTS OUT
#
# DOCUMENTS is a directory with man/ and completions/. The path of the package is printed.
set -euo pipefail

fail() {
    printf 'deb.sh: %s\n' "$*" >&2
    exit 1
}

[[ $# == 4 ]] || { sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; exit 2; }
target=$1 executable=$2 documents=$3 out=$4
[[ ${SOURCE_DATE_EPOCH:-} =~ ^[0-9]+$ ]] || fail 'SOURCE_DATE_EPOCH must be a number of seconds'
[[ -s $executable ]] || fail "there is no executable at $executable"
command -v cargo-deb >/dev/null || fail 'cargo-deb is missing: packaging/tools.sh install cargo-deb'
mkdir -p "$out"
executable=$(realpath "$executable") documents=$(realpath "$documents") out=$(realpath "$out")
cd "$(dirname "$0")/.."

# cargo-deb reads files only from Cargo's target directory, so it gets a temporary one.
CARGO_TARGET_DIR=$(mktemp -d)
export CARGO_TARGET_DIR
trap 'rm -rf "$CARGO_TARGET_DIR"' EXIT
install -D -m 755 "$executable" "$CARGO_TARGET_DIR/$target/release/mscommerce"
cp -R "$documents/man" "$documents/completions" "$CARGO_TARGET_DIR/$target/release/"
# Required by Debian policy 12.1. -n omits the name and the current time.
gzip -9 -n "$CARGO_TARGET_DIR/$target/release/man"/*.1

cargo deb --locked --no-build --no-strip --target "$target" --output "$out/"
