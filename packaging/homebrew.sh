#!/usr/bin/env bash
# Prints a Homebrew formula that installs the executables, for our own tap (homebrew-core builds from source).
#
#   packaging/homebrew.sh VERSION CHECKSUMS OWNER/NAME
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=manifest-common.sh
. "$(dirname "$0")/manifest-common.sh"
parse_args "$@"

# Checksums are read first: a failing command inside a here-document would not end the script.
mac_arm=$(checksum_of aarch64-apple-darwin)
mac_intel=$(checksum_of x86_64-apple-darwin)
linux_arm=$(checksum_of aarch64-unknown-linux-musl)
linux_intel=$(checksum_of x86_64-unknown-linux-musl)

cat <<FORMULA
class Mscommerce < Formula
  desc "Show and change who may buy Microsoft 365 products for themselves"
  homepage "$homepage"
  version "$version"
  license "MIT"

  on_macos do
    on_arm do
      url "$(download_url aarch64-apple-darwin)"
      sha256 "$mac_arm"
    end
    on_intel do
      url "$(download_url x86_64-apple-darwin)"
      sha256 "$mac_intel"
    end
  end

  on_linux do
    on_arm do
      url "$(download_url aarch64-unknown-linux-musl)"
      sha256 "$linux_arm"
    end
    on_intel do
      url "$(download_url x86_64-unknown-linux-musl)"
      sha256 "$linux_intel"
    end
  end

  def install
    bin.install "mscommerce"
    man1.install Dir["man/*.1"]
    bash_completion.install "completions/mscommerce.bash" => "mscommerce"
    zsh_completion.install "completions/_mscommerce"
    fish_completion.install "completions/mscommerce.fish"
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/mscommerce --version")
  end
end
FORMULA
