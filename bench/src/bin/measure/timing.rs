//! Running commands in turns, and what comes of many runs.

use std::ffi::OsString;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::Result;

/// A command and the environment it has, which holds nothing else.
#[derive(Clone)]
pub(crate) struct Recipe {
    pub(crate) name: String,
    pub(crate) words: Vec<OsString>,
    pub(crate) environment: Vec<(OsString, OsString)>,
    /// What its output has to hold, so that nothing is measured that did not do the work.
    pub(crate) shows: String,
}

/// The times of one command, the shortest first.
pub(crate) struct Series {
    pub(crate) name: String,
    times: Vec<Duration>,
}

impl Recipe {
    pub(crate) fn command(&self) -> Result<Command> {
        let (program, arguments) = self.words.split_first().ok_or("an empty command")?;
        let mut command = Command::new(program);
        command.args(arguments).env_clear().envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::null());
        Ok(command)
    }

    /// The time from before the start to after the end.
    pub(crate) fn time(&self) -> Result<Duration> {
        let mut command = self.command()?;
        let started = Instant::now();
        let status = command.status()?;
        let time = started.elapsed();
        if status.success() { Ok(time) } else { Err(format!("{} failed: {status}", self.name).into()) }
    }

    fn check(&self) -> Result<()> {
        let output = self.command()?.stdout(Stdio::piped()).output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        if output.status.success() && text.contains(&self.shows) {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        Err(format!("{} does not do what is measured: {}\n{said}", self.name, output.status).into())
    }
}

/// Runs each command once to see that it works and to warm the caches, then all of them in turns: what disturbs the machine
/// disturbs all alike. Each round begins with another one.
pub(crate) fn in_turns(recipes: &[Recipe], runs: usize) -> Result<Vec<Series>> {
    for recipe in recipes {
        recipe.check()?;
    }
    let mut times = vec![Vec::with_capacity(runs); recipes.len()];
    for round in 0..runs {
        for step in 0..recipes.len() {
            let at = (round + step) % recipes.len();
            times[at].push(recipes[at].time()?);
        }
    }
    let series = |(recipe, times): (&Recipe, _)| Series::new(recipe.name.clone(), times);
    Ok(recipes.iter().zip(times).map(series).collect())
}

impl Series {
    pub(crate) fn new(name: String, mut times: Vec<Duration>) -> Self {
        times.sort();
        Self { name, times }
    }

    pub(crate) fn runs(&self) -> usize {
        self.times.len()
    }

    /// In milliseconds, as all that follow.
    pub(crate) fn median(&self) -> f64 {
        self.at(2)
    }

    pub(crate) fn lower_quartile(&self) -> f64 {
        self.at(1)
    }

    pub(crate) fn upper_quartile(&self) -> f64 {
        self.at(3)
    }

    fn at(&self, quarters: usize) -> f64 {
        let last = self.times.len() - 1;
        let (low, high) = (last * quarters / 4, (last * quarters).div_ceil(4));
        f64::midpoint(self.times[low].as_secs_f64(), self.times[high].as_secs_f64()) * 1000.0
    }
}
