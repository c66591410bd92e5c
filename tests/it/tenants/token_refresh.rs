//! One saved sign-in, renewed at several tenants side by side.

use std::fs::File;
use std::sync::Arc;

use super::*;
use crate::support::fixtures::{THIRD_DOMAIN, THIRD_TENANT};

const LIST: &[&str] = &["products", "list", "-o", "json"];
const EVERYWHERE: [&str; 3] = [CUSTOMER_DOMAIN, HOME_TENANT, THIRD_TENANT];
const IDS: [&str; 3] = [CUSTOMER_TENANT, HOME_TENANT, THIRD_TENANT];

/// A partner whose tokens for all tenants are about to end.
fn about_to_end() -> TestEnv {
    let env = TestEnv::new();
    env.tenant.add_tenant(THIRD_TENANT, THIRD_DOMAIN);
    env.tenant.set_token_lifetime(299);
    env.sign_in(ADMIN);
    env.run(&at(&EVERYWHERE, LIST)).assert_code(0);
    env.tenant.set_token_lifetime(3600);
    env.tenant.forget_requests();
    env
}

/// The file of sign-ins is whole: a fresh token for each tenant and one refresh token that is good.
#[track_caller]
fn expect_all_saved(env: &TestEnv) {
    let saved = env.cache();
    let sign_in = &saved["profiles"]["default"];
    let ids: Vec<&String> = sign_in["tenants"].as_object().unwrap().keys().collect();
    assert_eq!(ids, [HOME_TENANT, CUSTOMER_TENANT, THIRD_TENANT]);
    for (id, token) in sign_in["tenants"].as_object().unwrap() {
        assert_eq!(claims_of(token["accessToken"].as_str().unwrap()).unwrap()["tid"], id.as_str());
    }
    assert_eq!((&sign_in["account"], &sign_in["tenantId"]), (&json!(ADMIN), &json!(HOME_TENANT)));
    env.tenant.forget_requests();
    env.run(&at(&EVERYWHERE, LIST)).assert_code(0);
    assert_eq!(env.token_requests(), [], "every token was saved");
    env.tenant.revoke_access_tokens();
    env.run(LIST).assert_code(0);
    let sent = &env.token_requests()[0].1["refresh_token"];
    assert_eq!(sent, sign_in["refreshToken"].as_str().unwrap());
}

#[test]
fn all_are_renewed_and_all_are_kept() {
    let env = about_to_end();
    let before = env.cached_tokens();
    let result = env.run(&at(&EVERYWHERE, LIST)).assert_code(0);
    assert_eq!((result.stderr.as_str(), tenants(&result)), ("", IDS.map(str::to_owned).to_vec()));
    assert_eq!(env.token_requests().len(), 3);
    for secret in before {
        assert_eq!(env.files_containing(&secret), Vec::<std::path::PathBuf>::new(), "the old ones are gone");
    }
    expect_all_saved(&env);
}

#[test]
fn tokens_that_are_refused_are_renewed_at_each_tenant() {
    let env = known_partner();
    env.tenant.revoke_access_tokens();
    let result = env.run(&at(&EVERYWHERE, &[LIST, &["--scope", "all"]].concat())).assert_code(0);
    assert_eq!((result.stderr.as_str(), tenants(&result)), ("", IDS.map(str::to_owned).to_vec()));
    assert_eq!(env.token_requests().len(), 3, "two lists of one tenant share a renewal");
    expect_all_saved(&env);
}

#[test]
fn many_tenants_are_kept_at_once() {
    let env = TestEnv::signed_in();
    let ids = customers(25);
    for (index, id) in ids.iter().enumerate() {
        env.tenant.add_tenant(id, &format!("customer{index}.example"));
    }
    env.write("c.txt", ids.join("\n"));
    let result = env.run_in_home(&[LIST, &["--tenants-file", "c.txt", "--jobs", "64"]].concat()).assert_code(0);
    assert_eq!((result.stderr.as_str(), tenants(&result)), ("", ids.clone()));
    env.tenant.forget_requests();
    env.run_in_home(&[LIST, &["--tenants-file", "c.txt"]].concat()).assert_code(0);
    assert_eq!(env.request_lines().len(), 25, "one list each");
}

#[test]
fn commands_at_once_lose_none_of_their_tokens() {
    let env = about_to_end();
    let children: Vec<_> = (0..4).map(|_| env.command(&at(&EVERYWHERE, LIST)).spawn().unwrap()).collect();
    for child in children {
        let result = CliResult::from(child.wait_with_output().unwrap()).assert_code(0);
        assert_eq!(result.stderr, "");
    }
    assert_eq!(env.token_requests().len(), 3, "whoever is second finds them renewed");
    expect_all_saved(&env);
}

#[test]
fn a_refused_renewal_fails_its_own_tenant_alone() {
    let env = about_to_end();
    let before = env.cache();
    env.tenant.fail_next(&format!("POST /{CUSTOMER_TENANT}/"), no_sign_in(50076));
    let result = env.run(&at(&EVERYWHERE, &[LIST, &["--scope", "all"]].concat())).assert_code(4);
    assert_eq!(tenants(&result), [HOME_TENANT, THIRD_TENANT]);
    assert_eq!(env.token_requests().len(), 3, "a refusal is not tried again");
    let result = result.stderr_contains(&["error: 1 of 3 tenants failed\n  fabrikam.example: ", "AADSTS50076"]);
    result.stderr_contains(&["hint: mscommerce connect --tenant fabrikam.example"]);
    let token = |saved: &Value, id: &str| saved["profiles"]["default"]["tenants"][id].clone();
    let after = env.cache();
    assert_eq!(token(&after, CUSTOMER_TENANT), token(&before, CUSTOMER_TENANT));
    assert_ne!(token(&after, THIRD_TENANT), token(&before, THIRD_TENANT));
    env.run(&at(&EVERYWHERE, LIST)).assert_code(0);
}

#[test]
fn a_revoked_sign_in_fails_everywhere_and_stays_as_it_is() {
    let env = about_to_end();
    env.tenant.revoke_refresh_tokens();
    let before = env.cache();
    let result = env
        .run(&at(&EVERYWHERE, LIST))
        .assert_code(4)
        .stderr_contains(&["error: 3 of 3 tenants failed", "hint: mscommerce connect"]);
    assert_eq!((result.stdout.as_str(), env.token_requests().len()), ("[]\n", 3));
    assert_eq!(env.cache(), before);
}

#[test]
fn what_cannot_be_saved_serves_the_run_and_is_told_once() {
    let env = about_to_end();
    let before = env.cache();
    // A directory where the lock belongs.
    fs::remove_file(env.state_dir().join("sign-ins.lock")).unwrap();
    fs::create_dir(env.state_dir().join("sign-ins.lock")).unwrap();
    expect_served_with_one_warning(&env, &env.run(&at(&EVERYWHERE, LIST)).assert_code(0));
    assert_eq!(env.cache(), before);
}

#[track_caller]
fn expect_served_with_one_warning(env: &TestEnv, result: &CliResult) {
    assert_eq!(tenants(result), IDS);
    assert_eq!(env.token_requests().len(), 3);
    assert_eq!(result.stderr.matches("warning: the renewed sign-in ").count(), 1, "{}", result.stderr);
}

#[test]
fn a_file_that_another_process_holds_is_waited_for_once() {
    let env = about_to_end();
    let lock = File::options().write(true).open(env.state_dir().join("sign-ins.lock")).unwrap();
    lock.lock().unwrap();
    let result = env.run(&at(&EVERYWHERE, &[LIST, &["--timeout", "1"]].concat())).assert_code(0);
    expect_served_with_one_warning(&env, &result);
}

#[cfg(unix)]
#[test]
fn a_file_that_cannot_be_written_is_told_once() {
    let env = about_to_end();
    let before = env.cache();
    // The lock can be taken, but no file can grow; that binds the superuser as well.
    let script = r#"trap "" XFSZ; ulimit -f 0; exec "$@""#;
    let mut command = crate::support::pty::in_shell(script, &env.command(&at(&EVERYWHERE, LIST)));
    let result = CliResult::from(command.output().unwrap()).assert_code(0);
    expect_served_with_one_warning(&env, &result);
    assert_eq!(env.cache(), before);
}

#[test]
fn nobody_else_goes_on_with_what_one_account_began() {
    let env = TestEnv::new();
    let ids = customers(2);
    let (file, other) = (env.cache_path(), Arc::new(Mutex::new(Value::Null)));
    let server = {
        let other = Arc::clone(&other);
        let token = |id: &String| (id.clone(), env.tenant.issue_app_token(id, &[CHANGE_PERMISSION], 3600));
        let tokens: Vec<(String, String)> = ids.iter().map(token).collect();
        service(&env, 2, 3, move |tenant, request| {
            if request.method == "PUT" {
                // Somebody signs in as another account while the first change is on its way.
                fs::write(&file, other.lock().unwrap().to_string()).unwrap();
            }
            // Too short to be used again, so that each change needs the sign-in.
            let (_, token) = tokens.iter().find(|(id, _)| id == tenant).filter(|_| request.method == "POST")?;
            let body = json!({ "token_type": "Bearer", "expires_in": 60, "access_token": token });
            Some(http_response(200, "application/json", &body.to_string()))
        })
    };
    env.sign_in(ADMIN);
    env.edit_cache(|saved| saved["profiles"]["default"]["authority"] = server.http().into());
    let run = |arguments: &[&str]| {
        let mut command = env.command(&at(&[&ids[0], &ids[1]], arguments));
        CliResult::from(command.env("MSCOMMERCE_ENDPOINT", server.http()).output().unwrap())
    };
    run(LIST).assert_code(0);
    *other.lock().unwrap() = env.cache();
    other.lock().unwrap()["profiles"]["default"]["account"] = "somebody@else.example".into();
    let update = ["products", "update", "--all", "--value", "disabled", "--yes", "-o", "json", "--jobs", "1"];
    let result = run(&update).assert_code(4);
    assert_eq!(changes(&server.finish().requests), [(ids[0].clone(), product(0))]);
    assert_eq!(ids_of(&result, &ids[0], "changed"), [product(0)]);
    assert_eq!(result.column("outcome").iter().filter(|outcome| *outcome == "failed").count(), 5);
    assert_eq!(env.history()[0]["account"], ADMIN);
    result.stderr_contains(&[
        "2 of 2 tenants failed",
        "anew meanwhile",
        &format!("mscommerce status --tenant {}", ids[0]),
    ]);
}
