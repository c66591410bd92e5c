# shellcheck shell=bash
# Functions of the manifest scripts, which source this file. Their arguments are VERSION, CHECKSUMS (a SHA256SUMS file) and
# REPOSITORY (OWNER/NAME on GitHub).

fail() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

# Sets version, checksums, repository and homepage from the arguments, and rejects invalid ones.
parse_args() {
    [[ $# -ge 3 ]] || fail "usage: VERSION CHECKSUMS REPOSITORY${usage_more:+ $usage_more}"
    version=$1 checksums=$2 repository=$3
    [[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$ ]] || fail "$version is not a version"
    [[ -r $checksums ]] || fail "cannot read the checksums in $checksums"
    [[ $repository =~ ^[A-Za-z0-9-]+/[A-Za-z0-9._-]+$ ]] || fail "$repository is not of the form OWNER/NAME"
    # shellcheck disable=SC2034 # used by the scripts that source this file
    homepage=https://github.com/$repository
}

archive_name() {
    case $1 in
    *windows*) printf 'mscommerce-%s-%s.zip' "$version" "$1" ;;
    *) printf 'mscommerce-%s-%s.tar.gz' "$version" "$1" ;;
    esac
}

download_url() {
    printf '%s/releases/download/v%s/%s' "$homepage" "$version" "$(archive_name "$1")"
}

# Prints the checksum of a target's archive, and fails if it is missing.
checksum_of() {
    local archive checksum
    archive=$(archive_name "$1")
    checksum=$(awk -v name="$archive" '$2 == name { print $1 }' "$checksums")
    [[ $checksum =~ ^[0-9a-f]{64}$ ]] || fail "$checksums does not contain exactly one SHA-256 checksum of $archive"
    printf '%s' "$checksum"
}
