#!/usr/bin/env bash
# The release build of one target. The workflow builds every target with this, and anyone can build theirs.
#
#   packaging/build.sh TARGET OUT
#
# TARGET  Rust's name of the platform; `rustup target add TARGET` must have been run
# OUT     the directory that the executable is put into; its path is printed
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

# Both become part of the names of variables that cargo and the crate cc read.
lower=${target//-/_}
upper=${lower^^}
name=mscommerce

case $target in
*-linux-musl)
    # One static executable runs on every distribution, on an empty container image too. ring has parts in C and
    # assembler, which must be compiled against musl's headers and not against the system's.
    compiler=CC_$lower
    if [[ -z ${!compiler:-} ]]; then
        command -v musl-gcc >/dev/null || fail "ring needs a C compiler for musl: install musl-tools, or name one in $compiler"
        export "$compiler=musl-gcc"
    fi
    ;;
*-linux-gnu) ;;
*-apple-darwin)
    # Apple's compiler serves for both of its architectures, and Rust's own lowest macOS is the one that is promised.
    command -v cc >/dev/null || fail 'ring needs a C compiler: run xcode-select --install'
    ;;
*-windows-msvc)
    name=mscommerce.exe
    # Without this the executable needs Microsoft's redistributable runtime, which a fresh Windows does not have.
    export "CARGO_TARGET_${upper}_RUSTFLAGS=-C target-feature=+crt-static"
    if [[ $target == aarch64-* ]]; then
        # ring's assembler for this one target is in a form that Microsoft's compiler does not read.
        PATH=$PATH:'/c/Program Files/LLVM/bin'
        command -v clang >/dev/null || fail 'ring needs clang for this target: install LLVM'
    fi
    ;;
*) fail "$target is not among the targets of a release" ;;
esac

cargo=(cargo)
if command -v cargo-auditable >/dev/null; then
    # The executable then lists what it was made of: `rust-audit-info mscommerce`, `cargo audit bin mscommerce`.
    cargo=(cargo auditable)
elif [[ -n ${GITHUB_ACTIONS:-} ]]; then
    fail 'cargo-auditable is missing: run packaging/tools.sh install cargo-auditable'
else
    printf 'build.sh: without cargo-auditable: the executable will not list what it was made of\n' >&2
fi

# The target is always named, the machine's own too: flags then never reach build scripts, and the path is the same.
"${cargo[@]}" build --release --locked --target "$target" --bin mscommerce >&2
built=${CARGO_TARGET_DIR:-target}/$target/release/$name
[[ -s $built ]] || fail "cargo put no executable at $built"

if [[ $target == *-linux-musl ]] && readelf --program-headers --wide "$built" | grep -q INTERP; then
    fail "$built names an interpreter: it is not static"
fi
cp "$built" "$out/$name"
printf '%s\n' "$out/$name"
