#!/usr/bin/env bash
# Prints a Scoop manifest, for our own bucket or the main one. Scoop finds later versions with `checkver`.
#
#   packaging/scoop.sh VERSION CHECKSUMS OWNER/NAME
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=manifest-common.sh
. "$(dirname "$0")/manifest-common.sh"
parse_args "$@"

# Checksums are read first: a failing command inside a here-document would not end the script.
intel=$(checksum_of x86_64-pc-windows-msvc)
arm=$(checksum_of aarch64-pc-windows-msvc)
# A placeholder of Scoop, not a shell variable.
# shellcheck disable=SC2016
placeholder='$version'

cat <<MANIFEST
{
    "version": "$version",
    "description": "Show and change which Microsoft 365 products people may buy for themselves",
    "homepage": "$homepage",
    "license": "MIT",
    "architecture": {
        "64bit": {
            "url": "$(download_url x86_64-pc-windows-msvc)",
            "hash": "$intel",
            "extract_dir": "mscommerce-$version-x86_64-pc-windows-msvc"
        },
        "arm64": {
            "url": "$(download_url aarch64-pc-windows-msvc)",
            "hash": "$arm",
            "extract_dir": "mscommerce-$version-aarch64-pc-windows-msvc"
        }
    },
    "bin": "mscommerce.exe",
    "checkver": "github",
    "autoupdate": {
        "architecture": {
            "64bit": {
                "url": "$homepage/releases/download/v$placeholder/mscommerce-$placeholder-x86_64-pc-windows-msvc.zip",
                "extract_dir": "mscommerce-$placeholder-x86_64-pc-windows-msvc"
            },
            "arm64": {
                "url": "$homepage/releases/download/v$placeholder/mscommerce-$placeholder-aarch64-pc-windows-msvc.zip",
                "extract_dir": "mscommerce-$placeholder-aarch64-pc-windows-msvc"
            }
        },
        "hash": {
            "url": "\$baseurl/SHA256SUMS"
        }
    }
}
MANIFEST
