#!/usr/bin/env bash
# Writes the three files of a version for the public repository of the Windows Package Manager (winget).
#
#   packaging/winget.sh VERSION CHECKSUMS OWNER/NAME OUT [PUBLISHER]
#
# PUBLISHER is the first half of the package identifier; the default is OWNER.
set -euo pipefail
# shellcheck disable=SC2034 # used by manifest-common.sh
usage_more='OUT [PUBLISHER]'
# shellcheck source-path=SCRIPTDIR source=manifest-common.sh
. "$(dirname "$0")/manifest-common.sh"
parse_args "$@"
[[ $# == 4 || $# == 5 ]] || fail "usage: VERSION CHECKSUMS REPOSITORY $usage_more"
out=$4 publisher=${5:-${repository%%/*}}
[[ $publisher =~ ^[A-Za-z0-9-]+$ ]] || fail "$publisher is not a valid publisher"
identifier=$publisher.mscommerce
schema=1.10.0

# winget writes checksums in capital letters.
intel=$(checksum_of x86_64-pc-windows-msvc | tr a-f A-F)
arm=$(checksum_of aarch64-pc-windows-msvc | tr a-f A-F)
mkdir -p "$out"

# Prints the entry of one architecture, given winget's name, the target triple and the checksum.
installer() {
    local architecture=$1 target=$2 checksum=$3
    cat <<ENTRY
- Architecture: $architecture
  InstallerUrl: $(download_url "$target")
  InstallerSha256: $checksum
  NestedInstallerFiles:
  - RelativeFilePath: mscommerce-$version-$target\\mscommerce.exe
    PortableCommandAlias: mscommerce
ENTRY
}

cat >"$out/$identifier.yaml" <<MANIFEST
# yaml-language-server: \$schema=https://aka.ms/winget-manifest.version.$schema.schema.json
PackageIdentifier: $identifier
PackageVersion: $version
DefaultLocale: en-US
ManifestType: version
ManifestVersion: $schema
MANIFEST

cat >"$out/$identifier.installer.yaml" <<MANIFEST
# yaml-language-server: \$schema=https://aka.ms/winget-manifest.installer.$schema.schema.json
PackageIdentifier: $identifier
PackageVersion: $version
InstallerType: zip
NestedInstallerType: portable
Commands:
- mscommerce
Installers:
$(installer x64 x86_64-pc-windows-msvc "$intel")
$(installer arm64 aarch64-pc-windows-msvc "$arm")
ManifestType: installer
ManifestVersion: $schema
MANIFEST

cat >"$out/$identifier.locale.en-US.yaml" <<MANIFEST
# yaml-language-server: \$schema=https://aka.ms/winget-manifest.defaultLocale.$schema.schema.json
PackageIdentifier: $identifier
PackageVersion: $version
PackageLocale: en-US
Publisher: $publisher
PublisherUrl: https://github.com/${repository%%/*}
PublisherSupportUrl: $homepage/issues
PackageName: mscommerce
PackageUrl: $homepage
License: MIT
LicenseUrl: $homepage/blob/v$version/LICENSE
ShortDescription: Show and change which Microsoft 365 products people may buy for themselves
Moniker: mscommerce
Tags:
- cli
- licensing
- microsoft-365
- self-service-purchase
ReleaseNotesUrl: $homepage/releases/tag/v$version
ManifestType: defaultLocale
ManifestVersion: $schema
MANIFEST
