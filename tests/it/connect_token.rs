//! A token that was made elsewhere: `connect --with-token`, and `MSCOMMERCE_TOKEN`.

use serde_json::{Value, json};

use crate::support::cli::CliResult;
use crate::support::env::TestEnv;
use crate::support::fixtures::LIST_PRODUCTS;
use crate::tenant::{
    ADMIN, CUSTOMER_DOMAIN, CUSTOMER_TENANT, HOME_DOMAIN, HOME_TENANT, RESOURCE, Response, claims_of, jwt,
};

fn hand_over(env: &TestEnv, token: &str, more: &[&str]) -> CliResult {
    env.run_with_stdin(&[&["connect", "--with-token"], more].concat(), token)
}

/// The claims of a usable token with these replaced or, where null, taken out.
fn token_with(env: &TestEnv, changes: Value) -> String {
    let mut claims = claims_of(&env.tenant.issue_token(ADMIN, HOME_TENANT, 3600)).unwrap();
    let claims_map = claims.as_object_mut().unwrap();
    let Value::Object(changes) = changes else { panic!("changes are an object") };
    claims_map.extend(changes);
    claims_map.retain(|_, value| !value.is_null());
    jwt(&claims)
}

#[test]
fn a_ready_token_is_saved_without_any_request_and_serves_from_then_on() {
    let env = TestEnv::new();
    let token = env.tenant.issue_token(ADMIN, HOME_TENANT, 3600);
    hand_over(&env, &format!("\n {token}\r\n"), &[])
        .assert_code(0)
        .stdout_is_empty()
        .stderr_contains(&[&format!("Signed in as {ADMIN} to the tenant {HOME_TENANT}.")]);
    assert!(env.request_lines().is_empty());
    assert_eq!(env.cached_tokens(), std::slice::from_ref(&token));

    env.run(&["products", "list"]).assert_code(0);
    assert_eq!(env.request_lines(), [LIST_PRODUCTS]);
    let sent = env.tenant.requests()[0].header("authorization").unwrap().to_owned();
    assert_eq!(sent, format!("Bearer {token}"));
}

#[test]
fn a_token_that_is_about_to_end_still_serves() {
    let env = TestEnv::new();
    // Within the five minutes in which another sign-in would be renewed.
    hand_over(&env, &env.tenant.issue_token(ADMIN, HOME_TENANT, 100), &[]).assert_code(0);
    env.run(&["products", "list"]).assert_code(0);
    assert_eq!(env.request_lines(), [LIST_PRODUCTS]);
}

#[test]
fn an_expired_token_is_not_saved() {
    let env = TestEnv::new();
    hand_over(&env, &env.tenant.issue_token(ADMIN, HOME_TENANT, -60), &[])
        .assert_code(4)
        .stdout_is_empty()
        .stderr_contains(&["error: the token ended at", "hint: "]);
    assert!(!env.cache_path().exists());
    assert!(env.request_lines().is_empty());
}

#[test]
fn what_is_no_token_is_refused() {
    let env = TestEnv::new();
    let token = env.tenant.issue_token(ADMIN, HOME_TENANT, 3600);
    for input in [
        "",
        "\n",
        "opaque",
        "a.b.c",
        "eyJhbGciOiJub25lIn0.e30.",
        &format!("Bearer {token}"),
        &format!("\"{token}\""),
        &format!("{token}\n{token}"),
        &json!({"accessToken": token}).to_string(),
        &token_with(&env, json!({"exp": null})),
    ] {
        let why = if input.trim().is_empty() { "standard input is empty" } else { "not an access token" };
        let result = hand_over(&env, input, &["-vvv"])
            .assert_code(2)
            .stdout_is_empty()
            .stderr_contains(&[why, "hint: az account get-access-token"]);
        assert!(!result.stderr.contains(&token), "what might be a token is not repeated: {}", result.stderr);
    }
    assert!(!env.cache_path().exists());
    assert!(env.request_lines().is_empty());
}

#[test]
fn a_token_for_another_service_is_saved_with_a_warning() {
    let env = TestEnv::new();
    hand_over(&env, &token_with(&env, json!({"aud": "https://graph.example"})), &[]).assert_code(0).stderr_contains(&[
        "warning: ",
        "https://graph.example",
        RESOURCE,
    ]);
    // The service's own word follows from the first command.
    env.run(&["products", "list"]).assert_code(4).stderr_contains(&["The audience is invalid.", "hint: "]);
}

#[test]
fn a_token_that_contradicts_the_tenant_is_not_saved() {
    let env = TestEnv::new();
    let token = env.tenant.issue_token(ADMIN, HOME_TENANT, 3600);
    hand_over(&env, &token, &["--tenant", CUSTOMER_TENANT]).assert_code(2).stderr_contains(&[
        CUSTOMER_TENANT,
        HOME_TENANT,
        "nothing was saved",
    ]);
    // A domain cannot be compared with an id without asking somebody.
    hand_over(&env, &token, &["--tenant", HOME_DOMAIN]).assert_code(2).stderr_contains(&[HOME_DOMAIN, "hint: "]);
    assert!(!env.cache_path().exists());

    hand_over(&env, &token, &["--tenant", &HOME_TENANT.to_uppercase()]).assert_code(0);
    assert!(env.request_lines().is_empty());
}

#[test]
fn a_tenant_that_comes_from_the_environment_is_named_as_what_contradicts() {
    let env = TestEnv::new();
    let token = env.tenant.issue_token(ADMIN, HOME_TENANT, 3600);
    let mut command = env.command(&["connect", "--with-token"]);
    command.env("AZURE_TENANT_ID", CUSTOMER_TENANT);
    TestEnv::run_command_with_stdin(command, &token).assert_code(2).stderr_contains(&[
        CUSTOMER_TENANT,
        HOME_TENANT,
        "AZURE_TENANT_ID",
    ]);
    assert!(!env.cache_path().exists());
}

#[test]
fn a_token_that_names_no_tenant_needs_one_named() {
    let env = TestEnv::new();
    let token = token_with(&env, json!({"tid": null}));
    hand_over(&env, &token, &[])
        .stderr_contains(&["does not say which tenant", "hint: mscommerce connect --with-token --tenant"]);
    assert!(!env.cache_path().exists());
    hand_over(&env, &token, &["--tenant", HOME_TENANT]).assert_code(0);
}

#[test]
fn a_saved_token_that_has_ended_asks_for_another_sign_in() {
    let env = TestEnv::new();
    hand_over(&env, &env.tenant.issue_token(ADMIN, HOME_TENANT, 3600), &[]).assert_code(0);
    env.edit_cache(|saved| {
        saved["profiles"]["default"]["tenants"][HOME_TENANT]["expiresAt"] = "2020-01-01T00:00:00Z".into();
    });
    for command in [&["products", "list"][..], &["status"]] {
        env.run(command).assert_code(4).stdout_is_empty().stderr_contains(&[
            "ended at 2020-01-01",
            "cannot be renewed",
            "hint: mscommerce connect",
        ]);
    }
    assert!(env.request_lines().is_empty(), "an expired token is reported without a call");
}

#[test]
fn a_saved_token_serves_its_own_tenant_only() {
    let env = TestEnv::new();
    hand_over(&env, &env.tenant.issue_token(ADMIN, HOME_TENANT, 3600), &[]).assert_code(0);
    for command in [&["products", "list", "--tenant", CUSTOMER_DOMAIN][..], &["status", "--tenant", CUSTOMER_DOMAIN]] {
        env.run(command).assert_code(4).stdout_is_empty().stderr_contains(&[HOME_TENANT, CUSTOMER_DOMAIN, "hint: "]);
    }
    assert!(env.request_lines().is_empty());
    env.run(&["products", "list", "--tenant", HOME_TENANT]).assert_code(0);
}

#[test]
fn a_saved_token_that_is_refused_cannot_be_renewed() {
    let env = TestEnv::new();
    hand_over(&env, &env.tenant.issue_token(ADMIN, HOME_TENANT, 3600), &[]).assert_code(0);
    env.tenant.revoke_access_tokens();
    env.run(&["products", "list"]).assert_code(4).stdout_is_empty().stderr_contains(&[
        "401",
        "The token has been revoked.",
        "correlation id: ",
        "hint: mscommerce connect",
    ]);
    assert_eq!(env.request_lines(), [LIST_PRODUCTS], "there is nothing to renew it with");
}

#[test]
fn a_token_in_the_environment_serves_without_a_sign_in_and_leaves_nothing_behind() {
    let env = TestEnv::new();
    let token = env.tenant.issue_token(ADMIN, HOME_TENANT, 3600);
    for value in [token.clone(), format!(" {token}\n")] {
        env.tenant.forget_requests();
        env.run_with_env(&[("MSCOMMERCE_TOKEN", &value)], &["products", "list"]).assert_code(0);
        assert_eq!(env.request_lines(), [LIST_PRODUCTS]);
        assert_eq!(env.tenant.requests()[0].header("authorization").unwrap(), format!("Bearer {token}"));
    }
    assert!(!env.state_dir().exists(), "no state directory is created");
}

#[test]
fn a_token_in_the_environment_outranks_the_saved_sign_in() {
    let env = TestEnv::signed_in();
    let before = env.cache();
    let token = env.tenant.issue_token(ADMIN, CUSTOMER_TENANT, 3600);
    env.run_with_env(&[("MSCOMMERCE_TOKEN", &token)], &["products", "list"]).assert_code(0);
    assert_eq!(env.tenant.requests()[0].header("authorization").unwrap(), format!("Bearer {token}"));
    assert_eq!(env.cache(), before);
    // An empty variable counts as unset.
    env.run_with_env(&[("MSCOMMERCE_TOKEN", "")], &["status", "-o", "json"]).assert_code(0);
}

#[test]
fn an_expired_token_in_the_environment_is_reported_without_a_call() {
    // Signed in as well: the expired token must not give way to it silently.
    let env = TestEnv::signed_in();
    let token = env.tenant.issue_token(ADMIN, HOME_TENANT, -60);
    for command in [&["products", "list"][..], &["status"]] {
        env.run_with_env(&[("MSCOMMERCE_TOKEN", &token)], command).assert_code(4).stdout_is_empty().stderr_contains(&[
            "MSCOMMERCE_TOKEN",
            "ended at",
            "hint: ",
            "unset",
        ]);
    }
    assert!(env.request_lines().is_empty());
}

#[test]
fn a_tenant_that_contradicts_the_token_in_the_environment_is_wrong_usage() {
    let env = TestEnv::new();
    let token = env.tenant.issue_token(ADMIN, HOME_TENANT, 3600);
    let variables = [("MSCOMMERCE_TOKEN", token.as_str())];
    for tenant in [CUSTOMER_TENANT, HOME_DOMAIN] {
        for command in [&["products", "list"][..], &["status"]] {
            env.run_with_env(&variables, &[command, &["--tenant", tenant]].concat())
                .assert_code(2)
                .stdout_is_empty()
                .stderr_contains(&[tenant, "MSCOMMERCE_TOKEN", HOME_TENANT, "hint: "]);
        }
    }
    assert!(env.request_lines().is_empty());
    for tenant in [HOME_TENANT.to_owned(), HOME_TENANT.to_uppercase()] {
        env.run_with_env(&variables, &["products", "list", "--tenant", &tenant]).assert_code(0);
    }
}

#[test]
fn what_cannot_be_a_token_in_the_environment_is_wrong_usage() {
    let env = TestEnv::new();
    let token = env.tenant.issue_token(ADMIN, HOME_TENANT, 3600);
    for value in [format!("Bearer {token}"), format!("\"{token}\""), format!("{token}\n{token}"), "ä".to_owned()] {
        let result = env
            .run_with_env(&[("MSCOMMERCE_TOKEN", &value)], &["products", "list", "-v"])
            .assert_code(2)
            .stdout_is_empty()
            .stderr_contains(&["MSCOMMERCE_TOKEN does not hold an access token", "hint: "]);
        assert!(!result.stderr.contains(&token), "{}", result.stderr);
    }
    assert!(env.request_lines().is_empty());
}

#[test]
fn a_refused_token_in_the_environment_is_named_and_not_renewed() {
    // Signed in as well: what is saved must not be used in its place.
    let env = TestEnv::signed_in();
    let token = env.tenant.issue_token(ADMIN, HOME_TENANT, 3600);
    env.tenant.revoke_access_tokens();
    env.run_with_env(&[("MSCOMMERCE_TOKEN", &token)], &["products", "list"])
        .assert_code(4)
        .stdout_is_empty()
        .stderr_contains(&["401", "The token has been revoked.", "hint: the token in MSCOMMERCE_TOKEN", "revoked"]);
    assert_eq!(env.request_lines(), [LIST_PRODUCTS]);
}

#[test]
fn a_token_that_cannot_be_read_is_left_to_the_service_to_judge() {
    let env = TestEnv::new();
    env.tenant.fail_next("GET", Response::json(200, &json!({"items": []})));
    env.run_with_env(&[("MSCOMMERCE_TOKEN", "opaque")], &["products", "list"]).assert_code(0);
    let status = env.run_with_env(&[("MSCOMMERCE_TOKEN", "opaque")], &["status", "-o", "json"]).assert_code(0).json();
    assert_eq!(status["source"], "environment");
    assert_eq!(status["tenantId"], Value::Null);
    env.run_with_env(&[("MSCOMMERCE_TOKEN", "opaque")], &["products", "list", "--tenant", HOME_TENANT])
        .assert_code(2)
        .stderr_contains(&["does not say which tenant"]);
}
