//! `status`: who is signed in, from what this machine knows.

use serde_json::{Value, json};

use crate::support::cli::CliResult;
use crate::support::env::TestEnv;
use crate::tenant::{
    ADMIN, CLIENT_ID, CUSTOMER_DOMAIN, CUSTOMER_TENANT, HOME_TENANT, PASSWORD, RESOURCE, claims_of, jwt,
};

const FIELDS: [&str; 8] = ["profile", "account", "tenantId", "method", "source", "clientId", "roles", "expiresAt"];

/// The names of an object's members in the order in which they are printed.
fn names(result: &CliResult) -> Vec<String> {
    let lines = result.stdout.lines().filter_map(|line| line.strip_prefix("  \""));
    lines.filter_map(|line| Some(line.split_once("\":")?.0.to_owned())).collect()
}

#[test]
fn a_saved_sign_in_is_shown_in_full() {
    let env = TestEnv::signed_in();
    let result = env.run(&["status", "-o", "json"]).assert_code(0);
    assert_eq!(result.stderr, "");
    assert_eq!(names(&result), FIELDS);
    let ends = env.cache()["profiles"]["default"]["tenants"][HOME_TENANT]["expiresAt"].clone();
    let mut status = result.json();
    let shown = status["expiresAt"].take();
    // To the second, in UTC.
    assert_eq!(shown.as_str().unwrap(), format!("{}Z", &ends.as_str().unwrap()[..19]));
    assert_eq!(
        status,
        json!({
            "profile": "default",
            "account": ADMIN,
            "tenantId": HOME_TENANT,
            "method": "password",
            "source": "cache",
            "clientId": CLIENT_ID,
            "roles": [],
            "expiresAt": null,
        })
    );
    assert!(env.request_lines().is_empty(), "touches no network");
}

#[test]
fn every_way_of_signing_in_is_named() {
    let env = TestEnv::new();
    let token = env.tenant.issue_token(ADMIN, HOME_TENANT, 3600);
    for (way, input, method) in [
        (&["--device-code"][..], "", "device-code"),
        (&["--username", ADMIN, "--password-stdin"], PASSWORD, "password"),
        (&["--with-token"], &token, "token"),
    ] {
        env.run_with_stdin(&[&["connect"], way].concat(), input).assert_code(0);
        let status = env.run(&["status", "-o", "json"]).assert_code(0).json();
        assert_eq!(status["method"], method);
        assert_eq!(status["clientId"], CLIENT_ID);
    }
}

#[test]
fn nothing_is_on_standard_output_when_nobody_is_signed_in() {
    let env = TestEnv::new();
    for format in ["table", "json", "csv", "tsv", "markdown"] {
        env.run(&["status", "-o", format])
            .assert_code(4)
            .stdout_is_empty()
            .stderr_contains(&["error: nobody is signed in", "hint: mscommerce connect"]);
    }
    assert!(env.request_lines().is_empty());
    assert!(!env.state_dir().exists(), "looking leaves nothing behind");
}

#[test]
fn an_access_token_that_has_ended_is_no_end_of_the_sign_in() {
    let env = TestEnv::signed_in();
    env.edit_cache(|saved| {
        saved["profiles"]["default"]["tenants"][HOME_TENANT]["expiresAt"] = "2020-01-01T00:00:00Z".into();
    });
    let result = env.run(&["status", "-o", "json"]).assert_code(0).stderr_contains(&["renews it"]);
    assert_eq!(result.json()["expiresAt"], "2020-01-01T00:00:00Z");
    assert!(env.request_lines().is_empty());
    env.run(&["products", "list"]).assert_code(0);
    assert_eq!(env.token_requests().len(), 1);
}

#[test]
fn a_tenant_that_was_not_used_yet_has_no_token() {
    let env = TestEnv::signed_in();
    for tenant in [CUSTOMER_TENANT, CUSTOMER_DOMAIN] {
        let result = env.run(&["status", "-o", "json", "--tenant", tenant]).assert_code(0);
        assert_eq!(names(&result), FIELDS);
        let status = result.stderr_contains(&["the next command asks for one"]).json();
        assert_eq!(status["account"], ADMIN);
        assert_eq!(status["expiresAt"], Value::Null);
    }
    assert!(env.request_lines().is_empty());

    env.run(&["products", "list", "--tenant", CUSTOMER_DOMAIN]).assert_code(0);
    env.tenant.forget_requests();
    for tenant in [CUSTOMER_TENANT, CUSTOMER_DOMAIN] {
        let status = env.run(&["status", "-o", "json", "--tenant", tenant]).assert_code(0).json();
        assert_eq!(status["tenantId"], CUSTOMER_TENANT);
        assert!(status["expiresAt"].is_string());
    }
    let status = env.run(&["status", "-o", "json"]).assert_code(0).json();
    assert_eq!(status["tenantId"], HOME_TENANT, "another tenant's use does not move the sign-in");
    assert!(env.request_lines().is_empty());
}

#[test]
fn a_token_in_the_environment_is_named_as_the_source() {
    let env = TestEnv::signed_in();
    let token = env.tenant.issue_token(ADMIN, CUSTOMER_TENANT, 3600);
    let result = env.run_with_env(&[("MSCOMMERCE_TOKEN", &token)], &["status", "-o", "json"]).assert_code(0);
    let result = result.stderr_contains(&["MSCOMMERCE_TOKEN"]);
    assert_eq!(names(&result), FIELDS);
    let status = result.json();
    assert_eq!(status["source"], "environment");
    assert_eq!(status["method"], "token");
    assert_eq!(status["account"], ADMIN);
    assert_eq!(status["tenantId"], CUSTOMER_TENANT);
    assert_eq!(status["clientId"], CLIENT_ID);
    let expires = claims_of(&token).unwrap()["exp"].as_i64().unwrap();
    let expires = chrono::DateTime::from_timestamp(expires, 0).unwrap();
    assert_eq!(status["expiresAt"], expires.to_rfc3339_opts(chrono::SecondsFormat::Secs, true));
    assert!(!result.stdout.contains(&token));
    assert!(env.request_lines().is_empty());
}

#[test]
fn an_applications_token_is_shown_with_its_permissions() {
    let env = TestEnv::new();
    let roles = ["Policy.Read.AllowSelfServicePurchase", "Policy.ReadWrite.AllowSelfServicePurchase"];
    let in_an_hour = chrono::Utc::now().timestamp() + 3600;
    let token =
        jwt(&json!({"aud": RESOURCE, "tid": HOME_TENANT, "appid": "an-app", "roles": roles, "exp": in_an_hour}));
    env.run_with_stdin(&["connect", "--with-token"], &token).assert_code(0).stderr_contains(&["an-app"]);
    for variables in [&[][..], &[("MSCOMMERCE_TOKEN", token.as_str())]] {
        let status = env.run_with_env(variables, &["status", "-o", "json"]).assert_code(0).json();
        assert_eq!(status["account"], "an-app");
        assert_eq!(status["clientId"], "an-app");
        assert_eq!(status["roles"], json!(roles));
    }
}

#[test]
fn other_formats_tell_the_same() {
    let env = TestEnv::signed_in();
    for (format, separator) in [("csv", ","), ("tsv", "\t")] {
        let result = env.run(&["status", "-o", format]).assert_code(0);
        let lines: Vec<_> = result.stdout.lines().collect();
        assert_eq!(lines.len(), 2, "{}", result.stdout);
        assert_eq!(lines[0], FIELDS.join(separator));
        assert!(lines[1].starts_with(&["default", ADMIN, HOME_TENANT, "password", "cache"].join(separator)));
    }
    for format in ["table", "markdown"] {
        let result = env.run(&["status", "-o", format]).assert_code(0);
        for part in ["default", ADMIN, HOME_TENANT, "password", "cache", CLIENT_ID] {
            assert!(result.stdout.contains(part), "{format} {part}\n{}", result.stdout);
        }
    }
}
