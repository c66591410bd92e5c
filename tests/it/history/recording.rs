//! What the history records.

use std::collections::BTreeSet;

use super::*;
use crate::support::fixtures::{COPILOT, PLANNER, POWER_BI, VISIO, put_product};
use crate::tenant::{ADMIN, CUSTOMER_DOMAIN, CUSTOMER_TENANT, Product, READER, Response, default_products};

/// Runs a command and returns the entries that it added. Asserts that each one belongs to an update that arrived.
#[track_caller]
fn added_entries(env: &TestEnv, arguments: &[&str], code: i32) -> Vec<Value> {
    let before = env.history().len();
    env.tenant.forget_requests();
    env.run(arguments).assert_code(code);
    let after = env.history();
    let added = after[before..].to_vec();
    for entry in &added {
        let requests = env.tenant.requests();
        let id = entry["correlationId"].as_str().unwrap();
        let put = requests.iter().find(|request| request.header("x-ms-correlation-id") == Some(id)).unwrap();
        let kind = if entry["scope"] == "product" { "products" } else { "offerTypes" };
        let path = format!("/v1.0/policies/AllowSelfServicePurchase/{kind}/{}", entry["id"].as_str().unwrap());
        assert_eq!((put.method.as_str(), &put.path), ("PUT", &path));
        assert_eq!(put.body, json!({ "policyValue": entry["to"] }).to_string());
    }
    added
}

#[test]
fn update_records_one_entry_with_all_fields() {
    let env = TestEnv::signed_in();
    let earliest = chrono::Utc::now();
    let added = added_entries(&env, &["product", "update", POWER_BI, "--value", "trials"], 0);
    let [entry] = added.as_slice() else { panic!("{added:?}") };
    let members = "version time run tenantId account policyId scope id name from to outcome correlationId";
    let names: BTreeSet<&str> = entry.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, members.split(' ').collect());
    let expected = json!({ "tenantId": HOME_TENANT, "account": ADMIN, "policyId": "AllowSelfServicePurchase",
        "scope": "product", "id": POWER_BI, "name": "Power BI Pro", "from": "Enabled",
        "to": "OnlyTrialsWithoutPaymentMethod" });
    assert_eq!(&with(entry.clone(), &expected), entry);
    let time: chrono::DateTime<chrono::Utc> = entry["time"].as_str().unwrap().parse().unwrap();
    assert!(earliest <= time && time <= chrono::Utc::now(), "{time}");
    // `history` prints the same entry.
    let listed = history(&env, &[]).json();
    assert_eq!(with(listed[0].clone(), &json!({ "version": 2, "time": entry["time"] })), *entry);
    assert!(entry["time"].as_str().unwrap().starts_with(listed[0]["time"].as_str().unwrap().trim_end_matches('Z')));
}

#[test]
fn every_updating_command_is_recorded() {
    let env = TestEnv::signed_in();
    let baseline = env.home().join("b.toml");
    fs::write(&baseline, "[products]\nCFQ7TTC0H9MP = \"Enabled\"\n[offer-types]\nSaaS = \"Enabled\"\n").unwrap();
    let apply = ["baseline", "apply", baseline.to_str().unwrap(), "--yes"];
    let mut runs = BTreeSet::new();
    for (arguments, count) in [
        (&["product", "update", POWER_BI, "--value", "disabled"][..], 1),
        (&["product", "update", "--offer-type", "SaaS", "--enabled", "false"], 1),
        (&["product", "update", "visio plan 1", "--enabled", "true"], 1),
        (&["products", "update", POWER_BI, VISIO, COPILOT, "--value", "trials", "--yes"], 3),
        (&["products", "update", "--all", "--scope", "offer-type", "--value", "disabled", "--yes"], 1),
        (&apply, 2),
        (&["undo", "--yes"], 2),
    ] {
        let added = added_entries(&env, arguments, 0);
        assert_eq!(added.len(), count, "{arguments:?}");
        assert_eq!(update_correlation_ids(&env).len(), count, "{arguments:?}");
        // The entries of one command share a run id that no other command has.
        let run: BTreeSet<_> = added.iter().map(|entry| entry["run"].as_str().unwrap().to_owned()).collect();
        assert_eq!(run.len(), 1, "{arguments:?}");
        assert!(runs.insert(run), "{arguments:?}");
    }
}

#[test]
fn commands_without_updates_are_not_recorded() {
    let env = TestEnv::signed_in();
    let baseline = env.home().join("b.toml");
    fs::write(&baseline, "[products]\nCFQ7TTC0H9MP = \"Disabled\"\n").unwrap();
    let baseline = baseline.to_str().unwrap();
    for arguments in [
        &["product", "update", POWER_BI, "--value", "enabled"][..],
        &["product", "update", POWER_BI, "--value", "disabled", "--dry-run"],
        &["product", "update", POWER_BI, VISIO, "--value", "enabled", "--dry-run"],
        &["product", "update", "--all", "--value", "disabled", "--dry-run"],
        &["baseline", "apply", baseline, "--dry-run"],
    ] {
        assert_eq!(added_entries(&env, arguments, 0), Vec::<Value>::new(), "{arguments:?}");
    }
    env.run(&["baseline", "check", baseline]).assert_code(3);
    env.run(&["product", "update", "--all", "--value", "disabled"]).assert_code(2);
    assert!(update_correlation_ids(&env).is_empty());
    assert!(!env.history_path().exists());
}

#[test]
fn failed_updates_are_recorded_as_failed() {
    let env = TestEnv::signed_in();
    let update = ["product", "update", POWER_BI, "--value", "disabled"];
    let error = json!({ "errorCode": "BadRequest", "reason": "Not today." });
    let mut count = 0;
    let mut assert_one_more = |env: &TestEnv| {
        assert_eq!(added_entries(env, &update, 1), Vec::<Value>::new());
        count += 1;
        assert_eq!(history(env, &[]).column("outcome"), vec!["failed"; count]);
    };
    for status in [400, 404, 409] {
        env.tenant.fail_next("PUT ", Response::json(status, &error));
        assert_one_more(&env);
    }
    env.tenant.misreport_updates(true);
    assert_one_more(&env);
    env.tenant.misreport_updates(false);
    env.sign_in(READER);
    assert_one_more(&env);
    // Nothing was changed, so there is nothing to undo.
    env.sign_in(ADMIN);
    env.run(&["undo", "--yes"]).assert_code(1).stdout_is_empty();
}

#[test]
fn long_name_is_recorded_in_part() {
    let env = TestEnv::signed_in();
    env.tenant.set_products(vec![Product::new(POWER_BI, &"\u{1}".repeat(70_000), "Enabled")]);
    env.run(&["product", "update", POWER_BI, "--value", "disabled"]).assert_code(0);
    assert_eq!(history(&env, &[]).column("outcome"), ["changed"]);
    env.run(&["undo", "--yes"]).assert_code(0);
    assert_eq!(env.tenant.value(POWER_BI), "Enabled");
}

#[test]
fn partially_failed_run_records_successful_updates() {
    let env = TestEnv::signed_in();
    env.tenant.fail_next(&put_product(POWER_BI), Response::text(400, "text/plain", "Not today."));
    let update = ["products", "update", POWER_BI, VISIO, COPILOT, "--value", "trials", "--yes"];
    let added = added_entries(&env, &update, 1);
    let ids: BTreeSet<&str> = added.iter().map(|entry| entry["id"].as_str().unwrap()).collect();
    assert_eq!(ids, [VISIO, COPILOT].into());
}

#[test]
fn update_retried_after_401_records_second_request() {
    let env = TestEnv::signed_in();
    env.tenant.fail_next("PUT ", Response::json(401, &json!({ "errorCode": "Unauthorized", "reason": "Expired." })));
    let added = added_entries(&env, &["product", "update", POWER_BI, "--value", "disabled"], 0);
    let requests = env.tenant.requests();
    let last = requests.iter().rfind(|request| request.method == "PUT").unwrap();
    assert_eq!((added.len(), update_correlation_ids(&env).len()), (1, 2));
    assert_eq!(added[0]["correlationId"].as_str(), last.header("x-ms-correlation-id"));
}

#[test]
fn other_tenant_is_recorded_by_id() {
    let env = TestEnv::signed_in();
    let update = ["product", "update", POWER_BI, "--value", "enabled", "--tenant", CUSTOMER_DOMAIN];
    let added = added_entries(&env, &update, 0);
    assert_eq!((&added[0]["tenantId"], &added[0]["account"]), (&json!(CUSTOMER_TENANT), &json!(ADMIN)));
}

#[test]
fn update_with_environment_token_is_recorded() {
    let env = TestEnv::new();
    let token = env.tenant.issue_token(ADMIN, HOME_TENANT, 3600);
    let update = ["product", "update", POWER_BI, "--value", "disabled"];
    env.run_with_env(&[("MSCOMMERCE_TOKEN", &token)], &update).assert_code(0);
    let entries = env.history();
    assert_eq!((&entries[0]["tenantId"], &entries[0]["account"]), (&json!(HOME_TENANT), &json!(ADMIN)));
    assert!(env.files_containing(&token).is_empty());
    let undo = ["undo", "--yes"];
    env.run_with_env(&[("MSCOMMERCE_TOKEN", &token)], &undo).assert_code(0);
    assert_eq!(env.tenant.value(POWER_BI), "Enabled");
}

#[test]
fn unknown_and_missing_values_are_recorded_as_is() {
    let env = TestEnv::signed_in();
    let unusual_name = "a\"b\nc\u{1b}[2Jä";
    env.tenant.set_products(vec![
        Product::new(POWER_BI, unusual_name, "OnlyOnTuesdays"),
        Product::new(VISIO, "Visio Plan 1", ""),
        Product::new(PLANNER, "", "Enabled").with("productName", Value::Null),
    ]);
    for id in [POWER_BI, VISIO, PLANNER] {
        env.run(&["product", "update", id, "--value", "disabled"]).assert_code(0);
    }
    let entries = env.history();
    assert_eq!((&entries[0]["name"], &entries[0]["from"]), (&json!(unusual_name), &json!("OnlyOnTuesdays")));
    assert_eq!(entries[1]["from"], "");
    assert_eq!((&entries[2]["name"], &entries[2]["from"]), (&Value::Null, &json!("Enabled")));
}

#[test]
fn history_contains_no_secrets() {
    let env = TestEnv::signed_in();
    let mut secrets = env.cached_tokens();
    // Tokens from before the first update, from between two updates, and from another tenant.
    env.run(&["product", "update", POWER_BI, "--value", "disabled", "-vvv"]).assert_code(0);
    env.tenant.revoke_access_tokens();
    env.run(&["product", "update", VISIO, "--value", "trials"]).assert_code(0);
    env.run(&["product", "update", VISIO, "--value", "trials", "--tenant", CUSTOMER_DOMAIN]).assert_code(0);
    env.run(&["product", "update", VISIO, "--value", "enabled", "--tenant", CUSTOMER_DOMAIN]).assert_code(0);
    secrets.extend(env.cached_tokens());
    let text = fs::read_to_string(env.history_path()).unwrap();
    assert!(env.history().len() >= 3);
    for secret in &secrets {
        assert!(!text.contains(secret.as_str()));
        // Nor does it contain a part of one, such as the claims of a token.
        assert!(secret.split('.').filter(|part| part.len() > 20).all(|part| !text.contains(part)), "{text}");
    }
}

#[test]
fn concurrent_processes_lose_no_history_entries() {
    let env = TestEnv::signed_in();
    let products: Vec<_> = default_products().into_iter().filter(|product| product.value == "Enabled").collect();
    let running: Vec<_> = products
        .iter()
        .map(|product| env.command(&["product", "update", &product.id, "--value", "disabled"]).spawn().unwrap())
        .collect();
    for child in running {
        CliResult::from(child.wait_with_output().unwrap()).assert_code(0);
    }
    let entries = env.history();
    let recorded: BTreeSet<&str> = entries.iter().map(|entry| entry["id"].as_str().unwrap()).collect();
    assert_eq!(recorded, products.iter().map(|product| product.id.as_str()).collect());
    assert_eq!(entries.len(), products.len());
    let runs: BTreeSet<&str> = entries.iter().map(|entry| entry["run"].as_str().unwrap()).collect();
    assert_eq!(runs.len(), products.len());
    let mut ids: Vec<_> = entries.iter().map(|entry| entry["correlationId"].as_str().unwrap().to_owned()).collect();
    ids.sort();
    assert_eq!(ids, update_correlation_ids(&env));
}

#[cfg(unix)]
#[test]
fn history_file_has_private_modes() {
    use std::os::unix::fs::PermissionsExt as _;

    let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    let env = TestEnv::signed_in();
    let update = ["product", "update", POWER_BI, "--value", "disabled"];
    env.run(&update).assert_code(0);
    assert_eq!((mode(env.history_path()), mode(env.state_dir())), (0o600, 0o700));
    // Without a cached sign-in, recording creates the directory.
    let env = TestEnv::new();
    let token = env.tenant.issue_token(ADMIN, HOME_TENANT, 3600);
    let update = env.command(&update);
    let mut shell = crate::support::pty::in_shell("umask 0; \"$@\"", &update);
    CliResult::from(shell.env("MSCOMMERCE_TOKEN", token).output().unwrap()).assert_code(0);
    assert_eq!((mode(env.history_path()), mode(env.state_dir())), (0o600, 0o700));
}
