//! The application of the environment serves without `connect`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::*;
use crate::tenant::{CUSTOMER_DOMAIN, CUSTOMER_TENANT, HOME_DOMAIN, SCOPE, header_of};

#[test]
fn a_secret_serves_without_connect() {
    let machine = Machine::new();
    let ran = list_with(&machine, &[WITH_SECRET]).expect_code(0);
    assert_eq!(ran.stderr, "");
    assert!(ran.stdout.contains("Power BI"));
    assert_eq!(machine.requests(), [TOKEN, LIST]);
    let form =
        [("grant_type", "client_credentials"), ("client_id", APP_ID), ("client_secret", APP_SECRET), ("scope", SCOPE)];
    let form: BTreeMap<_, _> = form.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    assert_eq!(machine.token_requests(), [(HOME_TENANT.to_owned(), form)]);
    assert!(machine.tenant.requests()[0].header("authorization").is_none(), "the secret is in the form alone");
    assert!(!machine.state().exists(), "nothing is saved");
}

#[test]
fn a_certificate_serves_without_connect() {
    let machine = Machine::new();
    let certificate = registered(&machine);
    let ran = list_by_certificate(&machine, &write(&machine, "app.pem", both(&certificate))).expect_code(0);
    assert_eq!(ran.stderr, "");
    assert_eq!(machine.requests(), [TOKEN, LIST]);
    assert!(!machine.state().exists(), "nothing is saved");
}

#[test]
fn what_a_certificate_signs_is_what_entra_asks_for() {
    let machine = Machine::new();
    let certificate = registered(&machine);
    let file = write(&machine, "app.pem", both(&certificate));
    for _ in 0..2 {
        list_by_certificate(&machine, &file).expect_code(0);
    }
    let assertions = machine.tenant.assertions();
    let mut ids = Vec::new();
    for assertion in &assertions {
        let header = header_of(assertion).unwrap();
        assert_eq!(header.as_object().unwrap().keys().collect::<Vec<_>>(), ["alg", "typ", "x5t#S256"]);
        assert_eq!((&header["alg"], &header["typ"]), (&json!("PS256"), &json!("JWT")));
        let claims = claims_of(assertion).unwrap();
        let endpoint = format!("{}/{HOME_TENANT}/oauth2/v2.0/token", machine.tenant.url());
        assert_eq!(claims["aud"], endpoint);
        assert_eq!((&claims["iss"], &claims["sub"]), (&json!(APP_ID), &json!(APP_ID)));
        let (from, until) = (claims["nbf"].as_i64().unwrap(), claims["exp"].as_i64().unwrap());
        assert_eq!(until - from, 600);
        ids.push(claims["jti"].as_str().unwrap().to_owned());
    }
    assert_eq!(ids.len(), 2);
    assert_ne!(ids[0], ids[1], "each is made for one request");
    for (_, form) in machine.token_requests() {
        assert_eq!(form["client_assertion_type"], "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
        assert!(!form.contains_key("client_secret"));
    }
}

#[test]
fn a_federated_token_serves_without_connect() {
    let machine = Machine::new();
    trust_the_issuer(&machine);
    let token = issued();
    let file = write(&machine, "token", format!("{token}\n"));
    let ran = list_with(&machine, &[(FEDERATED, &file)]).expect_code(0);
    assert_eq!(ran.stderr, "");
    assert_eq!(machine.requests(), [TOKEN, LIST]);
    assert_eq!(machine.tenant.assertions(), [token]);
    assert!(!machine.state().exists(), "nothing is saved");
}

#[test]
fn a_job_on_github_serves_without_connect() {
    let machine = Machine::new();
    trust_github(&machine);
    let ran = run(&machine, &on_github(&machine), &["products", "list"]).expect_code(0);
    assert_eq!(ran.stderr, "");
    assert_eq!(machine.requests(), [GITHUB, TOKEN, LIST]);
    assert!(!machine.state().exists(), "nothing is saved");
}

#[test]
fn the_flag_names_the_tenant_before_the_variable_does() {
    let machine = Machine::new();
    for (variables, flags, sent_to) in [
        (&APP[..], &["--tenant", CUSTOMER_TENANT][..], CUSTOMER_TENANT),
        (&APP[..], &["--tenant", CUSTOMER_DOMAIN], CUSTOMER_DOMAIN),
        (&[APP[0], ("AZURE_TENANT_ID", HOME_DOMAIN)], &[], HOME_DOMAIN),
        (&[APP[0], ("AZURE_TENANT_ID", "no tenant at all")], &["--tenant", CUSTOMER_TENANT], CUSTOMER_TENANT),
    ] {
        machine.tenant.forget_requests();
        let variables = [variables, &[WITH_SECRET]].concat();
        machine.run_with(&variables, &[&["products", "list"], flags].concat()).expect_code(0);
        assert_eq!(machine.token_requests()[0].0, sent_to);
        assert_eq!(machine.requests().len(), 2);
    }
}

#[test]
fn an_assertion_is_for_the_address_of_the_tenant_as_it_was_named() {
    let machine = Machine::new();
    let file = write(&machine, "app.pem", both(&registered(&machine)));
    let variables = app_with(&[(CERTIFICATE, &file)]);
    run(&machine, &variables, &["products", "list", "--tenant", CUSTOMER_DOMAIN]).expect_code(0);
    let claims = claims_of(&machine.tenant.assertions()[0]).unwrap();
    assert_eq!(claims["aud"], format!("{}/{CUSTOMER_DOMAIN}/oauth2/v2.0/token", machine.tenant.url()));
}

#[test]
fn a_tenant_that_is_none_is_said_before_anything_is_sent() {
    let machine = Machine::new();
    for wrong in ["contoso", "organizations", "common", "no tenant at all"] {
        let variables = [APP[0], ("AZURE_TENANT_ID", wrong), WITH_SECRET];
        for command in [&["products", "list"][..], &["status"]] {
            let ran = machine.run_with(&variables, command).expect_no_data().expect_said(&["AZURE_TENANT_ID", wrong]);
            assert!([2, 4].contains(&ran.code), "{ran:?}");
        }
    }
    assert!(machine.requests().is_empty());
}

#[test]
fn status_shows_the_application_without_asking_anybody() {
    let machine = Machine::new();
    let github = machine.tenant.github_oidc();
    for proof in [
        [WITH_SECRET].to_vec(),
        [(CERTIFICATE, "/nowhere/app.pem")].to_vec(),
        [(FEDERATED, "/nowhere/token")].to_vec(),
        github.iter().map(|(name, value)| (*name, value.as_str())).collect(),
    ] {
        let ran = run(&machine, &app_with(&proof), &["status", "-o", "json"]).expect_code(0);
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
        assert_eq!(ran.expect_said(&["environment"]).json(), expected);
    }
    let status = run(&machine, &app_with(&[WITH_SECRET]), &["status", "-o", "json", "--tenant", HOME_DOMAIN]);
    assert_eq!(status.expect_code(0).json()["tenantId"], Value::Null, "a domain is no tenant's id");
    assert!(machine.requests().is_empty());
    assert!(!machine.state().exists());
}

#[test]
fn a_change_is_remembered_as_the_applications() {
    let machine = Machine::new();
    let variables = app_with(&[WITH_SECRET]);
    let change = ["product", "update", "CFQ7TTC0H9MP", "--value", "disabled"];
    run(&machine, &variables, &change).expect_code(0);
    assert_eq!(machine.tenant.value_of("CFQ7TTC0H9MP"), "Disabled");
    let history = machine.run(&["history", "-o", "json"]).expect_code(0).json();
    assert_eq!(history[0]["account"], APP_ID);
    assert_eq!(history[0]["tenantId"], HOME_TENANT);
    machine.tenant.forget_requests();
    run(&machine, &variables, &["undo", "--yes"]).expect_code(0);
    assert_eq!(machine.tenant.value_of("CFQ7TTC0H9MP"), "Enabled");
}

#[test]
fn a_verbose_run_tells_who_signs_in_and_how() {
    let machine = Machine::new();
    trust_the_issuer(&machine);
    trust_github(&machine);
    let pem = write(&machine, "app.pem", both(&registered(&machine)));
    let token = write(&machine, "token", issued());
    for (variables, how) in [
        (app_with(&[WITH_SECRET]), "secret"),
        (app_with(&[(CERTIFICATE, &pem)]), "certificate"),
        (app_with(&[(FEDERATED, &token)]), "federated token"),
        (on_github(&machine), "federated token"),
    ] {
        let ran = run(&machine, &variables, &["products", "list", "-v"]).expect_code(0);
        ran.expect_said(&[APP_ID, HOME_TENANT, how]);
    }
}
