//! One tenant that is named twice.

use super::*;
use crate::support::fixtures::POWER_BI;

const LIST: &[&str] = &["products", "list", "-o", "json"];
const UPDATE: &[&str] = &["products", "update", "--all", "--value", "disabled", "--yes", "-o", "json"];

#[test]
fn the_same_name_twice_is_asked_about_once() {
    let env = known_partner();
    env.write("c.txt", format!("{CUSTOMER_DOMAIN}\n{HOME_DOMAIN}\n{}\n", CUSTOMER_DOMAIN.to_uppercase()));
    let flags = at(&[CUSTOMER_DOMAIN, HOME_DOMAIN, "Fabrikam.Example"], LIST);
    for arguments in [[LIST, &["--tenants-file", "c.txt"]].concat(), flags] {
        env.tenant.forget_requests();
        let result = env.run_in_home(&arguments).assert_code(0);
        assert_eq!(tenants(&result), [CUSTOMER_TENANT, HOME_TENANT]);
        assert_eq!(env.request_lines().len(), 2, "{arguments:?}: {:?}", env.request_lines());
    }
}

#[test]
fn the_same_name_twice_fails_once() {
    let env = partner();
    env.write("c.txt", "nowhere.example\ncontoso.example\nNowhere.example\n");
    let flags = at(&["nowhere.example", HOME_DOMAIN, "Nowhere.example"], LIST);
    for arguments in [[LIST, &["--tenants-file", "c.txt"]].concat(), flags] {
        let result = env.run_in_home(&arguments).assert_code(4).stderr_contains(&["error: 1 of 2 tenants failed\n"]);
        assert_eq!(result.stderr.matches("\n  nowhere.example: ").count(), 1, "{}", result.stderr);
    }
}

#[test]
fn an_id_and_a_domain_of_one_tenant_are_told_apart_from_two_tenants() {
    for names in [[CUSTOMER_TENANT, CUSTOMER_DOMAIN], [CUSTOMER_DOMAIN, CUSTOMER_TENANT]] {
        // Known before, or not.
        for env in [partner(), known_partner()] {
            let result = env.run(&at(&[names[0], HOME_DOMAIN, names[1]], LIST)).assert_code(0);
            assert_eq!(tenants(&result), [CUSTOMER_TENANT, HOME_TENANT]);
            assert_eq!(result.json().as_array().unwrap().len(), 34);
            let result = result.stderr_contains(&["warning: ", names[1], "are one tenant"]);
            assert_eq!(result.stderr.matches("warning: ").count(), 1, "{}", result.stderr);
        }
    }
}

#[test]
fn the_warning_says_by_which_name_the_tenant_was_named_before() {
    let env = known_partner();
    for names in [[CUSTOMER_TENANT, CUSTOMER_DOMAIN], [CUSTOMER_DOMAIN, CUSTOMER_TENANT]] {
        env.run(&at(&names, LIST)).assert_code(0).stderr_contains(&names);
    }
}

#[test]
fn what_is_named_twice_is_changed_once() {
    for variables in [&[][..], &application()] {
        let env = partner();
        let names = [CUSTOMER_TENANT, HOME_DOMAIN, CUSTOMER_DOMAIN, HOME_TENANT];
        let result = env.run_with_env(variables, &at(&names, UPDATE)).assert_code(0);
        assert_eq!(tenants(&result), [CUSTOMER_TENANT, HOME_TENANT]);
        let sent = changes(&env.tenant.requests());
        let mut once = sent.clone();
        once.dedup();
        assert_eq!(sent, once);
        assert_eq!(
            sent.len(),
            ids_of(&result, HOME_TENANT, "changed").len() + ids_of(&result, CUSTOMER_TENANT, "changed").len()
        );
        assert_eq!(env.history().len(), sent.len());
        result.stderr_contains(&["at 2 tenants\n", "are one tenant"]);
    }
}

#[test]
fn a_baseline_is_checked_once_where_a_tenant_is_named_twice() {
    let env = partner();
    env.write("b.toml", format!("[products]\n{POWER_BI} = 'Trials'\n"));
    env.write("c.txt", format!("{HOME_TENANT}\n{CUSTOMER_DOMAIN}\n{HOME_DOMAIN}"));
    let check = ["baseline", "check", "b.toml", "--tenants-file", "c.txt", "-o", "json"];
    let result = env.run_in_home(&check).assert_code(3);
    assert_eq!(result.column("tenantId"), [HOME_TENANT, CUSTOMER_TENANT]);
    result.stderr_contains(&["are one tenant", "2 of 2 tenants"]);
}
