//! The record of changes: what is written down, shown, taken back and kept.

mod corruption;
mod disconnect;
mod listing;
mod recording;
mod undo;
#[cfg(unix)]
mod undo_prompts;
mod undo_other_tenant;

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::support::env::{Machine, Ran};
use crate::tenant::HOME_TENANT;

const POWER_BI: &str = "CFQ7TTC0H9MP";
const VISIO: &str = "CFQ7TTC0HD33";
const PLANNER: &str = "CFQ7TTC0HDB1";
const COPILOT: &str = "CFQ7TTC0MM8R";

const FORMATS: [&str; 5] = ["table", "json", "csv", "tsv", "markdown"];

fn file(machine: &Machine) -> PathBuf {
    machine.state().join("changes.jsonl")
}

/// What the record holds, a value for each line; nothing where there is no record.
#[track_caller]
fn record(machine: &Machine) -> Vec<Value> {
    if !file(machine).exists() {
        return Vec::new();
    }
    let text = fs::read_to_string(file(machine)).unwrap();
    assert!(text.is_empty() || text.ends_with('\n'), "{text:?}");
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

/// A change of Power BI Pro at the home tenant, as the record has it.
fn entry(run: &str, from: &str, to: &str) -> Value {
    json!({ "time": "2026-03-01T09:05:07.123456789Z", "run": run, "tenantId": HOME_TENANT,
        "account": "admin@contoso.example", "policyId": "AllowSelfServicePurchase", "scope": "product",
        "id": POWER_BI, "name": "Power BI Pro", "from": from, "to": to,
        "correlationId": "c0000000-0000-4000-8000-000000000001" })
}

/// The same with other members.
fn with(mut entry: Value, members: &Value) -> Value {
    entry.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    entry
}

/// Puts a record in the place of whatever there is, oldest first.
fn write(machine: &Machine, entries: &[Value]) {
    let text: String = entries.iter().map(|entry| format!("{entry}\n")).collect();
    fs::create_dir_all(machine.state()).unwrap();
    fs::write(file(machine), text).unwrap();
}

#[track_caller]
fn history(machine: &Machine, flags: &[&str]) -> Ran {
    machine.run(&[&["history", "-o", "json"], flags].concat()).expect_code(0)
}

/// One field of each record, as text.
#[track_caller]
fn column(ran: &Ran, name: &str) -> Vec<String> {
    let records = ran.json();
    records.as_array().unwrap().iter().map(|record| record[name].as_str().unwrap_or("null").to_owned()).collect()
}

/// The correlation ids of the changes that arrived, sorted.
fn changes(machine: &Machine) -> Vec<String> {
    let requests = machine.tenant.requests();
    let changes = requests.iter().filter(|request| request.method == "PUT");
    let mut ids: Vec<_> = changes.map(|change| change.header("x-ms-correlation-id").unwrap().to_owned()).collect();
    ids.sort();
    ids
}
