//! Leaves the tables for unwinding out of the release executable for Linux: an eighth of its size.
//!
//! A panic aborts there (`panic = "abort"`) and symbols are stripped, so that nothing ever reads them; but the standard
//! library comes compiled with them, and no setting of Cargo takes them out. A linker script does.

use std::path::PathBuf;
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
    Ok(())
}

fn is(variable: &str, value: &str) -> bool {
    env::var(variable).is_ok_and(|found| found == value)
}

/// Whether Rust is told to link with mold, which reads no linker scripts of this kind.
fn mold_links() -> bool {
    env::var("CARGO_ENCODED_RUSTFLAGS").is_ok_and(|flags| flags.contains("mold"))
}
