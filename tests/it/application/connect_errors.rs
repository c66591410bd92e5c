//! Usage errors of `connect --application`.

use super::*;
use crate::support::snapshot::Transcript;
use crate::tenant::ADMIN;

/// Runs `connect`. Asserts that it fails without a request and without showing the secret.
#[track_caller]
fn connect_fails(variables: &[(&str, &str)], flags: &[&str], input: &str) -> CliResult {
    let env = TestEnv::new();
    let mut command = env.command(&[&["connect"], flags].concat());
    command.envs(variables.iter().copied());
    let result = TestEnv::run_command_with_stdin(command, input).assert_code(2);
    assert!(!result.stderr.contains(APP_SECRET), "{}", result.stderr);
    assert!(env.request_lines().is_empty());
    assert!(!env.cache_path().exists());
    result
}

/// The credential flags.
const CREDENTIALS: [&[&str]; 4] = [
    &["--client-secret-stdin"],
    &["--certificate", "app.pem"],
    &["--federated-token-file", "token"],
    &["--github-oidc"],
];

const APPLICATION: [&str; 5] = ["--application", "--client-id", APP_ID, "--tenant", HOME_TENANT];

#[test]
fn connect_application_needs_client_id() {
    let flags = ["--application", "--tenant", HOME_TENANT, "--client-secret-stdin"];
    let mut transcript = Transcript::default();
    transcript.push("no id", connect_fails(&[], &flags, APP_SECRET));
    // The public client's id is not used.
    let result = connect_fails(&[("MSCOMMERCE_CLIENT_ID", APP_ID)], &flags, APP_SECRET);
    transcript.push("MSCOMMERCE_CLIENT_ID", result);
    transcript.push("empty id", connect_fails(&[], &[&flags[..], &["--client-id", ""]].concat(), APP_SECRET));
    cli_snapshot!(transcript, @"
    ===== no id =====
    ===== MSCOMMERCE_CLIENT_ID =====
    exit_code: 2
    ----- stderr -----
    error: no application specified
    hint: add --client-id ID, or set AZURE_CLIENT_ID
    ===== empty id =====
    exit_code: 2
    ----- stderr -----
    error: --client-id is empty
    ");
}

#[test]
fn connect_application_needs_tenant() {
    let flags = ["--application", "--client-id", APP_ID, "--client-secret-stdin"];
    let mut transcript = Transcript::default();
    transcript.push("no tenant", connect_fails(&[], &flags, APP_SECRET));
    for wrong in ["organizations", "common", "contoso"] {
        let by_flag = connect_fails(&[], &[&flags[..], &["--tenant", wrong]].concat(), APP_SECRET);
        transcript.push(format!("--tenant {wrong}"), by_flag);
        let by_variable = connect_fails(&[("AZURE_TENANT_ID", wrong)], &flags, APP_SECRET);
        transcript.push(format!("AZURE_TENANT_ID={wrong}"), by_variable);
    }
    cli_snapshot!(transcript, @"
    ===== no tenant =====
    exit_code: 2
    ----- stderr -----
    error: an application sign-in requires a tenant
    hint: add --tenant TENANT, or set AZURE_TENANT_ID
    ===== --tenant organizations =====
    exit_code: 2
    ----- stderr -----
    error: --tenant: 'organizations' is not a tenant: use its ID (a GUID) or one of its domains, such as contoso.onmicrosoft.com
    ===== AZURE_TENANT_ID=organizations =====
    exit_code: 2
    ----- stderr -----
    error: AZURE_TENANT_ID: 'organizations' is not a tenant: use its ID (a GUID) or one of its domains, such as contoso.onmicrosoft.com
    ===== --tenant common =====
    exit_code: 2
    ----- stderr -----
    error: --tenant: 'common' is not a tenant: use its ID (a GUID) or one of its domains, such as contoso.onmicrosoft.com
    ===== AZURE_TENANT_ID=common =====
    exit_code: 2
    ----- stderr -----
    error: AZURE_TENANT_ID: 'common' is not a tenant: use its ID (a GUID) or one of its domains, such as contoso.onmicrosoft.com
    ===== --tenant contoso =====
    exit_code: 2
    ----- stderr -----
    error: --tenant: 'contoso' is not a tenant: use its ID (a GUID) or one of its domains, such as contoso.onmicrosoft.com
    ===== AZURE_TENANT_ID=contoso =====
    exit_code: 2
    ----- stderr -----
    error: AZURE_TENANT_ID: 'contoso' is not a tenant: use its ID (a GUID) or one of its domains, such as contoso.onmicrosoft.com
    ");
}

#[test]
fn connect_application_needs_credential() {
    let mut transcript = Transcript::default();
    transcript.push("id and tenant by flag", connect_fails(&[], &APPLICATION, ""));
    transcript.push("id and tenant by variable", connect_fails(&APP, &["--application"], ""));
    let password = [(CERTIFICATE_PASSWORD, "a password")];
    transcript.push("only a certificate password", connect_fails(&password, &APPLICATION, ""));
    cli_snapshot!(transcript, @"
    ===== id and tenant by flag =====
    ===== id and tenant by variable =====
    ===== only a certificate password =====
    exit_code: 2
    ----- stderr -----
    error: no credential for the application
      one of AZURE_CLIENT_SECRET, AZURE_CLIENT_CERTIFICATE_PATH and AZURE_FEDERATED_TOKEN_FILE missing
    hint: add one of --client-secret-stdin, --certificate FILE, --federated-token-file FILE, --github-oidc
    ");
}

#[test]
fn connect_application_credential_flags_are_exclusive() {
    let mut transcript = Transcript::default();
    for (index, first) in CREDENTIALS.iter().enumerate() {
        for second in &CREDENTIALS[index + 1..] {
            let result = connect_fails(&[], &[&APPLICATION, *first, *second].concat(), APP_SECRET);
            transcript.push(format!("{} {}", first[0], second[0]), result);
        }
    }
    cli_snapshot!(transcript, @"
    ===== --client-secret-stdin --certificate =====
    exit_code: 2
    ----- stderr -----
    error: the argument '--client-secret-stdin' cannot be used with '--certificate <FILE>'

    Usage: mscommerce connect --application --client-id <ID> --tenant <TENANT> --client-secret-stdin

    For more information, try '--help'.
    ===== --client-secret-stdin --federated-token-file =====
    exit_code: 2
    ----- stderr -----
    error: the argument '--client-secret-stdin' cannot be used with '--federated-token-file <FILE>'

    Usage: mscommerce connect --application --client-id <ID> --tenant <TENANT> --client-secret-stdin

    For more information, try '--help'.
    ===== --client-secret-stdin --github-oidc =====
    exit_code: 2
    ----- stderr -----
    error: the argument '--client-secret-stdin' cannot be used with '--github-oidc'

    Usage: mscommerce connect --application --client-id <ID> --tenant <TENANT> --client-secret-stdin

    For more information, try '--help'.
    ===== --certificate --federated-token-file =====
    exit_code: 2
    ----- stderr -----
    error: the argument '--certificate <FILE>' cannot be used with '--federated-token-file <FILE>'

    Usage: mscommerce connect --application --client-id <ID> --tenant <TENANT> --certificate <FILE>

    For more information, try '--help'.
    ===== --certificate --github-oidc =====
    exit_code: 2
    ----- stderr -----
    error: the argument '--certificate <FILE>' cannot be used with '--github-oidc'

    Usage: mscommerce connect --application --client-id <ID> --tenant <TENANT> --certificate <FILE>

    For more information, try '--help'.
    ===== --federated-token-file --github-oidc =====
    exit_code: 2
    ----- stderr -----
    error: the argument '--federated-token-file <FILE>' cannot be used with '--github-oidc'

    Usage: mscommerce connect --application --client-id <ID> --tenant <TENANT> --federated-token-file <FILE>

    For more information, try '--help'.
    ");
}

#[test]
fn credential_flags_need_application_flag() {
    let rest = &APPLICATION[1..];
    let mut transcript = Transcript::default();
    for credential in CREDENTIALS {
        transcript.push(credential[0], connect_fails(&[], &[rest, credential].concat(), APP_SECRET));
        let result = connect_fails(&[], &[rest, credential, &["--device-code"]].concat(), APP_SECRET);
        transcript.push(format!("{} --device-code", credential[0]), result);
    }
    cli_snapshot!(transcript, @"
    ===== --client-secret-stdin =====
    exit_code: 2
    ----- stderr -----
    error: the following required arguments were not provided:
      --application

    Usage: mscommerce connect --application --client-id <ID> --tenant <TENANT> --client-secret-stdin

    For more information, try '--help'.
    ===== --client-secret-stdin --device-code =====
    exit_code: 2
    ----- stderr -----
    error: --client-secret-stdin requires --application
    ===== --certificate =====
    exit_code: 2
    ----- stderr -----
    error: the following required arguments were not provided:
      --application

    Usage: mscommerce connect --application --client-id <ID> --tenant <TENANT> --certificate <FILE>

    For more information, try '--help'.
    ===== --certificate --device-code =====
    exit_code: 2
    ----- stderr -----
    error: --certificate requires --application
    ===== --federated-token-file =====
    exit_code: 2
    ----- stderr -----
    error: the following required arguments were not provided:
      --application

    Usage: mscommerce connect --application --client-id <ID> --tenant <TENANT> --federated-token-file <FILE>

    For more information, try '--help'.
    ===== --federated-token-file --device-code =====
    exit_code: 2
    ----- stderr -----
    error: --federated-token-file requires --application
    ===== --github-oidc =====
    exit_code: 2
    ----- stderr -----
    error: the following required arguments were not provided:
      --application

    Usage: mscommerce connect --application --client-id <ID> --tenant <TENANT> --github-oidc

    For more information, try '--help'.
    ===== --github-oidc --device-code =====
    exit_code: 2
    ----- stderr -----
    error: --github-oidc requires --application
    ");
}

#[test]
fn application_flag_excludes_user_methods() {
    let mut transcript = Transcript::default();
    for method in [
        &["--device-code"][..],
        &["--username", ADMIN],
        &["--with-token"],
        &["--redirect-port", "8400"],
        &["--no-browser"],
    ] {
        let flags = [&APPLICATION[..], &["--client-secret-stdin"], method].concat();
        transcript.push(method[0], connect_fails(&[], &flags, APP_SECRET));
    }
    cli_snapshot!(transcript, @"
    ===== --device-code =====
    exit_code: 2
    ----- stderr -----
    error: the argument '--application' cannot be used with '--device-code'

    Usage: mscommerce connect --application --client-id <ID> --tenant <TENANT> --client-secret-stdin

    For more information, try '--help'.
    ===== --username =====
    exit_code: 2
    ----- stderr -----
    error: the argument '--application' cannot be used with '--username <USER>'

    Usage: mscommerce connect --application --client-id <ID> --tenant <TENANT> --client-secret-stdin

    For more information, try '--help'.
    ===== --with-token =====
    exit_code: 2
    ----- stderr -----
    error: the argument '--application' cannot be used with '--with-token'

    Usage: mscommerce connect --application --client-id <ID> --tenant <TENANT> --client-secret-stdin

    For more information, try '--help'.
    ===== --redirect-port =====
    exit_code: 2
    ----- stderr -----
    error: the argument '--redirect-port <PORT>' cannot be used with:
      --device-code
      --username <USER>
      --with-token
      --application

    Usage: mscommerce connect --client-id <ID> --tenant <TENANT> --client-secret-stdin --redirect-port <PORT>

    For more information, try '--help'.
    ===== --no-browser =====
    exit_code: 2
    ----- stderr -----
    error: the argument '--no-browser' cannot be used with:
      --device-code
      --username <USER>
      --with-token
      --application

    Usage: mscommerce connect --client-id <ID> --tenant <TENANT> --client-secret-stdin --no-browser

    For more information, try '--help'.
    ");
}

#[test]
fn invalid_client_secret_is_not_sent_or_shown() {
    let mut transcript = Transcript::default();
    for (name, input) in [
        ("empty", ""),
        ("empty line", "\n"),
        ("blank", " \r\n "),
        ("several words", "two words of-a-secret"),
        ("two lines", "one-secret\nanother-secret"),
    ] {
        let env = TestEnv::new();
        let result = transcript.push(name, connect(&env, &["--client-secret-stdin", "-vvv"], input));
        for secret in ["of-a-secret", "another-secret"] {
            assert!(!result.stderr.contains(secret), "{}", result.stderr);
        }
        assert!(env.request_lines().is_empty());
    }
    cli_snapshot!(transcript, @"
    ===== empty =====
    ===== empty line =====
    ===== blank =====
    exit_code: 2
    ----- stderr -----
    error: no client secret: standard input is empty
    hint: mscommerce connect --application --client-secret-stdin < secret.txt
    ===== several words =====
    ===== two lines =====
    exit_code: 2
    ----- stderr -----
    error: the input is not a client secret: a secret does not contain spaces
    ");
}

#[test]
fn connect_application_fails_if_token_variable_is_set() {
    let env = TestEnv::new();
    let token = env.tenant.issue_token(ADMIN, HOME_TENANT, 3600);
    let variables = [APP[0], APP[1], WITH_SECRET, ("MSCOMMERCE_TOKEN", &token)];
    cli_snapshot!(env.run_with_env(&variables, &["connect", "--application"]), @"
    exit_code: 2
    ----- stderr -----
    error: MSCOMMERCE_TOKEN is set and takes precedence over saved sign-ins
    hint: unset MSCOMMERCE_TOKEN, then run connect again
    ");
    assert!(env.request_lines().is_empty());
}

#[test]
fn connect_application_failure_keeps_cache() {
    let env = connected();
    let before = env.cache();
    connect(&env, &["--client-secret-stdin"], "wrong").assert_code(4).stdout_is_empty();
    assert_eq!(env.cache(), before);
}

#[test]
fn connect_application_takes_one_tenant() {
    let flags = [&APPLICATION[..], &["--tenant", crate::tenant::CUSTOMER_TENANT, "--client-secret-stdin"]].concat();
    cli_snapshot!(connect_fails(&[], &flags, APP_SECRET), @"
    exit_code: 2
    ----- stderr -----
    error: this command works in one tenant, but --tenant is set several times
    hint: use --tenant once; only product list, product update, baseline check and baseline apply accept several tenants
    ");
}
