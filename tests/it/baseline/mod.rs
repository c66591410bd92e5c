//! The baseline: a tenant's settings as a file, written down, compared and applied.

mod apply;
#[cfg(unix)]
mod prompts;
mod file_errors;
mod check;
mod check_output;
mod export;
mod export_path;

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use crate::support::env::{Machine, Ran};

const POWER_BI: &str = "CFQ7TTC0H9MP";
const VISIO: &str = "CFQ7TTC0HD33";
const PLANNER: &str = "CFQ7TTC0HDB1";

/// What Power BI Pro was called by until it got another number.
const OLD_POWER_BI: &str = "CFQ7TTC0L3PB";

/// Reading everything that a baseline is about takes two requests, which leave side by side.
const LISTINGS: [&str; 2] = [
    "GET /v1.0/policies/AllowSelfServicePurchase/products?scope=OfferType",
    "GET /v1.0/policies/AllowSelfServicePurchase/products?scope=product",
];

/// Runs in the home directory, so that the files in it go by their bare names.
fn here(machine: &Machine, arguments: &[&str]) -> Ran {
    let mut command = machine.command(arguments);
    command.current_dir(machine.home()).output().unwrap().into()
}

/// Puts a file into the home directory.
fn write(machine: &Machine, name: &str, content: impl AsRef<[u8]>) {
    fs::write(machine.home().join(name), content).unwrap();
}

#[track_caller]
fn read(machine: &Machine, name: &str) -> String {
    fs::read_to_string(machine.home().join(name)).unwrap()
}

/// What lies in the home directory beside the tool's own state.
fn files(machine: &Machine) -> Vec<String> {
    let entries = fs::read_dir(machine.home()).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| name != "state");
    names.sort();
    names
}

/// The requests that arrived, sorted: those that leave side by side arrive in any order.
fn sorted_requests(machine: &Machine) -> Vec<String> {
    let mut requests = machine.requests();
    requests.sort();
    requests
}

/// The changes that arrived: what each was of, sorted, and the value.
fn changes(machine: &Machine) -> Vec<(String, String)> {
    let requests = machine.tenant.requests();
    let mut changes: Vec<_> = requests
        .iter()
        .filter(|request| request.method == "PUT")
        .map(|request| {
            let body: Value = serde_json::from_str(&request.body).unwrap();
            (request.path.rsplit('/').next().unwrap().to_owned(), body["policyValue"].as_str().unwrap().to_owned())
        })
        .collect();
    changes.sort();
    changes
}

/// Each record's id with one of its fields.
#[track_caller]
fn field(ran: &Ran, name: &str) -> BTreeMap<String, Value> {
    let records = ran.json();
    let records = records.as_array().unwrap().iter();
    records.map(|record| (record["id"].as_str().unwrap().to_owned(), record[name].clone())).collect()
}

/// The ids of the records, in their order.
#[track_caller]
fn ids(ran: &Ran) -> Vec<String> {
    let records = ran.json();
    records.as_array().unwrap().iter().map(|record| record["id"].as_str().unwrap().to_owned()).collect()
}
