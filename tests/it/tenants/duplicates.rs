//! One tenant that is named twice.

use super::*;

const LIST: &[&str] = &["products", "list", "-o", "json"];
const UPDATE: &[&str] = &["products", "update", "--all", "--value", "disabled", "--yes", "-o", "json"];

#[test]
fn the_same_name_twice_is_asked_about_once() {
    let machine = known_partner();
    write(&machine, "c.txt", format!("{CUSTOMER_DOMAIN}\n{HOME_DOMAIN}\n{}\n", CUSTOMER_DOMAIN.to_uppercase()));
    let flags = at(&[CUSTOMER_DOMAIN, HOME_DOMAIN, "Fabrikam.Example"], LIST);
    for arguments in [[LIST, &["--tenants-file", "c.txt"]].concat(), flags] {
        machine.tenant.forget_requests();
        let ran = here(&machine, &arguments).expect_code(0);
        assert_eq!(tenants(&ran), [CUSTOMER_TENANT, HOME_TENANT]);
        assert_eq!(machine.requests().len(), 2, "{arguments:?}: {:?}", machine.requests());
    }
}

#[test]
fn the_same_name_twice_fails_once() {
    let machine = partner();
    write(&machine, "c.txt", "nowhere.example\ncontoso.example\nNowhere.example\n");
    let flags = at(&["nowhere.example", HOME_DOMAIN, "Nowhere.example"], LIST);
    for arguments in [[LIST, &["--tenants-file", "c.txt"]].concat(), flags] {
        let ran = here(&machine, &arguments).expect_code(4).expect_said(&["error: 1 of 2 tenants failed\n"]);
        assert_eq!(ran.stderr.matches("\n  nowhere.example: ").count(), 1, "{}", ran.stderr);
    }
}

#[test]
fn an_id_and_a_domain_of_one_tenant_are_told_apart_from_two_tenants() {
    for names in [[CUSTOMER_TENANT, CUSTOMER_DOMAIN], [CUSTOMER_DOMAIN, CUSTOMER_TENANT]] {
        // Known before, or not.
        for machine in [partner(), known_partner()] {
            let ran = machine.run(&at(&[names[0], HOME_DOMAIN, names[1]], LIST)).expect_code(0);
            assert_eq!(tenants(&ran), [CUSTOMER_TENANT, HOME_TENANT]);
            assert_eq!(ran.json().as_array().unwrap().len(), 34);
            let ran = ran.expect_said(&["warning: ", names[1], "are one tenant"]);
            assert_eq!(ran.stderr.matches("warning: ").count(), 1, "{}", ran.stderr);
        }
    }
}

#[test]
fn the_warning_says_by_which_name_the_tenant_was_named_before() {
    let machine = known_partner();
    for names in [[CUSTOMER_TENANT, CUSTOMER_DOMAIN], [CUSTOMER_DOMAIN, CUSTOMER_TENANT]] {
        machine.run(&at(&names, LIST)).expect_code(0).expect_said(&names);
    }
}

#[test]
fn what_is_named_twice_is_changed_once() {
    for variables in [&[][..], &application()] {
        let machine = partner();
        let names = [CUSTOMER_TENANT, HOME_DOMAIN, CUSTOMER_DOMAIN, HOME_TENANT];
        let ran = machine.run_with(variables, &at(&names, UPDATE)).expect_code(0);
        assert_eq!(tenants(&ran), [CUSTOMER_TENANT, HOME_TENANT]);
        let sent = changes(&machine.tenant.requests());
        let mut once = sent.clone();
        once.dedup();
        assert_eq!(sent, once);
        assert_eq!(
            sent.len(),
            ids_of(&ran, HOME_TENANT, "changed").len() + ids_of(&ran, CUSTOMER_TENANT, "changed").len()
        );
        assert_eq!(record_of_changes(&machine).len(), sent.len());
        ran.expect_said(&["at 2 tenants\n", "are one tenant"]);
    }
}

#[test]
fn a_baseline_is_checked_once_where_a_tenant_is_named_twice() {
    let machine = partner();
    write(&machine, "b.toml", format!("[products]\n{POWER_BI} = 'Trials'\n"));
    write(&machine, "c.txt", format!("{HOME_TENANT}\n{CUSTOMER_DOMAIN}\n{HOME_DOMAIN}"));
    let check = ["baseline", "check", "b.toml", "--tenants-file", "c.txt", "-o", "json"];
    let ran = here(&machine, &check).expect_code(3);
    assert_eq!(column(&ran, "tenantId"), [HOME_TENANT, CUSTOMER_TENANT]);
    ran.expect_said(&["are one tenant", "2 of 2 tenants"]);
}
