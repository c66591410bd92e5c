//! The application of the environment serves without `connect`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::*;
use crate::support::fixtures::{HOME_TOKEN, LIST_PRODUCTS};
use crate::tenant::{CUSTOMER_DOMAIN, CUSTOMER_TENANT, HOME_DOMAIN, SCOPE, header_of};

#[test]
fn a_secret_serves_without_connect() {
    let env = TestEnv::new();
    let result = list_with(&env, &[WITH_SECRET]).assert_code(0);
    assert_eq!(result.stderr, "");
    assert!(result.stdout.contains("Power BI"));
    assert_eq!(env.request_lines(), [HOME_TOKEN, LIST_PRODUCTS]);
    let form =
        [("grant_type", "client_credentials"), ("client_id", APP_ID), ("client_secret", APP_SECRET), ("scope", SCOPE)];
    let form: BTreeMap<_, _> = form.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    assert_eq!(env.token_requests(), [(HOME_TENANT.to_owned(), form)]);
    assert!(env.tenant.requests()[0].header("authorization").is_none(), "the secret is in the form alone");
    assert!(!env.state_dir().exists(), "nothing is saved");
}

#[test]
fn a_certificate_serves_without_connect() {
    let env = TestEnv::new();
    let certificate = registered(&env);
    let result = list_by_certificate(&env, &env.write("app.pem", both(&certificate))).assert_code(0);
    assert_eq!(result.stderr, "");
    assert_eq!(env.request_lines(), [HOME_TOKEN, LIST_PRODUCTS]);
    assert!(!env.state_dir().exists(), "nothing is saved");
}

#[test]
fn what_a_certificate_signs_is_what_entra_asks_for() {
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
    assert_ne!(ids[0], ids[1], "each is made for one request");
    for (_, form) in env.token_requests() {
        assert_eq!(form["client_assertion_type"], "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
        assert!(!form.contains_key("client_secret"));
    }
}

#[test]
fn a_federated_token_serves_without_connect() {
    let env = TestEnv::new();
    trust_the_issuer(&env);
    let token = issued();
    let file = env.write("token", format!("{token}\n"));
    let result = list_with(&env, &[(FEDERATED, &file)]).assert_code(0);
    assert_eq!(result.stderr, "");
    assert_eq!(env.request_lines(), [HOME_TOKEN, LIST_PRODUCTS]);
    assert_eq!(env.tenant.assertions(), [token]);
    assert!(!env.state_dir().exists(), "nothing is saved");
}

#[test]
fn a_job_on_github_serves_without_connect() {
    let env = TestEnv::new();
    trust_github(&env);
    let result = run(&env, &on_github(&env), &["products", "list"]).assert_code(0);
    assert_eq!(result.stderr, "");
    assert_eq!(env.request_lines(), [GITHUB, HOME_TOKEN, LIST_PRODUCTS]);
    assert!(!env.state_dir().exists(), "nothing is saved");
}

#[test]
fn the_flag_names_the_tenant_before_the_variable_does() {
    let env = TestEnv::new();
    for (variables, flags, sent_to) in [
        (&APP[..], &["--tenant", CUSTOMER_TENANT][..], CUSTOMER_TENANT),
        (&APP[..], &["--tenant", CUSTOMER_DOMAIN], CUSTOMER_DOMAIN),
        (&[APP[0], ("AZURE_TENANT_ID", HOME_DOMAIN)], &[], HOME_DOMAIN),
        (&[APP[0], ("AZURE_TENANT_ID", "no tenant at all")], &["--tenant", CUSTOMER_TENANT], CUSTOMER_TENANT),
    ] {
        env.tenant.forget_requests();
        let variables = [variables, &[WITH_SECRET]].concat();
        env.run_with_env(&variables, &[&["products", "list"], flags].concat()).assert_code(0);
        assert_eq!(env.token_requests()[0].0, sent_to);
        assert_eq!(env.request_lines().len(), 2);
    }
}

#[test]
fn an_assertion_is_for_the_address_of_the_tenant_as_it_was_named() {
    let env = TestEnv::new();
    let file = env.write("app.pem", both(&registered(&env)));
    let variables = app_with(&[(CERTIFICATE, &file)]);
    run(&env, &variables, &["products", "list", "--tenant", CUSTOMER_DOMAIN]).assert_code(0);
    let claims = claims_of(&env.tenant.assertions()[0]).unwrap();
    assert_eq!(claims["aud"], format!("{}/{CUSTOMER_DOMAIN}/oauth2/v2.0/token", env.tenant.url()));
}

#[test]
fn a_tenant_that_is_none_is_said_before_anything_is_sent() {
    let env = TestEnv::new();
    for wrong in ["contoso", "organizations", "common", "no tenant at all"] {
        let variables = [APP[0], ("AZURE_TENANT_ID", wrong), WITH_SECRET];
        for command in [&["products", "list"][..], &["status"]] {
            let result =
                env.run_with_env(&variables, command).stdout_is_empty().stderr_contains(&["AZURE_TENANT_ID", wrong]);
            assert!([2, 4].contains(&result.code), "{result:?}");
        }
    }
    assert!(env.request_lines().is_empty());
}

#[test]
fn status_shows_the_application_without_asking_anybody() {
    let env = TestEnv::new();
    let github = env.tenant.github_oidc();
    for proof in [
        [WITH_SECRET].to_vec(),
        [(CERTIFICATE, "/nowhere/app.pem")].to_vec(),
        [(FEDERATED, "/nowhere/token")].to_vec(),
        github.iter().map(|(name, value)| (*name, value.as_str())).collect(),
    ] {
        let result = run(&env, &app_with(&proof), &["status", "-o", "json"]).assert_code(0);
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
    assert_eq!(status.assert_code(0).json()["tenantId"], Value::Null, "a domain is no tenant's id");
    assert!(env.request_lines().is_empty());
    assert!(!env.state_dir().exists());
}

#[test]
fn a_change_is_remembered_as_the_applications() {
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
fn a_verbose_run_tells_who_signs_in_and_how() {
    let env = TestEnv::new();
    trust_the_issuer(&env);
    trust_github(&env);
    let pem = env.write("app.pem", both(&registered(&env)));
    let token = env.write("token", issued());
    for (variables, how) in [
        (app_with(&[WITH_SECRET]), "secret"),
        (app_with(&[(CERTIFICATE, &pem)]), "certificate"),
        (app_with(&[(FEDERATED, &token)]), "federated token"),
        (on_github(&env), "federated token"),
    ] {
        let result = run(&env, &variables, &["products", "list", "-v"]).assert_code(0);
        result.stderr_contains(&[APP_ID, HOME_TENANT, how]);
    }
}
