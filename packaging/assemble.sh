#!/usr/bin/env bash
# Creates all files of a release from the executables of its platforms: archives, Debian packages, the SBOM, manifests for
# Homebrew, Scoop and winget, and SHA256SUMS.
#
#   packaging/assemble.sh VERSION OWNER/NAME EXECUTABLES OUT
#
# EXECUTABLES  directory with TARGET/mscommerce or TARGET/mscommerce.exe for each of the six targets
# OUT          output directory, which must not exist yet
#
# SOURCE_DATE_EPOCH must be set: archives are reproducible. cargo-deb and cargo-cyclonedx are required, except with
# ALLOW_MISSING_TOOLS=yes, which is for tests.
set -euo pipefail

fail() {
    printf 'assemble.sh: %s\n' "$*" >&2
    exit 1
}

targets=(x86_64-unknown-linux-musl aarch64-unknown-linux-musl x86_64-apple-darwin aarch64-apple-darwin
    x86_64-pc-windows-msvc aarch64-pc-windows-msvc)

[[ $# == 4 ]] || { sed -n '2,11s/^# \{0,1\}//p' "$0" >&2; exit 2; }
version=$1 repository=$2 executables=$(realpath "$3") out=$4
[[ ! -e $out ]] || fail "$out exists already"
mkdir -p "$out"
out=$(realpath "$out")
cd "$(dirname "$0")"

executable_of() {
    local name=mscommerce
    [[ $1 == *windows* ]] && name=mscommerce.exe
    printf '%s/%s/%s' "$executables" "$1" "$name"
}

# Fails if a tool is missing, or returns 1 with ALLOW_MISSING_TOOLS=yes.
has_tool() {
    command -v "$1" >/dev/null && return
    [[ ${ALLOW_MISSING_TOOLS:-} == yes ]] || fail "$1 is missing: packaging/tools.sh install $1"
    printf 'assemble.sh: %s is missing, skipped: %s\n' "$1" "$2" >&2
    return 1
}

documents=$(mktemp -d)
trap 'rm -rf "$documents"' EXIT
# Build artifacts of a workflow lose their modes.
chmod 755 "$(executable_of x86_64-unknown-linux-musl)"
./man-and-completions.sh "$(executable_of x86_64-unknown-linux-musl)" "$documents"

for target in "${targets[@]}"; do
    ./archive.sh "$version" "$target" "$(executable_of "$target")" "$documents" "$out" >/dev/null
done

if has_tool cargo-deb 'the Debian packages'; then
    for target in x86_64-unknown-linux-musl aarch64-unknown-linux-musl; do
        ./deb.sh "$target" "$(executable_of "$target")" "$documents" "$out" >/dev/null
    done
fi

if has_tool cargo-cyclonedx 'the SBOM'; then
    # cargo-cyclonedx always writes next to Cargo.toml.
    stem=mscommerce-$version.cdx
    (cd .. && cargo cyclonedx --quiet --format json --target all --override-filename "$stem" && mv "$stem.json" "$out/")
fi

# The manifests contain the checksums of the archives. The final SHA256SUMS covers all files.
./checksums.sh "$out"
./homebrew.sh "$version" "$out/SHA256SUMS" "$repository" >"$documents/mscommerce.rb"
./scoop.sh "$version" "$out/SHA256SUMS" "$repository" >"$documents/mscommerce.json"
./winget.sh "$version" "$out/SHA256SUMS" "$repository" "$documents/winget"
mv "$documents/mscommerce.rb" "$documents/mscommerce.json" "$out/"
tar --create --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" --directory="$documents" winget |
    gzip -9 -n >"$out/mscommerce-$version-winget.tar.gz"
./checksums.sh "$out"
