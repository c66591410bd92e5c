//! The steps of the walk, as they are recorded.

use std::collections::HashSet;

use serde_json::Value;

use crate::error::Error;
use crate::output::{Record, Row};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Passed,
    Failed,
    Skipped,
}

/// One step: what was looked at, and what was found.
pub struct Step {
    name: &'static str,
    target: String,
    outcome: Outcome,
    finding: String,
    hints: Vec<String>,
}

impl Record for Step {
    const FIELDS: &'static [&'static str] = &["step", "target", "outcome", "finding", "hint"];

    fn into_row(self) -> Row {
        let outcome = match self.outcome {
            Outcome::Passed => "passed",
            Outcome::Failed => "failed",
            Outcome::Skipped => "skipped",
        };
        let values = vec![
            Value::from(self.name),
            Value::from(self.target),
            Value::from(outcome),
            Value::from(self.finding),
            if self.hints.is_empty() { Value::Null } else { Value::from(self.hints.join("; ")) },
        ];
        Row { values, ..Row::default() }
    }
}

/// The steps so far.
#[derive(Default)]
pub struct Walk {
    steps: Vec<Step>,
}

impl Walk {
    pub fn passed(&mut self, name: &'static str, target: &str, finding: impl Into<String>) {
        self.add(name, target, Outcome::Passed, finding.into(), &[]);
    }

    pub fn skipped(&mut self, name: &'static str, target: &str, why: impl Into<String>) {
        self.add(name, target, Outcome::Skipped, why.into(), &[]);
    }

    pub fn failed(&mut self, name: &'static str, target: &str, error: &Error) {
        self.add(name, target, Outcome::Failed, error.summary(), error.hints());
    }

    /// Records a result, and hands on what was found.
    pub fn record<T>(
        &mut self,
        name: &'static str,
        target: &str,
        result: Result<T, impl Into<Error>>,
        finding: impl FnOnce(&T) -> String,
    ) -> Option<T> {
        match result {
            Ok(found) => {
                self.passed(name, target, finding(&found));
                Some(found)
            }
            Err(error) => {
                self.failed(name, target, &error.into());
                None
            }
        }
    }

    /// Goes on with the steps of another part of the walk.
    pub fn append(&mut self, mut further: Self) {
        self.steps.append(&mut further.steps);
    }

    fn add(&mut self, name: &'static str, target: &str, outcome: Outcome, finding: String, hints: &[String]) {
        self.steps.push(Step { name, target: target.to_owned(), outcome, finding, hints: hints.to_vec() });
    }

    /// The steps, and the failure that they come to, if any failed.
    pub fn end(self) -> (Vec<Step>, Option<Error>) {
        let failed: Vec<String> = self
            .steps
            .iter()
            .filter(|step| step.outcome == Outcome::Failed)
            .map(|step| format!("{} ({})", step.name, step.target))
            .collect();
        let all = self.steps.len();
        let mut hints: Vec<String> = self.steps.iter().flat_map(|step| step.hints.clone()).collect();
        let mut seen = HashSet::new();
        hints.retain(|hint| seen.insert(hint.clone()));
        let failure = (!failed.is_empty()).then(|| {
            Error::failed(format!("{} of {all} steps failed: {}", failed.len(), failed.join(", "))).with_hints(hints)
        });
        (self.steps, failure)
    }
}
