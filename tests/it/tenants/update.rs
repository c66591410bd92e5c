//! `products update` for several tenants.

use super::*;
use crate::support::fixtures::{FORMATS, POWER_BI, THIRD_DOMAIN, THIRD_TENANT, TRIALS, VISIO};
use crate::tenant::default_products;

const UPDATE: &[&str] = &["products", "update", POWER_BI, VISIO, "--value", "trials", "--yes", "-o", "json"];

const ALL_TENANTS: [&str; 3] = [CUSTOMER_DOMAIN, HOME_DOMAIN, THIRD_DOMAIN];

fn owned(updates: &[(&str, &str)]) -> Vec<(String, String)> {
    updates.iter().map(|(tenant, id)| ((*tenant).to_owned(), (*id).to_owned())).collect()
}

#[test]
fn update_changes_only_what_differs() {
    let mut transcript = Transcript::default();
    for (name, variables) in [("user", &[][..]), ("application", &app_variables())] {
        let env = partner_env();
        let result = env.run_with_env(variables, &for_tenants(&ALL_TENANTS, UPDATE));
        transcript.push(name, stderr_only(&result));
        assert_eq!(tenant_ids(&result), [CUSTOMER_TENANT, HOME_TENANT, THIRD_TENANT]);
        assert_eq!(result.column("id"), [POWER_BI, VISIO, POWER_BI, VISIO, POWER_BI, VISIO]);
        // Visio is already set to trials in the customer tenant.
        assert_eq!(ids_with_outcome(&result, CUSTOMER_TENANT, "unchanged"), [VISIO]);
        assert_eq!(result.column("previousValue"), ["Disabled", TRIALS, "Enabled", "Disabled", "Enabled", "Disabled"]);
        assert!(result.column("policyValue").iter().all(|value| value == TRIALS));
        assert_eq!(
            sent_updates(&env.tenant.requests()),
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
    cli_snapshot!(transcript, @"
    ===== user =====
    ===== application =====
    exit_code: 0
    ----- stderr -----
    warning: Microsoft does not list a trial without a payment method for Power BI Pro (CFQ7TTC0H9MP); OnlyTrialsWithoutPaymentMethod is probably the same as Disabled
    5 changed, 1 unchanged in 3 tenants
    ");
}

#[test]
fn repeated_update_changes_nothing() {
    let env = partner_env_with_tokens();
    env.run(&for_tenants(&ALL_TENANTS, UPDATE)).assert_code(0);
    env.tenant.forget_requests();
    let result = env.run(&for_tenants(&ALL_TENANTS, UPDATE));
    cli_snapshot!(stderr_only(&result), @"
    exit_code: 0
    ----- stderr -----
    Nothing to change in 3 tenants: 6 already up to date.
    ");
    assert_eq!(result.column("outcome"), ["unchanged"; 6]);
    assert_eq!(env.request_lines().len(), 3);
}

#[test]
fn dry_run_needs_no_yes_and_changes_nothing() {
    let env = partner_env_with_tokens();
    let mut transcript = Transcript::default();
    let dry_run: Vec<&str> = UPDATE.iter().map(|word| if *word == "--yes" { "--dry-run" } else { word }).collect();
    for more in [&[][..], &["--yes"]] {
        let result = env.run(&for_tenants(&ALL_TENANTS, &[&dry_run, more].concat()));
        transcript.push(format!("{more:?}"), stderr_only(&result));
        assert_eq!(result.column("outcome"), ["planned", "unchanged", "planned", "planned", "planned", "planned"]);
    }
    cli_snapshot!(transcript, @r#"
    ===== [] =====
    ===== ["--yes"] =====
    exit_code: 0
    ----- stderr -----
    warning: Microsoft does not list a trial without a payment method for Power BI Pro (CFQ7TTC0H9MP); OnlyTrialsWithoutPaymentMethod is probably the same as Disabled
    Dry run in 3 tenants: 5 planned, 1 unchanged. Nothing was sent.
    "#);
    assert_eq!(sent_updates(&env.tenant.requests()), []);
    assert_eq!(env.history(), Vec::<Value>::new());
}

#[test]
fn update_in_every_format_starts_with_tenant() {
    let env = partner_env_with_tokens();
    let mut all = String::new();
    for format in FORMATS {
        env.tenant.set_value_in(CUSTOMER_TENANT, VISIO, "Enabled");
        let update = ["products", "update", VISIO, "--value", "disabled", "--yes", "-o", format];
        let result = env.run(&for_tenants(&[CUSTOMER_DOMAIN, HOME_DOMAIN], &update)).assert_code(0);
        all += &format!("$ -o {format}\n{}", result.stdout);
    }
    insta::assert_snapshot!("update_in_every_format", all);
}

#[test]
fn failed_update_does_not_stop_other_updates() {
    let env = partner_env_with_tokens();
    let put = format!("PUT /v1.0/policies/AllowSelfServicePurchase/products/{POWER_BI}");
    env.tenant.fail_next(&put, error_response(409, "Odd", "Not this one."));
    // One request at a time, so that the first tenant fails.
    let result = env.run(&for_tenants(&ALL_TENANTS, &[UPDATE, &["--jobs", "1"]].concat()));
    assert_eq!(ids_with_outcome(&result, CUSTOMER_TENANT, "failed"), [POWER_BI]);
    assert_eq!(ids_with_outcome(&result, CUSTOMER_TENANT, "unchanged"), [VISIO]);
    for tenant in [HOME_TENANT, THIRD_TENANT] {
        assert_eq!(ids_with_outcome(&result, tenant, "changed"), [POWER_BI, VISIO]);
    }
    cli_snapshot!(stderr_only(&result), @"
    exit_code: 1
    ----- stderr -----
    warning: Microsoft does not list a trial without a payment method for Power BI Pro (CFQ7TTC0H9MP); OnlyTrialsWithoutPaymentMethod is probably the same as Disabled
    error: 1 of 3 tenants failed
      fabrikam.example (22222222-2222-4222-8222-222222222222): 1 unchanged, 1 failed
        could not change product CFQ7TTC0H9MP: the service returned 409 Conflict; Odd: Not this one.; correlation ID: [UUID]
      all tenants: 4 changed, 1 unchanged, 1 failed
    hint: Try again later. If it persists, give Microsoft support the correlation ID.
    ");
    assert_eq!(env.history().len(), 4);
}

#[test]
fn unknown_outcome_hint_names_tenant() {
    let env = partner_env_with_tokens();
    env.tenant.fail_next("PUT ", error_response(500, "Odd", "Oops."));
    let result = env.run(&for_tenants(&ALL_TENANTS, &[UPDATE, &["--jobs", "1"]].concat()));
    cli_snapshot!(stderr_only(&result), @"
    exit_code: 1
    ----- stderr -----
    warning: Microsoft does not list a trial without a payment method for Power BI Pro (CFQ7TTC0H9MP); OnlyTrialsWithoutPaymentMethod is probably the same as Disabled
    error: 1 of 3 tenants failed
      fabrikam.example (22222222-2222-4222-8222-222222222222): 1 unchanged, 1 unknown
        could not change product CFQ7TTC0H9MP: the service returned 500 Internal Server Error; Odd: Oops.; correlation ID: [UUID]
      all tenants: 4 changed, 1 unchanged, 1 unknown
    hint: Try again later. If it persists, give Microsoft support the correlation ID.
    hint: check the current value: mscommerce product get CFQ7TTC0H9MP --tenant fabrikam.example
    ");
}

#[test]
fn auth_error_during_run_stops_its_tenant_only() {
    let env = partner_env_with_tokens();
    let all = ["products", "update", "--all", "--value", "enabled", "--yes", "-o", "json", "--jobs", "1"];
    env.tenant.fail_next("PUT ", error_response(401, "Unauthorized", "The token is revoked."));
    env.tenant.fail_next(&format!("POST /{CUSTOMER_TENANT}/"), aadsts_response(50173));
    let result = env.run(&for_tenants(&ALL_TENANTS, &all));
    let failed = ids_with_outcome(&result, CUSTOMER_TENANT, "failed");
    let skipped = ids_with_outcome(&result, CUSTOMER_TENANT, "skipped");
    assert!(skipped.len() > 5 && ids_with_outcome(&result, CUSTOMER_TENANT, "changed").is_empty());
    let records = result.json();
    let errors: Vec<&str> = records.as_array().unwrap().iter().filter_map(|record| record["error"].as_str()).collect();
    assert!(errors[0].contains("AADSTS50173"), "{errors:?}");
    assert_eq!(errors[1..], vec!["not sent: the sign-in was rejected"; skipped.len()]);
    assert_eq!(failed.len(), 1);
    for tenant in [HOME_TENANT, THIRD_TENANT] {
        assert!(ids_with_outcome(&result, tenant, "failed").is_empty());
        for item in default_products() {
            assert_eq!(env.tenant.value_in(tenant, &item.id), "Enabled");
        }
    }
    assert_eq!(sent_updates(&env.tenant.requests()).iter().filter(|(tenant, _)| tenant == CUSTOMER_TENANT).count(), 1);
    cli_snapshot!(stderr_only(&result), @"
    exit_code: 4
    ----- stderr -----
    error: 1 of 3 tenants failed
      fabrikam.example (22222222-2222-4222-8222-222222222222): 6 unchanged, 1 failed, 10 skipped
        could not change product CFQ7TTC0LH2H: could not refresh the saved sign-in for tenant 22222222-2222-4222-8222-222222222222: the saved sign-in has expired or was revoked; AADSTS50173: Not here. (invalid_grant); before that: the service returned 401 Unauthorized; Unauthorized: The token is revoked.; correlation ID: [UUID]
      all tenants: 14 changed, 26 unchanged, 1 failed, 10 skipped
    hint: mscommerce connect
    ");
}

#[test]
fn missing_product_fails_its_tenant_only() {
    let env = partner_env_with_tokens();
    env.tenant.set_products_in(CUSTOMER_TENANT, vec![Product::new(VISIO, "Visio Plan 1", "Enabled")]);
    let result = env.run(&for_tenants(&ALL_TENANTS, UPDATE));
    assert_eq!(tenant_ids(&result), [HOME_TENANT, THIRD_TENANT]);
    assert_eq!(result.column("outcome"), ["changed"; 4]);
    assert_eq!(env.tenant.value_in(CUSTOMER_TENANT, VISIO), "Enabled", "a tenant is updated completely or not at all");
    cli_snapshot!(stderr_only(&result), @"
    exit_code: 1
    ----- stderr -----
    warning: Microsoft does not list a trial without a payment method for Power BI Pro (CFQ7TTC0H9MP); OnlyTrialsWithoutPaymentMethod is probably the same as Disabled
    error: 1 of 3 tenants failed
      fabrikam.example (22222222-2222-4222-8222-222222222222): no product has the ID or name 'CFQ7TTC0H9MP'
        similar product: Visio Plan 1 (CFQ7TTC0HD33)
      all tenants: 4 changed
    hint: mscommerce product list --tenant fabrikam.example
    hint: use --offer-type TYPE for an offer type, such as SaaS
    ");
}

#[cfg(unix)]
#[test]
fn terminal_does_not_prompt_for_tenants() {
    use crate::support::pty::PtySession;
    let env = partner_env_with_tokens();
    env.write("b.toml", "default = 'Disabled'\n");
    let mut transcript = Transcript::default();
    for arguments in [&["products", "update", "--all", "--value", "disabled"][..], &["baseline", "apply", "b.toml"]] {
        let mut command = env.command(&for_tenants(&ALL_TENANTS, arguments));
        command.current_dir(env.home()).args(["--color", "never"]);
        transcript.push(arguments.join(" "), PtySession::run(command).finish());
    }
    cli_snapshot!(transcript, @"
    ===== products update --all --value disabled =====
    ===== baseline apply b.toml =====
    exit_code: 2
    ----- screen -----
    error: changes in several tenants require --yes; nothing was changed
    hint: add --dry-run to preview the changes
    ");
    assert_eq!(env.request_lines(), Vec::<String>::new());
}
