#!/usr/bin/env bash
# The container image.
#
#   packaging/image.sh context AMD64 ARM64 OUT          lays out what packaging/Containerfile copies, from two static executables
#   packaging/image.sh push CONTEXT IMAGE VERSION URL   builds both architectures, pushes them, joins them under the version,
#                                                       and prints the digest; wants a docker that is signed in
#
# Nothing runs inside the image while it is built, so that the other architecture needs no emulation.
set -euo pipefail

fail() {
    printf 'image.sh: %s\n' "$*" >&2
    exit 1
}

here=$(cd "$(dirname "$0")" && pwd)

context() {
    local amd64=$1 arm64=$2 out=$3 authorities=${CA_CERTIFICATES:-/etc/ssl/certs/ca-certificates.crt} executable
    [[ -s $authorities ]] || fail "there are no certificate authorities at $authorities: install ca-certificates, or name a file in CA_CERTIFICATES"
    for executable in "$amd64" "$arm64"; do
        [[ -s $executable ]] || fail "there is no executable at $executable"
        # An executable that names an interpreter is not static, and would not start on an empty base.
        if readelf --program-headers --wide "$executable" | grep -q INTERP; then
            fail "$executable is not static"
        fi
    done
    rm -rf "$out"
    mkdir -p "$out/state"
    install -D -m 755 "$amd64" "$out/amd64/mscommerce"
    install -D -m 755 "$arm64" "$out/arm64/mscommerce"
    install -m 644 "$authorities" "$out/ca-certificates.crt"
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
    # A version with a hyphen is a trial; "latest" stays with the last full one.
    [[ $version == *-* ]] || tags+=(--tag "$image:latest")
    docker buildx imagetools create "${tags[@]}" "$image:$version-amd64" "$image:$version-arm64" >&2
    docker buildx imagetools inspect --format '{{.Manifest.Digest}}' "$image:$version"
}

case ${1:-}:$# in
context:4) context "$2" "$3" "$4" ;;
push:5) push "$2" "$3" "$4" "$5" ;;
*) sed -n '2,8s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
