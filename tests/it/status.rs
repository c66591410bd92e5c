//! `status`: who is signed in, from what this machine knows.

use serde_json::{Value, json};

use crate::support::env::{Machine, Ran};
use crate::tenant::{
    ADMIN, CLIENT_ID, CUSTOMER_DOMAIN, CUSTOMER_TENANT, HOME_TENANT, PASSWORD, RESOURCE, claims_of, jwt,
};

const FIELDS: [&str; 8] = ["profile", "account", "tenantId", "method", "source", "clientId", "roles", "expiresAt"];

/// The names of an object's members in the order in which they are printed.
fn names(ran: &Ran) -> Vec<String> {
    let lines = ran.stdout.lines().filter_map(|line| line.strip_prefix("  \""));
    lines.filter_map(|line| Some(line.split_once("\":")?.0.to_owned())).collect()
}

#[test]
fn a_saved_sign_in_is_shown_in_full() {
    let machine = Machine::signed_in();
    let ran = machine.run(&["status", "-o", "json"]).expect_code(0);
    assert_eq!(ran.stderr, "");
    assert_eq!(names(&ran), FIELDS);
    let ends = machine.saved()["profiles"]["default"]["tenants"][HOME_TENANT]["expiresAt"].clone();
    let mut status = ran.json();
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
    assert!(machine.requests().is_empty(), "touches no network");
}

#[test]
fn every_way_of_signing_in_is_named() {
    let machine = Machine::new();
    let token = machine.tenant.mint(ADMIN, HOME_TENANT, 3600);
    for (way, input, method) in [
        (&["--device-code"][..], "", "device-code"),
        (&["--username", ADMIN, "--password-stdin"], PASSWORD, "password"),
        (&["--with-token"], &token, "token"),
    ] {
        machine.run_with_input(&[&["connect"], way].concat(), input).expect_code(0);
        let status = machine.run(&["status", "-o", "json"]).expect_code(0).json();
        assert_eq!(status["method"], method);
        assert_eq!(status["clientId"], CLIENT_ID);
    }
}

#[test]
fn nothing_is_on_standard_output_when_nobody_is_signed_in() {
    let machine = Machine::new();
    for format in ["table", "json", "csv", "tsv", "markdown"] {
        machine
            .run(&["status", "-o", format])
            .expect_code(4)
            .expect_no_data()
            .expect_said(&["error: nobody is signed in", "hint: mscommerce connect"]);
    }
    assert!(machine.requests().is_empty());
    assert!(!machine.state().exists(), "looking leaves nothing behind");
}

#[test]
fn an_access_token_that_has_ended_is_no_end_of_the_sign_in() {
    let machine = Machine::signed_in();
    machine.change_saved(|saved| {
        saved["profiles"]["default"]["tenants"][HOME_TENANT]["expiresAt"] = "2020-01-01T00:00:00Z".into();
    });
    let ran = machine.run(&["status", "-o", "json"]).expect_code(0).expect_said(&["renews it"]);
    assert_eq!(ran.json()["expiresAt"], "2020-01-01T00:00:00Z");
    assert!(machine.requests().is_empty());
    machine.run(&["products", "list"]).expect_code(0);
    assert_eq!(machine.token_requests().len(), 1);
}

#[test]
fn a_tenant_that_was_not_used_yet_has_no_token() {
    let machine = Machine::signed_in();
    for tenant in [CUSTOMER_TENANT, CUSTOMER_DOMAIN] {
        let ran = machine.run(&["status", "-o", "json", "--tenant", tenant]).expect_code(0);
        assert_eq!(names(&ran), FIELDS);
        let status = ran.expect_said(&["the next command asks for one"]).json();
        assert_eq!(status["account"], ADMIN);
        assert_eq!(status["expiresAt"], Value::Null);
    }
    assert!(machine.requests().is_empty());

    machine.run(&["products", "list", "--tenant", CUSTOMER_DOMAIN]).expect_code(0);
    machine.tenant.forget_requests();
    for tenant in [CUSTOMER_TENANT, CUSTOMER_DOMAIN] {
        let status = machine.run(&["status", "-o", "json", "--tenant", tenant]).expect_code(0).json();
        assert_eq!(status["tenantId"], CUSTOMER_TENANT);
        assert!(status["expiresAt"].is_string());
    }
    let status = machine.run(&["status", "-o", "json"]).expect_code(0).json();
    assert_eq!(status["tenantId"], HOME_TENANT, "another tenant's use does not move the sign-in");
    assert!(machine.requests().is_empty());
}

#[test]
fn a_token_in_the_environment_is_named_as_the_source() {
    let machine = Machine::signed_in();
    let token = machine.tenant.mint(ADMIN, CUSTOMER_TENANT, 3600);
    let ran = machine.run_with(&[("MSCOMMERCE_TOKEN", &token)], &["status", "-o", "json"]).expect_code(0);
    let ran = ran.expect_said(&["MSCOMMERCE_TOKEN"]);
    assert_eq!(names(&ran), FIELDS);
    let status = ran.json();
    assert_eq!(status["source"], "environment");
    assert_eq!(status["method"], "token");
    assert_eq!(status["account"], ADMIN);
    assert_eq!(status["tenantId"], CUSTOMER_TENANT);
    assert_eq!(status["clientId"], CLIENT_ID);
    let expires = claims_of(&token).unwrap()["exp"].as_i64().unwrap();
    let expires = chrono::DateTime::from_timestamp(expires, 0).unwrap();
    assert_eq!(status["expiresAt"], expires.to_rfc3339_opts(chrono::SecondsFormat::Secs, true));
    assert!(!ran.stdout.contains(&token));
    assert!(machine.requests().is_empty());
}

#[test]
fn an_applications_token_is_shown_with_its_permissions() {
    let machine = Machine::new();
    let roles = ["Policy.Read.AllowSelfServicePurchase", "Policy.ReadWrite.AllowSelfServicePurchase"];
    let in_an_hour = chrono::Utc::now().timestamp() + 3600;
    let token =
        jwt(&json!({"aud": RESOURCE, "tid": HOME_TENANT, "appid": "an-app", "roles": roles, "exp": in_an_hour}));
    machine.run_with_input(&["connect", "--with-token"], &token).expect_code(0).expect_said(&["an-app"]);
    for variables in [&[][..], &[("MSCOMMERCE_TOKEN", token.as_str())]] {
        let status = machine.run_with(variables, &["status", "-o", "json"]).expect_code(0).json();
        assert_eq!(status["account"], "an-app");
        assert_eq!(status["clientId"], "an-app");
        assert_eq!(status["roles"], json!(roles));
    }
}

#[test]
fn other_formats_tell_the_same() {
    let machine = Machine::signed_in();
    for (format, separator) in [("csv", ","), ("tsv", "\t")] {
        let ran = machine.run(&["status", "-o", format]).expect_code(0);
        let lines: Vec<_> = ran.stdout.lines().collect();
        assert_eq!(lines.len(), 2, "{}", ran.stdout);
        assert_eq!(lines[0], FIELDS.join(separator));
        assert!(lines[1].starts_with(&["default", ADMIN, HOME_TENANT, "password", "cache"].join(separator)));
    }
    for format in ["table", "markdown"] {
        let ran = machine.run(&["status", "-o", format]).expect_code(0);
        for part in ["default", ADMIN, HOME_TENANT, "password", "cache", CLIENT_ID] {
            assert!(ran.stdout.contains(part), "{format} {part}\n{}", ran.stdout);
        }
    }
}
