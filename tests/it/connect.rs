//! `connect` with a user name and a password, and what every way of signing in shares.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::cli::CliResult;
use crate::support::env::TestEnv;
use crate::tenant::{
    ADMIN, CLIENT_ID, CUSTOMER_DOMAIN, CUSTOMER_TENANT, DISABLED, EXPIRED, HOME_DOMAIN, HOME_TENANT, LOCKED, MFA,
    PASSWORD, READER, RESOURCE, Response, SCOPE, jwt,
};

/// Every way of signing in.
const WAYS: [&[&str]; 4] =
    [&["--no-browser"], &["--device-code"], &["--username", ADMIN, "--password-stdin"], &["--with-token"]];

fn by_password(env: &TestEnv, user: &str, password: &str, more: &[&str]) -> CliResult {
    env.run_with_stdin(&[&["connect", "--username", user, "--password-stdin"], more].concat(), password)
}

#[test]
fn a_password_signs_in_with_exactly_one_request() {
    let env = TestEnv::new();
    by_password(&env, ADMIN, PASSWORD, &[])
        .assert_code(0)
        .stdout_is_empty()
        .stderr_contains(&[&format!("Signed in as {ADMIN} to the tenant {HOME_TENANT}.")]);

    assert_eq!(env.request_lines(), ["POST /organizations/oauth2/v2.0/token"]);
    let form = env.tenant.requests()[0].form();
    let mut scopes: Vec<_> = form["scope"].split(' ').collect();
    scopes.sort_unstable();
    assert_eq!(scopes, [SCOPE, "offline_access", "openid", "profile"]);
    let others: Vec<_> =
        form.iter().map(|(name, value)| (name.as_str(), value.as_str())).filter(|(name, _)| *name != "scope").collect();
    assert_eq!(
        others,
        [
            ("client_id", CLIENT_ID),
            ("client_info", "1"),
            ("grant_type", "password"),
            ("password", PASSWORD),
            ("username", ADMIN),
        ]
    );
    let sign_in = &env.cache()["profiles"]["default"];
    assert_eq!(sign_in["account"], ADMIN);
    assert_eq!(sign_in["tenantId"], HOME_TENANT);
    assert_eq!(sign_in["method"], "password");
}

#[test]
fn login_is_another_word_for_connect() {
    let env = TestEnv::new();
    env.run_with_stdin(&["login", "--username", ADMIN, "--password-stdin"], PASSWORD)
        .assert_code(0)
        .stderr_contains(&["Signed in as"]);
}

#[test]
fn only_the_line_end_of_a_password_is_taken_off() {
    for line_end in ["", "\n", "\r\n"] {
        let env = TestEnv::new();
        by_password(&env, ADMIN, &format!("{PASSWORD}{line_end}"), &[]).assert_code(0);
    }
    let env = TestEnv::new();
    by_password(&env, ADMIN, " correct\thorse \u{df} \n", &[]).assert_code(4);
    assert_eq!(env.tenant.requests()[0].form()["password"], " correct\thorse \u{df} ");
}

#[test]
fn what_cannot_be_a_password_is_refused_before_any_request() {
    let env = TestEnv::new();
    let long = "x".repeat(70_000);
    for (input, said) in [
        (&b""[..], "the password is empty"),
        (b"\n", "the password is empty"),
        (b"one\ntwo\n", "more than one line"),
        (b"one\n\n", "more than one line"),
        (b"\xff\xfe", "not UTF-8"),
        (long.as_bytes(), "too long"),
    ] {
        let command = env.command(&["connect", "--username", ADMIN, "--password-stdin"]);
        TestEnv::run_command_with_stdin(command, input).assert_code(2).stderr_contains(&["error: ", said]);
    }
    assert!(env.request_lines().is_empty());
}

#[test]
fn without_a_terminal_the_password_must_come_on_standard_input() {
    let env = TestEnv::new();
    env.run_with_stdin(&["connect", "--username", ADMIN], PASSWORD).assert_code(2).stderr_contains(&[
        "no terminal",
        "hint: ",
        "--password-stdin",
    ]);
    assert!(env.request_lines().is_empty());
}

#[test]
fn an_empty_user_name_is_wrong_usage() {
    let env = TestEnv::new();
    by_password(&env, "", PASSWORD, &[]).assert_code(2);
    assert!(env.request_lines().is_empty(), "{:?}", env.request_lines());
}

#[test]
fn ways_of_signing_in_exclude_each_other() {
    let env = TestEnv::new();
    for flags in [
        &["--device-code", "--with-token"][..],
        &["--device-code", "--username", ADMIN],
        &["--password-stdin"],
        &["--device-code", "--no-browser"],
        &["--with-token", "--redirect-port", "50505"],
        &["--with-token", "--client-id", CLIENT_ID],
        &["--redirect-port", "0"],
        &["--redirect-port", "65536"],
    ] {
        env.run(&[&["connect"], flags].concat()).assert_code(2);
    }
    assert!(env.request_lines().is_empty());
}

#[test]
fn the_password_is_in_no_output_and_in_no_file() {
    for password in [PASSWORD, "Tr0ub4dor&3"] {
        let env = TestEnv::new();
        let result = by_password(&env, ADMIN, password, &["-vvv"]);
        // What is said of the requests at -v must be there, or this test would prove nothing.
        let result = result.stderr_contains(&["POST", "/oauth2/v2.0/token"]);
        let encoded: String = form_urlencoded::byte_serialize(password.as_bytes()).collect();
        for secret in [password, &encoded] {
            assert!(!result.stderr.contains(secret) && !result.stdout.contains(secret), "{}", result.stderr);
            assert_eq!(env.files_containing(secret), Vec::<PathBuf>::new());
        }
    }
}

#[test]
fn no_token_is_in_any_output() {
    let env = TestEnv::new();
    let connected = by_password(&env, ADMIN, PASSWORD, &["-vvv"]).assert_code(0);
    let mut outputs = vec![connected];
    let mut secrets = env.cached_tokens();
    env.tenant.revoke_access_tokens();
    for arguments in [&["products", "list", "-vvv"][..], &["status", "-vvv", "-o", "json"], &["disconnect", "-vvv"]] {
        secrets.extend(env.cached_tokens());
        outputs.push(env.run(arguments).assert_code(0));
    }
    for result in outputs {
        for secret in &secrets {
            assert!(!result.stdout.contains(secret) && !result.stderr.contains(secret), "{result:?}");
        }
    }
}

#[test]
fn the_tenant_comes_from_the_flag_or_else_from_the_environment() {
    for (variable, flags, path) in [
        (None, &["--tenant", CUSTOMER_DOMAIN][..], CUSTOMER_DOMAIN),
        (None, &["--tenant", "FABRIKAM.Example"], CUSTOMER_DOMAIN),
        (Some(CUSTOMER_TENANT), &[], CUSTOMER_TENANT),
        (Some(HOME_DOMAIN), &["--tenant", CUSTOMER_TENANT], CUSTOMER_TENANT),
        // An empty variable counts as unset.
        (Some(""), &["--tenant", CUSTOMER_TENANT], CUSTOMER_TENANT),
    ] {
        let env = TestEnv::new();
        let arguments = [&["connect", "--username", ADMIN, "--password-stdin"], flags].concat();
        let mut command = env.command(&arguments);
        command.envs(variable.map(|tenant| ("AZURE_TENANT_ID", tenant)));
        TestEnv::run_command_with_stdin(command, PASSWORD)
            .assert_code(0)
            .stderr_contains(&[&format!("to the tenant {CUSTOMER_TENANT}")]);
        assert_eq!(env.request_lines(), [format!("POST /{path}/oauth2/v2.0/token")]);
        assert_eq!(env.cache()["profiles"]["default"]["tenantId"], CUSTOMER_TENANT);
        // What was signed in to is what commands work at from now on.
        env.tenant.forget_requests();
        env.run(&["products", "list"]).assert_code(0);
        assert_eq!(env.request_lines().len(), 1, "{:?}", env.request_lines());
    }
}

#[test]
fn what_is_no_tenant_is_refused_before_any_request() {
    let env = TestEnv::new();
    for name in ["common", "consumers", "organizations", "../x", "contoso.example/../x", "contoso", "", "a b.example"] {
        for way in WAYS {
            env.run_with_stdin(&[&["connect", "--tenant", name], way].concat(), PASSWORD)
                .assert_code(2)
                .stderr_contains(&["--tenant", "is no tenant"]);
        }
        if !name.is_empty() {
            env.run_with_env(&[("AZURE_TENANT_ID", name)], &["connect", "--device-code"])
                .assert_code(2)
                .stderr_contains(&["AZURE_TENANT_ID", "is no tenant"]);
        }
    }
    assert!(env.request_lines().is_empty());
}

#[test]
fn every_refusal_of_a_password_gets_its_own_advice() {
    let env = TestEnv::new();
    for (user, password, code, said) in [
        (ADMIN, "wrong", "AADSTS50126", &["user name or the password is wrong", "hint: mscommerce connect"][..]),
        ("stranger@contoso.example", PASSWORD, "AADSTS50034", &["no such user", "stranger@contoso.example", "hint: "]),
        (LOCKED, PASSWORD, "AADSTS50053", &["locked", "hint: "]),
        (EXPIRED, PASSWORD, "AADSTS50055", &["password has expired", "hint: mscommerce connect"]),
        (DISABLED, PASSWORD, "AADSTS50057", &["account is disabled", "hint: "]),
        (MFA, PASSWORD, "AADSTS50076", &["multi-factor", "hint: mscommerce connect", "browser"]),
    ] {
        env.tenant.forget_requests();
        by_password(&env, user, password, &[])
            .assert_code(4)
            .stdout_is_empty()
            .stderr_contains(&["error: could not sign in", code, "correlation id: "])
            .stderr_contains(said);
        assert_eq!(env.request_lines().len(), 1, "a refusal is not tried again");
        assert!(!env.cache_path().exists(), "nothing is saved");
    }
}

#[test]
fn what_entra_refuses_for_other_reasons_gets_its_own_advice() {
    let env = TestEnv::new();
    for (code, status, error, said) in [
        (50079, 400, "interaction_required", &["multi-factor", "hint: mscommerce connect", "browser"][..]),
        (50105, 400, "invalid_grant", &["user is not assigned", "hint: "]),
        (65001, 400, "invalid_grant", &["consent", "hint: "]),
        (650_052, 400, "invalid_client", &["License Manager service is not in this tenant", "hint: "]),
        (501_051, 400, "invalid_grant", &["application is not assigned", "hint: "]),
        // A client that needs a secret is refused with 401, as OAuth has it.
        (7_000_218, 401, "invalid_client", &["without a secret", "--client-id", "hint: "]),
        // A number that nobody knows yet.
        (99_999_999, 400, "invalid_grant", &["does not accept these credentials", "hint: mscommerce connect"]),
        (99_999_999, 400, "error_of_tomorrow", &["Entra refused it", "mscommerce connect --help"]),
    ] {
        let description = format!(
            "AADSTS{code}: In Entra's words.\r\nTrace ID: t-1\r\nCorrelation ID: c-1\r\nTimestamp: 2026-01-01 00:00:00Z"
        );
        let refusal = json!({"error": error, "error_description": description, "error_codes": [code]});
        env.tenant.fail_next("/token", Response::json(status, &refusal));
        by_password(&env, ADMIN, PASSWORD, &[])
            .assert_code(4)
            .stderr_contains(&[&format!("AADSTS{code}: In Entra's words."), "correlation id: c-1", "trace id: t-1"])
            .stderr_contains(said);
        assert!(!env.cache_path().exists());
    }
}

#[test]
fn what_to_type_next_names_the_profile_in_use() {
    let env = TestEnv::new();
    for (user, password) in [(MFA, PASSWORD), (ADMIN, "wrong")] {
        by_password(&env, user, password, &["--profile", "work"])
            .assert_code(4)
            .stderr_contains(&["hint: mscommerce connect --profile work"]);
    }
}

#[test]
fn what_to_type_next_names_the_tenant_that_was_asked_for() {
    let env = TestEnv::new();
    // Without it the browser would sign in to the tenant at home.
    by_password(&env, MFA, PASSWORD, &["--tenant", CUSTOMER_DOMAIN])
        .assert_code(4)
        .stderr_contains(&[&format!("hint: mscommerce connect --tenant {CUSTOMER_DOMAIN}")]);
}

#[test]
fn an_unknown_tenant_is_told_with_where_to_look() {
    let env = TestEnv::new();
    by_password(&env, ADMIN, PASSWORD, &["--tenant", "nowhere.example"]).assert_code(4).stderr_contains(&[
        "no such tenant",
        "AADSTS90002",
        "nowhere.example",
        "hint: ",
        "--tenant",
    ]);
    assert_eq!(env.request_lines(), ["POST /nowhere.example/oauth2/v2.0/token"]);
    assert!(!env.cache_path().exists());
}

#[test]
fn an_unknown_client_is_told_with_where_to_look() {
    let (by_flag, by_variable) = ("00000000-0000-4000-8000-00000000000f", "00000000-0000-4000-8000-00000000000e");
    for (flags, used) in [(&["--client-id", by_flag][..], by_flag), (&[], by_variable)] {
        let env = TestEnv::new();
        let arguments = [&["connect", "--username", ADMIN, "--password-stdin"], flags].concat();
        let mut command = env.command(&arguments);
        command.env("MSCOMMERCE_CLIENT_ID", by_variable);
        TestEnv::run_command_with_stdin(command, PASSWORD)
            .assert_code(4)
            .stderr_contains(&["client id is not known", "AADSTS700016", used, "hint: "])
            .stderr_contains(&["--client-id", "MSCOMMERCE_CLIENT_ID"]);
        assert_eq!(env.tenant.requests()[0].form()["client_id"], used);
        assert!(!env.cache_path().exists());
    }
}

#[test]
fn an_empty_client_id_is_wrong_usage() {
    let env = TestEnv::new();
    by_password(&env, ADMIN, PASSWORD, &["--client-id", ""]).assert_code(2);
    assert!(env.request_lines().is_empty(), "{:?}", env.request_lines());
}

#[test]
fn a_service_that_is_not_in_the_tenant_is_told() {
    let env = TestEnv::new();
    let mut command = env.command(&["connect", "--username", ADMIN, "--password-stdin"]);
    command.env("MSCOMMERCE_SCOPE", "00000000-0000-4000-8000-00000000000f/.default");
    TestEnv::run_command_with_stdin(command, PASSWORD)
        .assert_code(4)
        .stderr_contains(&["License Manager service is not in this tenant", "AADSTS500011"]);
}

#[test]
fn connect_refuses_while_a_token_in_the_environment_would_outrank_it() {
    let env = TestEnv::new();
    let token = env.tenant.issue_token(ADMIN, HOME_TENANT, 3600);
    let expired = env.tenant.issue_token(ADMIN, HOME_TENANT, -60);
    for token in [token.as_str(), expired.as_str(), "opaque", "Bearer x"] {
        for way in WAYS {
            let arguments = [&["connect"], way].concat();
            let mut command = env.command(&arguments);
            command.env("MSCOMMERCE_TOKEN", token);
            TestEnv::run_command_with_stdin(command, PASSWORD)
                .assert_code(2)
                .stdout_is_empty()
                .stderr_contains(&["MSCOMMERCE_TOKEN", "hint: "]);
        }
    }
    assert!(env.request_lines().is_empty());
    assert!(!env.state_dir().exists());
}

#[test]
fn a_failed_sign_in_leaves_the_earlier_one_as_it_was() {
    let env = TestEnv::signed_in();
    let before = env.cache();
    by_password(&env, READER, "wrong", &[]).assert_code(4);
    by_password(&env, MFA, PASSWORD, &[]).assert_code(4);
    env.run_with_stdin(&["connect", "--with-token"], "rubbish").assert_code(2);
    assert_eq!(env.cache(), before);
}

#[test]
fn another_sign_in_leaves_no_trace_of_the_one_it_replaces() {
    let env = TestEnv::signed_in();
    env.run(&["products", "list", "--tenant", CUSTOMER_DOMAIN]).assert_code(0);
    let secrets = env.cached_tokens();
    assert_eq!(secrets.len(), 3, "two access tokens and a refresh token");
    env.sign_in(READER);
    for secret in secrets {
        assert_eq!(env.files_containing(&secret), Vec::<PathBuf>::new());
    }
    assert_eq!(env.files_containing(ADMIN), Vec::<PathBuf>::new());
}

#[test]
fn a_network_that_fails_is_told_apart_from_a_refusal() {
    let env = TestEnv::new();
    for (response, said) in [
        (Response::text(503, "text/plain", "busy"), "503"),
        (Response::json(500, &json!({"error": "server_error", "error_description": "AADSTS90033"})), "500"),
        (Response::json(429, &json!({"error": "slow_down"})), "429"),
        (Response::text(200, "text/html", "<html><title>Hotel</title></html>"), "a web page came back"),
        (
            Response::text(302, "text/plain", "").header("location", "https://portal.example/?secret=1"),
            "portal.example",
        ),
        (Response::json(200, &json!({"token": "other"})), "cannot be understood"),
        (Response::text(400, "text/plain", "no"), "400"),
    ] {
        env.tenant.fail_next("/token", response);
        by_password(&env, ADMIN, PASSWORD, &[]).assert_code(1).stderr_contains(&[
            "error: could not sign in",
            said,
            "hint: ",
        ]);
        assert!(!env.cache_path().exists());
    }
}

#[test]
fn quiet_says_nothing_of_a_success() {
    let env = TestEnv::new();
    let result = by_password(&env, ADMIN, PASSWORD, &["--quiet"]).assert_code(0).stdout_is_empty();
    assert_eq!(result.stderr, "");
}

/// What Entra answers when the service's tokens are encrypted, as its reference allows: only the id token can be read.
fn granted(access_token: &str, id_claims: &Value) -> Response {
    let body = json!({
        "token_type": "Bearer",
        "expires_in": 3600,
        "access_token": access_token,
        "refresh_token": "1.another",
        "id_token": jwt(id_claims),
        "a_field_of_tomorrow": {"nested": [1, null]},
    });
    Response::json(200, &body)
}

#[test]
fn an_access_token_that_cannot_be_read_is_told_by_the_id_token() {
    let env = TestEnv::new();
    let id = json!({"aud": CLIENT_ID, "tid": HOME_TENANT, "preferred_username": "id@contoso.example"});
    env.tenant.fail_next("/token", granted("opaque", &id));
    by_password(&env, ADMIN, PASSWORD, &[])
        .assert_code(0)
        .stderr_contains(&[&format!("Signed in as id@contoso.example to the tenant {HOME_TENANT}")]);
}

#[test]
fn a_lifetime_beyond_all_bounds_is_no_crash() {
    let env = TestEnv::new();
    for seconds in [9_000_000_000_000_u64, 9_000_000_000_000_000, u64::MAX] {
        let token = env.tenant.issue_token(ADMIN, HOME_TENANT, 3600);
        let response = json!({"token_type": "Bearer", "expires_in": seconds, "access_token": token});
        env.tenant.fail_next("/token", Response::json(200, &response));
        let result = by_password(&env, ADMIN, PASSWORD, &[]);
        assert!(matches!(result.code, 0 | 1), "{seconds}: {result:?}");
        assert!(!result.stderr.contains("panicked"), "{}", result.stderr);
    }
}

#[test]
fn a_token_for_another_tenant_than_the_one_asked_for_is_not_saved() {
    let env = TestEnv::new();
    let token = env.tenant.issue_token(ADMIN, HOME_TENANT, 3600);
    env.tenant.fail_next("/token", granted(&token, &json!({})));
    by_password(&env, ADMIN, PASSWORD, &["--tenant", CUSTOMER_TENANT]).assert_code(4).stderr_contains(&[
        CUSTOMER_TENANT,
        HOME_TENANT,
        "nothing was saved",
    ]);
    assert!(!env.cache_path().exists());
}

#[test]
fn words_from_elsewhere_reach_no_terminal_as_escapes() {
    let env = TestEnv::new();
    let name = "\u{1b}]0;title\u{7}\u{9b}2J\nroot\u{202e}";
    let token = jwt(&json!({"aud": RESOURCE, "tid": HOME_TENANT, "upn": name}));
    env.tenant.fail_next("/token", granted(&token, &json!({})));
    let connected = by_password(&env, ADMIN, PASSWORD, &[]).assert_code(0);
    let refusal = json!({
        "error": "invalid_grant\u{1b}[2J",
        "error_description": "AADSTS50126: \u{1b}[2J\u{7}",
        "suberror": "\u{1b}[2J",
        "correlation_id": "c\u{1b}[2J",
        "trace_id": "t\u{9b}",
    });
    env.tenant.fail_next("/token", Response::json(400, &refusal));
    let refused = by_password(&env, ADMIN, PASSWORD, &[]).assert_code(4);
    let status = env.run(&["status"]).assert_code(0);
    for text in [connected.stderr, refused.stderr, status.stdout, status.stderr] {
        assert!(text.chars().all(|c| c == '\n' || !(c.is_control() || c == '\u{202e}')), "{text:?}");
    }
}

#[test]
fn a_place_where_nothing_can_be_saved_is_told_before_anybody_signs_in() {
    let env = TestEnv::new();
    // A file where the directory belongs.
    std::fs::write(env.state_dir(), "").unwrap();
    for way in &WAYS[..3] {
        env.run_with_stdin(&[&["connect"], *way].concat(), PASSWORD)
            .assert_code(1)
            .stderr_contains(&["state is not a directory", "MSCOMMERCE_HOME"]);
    }
    assert!(env.request_lines().is_empty());
    env.run(&["status"]).assert_code(4).stdout_is_empty().stderr_contains(&["nobody is signed in"]);
}

#[test]
fn sign_ins_of_several_profiles_at_once_are_all_saved() {
    let env = TestEnv::new();
    let profiles: Vec<String> = (1..=6).map(|number| format!("profile-{number}")).collect();
    let children: Vec<_> = profiles
        .iter()
        .map(|profile| {
            let mut child = env
                .command(&["connect", "--username", ADMIN, "--password-stdin", "--profile", profile])
                .stdin(Stdio::piped())
                .spawn()
                .unwrap();
            child.stdin.take().unwrap().write_all(PASSWORD.as_bytes()).unwrap();
            child
        })
        .collect();
    for child in children {
        CliResult::from(child.wait_with_output().unwrap()).assert_code(0);
    }
    let saved = env.cache();
    let names: Vec<_> = saved["profiles"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(names, profiles);
}
