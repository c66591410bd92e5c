//! An environment that names an application only in part.

use super::*;
use crate::support::fixtures::LIST_PRODUCTS;
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
    let env = TestEnv::new();
    for Half { variables, missing, there } in HALVES {
        for command in [
            &["products", "list"][..],
            &["status"],
            &["policy", "list"],
            &["products", "update", "--all", "--value", "disabled", "--yes"],
        ] {
            let result = env.run_with_env(variables, command).assert_code(4).stdout_is_empty();
            let said = result.stderr.lines().find(|line| line.contains("missing")).unwrap_or_default();
            let (_, said) =
                said.split_once(':').unwrap_or_else(|| panic!("what is missing is not said: {}", result.stderr));
            let said = said.rsplit(" set, ").next().unwrap();
            for name in missing {
                assert!(said.contains(name), "{variables:?} {name} is missing: {said}");
            }
            for name in there {
                assert!(!said.contains(name), "{variables:?} {name} is not missing: {said}");
            }
            result.stderr_contains(&["hint: "]);
        }
    }
    assert!(env.request_lines().is_empty());
}

#[test]
fn who_acts_does_not_depend_on_the_flag_for_the_tenant() {
    let somebody = TestEnv::signed_in();
    for env in [TestEnv::new(), somebody] {
        let status = |flags: &[&str]| {
            let result = env.run_with_env(&[ID, WITH_SECRET], &[&["status", "-o", "tsv"], flags].concat());
            (result.code, result.stdout.contains("application"))
        };
        assert_eq!(status(&["--tenant", HOME_TENANT]), status(&[]));
        assert!(!status(&[]).1);
    }
}

#[test]
fn who_is_signed_in_serves_all_the_same_and_only_a_verbose_run_says_why() {
    let env = TestEnv::signed_in();
    for Half { variables, missing, .. } in HALVES {
        env.tenant.forget_requests();
        let result = env.run_with_env(variables, &["products", "list"]).assert_code(0);
        assert_eq!(result.stderr, "", "{variables:?}");
        assert_eq!(env.request_lines(), [LIST_PRODUCTS]);
        env.run_with_env(variables, &["products", "list", "-v"]).assert_code(0).stderr_contains(missing);
        let status = env.run_with_env(variables, &["status", "-o", "json"]).assert_code(0);
        assert_eq!(status.json()["account"], ADMIN);
        assert_eq!(status.stderr, "");
    }
}

#[test]
fn who_is_signed_in_serves_whatever_the_half_is_worth() {
    let env = TestEnv::signed_in();
    let variables = [ID, (GITHUB_URL, "no web address"), (GITHUB_TOKEN, "a-request-token")];
    let result = env.run_with_env(&variables, &["products", "list"]).assert_code(0);
    assert_eq!(result.stderr, "");
}

#[test]
fn a_variable_of_blanks_counts_as_missing() {
    let env = TestEnv::new();
    for variables in [[("AZURE_CLIENT_ID", " "), TENANT, WITH_SECRET], [ID, TENANT, (SECRET, " ")]] {
        let (blank, _) = variables.into_iter().find(|(_, value)| *value == " ").unwrap();
        let result = env.run_with_env(&variables, &["products", "list"]).assert_code(4).stderr_contains(&["missing"]);
        assert_eq!(result.stderr.matches(blank).count(), 1, "it cannot be both set and missing: {}", result.stderr);
    }
}

#[test]
fn a_ready_token_serves_all_the_same_and_only_a_verbose_run_says_why() {
    let env = TestEnv::new();
    let token = env.tenant.issue_token(ADMIN, HOME_TENANT, 3600);
    for Half { variables, missing, .. } in HALVES {
        let variables = [variables, &[("MSCOMMERCE_TOKEN", token.as_str())]].concat();
        let result = env.run_with_env(&variables, &["products", "list"]).assert_code(0);
        assert_eq!(result.stderr, "", "{variables:?}");
        env.run_with_env(&variables, &["products", "list", "-v"]).assert_code(0).stderr_contains(missing);
    }
}

#[test]
fn variables_that_name_no_application_are_not_spoken_of() {
    let nobody = TestEnv::new();
    let somebody = TestEnv::signed_in();
    for variables in NONE {
        let result = nobody.run_with_env(variables, &["products", "list", "-v"]).assert_code(4).stdout_is_empty();
        let result = result.stderr_contains(&["error: nobody is signed in", "hint: mscommerce connect\n"]);
        let said = result.stderr.lines().filter(|line| line.contains("AZURE_") || line.contains("application"));
        assert_eq!(said.count(), 0, "{}", result.stderr);

        let result = somebody.run_with_env(variables, &["products", "list", "-v"]).assert_code(0);
        assert!(!result.stderr.contains("AZURE_"), "{}", result.stderr);
    }
    assert!(nobody.request_lines().is_empty());
}

#[test]
fn the_tenant_of_a_half_set_environment_does_not_move_a_saved_sign_in() {
    let env = TestEnv::signed_in();
    let elsewhere = ("AZURE_TENANT_ID", CUSTOMER_TENANT);
    for variables in [&[elsewhere][..], &[ID, elsewhere], &[elsewhere, WITH_SECRET]] {
        env.tenant.forget_requests();
        env.run_with_env(variables, &["products", "list"]).assert_code(0);
        assert_eq!(env.request_lines(), [LIST_PRODUCTS]);
        let status = env.run_with_env(variables, &["status", "-o", "json"]).assert_code(0).json();
        assert_eq!(status["tenantId"], HOME_TENANT);
    }
}

#[test]
fn a_job_on_github_without_the_permission_hears_which_one_it_needs() {
    let env = TestEnv::new();
    let variables = [&APP[..], &[("GITHUB_ACTIONS", "true")]].concat();
    env.run_with_env(&variables, &["products", "list"])
        .assert_code(4)
        .stdout_is_empty()
        .stderr_contains(&["id-token: write", SECRET]);
    // One of the two alone is as good as none.
    for (name, value) in env.tenant.github_oidc() {
        let variables = [&variables[..], &[(name, value.as_str())]].concat();
        env.run_with_env(&variables, &["products", "list"]).assert_code(4).stderr_contains(&["id-token: write"]);
    }
    assert!(env.request_lines().is_empty());
}
