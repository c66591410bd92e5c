//! `connect --application` saves the access token, but no credential of the application.

use serde_json::json;

use super::*;
use crate::support::fixtures::{HOME_TOKEN, LIST_PRODUCTS};
use crate::support::snapshot::Transcript;
use crate::tenant::{CHANGE_PERMISSION, CUSTOMER_DOMAIN, CUSTOMER_TENANT, HOME_DOMAIN, READ_PERMISSION};

#[test]
fn connect_application_with_each_credential() {
    let env = TestEnv::new();
    trust_the_issuer(&env);
    trust_github(&env);
    let pem = env.write("app.pem", both(&registered(&env)));
    let token = env.write("token", issued());
    for (flags, input, used) in [
        (&["--client-secret-stdin"][..], APP_SECRET, APP_SECRET),
        (&["--client-secret-stdin"], &format!(" {APP_SECRET}\r\n"), APP_SECRET),
        (&["--client-secret-stdin"], &format!("\u{feff}{APP_SECRET}\r\n"), APP_SECRET),
        (&["--certificate", &pem], "", APP_ID),
        (&["--certificate", "-"], &env.read("app.pem"), APP_ID),
        (&["--federated-token-file", &token], "", ISSUER),
        (&["--federated-token-file", "-"], &env.read("token"), ISSUER),
    ] {
        env.tenant.forget_requests();
        let result = connect(&env, flags, input).assert_code(0).stdout_is_empty();
        assert_eq!(result.stderr, format!("Signed in as application {APP_ID} to tenant {HOME_TENANT}.\n"));
        assert_eq!(env.request_lines(), [HOME_TOKEN]);
        assert_eq!(client_auth_used(&env), used);
        env.tenant.forget_requests();
        env.run(&["products", "list"]).assert_code(0);
        assert_eq!(env.request_lines(), [LIST_PRODUCTS]);
        let sent = env.tenant.requests()[0].bearer().map(str::to_owned);
        assert_eq!(env.cached_tokens(), [sent.unwrap()]);
        env.run(&["disconnect"]).assert_code(0);
    }
}

#[test]
fn connect_application_saves_access_token_only() {
    let env = connected();
    let mut saved = env.cache()["profiles"]["default"].clone();
    let token = saved["tenants"][HOME_TENANT]["accessToken"].take();
    assert!(token.is_string());
    assert!(saved["refreshToken"].is_null());
    assert_eq!((&saved["clientId"], &saved["method"]), (&json!(APP_ID), &json!("application")));
    assert_eq!(env.files_containing(APP_SECRET), Vec::<PathBuf>::new());
    // Encrypted on Windows.
    let expected = if cfg!(windows) { vec![] } else { vec![env.cache_path()] };
    assert_eq!(env.files_containing(token.as_str().unwrap()), expected);
}

#[test]
fn connect_application_flags_override_environment() {
    let env = TestEnv::new();
    trust_the_issuer(&env);
    let token = env.write("token", issued());
    let elsewhere = ("AZURE_TENANT_ID", CUSTOMER_TENANT);
    for (variables, flags, tenant, used) in [
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
        assert_eq!(client_auth_used(&env), used);
        assert_eq!(env.token_requests()[0].0, tenant);
        assert_eq!(env.cache()["profiles"]["default"]["tenantId"], tenant);
    }
}

#[test]
fn mscommerce_client_id_does_not_affect_application() {
    let env = TestEnv::new();
    let variables = [("MSCOMMERCE_CLIENT_ID", "another"), APP[0], APP[1], WITH_SECRET];
    env.run_with_env(&variables, &["connect", "--application"]).assert_code(0);
    assert_eq!(env.token_requests()[0].1["client_id"], APP_ID);
    env.tenant.forget_requests();
    env.run_with_env(&variables, &["products", "list"]).assert_code(0);
    assert_eq!(env.token_requests()[0].1["client_id"], APP_ID);
}

#[test]
fn status_shows_cached_application() {
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
            "source": "saved-sign-in",
            "clientId": APP_ID,
            "roles": roles,
            "expiresAt": null,
        });
        assert_eq!(status, expected);
        assert!(env.request_lines().is_empty());
    }
}

#[test]
fn connect_application_without_permission_warns() {
    let env = TestEnv::new();
    let mut transcript = Transcript::default();
    for permissions in [&[][..], &["Directory.Read.All"], &[READ_PERMISSION], &[CHANGE_PERMISSION]] {
        env.tenant.grant_app(permissions);
        transcript.push(format!("{permissions:?}"), connect(&env, &["--client-secret-stdin"], APP_SECRET));
    }
    cli_snapshot!(transcript, @r#"
    ===== [] =====
    exit_code: 0
    ----- stderr -----
    Signed in as application c0000000-0000-4000-8000-000000000001 to tenant 11111111-1111-4111-8111-111111111111.
    warning: application c0000000-0000-4000-8000-000000000001 cannot read self-service purchase settings: its token lacks the role Policy.Read.AllowSelfServicePurchase or Policy.ReadWrite.AllowSelfServicePurchase
      roles in the token: none
    hint: add the application permission Policy.Read.AllowSelfServicePurchase (5803e913-b904-44a0-9928-864642a45960) of M365 License Manager (aeb86249-8ea3-49e2-900b-54cc8e308f85) to the app registration, under API permissions
    hint: ask a Privileged Role Administrator or Global Administrator of the tenant to grant admin consent, then get a new token; existing tokens do not get the new role
    ===== ["Directory.Read.All"] =====
    exit_code: 0
    ----- stderr -----
    Signed in as application c0000000-0000-4000-8000-000000000001 to tenant 11111111-1111-4111-8111-111111111111.
    warning: application c0000000-0000-4000-8000-000000000001 cannot read self-service purchase settings: its token lacks the role Policy.Read.AllowSelfServicePurchase or Policy.ReadWrite.AllowSelfServicePurchase
      roles in the token: Directory.Read.All
    hint: add the application permission Policy.Read.AllowSelfServicePurchase (5803e913-b904-44a0-9928-864642a45960) of M365 License Manager (aeb86249-8ea3-49e2-900b-54cc8e308f85) to the app registration, under API permissions
    hint: ask a Privileged Role Administrator or Global Administrator of the tenant to grant admin consent, then get a new token; existing tokens do not get the new role
    ===== ["Policy.Read.AllowSelfServicePurchase"] =====
    exit_code: 0
    ----- stderr -----
    Signed in as application c0000000-0000-4000-8000-000000000001 to tenant 11111111-1111-4111-8111-111111111111.
    The sign-in is read-only: application c0000000-0000-4000-8000-000000000001 cannot change self-service purchase settings: its token lacks the role Policy.ReadWrite.AllowSelfServicePurchase.
    ===== ["Policy.ReadWrite.AllowSelfServicePurchase"] =====
    exit_code: 0
    ----- stderr -----
    Signed in as application c0000000-0000-4000-8000-000000000001 to tenant 11111111-1111-4111-8111-111111111111.
    "#);
}

#[test]
fn connect_application_by_domain_saves_tenant_id() {
    let env = TestEnv::new();
    let flags = ["connect", "--application", "--client-id", APP_ID, "--client-secret-stdin", "--tenant", HOME_DOMAIN];
    cli_snapshot!(env.run_with_stdin(&flags, APP_SECRET), @"
    exit_code: 0
    ----- stderr -----
    Signed in as application c0000000-0000-4000-8000-000000000001 to tenant 11111111-1111-4111-8111-111111111111.
    ");
    env.tenant.forget_requests();
    for flags in [&[][..], &["--tenant", HOME_DOMAIN], &["--tenant", HOME_TENANT]] {
        env.run(&[&["products", "list"], flags].concat()).assert_code(0);
    }
    assert_eq!(env.request_lines(), [LIST_PRODUCTS; 3]);
}

#[test]
fn expired_application_token_hint_has_full_command() {
    let mut transcript = Transcript::default();
    for (profile, flags) in [("default", &[][..]), ("lab", &["--profile", "lab"])] {
        let env = TestEnv::new();
        connect(&env, &[&["--client-secret-stdin"], flags].concat(), APP_SECRET).assert_code(0);
        env.tenant.forget_requests();
        env.edit_cache(|cache| {
            cache["profiles"][profile]["tenants"][HOME_TENANT]["expiresAt"] = "2020-01-01T00:00:00Z".into();
        });
        for command in [&["products", "list"][..], &["status"]] {
            transcript.push(format!("{profile}: {}", command.join(" ")), env.run(&[command, flags].concat()));
        }
        assert!(env.request_lines().is_empty());
    }
    cli_snapshot!(transcript, @"
    ===== default: products list =====
    ===== default: status =====
    exit_code: 4
    ----- stderr -----
    error: the saved token expired at 2020-01-01T00:00:00Z and cannot be refreshed
      this machine's clock shows [TIME]; if the token is new, the clock may be wrong
    hint: mscommerce connect --application --tenant 11111111-1111-4111-8111-111111111111 --client-id c0000000-0000-4000-8000-000000000001 --certificate FILE (or another credential option)
    ===== lab: products list =====
    ===== lab: status =====
    exit_code: 4
    ----- stderr -----
    error: the saved token expired at 2020-01-01T00:00:00Z and cannot be refreshed
      this machine's clock shows [TIME]; if the token is new, the clock may be wrong
    hint: mscommerce connect --application --profile lab --tenant 11111111-1111-4111-8111-111111111111 --client-id c0000000-0000-4000-8000-000000000001 --certificate FILE (or another credential option)
    ");
}

#[test]
fn cached_application_token_is_limited_to_its_tenant() {
    let env = connected();
    let mut transcript = Transcript::default();
    for command in [&["products", "list"][..], &["status"]] {
        transcript.push(command.join(" "), env.run(&[command, &["--tenant", CUSTOMER_DOMAIN]].concat()));
    }
    cli_snapshot!(transcript, @"
    ===== products list =====
    ===== status =====
    exit_code: 4
    ----- stderr -----
    error: the saved token is for tenant 11111111-1111-4111-8111-111111111111 and cannot be used for fabrikam.example
    hint: mscommerce connect --application --tenant fabrikam.example --client-id c0000000-0000-4000-8000-000000000001 --certificate FILE (or another credential option)
    ");
    assert!(env.request_lines().is_empty());
}

#[test]
fn rejected_application_token_hint_has_client_id() {
    let env = connected();
    env.tenant.revoke_access_tokens();
    cli_snapshot!(env.run(&["products", "list"]), @"
    exit_code: 4
    ----- stderr -----
    error: could not list the products: the service returned 401 Unauthorized
      Unauthorized: The token has been revoked.
      correlation ID: [UUID]
    hint: sign in as a user if this persists; it is not verified that the service accepts applications
    hint: mscommerce connect --application --tenant 11111111-1111-4111-8111-111111111111 --client-id c0000000-0000-4000-8000-000000000001 --certificate FILE (or another credential option)
    ");
    assert_eq!(env.request_lines(), [LIST_PRODUCTS]);
}

#[test]
fn disconnect_removes_application_token() {
    let env = connected();
    let token = env.cached_tokens().remove(0);
    env.run(&["disconnect"]).assert_code(0);
    assert_eq!(env.files_containing(&token), Vec::<PathBuf>::new());
    env.run(&["status"]).assert_code(4).stdout_is_empty();
}

#[cfg(unix)]
#[test]
fn client_secret_prompt_does_not_echo() {
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
