#!/usr/bin/env bash
# Prints a Scoop manifest, for a bucket of one's own or for the main one. Scoop itself finds later versions by it.
#
#   packaging/scoop.sh VERSION SUMS OWNER/NAME
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=manifest-common.sh
. "$(dirname "$0")/manifest-common.sh"
take "$@"

# Each sum is looked up before anything is printed: an error inside a here-document would go unnoticed.
intel=$(sum_of x86_64-pc-windows-msvc)
arm=$(sum_of aarch64-pc-windows-msvc)
# In the manifest $version is Scoop's own word, not the shell's.
# shellcheck disable=SC2016
later='$version'

cat <<MANIFEST
{
    "version": "$version",
    "description": "Show and change which Microsoft 365 products people may buy for themselves",
    "homepage": "$page",
    "license": "MIT",
    "architecture": {
        "64bit": {
            "url": "$(address_of x86_64-pc-windows-msvc)",
            "hash": "$intel",
            "extract_dir": "mscommerce-$version-x86_64-pc-windows-msvc"
        },
        "arm64": {
            "url": "$(address_of aarch64-pc-windows-msvc)",
            "hash": "$arm",
            "extract_dir": "mscommerce-$version-aarch64-pc-windows-msvc"
        }
    },
    "bin": "mscommerce.exe",
    "checkver": "github",
    "autoupdate": {
        "architecture": {
            "64bit": {
                "url": "$page/releases/download/v$later/mscommerce-$later-x86_64-pc-windows-msvc.zip",
                "extract_dir": "mscommerce-$later-x86_64-pc-windows-msvc"
            },
            "arm64": {
                "url": "$page/releases/download/v$later/mscommerce-$later-aarch64-pc-windows-msvc.zip",
                "extract_dir": "mscommerce-$later-aarch64-pc-windows-msvc"
            }
        },
        "hash": {
            "url": "\$baseurl/SHA256SUMS"
        }
    }
}
MANIFEST
