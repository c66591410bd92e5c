//! Runs commands and keeps their times.

use std::ffi::OsString;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::Result;

/// A command and its complete environment.
#[derive(Clone)]
pub(crate) struct CommandSpec {
    pub(crate) name: String,
    /// The program and its arguments.
    pub(crate) args: Vec<OsString>,
    pub(crate) environment: Vec<(OsString, OsString)>,
    /// Text that the output must contain, as proof that the command did its work.
    pub(crate) expected_output: String,
}

/// The times of one command, in ascending order.
pub(crate) struct Timings {
    pub(crate) name: String,
    times: Vec<Duration>,
}

impl CommandSpec {
    pub(crate) fn to_command(&self) -> Result<Command> {
        let (program, arguments) = self.args.split_first().ok_or("an empty command")?;
        let mut command = Command::new(program);
        command.args(arguments).env_clear().envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::null());
        Ok(command)
    }

    /// Runs the command and returns the time from before the spawn to after the exit.
    pub(crate) fn time(&self) -> Result<Duration> {
        let mut command = self.to_command()?;
        let start = Instant::now();
        let status = command.status()?;
        let elapsed = start.elapsed();
        if status.success() { Ok(elapsed) } else { Err(format!("{} failed: {status}", self.name).into()) }
    }

    fn check_output(&self) -> Result<()> {
        let output = self.to_command()?.stdout(Stdio::piped()).output()?;
        let stdout = String::from_utf8_lossy(&output.stdout);
        if output.status.success() && stdout.contains(&self.expected_output) {
            return Ok(());
        }
        let stderr = String::from_utf8_lossy(&output.stderr);
        Err(format!("{} does not print the expected output: {}\n{stderr}", self.name, output.status).into())
    }
}

/// Runs each command once to check its output and to warm the caches, then measures all of them in rounds, so that a
/// disturbance of the machine affects every command. Each round starts with another command.
pub(crate) fn measure_interleaved(commands: &[CommandSpec], runs: usize) -> Result<Vec<Timings>> {
    for command in commands {
        command.check_output()?;
    }
    let mut times = vec![Vec::with_capacity(runs); commands.len()];
    for round in 0..runs {
        for step in 0..commands.len() {
            let index = (round + step) % commands.len();
            times[index].push(commands[index].time()?);
        }
    }
    Ok(commands.iter().zip(times).map(|(command, times)| Timings::new(command.name.clone(), times)).collect())
}

impl Timings {
    pub(crate) fn new(name: String, mut times: Vec<Duration>) -> Self {
        times.sort();
        Self { name, times }
    }

    pub(crate) fn runs(&self) -> usize {
        self.times.len()
    }

    /// In milliseconds.
    pub(crate) fn median(&self) -> f64 {
        self.quartile(2)
    }

    /// In milliseconds.
    pub(crate) fn lower_quartile(&self) -> f64 {
        self.quartile(1)
    }

    /// In milliseconds.
    pub(crate) fn upper_quartile(&self) -> f64 {
        self.quartile(3)
    }

    fn quartile(&self, number: usize) -> f64 {
        let last = self.times.len() - 1;
        let (lower, upper) = (last * number / 4, (last * number).div_ceil(4));
        f64::midpoint(self.times[lower].as_secs_f64(), self.times[upper].as_secs_f64()) * 1000.0
    }
}
