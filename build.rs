//! Leaves out of the release executable for Linux what it would need for unwinding: a panic aborts there
//! (`panic = "abort"`), symbols are stripped, and yet the standard library brings both, whatever Cargo is told.
//!
//! - The tables are an eighth of its size: a linker script takes them out.
//! - The library `libgcc_s` is loaded at every start, for a tenth of a millisecond: its static twin has what is asked of it.

use std::path::PathBuf;
use std::process::Command;
use std::{env, fs, io};

/// Added to the linker's own script, which stays in force, as `INSERT` says.
const SCRIPT: &str = "\
SECTIONS
{
  /DISCARD/ : {
    *(.eh_frame) *(.eh_frame.*) *(.eh_frame_hdr)
    *(.gcc_except_table) *(.gcc_except_table.*)
  }
}
INSERT AFTER .comment;
";

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=CARGO_ENCODED_RUSTFLAGS");
    if !is("CARGO_CFG_TARGET_OS", "linux") || !is("PROFILE", "release") || mold_links() {
        return Ok(());
    }
    let script = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join("without-unwinding.ld");
    fs::write(&script, SCRIPT)?;
    println!("cargo::rustc-link-arg-bins=-Wl,--no-eh-frame-hdr");
    println!("cargo::rustc-link-arg-bins=-Wl,-T,{}", script.display());
    if let Some(directory) = static_unwinder() {
        println!("cargo::rustc-link-search=native={}", directory.display());
        println!("cargo::rustc-link-lib=static:-bundle=gcc_eh");
    }
    Ok(())
}

/// Where the compiler that links has `libgcc_eh.a`, when it builds for this very machine; it may have none.
fn static_unwinder() -> Option<PathBuf> {
    if !is("CARGO_CFG_TARGET_ENV", "gnu") || env::var_os("HOST") != env::var_os("TARGET") {
        return None;
    }
    let linker = env::var_os("RUSTC_LINKER").unwrap_or_else(|| "cc".into());
    let asked = Command::new(linker).arg("-print-file-name=libgcc_eh.a").output().ok()?;
    let library = PathBuf::from(String::from_utf8(asked.stdout).ok()?.trim());
    library.is_absolute().then(|| library.parent().map(PathBuf::from))?
}

fn is(variable: &str, value: &str) -> bool {
    env::var(variable).is_ok_and(|found| found == value)
}

/// Whether Rust is told to link with mold, which reads no linker scripts of this kind.
fn mold_links() -> bool {
    env::var("CARGO_ENCODED_RUSTFLAGS").is_ok_and(|flags| flags.contains("mold"))
}
