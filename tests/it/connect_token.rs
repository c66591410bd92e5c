//! An access token from elsewhere: `connect --with-token` and `MSCOMMERCE_TOKEN`.

use serde_json::{Value, json};

use crate::support::cli::CliResult;
use crate::support::env::TestEnv;
use crate::support::fixtures::LIST_PRODUCTS;
use crate::support::snapshot::Transcript;
use crate::tenant::{ADMIN, CUSTOMER_DOMAIN, CUSTOMER_TENANT, HOME_DOMAIN, HOME_TENANT, claims_of, jwt};

fn connect_with_token(env: &TestEnv, token: &str, more: &[&str]) -> CliResult {
    env.run_with_stdin(&[&["connect", "--with-token"], more].concat(), token)
}

/// A token with these claims replaced, or removed if null.
fn token_with(env: &TestEnv, changes: Value) -> String {
    let mut claims = claims_of(&env.tenant.issue_token(ADMIN, HOME_TENANT, 3600)).unwrap();
    let claims_map = claims.as_object_mut().unwrap();
    let Value::Object(changes) = changes else { panic!("changes are an object") };
    claims_map.extend(changes);
    claims_map.retain(|_, value| !value.is_null());
    jwt(&claims)
}

#[test]
fn with_token_saves_token_without_request() {
    let env = TestEnv::new();
    let token = env.tenant.issue_token(ADMIN, HOME_TENANT, 3600);
    cli_snapshot!(connect_with_token(&env, &format!("\n {token}\r\n"), &[]), @"
    exit_code: 0
    ----- stderr -----
    Signed in as admin@contoso.example to tenant 11111111-1111-4111-8111-111111111111.
    ");
    assert!(env.request_lines().is_empty());
    assert_eq!(env.cached_tokens(), std::slice::from_ref(&token));

    env.run(&["products", "list"]).assert_code(0);
    assert_eq!(env.request_lines(), [LIST_PRODUCTS]);
    let sent = env.tenant.requests()[0].header("authorization").unwrap().to_owned();
    assert_eq!(sent, format!("Bearer {token}"));
}

#[test]
fn cached_token_near_expiry_is_used() {
    let env = TestEnv::new();
    // A refreshable token would be refreshed within the last five minutes.
    connect_with_token(&env, &env.tenant.issue_token(ADMIN, HOME_TENANT, 100), &[]).assert_code(0);
    env.run(&["products", "list"]).assert_code(0);
    assert_eq!(env.request_lines(), [LIST_PRODUCTS]);
}

#[test]
fn with_token_expired_token_is_rejected() {
    let env = TestEnv::new();
    cli_snapshot!(connect_with_token(&env, &env.tenant.issue_token(ADMIN, HOME_TENANT, -60), &[]), @"
    exit_code: 4
    ----- stderr -----
    error: the token expired at [TIME]
      this machine's clock shows [TIME]; if the token is new, the clock may be wrong
    hint: provide a new token
    ");
    assert!(!env.cache_path().exists());
    assert!(env.request_lines().is_empty());
}

#[test]
fn with_token_invalid_input_is_usage_error() {
    let env = TestEnv::new();
    let token = env.tenant.issue_token(ADMIN, HOME_TENANT, 3600);
    let mut transcript = Transcript::default();
    for (name, input) in [
        ("empty", ""),
        ("empty line", "\n"),
        ("opaque", "opaque"),
        ("three segments", "a.b.c"),
        ("JWT without claims", "eyJhbGciOiJub25lIn0.e30."),
        ("with Bearer", &format!("Bearer {token}")),
        ("quoted", &format!("\"{token}\"")),
        ("two lines", &format!("{token}\n{token}")),
        ("JSON", &json!({"accessToken": token}).to_string()),
        ("JWT without exp", &token_with(&env, json!({"exp": null}))),
    ] {
        let result = transcript.push(name, connect_with_token(&env, input, &["-vvv"]));
        assert!(!result.stderr.contains(&token), "possible tokens are not repeated: {}", result.stderr);
    }
    cli_snapshot!(transcript, @"
    ===== empty =====
    ===== empty line =====
    exit_code: 2
    ----- stderr -----
    error: no access token: standard input is empty
    hint: az account get-access-token --resource aeb86249-8ea3-49e2-900b-54cc8e308f85 --query accessToken -o tsv | mscommerce connect --with-token
    ===== opaque =====
    ===== three segments =====
    ===== JWT without claims =====
    ===== with Bearer =====
    ===== quoted =====
    ===== two lines =====
    ===== JSON =====
    ===== JWT without exp =====
    exit_code: 2
    ----- stderr -----
    error: the input is not an Entra access token (JWT)
    hint: az account get-access-token --resource aeb86249-8ea3-49e2-900b-54cc8e308f85 --query accessToken -o tsv | mscommerce connect --with-token
    ");
    assert!(!env.cache_path().exists());
    assert!(env.request_lines().is_empty());
}

#[test]
fn with_token_other_audience_warns() {
    let env = TestEnv::new();
    cli_snapshot!(connect_with_token(&env, &token_with(&env, json!({"aud": "https://graph.example"})), &[]), @"
    exit_code: 0
    ----- stderr -----
    warning: the token is for https://graph.example, not for aeb86249-8ea3-49e2-900b-54cc8e308f85; the service may reject it
    Signed in as admin@contoso.example to tenant 11111111-1111-4111-8111-111111111111.
    ");
    // The first command shows the error of the service.
    cli_snapshot!(env.run(&["products", "list"]), @"
    exit_code: 4
    ----- stderr -----
    error: could not list the products: the service returned 401 Unauthorized
      Unauthorized: The audience is invalid.
      correlation ID: [UUID]
    hint: use a token for aeb86249-8ea3-49e2-900b-54cc8e308f85 (M365 License Manager); this one is for https://graph.example
    hint: mscommerce connect
    ");
}

#[test]
fn with_token_tenant_mismatch_is_usage_error() {
    let env = TestEnv::new();
    let token = env.tenant.issue_token(ADMIN, HOME_TENANT, 3600);
    cli_snapshot!(connect_with_token(&env, &token, &["--tenant", CUSTOMER_TENANT]), @"
    exit_code: 2
    ----- stderr -----
    error: --tenant specifies tenant 22222222-2222-4222-8222-222222222222, but the token is for 11111111-1111-4111-8111-111111111111; nothing was saved
    hint: omit --tenant, or provide a token for that tenant
    ");
    // Comparing a domain with an id would need a request.
    cli_snapshot!(connect_with_token(&env, &token, &["--tenant", HOME_DOMAIN]), @"
    exit_code: 2
    ----- stderr -----
    error: --tenant specifies contoso.example, which cannot be compared with the token's tenant 11111111-1111-4111-8111-111111111111; nothing was saved
    hint: omit --tenant, or use the tenant's ID
    ");
    assert!(!env.cache_path().exists());

    connect_with_token(&env, &token, &["--tenant", &HOME_TENANT.to_uppercase()]).assert_code(0);
    assert!(env.request_lines().is_empty());
}

#[test]
fn with_token_mismatch_names_azure_tenant_id() {
    let env = TestEnv::new();
    let token = env.tenant.issue_token(ADMIN, HOME_TENANT, 3600);
    let mut command = env.command(&["connect", "--with-token"]);
    command.env("AZURE_TENANT_ID", CUSTOMER_TENANT);
    cli_snapshot!(TestEnv::run_command_with_stdin(command, &token), @"
    exit_code: 2
    ----- stderr -----
    error: AZURE_TENANT_ID specifies tenant 22222222-2222-4222-8222-222222222222, but the token is for 11111111-1111-4111-8111-111111111111; nothing was saved
    hint: omit AZURE_TENANT_ID, or provide a token for that tenant
    ");
    assert!(!env.cache_path().exists());
}

#[test]
fn with_token_without_tid_needs_tenant_flag() {
    let env = TestEnv::new();
    let token = token_with(&env, json!({"tid": null}));
    cli_snapshot!(connect_with_token(&env, &token, &[]), @"
    exit_code: 4
    ----- stderr -----
    error: the token does not specify its tenant
    hint: mscommerce connect --with-token --tenant TENANT-ID
    ");
    assert!(!env.cache_path().exists());
    connect_with_token(&env, &token, &["--tenant", HOME_TENANT]).assert_code(0);
}

#[test]
fn expired_cached_token_error_message() {
    let env = TestEnv::new();
    connect_with_token(&env, &env.tenant.issue_token(ADMIN, HOME_TENANT, 3600), &[]).assert_code(0);
    env.edit_cache(|saved| {
        saved["profiles"]["default"]["tenants"][HOME_TENANT]["expiresAt"] = "2020-01-01T00:00:00Z".into();
    });
    let mut transcript = Transcript::default();
    for command in [&["products", "list"][..], &["status"]] {
        transcript.push(command.join(" "), env.run(command));
    }
    cli_snapshot!(transcript, @"
    ===== products list =====
    ===== status =====
    exit_code: 4
    ----- stderr -----
    error: the saved token expired at 2020-01-01T00:00:00Z and cannot be refreshed
      this machine's clock shows [TIME]; if the token is new, the clock may be wrong
    hint: mscommerce connect
    ");
    assert!(env.request_lines().is_empty(), "an expired token is reported without a call");
}

#[test]
fn cached_token_is_limited_to_its_tenant() {
    let env = TestEnv::new();
    connect_with_token(&env, &env.tenant.issue_token(ADMIN, HOME_TENANT, 3600), &[]).assert_code(0);
    let mut transcript = Transcript::default();
    for command in [&["products", "list", "--tenant", CUSTOMER_DOMAIN][..], &["status", "--tenant", CUSTOMER_DOMAIN]] {
        transcript.push(command.join(" "), env.run(command));
    }
    cli_snapshot!(transcript, @"
    ===== products list --tenant fabrikam.example =====
    ===== status --tenant fabrikam.example =====
    exit_code: 4
    ----- stderr -----
    error: the saved token is for tenant 11111111-1111-4111-8111-111111111111 and cannot be used for fabrikam.example
    hint: mscommerce connect --tenant fabrikam.example
    ");
    assert!(env.request_lines().is_empty());
    env.run(&["products", "list", "--tenant", HOME_TENANT]).assert_code(0);
}

#[test]
fn rejected_cached_token_is_not_refreshed() {
    let env = TestEnv::new();
    connect_with_token(&env, &env.tenant.issue_token(ADMIN, HOME_TENANT, 3600), &[]).assert_code(0);
    env.tenant.revoke_access_tokens();
    cli_snapshot!(env.run(&["products", "list"]), @"
    exit_code: 4
    ----- stderr -----
    error: could not list the products: the service returned 401 Unauthorized
      Unauthorized: The token has been revoked.
      correlation ID: [UUID]
    hint: mscommerce connect
    ");
    assert_eq!(env.request_lines(), [LIST_PRODUCTS], "there is no refresh token");
}

#[test]
fn token_variable_needs_no_state_directory() {
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
fn token_variable_takes_precedence_over_cache() {
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
fn expired_token_variable_sends_no_request() {
    // The cached credential must not silently replace the expired token.
    let env = TestEnv::signed_in();
    let token = env.tenant.issue_token(ADMIN, HOME_TENANT, -60);
    let mut transcript = Transcript::default();
    for command in [&["products", "list"][..], &["status"]] {
        transcript.push(command.join(" "), env.run_with_env(&[("MSCOMMERCE_TOKEN", &token)], command));
    }
    cli_snapshot!(transcript, @"
    ===== products list =====
    ===== status =====
    exit_code: 4
    ----- stderr -----
    error: the token in MSCOMMERCE_TOKEN expired at [TIME]
      this machine's clock shows [TIME]; if the token is new, the clock may be wrong
    hint: set MSCOMMERCE_TOKEN to a new token, or unset it to use a saved sign-in
    ");
    assert!(env.request_lines().is_empty());
}

#[test]
fn token_variable_tenant_mismatch_is_usage_error() {
    let env = TestEnv::new();
    let token = env.tenant.issue_token(ADMIN, HOME_TENANT, 3600);
    let variables = [("MSCOMMERCE_TOKEN", token.as_str())];
    let mut transcript = Transcript::default();
    for tenant in [CUSTOMER_TENANT, HOME_DOMAIN] {
        for command in [&["products", "list"][..], &["status"]] {
            let result = env.run_with_env(&variables, &[command, &["--tenant", tenant]].concat());
            transcript.push(format!("{} --tenant {tenant}", command.join(" ")), result);
        }
    }
    cli_snapshot!(transcript, @"
    ===== products list --tenant 22222222-2222-4222-8222-222222222222 =====
    ===== status --tenant 22222222-2222-4222-8222-222222222222 =====
    exit_code: 2
    ----- stderr -----
    error: --tenant 22222222-2222-4222-8222-222222222222 does not match MSCOMMERCE_TOKEN: the token is for tenant 11111111-1111-4111-8111-111111111111
    hint: omit --tenant, or unset MSCOMMERCE_TOKEN to use a saved sign-in
    ===== products list --tenant contoso.example =====
    ===== status --tenant contoso.example =====
    exit_code: 2
    ----- stderr -----
    error: --tenant contoso.example does not match MSCOMMERCE_TOKEN: the token is for tenant 11111111-1111-4111-8111-111111111111, which cannot be compared with a domain
    hint: omit --tenant, or unset MSCOMMERCE_TOKEN to use a saved sign-in
    ");
    assert!(env.request_lines().is_empty());
    for tenant in [HOME_TENANT.to_owned(), HOME_TENANT.to_uppercase()] {
        env.run_with_env(&variables, &["products", "list", "--tenant", &tenant]).assert_code(0);
    }
}

#[test]
fn invalid_token_variable_is_usage_error() {
    let env = TestEnv::new();
    let token = env.tenant.issue_token(ADMIN, HOME_TENANT, 3600);
    let mut transcript = Transcript::default();
    for (name, value) in [
        ("with Bearer", format!("Bearer {token}")),
        ("quoted", format!("\"{token}\"")),
        ("two lines", format!("{token}\n{token}")),
        ("not ASCII", "ä".to_owned()),
        ("not a JWT", "abc".to_owned()),
        ("without expiry", token_with(&env, json!({ "exp": null }))),
    ] {
        let result =
            transcript.push(name, env.run_with_env(&[("MSCOMMERCE_TOKEN", &value)], &["products", "list", "-v"]));
        assert!(!result.stderr.contains(&token), "{}", result.stderr);
    }
    cli_snapshot!(transcript, @"
    ===== with Bearer =====
    ===== quoted =====
    ===== two lines =====
    ===== not ASCII =====
    ===== not a JWT =====
    ===== without expiry =====
    exit_code: 2
    ----- stderr -----
    error: MSCOMMERCE_TOKEN is not an access token: a token is a JWT, without spaces, quotes or 'Bearer'
    hint: export MSCOMMERCE_TOKEN=$(az account get-access-token --resource aeb86249-8ea3-49e2-900b-54cc8e308f85 --query accessToken -o tsv)
    ");
    assert!(env.request_lines().is_empty());
}

#[test]
fn rejected_token_variable_is_not_refreshed() {
    // The cached credential must not replace the rejected token.
    let env = TestEnv::signed_in();
    let token = env.tenant.issue_token(ADMIN, HOME_TENANT, 3600);
    env.tenant.revoke_access_tokens();
    cli_snapshot!(env.run_with_env(&[("MSCOMMERCE_TOKEN", &token)], &["products", "list"]), @"
    exit_code: 4
    ----- stderr -----
    error: could not list the products: the service returned 401 Unauthorized
      Unauthorized: The token has been revoked.
      correlation ID: [UUID]
    hint: set MSCOMMERCE_TOKEN to a new token (this one may have been revoked), or unset it and run mscommerce connect
    ");
    assert_eq!(env.request_lines(), [LIST_PRODUCTS]);
}

#[test]
fn token_variable_without_tenant_does_not_fit_tenant_flag() {
    let env = TestEnv::new();
    let token = token_with(&env, json!({ "tid": null }));
    cli_snapshot!(env.run_with_env(&[("MSCOMMERCE_TOKEN", &token)], &["products", "list", "--tenant", HOME_TENANT]), @"
    exit_code: 2
    ----- stderr -----
    error: --tenant 11111111-1111-4111-8111-111111111111 does not match MSCOMMERCE_TOKEN: the token does not specify its tenant
    hint: omit --tenant, or unset MSCOMMERCE_TOKEN to use a saved sign-in
    ");
}
