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
    error: MSCOMMERCE_ENDPOINT: 'http://licensing.m365.microsoft.com' uses http; use https, except for an address of this machine
    hint: use https:// instead of http://
    ===== http://licensing.m365.microsoft.com: connect =====
    exit_code: 2
    ----- stderr -----
    error: AZURE_AUTHORITY_HOST: 'http://licensing.m365.microsoft.com' uses http; use https, except for an address of this machine
    hint: use https:// instead of http://
    ===== http://127.0.0.1.nip.example:[PORT]: list =====
    exit_code: 2
    ----- stderr -----
    error: MSCOMMERCE_ENDPOINT: 'http://127.0.0.1.nip.example:[PORT]' uses http; use https, except for an address of this machine
    hint: use https:// instead of http://
    ===== http://127.0.0.1.nip.example:[PORT]: connect =====
    exit_code: 2
    ----- stderr -----
    error: AZURE_AUTHORITY_HOST: 'http://127.0.0.1.nip.example:[PORT]' uses http; use https, except for an address of this machine
    hint: use https:// instead of http://
    ===== http://localhost.example:[PORT]: list =====
    exit_code: 2
    ----- stderr -----
    error: MSCOMMERCE_ENDPOINT: 'http://localhost.example:[PORT]' uses http; use https, except for an address of this machine
    hint: use https:// instead of http://
    ===== http://localhost.example:[PORT]: connect =====
    exit_code: 2
    ----- stderr -----
    error: AZURE_AUTHORITY_HOST: 'http://localhost.example:[PORT]' uses http; use https, except for an address of this machine
    hint: use https:// instead of http://
    ===== http://0.0.0.0:[PORT]: list =====
    exit_code: 2
    ----- stderr -----
    error: MSCOMMERCE_ENDPOINT: 'http://0.0.0.0:[PORT]' uses http; use https, except for an address of this machine
    hint: use https:// instead of http://
    ===== http://0.0.0.0:[PORT]: connect =====
    exit_code: 2
    ----- stderr -----
    error: AZURE_AUTHORITY_HOST: 'http://0.0.0.0:[PORT]' uses http; use https, except for an address of this machine
    hint: use https:// instead of http://
    ===== HTTP://10.0.0.1:[PORT]: list =====
    exit_code: 2
    ----- stderr -----
    error: MSCOMMERCE_ENDPOINT: 'HTTP://10.0.0.1:[PORT]' uses http; use https, except for an address of this machine
    hint: use https:// instead of http://
    ===== HTTP://10.0.0.1:[PORT]: connect =====
    exit_code: 2
    ----- stderr -----
    error: AZURE_AUTHORITY_HOST: 'HTTP://10.0.0.1:[PORT]' uses http; use https, except for an address of this machine
    hint: use https:// instead of http://
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
    error: MSCOMMERCE_ENDPOINT: 'https://' is not a URL: empty host
    ===== https://: connect =====
    exit_code: 2
    ----- stderr -----
    error: AZURE_AUTHORITY_HOST: 'https://' is not a URL: empty host
    ===== not an address: list =====
    exit_code: 2
    ----- stderr -----
    error: MSCOMMERCE_ENDPOINT: 'not an address' is not a URL: invalid international domain name
    ===== not an address: connect =====
    exit_code: 2
    ----- stderr -----
    error: AZURE_AUTHORITY_HOST: 'not an address' is not a URL: invalid international domain name
    ===== ftp://licensing.example: list =====
    exit_code: 2
    ----- stderr -----
    error: MSCOMMERCE_ENDPOINT: 'ftp://licensing.example' is not an https URL
    ===== ftp://licensing.example: connect =====
    exit_code: 2
    ----- stderr -----
    error: AZURE_AUTHORITY_HOST: 'ftp://licensing.example' is not an https URL
    ===== https://user:pass@licensing.example: list =====
    exit_code: 2
    ----- stderr -----
    error: MSCOMMERCE_ENDPOINT: the URL contains a user name, a password, a query, a fragment or a backslash; it is not shown
    hint: set MSCOMMERCE_ENDPOINT to a URL such as https://HOST
    ===== https://user:pass@licensing.example: connect =====
    exit_code: 2
    ----- stderr -----
    error: AZURE_AUTHORITY_HOST: the URL contains a user name, a password, a query, a fragment or a backslash; it is not shown
    hint: set AZURE_AUTHORITY_HOST to a URL such as https://HOST
    ===== file:///etc/passwd: list =====
    exit_code: 2
    ----- stderr -----
    error: MSCOMMERCE_ENDPOINT: 'file:///etc/passwd' is not an https URL
    ===== file:///etc/passwd: connect =====
    exit_code: 2
    ----- stderr -----
    error: AZURE_AUTHORITY_HOST: 'file:///etc/passwd' is not an https URL
    ===== https://licensing.example/?a=b: list =====
    exit_code: 2
    ----- stderr -----
    error: MSCOMMERCE_ENDPOINT: the URL contains a user name, a password, a query, a fragment or a backslash; it is not shown
    hint: set MSCOMMERCE_ENDPOINT to a URL such as https://HOST
    ===== https://licensing.example/?a=b: connect =====
    exit_code: 2
    ----- stderr -----
    error: AZURE_AUTHORITY_HOST: the URL contains a user name, a password, a query, a fragment or a backslash; it is not shown
    hint: set AZURE_AUTHORITY_HOST to a URL such as https://HOST
    ===== https://[::1: list =====
    exit_code: 2
    ----- stderr -----
    error: MSCOMMERCE_ENDPOINT: 'https://[::1' is not a URL: invalid IPv6 address
    ===== https://[::1: connect =====
    exit_code: 2
    ----- stderr -----
    error: AZURE_AUTHORITY_HOST: 'https://[::1' is not a URL: invalid IPv6 address
    ===== https://licensing.example:99999: list =====
    exit_code: 2
    ----- stderr -----
    error: MSCOMMERCE_ENDPOINT: 'https://licensing.example:99999' is not a URL: invalid port number
    ===== https://licensing.example:99999: connect =====
    exit_code: 2
    ----- stderr -----
    error: AZURE_AUTHORITY_HOST: 'https://licensing.example:99999' is not a URL: invalid port number
    ");
    assert!(env.request_lines().is_empty());
}

#[test]
fn user_information_in_a_service_address_is_not_shown() {
    let env = TestEnv::new();
    let token = env.tenant.issue_token(ADMIN, HOME_TENANT, 3600);
    for address in [
        "https://adm:s3cret@licensing.example",
        "https://adm:s3cret@licensing.example:99999",
        "https:\\\\adm:s3cret@licensing.example",
        "https://adm\\s3cret@licensing.example",
        "https://licensing.example\\@s3cret",
        "https://adm:s3cret%40licensing.example",
        "https://adm%5Cs3cret:1",
        "https://s3cret@licensing.example",
        "ftp://adm:s3cret@licensing.example",
        "http://adm:s3cret@licensing.example",
        "adm:s3cret@licensing.example",
    ] {
        for (_, result) in list_and_connect(&env, &token, address) {
            result.assert_code(2).stdout_is_empty().stderr_contains(&["error: "]).stderr_lacks("s3cret");
        }
        let github = [
            ("AZURE_CLIENT_ID", "app"),
            ("AZURE_TENANT_ID", HOME_TENANT),
            ("ACTIONS_ID_TOKEN_REQUEST_URL", address),
            ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "simulated-request-token"),
        ];
        let result = env.run_with_env(&github, &[LIST, &["-vv"]].concat());
        result.assert_code(4).stderr_contains(&["ACTIONS_ID_TOKEN_REQUEST_URL "]).stderr_lacks("s3cret");
    }
    assert!(env.request_lines().is_empty());
}

#[test]
fn user_information_in_a_link_or_redirect_is_not_shown() {
    for address in [
        "https://adm:s3cret@other.example/",
        "//adm:s3cret@other.example/",
        "https://other.example/https://adm:s3cret@third.example/",
        "https://adm%40corp:s3cret@other.example/",
        "\\\\adm:s3cret@other.example",
        "mailto:adm:s3cret@other.example",
    ] {
        let env = TestEnv::signed_in();
        let list = serde_json::json!({ "items": [], "nextLink": address });
        env.tenant.fail_next("/products", Response::json(200, &list));
        let result = env.run(&[LIST, &["-vv"]].concat());
        result.assert_code(1).stderr_contains(&["cannot be followed"]).stderr_lacks("s3cret");
        env.tenant.fail_next("/products", Response::text(307, "text/plain", "").header("location", address));
        let result = env.run(&[LIST, &["-vv"]].concat());
        result.assert_code(1).stderr_contains(&["307", "with a redirect to"]).stderr_lacks("s3cret");
    }
}
