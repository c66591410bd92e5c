//! `baseline check` and `baseline apply` for several tenants.

use super::*;
use crate::support::fixtures::{FORMATS, POWER_BI, THIRD_DOMAIN, THIRD_TENANT, VISIO};

/// Power BI differs in the home tenant and the third one, Visio in the customer tenant.
const BASELINE: &str = "[products]\nCFQ7TTC0H9MP = 'Disabled'\nCFQ7TTC0HD33 = 'Disabled'\n";
const CHECK: &[&str] = &["baseline", "check", "b.toml", "-o", "json"];
const APPLY: &[&str] = &["baseline", "apply", "b.toml", "--yes", "-o", "json"];
const ALL_TENANTS: [&str; 3] = [CUSTOMER_DOMAIN, HOME_DOMAIN, THIRD_DOMAIN];

fn with_baseline(text: &str) -> TestEnv {
    let env = partner_env_with_tokens();
    env.write("b.toml", text);
    env
}

#[test]
fn check_reports_drift_with_tenant() {
    let env = with_baseline(BASELINE);
    let result = env.run_in_home(&for_tenants(&ALL_TENANTS, CHECK));
    assert_eq!(result.column("tenantId"), [CUSTOMER_TENANT, HOME_TENANT, THIRD_TENANT]);
    assert_eq!(result.column("id"), [VISIO, POWER_BI, POWER_BI]);
    assert_eq!(result.column("wantedValue"), ["Disabled"; 3]);
    assert_eq!(result.column("drift"), ["different"; 3]);
    cli_snapshot!(stderr_only(&result), @"
    exit_code: 3
    ----- stderr -----
    drift: 3 of 3 tenants differ from b.toml.
      Tenant fabrikam.example (22222222-2222-4222-8222-222222222222) does not match b.toml: 1 setting differs (2 checked).
      Tenant contoso.example (11111111-1111-4111-8111-111111111111) does not match b.toml: 1 setting differs (2 checked).
      Tenant tailspin.example (33333333-3333-4333-8333-333333333333) does not match b.toml: 1 setting differs (2 checked).
    hint: preview the changes: mscommerce baseline apply b.toml --tenant fabrikam.example --tenant contoso.example --tenant tailspin.example --dry-run
    ");
}

#[test]
fn drift_in_every_format_starts_with_tenant() {
    let env = with_baseline(BASELINE);
    let mut all = String::new();
    for format in FORMATS {
        let check = ["baseline", "check", "b.toml", "-o", format];
        let result = env.run_in_home(&for_tenants(&[CUSTOMER_DOMAIN, HOME_DOMAIN], &check)).assert_code(3);
        all += &format!("$ -o {format}\n{}--\n{}", result.stdout, result.stderr);
    }
    insta::assert_snapshot!("drift_in_every_format", all);
}

#[test]
fn check_without_drift_exits_with_0() {
    let env = with_baseline(&format!("[products]\n{VISIO} = 'Disabled'\n"));
    env.tenant.set_value_in(CUSTOMER_TENANT, VISIO, "Disabled");
    cli_snapshot!(env.run_in_home(&for_tenants(&ALL_TENANTS, CHECK)), @"
    exit_code: 0
    ----- stdout -----
    []
    ----- stderr -----
    3 of 3 tenants match b.toml.
    ");
    env.tenant.set_value_in(THIRD_TENANT, VISIO, "Enabled");
    let result = env.run_in_home(&for_tenants(&ALL_TENANTS, CHECK));
    assert_eq!(result.column("tenantId"), [THIRD_TENANT]);
    cli_snapshot!(stderr_only(&result), @"
    exit_code: 3
    ----- stderr -----
    drift: 1 of 3 tenants differs from b.toml.
      Tenant tailspin.example (33333333-3333-4333-8333-333333333333) does not match b.toml: 1 setting differs (1 checked).
    hint: preview the changes: mscommerce baseline apply b.toml --tenant fabrikam.example --tenant contoso.example --tenant tailspin.example --dry-run
    ");
}

#[test]
fn check_unknown_id_concerns_its_tenant_only() {
    let env = with_baseline("[products]\nCFQ7TTC0MINE = 'Disabled'\n");
    env.tenant.set_products_in(CUSTOMER_TENANT, vec![Product::new("CFQ7TTC0MINE", "Mine", "Disabled")]);
    let result = env.run_in_home(&for_tenants(&[CUSTOMER_DOMAIN, HOME_DOMAIN], CHECK));
    assert_eq!(
        (result.column("tenantId"), result.column("drift")),
        (vec![HOME_TENANT.to_owned()], vec!["unknown".to_owned()])
    );
    cli_snapshot!(stderr_only(&result), @"
    exit_code: 3
    ----- stderr -----
    drift: 1 of 2 tenants differs from b.toml.
      Tenant contoso.example (11111111-1111-4111-8111-111111111111) does not match b.toml: 1 ID not found (1 checked).
    hint: preview the changes: mscommerce baseline apply b.toml --tenant fabrikam.example --tenant contoso.example --ignore-unknown --dry-run
    ");
}

#[test]
fn auth_error_precedes_failure_precedes_drift() {
    let env = with_baseline(BASELINE);
    // One request at a time, so that the first tenant fails.
    let check = [CHECK, &["--jobs", "1"]].concat();
    let result = env.run_in_home(&for_tenants(&[CUSTOMER_DOMAIN, HOME_DOMAIN], &check)).assert_code(3);
    assert_eq!(result.column("tenantId").len(), 2);
    let mut transcript = Transcript::default();
    for (names, code) in [
        (&[CUSTOMER_DOMAIN, HOME_DOMAIN][..], 1),
        (&[CUSTOMER_DOMAIN, HOME_DOMAIN, "nowhere.example"], 4),
        (&[CUSTOMER_DOMAIN, "nowhere.example", HOME_DOMAIN], 4),
    ] {
        env.tenant.fail_next("GET ", error_response(403, "Forbidden", "Not you."));
        let result = env.run_in_home(&for_tenants(names, &check)).assert_code(code);
        // The drift of the other tenants is still reported.
        assert_eq!(result.column("tenantId"), [HOME_TENANT]);
        transcript.push(names.join(", "), stderr_only(&result));
    }
    cli_snapshot!(transcript, @"
    ===== fabrikam.example, contoso.example =====
    exit_code: 1
    ----- stderr -----
    error: 1 of 2 tenants failed
      fabrikam.example (22222222-2222-4222-8222-222222222222): could not list the products: the service returned 403 Forbidden
        Forbidden: Not you.
        correlation ID: [UUID]
      Tenant contoso.example (11111111-1111-4111-8111-111111111111) does not match b.toml: 1 setting differs (2 checked).
    hint: use an account with the role Global Administrator, Billing Administrator or Global Reader in this tenant
    hint: as a partner, request the role through GDAP
    hint: check the account and tenant: mscommerce status --tenant fabrikam.example
    hint: preview the changes: mscommerce baseline apply b.toml --tenant fabrikam.example --tenant contoso.example --dry-run
    ===== fabrikam.example, contoso.example, nowhere.example =====
    exit_code: 4
    ----- stderr -----
    error: 2 of 3 tenants failed
      fabrikam.example (22222222-2222-4222-8222-222222222222): could not list the products: the service returned 403 Forbidden
        Forbidden: Not you.
        correlation ID: [UUID]
      nowhere.example: could not refresh the saved sign-in for tenant nowhere.example: the tenant does not exist in this cloud
        AADSTS90002: Tenant 'nowhere.example' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. (invalid_request)
        correlation ID: [UUID], trace ID: [UUID]
      Tenant contoso.example (11111111-1111-4111-8111-111111111111) does not match b.toml: 1 setting differs (2 checked).
    hint: use an account with the role Global Administrator, Billing Administrator or Global Reader in this tenant
    hint: as a partner, request the role through GDAP
    hint: check the account and tenant: mscommerce status --tenant fabrikam.example
    hint: check the tenant (--tenant, or AZURE_TENANT_ID for connect), and set AZURE_AUTHORITY_HOST for a national cloud
    hint: preview the changes: mscommerce baseline apply b.toml --tenant fabrikam.example --tenant contoso.example --tenant nowhere.example --dry-run
    ===== fabrikam.example, nowhere.example, contoso.example =====
    exit_code: 4
    ----- stderr -----
    error: 2 of 3 tenants failed
      fabrikam.example (22222222-2222-4222-8222-222222222222): could not list the products: the service returned 403 Forbidden
        Forbidden: Not you.
        correlation ID: [UUID]
      nowhere.example: could not refresh the saved sign-in for tenant nowhere.example: the tenant does not exist in this cloud
        AADSTS90002: Tenant 'nowhere.example' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. (invalid_request)
        correlation ID: [UUID], trace ID: [UUID]
      Tenant contoso.example (11111111-1111-4111-8111-111111111111) does not match b.toml: 1 setting differs (2 checked).
    hint: use an account with the role Global Administrator, Billing Administrator or Global Reader in this tenant
    hint: as a partner, request the role through GDAP
    hint: check the account and tenant: mscommerce status --tenant fabrikam.example
    hint: check the tenant (--tenant, or AZURE_TENANT_ID for connect), and set AZURE_AUTHORITY_HOST for a national cloud
    hint: preview the changes: mscommerce baseline apply b.toml --tenant fabrikam.example --tenant nowhere.example --tenant contoso.example --dry-run
    ");
}

#[test]
fn apply_changes_every_tenant() {
    let env = with_baseline(&format!("{BASELINE}[offer-types]\nSaaS = 'Disabled'\n"));
    let result = env.run_in_home(&for_tenants(&ALL_TENANTS, APPLY));
    cli_snapshot!(stderr_only(&result), @"
    exit_code: 0
    ----- stderr -----
    5 changed, 4 unchanged in 3 tenants
    ");
    assert_eq!(tenant_ids(&result), [CUSTOMER_TENANT, HOME_TENANT, THIRD_TENANT]);
    assert_eq!(ids_with_outcome(&result, CUSTOMER_TENANT, "changed"), [VISIO]);
    assert_eq!(ids_with_outcome(&result, HOME_TENANT, "changed"), [POWER_BI, "SaaS"]);
    assert_eq!(env.history().len(), 5);
    env.run_in_home(&for_tenants(&ALL_TENANTS, CHECK)).assert_code(0);
    env.tenant.forget_requests();
    cli_snapshot!(stderr_only(&env.run_in_home(&for_tenants(&ALL_TENANTS, APPLY))), @"
    exit_code: 0
    ----- stderr -----
    Nothing to change in 3 tenants: 9 already up to date.
    ");
    assert_eq!(sent_updates(&env.tenant.requests()), []);
}

#[test]
fn apply_unknown_id_stops_its_tenant_only() {
    let env = with_baseline("default = 'Disabled'\n[products]\nCFQ7TTC0MINE = 'Disabled'\n");
    env.tenant.set_products_in(CUSTOMER_TENANT, vec![Product::new("CFQ7TTC0MINE", "Mine", "Enabled")]);
    let before = env.tenant.value(POWER_BI);
    let result = env.run_in_home(&for_tenants(&[HOME_DOMAIN, CUSTOMER_DOMAIN], APPLY));
    assert_eq!(tenant_ids(&result), [CUSTOMER_TENANT]);
    assert_eq!(env.tenant.value_in(CUSTOMER_TENANT, "CFQ7TTC0MINE"), "Disabled");
    assert_eq!(env.tenant.value(POWER_BI), before);
    cli_snapshot!(stderr_only(&result), @"
    exit_code: 1
    ----- stderr -----
    error: 1 of 2 tenants failed
      contoso.example (11111111-1111-4111-8111-111111111111): the file contains an ID that the tenant does not have; nothing was changed
        b.toml:3: product CFQ7TTC0MINE
      all tenants: 3 changed, 2 unchanged
    hint: correct the file, or add --ignore-unknown to skip unknown IDs
    hint: mscommerce product list --scope all --tenant contoso.example
    ");

    let ignore_unknown = [APPLY, &["--ignore-unknown"]].concat();
    let result = env.run_in_home(&for_tenants(&[HOME_DOMAIN, CUSTOMER_DOMAIN], &ignore_unknown));
    assert_eq!(env.tenant.value(POWER_BI), "Disabled");
    cli_snapshot!(stderr_only(&result), @"
    exit_code: 0
    ----- stderr -----
    warning: b.toml:3: tenant contoso.example does not have product CFQ7TTC0MINE; ignored
    14 changed, 12 unchanged in 2 tenants
    ");
}

#[test]
fn apply_dry_run_plans_every_tenant() {
    let env = with_baseline(BASELINE);
    let dry_run = ["baseline", "apply", "b.toml", "--dry-run", "-o", "json"];
    cli_snapshot!(stderr_only(&env.run_in_home(&for_tenants(&ALL_TENANTS, &dry_run))), @"
    exit_code: 0
    ----- stderr -----
    Dry run in 3 tenants: 3 planned, 3 unchanged. Nothing was sent.
    ");
    assert_eq!(sent_updates(&env.tenant.requests()), []);
    // A tenant that cannot be read is not in the plan.
    let names = [HOME_DOMAIN, "nowhere.example"];
    let result = env.run_in_home(&for_tenants(&names, &dry_run));
    assert_eq!(result.column("outcome"), ["planned", "unchanged"]);
    cli_snapshot!(stderr_only(&result), @"
    exit_code: 4
    ----- stderr -----
    Dry run in 1 tenant: 1 planned, 1 unchanged. Nothing was sent.
    error: 1 of 2 tenants failed
      nowhere.example: could not refresh the saved sign-in for tenant nowhere.example: the tenant does not exist in this cloud
        AADSTS90002: Tenant 'nowhere.example' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. (invalid_request)
        correlation ID: [UUID], trace ID: [UUID]
    hint: check the tenant (--tenant, or AZURE_TENANT_ID for connect), and set AZURE_AUTHORITY_HOST for a national cloud
    ");
}

#[test]
fn invalid_baseline_sends_nothing() {
    let env = with_baseline("default = 'Sometimes'\n");
    let mut transcript = Transcript::default();
    for command in [CHECK, APPLY] {
        transcript.push(command.join(" "), env.run_in_home(&for_tenants(&ALL_TENANTS, command)));
    }
    cli_snapshot!(transcript, @"
    ===== baseline check b.toml -o json =====
    ===== baseline apply b.toml --yes -o json =====
    exit_code: 2
    ----- stderr -----
    error: b.toml:1: default: 'Sometimes' is not a valid value: use enabled, disabled or only-trials-without-payment-method (short: trials)
    ");
    assert_eq!(env.request_lines(), Vec::<String>::new());
}
