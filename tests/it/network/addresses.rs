//! Addresses that tokens must not go to.

use super::*;

#[test]
fn an_address_that_would_send_tokens_in_the_clear_is_refused_before_any_request() {
    let env = TestEnv::new();
    let token = env.tenant.issue_token(ADMIN, HOME_TENANT, 3600);
    let port = env.tenant.url().rsplit(':').next().unwrap().to_owned();
    for address in [
        "http://licensing.m365.microsoft.com".to_owned(),
        format!("http://127.0.0.1.nip.example:{port}"),
        format!("http://localhost.example:{port}"),
        format!("http://0.0.0.0:{port}"),
        format!("HTTP://10.0.0.1:{port}"),
    ] {
        env.run_with_env(&[("MSCOMMERCE_TOKEN", &token), ("MSCOMMERCE_ENDPOINT", &address)], LIST)
            .assert_code(2)
            .stdout_is_empty()
            .stderr_contains(&["MSCOMMERCE_ENDPOINT", &address, "plain http", "hint: write https://"]);
        let mut command = env.command(CONNECT);
        command.env("AZURE_AUTHORITY_HOST", &address);
        TestEnv::run_command_with_stdin(command, PASSWORD).assert_code(2).stdout_is_empty().stderr_contains(&[
            "AZURE_AUTHORITY_HOST",
            &address,
            "plain http",
            "hint: write https://",
        ]);
    }
    assert!(env.request_lines().is_empty());
}

#[test]
fn an_address_that_is_none_is_refused_before_any_request() {
    let env = TestEnv::new();
    let token = env.tenant.issue_token(ADMIN, HOME_TENANT, 3600);
    for address in [
        "https://",
        "not an address",
        "ftp://licensing.example",
        "https://user:pass@licensing.example",
        "file:///etc/passwd",
        "https://licensing.example/?a=b",
        "https://[::1",
        "https://licensing.example:99999",
    ] {
        let result = env
            .run_with_env(&[("MSCOMMERCE_TOKEN", &token), ("MSCOMMERCE_ENDPOINT", address)], LIST)
            .assert_code(2)
            .stdout_is_empty()
            .stderr_contains(&["error: MSCOMMERCE_ENDPOINT"]);
        assert!(!result.stderr.contains("pass@"), "a password was printed: {}", result.stderr);
        let mut command = env.command(CONNECT);
        command.env("AZURE_AUTHORITY_HOST", address);
        TestEnv::run_command_with_stdin(command, PASSWORD)
            .assert_code(2)
            .stdout_is_empty()
            .stderr_contains(&["error: AZURE_AUTHORITY_HOST"]);
    }
    assert!(env.request_lines().is_empty());
}
