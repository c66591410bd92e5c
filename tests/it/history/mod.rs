//! The history of changes: recording, `history`, `undo` and `disconnect`.

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

/// The history entry of an update of Power BI Pro at the home tenant.
fn entry(run: &str, from: &str, to: &str) -> Value {
    json!({ "version": 2, "outcome": "changed", "time": "2026-03-01T09:05:07.123456789Z", "run": run, "tenantId": HOME_TENANT,
        "account": "admin@contoso.example", "policyId": "AllowSelfServicePurchase", "scope": "product",
        "id": POWER_BI, "name": "Power BI Pro", "from": from, "to": to,
        "correlationId": "c0000000-0000-4000-8000-000000000001" })
}

/// The entry with these members added or replaced.
fn with(mut entry: Value, members: &Value) -> Value {
    entry.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    entry
}

/// Replaces the history file. The oldest entry comes first.
fn write_history(env: &TestEnv, entries: &[Value]) {
    let text: String = entries.iter().map(|entry| format!("{entry}\n")).collect();
    fs::create_dir_all(env.state_dir()).unwrap();
    fs::write(env.history_path(), text).unwrap();
}

/// Runs `history` with JSON output.
#[track_caller]
fn history(env: &TestEnv, flags: &[&str]) -> CliResult {
    env.run(&[&["history", "-o", "json"], flags].concat()).assert_code(0)
}

/// The correlation ids of the updates that arrived, sorted.
fn update_correlation_ids(env: &TestEnv) -> Vec<String> {
    let requests = env.update_requests();
    let mut ids: Vec<_> =
        requests.iter().map(|request| request.header("x-ms-correlation-id").unwrap().to_owned()).collect();
    ids.sort();
    ids
}
