//! Addresses that tokens must not go to.

use super::*;

#[test]
fn an_address_that_would_send_tokens_in_the_clear_is_refused_before_any_request() {
    let machine = Machine::new();
    let token = machine.tenant.mint(ADMIN, HOME_TENANT, 3600);
    let port = machine.tenant.url().rsplit(':').next().unwrap().to_owned();
    for address in [
        "http://licensing.m365.microsoft.com".to_owned(),
        format!("http://127.0.0.1.nip.example:{port}"),
        format!("http://localhost.example:{port}"),
        format!("http://0.0.0.0:{port}"),
        format!("HTTP://10.0.0.1:{port}"),
    ] {
        machine
            .run_with(&[("MSCOMMERCE_TOKEN", &token), ("MSCOMMERCE_ENDPOINT", &address)], LIST)
            .expect_code(2)
            .expect_no_data()
            .expect_said(&["MSCOMMERCE_ENDPOINT", &address, "plain http", "hint: write https://"]);
        let mut command = machine.command(CONNECT);
        command.env("AZURE_AUTHORITY_HOST", &address);
        run_with_input(command, PASSWORD).expect_code(2).expect_no_data().expect_said(&[
            "AZURE_AUTHORITY_HOST",
            &address,
            "plain http",
            "hint: write https://",
        ]);
    }
    assert!(machine.requests().is_empty());
}

#[test]
fn an_address_that_is_none_is_refused_before_any_request() {
    let machine = Machine::new();
    let token = machine.tenant.mint(ADMIN, HOME_TENANT, 3600);
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
        let ran = machine
            .run_with(&[("MSCOMMERCE_TOKEN", &token), ("MSCOMMERCE_ENDPOINT", address)], LIST)
            .expect_code(2)
            .expect_no_data()
            .expect_said(&["error: MSCOMMERCE_ENDPOINT"]);
        assert!(!ran.stderr.contains("pass@"), "a password was printed: {}", ran.stderr);
        let mut command = machine.command(CONNECT);
        command.env("AZURE_AUTHORITY_HOST", address);
        run_with_input(command, PASSWORD).expect_code(2).expect_no_data().expect_said(&["error: AZURE_AUTHORITY_HOST"]);
    }
    assert!(machine.requests().is_empty());
}
