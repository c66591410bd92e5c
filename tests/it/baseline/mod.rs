//! The baseline: a tenant's settings as a file, written down, compared and applied.

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

/// Reading everything that a baseline is about takes two requests, which leave side by side.
const LISTINGS: [&str; 2] = [
    "GET /v1.0/policies/AllowSelfServicePurchase/products?scope=OfferType",
    "GET /v1.0/policies/AllowSelfServicePurchase/products?scope=product",
];

/// What lies in the home directory beside the tool's own state.
fn files(env: &TestEnv) -> Vec<String> {
    let entries = fs::read_dir(env.home()).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| name != "state");
    names.sort();
    names
}

/// The requests that arrived, sorted: those that leave side by side arrive in any order.
fn sorted_requests(env: &TestEnv) -> Vec<String> {
    let mut requests = env.request_lines();
    requests.sort();
    requests
}

/// Each record's id with one of its fields.
#[track_caller]
fn field(result: &CliResult, name: &str) -> BTreeMap<String, Value> {
    let records = result.json();
    let records = records.as_array().unwrap().iter();
    records.map(|record| (record["id"].as_str().unwrap().to_owned(), record[name].clone())).collect()
}
