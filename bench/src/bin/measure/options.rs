//! The command line of the benchmark. `bench/run` adds the paths.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::Result;

/// Fewer runs do not give a usable median.
const MIN_RUNS: usize = 30;
const DEFAULT_RUNS: usize = 100;

/// Parsed command line.
pub(crate) struct Options {
    /// Runs of each short command.
    pub(crate) runs: usize,
    /// Runs of each bulk update and peer.
    pub(crate) bulk_runs: usize,
    /// Whether a missed target is a failure.
    pub(crate) check: bool,
    /// Whether to start the server and measure nothing.
    pub(crate) serve: bool,
    /// Directory for the results.
    pub(crate) output: PathBuf,
    /// The `mscommerce` executable.
    pub(crate) executable: PathBuf,
    /// Directory for temporary files.
    pub(crate) scratch: PathBuf,
    /// Mount namespace of the script, if it started this process in another one.
    pub(crate) outer_mount_namespace: Option<String>,
    /// A Python with the peers' libraries.
    pub(crate) python: Option<PathBuf>,
    /// The script that this Python runs.
    pub(crate) python_list: PathBuf,
}

impl Options {
    pub(crate) fn parse(arguments: &[OsString]) -> Result<Self> {
        let mut options = Self {
            runs: DEFAULT_RUNS,
            bulk_runs: MIN_RUNS,
            check: false,
            serve: false,
            output: PathBuf::new(),
            executable: PathBuf::new(),
            scratch: PathBuf::new(),
            outer_mount_namespace: None,
            python: None,
            python_list: PathBuf::new(),
        };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            let name = argument.to_string_lossy();
            match &*name {
                "--check" => options.check = true,
                "--serve" => options.serve = true,
                _ => options.set(&name, arguments.next())?,
            }
        }
        if options.check && options.bulk_runs < MIN_RUNS {
            return Err(format!("--check needs at least {MIN_RUNS} runs").into());
        }
        Ok(options)
    }

    fn set(&mut self, name: &str, value: Option<&OsString>) -> Result<()> {
        let value = value.ok_or_else(|| format!("{name}: unknown option or missing value"))?;
        match name {
            "--runs" => return self.set_runs(value.to_string_lossy().parse()?),
            "--output" => self.output = value.into(),
            "--executable" => self.executable = value.into(),
            "--scratch" => self.scratch = value.into(),
            "--outer-mount-namespace" => self.outer_mount_namespace = Some(value.to_string_lossy().into_owned()),
            "--python" => self.python = Some(value.into()),
            "--python-list" => self.python_list = value.into(),
            _ => return Err(format!("unknown option {name}").into()),
        }
        Ok(())
    }

    fn set_runs(&mut self, runs: usize) -> Result<()> {
        if runs == 0 {
            return Err("--runs must be at least 1".into());
        }
        self.runs = runs;
        self.bulk_runs = runs.min(MIN_RUNS);
        Ok(())
    }
}
