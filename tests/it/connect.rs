//! `connect` with a password, and behaviour that all sign-in methods share.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::cli::CliResult;
use crate::support::env::TestEnv;
use crate::support::snapshot::Transcript;
use crate::tenant::{
    ADMIN, CLIENT_ID, CUSTOMER_DOMAIN, CUSTOMER_TENANT, DISABLED, EXPIRED, HOME_DOMAIN, HOME_TENANT, LOCKED, MFA,
    PASSWORD, READER, RESOURCE, Response, SCOPE, jwt,
};

/// Every sign-in method.
const METHODS: [&[&str]; 4] =
    [&["--no-browser"], &["--device-code"], &["--username", ADMIN, "--password-stdin"], &["--with-token"]];

fn connect_with_password(env: &TestEnv, user: &str, password: &str, more: &[&str]) -> CliResult {
    env.run_with_stdin(&[&["connect", "--username", user, "--password-stdin"], more].concat(), password)
}

#[test]
fn connect_password_sends_one_token_request() {
    let env = TestEnv::new();
    cli_snapshot!(connect_with_password(&env, ADMIN, PASSWORD, &[]), @"
    exit_code: 0
    ----- stderr -----
    Signed in as admin@contoso.example to tenant 11111111-1111-4111-8111-111111111111.
    ");

    assert_eq!(env.request_lines(), ["POST /organizations/oauth2/v2.0/token"]);
    let form = env.tenant.requests()[0].form();
    let mut scopes: Vec<_> = form["scope"].split(' ').collect();
    scopes.sort_unstable();
    assert_eq!(scopes, [SCOPE, "offline_access", "openid", "profile"]);
    let others: Vec<_> =
        form.iter().map(|(name, value)| (name.as_str(), value.as_str())).filter(|(name, _)| *name != "scope").collect();
    assert_eq!(
        others,
        [
            ("client_id", CLIENT_ID),
            ("client_info", "1"),
            ("grant_type", "password"),
            ("password", PASSWORD),
            ("username", ADMIN),
        ]
    );
    let sign_in = &env.cache()["profiles"]["default"];
    assert_eq!(sign_in["account"], ADMIN);
    assert_eq!(sign_in["tenantId"], HOME_TENANT);
    assert_eq!(sign_in["method"], "password");
}

#[test]
fn login_is_an_alias_of_connect() {
    let env = TestEnv::new();
    cli_snapshot!(env.run_with_stdin(&["login", "--username", ADMIN, "--password-stdin"], PASSWORD), @"
    exit_code: 0
    ----- stderr -----
    Signed in as admin@contoso.example to tenant 11111111-1111-4111-8111-111111111111.
    ");
}

#[test]
fn connect_strips_line_ending_of_password_only() {
    for line_end in ["", "\n", "\r\n"] {
        let env = TestEnv::new();
        connect_with_password(&env, ADMIN, &format!("{PASSWORD}{line_end}"), &[]).assert_code(0);
    }
    let env = TestEnv::new();
    connect_with_password(&env, ADMIN, " correct\thorse \u{df} \n", &[]).assert_code(4);
    assert_eq!(env.tenant.requests()[0].form()["password"], " correct\thorse \u{df} ");
}

#[test]
fn connect_invalid_password_input_is_usage_error() {
    let env = TestEnv::new();
    let long = "x".repeat(70_000);
    let mut transcript = Transcript::default();
    for (name, input) in [
        ("empty", &b""[..]),
        ("empty line", b"\n"),
        ("two lines", b"one\ntwo\n"),
        ("line after empty line", b"one\n\ntwo"),
        ("not UTF-8", b"\xffpassword"),
        ("too long", long.as_bytes()),
    ] {
        let command = env.command(&["connect", "--username", ADMIN, "--password-stdin"]);
        transcript.push(name, TestEnv::run_command_with_stdin(command, input));
    }
    cli_snapshot!(transcript, @"
    ===== empty =====
    ===== empty line =====
    exit_code: 2
    ----- stderr -----
    error: the password is empty
    ===== two lines =====
    ===== line after empty line =====
    exit_code: 2
    ----- stderr -----
    error: the password on standard input has more than one line
    ===== not UTF-8 =====
    exit_code: 2
    ----- stderr -----
    error: standard input is not UTF-8 text
    ===== too long =====
    exit_code: 2
    ----- stderr -----
    error: standard input is too long to be a password or a token
    ");
    assert!(env.request_lines().is_empty());
}

/// What Windows PowerShell 5.1 pipes or writes to a file for this text.
pub(crate) fn powershell_encodings(text: &str) -> Vec<Vec<u8>> {
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    vec![
        format!("{text}\r\n").into(),
        format!("\u{feff}{text}\r\n").into(),
        format!("\u{feff}{text}\r\n\r\n").into(),
        utf16(&format!("\u{feff}{text}\r\n")),
    ]
}

#[test]
fn byte_order_mark_and_line_ends_of_powershell_are_dropped() {
    for input in powershell_encodings(PASSWORD) {
        let env = TestEnv::new();
        let command = env.command(&["connect", "--username", ADMIN, "--password-stdin"]);
        TestEnv::run_command_with_stdin(command, &input).assert_code(0);
        assert_eq!(env.tenant.requests()[0].form()["password"], PASSWORD);
    }
    let env = TestEnv::new();
    let token = env.tenant.issue_token(ADMIN, HOME_TENANT, 3600);
    for input in powershell_encodings(&token) {
        TestEnv::run_command_with_stdin(env.command(&["connect", "--with-token"]), &input).assert_code(0);
        assert_eq!(env.cached_tokens(), [token.as_str()]);
    }
}

#[test]
fn connect_username_without_tty_needs_password_stdin() {
    let env = TestEnv::new();
    cli_snapshot!(env.run_with_stdin(&["connect", "--username", ADMIN], PASSWORD), @"
    exit_code: 2
    ----- stderr -----
    error: cannot prompt for the password: standard input is not a terminal
    hint: add --password-stdin to read the password from standard input
    ");
    assert!(env.request_lines().is_empty());
}

#[test]
fn connect_empty_username_is_usage_error() {
    let env = TestEnv::new();
    connect_with_password(&env, "", PASSWORD, &[]).assert_code(2);
    assert!(env.request_lines().is_empty(), "{:?}", env.request_lines());
}

#[test]
fn connect_method_flags_are_exclusive() {
    let env = TestEnv::new();
    for flags in [
        &["--device-code", "--with-token"][..],
        &["--device-code", "--username", ADMIN],
        &["--password-stdin"],
        &["--device-code", "--no-browser"],
        &["--with-token", "--redirect-port", "50505"],
        &["--with-token", "--client-id", CLIENT_ID],
        &["--redirect-port", "0"],
        &["--redirect-port", "65536"],
    ] {
        env.run(&[&["connect"], flags].concat()).assert_code(2);
    }
    assert!(env.request_lines().is_empty());
}

#[test]
fn connect_never_prints_or_stores_password() {
    for password in [PASSWORD, "Tr0ub4dor&3"] {
        let env = TestEnv::new();
        let result = connect_with_password(&env, ADMIN, password, &["-vvv"]);
        // Without these log lines the test would prove nothing.
        let result = result.stderr_contains(&["POST", "/oauth2/v2.0/token"]);
        let encoded: String = form_urlencoded::byte_serialize(password.as_bytes()).collect();
        for secret in [password, &encoded] {
            assert!(!result.stderr.contains(secret) && !result.stdout.contains(secret), "{}", result.stderr);
            assert_eq!(env.files_containing(secret), Vec::<PathBuf>::new());
        }
    }
}

#[test]
fn verbose_output_contains_no_token() {
    let env = TestEnv::new();
    let connected = connect_with_password(&env, ADMIN, PASSWORD, &["-vvv"]).assert_code(0);
    let mut outputs = vec![connected];
    let mut secrets = env.cached_tokens();
    env.tenant.revoke_access_tokens();
    for arguments in [&["products", "list", "-vvv"][..], &["status", "-vvv", "-o", "json"], &["disconnect", "-vvv"]] {
        secrets.extend(env.cached_tokens());
        outputs.push(env.run(arguments).assert_code(0));
    }
    for result in outputs {
        for secret in &secrets {
            assert!(!result.stdout.contains(secret) && !result.stderr.contains(secret), "{result:?}");
        }
    }
}

#[test]
fn connect_tenant_from_flag_then_environment() {
    for (variable, flags, path) in [
        (None, &["--tenant", CUSTOMER_DOMAIN][..], CUSTOMER_DOMAIN),
        (None, &["--tenant", "FABRIKAM.Example"], CUSTOMER_DOMAIN),
        (Some(CUSTOMER_TENANT), &[], CUSTOMER_TENANT),
        (Some(HOME_DOMAIN), &["--tenant", CUSTOMER_TENANT], CUSTOMER_TENANT),
        // An empty variable counts as unset.
        (Some(""), &["--tenant", CUSTOMER_TENANT], CUSTOMER_TENANT),
    ] {
        let env = TestEnv::new();
        let arguments = [&["connect", "--username", ADMIN, "--password-stdin"], flags].concat();
        let mut command = env.command(&arguments);
        command.envs(variable.map(|tenant| ("AZURE_TENANT_ID", tenant)));
        TestEnv::run_command_with_stdin(command, PASSWORD).assert_code(0).stderr_contains(&[CUSTOMER_TENANT]);
        assert_eq!(env.request_lines(), [format!("POST /{path}/oauth2/v2.0/token")]);
        assert_eq!(env.cache()["profiles"]["default"]["tenantId"], CUSTOMER_TENANT);
        // Later commands use the tenant of the sign-in.
        env.tenant.forget_requests();
        env.run(&["products", "list"]).assert_code(0);
        assert_eq!(env.request_lines().len(), 1, "{:?}", env.request_lines());
    }
}

#[test]
fn connect_invalid_tenant_is_usage_error() {
    let env = TestEnv::new();
    let mut transcript = Transcript::default();
    for name in ["common", "consumers", "organizations", "../x", "contoso.example/../x", "contoso", "", "a b.example"] {
        for method in METHODS {
            let result = env.run_with_stdin(&[&["connect", "--tenant", name], method].concat(), PASSWORD);
            transcript.push(format!("--tenant '{name}' {}", method[0]), result);
        }
        if !name.is_empty() {
            let result = env.run_with_env(&[("AZURE_TENANT_ID", name)], &["connect", "--device-code"]);
            transcript.push(format!("AZURE_TENANT_ID='{name}'"), result);
        }
    }
    cli_snapshot!(transcript, @"
    ===== --tenant 'common' --no-browser =====
    ===== --tenant 'common' --device-code =====
    ===== --tenant 'common' --username =====
    ===== --tenant 'common' --with-token =====
    exit_code: 2
    ----- stderr -----
    error: --tenant: 'common' is not a tenant: use its ID (a GUID) or one of its domains, such as contoso.onmicrosoft.com
    ===== AZURE_TENANT_ID='common' =====
    exit_code: 2
    ----- stderr -----
    error: AZURE_TENANT_ID: 'common' is not a tenant: use its ID (a GUID) or one of its domains, such as contoso.onmicrosoft.com
    ===== --tenant 'consumers' --no-browser =====
    ===== --tenant 'consumers' --device-code =====
    ===== --tenant 'consumers' --username =====
    ===== --tenant 'consumers' --with-token =====
    exit_code: 2
    ----- stderr -----
    error: --tenant: 'consumers' is not a tenant: use its ID (a GUID) or one of its domains, such as contoso.onmicrosoft.com
    ===== AZURE_TENANT_ID='consumers' =====
    exit_code: 2
    ----- stderr -----
    error: AZURE_TENANT_ID: 'consumers' is not a tenant: use its ID (a GUID) or one of its domains, such as contoso.onmicrosoft.com
    ===== --tenant 'organizations' --no-browser =====
    ===== --tenant 'organizations' --device-code =====
    ===== --tenant 'organizations' --username =====
    ===== --tenant 'organizations' --with-token =====
    exit_code: 2
    ----- stderr -----
    error: --tenant: 'organizations' is not a tenant: use its ID (a GUID) or one of its domains, such as contoso.onmicrosoft.com
    ===== AZURE_TENANT_ID='organizations' =====
    exit_code: 2
    ----- stderr -----
    error: AZURE_TENANT_ID: 'organizations' is not a tenant: use its ID (a GUID) or one of its domains, such as contoso.onmicrosoft.com
    ===== --tenant '../x' --no-browser =====
    ===== --tenant '../x' --device-code =====
    ===== --tenant '../x' --username =====
    ===== --tenant '../x' --with-token =====
    exit_code: 2
    ----- stderr -----
    error: --tenant: '../x' is not a tenant: use its ID (a GUID) or one of its domains, such as contoso.onmicrosoft.com
    ===== AZURE_TENANT_ID='../x' =====
    exit_code: 2
    ----- stderr -----
    error: AZURE_TENANT_ID: '../x' is not a tenant: use its ID (a GUID) or one of its domains, such as contoso.onmicrosoft.com
    ===== --tenant 'contoso.example/../x' --no-browser =====
    ===== --tenant 'contoso.example/../x' --device-code =====
    ===== --tenant 'contoso.example/../x' --username =====
    ===== --tenant 'contoso.example/../x' --with-token =====
    exit_code: 2
    ----- stderr -----
    error: --tenant: 'contoso.example/../x' is not a tenant: use its ID (a GUID) or one of its domains, such as contoso.onmicrosoft.com
    ===== AZURE_TENANT_ID='contoso.example/../x' =====
    exit_code: 2
    ----- stderr -----
    error: AZURE_TENANT_ID: 'contoso.example/../x' is not a tenant: use its ID (a GUID) or one of its domains, such as contoso.onmicrosoft.com
    ===== --tenant 'contoso' --no-browser =====
    ===== --tenant 'contoso' --device-code =====
    ===== --tenant 'contoso' --username =====
    ===== --tenant 'contoso' --with-token =====
    exit_code: 2
    ----- stderr -----
    error: --tenant: 'contoso' is not a tenant: use its ID (a GUID) or one of its domains, such as contoso.onmicrosoft.com
    ===== AZURE_TENANT_ID='contoso' =====
    exit_code: 2
    ----- stderr -----
    error: AZURE_TENANT_ID: 'contoso' is not a tenant: use its ID (a GUID) or one of its domains, such as contoso.onmicrosoft.com
    ===== --tenant '' --no-browser =====
    ===== --tenant '' --device-code =====
    ===== --tenant '' --username =====
    ===== --tenant '' --with-token =====
    exit_code: 2
    ----- stderr -----
    error: --tenant: '' is not a tenant: use its ID (a GUID) or one of its domains, such as contoso.onmicrosoft.com
    ===== --tenant 'a b.example' --no-browser =====
    ===== --tenant 'a b.example' --device-code =====
    ===== --tenant 'a b.example' --username =====
    ===== --tenant 'a b.example' --with-token =====
    exit_code: 2
    ----- stderr -----
    error: --tenant: 'a b.example' is not a tenant: use its ID (a GUID) or one of its domains, such as contoso.onmicrosoft.com
    ===== AZURE_TENANT_ID='a b.example' =====
    exit_code: 2
    ----- stderr -----
    error: AZURE_TENANT_ID: 'a b.example' is not a tenant: use its ID (a GUID) or one of its domains, such as contoso.onmicrosoft.com
    ");
    assert!(env.request_lines().is_empty());
}

#[test]
fn connect_password_errors_have_specific_hints() {
    let env = TestEnv::new();
    let mut transcript = Transcript::default();
    for (code, user, password) in [
        ("AADSTS50126", ADMIN, "wrong"),
        ("AADSTS50034", "stranger@contoso.example", PASSWORD),
        ("AADSTS50053", LOCKED, PASSWORD),
        ("AADSTS50055", EXPIRED, PASSWORD),
        ("AADSTS50057", DISABLED, PASSWORD),
        ("AADSTS50076", MFA, PASSWORD),
    ] {
        env.tenant.forget_requests();
        transcript.push(code, connect_with_password(&env, user, password, &[]));
        assert_eq!(env.request_lines().len(), 1, "a rejected sign-in is not retried");
        assert!(!env.cache_path().exists(), "nothing is saved");
    }
    cli_snapshot!(transcript, @"
    ===== AADSTS50126 =====
    exit_code: 4
    ----- stderr -----
    error: could not sign in: wrong user name or password
      AADSTS50126: Error validating credentials due to invalid username or password. (invalid_grant)
      correlation ID: [UUID], trace ID: [UUID]
    hint: mscommerce connect
    ===== AADSTS50034 =====
    exit_code: 4
    ----- stderr -----
    error: could not sign in: the user does not exist in this tenant
      AADSTS50034: The user account stranger@contoso.example does not exist in the directory. To sign into this application, the account must be added to the directory. (invalid_grant)
      correlation ID: [UUID], trace ID: [UUID]
    hint: check the user name; guests must specify the tenant: mscommerce connect --tenant TENANT
    ===== AADSTS50053 =====
    exit_code: 4
    ----- stderr -----
    error: could not sign in: the account is locked, or its IP address is considered risky
      AADSTS50053: The account is locked, you've tried to sign in too many times with an incorrect user ID or password. (invalid_grant)
      correlation ID: [UUID], trace ID: [UUID]
    hint: try again later, or ask an administrator of the tenant to unlock the account
    ===== AADSTS50055 =====
    exit_code: 4
    ----- stderr -----
    error: could not sign in: the password has expired; sign in with a browser to set a new one
      AADSTS50055: The password is expired. (invalid_grant)
      correlation ID: [UUID], trace ID: [UUID]
    hint: mscommerce connect
    ===== AADSTS50057 =====
    exit_code: 4
    ----- stderr -----
    error: could not sign in: the account is disabled
      AADSTS50057: The user account is disabled. (invalid_grant)
      correlation ID: [UUID], trace ID: [UUID]
    hint: ask an administrator of the tenant to enable the account
    ===== AADSTS50076 =====
    exit_code: 4
    ----- stderr -----
    error: could not sign in: multi-factor authentication is required; sign in with a browser
      AADSTS50076: Due to a configuration change made by your administrator, or because you moved to a new location, you must use multi-factor authentication to access 'aeb86249-8ea3-49e2-900b-54cc8e308f85'. (invalid_grant, basic_action)
      correlation ID: [UUID], trace ID: [UUID]
    hint: mscommerce connect
    ");
}

#[test]
fn connect_aadsts_errors_have_specific_hints() {
    let env = TestEnv::new();
    let mut transcript = Transcript::default();
    for (code, status, error) in [
        (50079, 400, "interaction_required"),
        (50105, 400, "invalid_grant"),
        (65001, 400, "invalid_grant"),
        (650_052, 400, "invalid_client"),
        (501_051, 400, "invalid_grant"),
        // OAuth: 401 for a client that needs a secret.
        (7_000_218, 401, "invalid_client"),
        // An unknown code.
        (99_999_999, 400, "invalid_grant"),
        (99_999_999, 400, "error_of_tomorrow"),
    ] {
        let description = format!(
            "AADSTS{code}: In Entra's words.\r\nTrace ID: t-1\r\nCorrelation ID: c-1\r\nTimestamp: 2026-01-01 00:00:00Z"
        );
        let error_body = json!({"error": error, "error_description": description, "error_codes": [code]});
        env.tenant.fail_next("/token", Response::json(status, &error_body));
        transcript.push(format!("AADSTS{code} {error}"), connect_with_password(&env, ADMIN, PASSWORD, &[]));
        assert!(!env.cache_path().exists());
    }
    cli_snapshot!(transcript, @"
    ===== AADSTS50079 interaction_required =====
    exit_code: 4
    ----- stderr -----
    error: could not sign in: multi-factor authentication is required; sign in with a browser
      AADSTS50079: In Entra's words. (interaction_required)
      correlation ID: c-1, trace ID: t-1
    hint: mscommerce connect
    ===== AADSTS50105 invalid_grant =====
    exit_code: 4
    ----- stderr -----
    error: could not sign in: the user is not assigned to this application
      AADSTS50105: In Entra's words. (invalid_grant)
      correlation ID: c-1, trace ID: t-1
    hint: ask an administrator of the tenant to assign the user
    ===== AADSTS65001 invalid_grant =====
    exit_code: 4
    ----- stderr -----
    error: could not sign in: this client has no consent in this tenant
      AADSTS65001: In Entra's words. (invalid_grant)
      correlation ID: c-1, trace ID: t-1
    hint: ask an administrator of the tenant to sign in and consent: mscommerce connect --tenant TENANT
    ===== AADSTS650052 invalid_client =====
    exit_code: 4
    ----- stderr -----
    error: could not sign in: the M365 License Manager service is not available in this tenant
      AADSTS650052: In Entra's words. (invalid_client)
      correlation ID: c-1, trace ID: t-1
    hint: sign in to a tenant that has Microsoft 365: mscommerce connect --tenant TENANT
    ===== AADSTS501051 invalid_grant =====
    exit_code: 4
    ----- stderr -----
    error: could not sign in: the application is not assigned to M365 License Manager
      AADSTS501051: In Entra's words. (invalid_grant)
      correlation ID: c-1, trace ID: t-1
    hint: ask an administrator of the tenant to assign the application
    ===== AADSTS7000218 invalid_client =====
    exit_code: 4
    ----- stderr -----
    error: could not sign in: this client ID requires a client secret
      AADSTS7000218: In Entra's words. (invalid_client)
      correlation ID: c-1, trace ID: t-1
    hint: check --client-id and MSCOMMERCE_CLIENT_ID, or sign in with an access token: mscommerce connect --with-token
    ===== AADSTS99999999 invalid_grant =====
    exit_code: 4
    ----- stderr -----
    error: could not sign in: the credentials were rejected
      AADSTS99999999: In Entra's words. (invalid_grant)
      correlation ID: c-1, trace ID: t-1
    hint: mscommerce connect
    ===== AADSTS99999999 error_of_tomorrow =====
    exit_code: 4
    ----- stderr -----
    error: could not sign in: rejected by Microsoft Entra ID
      AADSTS99999999: In Entra's words. (error_of_tomorrow)
      correlation ID: c-1, trace ID: t-1
    hint: see the other sign-in methods: mscommerce connect --help
    ");
}

#[test]
fn connect_hint_repeats_profile() {
    let env = TestEnv::new();
    let mut transcript = Transcript::default();
    for (user, password) in [(MFA, PASSWORD), (ADMIN, "wrong")] {
        transcript.push(user, connect_with_password(&env, user, password, &["--profile", "work"]));
    }
    cli_snapshot!(transcript, @"
    ===== mfa@contoso.example =====
    exit_code: 4
    ----- stderr -----
    error: could not sign in: multi-factor authentication is required; sign in with a browser
      AADSTS50076: Due to a configuration change made by your administrator, or because you moved to a new location, you must use multi-factor authentication to access 'aeb86249-8ea3-49e2-900b-54cc8e308f85'. (invalid_grant, basic_action)
      correlation ID: [UUID], trace ID: [UUID]
    hint: mscommerce connect --profile work
    ===== admin@contoso.example =====
    exit_code: 4
    ----- stderr -----
    error: could not sign in: wrong user name or password
      AADSTS50126: Error validating credentials due to invalid username or password. (invalid_grant)
      correlation ID: [UUID], trace ID: [UUID]
    hint: mscommerce connect --profile work
    ");
}

#[test]
fn connect_hint_repeats_tenant() {
    let env = TestEnv::new();
    // Without --tenant the browser would sign in to the home tenant.
    cli_snapshot!(connect_with_password(&env, MFA, PASSWORD, &["--tenant", CUSTOMER_DOMAIN]), @"
    exit_code: 4
    ----- stderr -----
    error: could not sign in: multi-factor authentication is required; sign in with a browser
      AADSTS50076: Due to a configuration change made by your administrator, or because you moved to a new location, you must use multi-factor authentication to access 'aeb86249-8ea3-49e2-900b-54cc8e308f85'. (invalid_grant, basic_action)
      correlation ID: [UUID], trace ID: [UUID]
    hint: mscommerce connect --tenant fabrikam.example
    ");
}

#[test]
fn connect_unknown_tenant_error_message() {
    let env = TestEnv::new();
    cli_snapshot!(connect_with_password(&env, ADMIN, PASSWORD, &["--tenant", "nowhere.example"]), @"
    exit_code: 4
    ----- stderr -----
    error: could not sign in: the tenant does not exist in this cloud
      AADSTS90002: Tenant 'nowhere.example' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. (invalid_request)
      correlation ID: [UUID], trace ID: [UUID]
    hint: check the tenant (--tenant, or AZURE_TENANT_ID for connect), and set AZURE_AUTHORITY_HOST for a national cloud
    ");
    assert_eq!(env.request_lines(), ["POST /nowhere.example/oauth2/v2.0/token"]);
    assert!(!env.cache_path().exists());
}

#[test]
fn connect_unknown_client_id_error_message() {
    let (by_flag, by_variable) = ("00000000-0000-4000-8000-00000000000f", "00000000-0000-4000-8000-00000000000e");
    let mut transcript = Transcript::default();
    for (name, flags, used) in [("flag", &["--client-id", by_flag][..], by_flag), ("variable", &[], by_variable)] {
        let env = TestEnv::new();
        let arguments = [&["connect", "--username", ADMIN, "--password-stdin"], flags].concat();
        let mut command = env.command(&arguments);
        command.env("MSCOMMERCE_CLIENT_ID", by_variable);
        transcript.push(name, TestEnv::run_command_with_stdin(command, PASSWORD));
        assert_eq!(env.tenant.requests()[0].form()["client_id"], used);
        assert!(!env.cache_path().exists());
    }
    cli_snapshot!(transcript, @"
    ===== flag =====
    exit_code: 4
    ----- stderr -----
    error: could not sign in: the client ID does not exist in this tenant
      AADSTS700016: Application with identifier '00000000-0000-4000-8000-00000000000f' was not found in the directory. This can happen if the application has not been installed by the administrator of the tenant. (unauthorized_client)
      correlation ID: [UUID], trace ID: [UUID]
    hint: check --client-id, MSCOMMERCE_CLIENT_ID, the tenant, and the cloud (AZURE_AUTHORITY_HOST)
    ===== variable =====
    exit_code: 4
    ----- stderr -----
    error: could not sign in: the client ID does not exist in this tenant
      AADSTS700016: Application with identifier '00000000-0000-4000-8000-00000000000e' was not found in the directory. This can happen if the application has not been installed by the administrator of the tenant. (unauthorized_client)
      correlation ID: [UUID], trace ID: [UUID]
    hint: check --client-id, MSCOMMERCE_CLIENT_ID, the tenant, and the cloud (AZURE_AUTHORITY_HOST)
    ");
}

#[test]
fn connect_empty_client_id_is_usage_error() {
    let env = TestEnv::new();
    connect_with_password(&env, ADMIN, PASSWORD, &["--client-id", ""]).assert_code(2);
    assert!(env.request_lines().is_empty(), "{:?}", env.request_lines());
}

#[test]
fn connect_missing_resource_error_message() {
    let env = TestEnv::new();
    let mut command = env.command(&["connect", "--username", ADMIN, "--password-stdin"]);
    command.env("MSCOMMERCE_SCOPE", "00000000-0000-4000-8000-00000000000f/.default");
    cli_snapshot!(TestEnv::run_command_with_stdin(command, PASSWORD), @"
    exit_code: 4
    ----- stderr -----
    error: could not sign in: the M365 License Manager service is not available in this tenant
      AADSTS500011: The resource principal named 00000000-0000-4000-8000-00000000000f was not found in the tenant. (invalid_resource)
      correlation ID: [UUID], trace ID: [UUID]
    hint: sign in to a tenant that has Microsoft 365: mscommerce connect --tenant TENANT
    ");
}

#[test]
fn connect_fails_if_token_variable_is_set() {
    let env = TestEnv::new();
    let token = env.tenant.issue_token(ADMIN, HOME_TENANT, 3600);
    let expired = env.tenant.issue_token(ADMIN, HOME_TENANT, -60);
    let mut transcript = Transcript::default();
    for (name, token) in
        [("valid", token.as_str()), ("expired", &expired), ("opaque", "opaque"), ("invalid", "Bearer x")]
    {
        for method in METHODS {
            let arguments = [&["connect"], method].concat();
            let mut command = env.command(&arguments);
            command.env("MSCOMMERCE_TOKEN", token);
            let result = TestEnv::run_command_with_stdin(command, PASSWORD);
            transcript.push(format!("{name} token, connect {}", method[0]), result);
        }
    }
    cli_snapshot!(transcript, @"
    ===== valid token, connect --no-browser =====
    ===== valid token, connect --device-code =====
    ===== valid token, connect --username =====
    ===== valid token, connect --with-token =====
    ===== expired token, connect --no-browser =====
    ===== expired token, connect --device-code =====
    ===== expired token, connect --username =====
    ===== expired token, connect --with-token =====
    ===== opaque token, connect --no-browser =====
    ===== opaque token, connect --device-code =====
    ===== opaque token, connect --username =====
    ===== opaque token, connect --with-token =====
    ===== invalid token, connect --no-browser =====
    ===== invalid token, connect --device-code =====
    ===== invalid token, connect --username =====
    ===== invalid token, connect --with-token =====
    exit_code: 2
    ----- stderr -----
    error: MSCOMMERCE_TOKEN is set and takes precedence over saved sign-ins
    hint: unset MSCOMMERCE_TOKEN, then run connect again
    ");
    assert!(env.request_lines().is_empty());
    assert!(!env.state_dir().exists());
}

#[test]
fn connect_failure_keeps_cached_credential() {
    let env = TestEnv::signed_in();
    let before = env.cache();
    connect_with_password(&env, READER, "wrong", &[]).assert_code(4);
    connect_with_password(&env, MFA, PASSWORD, &[]).assert_code(4);
    env.run_with_stdin(&["connect", "--with-token"], "rubbish").assert_code(2);
    assert_eq!(env.cache(), before);
}

#[test]
fn connect_removes_replaced_credential() {
    let env = TestEnv::signed_in();
    env.run(&["products", "list", "--tenant", CUSTOMER_DOMAIN]).assert_code(0);
    let secrets = env.cached_tokens();
    assert_eq!(secrets.len(), 3, "two access tokens and a refresh token");
    env.sign_in(READER);
    for secret in secrets {
        assert_eq!(env.files_containing(&secret), Vec::<PathBuf>::new());
    }
    assert_eq!(env.files_containing(ADMIN), Vec::<PathBuf>::new());
}

#[test]
fn connect_network_errors_exit_1() {
    let env = TestEnv::new();
    let mut transcript = Transcript::default();
    for (name, response) in [
        ("503", Response::text(503, "text/plain", "busy")),
        ("500", Response::json(500, &json!({"error": "server_error", "error_description": "AADSTS90033"}))),
        ("429", Response::json(429, &json!({"error": "slow_down"})).header("retry-after", "1000")),
        ("web page", Response::text(200, "text/html", "<html><title>Hotel</title></html>")),
        ("redirect", Response::text(302, "text/plain", "").header("location", "https://portal.example/?secret=1")),
        ("other JSON", Response::json(200, &json!({"token": "other"}))),
        ("400 without JSON", Response::text(400, "text/plain", "no")),
    ] {
        env.tenant.fail_next("/token", response);
        transcript.push(name, connect_with_password(&env, ADMIN, PASSWORD, &[]));
        assert!(!env.cache_path().exists());
    }
    cli_snapshot!(transcript, @r#"
    ===== 503 =====
    exit_code: 1
    ----- stderr -----
    error: could not sign in: 127.0.0.1:[PORT] returned 503 Service Unavailable
      busy
    hint: try again in a minute
    ===== 500 =====
    exit_code: 1
    ----- stderr -----
    error: could not sign in: 127.0.0.1:[PORT] returned 500 Internal Server Error
      {"error":"server_error","error_description":"AADSTS90033"}
    hint: try again in a minute
    ===== 429 =====
    exit_code: 1
    ----- stderr -----
    error: could not sign in: 127.0.0.1:[PORT] returned 429 Too Many Requests
      {"error":"slow_down"}
    hint: try again in a minute
    ===== web page =====
    exit_code: 1
    ----- stderr -----
    error: could not sign in: received a web page instead of a response from 127.0.0.1:[PORT] (status 200 OK)
      it begins: <html><title>Hotel</title></html>
    hint: if this network requires a sign-in, open any web page in a browser, sign in, and try again
    hint: if your organisation uses a proxy, set HTTPS_PROXY, or have the proxy allow this URL
    ===== redirect =====
    exit_code: 1
    ----- stderr -----
    error: could not sign in: 127.0.0.1:[PORT] returned 302 Found with a redirect to https://portal.example/
      redirects are not followed, to protect the access token
    hint: if this network requires a sign-in, open any web page in a browser, sign in, and try again
    ===== other JSON =====
    exit_code: 1
    ----- stderr -----
    error: could not sign in: could not parse the response from 127.0.0.1
    hint: check AZURE_AUTHORITY_HOST, and whether a proxy responds instead of the service
    ===== 400 without JSON =====
    exit_code: 1
    ----- stderr -----
    error: could not sign in: 127.0.0.1:[PORT] returned 400 Bad Request
      no
    hint: check AZURE_AUTHORITY_HOST, and whether a proxy responds instead of the service
    "#);
}

#[test]
fn connect_quiet_prints_nothing() {
    let env = TestEnv::new();
    let result = connect_with_password(&env, ADMIN, PASSWORD, &["--quiet"]);
    cli_snapshot!(&result, @"exit_code: 0");
}

/// A token response. Entra may encrypt access tokens, so that the client can only read the id token.
fn token_response(access_token: &str, id_claims: &Value) -> Response {
    let body = json!({
        "token_type": "Bearer",
        "expires_in": 3600,
        "access_token": access_token,
        "refresh_token": "1.another",
        "id_token": jwt(id_claims),
        "an_unknown_field": {"nested": [1, null]},
    });
    Response::json(200, &body)
}

#[test]
fn connect_opaque_access_token_uses_id_token() {
    let env = TestEnv::new();
    let id = json!({"aud": CLIENT_ID, "tid": HOME_TENANT, "preferred_username": "id@contoso.example"});
    env.tenant.fail_next("/token", token_response("opaque", &id));
    cli_snapshot!(connect_with_password(&env, ADMIN, PASSWORD, &[]), @"
    exit_code: 0
    ----- stderr -----
    Signed in as id@contoso.example to tenant 11111111-1111-4111-8111-111111111111.
    ");
}

#[test]
fn connect_huge_expires_in_does_not_panic() {
    let env = TestEnv::new();
    for seconds in [9_000_000_000_000_u64, 9_000_000_000_000_000, u64::MAX] {
        let token = env.tenant.issue_token(ADMIN, HOME_TENANT, 3600);
        let response = json!({"token_type": "Bearer", "expires_in": seconds, "access_token": token});
        env.tenant.fail_next("/token", Response::json(200, &response));
        let result = connect_with_password(&env, ADMIN, PASSWORD, &[]);
        assert!(matches!(result.code, 0 | 1), "{seconds}: {result:?}");
        assert!(!result.stderr.contains("panicked"), "{}", result.stderr);
    }
}

#[test]
fn connect_token_of_other_tenant_is_not_saved() {
    let env = TestEnv::new();
    let token = env.tenant.issue_token(ADMIN, HOME_TENANT, 3600);
    env.tenant.fail_next("/token", token_response(&token, &json!({})));
    cli_snapshot!(connect_with_password(&env, ADMIN, PASSWORD, &["--tenant", CUSTOMER_TENANT]), @"
    exit_code: 4
    ----- stderr -----
    error: --tenant specifies tenant 22222222-2222-4222-8222-222222222222, but the token is for 11111111-1111-4111-8111-111111111111; nothing was saved
    ");
    assert!(!env.cache_path().exists());
}

#[test]
fn connect_escapes_control_characters() {
    let env = TestEnv::new();
    let name = "\u{1b}]0;title\u{7}\u{9b}2J\nroot\u{202e}";
    let token = jwt(&json!({"aud": RESOURCE, "tid": HOME_TENANT, "upn": name}));
    env.tenant.fail_next("/token", token_response(&token, &json!({})));
    let connected = connect_with_password(&env, ADMIN, PASSWORD, &[]).assert_code(0);
    let error_body = json!({
        "error": "invalid_grant\u{1b}[2J",
        "error_description": "AADSTS50126: \u{1b}[2J\u{7}",
        "suberror": "\u{1b}[2J",
        "correlation_id": "c\u{1b}[2J",
        "trace_id": "t\u{9b}",
    });
    env.tenant.fail_next("/token", Response::json(400, &error_body));
    let rejected = connect_with_password(&env, ADMIN, PASSWORD, &[]).assert_code(4);
    let status = env.run(&["status"]).assert_code(0);
    for text in [connected.stderr, rejected.stderr, status.stdout, status.stderr] {
        assert!(text.chars().all(|c| c == '\n' || !(c.is_control() || c == '\u{202e}')), "{text:?}");
    }
}

#[test]
fn connect_fails_early_if_cache_not_writable() {
    let env = TestEnv::new();
    // A file in place of the directory.
    std::fs::write(env.state_dir(), "").unwrap();
    let mut transcript = Transcript::default();
    for method in &METHODS[..3] {
        transcript.push(method.join(" "), env.run_with_stdin(&[&["connect"], *method].concat(), PASSWORD));
    }
    cli_snapshot!(transcript, @"
    ===== --no-browser =====
    ===== --device-code =====
    ===== --username admin@contoso.example --password-stdin =====
    exit_code: 1
    ----- stderr -----
    error: [TMP]/state is not used: it is not a directory
    hint: set MSCOMMERCE_HOME to a directory of your own
    ");
    assert!(env.request_lines().is_empty());
    cli_snapshot!(env.run(&["status"]), @"
    exit_code: 4
    ----- stderr -----
    error: [TMP]/state is not used: it is not a directory
    hint: set MSCOMMERCE_HOME to a directory of your own
    ");
}

#[test]
fn concurrent_connects_save_all_profiles() {
    let env = TestEnv::new();
    let profiles: Vec<String> = (1..=6).map(|number| format!("profile-{number}")).collect();
    let children: Vec<_> = profiles
        .iter()
        .map(|profile| {
            let mut child = env
                .command(&["connect", "--username", ADMIN, "--password-stdin", "--profile", profile])
                .stdin(Stdio::piped())
                .spawn()
                .unwrap();
            child.stdin.take().unwrap().write_all(PASSWORD.as_bytes()).unwrap();
            child
        })
        .collect();
    for child in children {
        CliResult::from(child.wait_with_output().unwrap()).assert_code(0);
    }
    let saved = env.cache();
    let names: Vec<_> = saved["profiles"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(names, profiles);
}
