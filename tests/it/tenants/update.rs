//! `products update` at several tenants.

use super::*;
use crate::support::fixtures::{FORMATS, POWER_BI, THIRD_DOMAIN, THIRD_TENANT, TRIALS, VISIO};
use crate::tenant::default_products;

const UPDATE: &[&str] = &["products", "update", POWER_BI, VISIO, "--value", "trials", "--yes", "-o", "json"];

const EVERYWHERE: [&str; 3] = [CUSTOMER_DOMAIN, HOME_DOMAIN, THIRD_DOMAIN];

fn owned(changes: &[(&str, &str)]) -> Vec<(String, String)> {
    changes.iter().map(|(tenant, id)| ((*tenant).to_owned(), (*id).to_owned())).collect()
}

#[test]
fn each_tenant_gets_what_it_lacks_and_nothing_else() {
    for variables in [&[][..], &application()] {
        let env = partner();
        let result = env.run_with_env(variables, &at(&EVERYWHERE, UPDATE)).assert_code(0);
        assert_eq!(result.stderr, "5 changed, 1 unchanged at 3 tenants\n");
        assert_eq!(tenants(&result), [CUSTOMER_TENANT, HOME_TENANT, THIRD_TENANT]);
        assert_eq!(result.column("id"), [POWER_BI, VISIO, POWER_BI, VISIO, POWER_BI, VISIO]);
        // Visio offers trials at that customer already.
        assert_eq!(ids_of(&result, CUSTOMER_TENANT, "unchanged"), [VISIO]);
        assert_eq!(result.column("previousValue"), ["Disabled", TRIALS, "Enabled", "Disabled", "Enabled", "Disabled"]);
        assert!(result.column("policyValue").iter().all(|value| value == TRIALS));
        assert_eq!(
            changes(&env.tenant.requests()),
            owned(&[
                (HOME_TENANT, POWER_BI),
                (HOME_TENANT, VISIO),
                (CUSTOMER_TENANT, POWER_BI),
                (THIRD_TENANT, POWER_BI),
                (THIRD_TENANT, VISIO),
            ])
        );
        for tenant in [HOME_TENANT, CUSTOMER_TENANT, THIRD_TENANT] {
            for id in [POWER_BI, VISIO] {
                assert_eq!(env.tenant.value_in(tenant, id), TRIALS);
            }
        }
    }
}

#[test]
fn the_second_time_there_is_nothing_to_do() {
    let env = known_partner();
    env.run(&at(&EVERYWHERE, UPDATE)).assert_code(0);
    env.tenant.forget_requests();
    let result = env.run(&at(&EVERYWHERE, UPDATE)).assert_code(0);
    assert_eq!(result.stderr, "Nothing to change at 3 tenants: 6 unchanged.\n");
    assert_eq!(result.column("outcome"), ["unchanged"; 6]);
    assert_eq!(env.request_lines().len(), 3);
}

#[test]
fn a_dry_run_needs_no_yes_and_changes_nothing() {
    let env = known_partner();
    let dry: Vec<&str> = UPDATE.iter().map(|word| if *word == "--yes" { "--dry-run" } else { word }).collect();
    for more in [&[][..], &["--yes"]] {
        let result = env.run(&at(&EVERYWHERE, &[&dry, more].concat())).assert_code(0);
        assert_eq!(result.stderr, "Dry run at 3 tenants: 5 planned, 1 unchanged; nothing was sent.\n");
        assert_eq!(result.column("outcome"), ["planned", "unchanged", "planned", "planned", "planned", "planned"]);
    }
    assert_eq!(changes(&env.tenant.requests()), []);
    assert_eq!(env.history(), Vec::<Value>::new());
}

#[test]
fn a_change_in_every_format_begins_with_the_tenant() {
    let env = known_partner();
    let mut all = String::new();
    for format in FORMATS {
        env.tenant.set_value_in(CUSTOMER_TENANT, VISIO, "Enabled");
        let update = ["products", "update", VISIO, "--value", "disabled", "--yes", "-o", format];
        let result = env.run(&at(&[CUSTOMER_DOMAIN, HOME_DOMAIN], &update)).assert_code(0);
        all += &format!("$ -o {format}\n{}", result.stdout);
    }
    insta::assert_snapshot!("update_in_every_format", all);
}

#[test]
fn one_failed_change_stops_neither_its_tenant_nor_the_others() {
    let env = known_partner();
    let put = format!("PUT /v1.0/policies/AllowSelfServicePurchase/products/{POWER_BI}");
    env.tenant.fail_next(&put, refusal(409, "Odd", "Not this one."));
    // One after the other, so that the first tenant is the one that is refused.
    let result = env.run(&at(&EVERYWHERE, &[UPDATE, &["--jobs", "1"]].concat())).assert_code(1);
    assert_eq!(ids_of(&result, CUSTOMER_TENANT, "failed"), [POWER_BI]);
    assert_eq!(ids_of(&result, CUSTOMER_TENANT, "unchanged"), [VISIO]);
    for tenant in [HOME_TENANT, THIRD_TENANT] {
        assert_eq!(ids_of(&result, tenant, "changed"), [POWER_BI, VISIO]);
    }
    result.stderr_contains(&["error: 1 of 3 tenants failed\n  fabrikam.example (22222222-2222-4222-8222-222222222222): 1 unchanged, 1 failed", "Odd: Not this one."])
        .stderr_contains(&["correlation id: ", "in all: 4 changed, 1 unchanged, 1 failed"]);
    assert_eq!(env.history().len(), 4);
}

#[test]
fn a_change_that_nobody_knows_of_is_to_be_looked_at_in_its_tenant() {
    let env = known_partner();
    env.tenant.fail_next("PUT ", refusal(500, "Odd", "Oops."));
    let result = env.run(&at(&EVERYWHERE, &[UPDATE, &["--jobs", "1"]].concat())).assert_code(1);
    let look = "hint: see what it is now: mscommerce product get CFQ7TTC0H9MP --tenant fabrikam.example";
    result.stderr_contains(&["fabrikam.example (22222222-2222-4222-8222-222222222222): ", look]);
}

#[test]
fn a_sign_in_that_is_refused_on_the_way_stops_its_own_tenant_alone() {
    let env = known_partner();
    let all = ["products", "update", "--all", "--value", "enabled", "--yes", "-o", "json", "--jobs", "1"];
    env.tenant.fail_next("PUT ", refusal(401, "Unauthorized", "The token is revoked."));
    env.tenant.fail_next(&format!("POST /{CUSTOMER_TENANT}/"), no_sign_in(50173));
    let result = env.run(&at(&EVERYWHERE, &all)).assert_code(4);
    let failed = ids_of(&result, CUSTOMER_TENANT, "failed");
    assert!(failed.len() > 5 && ids_of(&result, CUSTOMER_TENANT, "changed").is_empty());
    let records = result.json();
    let errors: Vec<&str> = records.as_array().unwrap().iter().filter_map(|record| record["error"].as_str()).collect();
    assert!(errors[0].contains("AADSTS50173"), "{errors:?}");
    assert_eq!(errors[1..], vec!["not sent: the sign-in was refused"; failed.len() - 1]);
    for tenant in [HOME_TENANT, THIRD_TENANT] {
        assert!(ids_of(&result, tenant, "failed").is_empty());
        for item in default_products() {
            assert_eq!(env.tenant.value_in(tenant, &item.id), "Enabled");
        }
    }
    assert_eq!(changes(&env.tenant.requests()).iter().filter(|(tenant, _)| tenant == CUSTOMER_TENANT).count(), 1);
    result.stderr_contains(&[
        "error: 1 of 3 tenants failed\n  fabrikam.example (22222222-2222-4222-8222-222222222222): ",
        &format!("not sent: {}", failed.len() - 1),
        "hint: mscommerce connect\n",
    ]);
}

#[test]
fn a_product_that_one_tenant_lacks_fails_there_alone() {
    let env = known_partner();
    env.tenant.set_products_in(CUSTOMER_TENANT, vec![Product::new(VISIO, "Visio Plan 1", "Enabled")]);
    let result = env.run(&at(&EVERYWHERE, UPDATE)).assert_code(1);
    assert_eq!(tenants(&result), [HOME_TENANT, THIRD_TENANT]);
    assert_eq!(result.column("outcome"), ["changed"; 4]);
    assert_eq!(env.tenant.value_in(CUSTOMER_TENANT, VISIO), "Enabled", "a tenant is changed as told, or not at all");
    result.stderr_contains(&[
        "error: 1 of 3 tenants failed\n",
        "  fabrikam.example (22222222-2222-4222-8222-222222222222): no product has the id or the name 'CFQ7TTC0H9MP'",
        "hint: mscommerce products list --tenant fabrikam.example",
    ]);
}

#[cfg(unix)]
#[test]
fn a_terminal_is_not_asked_on_either() {
    use crate::support::pty::PtySession;
    let env = known_partner();
    env.write("b.toml", "default = 'Disabled'\n");
    for command in [&["products", "update", "--all", "--value", "disabled"][..], &["baseline", "apply", "b.toml"]] {
        let mut command = env.command(&at(&EVERYWHERE, command));
        command.current_dir(env.home()).env("TERM", "xterm");
        PtySession::run(command).finish().assert_code(2).contains_all(&["need --yes", "nothing was changed"]);
    }
    assert_eq!(env.request_lines(), Vec::<String>::new());
}
