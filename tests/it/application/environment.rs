//! An application in environment variables needs no `connect`.

use std::collections::BTreeMap;

use serde_json::json;

use super::*;
use crate::support::fixtures::{HOME_TOKEN, LIST_NOTE, LIST_PRODUCTS};
use crate::support::snapshot::{Transcript, stderr_only};
use crate::tenant::{ADMIN, CHANGE_PERMISSION, CUSTOMER_DOMAIN, CUSTOMER_TENANT, HOME_DOMAIN, SCOPE, header_of};

#[test]
fn client_secret_in_environment_needs_no_connect() {
    let env = TestEnv::new();
    let result = list_with(&env, &[WITH_SECRET]).assert_code(0);
    assert_eq!(result.stderr, LIST_NOTE);
    assert!(result.stdout.contains("Power BI"));
    assert_eq!(env.request_lines(), [HOME_TOKEN, LIST_PRODUCTS]);
    let form =
        [("grant_type", "client_credentials"), ("client_id", APP_ID), ("client_secret", APP_SECRET), ("scope", SCOPE)];
    let form: BTreeMap<_, _> = form.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    assert_eq!(env.token_requests(), [(HOME_TENANT.to_owned(), form)]);
    assert!(env.tenant.requests()[0].header("authorization").is_none(), "the secret is in the form only");
    assert!(!env.state_dir().exists(), "nothing is saved");
}

#[test]
fn certificate_in_environment_needs_no_connect() {
    let env = TestEnv::new();
    let certificate = registered(&env);
    let result = list_by_certificate(&env, &env.write("app.pem", both(&certificate))).assert_code(0);
    assert_eq!(result.stderr, LIST_NOTE);
    assert_eq!(env.request_lines(), [HOME_TOKEN, LIST_PRODUCTS]);
    assert!(!env.state_dir().exists(), "nothing is saved");
}

/// From a file of variables, or in quotes: no shell has expanded it.
#[test]
fn tilde_in_credential_file_is_home_directory() {
    let env = TestEnv::new();
    env.write("app.pem", both(&registered(&env)));
    trust_the_issuer(&env);
    env.write("token", issued());
    for credential in [(CERTIFICATE, "~/app.pem"), (FEDERATED, "~/token")] {
        list_with(&env, &[credential]).assert_code(0);
    }
    for name in [CERTIFICATE, FEDERATED] {
        let message = format!("error: {name}: '~ada/file': only ~/ is expanded");
        list_with(&env, &[(name, "~ada/file")]).assert_code(2).stderr_contains(&[&message]);
    }
}

#[test]
fn client_assertion_has_required_claims() {
    let env = TestEnv::new();
    let certificate = registered(&env);
    let file = env.write("app.pem", both(&certificate));
    for _ in 0..2 {
        list_by_certificate(&env, &file).assert_code(0);
    }
    let assertions = env.tenant.assertions();
    let mut ids = Vec::new();
    for assertion in &assertions {
        let header = header_of(assertion).unwrap();
        assert_eq!(header.as_object().unwrap().keys().collect::<Vec<_>>(), ["alg", "typ", "x5t#S256"]);
        assert_eq!((&header["alg"], &header["typ"]), (&json!("PS256"), &json!("JWT")));
        let claims = claims_of(assertion).unwrap();
        let endpoint = format!("{}/{HOME_TENANT}/oauth2/v2.0/token", env.tenant.url());
        assert_eq!(claims["aud"], endpoint);
        assert_eq!((&claims["iss"], &claims["sub"]), (&json!(APP_ID), &json!(APP_ID)));
        let (from, until) = (claims["nbf"].as_i64().unwrap(), claims["exp"].as_i64().unwrap());
        assert_eq!(until - from, 600);
        ids.push(claims["jti"].as_str().unwrap().to_owned());
    }
    assert_eq!(ids.len(), 2);
    assert_ne!(ids[0], ids[1], "each request has its own assertion");
    for (_, form) in env.token_requests() {
        assert_eq!(form["client_assertion_type"], "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
        assert!(!form.contains_key("client_secret"));
    }
}

#[test]
fn federated_token_in_environment_needs_no_connect() {
    let env = TestEnv::new();
    trust_the_issuer(&env);
    let token = issued();
    let file = env.write("token", format!("{token}\n"));
    let result = list_with(&env, &[(FEDERATED, &file)]).assert_code(0);
    assert_eq!(result.stderr, LIST_NOTE);
    assert_eq!(env.request_lines(), [HOME_TOKEN, LIST_PRODUCTS]);
    assert_eq!(env.tenant.assertions(), [token]);
    assert!(!env.state_dir().exists(), "nothing is saved");
}

#[test]
fn github_job_needs_no_connect() {
    let env = TestEnv::new();
    trust_github(&env);
    let result = run(&env, &on_github(&env), &["products", "list"]).assert_code(0);
    assert_eq!(result.stderr, LIST_NOTE);
    assert_eq!(env.request_lines(), [GITHUB, HOME_TOKEN, LIST_PRODUCTS]);
    assert!(!env.state_dir().exists(), "nothing is saved");
}

#[test]
fn tenant_flag_overrides_azure_tenant_id() {
    let env = TestEnv::new();
    for (variables, flags, sent_to) in [
        (&APP[..], &["--tenant", CUSTOMER_TENANT][..], CUSTOMER_TENANT),
        (&APP[..], &["--tenant", CUSTOMER_DOMAIN], CUSTOMER_DOMAIN),
        (&[APP[0], ("AZURE_TENANT_ID", HOME_DOMAIN)], &[], HOME_DOMAIN),
        (&[APP[0], ("AZURE_TENANT_ID", "not a tenant")], &["--tenant", CUSTOMER_TENANT], CUSTOMER_TENANT),
    ] {
        env.tenant.forget_requests();
        let variables = [variables, &[WITH_SECRET]].concat();
        env.run_with_env(&variables, &[&["products", "list"], flags].concat()).assert_code(0);
        assert_eq!(env.token_requests()[0].0, sent_to);
        assert_eq!(env.request_lines().len(), 2);
    }
}

#[test]
fn client_assertion_audience_uses_named_tenant() {
    let env = TestEnv::new();
    let file = env.write("app.pem", both(&registered(&env)));
    let variables = app_with(&[(CERTIFICATE, &file)]);
    run(&env, &variables, &["products", "list", "--tenant", CUSTOMER_DOMAIN]).assert_code(0);
    let claims = claims_of(&env.tenant.assertions()[0]).unwrap();
    assert_eq!(claims["aud"], format!("{}/{CUSTOMER_DOMAIN}/oauth2/v2.0/token", env.tenant.url()));
}

#[test]
fn invalid_azure_tenant_id_sends_no_request() {
    let env = TestEnv::new();
    let mut transcript = Transcript::default();
    for tenant in ["contoso", "organizations", "common", "not a tenant"] {
        let variables = [APP[0], ("AZURE_TENANT_ID", tenant), WITH_SECRET];
        for command in [&["products", "list"][..], &["status"]] {
            transcript.push(format!("{tenant}: {}", command.join(" ")), env.run_with_env(&variables, command));
        }
    }
    cli_snapshot!(transcript, @"
    ===== contoso: products list =====
    ===== contoso: status =====
    exit_code: 2
    ----- stderr -----
    error: AZURE_TENANT_ID: 'contoso' is not a tenant: use its ID (a GUID) or one of its domains, such as contoso.onmicrosoft.com
    ===== organizations: products list =====
    ===== organizations: status =====
    exit_code: 2
    ----- stderr -----
    error: AZURE_TENANT_ID: 'organizations' is not a tenant: use its ID (a GUID) or one of its domains, such as contoso.onmicrosoft.com
    ===== common: products list =====
    ===== common: status =====
    exit_code: 2
    ----- stderr -----
    error: AZURE_TENANT_ID: 'common' is not a tenant: use its ID (a GUID) or one of its domains, such as contoso.onmicrosoft.com
    ===== not a tenant: products list =====
    ===== not a tenant: status =====
    exit_code: 2
    ----- stderr -----
    error: AZURE_TENANT_ID: 'not a tenant' is not a tenant: use its ID (a GUID) or one of its domains, such as contoso.onmicrosoft.com
    ");
    assert!(env.request_lines().is_empty());
}

#[test]
fn status_shows_environment_application_offline() {
    let env = TestEnv::new();
    let github = env.tenant.github_oidc();
    for credential in [
        [WITH_SECRET].to_vec(),
        [(CERTIFICATE, "/nowhere/app.pem")].to_vec(),
        [(FEDERATED, "/nowhere/token")].to_vec(),
        github.iter().map(|(name, value)| (*name, value.as_str())).collect(),
    ] {
        let result = run(&env, &app_with(&credential), &["status", "-o", "json"]).assert_code(0);
        let expected = json!({
            "profile": null,
            "account": APP_ID,
            "tenantId": HOME_TENANT,
            "method": "application",
            "source": "environment",
            "clientId": APP_ID,
            "roles": [],
            "expiresAt": null,
        });
        assert_eq!(result.stderr_contains(&["environment"]).json(), expected);
    }
    let status = run(&env, &app_with(&[WITH_SECRET]), &["status", "-o", "json", "--tenant", HOME_DOMAIN]);
    assert_eq!(status.assert_code(0).json()["tenantId"], HOME_DOMAIN, "the ID is unknown without a request");
    assert!(env.request_lines().is_empty());
    assert!(!env.state_dir().exists());
}

#[test]
fn history_records_application_as_account() {
    let env = TestEnv::new();
    let variables = app_with(&[WITH_SECRET]);
    let change = ["product", "update", "CFQ7TTC0H9MP", "--value", "disabled"];
    run(&env, &variables, &change).assert_code(0);
    assert_eq!(env.tenant.value("CFQ7TTC0H9MP"), "Disabled");
    let history = env.run(&["history", "-o", "json"]).assert_code(0).json();
    assert_eq!(history[0]["account"], APP_ID);
    assert_eq!(history[0]["tenantId"], HOME_TENANT);
    env.tenant.forget_requests();
    run(&env, &variables, &["undo", "--yes"]).assert_code(0);
    assert_eq!(env.tenant.value("CFQ7TTC0H9MP"), "Enabled");
}

#[test]
fn verbose_run_names_application_and_credential() {
    let env = TestEnv::new();
    trust_the_issuer(&env);
    trust_github(&env);
    let pem = env.write("app.pem", both(&registered(&env)));
    let token = env.write("token", issued());
    let mut transcript = Transcript::default();
    for (name, variables) in [
        ("secret", app_with(&[WITH_SECRET])),
        ("certificate", app_with(&[(CERTIFICATE, &pem)])),
        ("federated token", app_with(&[(FEDERATED, &token)])),
        ("GitHub", on_github(&env)),
    ] {
        transcript.push(name, stderr_only(&run(&env, &variables, &["products", "list", "-v"])));
    }
    cli_snapshot!(transcript, @"
    ===== secret =====
    exit_code: 0
    ----- stderr -----
    signing in as application c0000000-0000-4000-8000-000000000001 with a client secret to tenant 11111111-1111-4111-8111-111111111111
    POST http://127.0.0.1:[PORT]/11111111-1111-4111-8111-111111111111/oauth2/v2.0/token -> 200 OK ([DURATION])
    GET http://127.0.0.1:[PORT]/v1.0/policies/AllowSelfServicePurchase/products?scope=product -> 200 OK ([DURATION], tenant 11111111-1111-4111-8111-111111111111, correlation ID [UUID])
    17 products: 10 enabled, 5 disabled, 2 trials only
    ===== certificate =====
    exit_code: 0
    ----- stderr -----
    signing in as application c0000000-0000-4000-8000-000000000001 with a certificate to tenant 11111111-1111-4111-8111-111111111111
    POST http://127.0.0.1:[PORT]/11111111-1111-4111-8111-111111111111/oauth2/v2.0/token -> 200 OK ([DURATION])
    GET http://127.0.0.1:[PORT]/v1.0/policies/AllowSelfServicePurchase/products?scope=product -> 200 OK ([DURATION], tenant 11111111-1111-4111-8111-111111111111, correlation ID [UUID])
    17 products: 10 enabled, 5 disabled, 2 trials only
    ===== federated token =====
    exit_code: 0
    ----- stderr -----
    signing in as application c0000000-0000-4000-8000-000000000001 with a federated token to tenant 11111111-1111-4111-8111-111111111111
    POST http://127.0.0.1:[PORT]/11111111-1111-4111-8111-111111111111/oauth2/v2.0/token -> 200 OK ([DURATION])
    GET http://127.0.0.1:[PORT]/v1.0/policies/AllowSelfServicePurchase/products?scope=product -> 200 OK ([DURATION], tenant 11111111-1111-4111-8111-111111111111, correlation ID [UUID])
    17 products: 10 enabled, 5 disabled, 2 trials only
    ===== GitHub =====
    exit_code: 0
    ----- stderr -----
    signing in as application c0000000-0000-4000-8000-000000000001 with a federated token to tenant 11111111-1111-4111-8111-111111111111
    GET http://127.0.0.1:[PORT]/github/oidc/token?api-version=2.0&audience=api%3A%2F%2FAzureADTokenExchange -> 200 OK ([DURATION])
    POST http://127.0.0.1:[PORT]/11111111-1111-4111-8111-111111111111/oauth2/v2.0/token -> 200 OK ([DURATION])
    GET http://127.0.0.1:[PORT]/v1.0/policies/AllowSelfServicePurchase/products?scope=product -> 200 OK ([DURATION], tenant 11111111-1111-4111-8111-111111111111, correlation ID [UUID])
    17 products: 10 enabled, 5 disabled, 2 trials only
    ");
}

#[test]
fn quoted_variable_error_names_variable() {
    let env = TestEnv::new();
    let mut transcript = Transcript::default();
    let application =
        [("AZURE_CLIENT_ID", APP_ID), ("AZURE_TENANT_ID", HOME_TENANT), ("AZURE_CLIENT_SECRET", APP_SECRET)];
    for (variable, value) in application {
        for quote in ['"', '\''] {
            let quoted = format!("{quote}{value}{quote}");
            let variables: Vec<(&str, &str)> = application
                .into_iter()
                .filter(|(name, _)| *name != variable)
                .chain([(variable, quoted.as_str())])
                .collect();
            let result = env.run_with_env(&variables, &["products", "list"]).stdout_is_empty();
            transcript.push(format!("{variable} in {quote}"), result.stderr_lacks(APP_SECRET));
            let mut command = env.command(&["connect", "--application"]);
            let result = CliResult::from(command.envs(variables).output().unwrap()).assert_code(2);
            result.stderr_contains(&[&format!("the value of {variable} begins and ends with a quotation mark")]);
        }
    }
    let path = [("AZURE_CLIENT_ID", APP_ID), ("AZURE_TENANT_ID", HOME_TENANT)];
    for variable in ["AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_FEDERATED_TOKEN_FILE"] {
        let variables = [&path[..], &[(variable, "\"/a/b.pem\"")]].concat();
        transcript.push(variable, env.run_with_env(&variables, &["products", "list"]));
    }
    for variable in ["MSCOMMERCE_CLIENT_ID", "MSCOMMERCE_SCOPE", "MSCOMMERCE_HOME"] {
        transcript.push(variable, env.run_with_env(&[(variable, "'x'")], &["status"]));
    }
    cli_snapshot!(transcript, @r#"
    ===== AZURE_CLIENT_ID in " =====
    ===== AZURE_CLIENT_ID in ' =====
    exit_code: 2
    ----- stderr -----
    error: the value of AZURE_CLIENT_ID begins and ends with a quotation mark
    hint: set AZURE_CLIENT_ID without quotation marks; Docker env files do not support them
    ===== AZURE_TENANT_ID in " =====
    ===== AZURE_TENANT_ID in ' =====
    exit_code: 2
    ----- stderr -----
    error: the value of AZURE_TENANT_ID begins and ends with a quotation mark
    hint: set AZURE_TENANT_ID without quotation marks; Docker env files do not support them
    ===== AZURE_CLIENT_SECRET in " =====
    ===== AZURE_CLIENT_SECRET in ' =====
    exit_code: 2
    ----- stderr -----
    error: the value of AZURE_CLIENT_SECRET begins and ends with a quotation mark
    hint: set AZURE_CLIENT_SECRET without quotation marks; Docker env files do not support them
    ===== AZURE_CLIENT_CERTIFICATE_PATH =====
    exit_code: 2
    ----- stderr -----
    error: the value of AZURE_CLIENT_CERTIFICATE_PATH begins and ends with a quotation mark
    hint: set AZURE_CLIENT_CERTIFICATE_PATH without quotation marks; Docker env files do not support them
    ===== AZURE_FEDERATED_TOKEN_FILE =====
    exit_code: 2
    ----- stderr -----
    error: the value of AZURE_FEDERATED_TOKEN_FILE begins and ends with a quotation mark
    hint: set AZURE_FEDERATED_TOKEN_FILE without quotation marks; Docker env files do not support them
    ===== MSCOMMERCE_CLIENT_ID =====
    exit_code: 2
    ----- stderr -----
    error: the value of MSCOMMERCE_CLIENT_ID begins and ends with a quotation mark
    hint: set MSCOMMERCE_CLIENT_ID without quotation marks; Docker env files do not support them
    ===== MSCOMMERCE_SCOPE =====
    exit_code: 2
    ----- stderr -----
    error: the value of MSCOMMERCE_SCOPE begins and ends with a quotation mark
    hint: set MSCOMMERCE_SCOPE without quotation marks; Docker env files do not support them
    ===== MSCOMMERCE_HOME =====
    exit_code: 2
    ----- stderr -----
    error: the value of MSCOMMERCE_HOME begins and ends with a quotation mark
    hint: set MSCOMMERCE_HOME without quotation marks; Docker env files do not support them
    "#);
    assert!(env.request_lines().is_empty());
}

#[test]
fn white_space_and_byte_order_mark_around_variables_are_ignored() {
    let env = TestEnv::new();
    env.tenant.grant_app(&[CHANGE_PERMISSION]);
    let around = |value: &str| format!("\u{feff} {value}\r\n");
    let (id, tenant, secret) = (around(APP_ID), around(HOME_TENANT), around(APP_SECRET));
    let variables = [
        ("AZURE_CLIENT_ID", id.as_str()),
        ("AZURE_TENANT_ID", &tenant),
        ("AZURE_CLIENT_SECRET", &secret),
        ("MSCOMMERCE_OUTPUT", "\u{feff}json\r\n"),
        ("MSCOMMERCE_PROFILE", "\u{feff} \n"),
    ];
    assert_eq!(env.run_with_env(&variables, &["products", "list"]).assert_code(0).records().len(), 17);
    let home = around(env.state_dir().to_str().unwrap());
    env.sign_in(ADMIN);
    env.run_with_env(&[("MSCOMMERCE_HOME", &home)], &["status"]).assert_code(0);
}
