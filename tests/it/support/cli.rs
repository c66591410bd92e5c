//! The result of one run of the executable.

use std::process::Output;

use serde_json::Value;

/// Exit code and output of one run.
#[derive(Debug)]
pub(crate) struct CliResult {
    /// -1 if a signal ended the process.
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for CliResult {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).expect("standard output is UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("standard error is UTF-8"),
        }
    }
}

impl CliResult {
    #[track_caller]
    pub(crate) fn assert_code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "exit code\n--- stdout\n{}\n--- stderr\n{}", self.stdout, self.stderr);
        self
    }

    /// Asserts that standard error contains each of these texts.
    #[track_caller]
    pub(crate) fn stderr_contains(self, parts: &[&str]) -> Self {
        for part in parts {
            assert!(self.stderr.contains(part), "not in stderr: {part}\n--- stderr\n{}", self.stderr);
        }
        self
    }

    /// Asserts that standard error does not contain this text.
    #[track_caller]
    pub(crate) fn stderr_lacks(self, part: &str) -> Self {
        assert!(!self.stderr.contains(part), "in stderr: {part}\n--- stderr\n{}", self.stderr);
        self
    }

    #[track_caller]
    pub(crate) fn stdout_is_empty(self) -> Self {
        assert_eq!(self.stdout, "", "--- stderr\n{}", self.stderr);
        self
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}\n{}", self.stdout))
    }

    /// The records of JSON output: the items of an array, or a single object.
    #[track_caller]
    pub(crate) fn records(&self) -> Vec<Value> {
        match self.json() {
            Value::Array(records) => records,
            record => vec![record],
        }
    }

    /// One field of each record as text, in output order. A missing field is `null`.
    #[track_caller]
    pub(crate) fn column(&self, field: &str) -> Vec<String> {
        self.records().iter().map(|record| record[field].as_str().unwrap_or("null").to_owned()).collect()
    }

    /// The ids of the records, in output order.
    #[track_caller]
    pub(crate) fn ids(&self) -> Vec<String> {
        self.column("id")
    }

    /// The ids of the records with this outcome, in output order.
    #[track_caller]
    pub(crate) fn ids_with_outcome(&self, outcome: &str) -> Vec<String> {
        let records = self.records().into_iter().filter(|record| record["outcome"] == outcome);
        records.map(|record| record["id"].as_str().unwrap().to_owned()).collect()
    }

    /// The record of one product or offer type.
    #[track_caller]
    pub(crate) fn record(&self, id: &str) -> Value {
        self.records().into_iter().find(|record| record["id"] == id).unwrap_or_else(|| panic!("{}", self.stdout))
    }

    /// The result without stdout: for a snapshot of a run whose records are asserted one by one.
    pub(crate) fn without_stdout(&self) -> Self {
        Self { code: self.code, stdout: String::new(), stderr: self.stderr.clone() }
    }
}
