//! Using a saved sign-in: renewing it, taking it to other tenants, and what becomes of it when it is refused.

use std::fs::File;

use serde_json::json;

use crate::support::env::{Machine, Ran};
use crate::tenant::{
    ADMIN, Answer, CLIENT_ID, CUSTOMER_DOMAIN, CUSTOMER_TENANT, HOME_DOMAIN, HOME_TENANT, PASSWORD, SCOPE,
};

const LIST: &str = "GET /v1.0/policies/AllowSelfServicePurchase/products?scope=product";
const TOKEN: &str = "POST /11111111-1111-4111-8111-111111111111/oauth2/v2.0/token";

fn list(machine: &Machine, more: &[&str]) -> Ran {
    machine.run(&[&["products", "list"], more].concat())
}

fn refresh_token(machine: &Machine) -> String {
    machine.saved()["profiles"]["default"]["refreshToken"].as_str().unwrap().to_owned()
}

#[test]
fn a_fresh_token_is_used_as_it_is() {
    let machine = Machine::signed_in();
    let before = machine.saved();
    for _ in 0..2 {
        machine.tenant.forget_requests();
        let ran = list(&machine, &[]).expect_code(0);
        assert_eq!(ran.stderr, "");
        assert_eq!(machine.requests(), [LIST]);
    }
    let sent = machine.tenant.requests()[0].header("authorization").unwrap().to_owned();
    let token = &before["profiles"]["default"]["tenants"][HOME_TENANT]["accessToken"];
    assert_eq!(sent, format!("Bearer {}", token.as_str().unwrap()));
    assert_eq!(machine.saved(), before);
}

#[test]
fn a_token_within_five_minutes_of_its_end_is_renewed_silently() {
    let machine = Machine::about_to_renew();
    let first = refresh_token(&machine);
    let ran = list(&machine, &[]).expect_code(0);
    assert_eq!(ran.stderr, "", "silently");
    assert_eq!(machine.requests(), [TOKEN, LIST]);

    let (_, form) = &machine.token_requests()[0];
    let mut scopes: Vec<_> = form["scope"].split(' ').collect();
    scopes.sort_unstable();
    assert_eq!(scopes, [SCOPE, "offline_access", "openid", "profile"]);
    assert_eq!(form["grant_type"], "refresh_token");
    assert_eq!(form["client_id"], CLIENT_ID);
    assert_eq!(form["refresh_token"], first);
    let token = machine.saved()["profiles"]["default"]["tenants"][HOME_TENANT]["accessToken"].clone();
    let sent = machine.tenant.requests()[1].header("authorization").unwrap().to_owned();
    assert_eq!(sent, format!("Bearer {}", token.as_str().unwrap()), "the new token is saved and sent");

    machine.tenant.forget_requests();
    list(&machine, &[]).expect_code(0);
    assert_eq!(machine.requests(), [LIST]);
}

#[test]
fn a_token_with_more_than_five_minutes_left_is_not_renewed() {
    let machine = Machine::new();
    // Ten seconds more than the limit, for a machine that is busy.
    machine.tenant.set_token_lifetime(310);
    machine.sign_in(ADMIN);
    list(&machine, &[]).expect_code(0);
    assert_eq!(machine.requests(), [LIST]);
}

#[test]
fn the_new_refresh_token_is_kept_and_the_old_one_is_not() {
    let machine = Machine::new();
    machine.tenant.set_token_lifetime(299);
    machine.sign_in(ADMIN);
    let mut used = Vec::new();
    for _ in 0..3 {
        used.push(refresh_token(&machine));
        machine.tenant.forget_requests();
        list(&machine, &[]).expect_code(0);
        assert_eq!(machine.token_requests()[0].1["refresh_token"], used[used.len() - 1]);
    }
    for token in used {
        assert_eq!(machine.files_with(&token), Vec::<std::path::PathBuf>::new());
    }
}

#[test]
fn a_renewal_without_a_new_refresh_token_keeps_the_old_one() {
    let machine = Machine::about_to_renew();
    let first = refresh_token(&machine);
    let token = machine.tenant.mint(ADMIN, HOME_TENANT, 3600);
    let answer = json!({"token_type": "Bearer", "expires_in": 3600, "access_token": token});
    machine.tenant.fail_next("/token", Answer::json(200, &answer));
    list(&machine, &[]).expect_code(0);
    assert_eq!(refresh_token(&machine), first);
    assert_eq!(machine.saved()["profiles"]["default"]["account"], ADMIN);
}

#[test]
fn a_change_with_a_token_about_to_end_renews_it_once() {
    let machine = Machine::about_to_renew();
    machine.run(&["product", "update", "CFQ7TTC0H9MP", "--value", "disabled"]).expect_code(0);
    assert_eq!(machine.token_requests().len(), 1);
    assert_eq!(machine.requests().len(), 3, "{:?}", machine.requests());
    assert_eq!(machine.tenant.value_of("CFQ7TTC0H9MP"), "Disabled");
}

#[test]
fn a_renewal_goes_where_the_sign_in_was_whatever_the_environment_says_now() {
    let machine = Machine::about_to_renew();
    let elsewhere = [
        ("AZURE_AUTHORITY_HOST", "https://login.invalid"),
        ("AZURE_TENANT_ID", CUSTOMER_TENANT),
        ("MSCOMMERCE_CLIENT_ID", "another"),
        ("MSCOMMERCE_SCOPE", "another/.default"),
    ];
    machine.run_with(&elsewhere, &["products", "list"]).expect_code(0);
    assert_eq!(machine.requests(), [TOKEN, LIST]);
    let (_, form) = &machine.token_requests()[0];
    assert_eq!(form["client_id"], CLIENT_ID);
    assert!(form["scope"].contains(SCOPE));
}

#[test]
fn the_environments_tenant_does_not_move_a_saved_sign_in() {
    let machine = Machine::signed_in();
    for tenant in [CUSTOMER_TENANT, "no tenant at all"] {
        machine.tenant.forget_requests();
        machine.run_with(&[("AZURE_TENANT_ID", tenant)], &["products", "list"]).expect_code(0);
        assert_eq!(machine.requests(), [LIST]);
    }
    let status = machine.run_with(&[("AZURE_TENANT_ID", CUSTOMER_TENANT)], &["status", "-o", "json"]).json();
    assert_eq!(status["tenantId"], HOME_TENANT);
}

#[test]
fn the_same_refresh_token_serves_at_a_tenant_named_by_its_domain() {
    let machine = Machine::signed_in();
    let before = machine.saved();
    let first = refresh_token(&machine);
    let at_customer = list(&machine, &["--tenant", "Fabrikam.EXAMPLE", "-o", "json"]).expect_code(0).json();
    assert_eq!(machine.requests(), [format!("POST /{CUSTOMER_DOMAIN}/oauth2/v2.0/token"), LIST.to_owned()]);
    assert_eq!(machine.token_requests()[0].1["refresh_token"], first);
    let value = |listed: &serde_json::Value| {
        listed.as_array().unwrap().iter().find(|item| item["id"] == "CFQ7TTC0H6RP").unwrap()["policyValue"].clone()
    };
    assert_eq!(value(&at_customer), "Enabled", "the customer's value, not that of the tenant at home");

    // From now on the tenant is known by both of its names.
    for name in [CUSTOMER_DOMAIN, CUSTOMER_TENANT, &CUSTOMER_TENANT.to_uppercase()] {
        machine.tenant.forget_requests();
        list(&machine, &["--tenant", name]).expect_code(0);
        assert_eq!(machine.requests(), [LIST], "{name}");
    }
    let after = machine.saved();
    let (before, after) = (&before["profiles"]["default"], &after["profiles"]["default"]);
    for kept in ["tenantId", "account", "method", "authority", "clientId", "scope"] {
        assert_eq!(before[kept], after[kept]);
    }
    assert_eq!(before["tenants"][HOME_TENANT], after["tenants"][HOME_TENANT], "the tenant at home is untouched");
    assert_ne!(after["refreshToken"], first, "one refresh token for all tenants, the newest");

    machine.tenant.forget_requests();
    let at_home = list(&machine, &["-o", "json"]).expect_code(0).json();
    assert_eq!(machine.requests(), [LIST]);
    assert_eq!(value(&at_home), "Disabled");
}

#[test]
fn the_same_refresh_token_serves_at_a_tenant_named_by_its_id() {
    let machine = Machine::signed_in();
    list(&machine, &["--tenant", CUSTOMER_TENANT]).expect_code(0);
    assert_eq!(machine.requests(), [format!("POST /{CUSTOMER_TENANT}/oauth2/v2.0/token"), LIST.to_owned()]);
    machine.tenant.forget_requests();
    list(&machine, &["--tenant", CUSTOMER_TENANT]).expect_code(0);
    assert_eq!(machine.requests(), [LIST]);
}

#[test]
fn the_tenant_at_home_may_be_named_too() {
    let machine = Machine::signed_in();
    list(&machine, &["--tenant", HOME_TENANT]).expect_code(0);
    assert_eq!(machine.requests(), [LIST]);
    // Which tenant a domain belongs to is learnt by asking, once.
    list(&machine, &["--tenant", HOME_DOMAIN]).expect_code(0);
    machine.tenant.forget_requests();
    list(&machine, &["--tenant", HOME_DOMAIN]).expect_code(0);
    assert_eq!(machine.requests(), [LIST]);
    let saved = machine.saved();
    assert_eq!(saved["profiles"]["default"]["tenants"].as_object().unwrap().len(), 1);
}

#[test]
fn a_change_with_tenant_is_made_there_alone() {
    let machine = Machine::signed_in();
    machine
        .run(&["product", "update", "CFQ7TTC0HDB0", "--value", "disabled", "--tenant", CUSTOMER_DOMAIN])
        .expect_code(0);
    assert_eq!(machine.tenant.value_at(CUSTOMER_TENANT, "CFQ7TTC0HDB0"), "Disabled");
    assert_eq!(machine.tenant.value_at(HOME_TENANT, "CFQ7TTC0HDB0"), "Enabled");
}

#[test]
fn an_unknown_tenant_is_told_with_those_that_served() {
    let machine = Machine::signed_in();
    list(&machine, &["--tenant", CUSTOMER_DOMAIN]).expect_code(0);
    let before = machine.saved();
    machine.tenant.forget_requests();
    list(&machine, &["--tenant", "nowhere.example"]).expect_code(4).expect_no_data().expect_said(&[
        "nowhere.example",
        "AADSTS90002",
        "correlation id: ",
        HOME_TENANT,
        &format!("{CUSTOMER_DOMAIN} ({CUSTOMER_TENANT})"),
        "hint: ",
    ]);
    assert_eq!(machine.requests().len(), 1);
    assert_eq!(machine.saved(), before);
}

#[test]
fn a_refusal_at_one_tenant_leaves_the_others_usable() {
    let machine = Machine::signed_in();
    let refusal = json!({"error": "invalid_grant", "error_description": "AADSTS50173: x", "error_codes": [50173]});
    machine.tenant.fail_next(CUSTOMER_DOMAIN, Answer::json(400, &refusal));
    list(&machine, &["--tenant", CUSTOMER_DOMAIN]).expect_code(4);
    list(&machine, &[]).expect_code(0);
}

#[test]
fn what_to_type_after_a_refusal_at_a_tenant_names_that_tenant() {
    let machine = Machine::signed_in();
    // The customer asks for a second factor that the sign-in at home did not need.
    let refusal = json!({
        "error": "interaction_required",
        "error_description": "AADSTS50076: You must use multi-factor authentication to access 'x'.",
        "error_codes": [50076],
    });
    machine.tenant.fail_next(CUSTOMER_DOMAIN, Answer::json(400, &refusal));
    list(&machine, &["--tenant", CUSTOMER_DOMAIN])
        .expect_code(4)
        .expect_said(&["AADSTS50076", &format!("hint: mscommerce connect --tenant {CUSTOMER_DOMAIN}")]);
}

#[test]
fn a_refused_token_is_renewed_once_and_the_request_sent_again() {
    let machine = Machine::signed_in();
    machine.tenant.revoke_access_tokens();
    let ran = list(&machine, &[]).expect_code(0);
    assert_eq!(ran.stderr, "");
    assert_eq!(machine.requests(), [LIST, TOKEN, LIST]);
    let requests = machine.tenant.requests();
    let header = |index: usize, name: &str| requests[index].header(name).unwrap().to_owned();
    assert_ne!(header(0, "authorization"), header(2, "authorization"));
    assert_ne!(header(0, "x-ms-correlation-id"), header(2, "x-ms-correlation-id"), "a new one per request");

    machine.tenant.forget_requests();
    list(&machine, &[]).expect_code(0);
    assert_eq!(machine.requests(), [LIST]);
}

#[test]
fn a_refused_token_is_renewed_at_the_tenant_it_was_for() {
    let machine = Machine::signed_in();
    list(&machine, &["--tenant", CUSTOMER_DOMAIN]).expect_code(0);
    machine.tenant.forget_requests();
    machine.tenant.revoke_access_tokens();
    list(&machine, &["--tenant", CUSTOMER_DOMAIN]).expect_code(0);
    assert_eq!(
        machine.requests(),
        [LIST.to_owned(), format!("POST /{CUSTOMER_TENANT}/oauth2/v2.0/token"), LIST.to_owned()]
    );
}

#[test]
fn a_change_whose_token_is_refused_on_the_way_is_made_once() {
    let machine = Machine::signed_in();
    let refusal = json!({"errorCode": "Unauthorized", "reason": "The token is expired."});
    machine.tenant.fail_next("PUT", Answer::json(401, &refusal));
    machine.run(&["product", "update", "CFQ7TTC0H9MP", "--value", "disabled"]).expect_code(0);
    let methods: Vec<_> = machine.tenant.requests().into_iter().map(|request| request.method).collect();
    assert_eq!(methods, ["GET", "PUT", "POST", "PUT"]);
}

#[test]
fn a_token_that_is_refused_twice_asks_for_another_sign_in() {
    let machine = Machine::signed_in();
    for _ in 0..2 {
        let refusal = json!({"errorCode": "Unauthorized", "reason": "The token is invalid."});
        machine.tenant.fail_next("GET", Answer::json(401, &refusal));
    }
    list(&machine, &[]).expect_code(4).expect_no_data().expect_said(&[
        "401",
        "Unauthorized: The token is invalid.",
        "correlation id: ",
        "hint: mscommerce connect",
    ]);
    assert_eq!(machine.requests(), [LIST, TOKEN, LIST]);
}

#[test]
fn a_revoked_sign_in_asks_for_another_and_keeps_the_file() {
    for profile in [None, Some("work")] {
        let machine = Machine::new();
        machine.tenant.set_token_lifetime(299);
        let flags = profile.map_or_else(Vec::new, |profile| vec!["--profile", profile]);
        let connect = [&["connect", "--username", ADMIN, "--password-stdin"], flags.as_slice()].concat();
        machine.run_with_input(&connect, PASSWORD).expect_code(0);
        machine.tenant.forget_requests();
        machine.tenant.revoke_refresh_tokens();
        let before = machine.saved();
        let again = [&["hint: mscommerce connect"], flags.as_slice()].concat().join(" ");
        list(&machine, &flags).expect_code(4).expect_no_data().expect_said(&[
            "AADSTS50173",
            "revoked",
            "correlation id: ",
            &again,
        ]);
        assert_eq!(machine.requests(), [TOKEN], "a refusal is not tried again");
        assert_eq!(machine.saved(), before);
    }
}

#[test]
fn a_network_that_fails_while_renewing_is_no_refusal() {
    let machine = Machine::about_to_renew();
    let before = machine.saved();
    machine.tenant.fail_next("/token", Answer::text(503, "text/plain", "busy"));
    list(&machine, &[]).expect_code(1).expect_no_data().expect_said(&["could not renew", "503", "hint: "]);
    assert_eq!(machine.saved(), before);
    list(&machine, &[]).expect_code(0);
}

#[test]
fn processes_that_need_a_new_token_at_once_ask_for_one() {
    let machine = Machine::about_to_renew();
    let children: Vec<_> = (0..6).map(|_| machine.command(&["products", "list"]).spawn().unwrap()).collect();
    for child in children {
        let ran = Ran::from(child.wait_with_output().unwrap()).expect_code(0);
        assert_eq!(ran.stderr, "");
    }
    assert_eq!(machine.token_requests().len(), 1);
    assert_eq!(machine.requests().len(), 7);
}

#[test]
fn processes_at_several_tenants_at_once_lose_none_of_their_tokens() {
    let machine = Machine::about_to_renew();
    let tenants = [HOME_TENANT, CUSTOMER_TENANT, CUSTOMER_DOMAIN, HOME_DOMAIN];
    let children = tenants.map(|tenant| machine.command(&["products", "list", "--tenant", tenant]).spawn().unwrap());
    for child in children {
        Ran::from(child.wait_with_output().unwrap()).expect_code(0);
    }
    machine.tenant.forget_requests();
    for tenant in tenants {
        list(&machine, &["--tenant", tenant]).expect_code(0);
    }
    assert_eq!(machine.token_requests(), [], "every token was saved");
}

#[test]
fn a_process_that_only_reads_waits_for_no_other() {
    let machine = Machine::signed_in();
    let lock = File::options().write(true).create(true).truncate(false).open(machine.state().join("sign-ins.lock"));
    let lock = lock.unwrap();
    lock.lock().unwrap();
    list(&machine, &["--timeout", "5"]).expect_code(0);
    machine.run(&["status", "--timeout", "5"]).expect_code(0);
}

#[test]
fn a_process_that_holds_the_file_too_long_is_what_is_told() {
    let machine = Machine::about_to_renew();
    let lock = File::options().write(true).open(machine.state().join("sign-ins.lock")).unwrap();
    lock.lock().unwrap();
    for command in [&["connect", "--device-code"][..], &["disconnect"]] {
        machine.run(&[command, &["--timeout", "1"]].concat()).expect_code(1).expect_said(&[
            "another mscommerce",
            "sign-ins.lock",
            "hint: ",
        ]);
    }
    assert!(machine.requests().is_empty());
    // Whether a renewal goes on without saving or gives up, the service is not to be blamed for the waiting.
    let ran = list(&machine, &["--timeout", "1"]).expect_said(&["sign-ins.lock"]);
    assert!(!ran.stderr.contains("did not answer in time"), "{}", ran.stderr);
}

#[test]
fn a_renewed_token_that_cannot_be_saved_serves_all_the_same() {
    let machine = Machine::about_to_renew();
    // A directory where the lock belongs.
    std::fs::remove_file(machine.state().join("sign-ins.lock")).unwrap();
    std::fs::create_dir(machine.state().join("sign-ins.lock")).unwrap();
    list(&machine, &[]).expect_code(0).expect_said(&["warning: ", "cannot be saved"]);
    assert_eq!(machine.requests(), [TOKEN, LIST]);
}

#[test]
fn a_token_for_another_tenant_than_the_one_asked_for_serves_nobody() {
    let machine = Machine::about_to_renew();
    let stray = machine.tenant.mint(ADMIN, CUSTOMER_TENANT, 3600);
    let answer =
        json!({"token_type": "Bearer", "expires_in": 3600, "access_token": stray, "refresh_token": "the-next-one"});
    machine.tenant.fail_next("/token", Answer::json(200, &answer));
    list(&machine, &[]).expect_code(4).expect_no_data().expect_said(&[
        &format!("a token for the tenant {HOME_TENANT} was asked for, and one for {CUSTOMER_TENANT} came"),
        "hint: mscommerce connect",
    ]);
    assert_eq!(machine.requests(), [TOKEN], "no product was asked for");
    assert_eq!(
        machine.saved()["profiles"]["default"]["refreshToken"],
        "the-next-one",
        "what replaced the old one is kept"
    );
}

#[test]
fn a_renewal_that_cannot_be_saved_serves_the_whole_run() {
    let machine = Machine::about_to_renew();
    let lock = File::options().write(true).open(machine.state().join("sign-ins.lock")).unwrap();
    lock.lock().unwrap();
    let ran =
        machine.run(&["product", "update", "CFQ7TTC0H9MP", "--value", "disabled", "--timeout", "1"]).expect_code(0);
    assert_eq!(ran.stderr.matches("cannot be saved").count(), 1, "{}", ran.stderr);
    assert_eq!(machine.token_requests().len(), 1);
}

#[test]
fn what_to_type_next_names_a_client_id_that_is_not_the_usual_one() {
    let machine = Machine::about_to_renew();
    machine.change_saved(|saved| saved["profiles"]["default"]["clientId"] = "other-client".into());
    list(&machine, &[]).expect_code(4).expect_said(&["AADSTS700016"]);
    machine.tenant.fail_next("/token", Answer::json(400, &json!({"error": "invalid_grant", "error_codes": [50173]})));
    list(&machine, &[]).expect_code(4).expect_said(&["hint: mscommerce connect --client-id other-client"]);
}
