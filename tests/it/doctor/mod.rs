//! `doctor` where the network is well: what it says of settings, authority, clock, credential and policy, and that it
//! changes nothing.

mod live;

use chrono::{Duration, Utc};
use serde_json::{Value, json};

use crate::support::cli::CliResult;
use crate::support::env::TestEnv;
use crate::tenant::{ADMIN, APP_ID, APP_SECRET, CUSTOMER_DOMAIN, HOME_TENANT, PASSWORD, READER, Response, Role, jwt};

/// The steps as `(step, target, outcome)`, and all that was found.
fn steps(result: &CliResult) -> Vec<Value> {
    result.json().as_array().unwrap().clone()
}

#[track_caller]
fn step(result: &CliResult, name: &str) -> Value {
    let mut found: Vec<Value> = steps(result).into_iter().filter(|step| step["step"] == name).collect();
    assert!(!found.is_empty(), "there is no step {name}: {}", result.stdout);
    // Of the clock, the last is that of the endpoint.
    found.pop().unwrap()
}

#[track_caller]
fn expect_step(result: &CliResult, name: &str, outcome: &str, parts: &[&str]) {
    let step = step(result, name);
    assert_eq!(step["outcome"], outcome, "{step}");
    let said = format!("{} {}", step["finding"].as_str().unwrap(), step["hint"].as_str().unwrap_or_default());
    for part in parts {
        assert!(said.contains(part), "not said: {part}\n{said}");
    }
}

fn doctor(env: &TestEnv, flags: &[&str]) -> CliResult {
    env.run(&[&["doctor", "-o", "json"], flags].concat())
}

#[test]
fn every_step_is_told_in_the_order_in_which_a_request_takes_it() {
    let env = TestEnv::signed_in();
    let result = doctor(&env, &[]).assert_code(0);
    assert_eq!(result.stderr, "");
    let names: Vec<String> = steps(&result).iter().map(|step| step["step"].as_str().unwrap().to_owned()).collect();
    let (settings, walk): (Vec<_>, Vec<_>) = names.iter().map(String::as_str).partition(|name| *name == "setting");
    assert!(settings.len() >= 7);
    let way = ["proxy", "name", "tcp", "tls"];
    assert_eq!(walk, [&way[..], &way, &["authority", "clock", "credential", "policy", "clock"]].concat());
    for step in steps(&result) {
        let fields: Vec<_> = step.as_object().unwrap().keys().cloned().collect();
        assert_eq!(fields, ["finding", "hint", "outcome", "step", "target"]);
        assert!(["passed", "skipped"].contains(&step["outcome"].as_str().unwrap()), "{step}");
        assert_eq!(step["hint"], Value::Null);
    }
    expect_step(&result, "authority", "passed", &[HOME_TENANT]);
    let found = [ADMIN, HOME_TENANT, "audience aeb86249-8ea3-49e2-900b-54cc8e308f85", "LicenseManager.AccessAsUser"];
    expect_step(&result, "credential", "passed", &found);
    expect_step(&result, "policy", "passed", &["status 200", "correlation id"]);
}

#[test]
fn the_policys_correlation_id_is_the_one_that_was_sent() {
    let env = TestEnv::signed_in();
    let result = doctor(&env, &[]).assert_code(0);
    let requests = env.tenant.requests();
    let id = requests.last().unwrap().header("x-ms-correlation-id").unwrap().to_owned();
    expect_step(&result, "policy", "passed", &[&id]);
}

#[test]
fn it_reads_and_changes_nothing() {
    for env in [TestEnv::signed_in(), TestEnv::with_expiring_token()] {
        env.tenant.forget_requests();
        doctor(&env, &["--live-report"]).assert_code(0);
        for line in env.request_lines() {
            assert!(line.starts_with("GET ") || line.ends_with("/oauth2/v2.0/token"), "{line}");
        }
        assert!(!env.state_dir().join("changes.jsonl").exists());
    }
}

#[test]
fn each_setting_says_where_it_came_from() {
    let env = TestEnv::signed_in();
    let flags = ["--timeout", "7", "--policy-id", "AllowSelfServicePurchase", "--profile", "default"];
    let result = doctor(&env, &flags).assert_code(0);
    let found = |name: &str| {
        let step = steps(&result).into_iter().find(|step| step["target"] == name).unwrap();
        step["finding"].as_str().unwrap().to_owned()
    };
    assert_eq!(found("timeout"), "7 s (--timeout)");
    assert_eq!(found("policy-id"), "AllowSelfServicePurchase (--policy-id)");
    assert_eq!(found("profile"), "default (--profile)");
    assert_eq!(found("endpoint"), format!("{}/ (MSCOMMERCE_ENDPOINT)", env.tenant.url()));
    assert_eq!(found("authority"), format!("{}/ (AZURE_AUTHORITY_HOST)", env.tenant.url()));
    assert_eq!(found("state-directory"), format!("{} (MSCOMMERCE_HOME)", env.state_dir().display()));
    assert_eq!(found("client-id"), "3d5cffa9-04da-4657-8cab-c7f074657cad (default)");
    assert_eq!(found("output"), "json (--output)");
    assert_eq!(found("tenant"), "the one that is signed in to (default)");
    assert_eq!(found("trusted certificates"), "the system's (default)");
}

#[test]
fn a_variable_counts_as_the_origin_only_where_its_value_is_used() {
    let env = TestEnv::signed_in();
    let variables = [
        ("MSCOMMERCE_PROFILE", " "),
        ("MSCOMMERCE_OUTPUT", "json"),
        ("AZURE_TENANT_ID", CUSTOMER_DOMAIN),
        ("SSL_CERT_FILE", "/nowhere/roots.pem"),
    ];
    let result = env.run_with_env(&variables, &["doctor"]).assert_code(0);
    for (name, said) in [
        ("profile", "default (default)"),
        ("output", "json (MSCOMMERCE_OUTPUT)"),
        ("tenant", "fabrikam.example, for connect and applications (AZURE_TENANT_ID)"),
        ("trusted certificates", "/nowhere/roots.pem (SSL_CERT_FILE)"),
    ] {
        let setting = steps(&result).into_iter().find(|step| step["target"] == name).unwrap();
        assert_eq!(setting["finding"], said, "{setting}");
    }
    let result = doctor(&env, &["--tenant", CUSTOMER_DOMAIN]).assert_code(0);
    let tenant = steps(&result).into_iter().find(|step| step["target"] == "tenant").unwrap();
    assert_eq!(tenant["finding"], "fabrikam.example (--tenant)");
}

#[test]
fn a_setting_that_is_of_no_use_is_one_failed_step_among_others() {
    let env = TestEnv::signed_in();
    let token = env.tenant.issue_token(ADMIN, HOME_TENANT, 3600);
    for (variable, value, target) in
        [("AZURE_TENANT_ID", "no/tenant", "tenant"), ("AZURE_AUTHORITY_HOST", "ftp://x.example", "authority")]
    {
        let variables = [(variable, value), ("MSCOMMERCE_TOKEN", &token)];
        let result = env.run_with_env(&variables, &["doctor", "-o", "json"]).assert_code(1);
        let setting = steps(&result).into_iter().find(|step| step["target"] == target).unwrap();
        assert_eq!((&setting["step"], &setting["outcome"]), (&json!("setting"), &json!("failed")), "{setting}");
        assert!(setting["finding"].as_str().unwrap().contains(variable), "{setting}");
        expect_step(&result, "policy", "passed", &["status 200"]);
    }
    let result = TestEnv::new().run_with_env(&[("AZURE_AUTHORITY_HOST", "ftp://x.example")], &["doctor", "-o", "json"]);
    expect_step(&result.assert_code(1), "authority", "skipped", &["the setting authority is of no use"]);
}

#[test]
fn every_format_holds_every_step() {
    let env = TestEnv::signed_in();
    let count = steps(&doctor(&env, &[])).len();
    for (format, head) in [("csv", "step,target,outcome,finding,hint"), ("tsv", "step\ttarget\toutcome\tfinding\thint")]
    {
        let result = env.run(&["doctor", "-o", format]).assert_code(0);
        assert_eq!(result.stdout.lines().next(), Some(head));
        assert_eq!(result.stdout.lines().count(), count + 1);
    }
    let markdown = env.run(&["doctor", "-o", "markdown"]).assert_code(0).stdout;
    assert_eq!(markdown.lines().filter(|line| line.starts_with("| ")).count(), count + 2);
    let table = env.run(&["doctor"]).assert_code(0).stdout;
    assert!(table.lines().count() > count, "{table}");
}

/// What differs from run to run, told by what it is.
fn settled(env: &TestEnv, text: &str) -> String {
    let address = env.tenant.url().replace("http://", "");
    let text = text.replace(&address, "[HOST]").replace("127.0.0.1", "[IP]");
    let known = [
        // How a path is escaped depends on the system and the format.
        (r#"[^\s"]+ \(MSCOMMERCE(\\?)_HOME\)"#, "[STATE] (MSCOMMERCE${1}_HOME)"),
        (r"in \d+ ms", "in [N] ms"),
        (r"correlation id: [0-9a-f-]{36}", "correlation id: [ID]"),
        (r"the clocks agree|this machine's clock is \d+ s [a-z ]+ the clock of \[HOST\]", "[CLOCK]"),
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "[TIME]"),
    ];
    known.iter().fold(text, |text, (pattern, name)| {
        regex_lite::Regex::new(pattern).unwrap().replace_all(&text, *name).into_owned()
    })
}

#[test]
fn the_walk_as_a_program_and_as_a_ticket_get_it() {
    let env = TestEnv::signed_in();
    env.tenant.set_role(ADMIN, Role::None);
    for format in ["json", "markdown"] {
        let result = env.run(&["doctor", "-o", format]).assert_code(1);
        insta::assert_snapshot!(format!("doctor_{format}"), settled(&env, &result.stdout));
    }
}

#[test]
fn without_a_sign_in_the_way_is_walked_all_the_same() {
    let env = TestEnv::new();
    let result = doctor(&env, &[]).assert_code(1).stderr_contains(&[
        "error: 1 of ",
        "steps failed: credential (the profile default)",
        "hint: mscommerce connect",
    ]);
    expect_step(&result, "authority", "passed", &[]);
    expect_step(&result, "credential", "failed", &["nobody is signed in", "mscommerce connect"]);
    expect_step(&result, "policy", "skipped", &["there is no credential"]);
}

#[test]
fn a_sign_in_that_was_revoked_is_told_with_the_way_back() {
    let env = TestEnv::with_expiring_token();
    env.tenant.revoke_refresh_tokens();
    let result = doctor(&env, &[]).assert_code(1).stderr_contains(&["hint: mscommerce connect"]);
    expect_step(&result, "credential", "failed", &["revoked"]);
    expect_step(&result, "policy", "skipped", &["there is no usable credential"]);
}

#[test]
fn a_tenant_that_nobody_has_is_told_by_the_authority() {
    let env = TestEnv::signed_in();
    let result = doctor(&env, &["--tenant", "nowhere.example"]).assert_code(1);
    expect_step(&result, "authority", "failed", &["nowhere.example", "AADSTS90002"]);
    expect_step(&result, "credential", "failed", &["AADSTS90002"]);
}

#[test]
fn a_clock_that_is_far_off_is_told() {
    for (minutes, outcome, said) in
        [(-20, "failed", "ahead of"), (20, "failed", "behind"), (-2, "passed", "ahead of"), (2, "passed", "behind")]
    {
        let env = TestEnv::signed_in();
        let theirs = (Utc::now() + Duration::minutes(minutes)).format("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let body = json!({"id": "AllowSelfServicePurchase", "description": "d", "defaultValue": "Enabled"});
        env.tenant.fail_next("GET /v1.0/policies/", Response::json(200, &body).header("date", &theirs));
        let result = doctor(&env, &[]).assert_code(i32::from(outcome == "failed"));
        expect_step(&result, "clock", outcome, &[said]);
        if outcome == "failed" {
            result.stderr_contains(&["steps failed: clock", "hint: set this machine's clock"]);
        }
    }
}

#[test]
fn a_refusal_by_role_is_told_with_the_roles_that_help() {
    let env = TestEnv::signed_in();
    env.tenant.set_role(ADMIN, Role::None);
    let result = doctor(&env, &[]).assert_code(1).stderr_contains(&["steps failed: policy"]);
    expect_step(&result, "policy", "failed", &["403", "correlation id", "Global Reader"]);
}

#[test]
fn a_token_that_the_service_refuses_is_told() {
    let env = TestEnv::new();
    let token = env.tenant.issue_token(READER, HOME_TENANT, 3600);
    env.tenant.revoke_access_tokens();
    let result = env.run_with_env(&[("MSCOMMERCE_TOKEN", &token)], &["doctor", "-o", "json"]).assert_code(1);
    expect_step(&result, "authority", "skipped", &["a ready token serves"]);
    expect_step(&result, "credential", "passed", &[READER]);
    expect_step(&result, "policy", "failed", &["401", "MSCOMMERCE_TOKEN"]);
}

#[test]
fn a_token_for_another_service_is_told_and_not_sent() {
    let env = TestEnv::new();
    let in_an_hour = Utc::now().timestamp() + 3600;
    let claims = json!({"aud": "https://graph.microsoft.com", "tid": HOME_TENANT, "upn": ADMIN, "exp": in_an_hour});
    let token = jwt(&claims);
    let result = env.run_with_env(&[("MSCOMMERCE_TOKEN", &token)], &["doctor", "-o", "json"]).assert_code(1);
    let said = ["another service", "https://graph.microsoft.com", ADMIN, "M365 License Manager", "MSCOMMERCE_TOKEN"];
    expect_step(&result, "credential", "failed", &said);
    expect_step(&result, "policy", "skipped", &["there is no usable credential"]);
    for request in env.tenant.requests() {
        assert_eq!(request.bearer(), None, "{request:?}");
    }
    assert!(!result.stdout.contains(&token));
}

#[test]
fn the_clock_is_compared_where_the_service_refuses_the_token_too() {
    let env = TestEnv::new();
    let token = env.tenant.issue_token(ADMIN, HOME_TENANT, 3600);
    let theirs = (Utc::now() - Duration::hours(2)).format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let refusal = json!({"errorCode": "Unauthorized", "reason": "The token is not valid yet."});
    env.tenant.fail_next("GET /v1.0/policies/", Response::json(401, &refusal).header("date", &theirs));
    let result = env.run_with_env(&[("MSCOMMERCE_TOKEN", &token)], &["doctor", "-o", "json"]).assert_code(1);
    expect_step(&result, "policy", "failed", &["401", "not valid yet"]);
    expect_step(&result, "clock", "failed", &["ahead of", "set this machine's clock"]);
}

#[test]
fn the_clock_is_compared_where_the_authority_refuses_the_tenant_too() {
    let env = TestEnv::new();
    let result = doctor(&env, &["--tenant", "nowhere.example"]).assert_code(1);
    expect_step(&result, "authority", "failed", &["AADSTS90002"]);
    expect_step(&result, "clock", "passed", &[]);
}

#[test]
fn a_token_that_was_renewed_for_the_walk_is_told_as_that() {
    for (env, is_renewed) in [(TestEnv::signed_in(), false), (TestEnv::with_expiring_token(), true)] {
        let result = doctor(&env, &[]).assert_code(0);
        let credential = step(&result, "credential");
        assert_eq!(credential["finding"].as_str().unwrap().contains("renewed just now"), is_renewed, "{credential}");
    }
}

#[test]
fn a_token_that_has_ended_is_told_without_asking() {
    let env = TestEnv::new();
    let token = env.tenant.issue_token(ADMIN, HOME_TENANT, -60);
    let result = env.run_with_env(&[("MSCOMMERCE_TOKEN", &token)], &["doctor", "-o", "json"]).assert_code(1);
    expect_step(&result, "credential", "failed", &["MSCOMMERCE_TOKEN", "ended at"]);
    assert!(!env.request_lines().iter().any(|line| line.contains("/v1.0/")));
}

#[test]
fn an_application_is_told_with_its_roles_and_without_them_before_the_service_is_asked() {
    let env = TestEnv::new();
    let variables =
        [("AZURE_TENANT_ID", HOME_TENANT), ("AZURE_CLIENT_ID", APP_ID), ("AZURE_CLIENT_SECRET", APP_SECRET)];
    let result = env.run_with_env(&variables, &["doctor", "-o", "json", "--live-report"]).assert_code(0);
    expect_step(&result, "credential", "passed", &["by application", "roles Policy."]);
    let live = steps(&result).into_iter().find(|step| step["target"] == "3 an application's token").unwrap();
    assert!(live["finding"].as_str().unwrap().contains("its token was accepted"), "{live}");
    assert!(!result.stdout.contains(APP_SECRET));

    env.tenant.grant_app(&[]);
    env.tenant.forget_requests();
    let result = env.run_with_env(&variables, &["doctor", "-o", "json"]).assert_code(1);
    expect_step(&result, "credential", "failed", &["Policy.Read.AllowSelfServicePurchase"]);
    assert!(!env.request_lines().iter().any(|line| line.contains("/v1.0/")));
}

#[test]
fn a_state_directory_that_cannot_be_used_is_one_failed_step_among_others() {
    let env = TestEnv::signed_in();
    std::fs::write(env.home().join("file"), "").unwrap();
    let home = env.home().join("file");
    let result =
        env.run_with_env(&[("MSCOMMERCE_HOME", home.to_str().unwrap())], &["doctor", "-o", "json"]).assert_code(1);
    expect_step(&result, "credential", "failed", &[]);
    expect_step(&result, "authority", "passed", &[]);
}

#[test]
fn wrong_usage_stays_wrong_usage() {
    let env = TestEnv::signed_in();
    env.run_with_env(&[("MSCOMMERCE_ENDPOINT", "ftp://x.example")], &["doctor"]).assert_code(2).stdout_is_empty();
    env.run(&["doctor", "--tenant", "a.example", "--tenant", "b.example"]).assert_code(2).stdout_is_empty();
    let password = env.run_with_stdin(&["doctor", "--password-stdin"], PASSWORD).assert_code(2);
    assert!(!password.stderr.contains(PASSWORD));
}
