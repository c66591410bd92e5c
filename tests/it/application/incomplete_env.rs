//! Environment variables that name an application only in part.

use super::*;
use crate::support::fixtures::{LIST_NOTE, LIST_PRODUCTS};
use crate::support::snapshot::{Transcript, stderr_only};
use crate::tenant::{ADMIN, CUSTOMER_TENANT};

const ID: (&str, &str) = APP[0];
const TENANT: (&str, &str) = APP[1];

/// Variables that name an application only in part.
const INCOMPLETE: [&[(&str, &str)]; 8] = [
    &[ID],
    &[ID, TENANT],
    &[ID, WITH_SECRET],
    &[TENANT, WITH_SECRET],
    &[WITH_SECRET],
    &[(CERTIFICATE, "/nowhere/app.pem")],
    &[(FEDERATED, "/nowhere/token")],
    &[ID, TENANT, (SECRET, ""), (CERTIFICATE, "")],
];

/// Variables that name no application.
const UNRELATED: [&[(&str, &str)]; 4] = [
    &[TENANT],
    &[("AZURE_CLIENT_ID", ""), ("AZURE_TENANT_ID", ""), (SECRET, "")],
    &[(CERTIFICATE_PASSWORD, "a password")],
    &[(GITHUB_URL, "https://oidc.example/token"), (GITHUB_TOKEN, "a-request-token")],
];

/// The names of the variables, with a mark for empty ones.
fn case_name(variables: &[(&str, &str)]) -> String {
    let name = |(name, value): &(&str, &str)| if value.is_empty() { format!("{name}=''") } else { (*name).to_owned() };
    variables.iter().map(name).collect::<Vec<_>>().join(" ")
}

#[test]
fn incomplete_application_error_lists_missing() {
    let env = TestEnv::new();
    let mut transcript = Transcript::default();
    for variables in INCOMPLETE {
        let list = transcript.push(case_name(variables), env.run_with_env(variables, &["products", "list"]));
        for command in
            [&["status"][..], &["policy", "list"], &["products", "update", "--all", "--value", "disabled", "--yes"]]
        {
            let result = env.run_with_env(variables, command);
            assert_eq!((result.code, &result.stdout, &result.stderr), (4, &list.stdout, &list.stderr), "{command:?}");
        }
    }
    cli_snapshot!(transcript, @"
    ===== AZURE_CLIENT_ID =====
    exit_code: 4
    ----- stderr -----
    error: not signed in
      the application in the environment is incomplete: AZURE_CLIENT_ID set, AZURE_TENANT_ID and one of AZURE_CLIENT_SECRET, AZURE_CLIENT_CERTIFICATE_PATH and AZURE_FEDERATED_TOKEN_FILE missing
    hint: set the missing variables, or sign in: mscommerce connect
    ===== AZURE_CLIENT_ID AZURE_TENANT_ID =====
    exit_code: 4
    ----- stderr -----
    error: not signed in
      the application in the environment is incomplete: AZURE_CLIENT_ID, AZURE_TENANT_ID set, one of AZURE_CLIENT_SECRET, AZURE_CLIENT_CERTIFICATE_PATH and AZURE_FEDERATED_TOKEN_FILE missing
    hint: set the missing variables, or sign in: mscommerce connect
    ===== AZURE_CLIENT_ID AZURE_CLIENT_SECRET =====
    exit_code: 4
    ----- stderr -----
    error: not signed in
      the application in the environment is incomplete: AZURE_CLIENT_ID, AZURE_CLIENT_SECRET set, AZURE_TENANT_ID missing
    hint: set the missing variables, or sign in: mscommerce connect
    ===== AZURE_TENANT_ID AZURE_CLIENT_SECRET =====
    exit_code: 4
    ----- stderr -----
    error: not signed in
      the application in the environment is incomplete: AZURE_TENANT_ID, AZURE_CLIENT_SECRET set, AZURE_CLIENT_ID missing
    hint: set the missing variables, or sign in: mscommerce connect
    ===== AZURE_CLIENT_SECRET =====
    exit_code: 4
    ----- stderr -----
    error: not signed in
      the application in the environment is incomplete: AZURE_CLIENT_SECRET set, AZURE_CLIENT_ID and AZURE_TENANT_ID missing
    hint: set the missing variables, or sign in: mscommerce connect
    ===== AZURE_CLIENT_CERTIFICATE_PATH =====
    exit_code: 4
    ----- stderr -----
    error: not signed in
      the application in the environment is incomplete: AZURE_CLIENT_CERTIFICATE_PATH set, AZURE_CLIENT_ID and AZURE_TENANT_ID missing
    hint: set the missing variables, or sign in: mscommerce connect
    ===== AZURE_FEDERATED_TOKEN_FILE =====
    exit_code: 4
    ----- stderr -----
    error: not signed in
      the application in the environment is incomplete: AZURE_FEDERATED_TOKEN_FILE set, AZURE_CLIENT_ID and AZURE_TENANT_ID missing
    hint: set the missing variables, or sign in: mscommerce connect
    ===== AZURE_CLIENT_ID AZURE_TENANT_ID AZURE_CLIENT_SECRET='' AZURE_CLIENT_CERTIFICATE_PATH='' =====
    exit_code: 4
    ----- stderr -----
    error: not signed in
      the application in the environment is incomplete: AZURE_CLIENT_ID, AZURE_TENANT_ID set, one of AZURE_CLIENT_SECRET, AZURE_CLIENT_CERTIFICATE_PATH and AZURE_FEDERATED_TOKEN_FILE missing
    hint: set the missing variables, or sign in: mscommerce connect
    ");
    assert!(env.request_lines().is_empty());
}

#[test]
fn incomplete_application_ignores_tenant_flag() {
    let signed_in = TestEnv::signed_in();
    for env in [TestEnv::new(), signed_in] {
        let status = |flags: &[&str]| {
            let result = env.run_with_env(&[ID, WITH_SECRET], &[&["status", "-o", "tsv"], flags].concat());
            (result.code, result.stdout.contains("application"))
        };
        assert_eq!(status(&["--tenant", HOME_TENANT]), status(&[]));
        assert!(!status(&[]).1);
    }
}

#[test]
fn incomplete_application_uses_cached_credential() {
    let env = TestEnv::signed_in();
    let mut transcript = Transcript::default();
    for variables in INCOMPLETE {
        env.tenant.forget_requests();
        let result = env.run_with_env(variables, &["products", "list"]).assert_code(0);
        assert_eq!(result.stderr, LIST_NOTE, "{variables:?}");
        assert_eq!(env.request_lines(), [LIST_PRODUCTS]);
        let verbose = env.run_with_env(variables, &["products", "list", "-v"]);
        transcript.push(case_name(variables), stderr_only(&verbose));
        let status = env.run_with_env(variables, &["status", "-o", "json"]).assert_code(0);
        assert_eq!(status.json()["account"], ADMIN);
        assert_eq!(status.stderr, "");
    }
    cli_snapshot!(transcript, @"
    ===== AZURE_CLIENT_ID =====
    exit_code: 0
    ----- stderr -----
    the application in the environment is incomplete: AZURE_CLIENT_ID set, AZURE_TENANT_ID and one of AZURE_CLIENT_SECRET, AZURE_CLIENT_CERTIFICATE_PATH and AZURE_FEDERATED_TOKEN_FILE missing
    using the saved sign-in of profile default
    GET http://127.0.0.1:[PORT]/v1.0/policies/AllowSelfServicePurchase/products?scope=product -> 200 OK ([DURATION], tenant 11111111-1111-4111-8111-111111111111, correlation ID [UUID])
    17 products: 10 enabled, 5 disabled, 2 trials only
    ===== AZURE_CLIENT_ID AZURE_TENANT_ID =====
    exit_code: 0
    ----- stderr -----
    the application in the environment is incomplete: AZURE_CLIENT_ID, AZURE_TENANT_ID set, one of AZURE_CLIENT_SECRET, AZURE_CLIENT_CERTIFICATE_PATH and AZURE_FEDERATED_TOKEN_FILE missing
    using the saved sign-in of profile default
    GET http://127.0.0.1:[PORT]/v1.0/policies/AllowSelfServicePurchase/products?scope=product -> 200 OK ([DURATION], tenant 11111111-1111-4111-8111-111111111111, correlation ID [UUID])
    17 products: 10 enabled, 5 disabled, 2 trials only
    ===== AZURE_CLIENT_ID AZURE_CLIENT_SECRET =====
    exit_code: 0
    ----- stderr -----
    the application in the environment is incomplete: AZURE_CLIENT_ID, AZURE_CLIENT_SECRET set, AZURE_TENANT_ID missing
    using the saved sign-in of profile default
    GET http://127.0.0.1:[PORT]/v1.0/policies/AllowSelfServicePurchase/products?scope=product -> 200 OK ([DURATION], tenant 11111111-1111-4111-8111-111111111111, correlation ID [UUID])
    17 products: 10 enabled, 5 disabled, 2 trials only
    ===== AZURE_TENANT_ID AZURE_CLIENT_SECRET =====
    exit_code: 0
    ----- stderr -----
    the application in the environment is incomplete: AZURE_TENANT_ID, AZURE_CLIENT_SECRET set, AZURE_CLIENT_ID missing
    using the saved sign-in of profile default
    GET http://127.0.0.1:[PORT]/v1.0/policies/AllowSelfServicePurchase/products?scope=product -> 200 OK ([DURATION], tenant 11111111-1111-4111-8111-111111111111, correlation ID [UUID])
    17 products: 10 enabled, 5 disabled, 2 trials only
    ===== AZURE_CLIENT_SECRET =====
    exit_code: 0
    ----- stderr -----
    the application in the environment is incomplete: AZURE_CLIENT_SECRET set, AZURE_CLIENT_ID and AZURE_TENANT_ID missing
    using the saved sign-in of profile default
    GET http://127.0.0.1:[PORT]/v1.0/policies/AllowSelfServicePurchase/products?scope=product -> 200 OK ([DURATION], tenant 11111111-1111-4111-8111-111111111111, correlation ID [UUID])
    17 products: 10 enabled, 5 disabled, 2 trials only
    ===== AZURE_CLIENT_CERTIFICATE_PATH =====
    exit_code: 0
    ----- stderr -----
    the application in the environment is incomplete: AZURE_CLIENT_CERTIFICATE_PATH set, AZURE_CLIENT_ID and AZURE_TENANT_ID missing
    using the saved sign-in of profile default
    GET http://127.0.0.1:[PORT]/v1.0/policies/AllowSelfServicePurchase/products?scope=product -> 200 OK ([DURATION], tenant 11111111-1111-4111-8111-111111111111, correlation ID [UUID])
    17 products: 10 enabled, 5 disabled, 2 trials only
    ===== AZURE_FEDERATED_TOKEN_FILE =====
    exit_code: 0
    ----- stderr -----
    the application in the environment is incomplete: AZURE_FEDERATED_TOKEN_FILE set, AZURE_CLIENT_ID and AZURE_TENANT_ID missing
    using the saved sign-in of profile default
    GET http://127.0.0.1:[PORT]/v1.0/policies/AllowSelfServicePurchase/products?scope=product -> 200 OK ([DURATION], tenant 11111111-1111-4111-8111-111111111111, correlation ID [UUID])
    17 products: 10 enabled, 5 disabled, 2 trials only
    ===== AZURE_CLIENT_ID AZURE_TENANT_ID AZURE_CLIENT_SECRET='' AZURE_CLIENT_CERTIFICATE_PATH='' =====
    exit_code: 0
    ----- stderr -----
    the application in the environment is incomplete: AZURE_CLIENT_ID, AZURE_TENANT_ID set, one of AZURE_CLIENT_SECRET, AZURE_CLIENT_CERTIFICATE_PATH and AZURE_FEDERATED_TOKEN_FILE missing
    using the saved sign-in of profile default
    GET http://127.0.0.1:[PORT]/v1.0/policies/AllowSelfServicePurchase/products?scope=product -> 200 OK ([DURATION], tenant 11111111-1111-4111-8111-111111111111, correlation ID [UUID])
    17 products: 10 enabled, 5 disabled, 2 trials only
    ");
}

#[test]
fn incomplete_application_is_not_validated() {
    let env = TestEnv::signed_in();
    let variables = [ID, (GITHUB_URL, "not a URL"), (GITHUB_TOKEN, "a-request-token")];
    let result = env.run_with_env(&variables, &["products", "list"]).assert_code(0);
    assert_eq!(result.stderr, LIST_NOTE);
}

#[test]
fn blank_variable_counts_as_missing() {
    let env = TestEnv::new();
    let mut transcript = Transcript::default();
    for (name, variables) in [
        ("AZURE_CLIENT_ID", [("AZURE_CLIENT_ID", " "), TENANT, WITH_SECRET]),
        ("AZURE_CLIENT_SECRET", [ID, TENANT, (SECRET, " ")]),
    ] {
        let result = transcript.push(name, env.run_with_env(&variables, &["products", "list"]));
        assert_eq!(result.stderr.matches(name).count(), 1, "both set and missing: {}", result.stderr);
    }
    cli_snapshot!(transcript, @"
    ===== AZURE_CLIENT_ID =====
    exit_code: 4
    ----- stderr -----
    error: not signed in
      the application in the environment is incomplete: AZURE_TENANT_ID, AZURE_CLIENT_SECRET set, AZURE_CLIENT_ID missing
    hint: set the missing variables, or sign in: mscommerce connect
    ===== AZURE_CLIENT_SECRET =====
    exit_code: 4
    ----- stderr -----
    error: not signed in
      the application in the environment is incomplete: AZURE_CLIENT_ID, AZURE_TENANT_ID set, one of AZURE_CLIENT_SECRET, AZURE_CLIENT_CERTIFICATE_PATH and AZURE_FEDERATED_TOKEN_FILE missing
    hint: set the missing variables, or sign in: mscommerce connect
    ");
}

#[test]
fn incomplete_application_uses_token_variable() {
    let env = TestEnv::new();
    let token = env.tenant.issue_token(ADMIN, HOME_TENANT, 3600);
    let mut transcript = Transcript::default();
    for variables in INCOMPLETE {
        let with_token = [variables, &[("MSCOMMERCE_TOKEN", token.as_str())]].concat();
        let result = env.run_with_env(&with_token, &["products", "list"]).assert_code(0);
        assert_eq!(result.stderr, LIST_NOTE, "{variables:?}");
        let verbose = env.run_with_env(&with_token, &["products", "list", "-v"]);
        transcript.push(case_name(variables), stderr_only(&verbose));
    }
    cli_snapshot!(transcript, @"
    ===== AZURE_CLIENT_ID =====
    exit_code: 0
    ----- stderr -----
    the application in the environment is incomplete: AZURE_CLIENT_ID set, AZURE_TENANT_ID and one of AZURE_CLIENT_SECRET, AZURE_CLIENT_CERTIFICATE_PATH and AZURE_FEDERATED_TOKEN_FILE missing
    using the access token in MSCOMMERCE_TOKEN
    GET http://127.0.0.1:[PORT]/v1.0/policies/AllowSelfServicePurchase/products?scope=product -> 200 OK ([DURATION], tenant 11111111-1111-4111-8111-111111111111, correlation ID [UUID])
    17 products: 10 enabled, 5 disabled, 2 trials only
    ===== AZURE_CLIENT_ID AZURE_TENANT_ID =====
    exit_code: 0
    ----- stderr -----
    the application in the environment is incomplete: AZURE_CLIENT_ID, AZURE_TENANT_ID set, one of AZURE_CLIENT_SECRET, AZURE_CLIENT_CERTIFICATE_PATH and AZURE_FEDERATED_TOKEN_FILE missing
    using the access token in MSCOMMERCE_TOKEN
    GET http://127.0.0.1:[PORT]/v1.0/policies/AllowSelfServicePurchase/products?scope=product -> 200 OK ([DURATION], tenant 11111111-1111-4111-8111-111111111111, correlation ID [UUID])
    17 products: 10 enabled, 5 disabled, 2 trials only
    ===== AZURE_CLIENT_ID AZURE_CLIENT_SECRET =====
    exit_code: 0
    ----- stderr -----
    the application in the environment is incomplete: AZURE_CLIENT_ID, AZURE_CLIENT_SECRET set, AZURE_TENANT_ID missing
    using the access token in MSCOMMERCE_TOKEN
    GET http://127.0.0.1:[PORT]/v1.0/policies/AllowSelfServicePurchase/products?scope=product -> 200 OK ([DURATION], tenant 11111111-1111-4111-8111-111111111111, correlation ID [UUID])
    17 products: 10 enabled, 5 disabled, 2 trials only
    ===== AZURE_TENANT_ID AZURE_CLIENT_SECRET =====
    exit_code: 0
    ----- stderr -----
    the application in the environment is incomplete: AZURE_TENANT_ID, AZURE_CLIENT_SECRET set, AZURE_CLIENT_ID missing
    using the access token in MSCOMMERCE_TOKEN
    GET http://127.0.0.1:[PORT]/v1.0/policies/AllowSelfServicePurchase/products?scope=product -> 200 OK ([DURATION], tenant 11111111-1111-4111-8111-111111111111, correlation ID [UUID])
    17 products: 10 enabled, 5 disabled, 2 trials only
    ===== AZURE_CLIENT_SECRET =====
    exit_code: 0
    ----- stderr -----
    the application in the environment is incomplete: AZURE_CLIENT_SECRET set, AZURE_CLIENT_ID and AZURE_TENANT_ID missing
    using the access token in MSCOMMERCE_TOKEN
    GET http://127.0.0.1:[PORT]/v1.0/policies/AllowSelfServicePurchase/products?scope=product -> 200 OK ([DURATION], tenant 11111111-1111-4111-8111-111111111111, correlation ID [UUID])
    17 products: 10 enabled, 5 disabled, 2 trials only
    ===== AZURE_CLIENT_CERTIFICATE_PATH =====
    exit_code: 0
    ----- stderr -----
    the application in the environment is incomplete: AZURE_CLIENT_CERTIFICATE_PATH set, AZURE_CLIENT_ID and AZURE_TENANT_ID missing
    using the access token in MSCOMMERCE_TOKEN
    GET http://127.0.0.1:[PORT]/v1.0/policies/AllowSelfServicePurchase/products?scope=product -> 200 OK ([DURATION], tenant 11111111-1111-4111-8111-111111111111, correlation ID [UUID])
    17 products: 10 enabled, 5 disabled, 2 trials only
    ===== AZURE_FEDERATED_TOKEN_FILE =====
    exit_code: 0
    ----- stderr -----
    the application in the environment is incomplete: AZURE_FEDERATED_TOKEN_FILE set, AZURE_CLIENT_ID and AZURE_TENANT_ID missing
    using the access token in MSCOMMERCE_TOKEN
    GET http://127.0.0.1:[PORT]/v1.0/policies/AllowSelfServicePurchase/products?scope=product -> 200 OK ([DURATION], tenant 11111111-1111-4111-8111-111111111111, correlation ID [UUID])
    17 products: 10 enabled, 5 disabled, 2 trials only
    ===== AZURE_CLIENT_ID AZURE_TENANT_ID AZURE_CLIENT_SECRET='' AZURE_CLIENT_CERTIFICATE_PATH='' =====
    exit_code: 0
    ----- stderr -----
    the application in the environment is incomplete: AZURE_CLIENT_ID, AZURE_TENANT_ID set, one of AZURE_CLIENT_SECRET, AZURE_CLIENT_CERTIFICATE_PATH and AZURE_FEDERATED_TOKEN_FILE missing
    using the access token in MSCOMMERCE_TOKEN
    GET http://127.0.0.1:[PORT]/v1.0/policies/AllowSelfServicePurchase/products?scope=product -> 200 OK ([DURATION], tenant 11111111-1111-4111-8111-111111111111, correlation ID [UUID])
    17 products: 10 enabled, 5 disabled, 2 trials only
    ");
}

#[test]
fn unrelated_azure_variables_are_not_mentioned() {
    let signed_out = TestEnv::new();
    let signed_in = TestEnv::signed_in();
    for variables in UNRELATED {
        let result = signed_out.run_with_env(variables, &["products", "list", "-v"]).assert_code(4).stdout_is_empty();
        let result = result.stderr_contains(&["error: not signed in", "hint: mscommerce connect\n"]);
        let mentions = result.stderr.lines().filter(|line| line.contains("AZURE_") || line.contains("application"));
        assert_eq!(mentions.count(), 0, "{}", result.stderr);

        let result = signed_in.run_with_env(variables, &["products", "list", "-v"]).assert_code(0);
        assert!(!result.stderr.contains("AZURE_"), "{}", result.stderr);
    }
    assert!(signed_out.request_lines().is_empty());
}

#[test]
fn incomplete_application_keeps_cached_tenant() {
    let env = TestEnv::signed_in();
    let elsewhere = ("AZURE_TENANT_ID", CUSTOMER_TENANT);
    for variables in [&[elsewhere][..], &[ID, elsewhere], &[elsewhere, WITH_SECRET]] {
        env.tenant.forget_requests();
        env.run_with_env(variables, &["products", "list"]).assert_code(0);
        assert_eq!(env.request_lines(), [LIST_PRODUCTS]);
        let status = env.run_with_env(variables, &["status", "-o", "json"]).assert_code(0).json();
        assert_eq!(status["tenantId"], HOME_TENANT);
    }
}

#[test]
fn github_job_without_permission_error_message() {
    let env = TestEnv::new();
    let variables = [&APP[..], &[("GITHUB_ACTIONS", "true")]].concat();
    let mut transcript = Transcript::default();
    transcript.push("no variables", env.run_with_env(&variables, &["products", "list"]));
    for (name, value) in env.tenant.github_oidc() {
        let variables = [&variables[..], &[(name, value.as_str())]].concat();
        transcript.push(format!("only {name}"), env.run_with_env(&variables, &["products", "list"]));
    }
    cli_snapshot!(transcript, @"
    ===== no variables =====
    ===== only ACTIONS_ID_TOKEN_REQUEST_URL =====
    ===== only ACTIONS_ID_TOKEN_REQUEST_TOKEN =====
    exit_code: 4
    ----- stderr -----
    error: not signed in
      the application in the environment is incomplete: AZURE_CLIENT_ID, AZURE_TENANT_ID set, one of AZURE_CLIENT_SECRET, AZURE_CLIENT_CERTIFICATE_PATH and AZURE_FEDERATED_TOKEN_FILE (or, for GitHub's token, the job's permission id-token: write) missing
    hint: set the missing variables, or sign in: mscommerce connect
    ");
    assert!(env.request_lines().is_empty());
}
