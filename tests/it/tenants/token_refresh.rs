//! Concurrent token refreshes of one cached sign-in for several tenants.

use std::fs::File;
use std::sync::Arc;

use super::*;
use crate::support::fixtures::{THIRD_DOMAIN, THIRD_TENANT};
use crate::support::snapshot::without_temporary_names;

const LIST: &[&str] = &["products", "list", "-o", "json"];
const ALL_TENANTS: [&str; 3] = [CUSTOMER_DOMAIN, HOME_TENANT, THIRD_TENANT];
const IDS: [&str; 3] = [CUSTOMER_TENANT, HOME_TENANT, THIRD_TENANT];

/// A partner whose access tokens for all tenants are about to expire.
fn with_expiring_tokens() -> TestEnv {
    let env = TestEnv::new();
    env.tenant.add_tenant(THIRD_TENANT, THIRD_DOMAIN);
    env.sign_in(ADMIN);
    env.run(&for_tenants(&ALL_TENANTS, LIST)).assert_code(0);
    env.expire_tokens_soon();
    env.tenant.forget_requests();
    env
}

/// Asserts that the cache holds a fresh access token for each tenant and a valid refresh token.
#[track_caller]
fn assert_all_cached(env: &TestEnv) {
    let cache = env.cache();
    let profile = &cache["profiles"]["default"];
    let ids: Vec<&String> = profile["tenants"].as_object().unwrap().keys().collect();
    assert_eq!(ids, [HOME_TENANT, CUSTOMER_TENANT, THIRD_TENANT]);
    for (id, token) in profile["tenants"].as_object().unwrap() {
        assert_eq!(claims_of(token["accessToken"].as_str().unwrap()).unwrap()["tid"], id.as_str());
    }
    assert_eq!((&profile["account"], &profile["tenantId"]), (&json!(ADMIN), &json!(HOME_TENANT)));
    env.tenant.forget_requests();
    env.run(&for_tenants(&ALL_TENANTS, LIST)).assert_code(0);
    assert_eq!(env.token_requests(), [], "every token is cached");
    env.tenant.revoke_access_tokens();
    env.run(LIST).assert_code(0);
    let sent = &env.token_requests()[0].1["refresh_token"];
    assert_eq!(sent, profile["refreshToken"].as_str().unwrap());
}

#[test]
fn expiring_tokens_are_refreshed_and_cached() {
    let env = with_expiring_tokens();
    let before = env.cached_tokens();
    let result = env.run(&for_tenants(&ALL_TENANTS, LIST)).assert_code(0);
    assert_eq!((result.stderr.as_str(), tenant_ids(&result)), ("", IDS.map(str::to_owned).to_vec()));
    assert_eq!(env.token_requests().len(), 3);
    for secret in before {
        assert_eq!(env.files_containing(&secret), Vec::<std::path::PathBuf>::new(), "the old tokens are removed");
    }
    assert_all_cached(&env);
}

#[test]
fn rejected_tokens_are_refreshed_per_tenant() {
    let env = partner_env_with_tokens();
    env.tenant.revoke_access_tokens();
    let result = env.run(&for_tenants(&ALL_TENANTS, &[LIST, &["--scope", "all"]].concat())).assert_code(0);
    assert_eq!((result.stderr.as_str(), tenant_ids(&result)), ("", IDS.map(str::to_owned).to_vec()));
    assert_eq!(env.token_requests().len(), 3, "two lists of one tenant share a refresh");
    assert_all_cached(&env);
}

#[test]
fn tokens_of_25_tenants_are_cached() {
    let env = TestEnv::signed_in();
    let ids = customer_ids(25);
    for (index, id) in ids.iter().enumerate() {
        env.tenant.add_tenant(id, &format!("customer{index}.example"));
    }
    env.write("c.txt", ids.join("\n"));
    let result = env.run_in_home(&[LIST, &["--tenants-file", "c.txt", "--jobs", "64"]].concat()).assert_code(0);
    assert_eq!((result.stderr.as_str(), tenant_ids(&result)), ("", ids.clone()));
    env.tenant.forget_requests();
    env.run_in_home(&[LIST, &["--tenants-file", "c.txt"]].concat()).assert_code(0);
    assert_eq!(env.request_lines().len(), 25, "one list each");
}

#[test]
fn concurrent_commands_cache_all_tokens() {
    let env = with_expiring_tokens();
    let children: Vec<_> = (0..4).map(|_| env.command(&for_tenants(&ALL_TENANTS, LIST)).spawn().unwrap()).collect();
    for child in children {
        let result = CliResult::from(child.wait_with_output().unwrap()).assert_code(0);
        assert_eq!(result.stderr, "");
    }
    assert_eq!(env.token_requests().len(), 3, "the other processes use the refreshed tokens");
    assert_all_cached(&env);
}

#[test]
fn failed_refresh_fails_its_tenant_only() {
    let env = with_expiring_tokens();
    let before = env.cache();
    env.tenant.fail_next(&format!("POST /{CUSTOMER_TENANT}/"), aadsts_response(50076));
    let result = env.run(&for_tenants(&ALL_TENANTS, &[LIST, &["--scope", "all"]].concat())).assert_code(4);
    assert_eq!(tenant_ids(&result), [HOME_TENANT, THIRD_TENANT]);
    assert_eq!(env.token_requests().len(), 3, "the error is not retried");
    cli_snapshot!(stderr_only(&result), @"
    exit_code: 4
    ----- stderr -----
    error: 1 of 3 tenants failed
      fabrikam.example: could not refresh the saved sign-in for tenant 22222222-2222-4222-8222-222222222222: multi-factor authentication is required; sign in with a browser
        AADSTS50076: Not here. (invalid_grant)
    hint: mscommerce connect --tenant fabrikam.example
    ");
    let token = |cache: &Value, id: &str| cache["profiles"]["default"]["tenants"][id].clone();
    let after = env.cache();
    assert_eq!(token(&after, CUSTOMER_TENANT), token(&before, CUSTOMER_TENANT));
    assert_ne!(token(&after, THIRD_TENANT), token(&before, THIRD_TENANT));
    env.run(&for_tenants(&ALL_TENANTS, LIST)).assert_code(0);
}

#[test]
fn revoked_refresh_token_fails_all_and_stays_cached() {
    let env = with_expiring_tokens();
    env.tenant.revoke_refresh_tokens();
    let before = env.cache();
    cli_snapshot!(env.run(&for_tenants(&ALL_TENANTS, LIST)), @"
    exit_code: 4
    ----- stdout -----
    []
    ----- stderr -----
    error: 3 of 3 tenants failed
      fabrikam.example: could not refresh the saved sign-in for tenant 22222222-2222-4222-8222-222222222222: the saved sign-in has expired or was revoked
        AADSTS50173: The provided grant has expired due to it being revoked, a fresh auth token is needed. (invalid_grant, bad_token)
        correlation ID: [UUID], trace ID: [UUID]
      11111111-1111-4111-8111-111111111111: could not refresh the saved sign-in for tenant 11111111-1111-4111-8111-111111111111: the saved sign-in has expired or was revoked
        AADSTS50173: The provided grant has expired due to it being revoked, a fresh auth token is needed. (invalid_grant, bad_token)
        correlation ID: [UUID], trace ID: [UUID]
      33333333-3333-4333-8333-333333333333: could not refresh the saved sign-in for tenant 33333333-3333-4333-8333-333333333333: the saved sign-in has expired or was revoked
        AADSTS50173: The provided grant has expired due to it being revoked, a fresh auth token is needed. (invalid_grant, bad_token)
        correlation ID: [UUID], trace ID: [UUID]
    hint: mscommerce connect
    ");
    assert_eq!(env.token_requests().len(), 3);
    assert_eq!(env.cache(), before);
}

#[test]
fn unsaved_refresh_warns_once() {
    let env = with_expiring_tokens();
    let before = env.cache();
    // A directory in place of the lock file.
    fs::remove_file(env.state_dir().join("sign-ins.lock")).unwrap();
    fs::create_dir(env.state_dir().join("sign-ins.lock")).unwrap();
    let result = assert_listed_with_one_warning(&env, &env.run(&for_tenants(&ALL_TENANTS, LIST)));
    cli_snapshot!(result, @"
    exit_code: 0
    ----- stderr -----
    warning: the refreshed sign-in cannot be saved: [TMP]/state/sign-ins.lock is not used: it is a directory
    ");
    assert_eq!(env.cache(), before);
}

/// Asserts that all tenants are listed with refreshed tokens and one warning. Returns the result without stdout.
#[track_caller]
fn assert_listed_with_one_warning(env: &TestEnv, result: &CliResult) -> CliResult {
    assert_eq!(tenant_ids(result), IDS);
    assert_eq!(env.token_requests().len(), 3);
    assert_eq!(result.stderr.matches("warning: ").count(), 1, "{}", result.stderr);
    without_temporary_names(stderr_only(result))
}

#[test]
fn locked_cache_is_waited_for_once() {
    let env = with_expiring_tokens();
    let lock = File::options().write(true).open(env.state_dir().join("sign-ins.lock")).unwrap();
    lock.lock().unwrap();
    let result = env.run(&for_tenants(&ALL_TENANTS, &[LIST, &["--timeout", "1"]].concat()));
    cli_snapshot!(assert_listed_with_one_warning(&env, &result), @"
    exit_code: 0
    ----- stderr -----
    warning: the refreshed sign-in cannot be saved: timed out waiting for another mscommerce process to release [TMP]/state/sign-ins.lock
    ");
}

#[cfg(unix)]
#[test]
fn full_disk_warns_once() {
    let env = with_expiring_tokens();
    let before = env.cache();
    // The lock can be taken, but no file can grow; the limit applies to root as well.
    let script = r#"trap "" XFSZ; ulimit -f 0; exec "$@""#;
    let mut command = crate::support::pty::in_shell(script, &env.command(&for_tenants(&ALL_TENANTS, LIST)));
    let result = CliResult::from(command.output().unwrap());
    cli_snapshot!(assert_listed_with_one_warning(&env, &result), @r#"
    exit_code: 0
    ----- stderr -----
    warning: the refreshed sign-in was not saved: could not write [TMP]/state/sign-ins.json: [OS ERROR] at path "[TMP]/state/.sign-ins-[RANDOM]"
    "#);
    assert_eq!(env.cache(), before);
}

#[test]
fn account_change_during_run_stops_updates() {
    let env = TestEnv::new();
    let ids = customer_ids(2);
    let (file, other) = (env.cache_path(), Arc::new(Mutex::new(Value::Null)));
    let server = {
        let other = Arc::clone(&other);
        let token = |id: &String| (id.clone(), env.tenant.issue_app_token(id, &[CHANGE_PERMISSION], 3600));
        let tokens: Vec<(String, String)> = ids.iter().map(token).collect();
        start_services(&env, 2, 3, move |tenant, request| {
            if request.method == "PUT" {
                // Another account signs in during the first update.
                fs::write(&file, other.lock().unwrap().to_string()).unwrap();
            }
            // The lifetime is too short for a second use, so that each update needs the cached sign-in.
            let (_, token) = tokens.iter().find(|(id, _)| id == tenant).filter(|_| request.method == "POST")?;
            let body = json!({ "token_type": "Bearer", "expires_in": 0, "access_token": token });
            Some(http_response(200, "application/json", &body.to_string()))
        })
    };
    env.sign_in(ADMIN);
    env.edit_cache(|cache| cache["profiles"]["default"]["authority"] = server.http().into());
    let run = |arguments: &[&str]| {
        let mut command = env.command(&for_tenants(&[&ids[0], &ids[1]], arguments));
        CliResult::from(command.env("MSCOMMERCE_ENDPOINT", server.http()).output().unwrap())
    };
    run(LIST).assert_code(0);
    *other.lock().unwrap() = env.cache();
    other.lock().unwrap()["profiles"]["default"]["account"] = "somebody@else.example".into();
    let update = ["products", "update", "--all", "--value", "disabled", "--yes", "-o", "json", "--jobs", "1"];
    let result = run(&update);
    assert_eq!(sent_updates(&server.finish().requests), [(ids[0].clone(), product_id(0))]);
    assert_eq!(ids_with_outcome(&result, &ids[0], "changed"), [product_id(0)]);
    let count = |outcome| result.column("outcome").iter().filter(|other| *other == outcome).count();
    assert_eq!((count("failed"), count("skipped")), (2, 3));
    assert_eq!(env.history()[0]["account"], ADMIN);
    cli_snapshot!(stderr_only(&result), @"
    exit_code: 4
    ----- stderr -----
    error: 2 of 2 tenants failed
      00000000-0000-4000-8000-000000000000: 1 changed, 1 failed, 1 skipped
        profile default was signed in again by another process, with another account or tenant; nothing more was sent
      00000001-0000-4000-8000-000000000000: 1 failed, 2 skipped
        profile default was signed in again by another process, with another account or tenant; nothing more was sent
      all tenants: 1 changed, 2 failed, 3 skipped
    hint: check the current sign-in: mscommerce status --tenant 00000000-0000-4000-8000-000000000000
    hint: check the current sign-in: mscommerce status --tenant 00000001-0000-4000-8000-000000000000
    ");
}
