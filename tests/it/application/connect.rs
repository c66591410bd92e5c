//! `connect --application` saves the access token, and nothing that the application proves itself with.

use serde_json::json;

use super::*;
use crate::tenant::{CHANGE_PERMISSION, CUSTOMER_DOMAIN, CUSTOMER_TENANT, HOME_DOMAIN, READ_PERMISSION};

#[test]
fn each_proof_signs_in_and_the_token_serves_from_then_on() {
    let machine = Machine::new();
    trust_the_issuer(&machine);
    trust_github(&machine);
    let pem = write(&machine, "app.pem", both(&registered(&machine)));
    let token = write(&machine, "token", issued());
    for (flags, input, proof) in [
        (&["--client-secret-stdin"][..], APP_SECRET, APP_SECRET),
        (&["--client-secret-stdin"], &format!(" {APP_SECRET}\r\n"), APP_SECRET),
        (&["--certificate", &pem], "", APP_ID),
        (&["--federated-token-file", &token], "", ISSUER),
    ] {
        machine.tenant.forget_requests();
        let ran = connect(&machine, flags, input).expect_code(0).expect_no_data();
        assert_eq!(ran.stderr, format!("Signed in as the application {APP_ID} to the tenant {HOME_TENANT}.\n"));
        assert_eq!(machine.requests(), [TOKEN]);
        assert_eq!(kind_of_proof(&machine), proof);
        machine.tenant.forget_requests();
        machine.run(&["products", "list"]).expect_code(0);
        assert_eq!(machine.requests(), [LIST]);
        let sent = machine.tenant.requests()[0].bearer().map(str::to_owned);
        assert_eq!(machine.secrets(), [sent.unwrap()]);
        machine.run(&["disconnect"]).expect_code(0);
    }
}

#[test]
fn what_is_saved_is_the_access_token_alone() {
    let machine = connected();
    let mut saved = machine.saved()["profiles"]["default"].clone();
    let token = saved["tenants"][HOME_TENANT]["accessToken"].take();
    assert!(token.is_string());
    assert!(saved["refreshToken"].is_null());
    assert_eq!((&saved["clientId"], &saved["method"]), (&json!(APP_ID), &json!("application")));
    assert_eq!(machine.files_with(APP_SECRET), Vec::<PathBuf>::new());
    // Windows seals the file.
    let shows = if cfg!(windows) { vec![] } else { vec![machine.sign_ins()] };
    assert_eq!(machine.files_with(token.as_str().unwrap()), shows);
}

#[test]
fn the_environment_names_what_the_flags_do_not() {
    let machine = Machine::new();
    trust_the_issuer(&machine);
    let token = write(&machine, "token", issued());
    let elsewhere = ("AZURE_TENANT_ID", CUSTOMER_TENANT);
    for (variables, flags, tenant, proof) in [
        (&[APP[0], APP[1], WITH_SECRET][..], &[][..], HOME_TENANT, APP_SECRET),
        (&[APP[0], WITH_SECRET], &["--tenant", HOME_TENANT], HOME_TENANT, APP_SECRET),
        (&[APP[1], WITH_SECRET], &["--client-id", APP_ID], HOME_TENANT, APP_SECRET),
        (
            &[("AZURE_CLIENT_ID", "another"), elsewhere, WITH_SECRET],
            &["--client-id", APP_ID, "--tenant", HOME_TENANT, "--federated-token-file", &token],
            HOME_TENANT,
            ISSUER,
        ),
        (&[APP[0], elsewhere, WITH_SECRET], &["--federated-token-file", &token], CUSTOMER_TENANT, ISSUER),
    ] {
        machine.tenant.forget_requests();
        machine.run_with(variables, &[&["connect", "--application"], flags].concat()).expect_code(0);
        assert_eq!(kind_of_proof(&machine), proof);
        assert_eq!(machine.token_requests()[0].0, tenant);
        assert_eq!(machine.saved()["profiles"]["default"]["tenantId"], tenant);
    }
}

#[test]
fn the_public_clients_own_variable_is_not_the_applications() {
    let machine = Machine::new();
    let variables = [("MSCOMMERCE_CLIENT_ID", "another"), APP[0], APP[1], WITH_SECRET];
    machine.run_with(&variables, &["connect", "--application"]).expect_code(0);
    assert_eq!(machine.token_requests()[0].1["client_id"], APP_ID);
    machine.tenant.forget_requests();
    machine.run_with(&variables, &["products", "list"]).expect_code(0);
    assert_eq!(machine.token_requests()[0].1["client_id"], APP_ID);
}

#[test]
fn status_shows_the_application_that_signed_in() {
    let machine = connected();
    for (permissions, roles) in [(&[CHANGE_PERMISSION][..], json!([CHANGE_PERMISSION])), (&[], json!([]))] {
        machine.tenant.grant_app(permissions);
        connect(&machine, &["--client-secret-stdin"], APP_SECRET).expect_code(0);
        machine.tenant.forget_requests();
        let ran = machine.run(&["status", "-o", "json"]).expect_code(0);
        assert_eq!(ran.stderr, "");
        let mut status = ran.json();
        assert!(status["expiresAt"].take().is_string());
        let expected = json!({
            "profile": "default",
            "account": APP_ID,
            "tenantId": HOME_TENANT,
            "method": "application",
            "source": "cache",
            "clientId": APP_ID,
            "roles": roles,
            "expiresAt": null,
        });
        assert_eq!(status, expected);
        assert!(machine.requests().is_empty());
    }
}

#[test]
fn without_the_permission_it_is_a_success_with_a_warning() {
    let machine = Machine::new();
    for (permissions, needed, is_warned) in [
        (&[][..], READ_PERMISSION, true),
        (&["Directory.Read.All"], READ_PERMISSION, true),
        (&[READ_PERMISSION], CHANGE_PERMISSION, false),
        (&[CHANGE_PERMISSION], "", false),
    ] {
        machine.tenant.grant_app(permissions);
        let ran = connect(&machine, &["--client-secret-stdin"], APP_SECRET).expect_code(0).expect_no_data();
        assert_eq!(ran.stderr.contains("warning: "), is_warned, "{}", ran.stderr);
        assert!(!ran.stderr.contains("nothing was sent"), "a token was asked for: {}", ran.stderr);
        ran.expect_said(&["Signed in as the application", needed]);
    }
}

#[test]
fn a_tenant_named_by_its_domain_is_kept_by_its_id() {
    let machine = Machine::new();
    let flags = ["connect", "--application", "--client-id", APP_ID, "--client-secret-stdin", "--tenant", HOME_DOMAIN];
    machine.run_with_input(&flags, APP_SECRET).expect_code(0).expect_said(&[HOME_TENANT]);
    machine.tenant.forget_requests();
    for flags in [&[][..], &["--tenant", HOME_DOMAIN], &["--tenant", HOME_TENANT]] {
        machine.run(&[&["products", "list"], flags].concat()).expect_code(0);
    }
    assert_eq!(machine.requests(), [LIST; 3]);
}

#[test]
fn a_saved_token_that_has_ended_names_the_whole_command() {
    for (profile, flags) in [("default", &[][..]), ("lab", &["--profile", "lab"])] {
        let machine = Machine::new();
        connect(&machine, &[&["--client-secret-stdin"], flags].concat(), APP_SECRET).expect_code(0);
        machine.tenant.forget_requests();
        machine.change_saved(|saved| {
            saved["profiles"][profile]["tenants"][HOME_TENANT]["expiresAt"] = "2020-01-01T00:00:00Z".into();
        });
        for command in [&["products", "list"][..], &["status"]] {
            let ran = machine.run(&[command, flags].concat()).expect_code(4).expect_no_data();
            let ran = ran.expect_said(&["ended at 2020-01-01", "cannot be renewed"]);
            let hint = ran.stderr.lines().find(|line| line.starts_with("hint: mscommerce connect")).unwrap();
            for part in [&[" --application"][..], &[" --client-id ", APP_ID], &[" --tenant ", HOME_TENANT], flags] {
                assert!(hint.contains(&part.join(if part == flags { " " } else { "" })), "{hint}");
            }
        }
        assert!(machine.requests().is_empty());
    }
}

#[test]
fn a_saved_token_serves_its_own_tenant_only() {
    let machine = connected();
    for command in [&["products", "list"][..], &["status"]] {
        let ran = machine.run(&[command, &["--tenant", CUSTOMER_DOMAIN]].concat()).expect_code(4).expect_no_data();
        ran.expect_said(&[HOME_TENANT, "--application", &format!("--tenant {CUSTOMER_DOMAIN}"), APP_ID]);
    }
    assert!(machine.requests().is_empty());
}

#[test]
fn a_saved_token_that_the_service_refuses_names_the_application_again() {
    let machine = connected();
    machine.tenant.revoke_access_tokens();
    let ran = machine.run(&["products", "list"]).expect_code(4).expect_no_data().expect_said(&["401"]);
    assert_eq!(machine.requests(), [LIST]);
    ran.expect_said(&["mscommerce connect --application", APP_ID]);
}

#[test]
fn disconnect_forgets_the_application() {
    let machine = connected();
    let token = machine.secrets().remove(0);
    machine.run(&["disconnect"]).expect_code(0);
    assert_eq!(machine.files_with(&token), Vec::<PathBuf>::new());
    machine.run(&["status"]).expect_code(4).expect_no_data();
}

#[cfg(unix)]
#[test]
fn a_secret_may_be_typed_without_being_seen() {
    let machine = Machine::new();
    let flags = ["connect", "--application", "--client-id", APP_ID, "--tenant", HOME_TENANT, "--client-secret-stdin"];
    let mut screen = crate::support::pty::Screen::run(machine.command(&flags));
    screen.expect("secret");
    screen.expect_hidden_input();
    screen.keys(&format!("{APP_SECRET}\n"));
    let left = screen.finish();
    assert_eq!(left.code, 0, "{}", left.shown);
    assert!(!left.shown.contains(APP_SECRET), "{}", left.shown);
}
