#!/usr/bin/env bash
# Checks a tag against the repository before a release, because a version can be published only once.
#
#   packaging/version.sh check TAG      checks that TAG, Cargo.toml, Cargo.lock and CHANGELOG.md have the same version
#   packaging/version.sh notes VERSION  prints the section of that version in CHANGELOG.md
#
# If GITHUB_REPOSITORY (OWNER/NAME) is set, `check` compares it with `repository` in Cargo.toml: `cargo binstall` finds the
# archives with that field.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() {
    printf 'version.sh: %s\n' "$*" >&2
    exit 1
}

# Prints the value of a key in [package] of Cargo.toml.
package_field() {
    awk -v key="$1" '
        /^\[/ { inside = ($0 == "[package]") }
        inside && $1 == key && $2 == "=" { sub(/^[^"]*"/, ""); sub(/".*$/, ""); print; exit }
    ' Cargo.toml
}

locked_version() {
    awk '/^name = "mscommerce"$/ { getline; gsub(/^version = "|"$/, ""); print; exit }' Cargo.lock
}

# Prints the lines below the heading "## VERSION" or "## VERSION - DATE", without surrounding empty lines.
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
        fail "the tag $tag does not have the form v1.2.3 or v1.2.3-rc.1"
    declared=$(package_field version)
    [[ $declared == "$version" ]] || fail "the tag is $version, but the version in Cargo.toml is ${declared:-missing}"
    locked=$(locked_version)
    [[ $locked == "$version" ]] || fail "the tag is $version, but the version in Cargo.lock is ${locked:-missing}: run cargo check"
    notes "$version" >/dev/null ||
        fail "CHANGELOG.md has no section '## $version', or the section is empty: rename '## Unreleased'"
    if [[ -n ${GITHUB_REPOSITORY:-} ]]; then
        repository=$(package_field repository)
        [[ $repository == "https://github.com/$GITHUB_REPOSITORY" ]] ||
            fail "repository in Cargo.toml must be \"https://github.com/$GITHUB_REPOSITORY\", but is ${repository:-missing}"
    fi
    printf '%s\n' "$version"
}

case ${1:-} in
check) [[ $# == 2 ]] || fail 'usage: check TAG'; check "$2" ;;
notes) [[ $# == 2 ]] || fail 'usage: notes VERSION'
    notes "$2" || fail "CHANGELOG.md has no section '## $2', or the section is empty" ;;
*) sed -n '2,8s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
