//! Signing in with another issuer's token, from a file.

use serde_json::json;

use super::*;
use crate::tenant::jwt;

fn list_by_token(machine: &Machine, token: impl AsRef<[u8]>) -> Ran {
    list_with(machine, &[(FEDERATED, &write(machine, "token", token))])
}

/// The file is refused, by the variable and by the flag, for this reason and before anything is sent.
#[track_caller]
fn expect_content_refused(content: impl AsRef<[u8]>, reasons: &[&str]) -> [Ran; 2] {
    let machine = Machine::new();
    let file = write(&machine, "token", content);
    let by_variable = run(&machine, &app_with(&[(FEDERATED, &file)]), &["products", "list", "-vvv"]);
    let by_variable = by_variable.expect_code(4).expect_no_data().expect_said(reasons).expect_said(&[FEDERATED, &file]);
    let by_flag = connect(&machine, &["--federated-token-file", &file, "-vvv"], "");
    let by_flag = by_flag.expect_code(4).expect_no_data().expect_said(reasons);
    let by_flag = by_flag.expect_said(&["--federated-token-file", &file]);
    assert!(machine.requests().is_empty());
    assert!(!machine.sign_ins().exists());
    [by_variable, by_flag]
}

#[test]
fn blanks_and_line_ends_around_the_token_do_not_matter() {
    let machine = Machine::new();
    trust_the_issuer(&machine);
    let token = issued();
    for content in [token.clone(), format!("{token}\r\n"), format!("\n  {token} \n\n")] {
        list_by_token(&machine, content).expect_code(0);
    }
    assert!(machine.tenant.assertions().iter().all(|sent| *sent == token));
}

#[test]
fn a_token_that_powershell_wrote_is_read() {
    let machine = Machine::new();
    trust_the_issuer(&machine);
    // Windows PowerShell 5.1 writes a byte order mark first.
    list_by_token(&machine, format!("\u{feff}{}\r\n", issued())).expect_code(0);
}

#[test]
fn a_token_for_several_audiences_is_taken() {
    let machine = Machine::new();
    trust_the_issuer(&machine);
    let exp = chrono::Utc::now().timestamp() + 600;
    let claims =
        json!({ "iss": ISSUER, "sub": SUBJECT, "aud": [FEDERATION_AUDIENCE, "https://cluster.example"], "exp": exp });
    list_by_token(&machine, jwt(&claims)).expect_code(0);
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let machine = Machine::new();
    let missing = text_of(machine.home().join("missing"));
    let directory = text_of(machine.home().to_owned());
    for file in [&missing, &directory] {
        let said = [FEDERATED, file, "federated token"];
        list_with(&machine, &[(FEDERATED, file)]).expect_code(4).expect_no_data().expect_said(&said);
        // A flag is the command line's affair.
        let ran = connect(&machine, &["--federated-token-file", file], "").expect_code(2).expect_no_data();
        ran.expect_said(&["--federated-token-file", file]);
    }
    assert!(machine.requests().is_empty());
}

#[test]
fn a_file_without_anything_in_it_is_said_to_be_empty() {
    for content in ["", "\n", " \r\n "] {
        expect_content_refused(content, &["is empty"]);
    }
}

#[test]
fn what_is_no_token_is_not_sent_and_not_repeated() {
    let token = issued();
    for content in [
        "opaque-but-a-secret".to_owned(),
        "a.b.c".to_owned(),
        format!("Bearer {token}"),
        format!("\"{token}\""),
        format!("{token}\n{token}"),
        json!({ "value": token }).to_string(),
        "eyJhbGciOiJub25lIn0.W10.".to_owned(),
        "a.\u{1b}[31mb.c".to_owned(),
    ] {
        for ran in expect_content_refused(&content, &["not a token"]) {
            assert!(!ran.stderr.contains(content.trim()) && !ran.stderr.contains(&token), "{}", ran.stderr);
            assert!(!ran.stderr.contains('\u{1b}'));
        }
    }
    expect_content_refused(b"\xff\xfd\x00", &["not a token"]);
}

#[test]
fn a_file_that_is_too_large_is_not_read_to_its_end() {
    let machine = Machine::new();
    let file = write(&machine, "token", vec![b'x'; 100 * 1024]);
    list_with(&machine, &[(FEDERATED, &file)]).expect_code(4).expect_said(&[FEDERATED, &file, "large"]);
    let ran = connect(&machine, &["--federated-token-file", &file], "");
    assert!([2, 4].contains(&ran.code), "{ran:?}");
    ran.expect_said(&["--federated-token-file", &file, "large"]);
    assert!(machine.requests().is_empty());
}

#[test]
fn a_refused_token_is_told_by_issuer_subject_and_audience() {
    let machine = Machine::new();
    trust_the_issuer(&machine);
    for (token, code) in [
        (federated_token("https://other.example", SUBJECT, FEDERATION_AUDIENCE, 600), "AADSTS700211"),
        (federated_token(ISSUER, "system:serviceaccount:other", FEDERATION_AUDIENCE, 600), "AADSTS700213"),
        // Since 2025 upper and lower case count.
        (federated_token(ISSUER, &SUBJECT.to_uppercase(), FEDERATION_AUDIENCE, 600), "AADSTS700213"),
        (federated_token(ISSUER, SUBJECT, "https://cluster.example", 600), "AADSTS700212"),
    ] {
        machine.tenant.forget_requests();
        let claims = claims_of(&token).unwrap();
        let claimed = ["iss", "sub", "aud"].map(|name| format!("{name}: {}\n", claims[name].as_str().unwrap()));
        let ran = list_by_token(&machine, &token).expect_code(4).expect_no_data();
        let ran =
            ran.expect_said(&[code, &claimed[0], &claimed[1], &claimed[2], FEDERATED, "hint: ", "correlation id: "]);
        assert!(!ran.stderr.contains(&token), "{}", ran.stderr);
        assert_eq!(machine.requests(), [TOKEN]);
    }
}

#[test]
fn a_token_that_has_ended_is_told_with_its_end() {
    let machine = Machine::new();
    trust_the_issuer(&machine);
    let token = federated_token(ISSUER, SUBJECT, FEDERATION_AUDIENCE, -60);
    let end = claims_of(&token).unwrap()["exp"].as_i64().unwrap();
    let end = chrono::DateTime::from_timestamp(end, 0).unwrap();
    let end = format!("ended at {}", end.to_rfc3339_opts(chrono::SecondsFormat::Secs, true));
    list_by_token(&machine, token).expect_code(4).expect_no_data().expect_said(&[&end, ISSUER, SUBJECT, "hint: "]);
}

#[test]
fn a_token_without_claims_is_told_to_have_none() {
    let machine = Machine::new();
    list_by_token(&machine, jwt(&json!({}))).expect_code(4).expect_no_data().expect_said(&[
        "iss: none\n",
        "sub: none\n",
        "aud: none\n",
    ]);
}

#[test]
fn what_a_token_claims_does_not_steer_the_terminal() {
    let machine = Machine::new();
    let claims = json!({ "iss": "a\u{1b}[31mb\nerror: c", "sub": "x".repeat(5000), "aud": "\u{202e}" });
    let ran = list_by_token(&machine, jwt(&claims)).expect_code(4).expect_no_data();
    assert!(!ran.stderr.contains(['\u{1b}', '\u{202e}']), "{}", ran.stderr);
    assert!(!ran.stderr.contains("\nerror: c"), "{}", ran.stderr);
    assert!(ran.stderr.lines().filter(|line| line.starts_with("  sub: ")).all(|line| line.len() < 400));
}
