//! Service addresses that must not receive tokens.

use super::*;

/// Lists with this commerce endpoint and signs in with this authority host. Returns both results.
fn list_and_connect(env: &TestEnv, token: &str, address: &str) -> [(&'static str, CliResult); 2] {
    let list = env.run_with_env(&[("MSCOMMERCE_TOKEN", token), ("MSCOMMERCE_ENDPOINT", address)], LIST);
    let mut command = env.command(CONNECT);
    command.env("AZURE_AUTHORITY_HOST", address);
    [("list", list), ("connect", TestEnv::run_command_with_stdin(command, PASSWORD))]
}

#[test]
fn plain_http_address_is_usage_error() {
    let env = TestEnv::new();
    let token = env.tenant.issue_token(ADMIN, HOME_TENANT, 3600);
    let port = env.tenant.url().rsplit(':').next().unwrap().to_owned();
    let mut transcript = Transcript::default();
    for address in [
        "http://licensing.m365.microsoft.com".to_owned(),
        format!("http://127.0.0.1.nip.example:{port}"),
        format!("http://localhost.example:{port}"),
        format!("http://0.0.0.0:{port}"),
        format!("HTTP://10.0.0.1:{port}"),
    ] {
        for (command, mut result) in list_and_connect(&env, &token, &address) {
            result.stderr = result.stderr.replace(&format!(":{port}"), ":[PORT]");
            transcript.push(format!("{}: {command}", address.replace(&port, "[PORT]")), result);
        }
    }
    cli_snapshot!(transcript, @"
    ===== http://licensing.m365.microsoft.com: list =====
    exit_code: 2
    ----- stderr -----
    error: MSCOMMERCE_ENDPOINT: 'http://licensing.m365.microsoft.com' is plain http; tokens are sent over https, or to this machine alone
    hint: write https:// in place of http://
    ===== http://licensing.m365.microsoft.com: connect =====
    exit_code: 2
    ----- stderr -----
    error: AZURE_AUTHORITY_HOST: 'http://licensing.m365.microsoft.com' is plain http; tokens are sent over https, or to this machine alone
    hint: write https:// in place of http://
    ===== http://127.0.0.1.nip.example:[PORT]: list =====
    exit_code: 2
    ----- stderr -----
    error: MSCOMMERCE_ENDPOINT: 'http://127.0.0.1.nip.example:[PORT]' is plain http; tokens are sent over https, or to this machine alone
    hint: write https:// in place of http://
    ===== http://127.0.0.1.nip.example:[PORT]: connect =====
    exit_code: 2
    ----- stderr -----
    error: AZURE_AUTHORITY_HOST: 'http://127.0.0.1.nip.example:[PORT]' is plain http; tokens are sent over https, or to this machine alone
    hint: write https:// in place of http://
    ===== http://localhost.example:[PORT]: list =====
    exit_code: 2
    ----- stderr -----
    error: MSCOMMERCE_ENDPOINT: 'http://localhost.example:[PORT]' is plain http; tokens are sent over https, or to this machine alone
    hint: write https:// in place of http://
    ===== http://localhost.example:[PORT]: connect =====
    exit_code: 2
    ----- stderr -----
    error: AZURE_AUTHORITY_HOST: 'http://localhost.example:[PORT]' is plain http; tokens are sent over https, or to this machine alone
    hint: write https:// in place of http://
    ===== http://0.0.0.0:[PORT]: list =====
    exit_code: 2
    ----- stderr -----
    error: MSCOMMERCE_ENDPOINT: 'http://0.0.0.0:[PORT]' is plain http; tokens are sent over https, or to this machine alone
    hint: write https:// in place of http://
    ===== http://0.0.0.0:[PORT]: connect =====
    exit_code: 2
    ----- stderr -----
    error: AZURE_AUTHORITY_HOST: 'http://0.0.0.0:[PORT]' is plain http; tokens are sent over https, or to this machine alone
    hint: write https:// in place of http://
    ===== HTTP://10.0.0.1:[PORT]: list =====
    exit_code: 2
    ----- stderr -----
    error: MSCOMMERCE_ENDPOINT: 'HTTP://10.0.0.1:[PORT]' is plain http; tokens are sent over https, or to this machine alone
    hint: write https:// in place of http://
    ===== HTTP://10.0.0.1:[PORT]: connect =====
    exit_code: 2
    ----- stderr -----
    error: AZURE_AUTHORITY_HOST: 'HTTP://10.0.0.1:[PORT]' is plain http; tokens are sent over https, or to this machine alone
    hint: write https:// in place of http://
    ");
    assert!(env.request_lines().is_empty());
}

#[test]
fn invalid_address_is_usage_error() {
    let env = TestEnv::new();
    let token = env.tenant.issue_token(ADMIN, HOME_TENANT, 3600);
    let mut transcript = Transcript::default();
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
        for (command, result) in list_and_connect(&env, &token, address) {
            let result = transcript.push(format!("{address}: {command}"), result);
            assert!(!result.stderr.contains("pass@"), "a password was printed: {}", result.stderr);
        }
    }
    cli_snapshot!(transcript, @"
    ===== https://: list =====
    exit_code: 2
    ----- stderr -----
    error: MSCOMMERCE_ENDPOINT: 'https://' is no web address: empty host
    ===== https://: connect =====
    exit_code: 2
    ----- stderr -----
    error: AZURE_AUTHORITY_HOST: 'https://' is no web address: empty host
    ===== not an address: list =====
    exit_code: 2
    ----- stderr -----
    error: MSCOMMERCE_ENDPOINT: 'not an address' is no web address: invalid international domain name
    ===== not an address: connect =====
    exit_code: 2
    ----- stderr -----
    error: AZURE_AUTHORITY_HOST: 'not an address' is no web address: invalid international domain name
    ===== ftp://licensing.example: list =====
    exit_code: 2
    ----- stderr -----
    error: MSCOMMERCE_ENDPOINT: 'ftp://licensing.example' is no https address
    ===== ftp://licensing.example: connect =====
    exit_code: 2
    ----- stderr -----
    error: AZURE_AUTHORITY_HOST: 'ftp://licensing.example' is no https address
    ===== https://user:pass@licensing.example: list =====
    exit_code: 2
    ----- stderr -----
    error: MSCOMMERCE_ENDPOINT: the address must not hold a user, a password, a query or a fragment
    ===== https://user:pass@licensing.example: connect =====
    exit_code: 2
    ----- stderr -----
    error: AZURE_AUTHORITY_HOST: the address must not hold a user, a password, a query or a fragment
    ===== file:///etc/passwd: list =====
    exit_code: 2
    ----- stderr -----
    error: MSCOMMERCE_ENDPOINT: 'file:///etc/passwd' is no https address
    ===== file:///etc/passwd: connect =====
    exit_code: 2
    ----- stderr -----
    error: AZURE_AUTHORITY_HOST: 'file:///etc/passwd' is no https address
    ===== https://licensing.example/?a=b: list =====
    exit_code: 2
    ----- stderr -----
    error: MSCOMMERCE_ENDPOINT: the address must not hold a user, a password, a query or a fragment
    ===== https://licensing.example/?a=b: connect =====
    exit_code: 2
    ----- stderr -----
    error: AZURE_AUTHORITY_HOST: the address must not hold a user, a password, a query or a fragment
    ===== https://[::1: list =====
    exit_code: 2
    ----- stderr -----
    error: MSCOMMERCE_ENDPOINT: 'https://[::1' is no web address: invalid IPv6 address
    ===== https://[::1: connect =====
    exit_code: 2
    ----- stderr -----
    error: AZURE_AUTHORITY_HOST: 'https://[::1' is no web address: invalid IPv6 address
    ===== https://licensing.example:99999: list =====
    exit_code: 2
    ----- stderr -----
    error: MSCOMMERCE_ENDPOINT: 'https://licensing.example:99999' is no web address: invalid port number
    ===== https://licensing.example:99999: connect =====
    exit_code: 2
    ----- stderr -----
    error: AZURE_AUTHORITY_HOST: 'https://licensing.example:99999' is no web address: invalid port number
    ");
    assert!(env.request_lines().is_empty());
}
