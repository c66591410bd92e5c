//! Text that would steer the terminal.

use super::*;
use crate::support::fixtures::POWER_BI;

#[test]
fn names_that_would_steer_the_terminal_come_out_harmless_in_every_format() {
    let env = TestEnv::signed_in();
    let hostile = Product::new(POWER_BI, STEERING, STEERING).with("policyId", STEERING).with("added", STEERING);
    env.tenant.set_products(vec![hostile]);
    for format in ["table", "json", "csv", "tsv", "markdown"] {
        for command in [LIST, GET, &[DISABLE, &["--dry-run"]].concat()] {
            let output = env.at_terminal(&[command, &["-o", format, "-v"]].concat()).assert_code(0).expect_harmless();
            assert!(output.screen.contains("owned"), "the text itself stays: {}", output.screen);
        }
    }
    // The question, the note afterwards, and the errors name the product as well.
    let mut session = PtySession::run(env.command(&[DISABLE, &["--confirm"]].concat()));
    session.expect("[y/N]");
    session.type_keys("y\n");
    session.finish().assert_code(0).contains_all(&["owned"]).expect_harmless();
    env.tenant.misreport_updates(true);
    let enable = ["product", "update", POWER_BI, "--value", "enabled"];
    env.at_terminal(&enable).assert_code(1).contains_all(&["owned"]).expect_harmless();
    env.at_terminal(&["product", "get", "owner"]).assert_code(1).contains_all(&["owned"]).expect_harmless();
}

#[test]
fn what_the_services_say_in_errors_comes_out_harmless() {
    let env = TestEnv::signed_in();
    let bodies = [
        Response::json(403, &json!({ "errorCode": STEERING, "reason": STEERING })),
        Response::json(429, &json!({ "error": { "code": STEERING, "message": STEERING } })),
        Response::text(500, "text/plain", STEERING),
        Response::text(200, "text/html", format!("<html>{STEERING}</html>")),
        Response::json(200, &json!({ "nextLink": STEERING, "items": [] })),
        Response::json(200, &json!({ "items": STEERING })),
    ];
    for response in bodies {
        env.tenant.fail_next("/products", response);
        env.at_terminal(&["products", "list", "-v"]).assert_code(1).contains_all(&["owned"]).expect_harmless();
    }

    let refusal = json!({ "error": "invalid_grant", "error_description": format!("AADSTS50126: {STEERING} Trace ID: {STEERING}"),
        "error_codes": [50126], "trace_id": STEERING, "correlation_id": STEERING, "suberror": STEERING });
    env.tenant.fail_next("/token", Response::json(400, &refusal));
    let mut session = PtySession::run(env.command(CONNECT));
    type_password(&mut session);
    session.finish().assert_code(4).contains_all(&["owned"]).expect_harmless();
}

#[test]
fn what_a_sign_in_shows_comes_out_harmless() {
    let env = TestEnv::new();
    let code = json!({ "device_code": "D", "user_code": STEERING, "verification_uri": "https://example.com/\u{9b}31m",
        "expires_in": 900, "interval": 0, "message": STEERING });
    env.tenant.fail_next("/devicecode", Response::json(200, &code));
    let refusal = json!({ "error": "access_denied", "error_description": STEERING });
    env.tenant.fail_next("/token", Response::json(400, &refusal));
    env.at_terminal(&["connect", "--device-code"]).assert_code(4).contains_all(&["owned"]).expect_harmless();

    // Nothing signs what a token says of itself, so anybody can have written it.
    let token = jwt(&json!({ "upn": STEERING, "tid": STEERING, "appid": STEERING, "roles": [STEERING],
        "aud": STEERING, "exp": 4_000_000_000_i64 }));
    for format in ["table", "csv", "json", "tsv", "markdown"] {
        env.screen_with(&[("MSCOMMERCE_TOKEN", &token)], &["status", "-o", format])
            .finish()
            .assert_code(0)
            .contains_all(&["owned"])
            .expect_harmless();
    }
    let mut session = PtySession::run(env.command(&["connect", "--with-token"]));
    session.expect("Access token: ");
    session.expect_hidden_input();
    session.type_keys(&format!("{token}\n"));
    session.finish().expect_harmless();
}
