//! Text that would steer the terminal.

use super::*;

#[test]
fn names_that_would_steer_the_terminal_come_out_harmless_in_every_format() {
    let machine = Machine::signed_in();
    let hostile = Product::new(POWER_BI, STEERING, STEERING).with("policyId", STEERING).with("added", STEERING);
    machine.tenant.set_products(vec![hostile]);
    for format in ["table", "json", "csv", "tsv", "markdown"] {
        for command in [LIST, GET, &[DISABLE, &["--dry-run"]].concat()] {
            let left = machine.at_terminal(&[command, &["-o", format, "-v"]].concat()).expect_code(0).expect_harmless();
            assert!(left.shown.contains("owned"), "the text itself stays: {}", left.shown);
        }
    }
    // The question, the note afterwards, and the errors name the product as well.
    let mut screen = Screen::run(machine.command(&[DISABLE, &["--confirm"]].concat()));
    screen.expect("[y/N]");
    screen.keys("y\n");
    screen.finish().expect_code(0).expect_shown(&["owned"]).expect_harmless();
    machine.tenant.misreport_updates(true);
    let enable = ["product", "update", POWER_BI, "--value", "enabled"];
    machine.at_terminal(&enable).expect_code(1).expect_shown(&["owned"]).expect_harmless();
    machine.at_terminal(&["product", "get", "owner"]).expect_code(1).expect_shown(&["owned"]).expect_harmless();
}

#[test]
fn what_the_services_say_in_errors_comes_out_harmless() {
    let machine = Machine::signed_in();
    let bodies = [
        Answer::json(403, &json!({ "errorCode": STEERING, "reason": STEERING })),
        Answer::json(429, &json!({ "error": { "code": STEERING, "message": STEERING } })),
        Answer::text(500, "text/plain", STEERING),
        Answer::text(200, "text/html", format!("<html>{STEERING}</html>")),
        Answer::json(200, &json!({ "nextLink": STEERING, "items": [] })),
        Answer::json(200, &json!({ "items": STEERING })),
    ];
    for answer in bodies {
        machine.tenant.fail_next("/products", answer);
        machine.at_terminal(&["products", "list", "-v"]).expect_code(1).expect_shown(&["owned"]).expect_harmless();
    }

    let refusal = json!({ "error": "invalid_grant", "error_description": format!("AADSTS50126: {STEERING} Trace ID: {STEERING}"),
        "error_codes": [50126], "trace_id": STEERING, "correlation_id": STEERING, "suberror": STEERING });
    machine.tenant.fail_next("/token", Answer::json(400, &refusal));
    let mut screen = Screen::run(machine.command(CONNECT));
    type_password(&mut screen);
    screen.finish().expect_code(4).expect_shown(&["owned"]).expect_harmless();
}

#[test]
fn what_a_sign_in_shows_comes_out_harmless() {
    let machine = Machine::new();
    let code = json!({ "device_code": "D", "user_code": STEERING, "verification_uri": "https://example.com/\u{9b}31m",
        "expires_in": 900, "interval": 0, "message": STEERING });
    machine.tenant.fail_next("/devicecode", Answer::json(200, &code));
    let refusal = json!({ "error": "access_denied", "error_description": STEERING });
    machine.tenant.fail_next("/token", Answer::json(400, &refusal));
    machine.at_terminal(&["connect", "--device-code"]).expect_code(4).expect_shown(&["owned"]).expect_harmless();

    // Nothing signs what a token says of itself, so anybody can have written it.
    let token = jwt(&json!({ "upn": STEERING, "tid": STEERING, "appid": STEERING, "roles": [STEERING],
        "aud": STEERING, "exp": 4_000_000_000_i64 }));
    for format in ["table", "csv", "json", "tsv", "markdown"] {
        machine
            .screen_with(&[("MSCOMMERCE_TOKEN", &token)], &["status", "-o", format])
            .finish()
            .expect_code(0)
            .expect_shown(&["owned"])
            .expect_harmless();
    }
    let mut screen = Screen::run(machine.command(&["connect", "--with-token"]));
    screen.expect("Access token: ");
    screen.expect_hidden_input();
    screen.keys(&format!("{token}\n"));
    screen.finish().expect_harmless();
}
