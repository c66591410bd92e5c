//! What is written down of a change.

use std::collections::BTreeSet;

use super::*;
use crate::support::fixtures::{COPILOT, PLANNER, POWER_BI, VISIO};
use crate::tenant::{ADMIN, CUSTOMER_DOMAIN, CUSTOMER_TENANT, Product, READER, Response, default_products};

/// Runs a command and returns the lines that it added, having made sure that each is of a change that arrived.
#[track_caller]
fn added(env: &TestEnv, arguments: &[&str], code: i32) -> Vec<Value> {
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
fn a_change_is_one_line_that_says_everything() {
    let env = TestEnv::signed_in();
    let earliest = chrono::Utc::now();
    let added = added(&env, &["product", "update", POWER_BI, "--value", "trials"], 0);
    let [entry] = added.as_slice() else { panic!("{added:?}") };
    let members =
        ["time", "run", "tenantId", "account", "policyId", "scope", "id", "name", "from", "to", "correlationId"];
    let written: BTreeSet<&str> = entry.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(written, members.into());
    let expected = json!({ "tenantId": HOME_TENANT, "account": ADMIN, "policyId": "AllowSelfServicePurchase",
        "scope": "product", "id": POWER_BI, "name": "Power BI Pro", "from": "Enabled",
        "to": "OnlyTrialsWithoutPaymentMethod" });
    assert_eq!(&with(entry.clone(), &expected), entry);
    let time: chrono::DateTime<chrono::Utc> = entry["time"].as_str().unwrap().parse().unwrap();
    assert!(earliest <= time && time <= chrono::Utc::now(), "{time}");
    // The command that shows it says the same.
    let shown = history(&env, &[]).json();
    assert_eq!(with(shown[0].clone(), &json!({ "time": entry["time"] })), *entry);
    assert!(entry["time"].as_str().unwrap().starts_with(shown[0]["time"].as_str().unwrap().trim_end_matches('Z')));
}

#[test]
fn every_way_to_change_something_is_recorded() {
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
        let added = added(&env, arguments, 0);
        assert_eq!(added.len(), count, "{arguments:?}");
        assert_eq!(changes(&env).len(), count, "{arguments:?}");
        // The changes of one command share a run, which no other has.
        let run: BTreeSet<_> = added.iter().map(|entry| entry["run"].as_str().unwrap().to_owned()).collect();
        assert_eq!(run.len(), 1, "{arguments:?}");
        assert!(runs.insert(run), "{arguments:?}");
    }
}

#[test]
fn what_changed_nothing_is_not_recorded() {
    let env = TestEnv::signed_in();
    let baseline = env.home().join("b.toml");
    fs::write(&baseline, "[products]\nCFQ7TTC0H9MP = \"Disabled\"\n").unwrap();
    let baseline = baseline.to_str().unwrap();
    for arguments in [
        &["product", "update", POWER_BI, "--value", "enabled"][..],
        &["product", "update", POWER_BI, "--value", "disabled", "--dry-run"],
        &["products", "update", POWER_BI, "--value", "enabled", "--yes"],
        &["products", "update", POWER_BI, "--value", "disabled", "--dry-run"],
        &["baseline", "apply", baseline, "--dry-run"],
    ] {
        assert_eq!(added(&env, arguments, 0), Vec::<Value>::new(), "{arguments:?}");
    }
    env.run(&["baseline", "check", baseline]).assert_code(3);
    env.run(&["products", "update", POWER_BI, "--value", "disabled"]).assert_code(2);
    assert!(changes(&env).is_empty());
    assert!(!env.history_path().exists());
}

#[test]
fn a_change_that_failed_is_not_recorded() {
    let env = TestEnv::signed_in();
    let update = ["product", "update", POWER_BI, "--value", "disabled"];
    let refusal = json!({ "errorCode": "BadRequest", "reason": "Not today." });
    for response in [
        Response::json(400, &refusal),
        Response::text(502, "text/plain", "bad gateway"),
        // Whether this one changed something nobody can tell.
        Response::text(200, "text/html", "<html>"),
    ] {
        env.tenant.fail_next("PUT ", response);
        assert_eq!(added(&env, &update, 1), Vec::<Value>::new());
    }
    env.tenant.misreport_updates(true);
    assert_eq!(added(&env, &update, 1), Vec::<Value>::new());
    env.tenant.misreport_updates(false);
    env.sign_in(READER);
    assert_eq!(added(&env, &update, 1), Vec::<Value>::new());
}

#[test]
fn of_a_run_that_failed_in_part_the_rest_is_recorded() {
    let env = TestEnv::signed_in();
    let put = format!("PUT /v1.0/policies/AllowSelfServicePurchase/products/{POWER_BI}");
    env.tenant.fail_next(&put, Response::text(400, "text/plain", "Not today."));
    let update = ["products", "update", POWER_BI, VISIO, COPILOT, "--value", "trials", "--yes"];
    let added = added(&env, &update, 1);
    let ids: BTreeSet<&str> = added.iter().map(|entry| entry["id"].as_str().unwrap()).collect();
    assert_eq!(ids, [VISIO, COPILOT].into());
}

#[test]
fn where_a_token_had_to_be_renewed_the_request_that_succeeded_counts() {
    let env = TestEnv::signed_in();
    env.tenant.fail_next("PUT ", Response::json(401, &json!({ "errorCode": "Unauthorized", "reason": "Expired." })));
    let added = added(&env, &["product", "update", POWER_BI, "--value", "disabled"], 0);
    let requests = env.tenant.requests();
    let last = requests.iter().rfind(|request| request.method == "PUT").unwrap();
    assert_eq!((added.len(), changes(&env).len()), (1, 2));
    assert_eq!(added[0]["correlationId"].as_str(), last.header("x-ms-correlation-id"));
}

#[test]
fn another_tenant_is_recorded_by_its_id() {
    let env = TestEnv::signed_in();
    let update = ["product", "update", POWER_BI, "--value", "enabled", "--tenant", CUSTOMER_DOMAIN];
    let added = added(&env, &update, 0);
    assert_eq!((&added[0]["tenantId"], &added[0]["account"]), (&json!(CUSTOMER_TENANT), &json!(ADMIN)));
}

#[test]
fn a_token_in_the_environment_leaves_the_same_record_where_nothing_was_saved() {
    let env = TestEnv::new();
    let token = env.tenant.issue_token(ADMIN, HOME_TENANT, 3600);
    let update = ["product", "update", POWER_BI, "--value", "disabled"];
    env.run_with_env(&[("MSCOMMERCE_TOKEN", &token)], &update).assert_code(0);
    let record = env.history();
    assert_eq!((&record[0]["tenantId"], &record[0]["account"]), (&json!(HOME_TENANT), &json!(ADMIN)));
    assert!(env.files_containing(&token).is_empty());
    let undo = ["undo", "--yes"];
    env.run_with_env(&[("MSCOMMERCE_TOKEN", &token)], &undo).assert_code(0);
    assert_eq!(env.tenant.value(POWER_BI), "Enabled");
}

#[test]
fn values_of_the_future_and_missing_ones_are_recorded_as_they_were() {
    let env = TestEnv::signed_in();
    let nasty = "a\"b\nc\u{1b}[2Jä";
    env.tenant.set_products(vec![
        Product::new(POWER_BI, nasty, "OnlyOnTuesdays"),
        Product::new(VISIO, "Visio Plan 1", ""),
        Product::new(PLANNER, "", "Enabled").with("productName", Value::Null),
    ]);
    for id in [POWER_BI, VISIO, PLANNER] {
        env.run(&["product", "update", id, "--value", "disabled"]).assert_code(0);
    }
    let record = env.history();
    assert_eq!((&record[0]["name"], &record[0]["from"]), (&json!(nasty), &json!("OnlyOnTuesdays")));
    assert_eq!(record[1]["from"], "");
    assert_eq!((&record[2]["name"], &record[2]["from"]), (&Value::Null, &json!("Enabled")));
}

#[test]
fn no_secret_is_in_the_record() {
    let env = TestEnv::signed_in();
    let mut secrets = env.cached_tokens();
    // Before the first change, between two, and at another tenant.
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
        // Nor a part of one, such as a token's claims.
        assert!(secret.split('.').filter(|part| part.len() > 20).all(|part| !text.contains(part)), "{text}");
    }
}

#[test]
fn processes_that_change_things_at_once_lose_no_line() {
    let env = TestEnv::signed_in();
    let products: Vec<_> = default_products().into_iter().filter(|product| product.value == "Enabled").collect();
    let running: Vec<_> = products
        .iter()
        .map(|product| env.command(&["product", "update", &product.id, "--value", "disabled"]).spawn().unwrap())
        .collect();
    for child in running {
        CliResult::from(child.wait_with_output().unwrap()).assert_code(0);
    }
    let record = env.history();
    let recorded: BTreeSet<&str> = record.iter().map(|entry| entry["id"].as_str().unwrap()).collect();
    assert_eq!(recorded, products.iter().map(|product| product.id.as_str()).collect());
    assert_eq!(record.len(), products.len());
    let runs: BTreeSet<&str> = record.iter().map(|entry| entry["run"].as_str().unwrap()).collect();
    assert_eq!(runs.len(), products.len());
    let mut ids: Vec<_> = record.iter().map(|entry| entry["correlationId"].as_str().unwrap().to_owned()).collect();
    ids.sort();
    assert_eq!(ids, changes(&env));
}

#[cfg(unix)]
#[test]
fn nobody_else_may_read_the_record() {
    use std::os::unix::fs::PermissionsExt as _;

    let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    let env = TestEnv::signed_in();
    let update = ["product", "update", POWER_BI, "--value", "disabled"];
    env.run(&update).assert_code(0);
    assert_eq!((mode(env.history_path()), mode(env.state_dir())), (0o600, 0o700));
    // Where there is no sign-in to be saved, the record makes its own directory.
    let env = TestEnv::new();
    let token = env.tenant.issue_token(ADMIN, HOME_TENANT, 3600);
    let update = env.command(&update);
    let mut shell = crate::support::pty::in_shell("umask 0; \"$@\"", &update);
    CliResult::from(shell.env("MSCOMMERCE_TOKEN", token).output().unwrap()).assert_code(0);
    assert_eq!((mode(env.history_path()), mode(env.state_dir())), (0o600, 0o700));
}
