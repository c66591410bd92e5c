//! Text of a service or a token that looks like lines of this program stays within its line.

use serde_json::{Value, json};

use crate::secrecy::COMMANDS;
use crate::support::cli::CliResult;
use crate::support::env::TestEnv;
use crate::support::fixtures::POWER_BI;
use crate::tenant::{ADMIN, HOME_TENANT, PASSWORD, Product, Received, Response, jwt};

/// Line ends of every kind, each followed by a line that this program could print.
const FORGED: &str = "x\nerror: forged\r\nhint: forged\rwarning: forged\u{85}error: forged\u{2028}hint: forged\u{2029}\
                      error: forged\u{b}hint: forged\u{c}error: forged\u{9b}1E\u{1b}[1Ehint: forged\u{202e}";

/// Asserts that no line begins with forged text, and that standard error has no control characters.
#[track_caller]
fn assert_no_forged_line(what: &str, result: &CliResult) {
    let is_line_end = |c: char| matches!(c, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}');
    for line in result.stderr.split(is_line_end) {
        let is_forged = ["error: forged", "hint: forged", "warning: forged"]
            .iter()
            .any(|start| line.trim_start().starts_with(start));
        assert!(!is_forged, "{what}: {}", result.stderr);
    }
    let is_control = |c: char| c != '\n' && (c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c));
    assert!(!result.stderr.contains(is_control), "{what}: {:?}", result.stderr);
}

fn run(env: &TestEnv, arguments: &[&str]) -> CliResult {
    env.run_in_home(&[arguments, &["-v"]].concat())
}

#[test]
fn names_and_values_do_not_forge_lines() {
    let env = TestEnv::signed_in();
    let hostile = |id| Product::new(id, FORGED, FORGED).with("policyId", FORGED).with("scope", "Product");
    env.tenant.set_products(vec![hostile(POWER_BI), hostile("CFQ7TTC0HD33"), hostile("CFQ7\nerror: forged")]);
    env.tenant.set_offer_types(vec![Product::new("error: forged\nhint: forged", FORGED, FORGED)]);
    for command in COMMANDS.iter().filter(|command| command[0] != "disconnect") {
        assert_no_forged_line(&format!("{command:?}"), &run(&env, command));
    }
    env.tenant.misreport_updates(true);
    for value in ["enabled", "disabled"] {
        let update = ["products", "update", "--all", "--value", value, "--yes"];
        assert_no_forged_line("a change without effect", &run(&env, &update));
    }
    assert_no_forged_line("nearest names", &run(&env, &["product", "get", "forged"]));
}

#[test]
fn error_responses_do_not_forge_lines() {
    let bodies = [
        Response::json(403, &json!({ "errorCode": FORGED, "reason": FORGED })),
        Response::json(400, &json!({ "error": { "code": FORGED, "message": FORGED } })),
        Response::text(404, "text/plain", FORGED),
        Response::text(200, "text/html", format!("<html>{FORGED}")),
        Response::json(200, &json!({ "items": [], "nextLink": FORGED })),
        Response::json(200, &json!({ "items": FORGED })),
    ];
    for body in bodies {
        for command in
            [&["products", "list"][..], &["products", "update", "--all", "--value", "disabled", "--yes"], &["doctor"]]
        {
            let env = TestEnv::signed_in();
            env.tenant.fail_times(9, "/v1.0/", body.clone());
            assert_no_forged_line(&format!("{command:?} {body:?}"), &run(&env, command));
        }
    }
}

#[test]
fn oauth_responses_and_claims_do_not_forge_lines() {
    let error = json!({ "error": FORGED, "error_description": FORGED, "suberror": FORGED, "trace_id": FORGED, "correlation_id": FORGED });
    let claims = json!({ "tid": FORGED, "upn": FORGED, "appid": FORGED, "scp": FORGED, "aud": FORGED, "iss": FORGED,
        "sub": FORGED, "exp": 4_000_000_000_i64 });
    let code = json!({ "device_code": "D", "user_code": FORGED, "verification_uri": format!("https://a.example/{FORGED}"),
        "expires_in": 900, "interval": 0 });
    let token = jwt(&claims);
    let env = TestEnv::new();
    env.tenant.fail_next("/token", Response::json(400, &error));
    let connect = ["connect", "--username", ADMIN, "--password-stdin", "-v"];
    assert_no_forged_line("error", &env.run_with_stdin(&connect, PASSWORD));
    env.tenant.fail_next("/devicecode", Response::json(200, &code));
    env.tenant.fail_next("/token", Response::json(400, &error));
    assert_no_forged_line("device code", &run(&env, &["connect", "--device-code"]));
    for arguments in [&["connect", "--with-token"][..], &["connect", "--with-token", "--tenant", HOME_TENANT]] {
        assert_no_forged_line("token", &env.run_with_stdin(arguments, &token));
    }
    for command in
        [&["status"][..], &["products", "list"], &["products", "list", "--tenant", "other.example"], &["doctor"]]
    {
        assert_no_forged_line("saved token", &run(&env, command));
        let variables = [("MSCOMMERCE_TOKEN", token.as_str())];
        assert_no_forged_line("token of the environment", &env.run_with_env(&variables, &[command, &["-v"]].concat()));
    }
    let body = json!({ "access_token": token, "refresh_token": "r", "token_type": "Bearer", "expires_in": 3600 });
    env.tenant.rewrite_responses(
        move |request: &Received, response| {
            if request.path.ends_with("/token") { Response::json(200, &body) } else { response }
        },
    );
    assert_no_forged_line("signed in", &env.run_with_stdin(&connect, PASSWORD));
    for command in [&["products", "list", "--tenant", "other.example"][..], &["doctor"], &["status"]] {
        assert_no_forged_line("saved sign-in", &run(&env, command));
    }
}

#[test]
fn history_does_not_forge_lines() {
    let env = TestEnv::signed_in();
    env.tenant.set_products(vec![Product::new(POWER_BI, FORGED, "Enabled")]);
    run(&env, &["product", "update", POWER_BI, "--value", "disabled"]).assert_code(0);
    let history = run(&env, &["history"]).assert_code(0);
    assert_no_forged_line("history", &CliResult { code: 0, stdout: String::new(), stderr: history.stdout });
    let Value::Array(entries) = run(&env, &["history", "-o", "json"]).assert_code(0).json() else { panic!("an array") };
    assert_eq!(entries[0]["name"], FORGED);
}
