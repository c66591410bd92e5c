//! What `bench/run` is told, and what it tells.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::Result;

/// A median of fewer runs says little.
const LEAST: usize = 30;
const RUNS: usize = 100;

/// What to measure, and where things are.
pub(crate) struct Options {
    /// How often short commands are run.
    pub(crate) runs: usize,
    /// How often changes of many products and the peers are run.
    pub(crate) bulk_runs: usize,
    /// Whether a target that is missed is a failure.
    pub(crate) check: bool,
    /// Whether to serve alone, and measure nothing.
    pub(crate) serve: bool,
    /// Where the results go.
    pub(crate) output: PathBuf,
    /// The tool's executable.
    pub(crate) tool: PathBuf,
    /// What is made for the run.
    pub(crate) scratch: PathBuf,
    /// The namespace of mounts that the script was started in, where it made another one for this process.
    pub(crate) outside: Option<String>,
    /// A Python that has the peers' libraries.
    pub(crate) python: Option<PathBuf>,
    /// The peers' program for it.
    pub(crate) python_list: PathBuf,
}

impl Options {
    pub(crate) fn read(arguments: &[OsString]) -> Result<Self> {
        let mut options = Self {
            runs: RUNS,
            bulk_runs: LEAST,
            check: false,
            serve: false,
            output: PathBuf::new(),
            tool: PathBuf::new(),
            scratch: PathBuf::new(),
            outside: None,
            python: None,
            python_list: PathBuf::new(),
        };
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            let name = word.to_string_lossy();
            match &*name {
                "--check" => options.check = true,
                "--serve" => options.serve = true,
                _ => options.set(&name, words.next())?,
            }
        }
        if options.check && options.bulk_runs < LEAST {
            return Err(format!("--check needs {LEAST} runs at least").into());
        }
        Ok(options)
    }

    fn set(&mut self, name: &str, value: Option<&OsString>) -> Result<()> {
        let value = value.ok_or_else(|| format!("{name}: no such option, or its value is missing"))?;
        match name {
            "--runs" => return self.set_runs(value.to_string_lossy().parse()?),
            "--output" => self.output = value.into(),
            "--tool" => self.tool = value.into(),
            "--scratch" => self.scratch = value.into(),
            "--outside" => self.outside = Some(value.to_string_lossy().into_owned()),
            "--python" => self.python = Some(value.into()),
            "--python-list" => self.python_list = value.into(),
            _ => return Err(format!("there is no option {name}").into()),
        }
        Ok(())
    }

    fn set_runs(&mut self, runs: usize) -> Result<()> {
        if runs == 0 {
            return Err("--runs: there has to be one at least".into());
        }
        self.runs = runs;
        self.bulk_runs = runs.min(LEAST);
        Ok(())
    }
}
