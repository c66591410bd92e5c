//! `connect --application` saves the access token, and nothing that the application proves itself with.

use serde_json::json;

use super::*;
use crate::support::fixtures::{HOME_TOKEN, LIST_PRODUCTS};
use crate::tenant::{CHANGE_PERMISSION, CUSTOMER_DOMAIN, CUSTOMER_TENANT, HOME_DOMAIN, READ_PERMISSION};

#[test]
fn each_proof_signs_in_and_the_token_serves_from_then_on() {
    let env = TestEnv::new();
    trust_the_issuer(&env);
    trust_github(&env);
    let pem = env.write("app.pem", both(&registered(&env)));
    let token = env.write("token", issued());
    for (flags, input, proof) in [
        (&["--client-secret-stdin"][..], APP_SECRET, APP_SECRET),
        (&["--client-secret-stdin"], &format!(" {APP_SECRET}\r\n"), APP_SECRET),
        (&["--certificate", &pem], "", APP_ID),
        (&["--federated-token-file", &token], "", ISSUER),
    ] {
        env.tenant.forget_requests();
        let result = connect(&env, flags, input).assert_code(0).stdout_is_empty();
        assert_eq!(result.stderr, format!("Signed in as the application {APP_ID} to the tenant {HOME_TENANT}.\n"));
        assert_eq!(env.request_lines(), [HOME_TOKEN]);
        assert_eq!(kind_of_proof(&env), proof);
        env.tenant.forget_requests();
        env.run(&["products", "list"]).assert_code(0);
        assert_eq!(env.request_lines(), [LIST_PRODUCTS]);
        let sent = env.tenant.requests()[0].bearer().map(str::to_owned);
        assert_eq!(env.cached_tokens(), [sent.unwrap()]);
        env.run(&["disconnect"]).assert_code(0);
    }
}

#[test]
fn what_is_saved_is_the_access_token_alone() {
    let env = connected();
    let mut saved = env.cache()["profiles"]["default"].clone();
    let token = saved["tenants"][HOME_TENANT]["accessToken"].take();
    assert!(token.is_string());
    assert!(saved["refreshToken"].is_null());
    assert_eq!((&saved["clientId"], &saved["method"]), (&json!(APP_ID), &json!("application")));
    assert_eq!(env.files_containing(APP_SECRET), Vec::<PathBuf>::new());
    // Windows seals the file.
    let shows = if cfg!(windows) { vec![] } else { vec![env.cache_path()] };
    assert_eq!(env.files_containing(token.as_str().unwrap()), shows);
}

#[test]
fn the_environment_names_what_the_flags_do_not() {
    let env = TestEnv::new();
    trust_the_issuer(&env);
    let token = env.write("token", issued());
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
        env.tenant.forget_requests();
        env.run_with_env(variables, &[&["connect", "--application"], flags].concat()).assert_code(0);
        assert_eq!(kind_of_proof(&env), proof);
        assert_eq!(env.token_requests()[0].0, tenant);
        assert_eq!(env.cache()["profiles"]["default"]["tenantId"], tenant);
    }
}

#[test]
fn the_public_clients_own_variable_is_not_the_applications() {
    let env = TestEnv::new();
    let variables = [("MSCOMMERCE_CLIENT_ID", "another"), APP[0], APP[1], WITH_SECRET];
    env.run_with_env(&variables, &["connect", "--application"]).assert_code(0);
    assert_eq!(env.token_requests()[0].1["client_id"], APP_ID);
    env.tenant.forget_requests();
    env.run_with_env(&variables, &["products", "list"]).assert_code(0);
    assert_eq!(env.token_requests()[0].1["client_id"], APP_ID);
}

#[test]
fn status_shows_the_application_that_signed_in() {
    let env = connected();
    for (permissions, roles) in [(&[CHANGE_PERMISSION][..], json!([CHANGE_PERMISSION])), (&[], json!([]))] {
        env.tenant.grant_app(permissions);
        connect(&env, &["--client-secret-stdin"], APP_SECRET).assert_code(0);
        env.tenant.forget_requests();
        let result = env.run(&["status", "-o", "json"]).assert_code(0);
        assert_eq!(result.stderr, "");
        let mut status = result.json();
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
        assert!(env.request_lines().is_empty());
    }
}

#[test]
fn without_the_permission_it_is_a_success_with_a_warning() {
    let env = TestEnv::new();
    for (permissions, needed, is_warned) in [
        (&[][..], READ_PERMISSION, true),
        (&["Directory.Read.All"], READ_PERMISSION, true),
        (&[READ_PERMISSION], CHANGE_PERMISSION, false),
        (&[CHANGE_PERMISSION], "", false),
    ] {
        env.tenant.grant_app(permissions);
        let result = connect(&env, &["--client-secret-stdin"], APP_SECRET).assert_code(0).stdout_is_empty();
        assert_eq!(result.stderr.contains("warning: "), is_warned, "{}", result.stderr);
        assert!(!result.stderr.contains("nothing was sent"), "a token was asked for: {}", result.stderr);
        result.stderr_contains(&["Signed in as the application", needed]);
    }
}

#[test]
fn a_tenant_named_by_its_domain_is_kept_by_its_id() {
    let env = TestEnv::new();
    let flags = ["connect", "--application", "--client-id", APP_ID, "--client-secret-stdin", "--tenant", HOME_DOMAIN];
    env.run_with_stdin(&flags, APP_SECRET).assert_code(0).stderr_contains(&[HOME_TENANT]);
    env.tenant.forget_requests();
    for flags in [&[][..], &["--tenant", HOME_DOMAIN], &["--tenant", HOME_TENANT]] {
        env.run(&[&["products", "list"], flags].concat()).assert_code(0);
    }
    assert_eq!(env.request_lines(), [LIST_PRODUCTS; 3]);
}

#[test]
fn a_saved_token_that_has_ended_names_the_whole_command() {
    for (profile, flags) in [("default", &[][..]), ("lab", &["--profile", "lab"])] {
        let env = TestEnv::new();
        connect(&env, &[&["--client-secret-stdin"], flags].concat(), APP_SECRET).assert_code(0);
        env.tenant.forget_requests();
        env.edit_cache(|saved| {
            saved["profiles"][profile]["tenants"][HOME_TENANT]["expiresAt"] = "2020-01-01T00:00:00Z".into();
        });
        for command in [&["products", "list"][..], &["status"]] {
            let result = env.run(&[command, flags].concat()).assert_code(4).stdout_is_empty();
            let result = result.stderr_contains(&["ended at 2020-01-01", "cannot be renewed"]);
            let hint = result.stderr.lines().find(|line| line.starts_with("hint: mscommerce connect")).unwrap();
            for part in [&[" --application"][..], &[" --client-id ", APP_ID], &[" --tenant ", HOME_TENANT], flags] {
                assert!(hint.contains(&part.join(if part == flags { " " } else { "" })), "{hint}");
            }
        }
        assert!(env.request_lines().is_empty());
    }
}

#[test]
fn a_saved_token_serves_its_own_tenant_only() {
    let env = connected();
    for command in [&["products", "list"][..], &["status"]] {
        let result = env.run(&[command, &["--tenant", CUSTOMER_DOMAIN]].concat()).assert_code(4).stdout_is_empty();
        result.stderr_contains(&[HOME_TENANT, "--application", &format!("--tenant {CUSTOMER_DOMAIN}"), APP_ID]);
    }
    assert!(env.request_lines().is_empty());
}

#[test]
fn a_saved_token_that_the_service_refuses_names_the_application_again() {
    let env = connected();
    env.tenant.revoke_access_tokens();
    let result = env.run(&["products", "list"]).assert_code(4).stdout_is_empty().stderr_contains(&["401"]);
    assert_eq!(env.request_lines(), [LIST_PRODUCTS]);
    result.stderr_contains(&["mscommerce connect --application", APP_ID]);
}

#[test]
fn disconnect_forgets_the_application() {
    let env = connected();
    let token = env.cached_tokens().remove(0);
    env.run(&["disconnect"]).assert_code(0);
    assert_eq!(env.files_containing(&token), Vec::<PathBuf>::new());
    env.run(&["status"]).assert_code(4).stdout_is_empty();
}

#[cfg(unix)]
#[test]
fn a_secret_may_be_typed_without_being_seen() {
    let env = TestEnv::new();
    let flags = ["connect", "--application", "--client-id", APP_ID, "--tenant", HOME_TENANT, "--client-secret-stdin"];
    let mut session = crate::support::pty::PtySession::run(env.command(&flags));
    session.expect("secret");
    session.expect_hidden_input();
    session.type_keys(&format!("{APP_SECRET}\n"));
    let output = session.finish();
    assert_eq!(output.code, 0, "{}", output.screen);
    assert!(!output.screen.contains(APP_SECRET), "{}", output.screen);
}
