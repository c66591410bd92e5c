//! `baseline apply`: updating the settings that differ from the file.

use serde_json::json;

use super::*;
use crate::support::fixtures::{OLD_POWER_BI, PLANNER, POWER_BI, VISIO};
use crate::support::snapshot::Transcript;
use crate::tenant::{
    CUSTOMER_DOMAIN, CUSTOMER_TENANT, Product, READER, Response, default_offer_types, default_products,
};

/// One product and one offer type differ, one of each is up to date.
const BASELINE: &str = r#"policy = "AllowSelfServicePurchase"

[products]
cfq7ttc0h9mp = "trials"
CFQ7TTC0HD33 = "Disabled"

[offer-types]
SaaS = "Disabled"
POWERBIVISUALS = "Enabled"
"#;

const APPLY: &[&str] = &["baseline", "apply", "b.toml", "--yes", "-o", "json"];
const CHECK: &[&str] = &["baseline", "check", "b.toml", "-o", "json"];

fn owned(updates: &[(&str, &str)]) -> Vec<(String, String)> {
    updates.iter().map(|(id, value)| ((*id).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn apply_updates_only_what_differs() {
    let env = env_with_baseline(BASELINE);
    cli_snapshot!(env.run_in_home(APPLY), @r#"
    exit_code: 0
    ----- stdout -----
    [
      {
        "policyId": "AllowSelfServicePurchase",
        "scope": "product",
        "id": "CFQ7TTC0H9MP",
        "name": "Power BI Pro",
        "policyValue": "OnlyTrialsWithoutPaymentMethod",
        "wantedValue": "OnlyTrialsWithoutPaymentMethod",
        "previousValue": "Enabled",
        "outcome": "changed",
        "error": null
      },
      {
        "policyId": "AllowSelfServicePurchase",
        "scope": "product",
        "id": "CFQ7TTC0HD33",
        "name": "Visio Plan 1",
        "policyValue": "Disabled",
        "wantedValue": "Disabled",
        "previousValue": "Disabled",
        "outcome": "unchanged",
        "error": null
      },
      {
        "policyId": "AllowSelfServicePurchase",
        "scope": "offerType",
        "id": "SaaS",
        "name": "Software as a Service",
        "policyValue": "Disabled",
        "wantedValue": "Disabled",
        "previousValue": "Enabled",
        "outcome": "changed",
        "error": null
      },
      {
        "policyId": "AllowSelfServicePurchase",
        "scope": "offerType",
        "id": "POWERBIVISUALS",
        "name": "Power BI Visuals",
        "policyValue": "Enabled",
        "wantedValue": "Enabled",
        "previousValue": "Enabled",
        "outcome": "unchanged",
        "error": null
      }
    ]
    ----- stderr -----
    warning: Microsoft does not list a trial without a payment method for Power BI Pro (CFQ7TTC0H9MP); OnlyTrialsWithoutPaymentMethod is probably the same as Disabled
    2 changed, 2 unchanged in tenant 11111111-1111-4111-8111-111111111111
    "#);
    assert_eq!(
        sorted_requests(&env),
        [
            LISTS[0],
            LISTS[1],
            "PUT /v1.0/policies/AllowSelfServicePurchase/offerTypes/SaaS",
            "PUT /v1.0/policies/AllowSelfServicePurchase/products/CFQ7TTC0H9MP",
        ]
    );
    let expected = [(POWER_BI, "OnlyTrialsWithoutPaymentMethod"), ("SaaS", "Disabled")];
    assert_eq!(env.updates(), owned(&expected));
    for item in default_products().iter().chain(&default_offer_types()) {
        let updated = expected.iter().find(|(id, _)| *id == item.id).map(|(_, value)| *value);
        assert_eq!(env.tenant.value(&item.id), updated.unwrap_or(&item.value));
    }
    env.run_in_home(CHECK).assert_code(0);
}

#[test]
fn apply_twice_sends_no_further_updates() {
    let env = env_with_baseline(BASELINE);
    env.run_in_home(APPLY).assert_code(0);
    env.tenant.forget_requests();
    let result = env.run_in_home(APPLY);
    cli_snapshot!(result.without_stdout(), @"
    exit_code: 0
    ----- stderr -----
    Nothing to change in tenant 11111111-1111-4111-8111-111111111111: 4 already up to date.
    ");
    assert_eq!(sorted_requests(&env), LISTS);
    assert!(field(&result, "outcome").values().all(|outcome| outcome == "unchanged"));
}

#[test]
fn apply_of_export_restores_settings() {
    let env = TestEnv::signed_in();
    let mut transcript = Transcript::default();
    for file in ["b.toml", "b.json"] {
        env.run_in_home(&["baseline", "export", "--file", file]).assert_code(0);
        env.tenant.set_value(POWER_BI, "Disabled");
        env.tenant.set_value(PLANNER, "Enabled");
        env.tenant.set_value("SaaS", "Disabled");
        transcript.push(file, env.run_in_home(&["baseline", "apply", file, "--yes"]).without_stdout());
        for item in default_products().iter().chain(&default_offer_types()) {
            assert_eq!(env.tenant.value(&item.id), item.value, "{file}");
        }
    }
    cli_snapshot!(transcript, @"
    ===== b.toml =====
    ===== b.json =====
    exit_code: 0
    ----- stderr -----
    3 changed, 18 unchanged in tenant 11111111-1111-4111-8111-111111111111
    ");
}

#[test]
fn apply_without_terminal_needs_yes() {
    let env = env_with_baseline(BASELINE);
    cli_snapshot!(env.run_in_home(&["baseline", "apply", "b.toml"]), @"
    exit_code: 2
    ----- stderr -----
    error: confirmation required, but standard input is not a terminal; nothing was changed
    hint: add --yes to skip the confirmation prompt, or --dry-run to preview the changes
    ");
    // Piped input does not count as an answer.
    let mut command = env.command(&["baseline", "apply", "b.toml"]);
    command.current_dir(env.home());
    TestEnv::run_command_with_stdin(command, "y\n").assert_code(2).stdout_is_empty();
    assert!(env.request_lines().is_empty());
}

#[test]
fn apply_dry_run_sends_no_put() {
    let env = env_with_baseline(BASELINE);
    let mut transcript = Transcript::default();
    for flags in [&["--dry-run"][..], &["--dry-run", "--yes"]] {
        let result = env.run_in_home(&[&["baseline", "apply", "b.toml", "-o", "json"], flags].concat());
        transcript.push(flags.join(" "), result.without_stdout());
        let outcomes = field(&result, "outcome");
        assert_eq!((&outcomes[POWER_BI], &outcomes[VISIO]), (&json!("planned"), &json!("unchanged")));
        assert_eq!(field(&result, "wantedValue")[POWER_BI], "OnlyTrialsWithoutPaymentMethod");
        assert_eq!(field(&result, "policyValue")[POWER_BI], "Enabled");
        assert_eq!(field(&result, "previousValue")[POWER_BI], "Enabled");
    }
    cli_snapshot!(transcript, @"
    ===== --dry-run =====
    ===== --dry-run --yes =====
    exit_code: 0
    ----- stderr -----
    warning: Microsoft does not list a trial without a payment method for Power BI Pro (CFQ7TTC0H9MP); OnlyTrialsWithoutPaymentMethod is probably the same as Disabled
    Dry run in tenant 11111111-1111-4111-8111-111111111111: 2 planned, 2 unchanged. Nothing was sent.
    ");
    assert!(env.updates().is_empty());
    assert_eq!(env.tenant.value(POWER_BI), "Enabled");
}

#[test]
fn apply_with_unknown_ids_sends_no_put() {
    let env = env_with_baseline(&format!("{BASELINE}Bundle = \"Enabled\"\n{OLD_POWER_BI} = \"Disabled\"\n"));
    let mut transcript = Transcript::default();
    for flag in ["--yes", "--dry-run"] {
        transcript.push(flag, env.run_in_home(&["baseline", "apply", "b.toml", flag]));
    }
    cli_snapshot!(transcript, @"
    ===== --yes =====
    ===== --dry-run =====
    exit_code: 1
    ----- stderr -----
    error: the file contains IDs that the tenant does not have; nothing was changed
      b.toml:10: offer type Bundle
      b.toml:11: offer type CFQ7TTC0L3PB
    hint: use the new ID CFQ7TTC0H9MP (Power BI Pro) instead of CFQ7TTC0L3PB: mscommerce product get CFQ7TTC0H9MP
    hint: correct the file, or add --ignore-unknown to skip unknown IDs
    hint: mscommerce product list --scope all
    ");
    assert!(env.updates().is_empty());
}

#[test]
fn apply_with_renumbered_id_names_new_id() {
    let env = env_with_baseline(&format!("default = \"Disabled\"\n[products]\n{OLD_POWER_BI} = \"Enabled\"\n"));
    cli_snapshot!(env.run_in_home(APPLY), @"
    exit_code: 1
    ----- stderr -----
    error: the file contains an ID that the tenant does not have; nothing was changed
      b.toml:3: product CFQ7TTC0L3PB
    hint: use the new ID CFQ7TTC0H9MP (Power BI Pro) instead of CFQ7TTC0L3PB: mscommerce product get CFQ7TTC0H9MP
    hint: correct the file, or add --ignore-unknown to skip unknown IDs
    hint: mscommerce product list --scope all
    ");
    assert!(env.updates().is_empty());
}

#[test]
fn apply_ignore_unknown_applies_the_rest() {
    let env = env_with_baseline(&format!("{BASELINE}Bundle = \"Odd\"\n"));
    let result = env.run_in_home(&[APPLY, &["--ignore-unknown"]].concat());
    cli_snapshot!(result.without_stdout(), @"
    exit_code: 0
    ----- stderr -----
    warning: b.toml:10: the tenant does not have offer type Bundle; ignored
    warning: Microsoft does not list a trial without a payment method for Power BI Pro (CFQ7TTC0H9MP); OnlyTrialsWithoutPaymentMethod is probably the same as Disabled
    2 changed, 2 unchanged in tenant 11111111-1111-4111-8111-111111111111
    ");
    assert_eq!(result.ids(), [POWER_BI, VISIO, "SaaS", "POWERBIVISUALS"]);
    assert_eq!(env.updates().len(), 2);
}

#[test]
fn apply_ignore_unknown_with_only_unknown_ids() {
    let env = env_with_baseline("[products]\nCFQ7TTC0XXXX = \"Disabled\"\n");
    let result = env.run_in_home(&[APPLY, &["--ignore-unknown"]].concat()).assert_code(0);
    assert_eq!(result.stdout, "[]\n");
    assert!(env.updates().is_empty());
}

#[test]
fn apply_continues_after_failed_update() {
    let env = env_with_baseline(BASELINE);
    env.tenant.fail_next(
        "PUT /v1.0/policies/AllowSelfServicePurchase/products",
        Response::json(400, &json!({ "errorCode": "BadRequest", "reason": "Not today." })),
    );
    cli_snapshot!(env.run_in_home(APPLY), @r#"
    exit_code: 1
    ----- stdout -----
    [
      {
        "policyId": "AllowSelfServicePurchase",
        "scope": "product",
        "id": "CFQ7TTC0H9MP",
        "name": "Power BI Pro",
        "policyValue": "Enabled",
        "wantedValue": "OnlyTrialsWithoutPaymentMethod",
        "previousValue": "Enabled",
        "outcome": "failed",
        "error": "could not change product CFQ7TTC0H9MP: the service returned 400 Bad Request; BadRequest: Not today.; correlation ID: [UUID]"
      },
      {
        "policyId": "AllowSelfServicePurchase",
        "scope": "product",
        "id": "CFQ7TTC0HD33",
        "name": "Visio Plan 1",
        "policyValue": "Disabled",
        "wantedValue": "Disabled",
        "previousValue": "Disabled",
        "outcome": "unchanged",
        "error": null
      },
      {
        "policyId": "AllowSelfServicePurchase",
        "scope": "offerType",
        "id": "SaaS",
        "name": "Software as a Service",
        "policyValue": "Disabled",
        "wantedValue": "Disabled",
        "previousValue": "Enabled",
        "outcome": "changed",
        "error": null
      },
      {
        "policyId": "AllowSelfServicePurchase",
        "scope": "offerType",
        "id": "POWERBIVISUALS",
        "name": "Power BI Visuals",
        "policyValue": "Enabled",
        "wantedValue": "Enabled",
        "previousValue": "Enabled",
        "outcome": "unchanged",
        "error": null
      }
    ]
    ----- stderr -----
    warning: Microsoft does not list a trial without a payment method for Power BI Pro (CFQ7TTC0H9MP); OnlyTrialsWithoutPaymentMethod is probably the same as Disabled
    error: 1 changed, 2 unchanged, 1 failed
      in tenant 11111111-1111-4111-8111-111111111111
      could not change product CFQ7TTC0H9MP: the service returned 400 Bad Request; BadRequest: Not today.; correlation ID: [UUID]
    hint: Try again later. If it persists, give Microsoft support the correlation ID.
    "#);
    env.run_in_home(CHECK).assert_code(3);
    // The second run applies the rest.
    let result = env.run_in_home(APPLY).assert_code(0);
    assert_eq!(field(&result, "outcome").values().filter(|outcome| *outcome == "changed").count(), 1);
    env.run_in_home(CHECK).assert_code(0);
}

#[test]
fn apply_default_updates_new_products() {
    let env = env_with_baseline("default = \"Disabled\"\n[products]\nCFQ7TTC0H9MP = \"Enabled\"\n");
    let added = [Product::new("CFQ7TTC0NEW1", "Brand new", "Enabled")];
    env.tenant.set_products(default_products().into_iter().chain(added).collect());
    env.run_in_home(APPLY).assert_code(0);
    for item in default_products().iter().chain(&default_offer_types()) {
        let expected = if item.id == POWER_BI { "Enabled" } else { "Disabled" };
        assert_eq!(env.tenant.value(&item.id), expected, "{}", item.id);
    }
    assert_eq!(env.tenant.value("CFQ7TTC0NEW1"), "Disabled");
    env.run_in_home(CHECK).assert_code(0);
}

#[test]
fn apply_default_trials_keeps_offer_types() {
    let env = env_with_baseline("default = \"trials\"");
    env.run_in_home(APPLY).assert_code(0);
    assert!(default_products().iter().all(|item| env.tenant.value(&item.id).starts_with("OnlyTrials")));
    assert!(default_offer_types().iter().all(|item| env.tenant.value(&item.id) == item.value));
    env.run_in_home(CHECK).assert_code(0);
}

#[test]
fn apply_keeps_current_unknown_value() {
    let env = env_with_baseline("default = \"Disabled\"\n[products]\nCFQ7TTC0H9MP = \"OnlyOnTuesdays\"\n");
    env.tenant.set_value(POWER_BI, "OnlyOnTuesdays");
    let result = env.run_in_home(APPLY).assert_code(0);
    assert_eq!(field(&result, "outcome")[POWER_BI], "unchanged");
    assert_eq!(env.tenant.value(POWER_BI), "OnlyOnTuesdays");
    env.run_in_home(CHECK).assert_code(0);
}

#[test]
fn apply_default_to_product_without_id_fails() {
    let env = env_with_baseline("default = \"Disabled\"");
    let nameless = Product::new("", "Without an id", "Enabled").with("productId", Value::Null);
    env.tenant.set_products(vec![Product::new(POWER_BI, "Power BI Pro", "Enabled"), nameless]);
    cli_snapshot!(env.run_in_home(APPLY), @"
    exit_code: 1
    ----- stderr -----
    error: the service returned Without an id without an ID, so it cannot be changed
      nothing was changed
    ");
    assert!(env.updates().is_empty());
}

#[test]
fn apply_jobs_accepts_1_to_64() {
    for jobs in ["1", "2", "64"] {
        let env = env_with_baseline(BASELINE);
        env.run_in_home(&[APPLY, &["--jobs", jobs]].concat()).assert_code(0);
        assert_eq!(env.updates().len(), 2, "{jobs}");
        env.run_in_home(CHECK).assert_code(0);
    }
    let env = env_with_baseline(BASELINE);
    let mut transcript = Transcript::default();
    for jobs in ["0", "65", "-1", "many", ""] {
        let jobs = format!("--jobs={jobs}");
        transcript.push(&jobs, env.run_in_home(&[APPLY, &[jobs.as_str()]].concat()));
    }
    cli_snapshot!(transcript, @"
    ===== --jobs=0 =====
    exit_code: 2
    ----- stderr -----
    error: invalid value '0' for '--jobs <N>': 0 is not in 1..=64

    For more information, try '--help'.
    ===== --jobs=65 =====
    exit_code: 2
    ----- stderr -----
    error: invalid value '65' for '--jobs <N>': 65 is not in 1..=64

    For more information, try '--help'.
    ===== --jobs=-1 =====
    exit_code: 2
    ----- stderr -----
    error: invalid value '-1' for '--jobs <N>': -1 is not in 1..=64

    For more information, try '--help'.
    ===== --jobs=many =====
    exit_code: 2
    ----- stderr -----
    error: invalid value 'many' for '--jobs <N>': invalid digit found in string

    For more information, try '--help'.
    ===== --jobs= =====
    exit_code: 2
    ----- stderr -----
    error: invalid value '' for '--jobs <N>': cannot parse integer from empty string

    For more information, try '--help'.
    ");
    assert!(env.request_lines().is_empty());
}

#[test]
fn apply_to_other_tenant_keeps_home_tenant() {
    let env = env_with_baseline("default = \"Disabled\"");
    cli_snapshot!(env.run_in_home(&[APPLY, &["--tenant", CUSTOMER_DOMAIN]].concat()).without_stdout(), @"
    exit_code: 0
    ----- stderr -----
    10 changed, 11 unchanged in tenant 22222222-2222-4222-8222-222222222222
    ");
    for item in default_products().iter().chain(&default_offer_types()) {
        assert_eq!(env.tenant.value_in(CUSTOMER_TENANT, &item.id), "Disabled");
        assert_eq!(env.tenant.value(&item.id), item.value);
    }
}

#[test]
fn apply_without_permission_changes_nothing() {
    let env = TestEnv::new();
    env.sign_in(READER);
    env.write("b.toml", BASELINE);
    let mut transcript = Transcript::default();
    transcript.push("reader", env.run_in_home(APPLY).without_stdout());
    assert_eq!(env.tenant.value(POWER_BI), "Enabled");
    env.run(&["disconnect"]).assert_code(0);
    env.tenant.forget_requests();
    transcript.push("signed out", env.run_in_home(APPLY));
    cli_snapshot!(transcript, @"
    ===== reader =====
    exit_code: 1
    ----- stderr -----
    warning: Microsoft does not list a trial without a payment method for Power BI Pro (CFQ7TTC0H9MP); OnlyTrialsWithoutPaymentMethod is probably the same as Disabled
    error: 2 unchanged, 2 failed
      in tenant 11111111-1111-4111-8111-111111111111
      could not change product CFQ7TTC0H9MP: the service returned 403 Forbidden; Forbidden: User does not have the required role.; correlation ID: [UUID]
      could not change offer type SaaS: the service returned 403 Forbidden; Forbidden: User does not have the required role.; correlation ID: [UUID]
    hint: use an account with the role Global Administrator or Billing Administrator in this tenant
    hint: as a partner, request the role through GDAP
    hint: check the account and tenant: mscommerce status
    ===== signed out =====
    exit_code: 4
    ----- stderr -----
    error: not signed in
    hint: mscommerce connect
    ");
    assert!(env.request_lines().is_empty());
}
