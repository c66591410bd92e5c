#!/usr/bin/env bash
# Builds the container image.
#
#   packaging/image.sh context AMD64 ARM64 OUT          creates the build context from two static executables
#   packaging/image.sh push CONTEXT IMAGE VERSION URL   builds and pushes both architectures, creates the multi-platform tag,
#                                                       and prints its digest; docker must be logged in
#
# The build runs no command inside the image, so the other architecture needs no emulation.
set -euo pipefail

fail() {
    printf 'image.sh: %s\n' "$*" >&2
    exit 1
}

here=$(cd "$(dirname "$0")" && pwd)

context() {
    local amd64=$1 arm64=$2 out=$3 roots=${CA_CERTIFICATES:-/etc/ssl/certs/ca-certificates.crt} executable
    [[ -s $roots ]] || fail "there are no root certificates at $roots: install ca-certificates, or set CA_CERTIFICATES"
    for executable in "$amd64" "$arm64"; do
        [[ -s $executable ]] || fail "there is no executable at $executable"
        # An executable with a program interpreter is dynamic and does not start on an empty base.
        if readelf --program-headers --wide "$executable" | grep -q INTERP; then
            fail "$executable is not static"
        fi
    done
    rm -rf "$out"
    mkdir -p "$out/state"
    install -D -m 755 "$amd64" "$out/amd64/mscommerce"
    install -D -m 755 "$arm64" "$out/arm64/mscommerce"
    install -m 644 "$roots" "$out/ca-certificates.crt"
    install -m 644 "$here/../LICENSE" "$out/LICENSE"
}

push() {
    local context=$1 image=$2 version=$3 url=$4 architecture tags
    for architecture in amd64 arm64; do
        docker buildx build --platform "linux/$architecture" --provenance=false --file "$here/Containerfile" \
            --label "org.opencontainers.image.title=mscommerce" \
            --label "org.opencontainers.image.version=$version" \
            --label "org.opencontainers.image.licenses=MIT" \
            --label "org.opencontainers.image.source=$url" \
            --tag "$image:$version-$architecture" --load "$context" >&2
        docker push "$image:$version-$architecture" >&2
    done
    tags=(--tag "$image:$version")
    # A version with a hyphen is a pre-release; "latest" stays at the last release.
    [[ $version == *-* ]] || tags+=(--tag "$image:latest")
    docker buildx imagetools create "${tags[@]}" "$image:$version-amd64" "$image:$version-arm64" >&2
    docker buildx imagetools inspect --format '{{.Manifest.Digest}}' "$image:$version"
}

case ${1:-}:$# in
context:4) context "$2" "$3" "$4" ;;
push:5) push "$2" "$3" "$4" "$5" ;;
*) sed -n '2,8s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
