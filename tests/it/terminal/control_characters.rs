//! Control characters in text from the services.

use super::*;
use crate::support::fixtures::POWER_BI;

#[test]
fn control_characters_in_names_are_escaped() {
    let env = TestEnv::signed_in();
    let hostile = Product::new(POWER_BI, CONTROL_CHARACTERS, CONTROL_CHARACTERS)
        .with("policyId", CONTROL_CHARACTERS)
        .with("added", CONTROL_CHARACTERS);
    env.tenant.set_products(vec![hostile]);
    for format in ["table", "json", "csv", "tsv", "markdown"] {
        for command in [LIST, GET, &[DISABLE, &["--dry-run"]].concat()] {
            let output = env
                .run_in_terminal(&[command, &["-o", format, "-v"]].concat())
                .assert_code(0)
                .assert_no_control_characters();
            assert!(output.screen.contains("owned"), "the rest of the text stays: {}", output.screen);
        }
    }
    // The prompt, the note after the update, and errors also contain the product name.
    let mut session = PtySession::run(env.command(&[DISABLE, &["--confirm"]].concat()));
    session.expect("[y/N]");
    session.type_keys("y\n");
    session.finish().assert_code(0).contains_all(&["owned"]).assert_no_control_characters();
    env.tenant.misreport_updates(true);
    let enable = ["product", "update", POWER_BI, "--value", "enabled"];
    env.run_in_terminal(&enable).assert_code(1).contains_all(&["owned"]).assert_no_control_characters();
    env.run_in_terminal(&["product", "get", "owner"])
        .assert_code(1)
        .contains_all(&["owned"])
        .assert_no_control_characters();
}

#[test]
fn control_characters_in_errors_are_escaped() {
    let env = TestEnv::signed_in();
    let bodies = [
        Response::json(403, &json!({ "errorCode": CONTROL_CHARACTERS, "reason": CONTROL_CHARACTERS })),
        Response::json(429, &json!({ "error": { "code": CONTROL_CHARACTERS, "message": CONTROL_CHARACTERS } }))
            .header("retry-after", "1000"),
        Response::text(500, "text/plain", CONTROL_CHARACTERS),
        Response::text(200, "text/html", format!("<html>{CONTROL_CHARACTERS}</html>")),
        Response::json(200, &json!({ "nextLink": CONTROL_CHARACTERS, "items": [] })),
        Response::json(200, &json!({ "items": CONTROL_CHARACTERS })),
    ];
    for response in bodies {
        env.tenant.fail_next("/products", response);
        env.run_in_terminal(&["products", "list", "-v"])
            .assert_code(1)
            .contains_all(&["owned"])
            .assert_no_control_characters();
    }

    let error = json!({ "error": "invalid_grant", "error_description": format!("AADSTS50126: {CONTROL_CHARACTERS} Trace ID: {CONTROL_CHARACTERS}"),
        "error_codes": [50126], "trace_id": CONTROL_CHARACTERS, "correlation_id": CONTROL_CHARACTERS, "suberror": CONTROL_CHARACTERS });
    env.tenant.fail_next("/token", Response::json(400, &error));
    let mut session = PtySession::run(env.command(CONNECT));
    type_password(&mut session);
    session.finish().assert_code(4).contains_all(&["owned"]).assert_no_control_characters();
}

#[test]
fn control_characters_in_sign_in_are_escaped() {
    let env = TestEnv::new();
    let code = json!({ "device_code": "D", "user_code": CONTROL_CHARACTERS, "verification_uri": "https://example.com/\u{9b}31m",
        "expires_in": 900, "interval": 0, "message": CONTROL_CHARACTERS });
    env.tenant.fail_next("/devicecode", Response::json(200, &code));
    let error = json!({ "error": "access_denied", "error_description": CONTROL_CHARACTERS });
    env.tenant.fail_next("/token", Response::json(400, &error));
    env.run_in_terminal(&["connect", "--device-code"])
        .assert_code(4)
        .contains_all(&["owned"])
        .assert_no_control_characters();

    // The program does not verify the signature of a token, so its claims are not trusted.
    let token = jwt(
        &json!({ "upn": CONTROL_CHARACTERS, "tid": CONTROL_CHARACTERS, "appid": CONTROL_CHARACTERS, "roles": [CONTROL_CHARACTERS],
        "aud": CONTROL_CHARACTERS, "exp": 4_000_000_000_i64 }),
    );
    for format in ["table", "csv", "json", "tsv", "markdown"] {
        env.start_in_terminal(&[("MSCOMMERCE_TOKEN", &token)], &["status", "-o", format])
            .finish()
            .assert_code(0)
            .contains_all(&["owned"])
            .assert_no_control_characters();
    }
    let mut session = PtySession::run(env.command(&["connect", "--with-token"]));
    session.expect("Access token: ");
    session.expect_hidden_input();
    session.type_keys(&format!("{token}\n"));
    session.finish().assert_no_control_characters();
}
