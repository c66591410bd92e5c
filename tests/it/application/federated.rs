//! Signing in with another issuer's token, from a file.

use serde_json::json;

use super::*;
use crate::support::fixtures::HOME_TOKEN;
use crate::tenant::jwt;

fn list_by_token(env: &TestEnv, token: impl AsRef<[u8]>) -> CliResult {
    list_with(env, &[(FEDERATED, &env.write("token", token))])
}

/// The file is refused, by the variable and by the flag, for this reason and before anything is sent.
#[track_caller]
fn expect_content_refused(content: impl AsRef<[u8]>, reasons: &[&str]) -> [CliResult; 2] {
    let env = TestEnv::new();
    let file = env.write("token", content);
    let by_variable = run(&env, &app_with(&[(FEDERATED, &file)]), &["products", "list", "-vvv"]);
    let by_variable =
        by_variable.assert_code(4).stdout_is_empty().stderr_contains(reasons).stderr_contains(&[FEDERATED, &file]);
    let by_flag = connect(&env, &["--federated-token-file", &file, "-vvv"], "");
    let by_flag = by_flag.assert_code(4).stdout_is_empty().stderr_contains(reasons);
    let by_flag = by_flag.stderr_contains(&["--federated-token-file", &file]);
    assert!(env.request_lines().is_empty());
    assert!(!env.cache_path().exists());
    [by_variable, by_flag]
}

#[test]
fn blanks_and_line_ends_around_the_token_do_not_matter() {
    let env = TestEnv::new();
    trust_the_issuer(&env);
    let token = issued();
    for content in [token.clone(), format!("{token}\r\n"), format!("\n  {token} \n\n")] {
        list_by_token(&env, content).assert_code(0);
    }
    assert!(env.tenant.assertions().iter().all(|sent| *sent == token));
}

#[test]
fn a_token_that_powershell_wrote_is_read() {
    let env = TestEnv::new();
    trust_the_issuer(&env);
    // Windows PowerShell 5.1 writes a byte order mark first.
    list_by_token(&env, format!("\u{feff}{}\r\n", issued())).assert_code(0);
}

#[test]
fn a_token_for_several_audiences_is_taken() {
    let env = TestEnv::new();
    trust_the_issuer(&env);
    let exp = chrono::Utc::now().timestamp() + 600;
    let claims =
        json!({ "iss": ISSUER, "sub": SUBJECT, "aud": [FEDERATION_AUDIENCE, "https://cluster.example"], "exp": exp });
    list_by_token(&env, jwt(&claims)).assert_code(0);
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let env = TestEnv::new();
    let missing = text_of(env.home().join("missing"));
    let directory = text_of(env.home().to_owned());
    for file in [&missing, &directory] {
        let said = [FEDERATED, file, "federated token"];
        list_with(&env, &[(FEDERATED, file)]).assert_code(4).stdout_is_empty().stderr_contains(&said);
        // A flag is the command line's affair.
        let result = connect(&env, &["--federated-token-file", file], "").assert_code(2).stdout_is_empty();
        result.stderr_contains(&["--federated-token-file", file]);
    }
    assert!(env.request_lines().is_empty());
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
        for result in expect_content_refused(&content, &["not a token"]) {
            assert!(!result.stderr.contains(content.trim()) && !result.stderr.contains(&token), "{}", result.stderr);
            assert!(!result.stderr.contains('\u{1b}'));
        }
    }
    expect_content_refused(b"\xff\xfd\x00", &["not a token"]);
}

#[test]
fn a_file_that_is_too_large_is_not_read_to_its_end() {
    let env = TestEnv::new();
    let file = env.write("token", vec![b'x'; 100 * 1024]);
    list_with(&env, &[(FEDERATED, &file)]).assert_code(4).stderr_contains(&[FEDERATED, &file, "large"]);
    let result = connect(&env, &["--federated-token-file", &file], "");
    assert!([2, 4].contains(&result.code), "{result:?}");
    result.stderr_contains(&["--federated-token-file", &file, "large"]);
    assert!(env.request_lines().is_empty());
}

#[test]
fn a_refused_token_is_told_by_issuer_subject_and_audience() {
    let env = TestEnv::new();
    trust_the_issuer(&env);
    for (token, code) in [
        (federated_token("https://other.example", SUBJECT, FEDERATION_AUDIENCE, 600), "AADSTS700211"),
        (federated_token(ISSUER, "system:serviceaccount:other", FEDERATION_AUDIENCE, 600), "AADSTS700213"),
        // Since 2025 upper and lower case count.
        (federated_token(ISSUER, &SUBJECT.to_uppercase(), FEDERATION_AUDIENCE, 600), "AADSTS700213"),
        (federated_token(ISSUER, SUBJECT, "https://cluster.example", 600), "AADSTS700212"),
    ] {
        env.tenant.forget_requests();
        let claims = claims_of(&token).unwrap();
        let claimed = ["iss", "sub", "aud"].map(|name| format!("{name}: {}\n", claims[name].as_str().unwrap()));
        let result = list_by_token(&env, &token).assert_code(4).stdout_is_empty();
        let result = result.stderr_contains(&[
            code,
            &claimed[0],
            &claimed[1],
            &claimed[2],
            FEDERATED,
            "hint: ",
            "correlation id: ",
        ]);
        assert!(!result.stderr.contains(&token), "{}", result.stderr);
        assert_eq!(env.request_lines(), [HOME_TOKEN]);
    }
}

#[test]
fn a_token_that_has_ended_is_told_with_its_end() {
    let env = TestEnv::new();
    trust_the_issuer(&env);
    let token = federated_token(ISSUER, SUBJECT, FEDERATION_AUDIENCE, -60);
    let end = claims_of(&token).unwrap()["exp"].as_i64().unwrap();
    let end = chrono::DateTime::from_timestamp(end, 0).unwrap();
    let end = format!("ended at {}", end.to_rfc3339_opts(chrono::SecondsFormat::Secs, true));
    list_by_token(&env, token).assert_code(4).stdout_is_empty().stderr_contains(&[&end, ISSUER, SUBJECT, "hint: "]);
}

#[test]
fn a_token_without_claims_is_told_to_have_none() {
    let env = TestEnv::new();
    list_by_token(&env, jwt(&json!({}))).assert_code(4).stdout_is_empty().stderr_contains(&[
        "iss: none\n",
        "sub: none\n",
        "aud: none\n",
    ]);
}

#[test]
fn what_a_token_claims_does_not_steer_the_terminal() {
    let env = TestEnv::new();
    let claims = json!({ "iss": "a\u{1b}[31mb\nerror: c", "sub": "x".repeat(5000), "aud": "\u{202e}" });
    let result = list_by_token(&env, jwt(&claims)).assert_code(4).stdout_is_empty();
    assert!(!result.stderr.contains(['\u{1b}', '\u{202e}']), "{}", result.stderr);
    assert!(!result.stderr.contains("\nerror: c"), "{}", result.stderr);
    assert!(result.stderr.lines().filter(|line| line.starts_with("  sub: ")).all(|line| line.len() < 400));
}
