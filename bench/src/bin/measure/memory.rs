//! Measures the peak memory of a command.
//!
//! The kernel's figure for a child includes the memory of the parent before `exec`. A second instance of this program, the
//! launcher, therefore starts the command. The result is never below the launcher's own memory.

use std::ffi::OsString;
use std::process::{Command, ExitCode, Stdio};

use nix::sys::resource::{UsageWho, getrusage};

use crate::Result;
use crate::timing::CommandSpec;

const LAUNCHER_ARG: &str = "launch-and-print-peak";
/// The number of mapped pages varies between runs.
const RUNS: usize = 9;

/// If this process is the launcher, runs the command and prints its peak memory in bytes.
pub(crate) fn run_as_launcher(arguments: &[OsString]) -> Result<Option<ExitCode>> {
    let [first, program, arguments @ ..] = arguments else { return Ok(None) };
    if first != LAUNCHER_ARG {
        return Ok(None);
    }
    let status = Command::new(program).args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).status()?;
    // Linux reports KiB.
    println!("{}", getrusage(UsageWho::RUSAGE_CHILDREN)?.max_rss() * 1024);
    Ok(Some(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE }))
}

/// Returns the highest peak of several runs in bytes.
pub(crate) fn highest_peak(command: &CommandSpec) -> Result<u64> {
    // The first run may replace the completion candidates of a longer list.
    peak(command)?;
    let peaks: Vec<u64> = (0..RUNS).map(|_| peak(command)).collect::<Result<_>>()?;
    Ok(peaks.into_iter().max().unwrap_or_default())
}

/// Returns the peak of one run in bytes.
pub(crate) fn peak(command: &CommandSpec) -> Result<u64> {
    let mut args = vec![std::env::current_exe()?.into_os_string(), LAUNCHER_ARG.into()];
    args.extend(command.args.iter().cloned());
    let launcher = CommandSpec { args, ..command.clone() };
    let output = launcher.to_command()?.stdout(Stdio::piped()).output()?;
    if !output.status.success() {
        return Err(format!("{} failed: {}", command.name, output.status).into());
    }
    Ok(String::from_utf8(output.stdout)?.trim().parse()?)
}
