//! `status`, which works offline.

use serde_json::{Value, json};

use crate::support::cli::CliResult;
use crate::support::env::TestEnv;
use crate::support::snapshot::Transcript;
use crate::tenant::{
    ADMIN, CLIENT_ID, CUSTOMER_DOMAIN, CUSTOMER_TENANT, HOME_TENANT, PASSWORD, READER, RESOURCE, claims_of, jwt,
};

const FIELDS: [&str; 8] = ["profile", "account", "tenantId", "method", "source", "clientId", "roles", "expiresAt"];

/// The field names of a JSON object in output order.
fn field_names(result: &CliResult) -> Vec<String> {
    let lines = result.stdout.lines().filter_map(|line| line.strip_prefix("  \""));
    lines.filter_map(|line| Some(line.split_once("\":")?.0.to_owned())).collect()
}

#[test]
fn status_shows_all_fields() {
    let env = TestEnv::signed_in();
    let result = env.run(&["status", "-o", "json"]).assert_code(0);
    assert_eq!(result.stderr, "");
    assert_eq!(field_names(&result), FIELDS);
    let ends = env.cache()["profiles"]["default"]["tenants"][HOME_TENANT]["expiresAt"].clone();
    let mut status = result.json();
    let shown = status["expiresAt"].take();
    // Whole seconds in UTC.
    assert_eq!(shown.as_str().unwrap(), format!("{}Z", &ends.as_str().unwrap()[..19]));
    assert_eq!(
        status,
        json!({
            "profile": "default",
            "account": ADMIN,
            "tenantId": HOME_TENANT,
            "method": "password",
            "source": "saved-sign-in",
            "clientId": CLIENT_ID,
            "roles": [],
            "expiresAt": null,
        })
    );
    assert!(env.request_lines().is_empty(), "works offline");
}

#[test]
fn status_names_sign_in_method() {
    let env = TestEnv::new();
    let token = env.tenant.issue_token(ADMIN, HOME_TENANT, 3600);
    for (flags, input, method) in [
        (&["--device-code"][..], "", "device-code"),
        (&["--username", ADMIN, "--password-stdin"], PASSWORD, "password"),
        (&["--with-token"], &token, "token"),
    ] {
        env.run_with_stdin(&[&["connect"], flags].concat(), input).assert_code(0);
        let status = env.run(&["status", "-o", "json"]).assert_code(0).json();
        assert_eq!(status["method"], method);
        assert_eq!(status["clientId"], CLIENT_ID);
    }
}

#[test]
fn status_not_signed_in_prints_no_data() {
    let env = TestEnv::new();
    let mut transcript = Transcript::default();
    for format in ["table", "json", "csv", "tsv", "markdown"] {
        transcript.push(format, env.run(&["status", "-o", format]));
    }
    cli_snapshot!(transcript, @"
    ===== table =====
    ===== json =====
    ===== csv =====
    ===== tsv =====
    ===== markdown =====
    exit_code: 4
    ----- stderr -----
    error: not signed in
    hint: mscommerce connect
    ");
    assert!(env.request_lines().is_empty());
    assert!(!env.state_dir().exists(), "reading creates no files");
}

#[test]
fn status_expired_token_is_still_signed_in() {
    let env = TestEnv::signed_in();
    env.edit_cache(|saved| {
        saved["profiles"]["default"]["tenants"][HOME_TENANT]["expiresAt"] = "2020-01-01T00:00:00Z".into();
    });
    let result = cli_snapshot!(env.run(&["status", "-o", "json"]), @r#"
    exit_code: 0
    ----- stdout -----
    {
      "profile": "default",
      "account": "admin@contoso.example",
      "tenantId": "11111111-1111-4111-8111-111111111111",
      "method": "password",
      "source": "saved-sign-in",
      "clientId": "3d5cffa9-04da-4657-8cab-c7f074657cad",
      "roles": [],
      "expiresAt": "2020-01-01T00:00:00Z"
    }
    ----- stderr -----
    The access token has expired. The next command refreshes it.
    "#);
    assert_eq!(result.json()["expiresAt"], "2020-01-01T00:00:00Z");
    assert!(env.request_lines().is_empty());
    env.run(&["products", "list"]).assert_code(0);
    assert_eq!(env.token_requests().len(), 1);
}

#[test]
fn status_unused_tenant_has_no_token() {
    let env = TestEnv::signed_in();
    let mut transcript = Transcript::default();
    for tenant in [CUSTOMER_TENANT, CUSTOMER_DOMAIN] {
        let result = env.run(&["status", "-o", "json", "--tenant", tenant]).assert_code(0);
        assert_eq!(field_names(&result), FIELDS);
        let status = transcript.push(tenant, result).json();
        assert_eq!(status["account"], ADMIN);
        assert_eq!(status["expiresAt"], Value::Null);
    }
    cli_snapshot!(transcript, @r#"
    ===== 22222222-2222-4222-8222-222222222222 =====
    exit_code: 0
    ----- stdout -----
    {
      "profile": "default",
      "account": "admin@contoso.example",
      "tenantId": "22222222-2222-4222-8222-222222222222",
      "method": "password",
      "source": "saved-sign-in",
      "clientId": "3d5cffa9-04da-4657-8cab-c7f074657cad",
      "roles": [],
      "expiresAt": null
    }
    ----- stderr -----
    There is no access token for 22222222-2222-4222-8222-222222222222 yet. The next command requests one.
    ===== fabrikam.example =====
    exit_code: 0
    ----- stdout -----
    {
      "profile": "default",
      "account": "admin@contoso.example",
      "tenantId": "fabrikam.example",
      "method": "password",
      "source": "saved-sign-in",
      "clientId": "3d5cffa9-04da-4657-8cab-c7f074657cad",
      "roles": [],
      "expiresAt": null
    }
    ----- stderr -----
    There is no access token for fabrikam.example yet. The next command requests one.
    "#);
    assert!(env.request_lines().is_empty());

    env.run(&["products", "list", "--tenant", CUSTOMER_DOMAIN]).assert_code(0);
    env.tenant.forget_requests();
    for tenant in [CUSTOMER_TENANT, CUSTOMER_DOMAIN] {
        let status = env.run(&["status", "-o", "json", "--tenant", tenant]).assert_code(0).json();
        assert_eq!(status["tenantId"], CUSTOMER_TENANT);
        assert!(status["expiresAt"].is_string());
    }
    let status = env.run(&["status", "-o", "json"]).assert_code(0).json();
    assert_eq!(status["tenantId"], HOME_TENANT, "using another tenant does not change the home tenant");
    assert!(env.request_lines().is_empty());
}

#[test]
fn status_source_is_environment_for_token_variable() {
    let env = TestEnv::signed_in();
    let token = env.tenant.issue_token(ADMIN, CUSTOMER_TENANT, 3600);
    let result = env.run_with_env(&[("MSCOMMERCE_TOKEN", &token)], &["status", "-o", "json"]);
    let result = cli_snapshot!(result, @r#"
    exit_code: 0
    ----- stdout -----
    {
      "profile": null,
      "account": "admin@contoso.example",
      "tenantId": "22222222-2222-4222-8222-222222222222",
      "method": "token",
      "source": "environment",
      "clientId": "3d5cffa9-04da-4657-8cab-c7f074657cad",
      "roles": [],
      "expiresAt": "[TIME]"
    }
    ----- stderr -----
    The token in MSCOMMERCE_TOKEN takes precedence over saved sign-ins.
    "#);
    assert_eq!(field_names(&result), FIELDS);
    let status = result.json();
    assert_eq!(status["source"], "environment");
    assert_eq!(status["method"], "token");
    assert_eq!(status["account"], ADMIN);
    assert_eq!(status["tenantId"], CUSTOMER_TENANT);
    assert_eq!(status["clientId"], CLIENT_ID);
    let expires = claims_of(&token).unwrap()["exp"].as_i64().unwrap();
    let expires = chrono::DateTime::from_timestamp(expires, 0).unwrap();
    assert_eq!(status["expiresAt"], expires.to_rfc3339_opts(chrono::SecondsFormat::Secs, true));
    assert!(!result.stdout.contains(&token));
    assert!(env.request_lines().is_empty());
}

#[test]
fn status_application_token_lists_roles() {
    let env = TestEnv::new();
    let roles = ["Policy.Read.AllowSelfServicePurchase", "Policy.ReadWrite.AllowSelfServicePurchase"];
    let in_an_hour = chrono::Utc::now().timestamp() + 3600;
    let token =
        jwt(&json!({"aud": RESOURCE, "tid": HOME_TENANT, "appid": "an-app", "roles": roles, "exp": in_an_hour}));
    cli_snapshot!(env.run_with_stdin(&["connect", "--with-token"], &token), @"
    exit_code: 0
    ----- stderr -----
    Signed in as an-app to tenant 11111111-1111-4111-8111-111111111111.
    ");
    for variables in [&[][..], &[("MSCOMMERCE_TOKEN", token.as_str())]] {
        let status = env.run_with_env(variables, &["status", "-o", "json"]).assert_code(0).json();
        assert_eq!(status["account"], "an-app");
        assert_eq!(status["clientId"], "an-app");
        assert_eq!(status["roles"], json!(roles));
    }
}

#[test]
fn status_other_formats_have_same_fields() {
    let env = TestEnv::signed_in();
    for (format, separator) in [("csv", ","), ("tsv", "\t")] {
        let result = env.run(&["status", "-o", format]).assert_code(0);
        let lines: Vec<_> = result.stdout.lines().collect();
        assert_eq!(lines.len(), 2, "{}", result.stdout);
        assert_eq!(lines[0], FIELDS.join(separator));
        assert!(lines[1].starts_with(&["default", ADMIN, HOME_TENANT, "password", "saved-sign-in"].join(separator)));
    }
    for format in ["table", "markdown"] {
        let result = env.run(&["status", "-o", format]).assert_code(0);
        for part in ["default", ADMIN, HOME_TENANT, "password", "saved-sign-in", CLIENT_ID] {
            assert!(result.stdout.contains(part), "{format} {part}\n{}", result.stdout);
        }
    }
}

#[test]
fn status_all_lists_profiles_offline() {
    let env = TestEnv::signed_in();
    let connect = ["connect", "--username", READER, "--password-stdin", "--profile", "lab"];
    env.run_with_stdin(&connect, PASSWORD).assert_code(0);
    env.run_with_stdin(
        &["connect", "--with-token", "--profile", "ci"],
        &env.tenant.issue_token(ADMIN, CUSTOMER_TENANT, 3600),
    )
    .assert_code(0);
    // An expired token without refresh token is listed, too.
    env.edit_cache(|saved| {
        saved["profiles"]["ci"]["tenants"][CUSTOMER_TENANT]["expiresAt"] = "2020-01-01T00:00:00Z".into();
        saved["profiles"]["lab"]["tenants"] = json!({});
    });
    env.tenant.forget_requests();
    let mut transcript = Transcript::default();
    transcript.push("json", env.run(&["status", "--all", "-o", "json"]));
    transcript.push("csv", env.run_with_env(&[("MSCOMMERCE_PROFILE", "lab")], &["status", "--all", "-o", "csv"]));
    let token = env.tenant.issue_token(ADMIN, HOME_TENANT, 3600);
    let with_token = env.run_with_env(&[("MSCOMMERCE_TOKEN", &token)], &["status", "--all", "--query", "[].profile"]);
    transcript.push("token", with_token);
    transcript.push("profile", env.run(&["status", "--all", "--profile", "lab"]));
    transcript.push("tenant", env.run(&["status", "--all", "--tenant", CUSTOMER_DOMAIN]));
    env.run(&["disconnect", "--all"]).assert_code(0);
    transcript.push("not signed in", env.run(&["status", "--all"]));
    cli_snapshot!(transcript, @r#"
    ===== json =====
    exit_code: 0
    ----- stdout -----
    [
      {
        "profile": "ci",
        "account": "admin@contoso.example",
        "tenantId": "22222222-2222-4222-8222-222222222222",
        "method": "token",
        "source": "saved-sign-in",
        "clientId": "3d5cffa9-04da-4657-8cab-c7f074657cad",
        "roles": [],
        "expiresAt": "2020-01-01T00:00:00Z"
      },
      {
        "profile": "default",
        "account": "admin@contoso.example",
        "tenantId": "11111111-1111-4111-8111-111111111111",
        "method": "password",
        "source": "saved-sign-in",
        "clientId": "3d5cffa9-04da-4657-8cab-c7f074657cad",
        "roles": [],
        "expiresAt": "[TIME]"
      },
      {
        "profile": "lab",
        "account": "reader@contoso.example",
        "tenantId": "11111111-1111-4111-8111-111111111111",
        "method": "password",
        "source": "saved-sign-in",
        "clientId": "3d5cffa9-04da-4657-8cab-c7f074657cad",
        "roles": [],
        "expiresAt": null
      }
    ]
    ===== csv =====
    exit_code: 0
    ----- stdout -----
    profile,account,tenantId,method,source,clientId,roles,expiresAt
    ci,admin@contoso.example,22222222-2222-4222-8222-222222222222,token,saved-sign-in,3d5cffa9-04da-4657-8cab-c7f074657cad,,2020-01-01T00:00:00Z
    default,admin@contoso.example,11111111-1111-4111-8111-111111111111,password,saved-sign-in,3d5cffa9-04da-4657-8cab-c7f074657cad,,[TIME]
    lab,reader@contoso.example,11111111-1111-4111-8111-111111111111,password,saved-sign-in,3d5cffa9-04da-4657-8cab-c7f074657cad,,
    ===== token =====
    exit_code: 0
    ----- stdout -----
    ci
    default
    lab
    ----- stderr -----
    The token in MSCOMMERCE_TOKEN takes precedence over saved sign-ins.
    ===== profile =====
    exit_code: 2
    ----- stderr -----
    error: the argument '--all' cannot be used with '--profile <NAME>'

    Usage: mscommerce status --all

    For more information, try '--help'.
    ===== tenant =====
    exit_code: 2
    ----- stderr -----
    error: the argument '--all' cannot be used with '--tenant <TENANT>'

    Usage: mscommerce status --all

    For more information, try '--help'.
    ===== not signed in =====
    exit_code: 4
    ----- stderr -----
    error: not signed in
    hint: mscommerce connect
    "#);
    assert!(env.request_lines().is_empty());
}
