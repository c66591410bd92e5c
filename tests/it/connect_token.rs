//! A token that was made elsewhere: `connect --with-token`, and `MSCOMMERCE_TOKEN`.

use serde_json::{Value, json};

use crate::support::env::{Machine, Ran};
use crate::tenant::{
    ADMIN, Answer, CUSTOMER_DOMAIN, CUSTOMER_TENANT, HOME_DOMAIN, HOME_TENANT, RESOURCE, claims_of, jwt,
};

const LIST: &str = "GET /v1.0/policies/AllowSelfServicePurchase/products?scope=product";

fn hand_over(machine: &Machine, token: &str, more: &[&str]) -> Ran {
    machine.run_with_input(&[&["connect", "--with-token"], more].concat(), token)
}

/// The claims of a usable token with these replaced or, where null, taken out.
fn token_with(machine: &Machine, changes: Value) -> String {
    let mut claims = claims_of(&machine.tenant.mint(ADMIN, HOME_TENANT, 3600)).unwrap();
    let claims_map = claims.as_object_mut().unwrap();
    let Value::Object(changes) = changes else { panic!("changes are an object") };
    claims_map.extend(changes);
    claims_map.retain(|_, value| !value.is_null());
    jwt(&claims)
}

#[test]
fn a_ready_token_is_saved_without_any_request_and_serves_from_then_on() {
    let machine = Machine::new();
    let token = machine.tenant.mint(ADMIN, HOME_TENANT, 3600);
    hand_over(&machine, &format!("\n {token}\r\n"), &[])
        .expect_code(0)
        .expect_no_data()
        .expect_said(&[&format!("Signed in as {ADMIN} to the tenant {HOME_TENANT}.")]);
    assert!(machine.requests().is_empty());
    assert_eq!(machine.secrets(), std::slice::from_ref(&token));

    machine.run(&["products", "list"]).expect_code(0);
    assert_eq!(machine.requests(), [LIST]);
    let sent = machine.tenant.requests()[0].header("authorization").unwrap().to_owned();
    assert_eq!(sent, format!("Bearer {token}"));
}

#[test]
fn a_token_that_is_about_to_end_still_serves() {
    let machine = Machine::new();
    // Within the five minutes in which another sign-in would be renewed.
    hand_over(&machine, &machine.tenant.mint(ADMIN, HOME_TENANT, 100), &[]).expect_code(0);
    machine.run(&["products", "list"]).expect_code(0);
    assert_eq!(machine.requests(), [LIST]);
}

#[test]
fn an_expired_token_is_not_saved() {
    let machine = Machine::new();
    hand_over(&machine, &machine.tenant.mint(ADMIN, HOME_TENANT, -60), &[])
        .expect_code(4)
        .expect_no_data()
        .expect_said(&["error: the token ended at", "hint: "]);
    assert!(!machine.sign_ins().exists());
    assert!(machine.requests().is_empty());
}

#[test]
fn what_is_no_token_is_refused() {
    let machine = Machine::new();
    let token = machine.tenant.mint(ADMIN, HOME_TENANT, 3600);
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
        &token_with(&machine, json!({"exp": null})),
    ] {
        let why = if input.trim().is_empty() { "standard input is empty" } else { "not an access token" };
        let ran = hand_over(&machine, input, &["-vvv"])
            .expect_code(2)
            .expect_no_data()
            .expect_said(&[why, "hint: az account get-access-token"]);
        assert!(!ran.stderr.contains(&token), "what might be a token is not repeated: {}", ran.stderr);
    }
    assert!(!machine.sign_ins().exists());
    assert!(machine.requests().is_empty());
}

#[test]
fn a_token_for_another_service_is_saved_with_a_warning() {
    let machine = Machine::new();
    hand_over(&machine, &token_with(&machine, json!({"aud": "https://graph.example"})), &[])
        .expect_code(0)
        .expect_said(&["warning: ", "https://graph.example", RESOURCE]);
    // The service's own word follows from the first command.
    machine.run(&["products", "list"]).expect_code(4).expect_said(&["The audience is invalid.", "hint: "]);
}

#[test]
fn a_token_that_contradicts_the_tenant_is_not_saved() {
    let machine = Machine::new();
    let token = machine.tenant.mint(ADMIN, HOME_TENANT, 3600);
    hand_over(&machine, &token, &["--tenant", CUSTOMER_TENANT]).expect_code(2).expect_said(&[
        CUSTOMER_TENANT,
        HOME_TENANT,
        "nothing was saved",
    ]);
    // A domain cannot be compared with an id without asking somebody.
    hand_over(&machine, &token, &["--tenant", HOME_DOMAIN]).expect_code(2).expect_said(&[HOME_DOMAIN, "hint: "]);
    assert!(!machine.sign_ins().exists());

    hand_over(&machine, &token, &["--tenant", &HOME_TENANT.to_uppercase()]).expect_code(0);
    assert!(machine.requests().is_empty());
}

#[test]
fn a_tenant_that_comes_from_the_environment_is_named_as_what_contradicts() {
    let machine = Machine::new();
    let token = machine.tenant.mint(ADMIN, HOME_TENANT, 3600);
    let mut command = machine.command(&["connect", "--with-token"]);
    command.env("AZURE_TENANT_ID", CUSTOMER_TENANT);
    Machine::run_command_with_input(command, &token).expect_code(2).expect_said(&[
        CUSTOMER_TENANT,
        HOME_TENANT,
        "AZURE_TENANT_ID",
    ]);
    assert!(!machine.sign_ins().exists());
}

#[test]
fn a_token_that_names_no_tenant_needs_one_named() {
    let machine = Machine::new();
    let token = token_with(&machine, json!({"tid": null}));
    hand_over(&machine, &token, &[])
        .expect_said(&["does not say which tenant", "hint: mscommerce connect --with-token --tenant"]);
    assert!(!machine.sign_ins().exists());
    hand_over(&machine, &token, &["--tenant", HOME_TENANT]).expect_code(0);
}

#[test]
fn a_saved_token_that_has_ended_asks_for_another_sign_in() {
    let machine = Machine::new();
    hand_over(&machine, &machine.tenant.mint(ADMIN, HOME_TENANT, 3600), &[]).expect_code(0);
    machine.change_saved(|saved| {
        saved["profiles"]["default"]["tenants"][HOME_TENANT]["expiresAt"] = "2020-01-01T00:00:00Z".into();
    });
    for command in [&["products", "list"][..], &["status"]] {
        machine.run(command).expect_code(4).expect_no_data().expect_said(&[
            "ended at 2020-01-01",
            "cannot be renewed",
            "hint: mscommerce connect",
        ]);
    }
    assert!(machine.requests().is_empty(), "an expired token is reported without a call");
}

#[test]
fn a_saved_token_serves_its_own_tenant_only() {
    let machine = Machine::new();
    hand_over(&machine, &machine.tenant.mint(ADMIN, HOME_TENANT, 3600), &[]).expect_code(0);
    for command in [&["products", "list", "--tenant", CUSTOMER_DOMAIN][..], &["status", "--tenant", CUSTOMER_DOMAIN]] {
        machine.run(command).expect_code(4).expect_no_data().expect_said(&[HOME_TENANT, CUSTOMER_DOMAIN, "hint: "]);
    }
    assert!(machine.requests().is_empty());
    machine.run(&["products", "list", "--tenant", HOME_TENANT]).expect_code(0);
}

#[test]
fn a_saved_token_that_is_refused_cannot_be_renewed() {
    let machine = Machine::new();
    hand_over(&machine, &machine.tenant.mint(ADMIN, HOME_TENANT, 3600), &[]).expect_code(0);
    machine.tenant.revoke_access_tokens();
    machine.run(&["products", "list"]).expect_code(4).expect_no_data().expect_said(&[
        "401",
        "The token has been revoked.",
        "correlation id: ",
        "hint: mscommerce connect",
    ]);
    assert_eq!(machine.requests(), [LIST], "there is nothing to renew it with");
}

#[test]
fn a_token_in_the_environment_serves_without_a_sign_in_and_leaves_nothing_behind() {
    let machine = Machine::new();
    let token = machine.tenant.mint(ADMIN, HOME_TENANT, 3600);
    for value in [token.clone(), format!(" {token}\n")] {
        machine.tenant.forget_requests();
        machine.run_with(&[("MSCOMMERCE_TOKEN", &value)], &["products", "list"]).expect_code(0);
        assert_eq!(machine.requests(), [LIST]);
        assert_eq!(machine.tenant.requests()[0].header("authorization").unwrap(), format!("Bearer {token}"));
    }
    assert!(!machine.state().exists(), "no state directory is created");
}

#[test]
fn a_token_in_the_environment_outranks_the_saved_sign_in() {
    let machine = Machine::signed_in();
    let before = machine.saved();
    let token = machine.tenant.mint(ADMIN, CUSTOMER_TENANT, 3600);
    machine.run_with(&[("MSCOMMERCE_TOKEN", &token)], &["products", "list"]).expect_code(0);
    assert_eq!(machine.tenant.requests()[0].header("authorization").unwrap(), format!("Bearer {token}"));
    assert_eq!(machine.saved(), before);
    // An empty variable counts as unset.
    machine.run_with(&[("MSCOMMERCE_TOKEN", "")], &["status", "-o", "json"]).expect_code(0);
}

#[test]
fn an_expired_token_in_the_environment_is_reported_without_a_call() {
    // Signed in as well: the expired token must not give way to it silently.
    let machine = Machine::signed_in();
    let token = machine.tenant.mint(ADMIN, HOME_TENANT, -60);
    for command in [&["products", "list"][..], &["status"]] {
        machine.run_with(&[("MSCOMMERCE_TOKEN", &token)], command).expect_code(4).expect_no_data().expect_said(&[
            "MSCOMMERCE_TOKEN",
            "ended at",
            "hint: ",
            "unset",
        ]);
    }
    assert!(machine.requests().is_empty());
}

#[test]
fn a_tenant_that_contradicts_the_token_in_the_environment_is_wrong_usage() {
    let machine = Machine::new();
    let token = machine.tenant.mint(ADMIN, HOME_TENANT, 3600);
    let variables = [("MSCOMMERCE_TOKEN", token.as_str())];
    for tenant in [CUSTOMER_TENANT, HOME_DOMAIN] {
        for command in [&["products", "list"][..], &["status"]] {
            machine
                .run_with(&variables, &[command, &["--tenant", tenant]].concat())
                .expect_code(2)
                .expect_no_data()
                .expect_said(&[tenant, "MSCOMMERCE_TOKEN", HOME_TENANT, "hint: "]);
        }
    }
    assert!(machine.requests().is_empty());
    for tenant in [HOME_TENANT.to_owned(), HOME_TENANT.to_uppercase()] {
        machine.run_with(&variables, &["products", "list", "--tenant", &tenant]).expect_code(0);
    }
}

#[test]
fn what_cannot_be_a_token_in_the_environment_is_wrong_usage() {
    let machine = Machine::new();
    let token = machine.tenant.mint(ADMIN, HOME_TENANT, 3600);
    for value in [format!("Bearer {token}"), format!("\"{token}\""), format!("{token}\n{token}"), "ä".to_owned()] {
        let ran = machine
            .run_with(&[("MSCOMMERCE_TOKEN", &value)], &["products", "list", "-v"])
            .expect_code(2)
            .expect_no_data()
            .expect_said(&["MSCOMMERCE_TOKEN does not hold an access token", "hint: "]);
        assert!(!ran.stderr.contains(&token), "{}", ran.stderr);
    }
    assert!(machine.requests().is_empty());
}

#[test]
fn a_refused_token_in_the_environment_is_named_and_not_renewed() {
    // Signed in as well: what is saved must not be used in its place.
    let machine = Machine::signed_in();
    let token = machine.tenant.mint(ADMIN, HOME_TENANT, 3600);
    machine.tenant.revoke_access_tokens();
    machine
        .run_with(&[("MSCOMMERCE_TOKEN", &token)], &["products", "list"])
        .expect_code(4)
        .expect_no_data()
        .expect_said(&["401", "The token has been revoked.", "hint: the token in MSCOMMERCE_TOKEN", "revoked"]);
    assert_eq!(machine.requests(), [LIST]);
}

#[test]
fn a_token_that_cannot_be_read_is_left_to_the_service_to_judge() {
    let machine = Machine::new();
    machine.tenant.fail_next("GET", Answer::json(200, &json!({"items": []})));
    machine.run_with(&[("MSCOMMERCE_TOKEN", "opaque")], &["products", "list"]).expect_code(0);
    let status = machine.run_with(&[("MSCOMMERCE_TOKEN", "opaque")], &["status", "-o", "json"]).expect_code(0).json();
    assert_eq!(status["source"], "environment");
    assert_eq!(status["tenantId"], Value::Null);
    machine
        .run_with(&[("MSCOMMERCE_TOKEN", "opaque")], &["products", "list", "--tenant", HOME_TENANT])
        .expect_code(2)
        .expect_said(&["does not say which tenant"]);
}
