#!/usr/bin/env bash
# Answers what a tag means, and refuses a tag that the repository does not bear out: a version can be published once.
#
#   packaging/version.sh check TAG      TAG, Cargo.toml, Cargo.lock and CHANGELOG.md name the same version
#   packaging/version.sh notes VERSION  prints what CHANGELOG.md says of that version
#
# Where GITHUB_REPOSITORY (OWNER/NAME) is set, `check` also wants it as the repository of Cargo.toml: `cargo binstall`
# finds the archives by that field.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() {
    printf 'version.sh: %s\n' "$*" >&2
    exit 1
}

# The value of a key of [package], which is the first table of Cargo.toml.
of_package() {
    awk -v key="$1" '
        /^\[/ { inside = ($0 == "[package]") }
        inside && $1 == key && $2 == "=" { sub(/^[^"]*"/, ""); sub(/".*$/, ""); print; exit }
    ' Cargo.toml
}

locked_version() {
    awk '/^name = "mscommerce"$/ { getline; gsub(/^version = "|"$/, ""); print; exit }' Cargo.lock
}

# The lines below the heading "## VERSION" or "## VERSION - DATE", without the empty ones around them.
notes() {
    awk -v version="$1" '
        /^## / { if (inside) exit; inside = ($2 == version && (NF == 2 || $3 == "-")); if (inside) found = 1; next }
        inside { lines[++count] = $0; if ($0 != "") { if (!first) first = count; last = count } }
        END {
            if (!found || !first) exit 1
            for (i = first; i <= last; i++) print lines[i]
        }
    ' CHANGELOG.md
}

check() {
    local tag=$1 version=${1#v} declared locked repository
    [[ $tag =~ ^v[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$ ]] ||
        fail "the tag $tag is not of the form v1.2.3 or v1.2.3-rc.1"
    declared=$(of_package version)
    [[ $declared == "$version" ]] || fail "the tag says $version, Cargo.toml says ${declared:-nothing}"
    locked=$(locked_version)
    [[ $locked == "$version" ]] || fail "the tag says $version, Cargo.lock says ${locked:-nothing}: run cargo check"
    notes "$version" >/dev/null ||
        fail "CHANGELOG.md has no heading '## $version', or nothing below it: rename '## Unreleased'"
    if [[ -n ${GITHUB_REPOSITORY:-} ]]; then
        repository=$(of_package repository)
        [[ $repository == "https://github.com/$GITHUB_REPOSITORY" ]] ||
            fail "Cargo.toml wants repository = \"https://github.com/$GITHUB_REPOSITORY\" and says ${repository:-nothing}"
    fi
    printf '%s\n' "$version"
}

case ${1:-} in
check) [[ $# == 2 ]] || fail 'check takes a tag'; check "$2" ;;
notes) [[ $# == 2 ]] || fail 'notes takes a version'
    notes "$2" || fail "CHANGELOG.md has no heading '## $2', or nothing below it" ;;
*) sed -n '2,8s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
