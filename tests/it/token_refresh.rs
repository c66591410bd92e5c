//! Using a saved sign-in: renewing it, taking it to other tenants, and what becomes of it when it is refused.

use std::fs::File;

use serde_json::json;

use crate::support::cli::CliResult;
use crate::support::env::TestEnv;
use crate::support::fixtures::{HOME_TOKEN, LIST_PRODUCTS};
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
fn a_fresh_token_is_used_as_it_is() {
    let env = TestEnv::signed_in();
    let before = env.cache();
    for _ in 0..2 {
        env.tenant.forget_requests();
        let result = list(&env, &[]).assert_code(0);
        assert_eq!(result.stderr, "");
        assert_eq!(env.request_lines(), [LIST_PRODUCTS]);
    }
    let sent = env.tenant.requests()[0].header("authorization").unwrap().to_owned();
    let token = &before["profiles"]["default"]["tenants"][HOME_TENANT]["accessToken"];
    assert_eq!(sent, format!("Bearer {}", token.as_str().unwrap()));
    assert_eq!(env.cache(), before);
}

#[test]
fn a_token_within_five_minutes_of_its_end_is_renewed_silently() {
    let env = TestEnv::with_expiring_token();
    let first = refresh_token(&env);
    let result = list(&env, &[]).assert_code(0);
    assert_eq!(result.stderr, "", "silently");
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
fn a_token_with_more_than_five_minutes_left_is_not_renewed() {
    let env = TestEnv::new();
    // Ten seconds more than the limit, for a machine that is busy.
    env.tenant.set_token_lifetime(310);
    env.sign_in(ADMIN);
    list(&env, &[]).assert_code(0);
    assert_eq!(env.request_lines(), [LIST_PRODUCTS]);
}

#[test]
fn the_new_refresh_token_is_kept_and_the_old_one_is_not() {
    let env = TestEnv::new();
    env.tenant.set_token_lifetime(299);
    env.sign_in(ADMIN);
    let mut used = Vec::new();
    for _ in 0..3 {
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
fn a_renewal_without_a_new_refresh_token_keeps_the_old_one() {
    let env = TestEnv::with_expiring_token();
    let first = refresh_token(&env);
    let token = env.tenant.issue_token(ADMIN, HOME_TENANT, 3600);
    let response = json!({"token_type": "Bearer", "expires_in": 3600, "access_token": token});
    env.tenant.fail_next("/token", Response::json(200, &response));
    list(&env, &[]).assert_code(0);
    assert_eq!(refresh_token(&env), first);
    assert_eq!(env.cache()["profiles"]["default"]["account"], ADMIN);
}

#[test]
fn a_change_with_a_token_about_to_end_renews_it_once() {
    let env = TestEnv::with_expiring_token();
    env.run(&["product", "update", "CFQ7TTC0H9MP", "--value", "disabled"]).assert_code(0);
    assert_eq!(env.token_requests().len(), 1);
    assert_eq!(env.request_lines().len(), 3, "{:?}", env.request_lines());
    assert_eq!(env.tenant.value("CFQ7TTC0H9MP"), "Disabled");
}

#[test]
fn a_renewal_goes_where_the_sign_in_was_whatever_the_environment_says_now() {
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
fn the_environments_tenant_does_not_move_a_saved_sign_in() {
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
fn the_same_refresh_token_serves_at_a_tenant_named_by_its_domain() {
    let env = TestEnv::signed_in();
    let before = env.cache();
    let first = refresh_token(&env);
    let at_customer = list(&env, &["--tenant", "Fabrikam.EXAMPLE", "-o", "json"]).assert_code(0).json();
    assert_eq!(env.request_lines(), [format!("POST /{CUSTOMER_DOMAIN}/oauth2/v2.0/token"), LIST_PRODUCTS.to_owned()]);
    assert_eq!(env.token_requests()[0].1["refresh_token"], first);
    let value = |listed: &serde_json::Value| {
        listed.as_array().unwrap().iter().find(|item| item["id"] == "CFQ7TTC0H6RP").unwrap()["policyValue"].clone()
    };
    assert_eq!(value(&at_customer), "Enabled", "the customer's value, not that of the tenant at home");

    // From now on the tenant is known by both of its names.
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
    assert_eq!(before["tenants"][HOME_TENANT], after["tenants"][HOME_TENANT], "the tenant at home is untouched");
    assert_ne!(after["refreshToken"], first, "one refresh token for all tenants, the newest");

    env.tenant.forget_requests();
    let at_home = list(&env, &["-o", "json"]).assert_code(0).json();
    assert_eq!(env.request_lines(), [LIST_PRODUCTS]);
    assert_eq!(value(&at_home), "Disabled");
}

#[test]
fn the_same_refresh_token_serves_at_a_tenant_named_by_its_id() {
    let env = TestEnv::signed_in();
    list(&env, &["--tenant", CUSTOMER_TENANT]).assert_code(0);
    assert_eq!(env.request_lines(), [format!("POST /{CUSTOMER_TENANT}/oauth2/v2.0/token"), LIST_PRODUCTS.to_owned()]);
    env.tenant.forget_requests();
    list(&env, &["--tenant", CUSTOMER_TENANT]).assert_code(0);
    assert_eq!(env.request_lines(), [LIST_PRODUCTS]);
}

#[test]
fn the_tenant_at_home_may_be_named_too() {
    let env = TestEnv::signed_in();
    list(&env, &["--tenant", HOME_TENANT]).assert_code(0);
    assert_eq!(env.request_lines(), [LIST_PRODUCTS]);
    // Which tenant a domain belongs to is learnt by asking, once.
    list(&env, &["--tenant", HOME_DOMAIN]).assert_code(0);
    env.tenant.forget_requests();
    list(&env, &["--tenant", HOME_DOMAIN]).assert_code(0);
    assert_eq!(env.request_lines(), [LIST_PRODUCTS]);
    let saved = env.cache();
    assert_eq!(saved["profiles"]["default"]["tenants"].as_object().unwrap().len(), 1);
}

#[test]
fn a_change_with_tenant_is_made_there_alone() {
    let env = TestEnv::signed_in();
    env.run(&["product", "update", "CFQ7TTC0HDB0", "--value", "disabled", "--tenant", CUSTOMER_DOMAIN]).assert_code(0);
    assert_eq!(env.tenant.value_in(CUSTOMER_TENANT, "CFQ7TTC0HDB0"), "Disabled");
    assert_eq!(env.tenant.value_in(HOME_TENANT, "CFQ7TTC0HDB0"), "Enabled");
}

#[test]
fn an_unknown_tenant_is_told_with_those_that_served() {
    let env = TestEnv::signed_in();
    list(&env, &["--tenant", CUSTOMER_DOMAIN]).assert_code(0);
    let before = env.cache();
    env.tenant.forget_requests();
    list(&env, &["--tenant", "nowhere.example"]).assert_code(4).stdout_is_empty().stderr_contains(&[
        "nowhere.example",
        "AADSTS90002",
        "correlation id: ",
        HOME_TENANT,
        &format!("{CUSTOMER_DOMAIN} ({CUSTOMER_TENANT})"),
        "hint: ",
    ]);
    assert_eq!(env.request_lines().len(), 1);
    assert_eq!(env.cache(), before);
}

#[test]
fn a_refusal_at_one_tenant_leaves_the_others_usable() {
    let env = TestEnv::signed_in();
    let refusal = json!({"error": "invalid_grant", "error_description": "AADSTS50173: x", "error_codes": [50173]});
    env.tenant.fail_next(CUSTOMER_DOMAIN, Response::json(400, &refusal));
    list(&env, &["--tenant", CUSTOMER_DOMAIN]).assert_code(4);
    list(&env, &[]).assert_code(0);
}

#[test]
fn what_to_type_after_a_refusal_at_a_tenant_names_that_tenant() {
    let env = TestEnv::signed_in();
    // The customer asks for a second factor that the sign-in at home did not need.
    let refusal = json!({
        "error": "interaction_required",
        "error_description": "AADSTS50076: You must use multi-factor authentication to access 'x'.",
        "error_codes": [50076],
    });
    env.tenant.fail_next(CUSTOMER_DOMAIN, Response::json(400, &refusal));
    list(&env, &["--tenant", CUSTOMER_DOMAIN])
        .assert_code(4)
        .stderr_contains(&["AADSTS50076", &format!("hint: mscommerce connect --tenant {CUSTOMER_DOMAIN}")]);
}

#[test]
fn a_refused_token_is_renewed_once_and_the_request_sent_again() {
    let env = TestEnv::signed_in();
    env.tenant.revoke_access_tokens();
    let result = list(&env, &[]).assert_code(0);
    assert_eq!(result.stderr, "");
    assert_eq!(env.request_lines(), [LIST_PRODUCTS, HOME_TOKEN, LIST_PRODUCTS]);
    let requests = env.tenant.requests();
    let header = |index: usize, name: &str| requests[index].header(name).unwrap().to_owned();
    assert_ne!(header(0, "authorization"), header(2, "authorization"));
    assert_ne!(header(0, "x-ms-correlation-id"), header(2, "x-ms-correlation-id"), "a new one per request");

    env.tenant.forget_requests();
    list(&env, &[]).assert_code(0);
    assert_eq!(env.request_lines(), [LIST_PRODUCTS]);
}

#[test]
fn a_refused_token_is_renewed_at_the_tenant_it_was_for() {
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
fn a_change_whose_token_is_refused_on_the_way_is_made_once() {
    let env = TestEnv::signed_in();
    let refusal = json!({"errorCode": "Unauthorized", "reason": "The token is expired."});
    env.tenant.fail_next("PUT", Response::json(401, &refusal));
    env.run(&["product", "update", "CFQ7TTC0H9MP", "--value", "disabled"]).assert_code(0);
    let methods: Vec<_> = env.tenant.requests().into_iter().map(|request| request.method).collect();
    assert_eq!(methods, ["GET", "PUT", "POST", "PUT"]);
}

#[test]
fn a_token_that_is_refused_twice_asks_for_another_sign_in() {
    let env = TestEnv::signed_in();
    for _ in 0..2 {
        let refusal = json!({"errorCode": "Unauthorized", "reason": "The token is invalid."});
        env.tenant.fail_next("GET", Response::json(401, &refusal));
    }
    list(&env, &[]).assert_code(4).stdout_is_empty().stderr_contains(&[
        "401",
        "Unauthorized: The token is invalid.",
        "correlation id: ",
        "hint: mscommerce connect",
    ]);
    assert_eq!(env.request_lines(), [LIST_PRODUCTS, HOME_TOKEN, LIST_PRODUCTS]);
}

#[test]
fn a_revoked_sign_in_asks_for_another_and_keeps_the_file() {
    for profile in [None, Some("work")] {
        let env = TestEnv::new();
        env.tenant.set_token_lifetime(299);
        let flags = profile.map_or_else(Vec::new, |profile| vec!["--profile", profile]);
        let connect = [&["connect", "--username", ADMIN, "--password-stdin"], flags.as_slice()].concat();
        env.run_with_stdin(&connect, PASSWORD).assert_code(0);
        env.tenant.forget_requests();
        env.tenant.revoke_refresh_tokens();
        let before = env.cache();
        let again = [&["hint: mscommerce connect"], flags.as_slice()].concat().join(" ");
        list(&env, &flags).assert_code(4).stdout_is_empty().stderr_contains(&[
            "AADSTS50173",
            "revoked",
            "correlation id: ",
            &again,
        ]);
        assert_eq!(env.request_lines(), [HOME_TOKEN], "a refusal is not tried again");
        assert_eq!(env.cache(), before);
    }
}

#[test]
fn a_network_that_fails_while_renewing_is_no_refusal() {
    let env = TestEnv::with_expiring_token();
    let before = env.cache();
    env.tenant.fail_next("/token", Response::text(503, "text/plain", "busy"));
    list(&env, &[]).assert_code(1).stdout_is_empty().stderr_contains(&["could not renew", "503", "hint: "]);
    assert_eq!(env.cache(), before);
    list(&env, &[]).assert_code(0);
}

#[test]
fn processes_that_need_a_new_token_at_once_ask_for_one() {
    let env = TestEnv::with_expiring_token();
    let children: Vec<_> = (0..6).map(|_| env.command(&["products", "list"]).spawn().unwrap()).collect();
    for child in children {
        let result = CliResult::from(child.wait_with_output().unwrap()).assert_code(0);
        assert_eq!(result.stderr, "");
    }
    assert_eq!(env.token_requests().len(), 1);
    assert_eq!(env.request_lines().len(), 7);
}

#[test]
fn processes_at_several_tenants_at_once_lose_none_of_their_tokens() {
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
fn a_process_that_only_reads_waits_for_no_other() {
    let env = TestEnv::signed_in();
    let lock = File::options().write(true).create(true).truncate(false).open(env.state_dir().join("sign-ins.lock"));
    let lock = lock.unwrap();
    lock.lock().unwrap();
    list(&env, &["--timeout", "5"]).assert_code(0);
    env.run(&["status", "--timeout", "5"]).assert_code(0);
}

#[test]
fn a_process_that_holds_the_file_too_long_is_what_is_told() {
    let env = TestEnv::with_expiring_token();
    let lock = File::options().write(true).open(env.state_dir().join("sign-ins.lock")).unwrap();
    lock.lock().unwrap();
    for command in [&["connect", "--device-code"][..], &["disconnect"]] {
        env.run(&[command, &["--timeout", "1"]].concat()).assert_code(1).stderr_contains(&[
            "another mscommerce",
            "sign-ins.lock",
            "hint: ",
        ]);
    }
    assert!(env.request_lines().is_empty());
    // Whether a renewal goes on without saving or gives up, the service is not to be blamed for the waiting.
    let result = list(&env, &["--timeout", "1"]).stderr_contains(&["sign-ins.lock"]);
    assert!(!result.stderr.contains("did not answer in time"), "{}", result.stderr);
}

#[test]
fn a_renewed_token_that_cannot_be_saved_serves_all_the_same() {
    let env = TestEnv::with_expiring_token();
    // A directory where the lock belongs.
    std::fs::remove_file(env.state_dir().join("sign-ins.lock")).unwrap();
    std::fs::create_dir(env.state_dir().join("sign-ins.lock")).unwrap();
    list(&env, &[]).assert_code(0).stderr_contains(&["warning: ", "cannot be saved"]);
    assert_eq!(env.request_lines(), [HOME_TOKEN, LIST_PRODUCTS]);
}

#[test]
fn a_token_for_another_tenant_than_the_one_asked_for_serves_nobody() {
    let env = TestEnv::with_expiring_token();
    let stray = env.tenant.issue_token(ADMIN, CUSTOMER_TENANT, 3600);
    let response =
        json!({"token_type": "Bearer", "expires_in": 3600, "access_token": stray, "refresh_token": "the-next-one"});
    env.tenant.fail_next("/token", Response::json(200, &response));
    list(&env, &[]).assert_code(4).stdout_is_empty().stderr_contains(&[
        &format!("a token for the tenant {HOME_TENANT} was asked for, and one for {CUSTOMER_TENANT} came"),
        "hint: mscommerce connect",
    ]);
    assert_eq!(env.request_lines(), [HOME_TOKEN], "no product was asked for");
    assert_eq!(env.cache()["profiles"]["default"]["refreshToken"], "the-next-one", "what replaced the old one is kept");
}

#[test]
fn a_renewal_that_cannot_be_saved_serves_the_whole_run() {
    let env = TestEnv::with_expiring_token();
    let lock = File::options().write(true).open(env.state_dir().join("sign-ins.lock")).unwrap();
    lock.lock().unwrap();
    let result =
        env.run(&["product", "update", "CFQ7TTC0H9MP", "--value", "disabled", "--timeout", "1"]).assert_code(0);
    assert_eq!(result.stderr.matches("cannot be saved").count(), 1, "{}", result.stderr);
    assert_eq!(env.token_requests().len(), 1);
}

#[test]
fn what_to_type_next_names_a_client_id_that_is_not_the_usual_one() {
    let env = TestEnv::with_expiring_token();
    env.edit_cache(|saved| saved["profiles"]["default"]["clientId"] = "other-client".into());
    list(&env, &[]).assert_code(4).stderr_contains(&["AADSTS700016"]);
    env.tenant.fail_next("/token", Response::json(400, &json!({"error": "invalid_grant", "error_codes": [50173]})));
    list(&env, &[]).assert_code(4).stderr_contains(&["hint: mscommerce connect --client-id other-client"]);
}
