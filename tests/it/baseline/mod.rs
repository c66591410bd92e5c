//! Baselines: exporting the settings of a tenant to a file, comparing them and applying them.

mod apply;
mod check;
mod check_output;
mod export;
mod export_path;
mod file_errors;
#[cfg(unix)]
mod prompts;

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use crate::support::cli::CliResult;
use crate::support::env::TestEnv;
use crate::support::fixtures::{LIST_OFFER_TYPES, LIST_PRODUCTS};

/// The requests that read all products and offer types, sorted. They are sent concurrently.
const LISTS: [&str; 2] = [LIST_OFFER_TYPES, LIST_PRODUCTS];

/// The files in the home directory other than the state directory.
fn files(env: &TestEnv) -> Vec<String> {
    let entries = fs::read_dir(env.home()).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| name != "state");
    names.sort();
    names
}

/// The requests that arrived, sorted, because concurrent requests arrive in any order.
fn sorted_requests(env: &TestEnv) -> Vec<String> {
    let mut requests = env.request_lines();
    requests.sort();
    requests
}

/// One field of each record, by id.
#[track_caller]
fn field(result: &CliResult, name: &str) -> BTreeMap<String, Value> {
    let records = result.json();
    let records = records.as_array().unwrap().iter();
    records.map(|record| (record["id"].as_str().unwrap().to_owned(), record[name].clone())).collect()
}

/// A signed-in environment with the baseline `b.toml`.
fn env_with_baseline(text: &str) -> TestEnv {
    let env = TestEnv::signed_in();
    env.write("b.toml", text);
    env
}
