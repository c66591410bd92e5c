//! The most memory that a command holds.
//!
//! The kernel counts what a process held before it became another program, and a child begins with the memory of its
//! parent. So a small process in between starts the command: the number is never less than what that one holds itself.

use std::ffi::OsString;
use std::process::{Command, ExitCode, Stdio};

use nix::sys::resource::{UsageWho, getrusage};

use crate::Result;
use crate::timing::Recipe;

const WORD: &str = "launch-and-tell-peak";
/// The pages that are mapped differ a little from run to run.
const RUNS: usize = 9;

/// Where this process is the one in between: starts the command, and tells its peak in bytes.
pub(crate) fn launched(arguments: &[OsString]) -> Result<Option<ExitCode>> {
    let [word, program, arguments @ ..] = arguments else { return Ok(None) };
    if word != WORD {
        return Ok(None);
    }
    let status = Command::new(program).args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).status()?;
    // Linux counts in KiB.
    println!("{}", getrusage(UsageWho::RUSAGE_CHILDREN)?.max_rss() * 1024);
    Ok(Some(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE }))
}

/// The highest of some runs, in bytes.
pub(crate) fn of(recipe: &Recipe) -> Result<u64> {
    // The first run may still have to replace what was kept of a longer list.
    once(recipe)?;
    let peaks: Vec<u64> = (0..RUNS).map(|_| once(recipe)).collect::<Result<_>>()?;
    Ok(peaks.into_iter().max().unwrap_or_default())
}

/// The peak of one run, in bytes.
pub(crate) fn once(recipe: &Recipe) -> Result<u64> {
    let mut words = vec![std::env::current_exe()?.into_os_string(), WORD.into()];
    words.extend(recipe.words.iter().cloned());
    let between = Recipe { words, ..recipe.clone() };
    let output = between.command()?.stdout(Stdio::piped()).output()?;
    if !output.status.success() {
        return Err(format!("{} failed: {}", recipe.name, output.status).into());
    }
    Ok(String::from_utf8(output.stdout)?.trim().parse()?)
}
