//! `baseline check` and `baseline apply` at several tenants.

use super::*;

/// At home Power BI differs, at the first customer Visio, and at the second one Power BI again.
const BASELINE: &str = "[products]\nCFQ7TTC0H9MP = 'Disabled'\nCFQ7TTC0HD33 = 'Disabled'\n";
const CHECK: &[&str] = &["baseline", "check", "b.toml", "-o", "json"];
const APPLY: &[&str] = &["baseline", "apply", "b.toml", "--yes", "-o", "json"];
const EVERYWHERE: [&str; 3] = [CUSTOMER_DOMAIN, HOME_DOMAIN, THIRD_DOMAIN];

fn with_baseline(text: &str) -> Machine {
    let machine = known_partner();
    write(&machine, "b.toml", text);
    machine
}

#[test]
fn what_differs_is_told_with_its_tenant() {
    let machine = with_baseline(BASELINE);
    let ran = here(&machine, &at(&EVERYWHERE, CHECK)).expect_code(3);
    assert_eq!(column(&ran, "tenantId"), [CUSTOMER_TENANT, HOME_TENANT, THIRD_TENANT]);
    assert_eq!(column(&ran, "id"), [VISIO, POWER_BI, POWER_BI]);
    assert_eq!(column(&ran, "wantedValue"), ["Disabled"; 3]);
    assert_eq!(column(&ran, "drift"), ["different"; 3]);
    ran.expect_said(&["drift: ", "3 of 3 tenants", "hint: "]).expect_said(&["mscommerce baseline apply b.toml --tenant fabrikam.example --tenant contoso.example --tenant tailspin.example --dry-run"]);
}

#[test]
fn drift_in_every_format_begins_with_the_tenant() {
    let machine = with_baseline(BASELINE);
    let mut all = String::new();
    for format in FORMATS {
        let check = ["baseline", "check", "b.toml", "-o", format];
        let ran = here(&machine, &at(&[CUSTOMER_DOMAIN, HOME_DOMAIN], &check)).expect_code(3);
        all += &format!("$ -o {format}\n{}--\n{}", ran.stdout, ran.stderr);
    }
    insta::assert_snapshot!("drift_in_every_format", all);
}

#[test]
fn tenants_that_are_as_wanted_are_not_drifted() {
    let machine = with_baseline(&format!("[products]\n{VISIO} = 'Disabled'\n"));
    machine.tenant.set_value_at(CUSTOMER_TENANT, VISIO, "Disabled");
    let ran = here(&machine, &at(&EVERYWHERE, CHECK)).expect_code(0);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("[]\n", "As b.toml says: 3 of 3 tenants.\n"));
    machine.tenant.set_value_at(THIRD_TENANT, VISIO, "Enabled");
    let ran = here(&machine, &at(&EVERYWHERE, CHECK)).expect_code(3).expect_said(&["1 of 3 tenants"]);
    assert_eq!(column(&ran, "tenantId"), [THIRD_TENANT]);
    assert!(!ran.stderr.contains(HOME_TENANT), "{}", ran.stderr);
}

#[test]
fn what_a_tenant_does_not_have_is_unknown_there_alone() {
    let machine = with_baseline("[products]\nCFQ7TTC0MINE = 'Disabled'\n");
    machine.tenant.set_products_at(CUSTOMER_TENANT, vec![Product::new("CFQ7TTC0MINE", "Mine", "Disabled")]);
    let ran = here(&machine, &at(&[CUSTOMER_DOMAIN, HOME_DOMAIN], CHECK)).expect_code(3);
    assert_eq!(
        (column(&ran, "tenantId"), column(&ran, "drift")),
        (vec![HOME_TENANT.to_owned()], vec!["unknown".to_owned()])
    );
    ran.expect_said(&["1 of 2 tenants"]);
}

#[test]
fn a_refused_sign_in_outweighs_a_failure_and_that_outweighs_drift() {
    let machine = with_baseline(BASELINE);
    // One request at a time, so that the first tenant is the one that fails.
    let check = [CHECK, &["--jobs", "1"]].concat();
    let ran = here(&machine, &at(&[CUSTOMER_DOMAIN, HOME_DOMAIN], &check)).expect_code(3);
    assert_eq!(column(&ran, "tenantId").len(), 2);
    for (names, code) in [
        (&[CUSTOMER_DOMAIN, HOME_DOMAIN][..], 1),
        (&[CUSTOMER_DOMAIN, HOME_DOMAIN, "nowhere.example"], 4),
        (&[CUSTOMER_DOMAIN, "nowhere.example", HOME_DOMAIN], 4),
    ] {
        machine.tenant.fail_next("GET ", refusal(403, "Forbidden", "Not you."));
        let ran = here(&machine, &at(names, &check)).expect_code(code);
        // What is known of the others is told all the same.
        assert_eq!(column(&ran, "tenantId"), [HOME_TENANT]);
        let failed = names.len() - 1;
        ran.expect_said(&[
            &format!("error: {failed} of {} tenants failed\n", names.len()),
            "  fabrikam.example (22222222-2222-4222-8222-222222222222): ",
            "Not you.",
            &format!("({HOME_TENANT}) is not as b.toml says: 1 different"),
        ]);
    }
}

#[test]
fn each_tenant_becomes_as_the_file_says() {
    let machine = with_baseline(&format!("{BASELINE}[offer-types]\nSaaS = 'Disabled'\n"));
    let ran = here(&machine, &at(&EVERYWHERE, APPLY)).expect_code(0);
    assert_eq!(ran.stderr, "5 changed, 4 unchanged at 3 tenants\n");
    assert_eq!(tenants(&ran), [CUSTOMER_TENANT, HOME_TENANT, THIRD_TENANT]);
    assert_eq!(ids_of(&ran, CUSTOMER_TENANT, "changed"), [VISIO]);
    assert_eq!(ids_of(&ran, HOME_TENANT, "changed"), [POWER_BI, "SaaS"]);
    assert_eq!(record_of_changes(&machine).len(), 5);
    here(&machine, &at(&EVERYWHERE, CHECK)).expect_code(0);
    machine.tenant.forget_requests();
    here(&machine, &at(&EVERYWHERE, APPLY))
        .expect_code(0)
        .expect_said(&["Nothing to change at 3 tenants: 9 unchanged."]);
    assert_eq!(changes(&machine.tenant.requests()), []);
}

#[test]
fn an_unknown_id_stops_the_tenant_that_lacks_it_and_no_other() {
    let machine = with_baseline("default = 'Disabled'\n[products]\nCFQ7TTC0MINE = 'Disabled'\n");
    machine.tenant.set_products_at(CUSTOMER_TENANT, vec![Product::new("CFQ7TTC0MINE", "Mine", "Enabled")]);
    let before = machine.tenant.value_of(POWER_BI);
    let ran = here(&machine, &at(&[HOME_DOMAIN, CUSTOMER_DOMAIN], APPLY)).expect_code(1);
    assert_eq!(tenants(&ran), [CUSTOMER_TENANT]);
    assert_eq!(machine.tenant.value_at(CUSTOMER_TENANT, "CFQ7TTC0MINE"), "Disabled");
    assert_eq!(machine.tenant.value_of(POWER_BI), before);
    ran.expect_said(&[
        "error: 1 of 2 tenants failed\n  contoso.example (11111111-1111-4111-8111-111111111111): ",
        "b.toml:3: product CFQ7TTC0MINE",
        "--ignore-unknown",
        "hint: mscommerce products list --scope all --tenant contoso.example",
    ]);

    let regardless = [APPLY, &["--ignore-unknown"]].concat();
    let ran = here(&machine, &at(&[HOME_DOMAIN, CUSTOMER_DOMAIN], &regardless)).expect_code(0);
    assert_eq!(machine.tenant.value_of(POWER_BI), "Disabled");
    assert_eq!(ran.stderr.matches("warning: ").count(), 1, "{}", ran.stderr);
    ran.expect_said(&["the tenant contoso.example has no product CFQ7TTC0MINE; ignored"]);
}

#[test]
fn a_dry_run_plans_for_each_and_sends_nothing() {
    let machine = with_baseline(BASELINE);
    let dry = ["baseline", "apply", "b.toml", "--dry-run", "-o", "json"];
    let ran = here(&machine, &at(&EVERYWHERE, &dry)).expect_code(0);
    assert_eq!(ran.stderr, "Dry run at 3 tenants: 3 planned, 3 unchanged; nothing was sent.\n");
    assert_eq!(changes(&machine.tenant.requests()), []);
    // A tenant that cannot be read is no plan.
    let names = [HOME_DOMAIN, "nowhere.example"];
    let ran = here(&machine, &at(&names, &dry)).expect_code(4);
    assert_eq!(column(&ran, "outcome"), ["planned", "unchanged"]);
    ran.expect_said(&["1 of 2 tenants failed", "Dry run at 1 tenant: 1 planned, 1 unchanged; nothing was sent."]);
}

#[test]
fn a_file_that_is_no_baseline_is_told_before_anything_is_sent() {
    let machine = with_baseline("default = 'Sometimes'\n");
    for command in [CHECK, APPLY] {
        here(&machine, &at(&EVERYWHERE, command))
            .expect_code(1)
            .expect_no_data()
            .expect_said(&["b.toml:1", "Sometimes"]);
    }
    assert_eq!(machine.requests(), Vec::<String>::new());
}
