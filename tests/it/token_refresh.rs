//! Cached credentials: refreshing the access token, use at other tenants, and rejected tokens.

use std::fs::File;

use serde_json::json;

use crate::support::cli::CliResult;
use crate::support::env::TestEnv;
use crate::support::fixtures::{HOME_TOKEN, LIST_NOTE, LIST_PRODUCTS};
use crate::support::snapshot::Transcript;
use crate::tenant::{
    ADMIN, CLIENT_ID, CUSTOMER_DOMAIN, CUSTOMER_TENANT, HOME_DOMAIN, HOME_TENANT, PASSWORD, Response, SCOPE,
};

fn list(env: &TestEnv, more: &[&str]) -> CliResult {
    env.run(&[&["products", "list"], more].concat())
}

fn refresh_token(env: &TestEnv) -> String {
    env.cache()["profiles"]["default"]["refreshToken"].as_str().unwrap().to_owned()
}

#[test]
fn fresh_cached_token_is_used_unchanged() {
    let env = TestEnv::signed_in();
    let before = env.cache();
    for _ in 0..2 {
        env.tenant.forget_requests();
        let result = list(&env, &[]).assert_code(0);
        assert_eq!(result.stderr, LIST_NOTE);
        assert_eq!(env.request_lines(), [LIST_PRODUCTS]);
    }
    let sent = env.tenant.requests()[0].header("authorization").unwrap().to_owned();
    let token = &before["profiles"]["default"]["tenants"][HOME_TENANT]["accessToken"];
    assert_eq!(sent, format!("Bearer {}", token.as_str().unwrap()));
    assert_eq!(env.cache(), before);
}

#[test]
fn token_near_expiry_is_refreshed_silently() {
    let env = TestEnv::with_expiring_token();
    let first = refresh_token(&env);
    let result = list(&env, &[]).assert_code(0);
    assert_eq!(result.stderr, LIST_NOTE, "no output");
    assert_eq!(env.request_lines(), [HOME_TOKEN, LIST_PRODUCTS]);

    let (_, form) = &env.token_requests()[0];
    let mut scopes: Vec<_> = form["scope"].split(' ').collect();
    scopes.sort_unstable();
    assert_eq!(scopes, [SCOPE, "offline_access", "openid", "profile"]);
    assert_eq!(form["grant_type"], "refresh_token");
    assert_eq!(form["client_id"], CLIENT_ID);
    assert_eq!(form["refresh_token"], first);
    let token = env.cache()["profiles"]["default"]["tenants"][HOME_TENANT]["accessToken"].clone();
    let sent = env.tenant.requests()[1].header("authorization").unwrap().to_owned();
    assert_eq!(sent, format!("Bearer {}", token.as_str().unwrap()), "the new token is saved and sent");

    env.tenant.forget_requests();
    list(&env, &[]).assert_code(0);
    assert_eq!(env.request_lines(), [LIST_PRODUCTS]);
}

#[test]
fn token_with_over_five_minutes_is_not_refreshed() {
    let env = TestEnv::signed_in();
    // Ten seconds above the limit, for a slow machine.
    env.edit_cache(|cache| {
        let token = &mut cache["profiles"]["default"]["tenants"][HOME_TENANT];
        token["expiresAt"] = (chrono::Utc::now() + chrono::Duration::seconds(310)).to_rfc3339().into();
    });
    list(&env, &[]).assert_code(0);
    assert_eq!(env.request_lines(), [LIST_PRODUCTS]);
}

/// Entra's policies for token lifetimes allow ten minutes and more; other issuers have less.
#[test]
fn short_lived_token_is_used_until_shortly_before_its_end() {
    for lifetime in [150, 300, 400] {
        let env = TestEnv::new();
        env.tenant.set_token_lifetime(lifetime);
        env.sign_in(ADMIN);
        list(&env, &[]).assert_code(0);
        env.run(&["products", "update", "--all", "--value", "disabled", "--yes"]).assert_code(0);
        assert_eq!(env.token_requests(), [], "{lifetime}");
        // As if nine tenths of its lifetime were over.
        env.edit_cache(|cache| {
            let token = &mut cache["profiles"]["default"]["tenants"][HOME_TENANT];
            let passed = chrono::Duration::seconds(lifetime * 9 / 10);
            for field in ["expiresAt", "refreshAt"] {
                let time: chrono::DateTime<chrono::Utc> = token[field].as_str().unwrap().parse().unwrap();
                token[field] = (time - passed).to_rfc3339().into();
            }
        });
        list(&env, &[]).assert_code(0);
        assert_eq!(env.token_requests().len(), 1, "{lifetime}");
        list(&env, &[]).assert_code(0);
        assert_eq!(env.token_requests().len(), 1, "{lifetime}");
    }
}

#[test]
fn refresh_replaces_refresh_token() {
    let env = TestEnv::signed_in();
    let mut used = Vec::new();
    for _ in 0..3 {
        env.expire_tokens_soon();
        used.push(refresh_token(&env));
        env.tenant.forget_requests();
        list(&env, &[]).assert_code(0);
        assert_eq!(env.token_requests()[0].1["refresh_token"], used[used.len() - 1]);
    }
    for token in used {
        assert_eq!(env.files_containing(&token), Vec::<std::path::PathBuf>::new());
    }
}

#[test]
fn refresh_without_new_token_keeps_refresh_token() {
    let env = TestEnv::with_expiring_token();
    let first = refresh_token(&env);
    let token = env.tenant.issue_token(ADMIN, HOME_TENANT, 3600);
    let mut response = json!({"token_type": "Bearer", "expires_in": 3600, "access_token": token});
    for empty in [None, Some("")] {
        if let Some(empty) = empty {
            response["refresh_token"] = empty.into();
        }
        env.expire_tokens_soon();
        env.tenant.fail_next("/token", Response::json(200, &response));
        list(&env, &[]).assert_code(0);
        assert_eq!(refresh_token(&env), first);
        assert_eq!(env.cache()["profiles"]["default"]["account"], ADMIN);
    }
}

#[test]
fn update_refreshes_expiring_token_once() {
    let env = TestEnv::with_expiring_token();
    env.run(&["product", "update", "CFQ7TTC0H9MP", "--value", "disabled"]).assert_code(0);
    assert_eq!(env.token_requests().len(), 1);
    assert_eq!(env.request_lines().len(), 3, "{:?}", env.request_lines());
    assert_eq!(env.tenant.value("CFQ7TTC0H9MP"), "Disabled");
}

#[test]
fn refresh_ignores_environment_variables() {
    let env = TestEnv::with_expiring_token();
    let elsewhere = [
        ("AZURE_AUTHORITY_HOST", "https://login.invalid"),
        ("AZURE_TENANT_ID", CUSTOMER_TENANT),
        ("MSCOMMERCE_CLIENT_ID", "another"),
        ("MSCOMMERCE_SCOPE", "another/.default"),
    ];
    env.run_with_env(&elsewhere, &["products", "list"]).assert_code(0);
    assert_eq!(env.request_lines(), [HOME_TOKEN, LIST_PRODUCTS]);
    let (_, form) = &env.token_requests()[0];
    assert_eq!(form["client_id"], CLIENT_ID);
    assert!(form["scope"].contains(SCOPE));
}

#[test]
fn azure_tenant_id_does_not_affect_cached_profile() {
    let env = TestEnv::signed_in();
    for tenant in [CUSTOMER_TENANT, "no tenant at all"] {
        env.tenant.forget_requests();
        env.run_with_env(&[("AZURE_TENANT_ID", tenant)], &["products", "list"]).assert_code(0);
        assert_eq!(env.request_lines(), [LIST_PRODUCTS]);
    }
    let status = env.run_with_env(&[("AZURE_TENANT_ID", CUSTOMER_TENANT)], &["status", "-o", "json"]).json();
    assert_eq!(status["tenantId"], HOME_TENANT);
}

#[test]
fn refresh_token_works_at_tenant_by_domain() {
    let env = TestEnv::signed_in();
    let before = env.cache();
    let first = refresh_token(&env);
    let at_customer = list(&env, &["--tenant", "Fabrikam.EXAMPLE", "-o", "json"]).assert_code(0).json();
    assert_eq!(env.request_lines(), [format!("POST /{CUSTOMER_DOMAIN}/oauth2/v2.0/token"), LIST_PRODUCTS.to_owned()]);
    assert_eq!(env.token_requests()[0].1["refresh_token"], first);
    let value = |listed: &serde_json::Value| {
        listed.as_array().unwrap().iter().find(|item| item["id"] == "CFQ7TTC0H6RP").unwrap()["policyValue"].clone()
    };
    assert_eq!(value(&at_customer), "Enabled", "the customer's value, not the home tenant's");

    // The cache now knows both names of the tenant.
    for name in [CUSTOMER_DOMAIN, CUSTOMER_TENANT, &CUSTOMER_TENANT.to_uppercase()] {
        env.tenant.forget_requests();
        list(&env, &["--tenant", name]).assert_code(0);
        assert_eq!(env.request_lines(), [LIST_PRODUCTS], "{name}");
    }
    let after = env.cache();
    let (before, after) = (&before["profiles"]["default"], &after["profiles"]["default"]);
    for kept in ["tenantId", "account", "method", "authority", "clientId", "scope"] {
        assert_eq!(before[kept], after[kept]);
    }
    assert_eq!(before["tenants"][HOME_TENANT], after["tenants"][HOME_TENANT], "the home tenant is unchanged");
    assert_ne!(after["refreshToken"], first, "all tenants share the newest refresh token");

    env.tenant.forget_requests();
    let at_home = list(&env, &["-o", "json"]).assert_code(0).json();
    assert_eq!(env.request_lines(), [LIST_PRODUCTS]);
    assert_eq!(value(&at_home), "Disabled");
}

#[test]
fn refresh_token_works_at_tenant_by_id() {
    let env = TestEnv::signed_in();
    list(&env, &["--tenant", CUSTOMER_TENANT]).assert_code(0);
    assert_eq!(env.request_lines(), [format!("POST /{CUSTOMER_TENANT}/oauth2/v2.0/token"), LIST_PRODUCTS.to_owned()]);
    env.tenant.forget_requests();
    list(&env, &["--tenant", CUSTOMER_TENANT]).assert_code(0);
    assert_eq!(env.request_lines(), [LIST_PRODUCTS]);
}

#[test]
fn home_tenant_can_be_named() {
    let env = TestEnv::signed_in();
    list(&env, &["--tenant", HOME_TENANT]).assert_code(0);
    assert_eq!(env.request_lines(), [LIST_PRODUCTS]);
    // Resolving a domain takes one token request.
    list(&env, &["--tenant", HOME_DOMAIN]).assert_code(0);
    env.tenant.forget_requests();
    list(&env, &["--tenant", HOME_DOMAIN]).assert_code(0);
    assert_eq!(env.request_lines(), [LIST_PRODUCTS]);
    let saved = env.cache();
    assert_eq!(saved["profiles"]["default"]["tenants"].as_object().unwrap().len(), 1);
}

#[test]
fn update_with_tenant_changes_that_tenant_only() {
    let env = TestEnv::signed_in();
    env.run(&["product", "update", "CFQ7TTC0HDB0", "--value", "disabled", "--tenant", CUSTOMER_DOMAIN]).assert_code(0);
    assert_eq!(env.tenant.value_in(CUSTOMER_TENANT, "CFQ7TTC0HDB0"), "Disabled");
    assert_eq!(env.tenant.value_in(HOME_TENANT, "CFQ7TTC0HDB0"), "Enabled");
}

#[test]
fn unknown_tenant_error_lists_known_tenants() {
    let env = TestEnv::signed_in();
    list(&env, &["--tenant", CUSTOMER_DOMAIN]).assert_code(0);
    let before = env.cache();
    env.tenant.forget_requests();
    cli_snapshot!(list(&env, &["--tenant", "nowhere.example"]), @"
    exit_code: 4
    ----- stderr -----
    error: could not refresh the saved sign-in for tenant nowhere.example: the tenant does not exist in this cloud
      AADSTS90002: Tenant 'nowhere.example' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. (invalid_request)
      correlation ID: [UUID], trace ID: [UUID]
      tenants used with this sign-in: 11111111-1111-4111-8111-111111111111, fabrikam.example (22222222-2222-4222-8222-222222222222)
    hint: check the tenant (--tenant, or AZURE_TENANT_ID for connect), and set AZURE_AUTHORITY_HOST for a national cloud
    ");
    assert_eq!(env.request_lines().len(), 1);
    assert_eq!(env.cache(), before);
}

#[test]
fn refresh_error_at_one_tenant_keeps_others() {
    let env = TestEnv::signed_in();
    let error_body = json!({"error": "invalid_grant", "error_description": "AADSTS50173: x", "error_codes": [50173]});
    env.tenant.fail_next(CUSTOMER_DOMAIN, Response::json(400, &error_body));
    list(&env, &["--tenant", CUSTOMER_DOMAIN]).assert_code(4);
    list(&env, &[]).assert_code(0);
}

#[test]
fn refresh_error_hint_repeats_tenant() {
    let env = TestEnv::signed_in();
    // The customer requires MFA, the home tenant does not.
    let error_body = json!({
        "error": "interaction_required",
        "error_description": "AADSTS50076: You must use multi-factor authentication to access 'x'.",
        "error_codes": [50076],
    });
    env.tenant.fail_next(CUSTOMER_DOMAIN, Response::json(400, &error_body));
    cli_snapshot!(list(&env, &["--tenant", CUSTOMER_DOMAIN]), @"
    exit_code: 4
    ----- stderr -----
    error: could not refresh the saved sign-in for tenant fabrikam.example: multi-factor authentication is required; sign in with a browser
      AADSTS50076: You must use multi-factor authentication to access 'x'. (interaction_required)
      tenants used with this sign-in: 11111111-1111-4111-8111-111111111111
    hint: mscommerce connect --tenant fabrikam.example
    ");
}

#[test]
fn status_401_refreshes_token_and_retries() {
    let env = TestEnv::signed_in();
    env.tenant.revoke_access_tokens();
    let result = list(&env, &[]).assert_code(0);
    assert_eq!(result.stderr, LIST_NOTE);
    assert_eq!(env.request_lines(), [LIST_PRODUCTS, HOME_TOKEN, LIST_PRODUCTS]);
    let requests = env.tenant.requests();
    let header = |index: usize, name: &str| requests[index].header(name).unwrap().to_owned();
    assert_ne!(header(0, "authorization"), header(2, "authorization"));
    assert_ne!(header(0, "x-ms-correlation-id"), header(2, "x-ms-correlation-id"), "each attempt has its own id");

    env.tenant.forget_requests();
    list(&env, &[]).assert_code(0);
    assert_eq!(env.request_lines(), [LIST_PRODUCTS]);
}

#[test]
fn status_401_refreshes_token_at_same_tenant() {
    let env = TestEnv::signed_in();
    list(&env, &["--tenant", CUSTOMER_DOMAIN]).assert_code(0);
    env.tenant.forget_requests();
    env.tenant.revoke_access_tokens();
    list(&env, &["--tenant", CUSTOMER_DOMAIN]).assert_code(0);
    assert_eq!(
        env.request_lines(),
        [LIST_PRODUCTS.to_owned(), format!("POST /{CUSTOMER_TENANT}/oauth2/v2.0/token"), LIST_PRODUCTS.to_owned()]
    );
}

#[test]
fn update_401_is_retried_after_refresh() {
    let env = TestEnv::signed_in();
    let error_body = json!({"errorCode": "Unauthorized", "reason": "The token is expired."});
    env.tenant.fail_next("PUT", Response::json(401, &error_body));
    env.run(&["product", "update", "CFQ7TTC0H9MP", "--value", "disabled"]).assert_code(0);
    let methods: Vec<_> = env.tenant.requests().into_iter().map(|request| request.method).collect();
    assert_eq!(methods, ["GET", "PUT", "POST", "PUT"]);
}

#[test]
fn status_401_after_refresh_asks_to_sign_in() {
    let env = TestEnv::signed_in();
    for _ in 0..2 {
        let error_body = json!({"errorCode": "Unauthorized", "reason": "The token is invalid."});
        env.tenant.fail_next("GET", Response::json(401, &error_body));
    }
    cli_snapshot!(list(&env, &[]), @"
    exit_code: 4
    ----- stderr -----
    error: could not list the products: the service returned 401 Unauthorized
      Unauthorized: The token is invalid.
      correlation ID: [UUID]
    hint: mscommerce connect
    ");
    assert_eq!(env.request_lines(), [LIST_PRODUCTS, HOME_TOKEN, LIST_PRODUCTS]);
}

#[test]
fn revoked_refresh_token_keeps_cache() {
    let mut transcript = Transcript::default();
    for profile in [None, Some("work")] {
        let env = TestEnv::new();
        let flags = profile.map_or_else(Vec::new, |profile| vec!["--profile", profile]);
        let connect = [&["connect", "--username", ADMIN, "--password-stdin"], flags.as_slice()].concat();
        env.run_with_stdin(&connect, PASSWORD).assert_code(0);
        env.expire_tokens_soon();
        env.tenant.forget_requests();
        env.tenant.revoke_refresh_tokens();
        let before = env.cache();
        transcript.push(profile.unwrap_or("default profile"), list(&env, &flags));
        assert_eq!(env.request_lines(), [HOME_TOKEN], "a rejected refresh is not retried");
        assert_eq!(env.cache(), before);
    }
    cli_snapshot!(transcript, @"
    ===== default profile =====
    exit_code: 4
    ----- stderr -----
    error: could not refresh the saved sign-in for tenant 11111111-1111-4111-8111-111111111111: the saved sign-in has expired or was revoked
      AADSTS50173: The provided grant has expired due to it being revoked, a fresh auth token is needed. (invalid_grant, bad_token)
      correlation ID: [UUID], trace ID: [UUID]
    hint: mscommerce connect
    ===== work =====
    exit_code: 4
    ----- stderr -----
    error: could not refresh the saved sign-in for tenant 11111111-1111-4111-8111-111111111111: the saved sign-in has expired or was revoked
      AADSTS50173: The provided grant has expired due to it being revoked, a fresh auth token is needed. (invalid_grant, bad_token)
      correlation ID: [UUID], trace ID: [UUID]
    hint: mscommerce connect --profile work
    ");
}

#[test]
fn refresh_503_is_a_network_error() {
    let env = TestEnv::with_expiring_token();
    let before = env.cache();
    env.tenant.fail_next("/token", Response::text(503, "text/plain", "busy"));
    cli_snapshot!(list(&env, &[]), @"
    exit_code: 1
    ----- stderr -----
    error: could not refresh the saved sign-in for tenant 11111111-1111-4111-8111-111111111111: 127.0.0.1:[PORT] returned 503 Service Unavailable
      busy
    hint: try again in a minute
    ");
    assert_eq!(env.cache(), before);
    list(&env, &[]).assert_code(0);
}

#[test]
fn concurrent_processes_refresh_once() {
    let env = TestEnv::with_expiring_token();
    let children: Vec<_> = (0..6).map(|_| env.command(&["products", "list"]).spawn().unwrap()).collect();
    for child in children {
        let result = CliResult::from(child.wait_with_output().unwrap()).assert_code(0);
        assert_eq!(result.stderr, LIST_NOTE);
    }
    assert_eq!(env.token_requests().len(), 1);
    assert_eq!(env.request_lines().len(), 7);
}

#[test]
fn concurrent_processes_keep_all_tenant_tokens() {
    let env = TestEnv::with_expiring_token();
    let tenants = [HOME_TENANT, CUSTOMER_TENANT, CUSTOMER_DOMAIN, HOME_DOMAIN];
    let children = tenants.map(|tenant| env.command(&["products", "list", "--tenant", tenant]).spawn().unwrap());
    for child in children {
        CliResult::from(child.wait_with_output().unwrap()).assert_code(0);
    }
    env.tenant.forget_requests();
    for tenant in tenants {
        list(&env, &["--tenant", tenant]).assert_code(0);
    }
    assert_eq!(env.token_requests(), [], "every token was saved");
}

#[test]
fn reading_the_cache_needs_no_lock() {
    let env = TestEnv::signed_in();
    let lock = File::options().write(true).create(true).truncate(false).open(env.state_dir().join("sign-ins.lock"));
    let lock = lock.unwrap();
    lock.lock().unwrap();
    list(&env, &["--timeout", "5"]).assert_code(0);
    env.run(&["status", "--timeout", "5"]).assert_code(0);
}

#[test]
fn cache_lock_timeout_error_message() {
    let env = TestEnv::with_expiring_token();
    let lock = File::options().write(true).open(env.state_dir().join("sign-ins.lock")).unwrap();
    lock.lock().unwrap();
    let mut transcript = Transcript::default();
    for command in [&["connect", "--device-code"][..], &["disconnect"]] {
        transcript.push(command.join(" "), env.run(&[command, &["--timeout", "1"]].concat()));
    }
    cli_snapshot!(transcript, @"
    ===== connect --device-code =====
    ===== disconnect =====
    exit_code: 1
    ----- stderr -----
    error: timed out waiting for another mscommerce process to release [TMP]/state/sign-ins.lock
    hint: end the other process, or try again with a longer --timeout
    ");
    assert!(env.request_lines().is_empty());
    // The wait for the lock must not be reported as a timeout of the service.
    let result = list(&env, &["--timeout", "1"]).stderr_contains(&["sign-ins.lock"]);
    assert!(!result.stderr.contains("did not respond in time"), "{}", result.stderr);
}

#[test]
fn unsaved_refreshed_token_is_used() {
    let env = TestEnv::with_expiring_token();
    // A directory in place of the lock file.
    std::fs::remove_file(env.state_dir().join("sign-ins.lock")).unwrap();
    std::fs::create_dir(env.state_dir().join("sign-ins.lock")).unwrap();
    list(&env, &[]).assert_code(0).stderr_contains(&["warning: ", "cannot be saved"]);
    assert_eq!(env.request_lines(), [HOME_TOKEN, LIST_PRODUCTS]);
}

#[test]
fn refreshed_token_of_other_tenant_is_rejected() {
    let env = TestEnv::with_expiring_token();
    let foreign = env.tenant.issue_token(ADMIN, CUSTOMER_TENANT, 3600);
    let response =
        json!({"token_type": "Bearer", "expires_in": 3600, "access_token": foreign, "refresh_token": "the-next-one"});
    env.tenant.fail_next("/token", Response::json(200, &response));
    cli_snapshot!(list(&env, &[]), @"
    exit_code: 4
    ----- stderr -----
    error: requested a token for tenant 11111111-1111-4111-8111-111111111111, but received one for 22222222-2222-4222-8222-222222222222
    hint: mscommerce connect
    ");
    assert_eq!(env.request_lines(), [HOME_TOKEN], "nothing is listed");
    assert_eq!(env.cache()["profiles"]["default"]["refreshToken"], "the-next-one", "the new refresh token is saved");
}

#[test]
fn unsaved_refreshed_token_is_used_for_whole_run() {
    let env = TestEnv::with_expiring_token();
    let lock = File::options().write(true).open(env.state_dir().join("sign-ins.lock")).unwrap();
    lock.lock().unwrap();
    let result =
        env.run(&["product", "update", "CFQ7TTC0H9MP", "--value", "disabled", "--timeout", "1"]).assert_code(0);
    assert_eq!(result.stderr.matches("cannot be saved").count(), 1, "{}", result.stderr);
    assert_eq!(env.token_requests().len(), 1);
}

#[test]
fn refresh_error_hint_repeats_client_id() {
    let env = TestEnv::with_expiring_token();
    env.edit_cache(|saved| saved["profiles"]["default"]["clientId"] = "other-client".into());
    cli_snapshot!(list(&env, &[]), @"
    exit_code: 4
    ----- stderr -----
    error: could not refresh the saved sign-in for tenant 11111111-1111-4111-8111-111111111111: the client ID does not exist in this tenant
      AADSTS700016: Application with identifier 'other-client' was not found in the directory. This can happen if the application has not been installed by the administrator of the tenant. (unauthorized_client)
      correlation ID: [UUID], trace ID: [UUID]
    hint: check --client-id, MSCOMMERCE_CLIENT_ID, the tenant, and the cloud (AZURE_AUTHORITY_HOST)
    ");
    env.tenant.fail_next("/token", Response::json(400, &json!({"error": "invalid_grant", "error_codes": [50173]})));
    cli_snapshot!(list(&env, &[]), @"
    exit_code: 4
    ----- stderr -----
    error: could not refresh the saved sign-in for tenant 11111111-1111-4111-8111-111111111111: the saved sign-in has expired or was revoked
      invalid_grant
    hint: mscommerce connect --client-id other-client
    ");
}
