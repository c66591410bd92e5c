#!/usr/bin/env bash
# Builds the release executable of one target, in the workflow and elsewhere.
#
#   packaging/build.sh TARGET OUT
#
# TARGET  target triple, installed with `rustup target add TARGET`
# OUT     output directory; the path of the executable is printed
set -euo pipefail

fail() {
    printf 'build.sh: %s\n' "$*" >&2
    exit 1
}

[[ $# == 2 ]] || { sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; exit 2; }
target=$1
mkdir -p "$2"
out=$(cd "$2" && pwd)
cd "$(dirname "$0")/.."

# For the environment variables of cargo and of the crate cc.
lower=${target//-/_}
upper=${lower^^}
name=mscommerce

case $target in
*-linux-musl)
    # A static executable runs on every distribution and in an empty container image. ring has parts in C and assembly,
    # which need musl's headers instead of the system's.
    compiler=CC_$lower
    if [[ -z ${!compiler:-} ]]; then
        command -v musl-gcc >/dev/null || fail "ring needs a C compiler for musl: install musl-tools, or set $compiler"
        export "$compiler=musl-gcc"
    fi
    ;;
*-linux-gnu) ;;
*-apple-darwin)
    # Apple's compiler handles both architectures. The minimum macOS version is Rust's default.
    command -v cc >/dev/null || fail 'ring needs a C compiler: run xcode-select --install'
    ;;
*-windows-msvc)
    name=mscommerce.exe
    # Without this the executable needs the Visual C++ runtime, which a fresh Windows does not have.
    export "CARGO_TARGET_${upper}_RUSTFLAGS=-C target-feature=+crt-static"
    if [[ $target == aarch64-* ]]; then
        # Microsoft's compiler cannot assemble ring's sources for this target.
        PATH=$PATH:'/c/Program Files/LLVM/bin'
        command -v clang >/dev/null || fail 'ring needs clang for this target: install LLVM'
    fi
    ;;
*) fail "$target is not a release target" ;;
esac

cargo=(cargo)
if command -v cargo-auditable >/dev/null; then
    # Embeds the list of dependencies: `rust-audit-info mscommerce`, `cargo audit bin mscommerce`.
    cargo=(cargo auditable)
elif [[ -n ${GITHUB_ACTIONS:-} ]]; then
    fail 'cargo-auditable is missing: run packaging/tools.sh install cargo-auditable'
else
    printf 'build.sh: cargo-auditable is missing: the executable will not contain the list of dependencies\n' >&2
fi

# With an explicit --target, RUSTFLAGS do not apply to build scripts, and the output path is the same for every target.
"${cargo[@]}" build --release --locked --target "$target" --bin mscommerce >&2
built=${CARGO_TARGET_DIR:-target}/$target/release/$name
[[ -s $built ]] || fail "no executable at $built after the build"

if [[ $target == *-linux-musl ]] && readelf --program-headers --wide "$built" | grep -q INTERP; then
    fail "$built has a program interpreter: it is not static"
fi
cp "$built" "$out/$name"
printf '%s\n' "$out/$name"
