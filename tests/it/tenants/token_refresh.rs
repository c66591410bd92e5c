//! One saved sign-in, renewed at several tenants side by side.

use std::fs::File;
use std::sync::Arc;

use super::*;

const LIST: &[&str] = &["products", "list", "-o", "json"];
const EVERYWHERE: [&str; 3] = [CUSTOMER_DOMAIN, HOME_TENANT, THIRD_TENANT];
const IDS: [&str; 3] = [CUSTOMER_TENANT, HOME_TENANT, THIRD_TENANT];

/// A partner whose tokens for all tenants are about to end.
fn about_to_end() -> Machine {
    let machine = Machine::new();
    machine.tenant.add_tenant(THIRD_TENANT, THIRD_DOMAIN);
    machine.tenant.set_token_lifetime(299);
    machine.sign_in(ADMIN);
    machine.run(&at(&EVERYWHERE, LIST)).expect_code(0);
    machine.tenant.set_token_lifetime(3600);
    machine.tenant.forget_requests();
    machine
}

/// The file of sign-ins is whole: a fresh token for each tenant and one refresh token that is good.
#[track_caller]
fn expect_all_saved(machine: &Machine) {
    let saved = machine.saved();
    let sign_in = &saved["profiles"]["default"];
    let ids: Vec<&String> = sign_in["tenants"].as_object().unwrap().keys().collect();
    assert_eq!(ids, [HOME_TENANT, CUSTOMER_TENANT, THIRD_TENANT]);
    for (id, token) in sign_in["tenants"].as_object().unwrap() {
        assert_eq!(claims_of(token["accessToken"].as_str().unwrap()).unwrap()["tid"], id.as_str());
    }
    assert_eq!((&sign_in["account"], &sign_in["tenantId"]), (&json!(ADMIN), &json!(HOME_TENANT)));
    machine.tenant.forget_requests();
    machine.run(&at(&EVERYWHERE, LIST)).expect_code(0);
    assert_eq!(machine.token_requests(), [], "every token was saved");
    machine.tenant.revoke_access_tokens();
    machine.run(LIST).expect_code(0);
    let sent = &machine.token_requests()[0].1["refresh_token"];
    assert_eq!(sent, sign_in["refreshToken"].as_str().unwrap());
}

#[test]
fn all_are_renewed_and_all_are_kept() {
    let machine = about_to_end();
    let before = machine.secrets();
    let ran = machine.run(&at(&EVERYWHERE, LIST)).expect_code(0);
    assert_eq!((ran.stderr.as_str(), tenants(&ran)), ("", IDS.map(str::to_owned).to_vec()));
    assert_eq!(machine.token_requests().len(), 3);
    for secret in before {
        assert_eq!(machine.files_with(&secret), Vec::<std::path::PathBuf>::new(), "the old ones are gone");
    }
    expect_all_saved(&machine);
}

#[test]
fn tokens_that_are_refused_are_renewed_at_each_tenant() {
    let machine = known_partner();
    machine.tenant.revoke_access_tokens();
    let ran = machine.run(&at(&EVERYWHERE, &[LIST, &["--scope", "all"]].concat())).expect_code(0);
    assert_eq!((ran.stderr.as_str(), tenants(&ran)), ("", IDS.map(str::to_owned).to_vec()));
    assert_eq!(machine.token_requests().len(), 3, "two lists of one tenant share a renewal");
    expect_all_saved(&machine);
}

#[test]
fn many_tenants_are_kept_at_once() {
    let machine = Machine::signed_in();
    let ids = customers(25);
    for (index, id) in ids.iter().enumerate() {
        machine.tenant.add_tenant(id, &format!("customer{index}.example"));
    }
    write(&machine, "c.txt", ids.join("\n"));
    let ran = here(&machine, &[LIST, &["--tenants-file", "c.txt", "--jobs", "64"]].concat()).expect_code(0);
    assert_eq!((ran.stderr.as_str(), tenants(&ran)), ("", ids.clone()));
    machine.tenant.forget_requests();
    here(&machine, &[LIST, &["--tenants-file", "c.txt"]].concat()).expect_code(0);
    assert_eq!(machine.requests().len(), 25, "one list each");
}

#[test]
fn commands_at_once_lose_none_of_their_tokens() {
    let machine = about_to_end();
    let children: Vec<_> = (0..4).map(|_| machine.command(&at(&EVERYWHERE, LIST)).spawn().unwrap()).collect();
    for child in children {
        let ran = Ran::from(child.wait_with_output().unwrap()).expect_code(0);
        assert_eq!(ran.stderr, "");
    }
    assert_eq!(machine.token_requests().len(), 3, "whoever is second finds them renewed");
    expect_all_saved(&machine);
}

#[test]
fn a_refused_renewal_fails_its_own_tenant_alone() {
    let machine = about_to_end();
    let before = machine.saved();
    machine.tenant.fail_next(&format!("POST /{CUSTOMER_TENANT}/"), no_sign_in(50076));
    let ran = machine.run(&at(&EVERYWHERE, &[LIST, &["--scope", "all"]].concat())).expect_code(4);
    assert_eq!(tenants(&ran), [HOME_TENANT, THIRD_TENANT]);
    assert_eq!(machine.token_requests().len(), 3, "a refusal is not tried again");
    let ran = ran.expect_said(&["error: 1 of 3 tenants failed\n  fabrikam.example: ", "AADSTS50076"]);
    ran.expect_said(&["hint: mscommerce connect --tenant fabrikam.example"]);
    let token = |saved: &Value, id: &str| saved["profiles"]["default"]["tenants"][id].clone();
    let after = machine.saved();
    assert_eq!(token(&after, CUSTOMER_TENANT), token(&before, CUSTOMER_TENANT));
    assert_ne!(token(&after, THIRD_TENANT), token(&before, THIRD_TENANT));
    machine.run(&at(&EVERYWHERE, LIST)).expect_code(0);
}

#[test]
fn a_revoked_sign_in_fails_everywhere_and_stays_as_it_is() {
    let machine = about_to_end();
    machine.tenant.revoke_refresh_tokens();
    let before = machine.saved();
    let ran = machine
        .run(&at(&EVERYWHERE, LIST))
        .expect_code(4)
        .expect_said(&["error: 3 of 3 tenants failed", "hint: mscommerce connect"]);
    assert_eq!((ran.stdout.as_str(), machine.token_requests().len()), ("[]\n", 3));
    assert_eq!(machine.saved(), before);
}

#[test]
fn what_cannot_be_saved_serves_the_run_and_is_told_once() {
    let machine = about_to_end();
    let before = machine.saved();
    // A directory where the lock belongs.
    fs::remove_file(machine.state().join("sign-ins.lock")).unwrap();
    fs::create_dir(machine.state().join("sign-ins.lock")).unwrap();
    expect_served_with_one_warning(&machine, &machine.run(&at(&EVERYWHERE, LIST)).expect_code(0));
    assert_eq!(machine.saved(), before);
}

#[track_caller]
fn expect_served_with_one_warning(machine: &Machine, ran: &Ran) {
    assert_eq!(tenants(ran), IDS);
    assert_eq!(machine.token_requests().len(), 3);
    assert_eq!(ran.stderr.matches("warning: the renewed sign-in ").count(), 1, "{}", ran.stderr);
}

#[test]
fn a_file_that_another_process_holds_is_waited_for_once() {
    let machine = about_to_end();
    let lock = File::options().write(true).open(machine.state().join("sign-ins.lock")).unwrap();
    lock.lock().unwrap();
    let ran = machine.run(&at(&EVERYWHERE, &[LIST, &["--timeout", "1"]].concat())).expect_code(0);
    expect_served_with_one_warning(&machine, &ran);
}

#[cfg(unix)]
#[test]
fn a_file_that_cannot_be_written_is_told_once() {
    let machine = about_to_end();
    let before = machine.saved();
    // The lock can be taken, but no file can grow; that binds the superuser as well.
    let script = r#"trap "" XFSZ; ulimit -f 0; exec "$@""#;
    let mut command = crate::support::pty::in_shell(script, &machine.command(&at(&EVERYWHERE, LIST)));
    let ran = Ran::from(command.output().unwrap()).expect_code(0);
    expect_served_with_one_warning(&machine, &ran);
    assert_eq!(machine.saved(), before);
}

#[test]
fn nobody_else_goes_on_with_what_one_account_began() {
    let machine = Machine::new();
    let ids = customers(2);
    let (file, other) = (machine.sign_ins(), Arc::new(Mutex::new(Value::Null)));
    let server = {
        let other = Arc::clone(&other);
        let token = |id: &String| (id.clone(), machine.tenant.mint_app(id, &[CHANGE_PERMISSION], 3600));
        let tokens: Vec<(String, String)> = ids.iter().map(token).collect();
        service(&machine, 2, 3, move |tenant, request| {
            if request.method == "PUT" {
                // Somebody signs in as another account while the first change is on its way.
                fs::write(&file, other.lock().unwrap().to_string()).unwrap();
            }
            // Too short to be used again, so that each change needs the sign-in.
            let (_, token) = tokens.iter().find(|(id, _)| id == tenant).filter(|_| request.method == "POST")?;
            let body = json!({ "token_type": "Bearer", "expires_in": 60, "access_token": token });
            Some(answer(200, "application/json", &body.to_string()))
        })
    };
    machine.sign_in(ADMIN);
    machine.change_saved(|saved| saved["profiles"]["default"]["authority"] = server.http().into());
    let run = |arguments: &[&str]| {
        let mut command = machine.command(&at(&[&ids[0], &ids[1]], arguments));
        Ran::from(command.env("MSCOMMERCE_ENDPOINT", server.http()).output().unwrap())
    };
    run(LIST).expect_code(0);
    *other.lock().unwrap() = machine.saved();
    other.lock().unwrap()["profiles"]["default"]["account"] = "somebody@else.example".into();
    let update = ["products", "update", "--all", "--value", "disabled", "--yes", "-o", "json", "--jobs", "1"];
    let ran = run(&update).expect_code(4);
    assert_eq!(changes(&server.finish().requests), [(ids[0].clone(), product(0))]);
    assert_eq!(ids_of(&ran, &ids[0], "changed"), [product(0)]);
    assert_eq!(column(&ran, "outcome").iter().filter(|outcome| *outcome == "failed").count(), 5);
    assert_eq!(record_of_changes(&machine)[0]["account"], ADMIN);
    ran.expect_said(&["2 of 2 tenants failed", "anew meanwhile", &format!("mscommerce status --tenant {}", ids[0])]);
}
