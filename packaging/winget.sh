#!/usr/bin/env bash
# Writes the three files that the Windows Package Manager's public repository wants of a version.
#
#   packaging/winget.sh VERSION SUMS OWNER/NAME OUT [PUBLISHER]
#
# PUBLISHER is the first half of the package's identifier; without it, it is OWNER.
set -euo pipefail
# shellcheck disable=SC2034 # for manifest-common.sh
usage_more='OUT [PUBLISHER]'
# shellcheck source-path=SCRIPTDIR source=manifest-common.sh
. "$(dirname "$0")/manifest-common.sh"
take "$@"
[[ $# == 4 || $# == 5 ]] || fail "takes VERSION SUMS REPOSITORY $usage_more"
out=$4 publisher=${5:-${repository%%/*}}
[[ $publisher =~ ^[A-Za-z0-9-]+$ ]] || fail "$publisher cannot be the first half of an identifier"
identifier=$publisher.mscommerce
schema=1.10.0

# winget spells sums in capital letters.
intel=$(sum_of x86_64-pc-windows-msvc | tr a-f A-F)
arm=$(sum_of aarch64-pc-windows-msvc | tr a-f A-F)
mkdir -p "$out"

# The entry of one architecture, by winget's name of it and Rust's.
installer() {
    local architecture=$1 target=$2 sum=$3
    cat <<ENTRY
- Architecture: $architecture
  InstallerUrl: $(address_of "$target")
  InstallerSha256: $sum
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
PublisherSupportUrl: $page/issues
PackageName: mscommerce
PackageUrl: $page
License: MIT
LicenseUrl: $page/blob/v$version/LICENSE
ShortDescription: Show and change which Microsoft 365 products people may buy for themselves
Moniker: mscommerce
Tags:
- cli
- licensing
- microsoft-365
- self-service-purchase
ReleaseNotesUrl: $page/releases/tag/v$version
ManifestType: defaultLocale
ManifestVersion: $schema
MANIFEST
