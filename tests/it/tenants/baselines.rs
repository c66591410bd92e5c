//! `baseline check` and `baseline apply` at several tenants.

use super::*;
use crate::support::fixtures::{FORMATS, POWER_BI, THIRD_DOMAIN, THIRD_TENANT, VISIO};

/// At home Power BI differs, at the first customer Visio, and at the second one Power BI again.
const BASELINE: &str = "[products]\nCFQ7TTC0H9MP = 'Disabled'\nCFQ7TTC0HD33 = 'Disabled'\n";
const CHECK: &[&str] = &["baseline", "check", "b.toml", "-o", "json"];
const APPLY: &[&str] = &["baseline", "apply", "b.toml", "--yes", "-o", "json"];
const EVERYWHERE: [&str; 3] = [CUSTOMER_DOMAIN, HOME_DOMAIN, THIRD_DOMAIN];

fn with_baseline(text: &str) -> TestEnv {
    let env = known_partner();
    env.write("b.toml", text);
    env
}

#[test]
fn what_differs_is_told_with_its_tenant() {
    let env = with_baseline(BASELINE);
    let result = env.run_in_home(&at(&EVERYWHERE, CHECK)).assert_code(3);
    assert_eq!(result.column("tenantId"), [CUSTOMER_TENANT, HOME_TENANT, THIRD_TENANT]);
    assert_eq!(result.column("id"), [VISIO, POWER_BI, POWER_BI]);
    assert_eq!(result.column("wantedValue"), ["Disabled"; 3]);
    assert_eq!(result.column("drift"), ["different"; 3]);
    result.stderr_contains(&["drift: ", "3 of 3 tenants", "hint: "]).stderr_contains(&["mscommerce baseline apply b.toml --tenant fabrikam.example --tenant contoso.example --tenant tailspin.example --dry-run"]);
}

#[test]
fn drift_in_every_format_begins_with_the_tenant() {
    let env = with_baseline(BASELINE);
    let mut all = String::new();
    for format in FORMATS {
        let check = ["baseline", "check", "b.toml", "-o", format];
        let result = env.run_in_home(&at(&[CUSTOMER_DOMAIN, HOME_DOMAIN], &check)).assert_code(3);
        all += &format!("$ -o {format}\n{}--\n{}", result.stdout, result.stderr);
    }
    insta::assert_snapshot!("drift_in_every_format", all);
}

#[test]
fn tenants_that_are_as_wanted_are_not_drifted() {
    let env = with_baseline(&format!("[products]\n{VISIO} = 'Disabled'\n"));
    env.tenant.set_value_in(CUSTOMER_TENANT, VISIO, "Disabled");
    let result = env.run_in_home(&at(&EVERYWHERE, CHECK)).assert_code(0);
    assert_eq!((result.stdout.as_str(), result.stderr.as_str()), ("[]\n", "As b.toml says: 3 of 3 tenants.\n"));
    env.tenant.set_value_in(THIRD_TENANT, VISIO, "Enabled");
    let result = env.run_in_home(&at(&EVERYWHERE, CHECK)).assert_code(3).stderr_contains(&["1 of 3 tenants"]);
    assert_eq!(result.column("tenantId"), [THIRD_TENANT]);
    assert!(!result.stderr.contains(HOME_TENANT), "{}", result.stderr);
}

#[test]
fn what_a_tenant_does_not_have_is_unknown_there_alone() {
    let env = with_baseline("[products]\nCFQ7TTC0MINE = 'Disabled'\n");
    env.tenant.set_products_in(CUSTOMER_TENANT, vec![Product::new("CFQ7TTC0MINE", "Mine", "Disabled")]);
    let result = env.run_in_home(&at(&[CUSTOMER_DOMAIN, HOME_DOMAIN], CHECK)).assert_code(3);
    assert_eq!(
        (result.column("tenantId"), result.column("drift")),
        (vec![HOME_TENANT.to_owned()], vec!["unknown".to_owned()])
    );
    result.stderr_contains(&["1 of 2 tenants"]);
}

#[test]
fn a_refused_sign_in_outweighs_a_failure_and_that_outweighs_drift() {
    let env = with_baseline(BASELINE);
    // One request at a time, so that the first tenant is the one that fails.
    let check = [CHECK, &["--jobs", "1"]].concat();
    let result = env.run_in_home(&at(&[CUSTOMER_DOMAIN, HOME_DOMAIN], &check)).assert_code(3);
    assert_eq!(result.column("tenantId").len(), 2);
    for (names, code) in [
        (&[CUSTOMER_DOMAIN, HOME_DOMAIN][..], 1),
        (&[CUSTOMER_DOMAIN, HOME_DOMAIN, "nowhere.example"], 4),
        (&[CUSTOMER_DOMAIN, "nowhere.example", HOME_DOMAIN], 4),
    ] {
        env.tenant.fail_next("GET ", refusal(403, "Forbidden", "Not you."));
        let result = env.run_in_home(&at(names, &check)).assert_code(code);
        // What is known of the others is told all the same.
        assert_eq!(result.column("tenantId"), [HOME_TENANT]);
        let failed = names.len() - 1;
        result.stderr_contains(&[
            &format!("error: {failed} of {} tenants failed\n", names.len()),
            "  fabrikam.example (22222222-2222-4222-8222-222222222222): ",
            "Not you.",
            &format!("({HOME_TENANT}) is not as b.toml says: 1 different"),
        ]);
    }
}

#[test]
fn each_tenant_becomes_as_the_file_says() {
    let env = with_baseline(&format!("{BASELINE}[offer-types]\nSaaS = 'Disabled'\n"));
    let result = env.run_in_home(&at(&EVERYWHERE, APPLY)).assert_code(0);
    assert_eq!(result.stderr, "5 changed, 4 unchanged at 3 tenants\n");
    assert_eq!(tenants(&result), [CUSTOMER_TENANT, HOME_TENANT, THIRD_TENANT]);
    assert_eq!(ids_of(&result, CUSTOMER_TENANT, "changed"), [VISIO]);
    assert_eq!(ids_of(&result, HOME_TENANT, "changed"), [POWER_BI, "SaaS"]);
    assert_eq!(env.history().len(), 5);
    env.run_in_home(&at(&EVERYWHERE, CHECK)).assert_code(0);
    env.tenant.forget_requests();
    env.run_in_home(&at(&EVERYWHERE, APPLY))
        .assert_code(0)
        .stderr_contains(&["Nothing to change at 3 tenants: 9 unchanged."]);
    assert_eq!(changes(&env.tenant.requests()), []);
}

#[test]
fn an_unknown_id_stops_the_tenant_that_lacks_it_and_no_other() {
    let env = with_baseline("default = 'Disabled'\n[products]\nCFQ7TTC0MINE = 'Disabled'\n");
    env.tenant.set_products_in(CUSTOMER_TENANT, vec![Product::new("CFQ7TTC0MINE", "Mine", "Enabled")]);
    let before = env.tenant.value(POWER_BI);
    let result = env.run_in_home(&at(&[HOME_DOMAIN, CUSTOMER_DOMAIN], APPLY)).assert_code(1);
    assert_eq!(tenants(&result), [CUSTOMER_TENANT]);
    assert_eq!(env.tenant.value_in(CUSTOMER_TENANT, "CFQ7TTC0MINE"), "Disabled");
    assert_eq!(env.tenant.value(POWER_BI), before);
    result.stderr_contains(&[
        "error: 1 of 2 tenants failed\n  contoso.example (11111111-1111-4111-8111-111111111111): ",
        "b.toml:3: product CFQ7TTC0MINE",
        "--ignore-unknown",
        "hint: mscommerce products list --scope all --tenant contoso.example",
    ]);

    let regardless = [APPLY, &["--ignore-unknown"]].concat();
    let result = env.run_in_home(&at(&[HOME_DOMAIN, CUSTOMER_DOMAIN], &regardless)).assert_code(0);
    assert_eq!(env.tenant.value(POWER_BI), "Disabled");
    assert_eq!(result.stderr.matches("warning: ").count(), 1, "{}", result.stderr);
    result.stderr_contains(&["the tenant contoso.example has no product CFQ7TTC0MINE; ignored"]);
}

#[test]
fn a_dry_run_plans_for_each_and_sends_nothing() {
    let env = with_baseline(BASELINE);
    let dry = ["baseline", "apply", "b.toml", "--dry-run", "-o", "json"];
    let result = env.run_in_home(&at(&EVERYWHERE, &dry)).assert_code(0);
    assert_eq!(result.stderr, "Dry run at 3 tenants: 3 planned, 3 unchanged; nothing was sent.\n");
    assert_eq!(changes(&env.tenant.requests()), []);
    // A tenant that cannot be read is no plan.
    let names = [HOME_DOMAIN, "nowhere.example"];
    let result = env.run_in_home(&at(&names, &dry)).assert_code(4);
    assert_eq!(result.column("outcome"), ["planned", "unchanged"]);
    result
        .stderr_contains(&["1 of 2 tenants failed", "Dry run at 1 tenant: 1 planned, 1 unchanged; nothing was sent."]);
}

#[test]
fn a_file_that_is_no_baseline_is_told_before_anything_is_sent() {
    let env = with_baseline("default = 'Sometimes'\n");
    for command in [CHECK, APPLY] {
        env.run_in_home(&at(&EVERYWHERE, command))
            .assert_code(1)
            .stdout_is_empty()
            .stderr_contains(&["b.toml:1", "Sometimes"]);
    }
    assert_eq!(env.request_lines(), Vec::<String>::new());
}
