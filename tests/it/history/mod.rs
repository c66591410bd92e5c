//! The record of changes: what is written down, shown, taken back and kept.

mod corruption;
mod disconnect;
mod listing;
mod recording;
mod undo;
mod undo_other_tenant;
#[cfg(unix)]
mod undo_prompts;

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::support::cli::CliResult;
use crate::support::env::TestEnv;
use crate::support::fixtures::POWER_BI;
use crate::tenant::HOME_TENANT;

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
fn write(env: &TestEnv, entries: &[Value]) {
    let text: String = entries.iter().map(|entry| format!("{entry}\n")).collect();
    fs::create_dir_all(env.state_dir()).unwrap();
    fs::write(env.history_path(), text).unwrap();
}

#[track_caller]
fn history(env: &TestEnv, flags: &[&str]) -> CliResult {
    env.run(&[&["history", "-o", "json"], flags].concat()).assert_code(0)
}

/// The correlation ids of the changes that arrived, sorted.
fn changes(env: &TestEnv) -> Vec<String> {
    let requests = env.tenant.requests();
    let changes = requests.iter().filter(|request| request.method == "PUT");
    let mut ids: Vec<_> = changes.map(|change| change.header("x-ms-correlation-id").unwrap().to_owned()).collect();
    ids.sort();
    ids
}
