//! The failure of one tenant does not affect the others.

use std::time::{Duration, Instant};

use super::*;
use crate::support::fixtures::{THIRD_DOMAIN, THIRD_TENANT};

const LIST: &[&str] = &["products", "list", "-o", "json", "--jobs", "1"];
const ALL_TENANTS: [&str; 3] = [CUSTOMER_DOMAIN, HOME_DOMAIN, THIRD_DOMAIN];

/// Lists three tenants. The first requests get these responses. Requests are sent one at a time, so they are those of
/// the first tenant.
fn list_with(env: &TestEnv, responses: &[Response]) -> CliResult {
    for response in responses {
        env.tenant.fail_next("GET ", response.clone());
    }
    env.run(&for_tenants(&ALL_TENANTS, LIST))
}

#[track_caller]
fn assert_others_listed(result: &CliResult) {
    assert_others_listed_besides("fabrikam.example (22222222-2222-4222-8222-222222222222)", result);
}

#[track_caller]
fn assert_others_listed_besides(failed: &str, result: &CliResult) {
    assert_eq!(tenant_ids(result), [HOME_TENANT, THIRD_TENANT]);
    assert_eq!(result.json().as_array().unwrap().len(), 34);
    assert!(result.stderr.starts_with(&format!("error: 1 of 3 tenants failed\n  {failed}: ")), "{}", result.stderr);
}

#[test]
fn list_403_shows_tenant_message_and_hints() {
    let result = list_with(&partner_env_with_tokens(), &[error_response(403, "Forbidden", "Not you.")]);
    assert_others_listed(&result);
    cli_snapshot!(stderr_only(&result), @"
    exit_code: 1
    ----- stderr -----
    error: 1 of 3 tenants failed
      fabrikam.example (22222222-2222-4222-8222-222222222222): could not list the products: the service returned 403 Forbidden
        Forbidden: Not you.
        correlation ID: [UUID]
    hint: use an account with the role Global Administrator, Billing Administrator or Global Reader in this tenant
    hint: as a partner, request the role through GDAP
    hint: check the account and tenant: mscommerce status --tenant fabrikam.example
    ");
}

#[test]
fn service_error_of_one_tenant_keeps_the_others() {
    let mut transcript = Transcript::default();
    for (name, response) in [
        ("500", error_response(500, "Odd", "Oops.")),
        ("web page", Response::text(200, "text/html", "<html>")),
        ("invalid JSON", Response::text(200, "a/b", "{")),
    ] {
        let result = list_with(&partner_env_with_tokens(), &[response]);
        assert_others_listed(&result);
        transcript.push(name, stderr_only(&result));
    }
    cli_snapshot!(transcript, @"
    ===== 500 =====
    exit_code: 1
    ----- stderr -----
    error: 1 of 3 tenants failed
      fabrikam.example (22222222-2222-4222-8222-222222222222): could not list the products: the service returned 500 Internal Server Error
        Odd: Oops.
        correlation ID: [UUID]
    hint: Try again later. If it persists, give Microsoft support the correlation ID.
    ===== web page =====
    exit_code: 1
    ----- stderr -----
    error: 1 of 3 tenants failed
      fabrikam.example (22222222-2222-4222-8222-222222222222): could not list the products: received a web page instead of a response from 127.0.0.1:[PORT] (status 200 OK)
        it begins: <html>
        correlation ID: [UUID]
    hint: if this network requires a sign-in, open any web page in a browser, sign in, and try again
    hint: if your organisation uses a proxy, set HTTPS_PROXY, or have the proxy allow this URL
    ===== invalid JSON =====
    exit_code: 1
    ----- stderr -----
    error: 1 of 3 tenants failed
      fabrikam.example (22222222-2222-4222-8222-222222222222): could not list the products: invalid response from the service (status 200 OK)
        {
        correlation ID: [UUID]
    hint: Try again later. If it persists, give Microsoft support the correlation ID.
    ");
}

#[test]
fn list_401_after_refresh_hints_at_sign_in() {
    let env = partner_env_with_tokens();
    // The refreshed token is rejected as well; with one request at a time it is the next request.
    env.tenant.fail_next("GET ", error_response(401, "Unauthorized", "No."));
    let refreshed = env.tenant.issue_token(ADMIN, CUSTOMER_TENANT, -1);
    let response = json!({ "token_type": "Bearer", "expires_in": 3600, "access_token": refreshed });
    env.tenant.fail_next(&format!("POST /{CUSTOMER_TENANT}/"), Response::json(200, &response));
    let result = env.run(&for_tenants(&ALL_TENANTS, LIST)).assert_code(4);
    assert_others_listed(&result);
    cli_snapshot!(stderr_only(&result), @"
    exit_code: 4
    ----- stderr -----
    error: 1 of 3 tenants failed
      fabrikam.example (22222222-2222-4222-8222-222222222222): could not list the products: the service returned 401 Unauthorized
        Unauthorized: The token is expired.
        correlation ID: [UUID]
    hint: mscommerce connect --tenant fabrikam.example
    ");
}

#[test]
fn unknown_tenant_does_not_hide_the_others() {
    let env = partner_env_with_tokens();
    let names = ["nowhere.example", HOME_DOMAIN, CUSTOMER_DOMAIN];
    let result = env.run(&for_tenants(&names, LIST)).assert_code(4);
    assert_eq!(tenant_ids(&result), [HOME_TENANT, CUSTOMER_TENANT]);
    cli_snapshot!(stderr_only(&result), @"
    exit_code: 4
    ----- stderr -----
    error: 1 of 3 tenants failed
      nowhere.example: could not refresh the saved sign-in for tenant nowhere.example: the tenant does not exist in this cloud
        AADSTS90002: Tenant 'nowhere.example' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. (invalid_request)
        correlation ID: [UUID], trace ID: [UUID]
    hint: check the tenant (--tenant, or AZURE_TENANT_ID for connect), and set AZURE_AUTHORITY_HOST for a national cloud
    ");
}

#[test]
fn failed_tenants_are_in_order_of_flags() {
    let env = partner_env_with_tokens();
    let names = ["zero.example", HOME_DOMAIN, "nowhere.example", "a.example"];
    cli_snapshot!(stderr_only(&env.run(&for_tenants(&names, &["products", "list"]))), @"
    exit_code: 4
    ----- stderr -----
    17 products in 1 tenant: 10 enabled, 5 disabled, 2 trials only
    error: 3 of 4 tenants failed
      zero.example: could not refresh the saved sign-in for tenant zero.example: the tenant does not exist in this cloud
        AADSTS90002: Tenant 'zero.example' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. (invalid_request)
        correlation ID: [UUID], trace ID: [UUID]
      nowhere.example: could not refresh the saved sign-in for tenant nowhere.example: the tenant does not exist in this cloud
        AADSTS90002: Tenant 'nowhere.example' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. (invalid_request)
        correlation ID: [UUID], trace ID: [UUID]
      a.example: could not refresh the saved sign-in for tenant a.example: the tenant does not exist in this cloud
        AADSTS90002: Tenant 'a.example' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. (invalid_request)
        correlation ID: [UUID], trace ID: [UUID]
    hint: check the tenant (--tenant, or AZURE_TENANT_ID for connect), and set AZURE_AUTHORITY_HOST for a national cloud
    ");
}

#[test]
fn output_is_empty_list_if_all_tenants_fail() {
    let env = partner_env_with_tokens();
    env.write("b.toml", "default = 'Disabled'\n");
    env.write("c.txt", "nowhere.example\nnothing.example\n");
    let fields = "tenantId,policyId,scope,id,name,policyValue";
    let mut transcript = Transcript::default();
    for (command, more) in [
        (&["products", "list"][..], ""),
        (&["products", "update", "--all", "--value", "disabled", "--yes"], ",wantedValue,previousValue,outcome,error"),
        (
            &["products", "update", "--all", "--value", "disabled", "--dry-run"],
            ",wantedValue,previousValue,outcome,error",
        ),
        (&["baseline", "check", "b.toml"], ",wantedValue,drift"),
        (&["baseline", "apply", "b.toml", "--yes"], ",wantedValue,previousValue,outcome,error"),
    ] {
        let run = |format| env.run_in_home(&[command, &["--tenants-file", "c.txt", "-o", format]].concat());
        transcript.push(command.join(" "), run("json"));
        assert_eq!(run("csv").assert_code(4).stdout, format!("{fields}{more}\n"));
        assert_eq!(run("tsv").assert_code(4).stdout, format!("{fields}{more}\n").replace(',', "\t"));
        assert_eq!(run("table").assert_code(4).stdout, "");
        let markdown = run("markdown").assert_code(4);
        let header = format!("| {} |", format!("{fields}{more}").replace(',', " | "));
        // Markdown shows an empty comparison as a sentence.
        assert!(command[1] == "check" || markdown.stdout.contains(&header), "{}", markdown.stdout);
        assert!(!markdown.stderr.contains("Nothing to change"), "{}", markdown.stderr);
    }
    cli_snapshot!(transcript, @"
    ===== products list =====
    ===== products update --all --value disabled --yes =====
    ===== products update --all --value disabled --dry-run =====
    ===== baseline check b.toml =====
    ===== baseline apply b.toml --yes =====
    exit_code: 4
    ----- stdout -----
    []
    ----- stderr -----
    error: 2 of 2 tenants failed
      nowhere.example: could not refresh the saved sign-in for tenant nowhere.example: the tenant does not exist in this cloud
        AADSTS90002: Tenant 'nowhere.example' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. (invalid_request)
        correlation ID: [UUID], trace ID: [UUID]
      nothing.example: could not refresh the saved sign-in for tenant nothing.example: the tenant does not exist in this cloud
        AADSTS90002: Tenant 'nothing.example' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. (invalid_request)
        correlation ID: [UUID], trace ID: [UUID]
    hint: check the tenant (--tenant, or AZURE_TENANT_ID for connect), and set AZURE_AUTHORITY_HOST for a national cloud
    ");
}

#[test]
fn single_tenant_in_file_reports_tenant_name() {
    let env = partner_env_with_tokens();
    env.write("c.txt", "nowhere.example\n");
    cli_snapshot!(env.run_in_home(&["products", "list", "--tenants-file", "c.txt", "-o", "json"]), @"
    exit_code: 4
    ----- stdout -----
    []
    ----- stderr -----
    error: nowhere.example: could not refresh the saved sign-in for tenant nowhere.example: the tenant does not exist in this cloud
      AADSTS90002: Tenant 'nowhere.example' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. (invalid_request)
      correlation ID: [UUID], trace ID: [UUID]
      tenants used with this sign-in: contoso.example (11111111-1111-4111-8111-111111111111), fabrikam.example (22222222-2222-4222-8222-222222222222), tailspin.example (33333333-3333-4333-8333-333333333333)
    hint: check the tenant (--tenant, or AZURE_TENANT_ID for connect), and set AZURE_AUTHORITY_HOST for a national cloud
    ");
}

#[test]
fn application_missing_in_one_tenant_keeps_the_others() {
    let env = TestEnv::new();
    env.tenant.remove_app_from(CUSTOMER_TENANT);
    let mut transcript = Transcript::default();
    for names in [[HOME_DOMAIN, CUSTOMER_DOMAIN], [CUSTOMER_DOMAIN, HOME_DOMAIN]] {
        let result = env.run_with_env(&app_variables(), &for_tenants(&names, LIST));
        assert_eq!(tenant_ids(&result), [HOME_TENANT]);
        transcript.push(names.join(", "), stderr_only(&result));
    }
    cli_snapshot!(transcript, @"
    ===== contoso.example, fabrikam.example =====
    ===== fabrikam.example, contoso.example =====
    exit_code: 4
    ----- stderr -----
    error: 1 of 2 tenants failed
      fabrikam.example: could not sign in as application c0000000-0000-4000-8000-000000000001 to tenant fabrikam.example: the application does not exist in this tenant
        AADSTS700016: Application with identifier 'c0000000-0000-4000-8000-000000000001' was not found in the directory. This can happen if the application has not been installed by the administrator of the tenant. (unauthorized_client)
        correlation ID: [UUID], trace ID: [UUID]
    hint: check AZURE_CLIENT_ID or --client-id, the tenant, and the cloud (AZURE_AUTHORITY_HOST)
    hint: if the application is from another tenant, ask an administrator to grant consent in this one
    ");
}

#[test]
fn without_sign_in_nothing_is_sent() {
    let env = TestEnv::new();
    // The error does not depend on the tenant, so it appears once.
    cli_snapshot!(env.run(&for_tenants(&ALL_TENANTS, LIST)), @"
    exit_code: 4
    ----- stderr -----
    error: not signed in
    hint: mscommerce connect
    ");
    assert_eq!(env.request_lines(), Vec::<String>::new());
}

#[test]
fn retry_after_of_one_tenant_delays_all() {
    let env = partner_env_with_tokens();
    env.tenant.fail_next("GET ", error_response(429, "Busy", "Not now.").header("retry-after", "2"));
    let started = Instant::now();
    let result = env.run(&for_tenants(&ALL_TENANTS, LIST)).assert_code(0);
    assert!(started.elapsed() >= Duration::from_secs(2), "{:?}", started.elapsed());
    assert_eq!(tenant_ids(&result), [CUSTOMER_TENANT, HOME_TENANT, THIRD_TENANT]);
    assert_eq!(env.request_lines().len(), 4);
    cli_snapshot!(stderr_only(&result), @"
    exit_code: 0
    ----- stderr -----
    Rate limited. Retrying in 2 s…
    ");
}

#[test]
fn token_endpoint_429_fails_its_tenant_only() {
    let env = partner_env();
    let response = error_response(429, "Busy", "No.").header("retry-after", "0");
    env.tenant.fail_times(usize::MAX, &format!("POST /{CUSTOMER_DOMAIN}/"), response);
    // The waits are up to 1, 2, 4 and 8 s, and the next one would not fit: at least a second is left for the others, whose
    // sign-ins wait for the lock.
    let result = env.run(&for_tenants(&ALL_TENANTS, &[LIST, &["--timeout", "16", "-q"]].concat())).assert_code(1);
    assert_others_listed_besides("fabrikam.example", &result);
    cli_snapshot!(stderr_only(&result), @r#"
    exit_code: 1
    ----- stderr -----
    error: 1 of 3 tenants failed
      fabrikam.example: could not refresh the saved sign-in for tenant fabrikam.example: 127.0.0.1:[PORT] returned 429 Too Many Requests
        {"errorCode":"Busy","reason":"No."}
    hint: try again in a minute
    "#);
}

#[test]
fn number_of_hints_is_limited() {
    let env = partner_env();
    let names: Vec<String> = (0..12).map(|index| format!("nowhere{index}.example")).collect();
    env.write("c.txt", names.join("\n"));
    let result = env.run_in_home(&["products", "list", "--tenants-file", "c.txt"]).assert_code(4);
    for name in &names {
        assert_eq!(result.stderr.matches(&format!("\n  {name}: ")).count(), 1, "{}", result.stderr);
    }
    assert!(result.stderr.matches("\nhint: ").count() <= 6, "{}", result.stderr);
}
