//! Sign-in with a federated token from a file.

use serde_json::json;

use super::*;
use crate::support::fixtures::HOME_TOKEN;
use crate::support::snapshot::Transcript;
use crate::tenant::jwt;

fn list_by_token(env: &TestEnv, token: impl AsRef<[u8]>) -> CliResult {
    list_with(env, &[(FEDERATED, &env.write("token", token))])
}

/// Runs with the file in the variable and with the flag. Asserts that both fail alike and that nothing is sent or saved.
#[track_caller]
fn run_with_content(transcript: &mut Transcript, name: &str, content: impl AsRef<[u8]>) -> [CliResult; 2] {
    let env = TestEnv::new();
    let file = env.write("token", content);
    let by_variable = transcript.push(name, list_with(&env, &[(FEDERATED, &file)]));
    let by_flag = connect(&env, &["--federated-token-file", &file, "-vvv"], "");
    let by_flag = by_flag.assert_code(by_variable.code).stdout_is_empty();
    let error = by_variable.stderr.replace(FEDERATED, "--federated-token-file");
    assert!(by_flag.stderr.ends_with(&error), "{name}\n{error}\n{}", by_flag.stderr);
    assert!(env.request_lines().is_empty());
    assert!(!env.cache_path().exists());
    [by_variable, by_flag]
}

#[test]
fn federated_token_whitespace_is_trimmed() {
    let env = TestEnv::new();
    trust_the_issuer(&env);
    let token = issued();
    for content in [token.clone(), format!("{token}\r\n"), format!("\n  {token} \n\n")] {
        list_by_token(&env, content).assert_code(0);
    }
    assert!(env.tenant.assertions().iter().all(|sent| *sent == token));
}

#[test]
fn federated_token_with_bom_is_accepted() {
    let env = TestEnv::new();
    trust_the_issuer(&env);
    // Windows PowerShell 5.1 writes a byte order mark first.
    list_by_token(&env, format!("\u{feff}{}\r\n", issued())).assert_code(0);
}

#[test]
fn federated_token_with_several_audiences_works() {
    let env = TestEnv::new();
    trust_the_issuer(&env);
    let exp = chrono::Utc::now().timestamp() + 600;
    let claims =
        json!({ "iss": ISSUER, "sub": SUBJECT, "aud": [FEDERATION_AUDIENCE, "https://cluster.example"], "exp": exp });
    list_by_token(&env, jwt(&claims)).assert_code(0);
}

#[test]
fn unreadable_federated_token_file_error_message() {
    let env = TestEnv::new();
    let missing = text_of(env.home().join("missing"));
    let directory = text_of(env.home().to_owned());
    let mut transcript = Transcript::default();
    for (name, file) in [("missing", &missing), ("directory", &directory)] {
        transcript.push(format!("{name}, variable"), list_with(&env, &[(FEDERATED, file)]));
        // A flag is a usage error.
        transcript.push(format!("{name}, flag"), connect(&env, &["--federated-token-file", file], ""));
    }
    cli_snapshot!(transcript, @"
    ===== missing, variable =====
    exit_code: 4
    ----- stderr -----
    error: could not read the federated token [TMP]/missing (AZURE_FEDERATED_TOKEN_FILE): [OS ERROR]
    hint: check AZURE_FEDERATED_TOKEN_FILE
    ===== missing, flag =====
    exit_code: 2
    ----- stderr -----
    error: could not read the federated token [TMP]/missing (--federated-token-file): [OS ERROR]
    hint: check --federated-token-file
    ===== directory, variable =====
    exit_code: 4
    ----- stderr -----
    error: could not read the federated token [TMP] (AZURE_FEDERATED_TOKEN_FILE): [OS ERROR]
    hint: check AZURE_FEDERATED_TOKEN_FILE
    ===== directory, flag =====
    exit_code: 2
    ----- stderr -----
    error: could not read the federated token [TMP] (--federated-token-file): [OS ERROR]
    hint: check --federated-token-file
    ");
    assert!(env.request_lines().is_empty());
}

#[test]
fn empty_federated_token_file_error_message() {
    let mut transcript = Transcript::default();
    for (name, content) in [("empty", ""), ("empty line", "\n"), ("blank", " \r\n ")] {
        run_with_content(&mut transcript, name, content);
    }
    cli_snapshot!(transcript, @"
    ===== empty =====
    ===== empty line =====
    ===== blank =====
    exit_code: 4
    ----- stderr -----
    error: [TMP]/token (AZURE_FEDERATED_TOKEN_FILE) is empty; expected a federated token
    hint: check the program that writes the file in AZURE_FEDERATED_TOKEN_FILE
    ");
}

#[test]
fn invalid_federated_token_is_not_sent_or_shown() {
    let token = issued();
    let mut transcript = Transcript::default();
    for (name, content) in [
        ("opaque", "opaque-but-a-secret".to_owned()),
        ("three segments", "a.b.c".to_owned()),
        ("with Bearer", format!("Bearer {token}")),
        ("quoted", format!("\"{token}\"")),
        ("two lines", format!("{token}\n{token}")),
        ("JSON", json!({ "value": token }).to_string()),
        ("claims not an object", "eyJhbGciOiJub25lIn0.W10.".to_owned()),
        ("escape sequence", "a.\u{1b}[31mb.c".to_owned()),
    ] {
        for result in run_with_content(&mut transcript, name, &content) {
            assert!(!result.stderr.contains(content.trim()) && !result.stderr.contains(&token), "{}", result.stderr);
            assert!(!result.stderr.contains('\u{1b}'));
        }
    }
    run_with_content(&mut transcript, "not UTF-8", b"\xff\xfd\x00");
    cli_snapshot!(transcript, @"
    ===== opaque =====
    ===== three segments =====
    ===== with Bearer =====
    ===== quoted =====
    ===== two lines =====
    ===== JSON =====
    ===== claims not an object =====
    ===== escape sequence =====
    ===== not UTF-8 =====
    exit_code: 4
    ----- stderr -----
    error: [TMP]/token (AZURE_FEDERATED_TOKEN_FILE) is not a token (JWT)
    hint: check the program that writes the file in AZURE_FEDERATED_TOKEN_FILE
    ");
}

#[test]
fn oversized_federated_token_file_error_message() {
    let env = TestEnv::new();
    let file = env.write("token", vec![b'x'; 100 * 1024]);
    cli_snapshot!(list_with(&env, &[(FEDERATED, &file)]), @"
    exit_code: 4
    ----- stderr -----
    error: could not read the federated token [TMP]/token (AZURE_FEDERATED_TOKEN_FILE): file too large
    hint: check AZURE_FEDERATED_TOKEN_FILE
    ");
    cli_snapshot!(connect(&env, &["--federated-token-file", &file], ""), @"
    exit_code: 2
    ----- stderr -----
    error: could not read the federated token [TMP]/token (--federated-token-file): file too large
    hint: check --federated-token-file
    ");
    assert!(env.request_lines().is_empty());
}

#[test]
fn rejected_federated_token_error_shows_claims() {
    let env = TestEnv::new();
    trust_the_issuer(&env);
    let mut transcript = Transcript::default();
    for (name, issuer, subject, audience) in [
        ("other issuer", "https://other.example", SUBJECT, FEDERATION_AUDIENCE),
        ("other subject", ISSUER, "system:serviceaccount:other", FEDERATION_AUDIENCE),
        // Case-sensitive since 2025.
        ("subject in upper case", ISSUER, &SUBJECT.to_uppercase(), FEDERATION_AUDIENCE),
        ("other audience", ISSUER, SUBJECT, "https://cluster.example"),
    ] {
        env.tenant.forget_requests();
        let token = federated_token(issuer, subject, audience, 600);
        transcript.push(name, list_by_token(&env, &token)).stderr_lacks(&token);
        assert_eq!(env.request_lines(), [HOME_TOKEN]);
    }
    cli_snapshot!(transcript, @"
    ===== other issuer =====
    exit_code: 4
    ----- stderr -----
    error: could not sign in as application c0000000-0000-4000-8000-000000000001 to tenant 11111111-1111-4111-8111-111111111111: no federated credential of the application matches the token's issuer, subject and audience
      AADSTS700211: No matching federated identity record found for presented assertion issuer 'https://other.example'. Check your federated identity credential Subject, Audience and Issuer against the presented assertion. (invalid_client)
      correlation ID: [UUID], trace ID: [UUID]
      the federated token comes from [TMP]/token (AZURE_FEDERATED_TOKEN_FILE)
      iss: https://other.example
      sub: system:serviceaccount:licences:mscommerce
      aud: api://AzureADTokenExchange
      expires at [TIME]
    hint: compare iss, sub and aud above with the app registration's federated credentials; case matters
    ===== other subject =====
    exit_code: 4
    ----- stderr -----
    error: could not sign in as application c0000000-0000-4000-8000-000000000001 to tenant 11111111-1111-4111-8111-111111111111: no federated credential of the application matches the token's issuer, subject and audience
      AADSTS700213: No matching federated identity record found for presented assertion subject 'system:serviceaccount:other'. Check your federated identity credential Subject, Audience and Issuer against the presented assertion. (invalid_client)
      correlation ID: [UUID], trace ID: [UUID]
      the federated token comes from [TMP]/token (AZURE_FEDERATED_TOKEN_FILE)
      iss: https://cluster.example/issuer
      sub: system:serviceaccount:other
      aud: api://AzureADTokenExchange
      expires at [TIME]
    hint: compare iss, sub and aud above with the app registration's federated credentials; case matters
    ===== subject in upper case =====
    exit_code: 4
    ----- stderr -----
    error: could not sign in as application c0000000-0000-4000-8000-000000000001 to tenant 11111111-1111-4111-8111-111111111111: no federated credential of the application matches the token's issuer, subject and audience
      AADSTS700213: No matching federated identity record found for presented assertion subject 'SYSTEM:SERVICEACCOUNT:LICENCES:MSCOMMERCE'. Check your federated identity credential Subject, Audience and Issuer against the presented assertion. (invalid_client)
      correlation ID: [UUID], trace ID: [UUID]
      the federated token comes from [TMP]/token (AZURE_FEDERATED_TOKEN_FILE)
      iss: https://cluster.example/issuer
      sub: SYSTEM:SERVICEACCOUNT:LICENCES:MSCOMMERCE
      aud: api://AzureADTokenExchange
      expires at [TIME]
    hint: compare iss, sub and aud above with the app registration's federated credentials; case matters
    ===== other audience =====
    exit_code: 4
    ----- stderr -----
    error: could not sign in as application c0000000-0000-4000-8000-000000000001 to tenant 11111111-1111-4111-8111-111111111111: no federated credential of the application matches the token's issuer, subject and audience
      AADSTS700212: No matching federated identity record found for presented assertion audience 'https://cluster.example'. Check your federated identity credential Subject, Audience and Issuer against the presented assertion. (invalid_client)
      correlation ID: [UUID], trace ID: [UUID]
      the federated token comes from [TMP]/token (AZURE_FEDERATED_TOKEN_FILE)
      iss: https://cluster.example/issuer
      sub: system:serviceaccount:licences:mscommerce
      aud: https://cluster.example
      expires at [TIME]
    hint: compare iss, sub and aud above with the app registration's federated credentials; case matters
    ");
}

#[test]
fn expired_federated_token_error_shows_expiry() {
    let env = TestEnv::new();
    trust_the_issuer(&env);
    let token = federated_token(ISSUER, SUBJECT, FEDERATION_AUDIENCE, -60);
    let expiry = claims_of(&token).unwrap()["exp"].as_i64().unwrap();
    let expiry = chrono::DateTime::from_timestamp(expiry, 0).unwrap();
    let result = cli_snapshot!(list_by_token(&env, token), @"
    exit_code: 4
    ----- stderr -----
    error: could not sign in as application c0000000-0000-4000-8000-000000000001 to tenant 11111111-1111-4111-8111-111111111111: the client assertion is not valid at this time
      AADSTS700024: Client assertion is not within its valid time range. Current time: [TIME], assertion valid from [TIME], expiry time of assertion [TIME]. (invalid_client)
      correlation ID: [UUID], trace ID: [UUID]
      the federated token comes from [TMP]/token (AZURE_FEDERATED_TOKEN_FILE)
      iss: https://cluster.example/issuer
      sub: system:serviceaccount:licences:mscommerce
      aud: api://AzureADTokenExchange
      expired at [TIME]
    hint: check this machine's clock, and when the certificate or federated token expires
    ");
    result.stderr_contains(&[&expiry.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)]);
}

#[test]
fn federated_token_without_claims_error_message() {
    let env = TestEnv::new();
    cli_snapshot!(list_by_token(&env, jwt(&json!({}))), @"
    exit_code: 4
    ----- stderr -----
    error: could not sign in as application c0000000-0000-4000-8000-000000000001 to tenant 11111111-1111-4111-8111-111111111111: no federated credential of the application matches the token's issuer, subject and audience
      AADSTS700211: No matching federated identity record found for presented assertion issuer ''. Check your federated identity credential Subject, Audience and Issuer against the presented assertion. (invalid_client)
      correlation ID: [UUID], trace ID: [UUID]
      the federated token comes from [TMP]/token (AZURE_FEDERATED_TOKEN_FILE)
      iss: none
      sub: none
      aud: none
    hint: compare iss, sub and aud above with the app registration's federated credentials; case matters
    ");
}

#[test]
fn federated_token_claims_are_escaped() {
    let env = TestEnv::new();
    let claims = json!({ "iss": "a\u{1b}[31mb\nerror: c", "sub": "x".repeat(5000), "aud": "\u{202e}" });
    let result = list_by_token(&env, jwt(&claims)).assert_code(4).stdout_is_empty();
    assert!(!result.stderr.contains(['\u{1b}', '\u{202e}']), "{}", result.stderr);
    assert!(!result.stderr.contains("\nerror: c"), "{}", result.stderr);
    assert!(result.stderr.lines().filter(|line| line.starts_with("  sub: ")).all(|line| line.len() < 400));
}
