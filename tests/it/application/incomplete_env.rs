//! An environment that names an application only in part.

use super::*;
use crate::tenant::{ADMIN, CUSTOMER_TENANT};

const ID: (&str, &str) = APP[0];
const TENANT: (&str, &str) = APP[1];

/// A half-set environment, with names that are said to be missing and names that are not.
struct Half {
    variables: &'static [(&'static str, &'static str)],
    missing: &'static [&'static str],
    there: &'static [&'static str],
}

const HALVES: [Half; 8] = [
    Half {
        variables: &[ID],
        missing: &["AZURE_TENANT_ID", SECRET, CERTIFICATE, FEDERATED],
        there: &["AZURE_CLIENT_ID"],
    },
    Half { variables: &[ID, TENANT], missing: &[SECRET, CERTIFICATE, FEDERATED], there: &["AZURE_TENANT_ID"] },
    Half { variables: &[ID, WITH_SECRET], missing: &["AZURE_TENANT_ID"], there: &[CERTIFICATE] },
    Half { variables: &[TENANT, WITH_SECRET], missing: &["AZURE_CLIENT_ID"], there: &["AZURE_TENANT_ID", CERTIFICATE] },
    Half { variables: &[WITH_SECRET], missing: &["AZURE_CLIENT_ID", "AZURE_TENANT_ID"], there: &[CERTIFICATE] },
    Half {
        variables: &[(CERTIFICATE, "/nowhere/app.pem")],
        missing: &["AZURE_CLIENT_ID", "AZURE_TENANT_ID"],
        there: &[SECRET],
    },
    Half {
        variables: &[(FEDERATED, "/nowhere/token")],
        missing: &["AZURE_CLIENT_ID", "AZURE_TENANT_ID"],
        there: &[SECRET],
    },
    Half {
        variables: &[ID, TENANT, (SECRET, ""), (CERTIFICATE, "")],
        missing: &[SECRET, CERTIFICATE, FEDERATED],
        there: &["AZURE_TENANT_ID"],
    },
];

/// Environments that name no application at all.
const NONE: [&[(&str, &str)]; 4] = [
    &[TENANT],
    &[("AZURE_CLIENT_ID", ""), ("AZURE_TENANT_ID", ""), (SECRET, "")],
    &[(CERTIFICATE_PASSWORD, "a password")],
    &[(GITHUB_URL, "https://oidc.example/token"), (GITHUB_TOKEN, "a-request-token")],
];

#[test]
fn what_is_missing_is_named_where_nothing_else_serves() {
    let machine = Machine::new();
    for Half { variables, missing, there } in HALVES {
        for command in [
            &["products", "list"][..],
            &["status"],
            &["policy", "list"],
            &["products", "update", "--all", "--value", "disabled", "--yes"],
        ] {
            let ran = machine.run_with(variables, command).expect_code(4).expect_no_data();
            let said = ran.stderr.lines().find(|line| line.contains("missing")).unwrap_or_default();
            let (_, said) =
                said.split_once(':').unwrap_or_else(|| panic!("what is missing is not said: {}", ran.stderr));
            let said = said.rsplit(" set, ").next().unwrap();
            for name in missing {
                assert!(said.contains(name), "{variables:?} {name} is missing: {said}");
            }
            for name in there {
                assert!(!said.contains(name), "{variables:?} {name} is not missing: {said}");
            }
            ran.expect_said(&["hint: "]);
        }
    }
    assert!(machine.requests().is_empty());
}

#[test]
fn who_acts_does_not_depend_on_the_flag_for_the_tenant() {
    let somebody = Machine::signed_in();
    for machine in [Machine::new(), somebody] {
        let status = |flags: &[&str]| {
            let ran = machine.run_with(&[ID, WITH_SECRET], &[&["status", "-o", "tsv"], flags].concat());
            (ran.code, ran.stdout.contains("application"))
        };
        assert_eq!(status(&["--tenant", HOME_TENANT]), status(&[]));
        assert!(!status(&[]).1);
    }
}

#[test]
fn who_is_signed_in_serves_all_the_same_and_only_a_verbose_run_says_why() {
    let machine = Machine::signed_in();
    for Half { variables, missing, .. } in HALVES {
        machine.tenant.forget_requests();
        let ran = machine.run_with(variables, &["products", "list"]).expect_code(0);
        assert_eq!(ran.stderr, "", "{variables:?}");
        assert_eq!(machine.requests(), [LIST]);
        machine.run_with(variables, &["products", "list", "-v"]).expect_code(0).expect_said(missing);
        let status = machine.run_with(variables, &["status", "-o", "json"]).expect_code(0);
        assert_eq!(status.json()["account"], ADMIN);
        assert_eq!(status.stderr, "");
    }
}

#[test]
fn who_is_signed_in_serves_whatever_the_half_is_worth() {
    let machine = Machine::signed_in();
    let variables = [ID, (GITHUB_URL, "no web address"), (GITHUB_TOKEN, "a-request-token")];
    let ran = machine.run_with(&variables, &["products", "list"]).expect_code(0);
    assert_eq!(ran.stderr, "");
}

#[test]
fn a_variable_of_blanks_counts_as_missing() {
    let machine = Machine::new();
    for variables in [[("AZURE_CLIENT_ID", " "), TENANT, WITH_SECRET], [ID, TENANT, (SECRET, " ")]] {
        let (blank, _) = variables.into_iter().find(|(_, value)| *value == " ").unwrap();
        let ran = machine.run_with(&variables, &["products", "list"]).expect_code(4).expect_said(&["missing"]);
        assert_eq!(ran.stderr.matches(blank).count(), 1, "it cannot be both set and missing: {}", ran.stderr);
    }
}

#[test]
fn a_ready_token_serves_all_the_same_and_only_a_verbose_run_says_why() {
    let machine = Machine::new();
    let token = machine.tenant.mint(ADMIN, HOME_TENANT, 3600);
    for Half { variables, missing, .. } in HALVES {
        let variables = [variables, &[("MSCOMMERCE_TOKEN", token.as_str())]].concat();
        let ran = machine.run_with(&variables, &["products", "list"]).expect_code(0);
        assert_eq!(ran.stderr, "", "{variables:?}");
        machine.run_with(&variables, &["products", "list", "-v"]).expect_code(0).expect_said(missing);
    }
}

#[test]
fn variables_that_name_no_application_are_not_spoken_of() {
    let nobody = Machine::new();
    let somebody = Machine::signed_in();
    for variables in NONE {
        let ran = nobody.run_with(variables, &["products", "list", "-v"]).expect_code(4).expect_no_data();
        let ran = ran.expect_said(&["error: nobody is signed in", "hint: mscommerce connect\n"]);
        let said = ran.stderr.lines().filter(|line| line.contains("AZURE_") || line.contains("application"));
        assert_eq!(said.count(), 0, "{}", ran.stderr);

        let ran = somebody.run_with(variables, &["products", "list", "-v"]).expect_code(0);
        assert!(!ran.stderr.contains("AZURE_"), "{}", ran.stderr);
    }
    assert!(nobody.requests().is_empty());
}

#[test]
fn the_tenant_of_a_half_set_environment_does_not_move_a_saved_sign_in() {
    let machine = Machine::signed_in();
    let elsewhere = ("AZURE_TENANT_ID", CUSTOMER_TENANT);
    for variables in [&[elsewhere][..], &[ID, elsewhere], &[elsewhere, WITH_SECRET]] {
        machine.tenant.forget_requests();
        machine.run_with(variables, &["products", "list"]).expect_code(0);
        assert_eq!(machine.requests(), [LIST]);
        let status = machine.run_with(variables, &["status", "-o", "json"]).expect_code(0).json();
        assert_eq!(status["tenantId"], HOME_TENANT);
    }
}

#[test]
fn a_job_on_github_without_the_permission_hears_which_one_it_needs() {
    let machine = Machine::new();
    let variables = [&APP[..], &[("GITHUB_ACTIONS", "true")]].concat();
    machine
        .run_with(&variables, &["products", "list"])
        .expect_code(4)
        .expect_no_data()
        .expect_said(&["id-token: write", SECRET]);
    // One of the two alone is as good as none.
    for (name, value) in machine.tenant.github_oidc() {
        let variables = [&variables[..], &[(name, value.as_str())]].concat();
        machine.run_with(&variables, &["products", "list"]).expect_code(4).expect_said(&["id-token: write"]);
    }
    assert!(machine.requests().is_empty());
}
