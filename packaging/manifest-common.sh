# shellcheck shell=bash
# What the makers of manifests share: they read it, it is not run. Each takes VERSION, SUMS (a file like SHA256SUMS) and
# REPOSITORY (OWNER/NAME on GitHub), and sets these names.

fail() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

# Takes the arguments, and refuses what would make an unusable manifest.
take() {
    [[ $# -ge 3 ]] || fail "takes VERSION SUMS REPOSITORY${usage_more:+ $usage_more}"
    version=$1 sums=$2 repository=$3
    [[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$ ]] || fail "$version is not a version"
    [[ -r $sums ]] || fail "the file of sums $sums cannot be read"
    [[ $repository =~ ^[A-Za-z0-9-]+/[A-Za-z0-9._-]+$ ]] || fail "$repository is not of the form OWNER/NAME"
    # shellcheck disable=SC2034 # for those who read this file
    page=https://github.com/$repository
}

archive_of() {
    case $1 in
    *windows*) printf 'mscommerce-%s-%s.zip' "$version" "$1" ;;
    *) printf 'mscommerce-%s-%s.tar.gz' "$version" "$1" ;;
    esac
}

address_of() {
    printf '%s/releases/download/v%s/%s' "$page" "$version" "$(archive_of "$1")"
}

# The sum of a platform's archive; a name that is missing is an error, never an empty sum.
sum_of() {
    local archive sum
    archive=$(archive_of "$1")
    sum=$(awk -v name="$archive" '$2 == name { print $1 }' "$sums")
    [[ $sum =~ ^[0-9a-f]{64}$ ]] || fail "$sums has no one SHA-256 sum of $archive"
    printf '%s' "$sum"
}
