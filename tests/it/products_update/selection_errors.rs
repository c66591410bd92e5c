//! Selections that cannot be meant: nothing is changed.

use super::*;
use crate::support::fixtures::{POWER_BI, VISIO_2};

/// The command line alone shows that it is wrong.
#[track_caller]
fn expect_wrong_usage(arguments: &[&str], said: &[&str]) {
    let env = TestEnv::signed_in();
    env.run(&[&["products", "update"], arguments].concat()).assert_code(2).stdout_is_empty().stderr_contains(said);
    assert!(env.request_lines().is_empty(), "{arguments:?}: {:?}", env.request_lines());
}

#[test]
fn contradictory_selections_are_wrong_usage() {
    let disable = ["--value", "disabled", "--yes"];
    for (arguments, said) in [
        (&[][..], "--all"),
        (&["--except", "Power BI Pro"], "--all"),
        (&["--all", POWER_BI], "cannot be used with"),
        (&["--name", "visio", POWER_BI], "cannot be used with"),
        (&["--all", "--name", "visio"], "cannot be used with"),
        (&[POWER_BI, "--except", "Visio Plan 1"], "cannot be used with"),
    ] {
        expect_wrong_usage(&[arguments, &disable].concat(), &[said]);
    }
}

#[test]
fn words_that_cannot_be_meant_are_wrong_usage() {
    let disable = ["--value", "disabled", "--yes"];
    for (arguments, said) in [
        (&["--all", "--jobs", "0"][..], "--jobs"),
        (&["--all", "--jobs", "65"], "1..=64"),
        (&["--all", "--jobs", "x"], "--jobs"),
        (&["--all", "--scope", "everything"], "offer-type"),
        (&["--name", ""], "the pattern is empty"),
        (&["--name", "/(/"], "no regular expression"),
        (&[""], "'' cannot be an id or a name"),
        (&[POWER_BI, "  "], "cannot be an id or a name"),
        (&["..", POWER_BI], "'..' cannot be an id or a name"),
        (&["a\nb"], "'a b' cannot be an id or a name"),
        (&["--all", "--except", ""], "'' cannot be an id or a name"),
    ] {
        expect_wrong_usage(&[arguments, &disable].concat(), &[said]);
    }
}

#[test]
fn a_value_is_needed_and_has_to_be_known() {
    expect_wrong_usage(&["--all", "--yes"], &["--value"]);
    expect_wrong_usage(
        &["--all", "--yes", "--value", "off"],
        &["enabled, disabled and only-trials-without-payment-method"],
    );
}

#[test]
fn trials_are_not_for_offer_types_and_that_is_said() {
    for scope in ["all", "offer-type"] {
        for more in [&["--yes"][..], &["--dry-run"]] {
            let arguments = [&["--all", "--scope", scope, "--value", "trials"], more].concat();
            expect_wrong_usage(&arguments, &["an offer type takes enabled or disabled", "hint: leave out --scope"]);
        }
    }
}

#[test]
fn without_a_terminal_a_yes_is_needed_before_any_request() {
    let env = TestEnv::signed_in();
    let token = env.tenant.issue_token(crate::tenant::ADMIN, HOME_TENANT, 3600);
    for variables in [&[][..], &[("MSCOMMERCE_TOKEN", token.as_str())]] {
        for selection in [&["--all"][..], &[POWER_BI], &["--name", "no such name"]] {
            let arguments = [&["products", "update", "--value", "disabled"], selection].concat();
            env.run_with_env(variables, &arguments).assert_code(2).stdout_is_empty().stderr_contains(&[
                "no terminal",
                "nothing was changed",
                "--yes",
                "--dry-run",
            ]);
        }
    }
    // A yes on a pipe is no person's.
    let piped = env.run_with_stdin(&["products", "update", "--all", "--value", "disabled"], "y\n");
    piped.assert_code(2).stderr_contains(&["--yes"]);
    assert!(env.request_lines().is_empty(), "{:?}", env.request_lines());
    assert_eq!(env.tenant.value(POWER_BI), "Enabled");
}

/// Only the listing shows that it is wrong.
#[track_caller]
fn expect_refused(env: &TestEnv, arguments: &[&str], said: &[&str]) -> CliResult {
    env.tenant.forget_requests();
    let result = update(env, arguments).assert_code(1).stdout_is_empty().stderr_contains(said);
    env.assert_nothing_changed();
    assert!(!env.request_lines().is_empty(), "only the listing shows it");
    // The same without changing anything.
    env.run(&[&["products", "update"], arguments, &["--dry-run"]].concat()).assert_code(1).stderr_contains(said);
    result
}

#[test]
fn what_is_not_listed_is_told_with_what_is_nearest() {
    let env = TestEnv::signed_in();
    let disable = ["--value", "disabled"];
    for (words, said) in [
        (
            &["Power BI Prof"][..],
            &["'Power BI Prof'", "Power BI Pro (CFQ7TTC0H9MP)", "hint: mscommerce products list"][..],
        ),
        // One that fits does not make up for one that does not.
        (&[POWER_BI, "Vizio Plan 1"], &["'Vizio Plan 1'", "Visio Plan 1 (CFQ7TTC0HD33)"]),
        (&["CFQ7TTC0L3PB"], &["CFQ7TTC0L3PB has been renumbered", "Power BI Pro is CFQ7TTC0H9MP now"]),
        (&["SaaS"], &["'SaaS'", "--scope offer-type"]),
    ] {
        expect_refused(&env, &[words, &disable].concat(), said);
    }
}

#[test]
fn the_hints_about_offer_types_lead_to_offer_types() {
    let env = TestEnv::signed_in();
    let arguments = ["Sofware as a Service", "--scope", "offer-type", "--value", "disabled"];
    let result = expect_refused(&env, &arguments, &["Software as a Service (SaaS)"]);
    // The first hint is the command that lists what there is to choose from; it was not products.
    assert!(result.stderr.contains("mscommerce products list --scope offer-type"), "{}", result.stderr);
    assert!(!result.stderr.contains("the nearest product"), "offer types are no products: {}", result.stderr);
}

#[test]
fn a_name_that_several_have_is_refused_with_their_ids() {
    let env = TestEnv::signed_in();
    env.tenant.set_products(vec![
        Product::new("CFQ7TTC0AAAA", "Twin", "Enabled"),
        Product::new("CFQ7TTC0BBBB", "TWIN", "Enabled"),
        Product::new("CFQ7TTC0CCCC", "Alone", "Enabled"),
    ]);
    let said =
        ["'twin' fits 2 products", "Twin (CFQ7TTC0AAAA)", "TWIN (CFQ7TTC0BBBB)", "hint: name one of them by its id"];
    expect_refused(&env, &["Alone", "twin", "--value", "disabled"], &said);
    // An exception is the safer the more it spares.
    let result = update(&env, &["--all", "--except", "twin", "--value", "disabled"]).assert_code(0);
    assert_eq!(result.ids_with_outcome("changed"), ["CFQ7TTC0CCCC"]);
}

#[test]
fn a_product_that_the_service_lists_twice_is_one_product() {
    let env = TestEnv::signed_in();
    let listed = |value| Product::new("CFQ7TTC0AAAA", "Twice", value);
    env.tenant.set_products(vec![listed("Enabled"), listed("Enabled")]);
    let result = update(&env, &["--all", "--value", "disabled"]).assert_code(0);
    assert_eq!(result.ids_with_outcome("changed"), ["CFQ7TTC0AAAA"]);
    assert_eq!(env.updated_ids(), ["CFQ7TTC0AAAA"]);
    // To ask for its id, which is named already, would lead nowhere.
    env.tenant.forget_requests();
    let result = update(&env, &["CFQ7TTC0AAAA", "--value", "enabled"]).assert_code(0);
    assert_eq!(result.ids_with_outcome("changed"), ["CFQ7TTC0AAAA"]);
    assert_eq!(env.updated_ids(), ["CFQ7TTC0AAAA"]);
}

#[test]
fn a_selection_that_fits_nothing_is_refused() {
    let env = TestEnv::signed_in();
    for (selection, said) in [
        (&["--name", "no such name"][..], &["no name fits --name", "nothing was changed", "hint: "][..]),
        // Names are chosen among, not ids.
        (&["--name", "CFQ7TTC0"], &["no name fits --name"]),
        (&["--name", "visio", "--except", "Visio Plan 1", "--except", VISIO_2], &["nothing is left to change"]),
    ] {
        expect_refused(&env, &[selection, &["--value", "disabled"]].concat(), said);
    }
    env.tenant.set_products(Vec::new());
    expect_refused(&env, &["--all", "--value", "disabled"], &["nothing"]);
    expect_refused(&env, &["--name", "visio", "--value", "disabled"], &["no name fits --name"]);
    expect_refused(&env, &[POWER_BI, "--value", "disabled"], &[POWER_BI]);
}

#[test]
fn an_exception_that_excepts_nothing_is_a_slip_of_the_pen() {
    let env = TestEnv::signed_in();
    for (selection, said) in [
        (&["--all", "--except", "Power BI Prof"][..], &["--except 'Power BI Prof'", "Power BI Pro (CFQ7TTC0H9MP)"][..]),
        (&["--all", "--except", "Power BI Pro", "--except", "no such thing"], &["--except 'no such thing'"]),
        // It exists, and is not selected.
        (&["--name", "visio", "--except", "Power BI Pro"], &["--except 'Power BI Pro'", "nothing that is selected"]),
        (&["--all", "--except", "SaaS"], &["--except 'SaaS'"]),
    ] {
        expect_refused(&env, &[selection, &["--value", "disabled"]].concat(), said);
    }
}

#[test]
fn a_renumbered_id_as_an_exception_leads_to_the_new_one() {
    let env = TestEnv::signed_in();
    expect_refused(
        &env,
        &["--all", "--except", "CFQ7TTC0L3PB", "--value", "disabled"],
        &["--except 'CFQ7TTC0L3PB'", "hint: CFQ7TTC0L3PB has been renumbered, Power BI Pro is CFQ7TTC0H9MP now"],
    );
}

#[test]
fn what_is_listed_without_an_id_cannot_be_changed_and_can_be_excepted() {
    let env = TestEnv::signed_in();
    env.tenant.set_products(vec![
        Product::new("CFQ7TTC0AAAA", "With an id", "Enabled"),
        Product::new("", "Without one", "Enabled").with("productId", Value::Null),
    ]);
    for selection in [&["--all"][..], &["Without one"], &["--name", "with"]] {
        let said = ["the service lists Without one without an id", "nothing was changed"];
        expect_refused(&env, &[selection, &["--value", "disabled"]].concat(), &said);
    }
    let result = update(&env, &["--all", "--except", "without one", "--value", "disabled"]).assert_code(0);
    assert_eq!(result.ids_with_outcome("changed"), ["CFQ7TTC0AAAA"]);
    let result = update(&env, &["With an id", "--value", "enabled"]).assert_code(0);
    assert_eq!(result.ids_with_outcome("changed"), ["CFQ7TTC0AAAA"]);
}

#[test]
fn what_is_of_a_scope_nobody_knows_yet_cannot_be_changed_and_can_be_excepted() {
    let env = TestEnv::signed_in();
    let bundle = Product::new("", "A bundle", "Enabled").with("scope", "Bundle");
    env.tenant.set_products(vec![
        Product::new("CFQ7TTC0AAAA", "A product", "Enabled"),
        bundle.with("scopeId", "B1").with("scopeValue", "A bundle"),
    ]);
    let result = expect_refused(&env, &["--all", "--value", "disabled"], &["A bundle (B1)", "nothing was changed"]);
    assert!(!result.stderr.contains("without an id"), "it has one: {}", result.stderr);
    let result = update(&env, &["--all", "--except", "B1", "--value", "disabled"]).assert_code(0);
    assert_eq!(result.ids_with_outcome("changed"), ["CFQ7TTC0AAAA"]);
}

#[test]
fn a_listing_that_fails_changes_nothing() {
    let env = TestEnv::signed_in();
    let fault = crate::tenant::Response::json(500, &json!({"errorCode": "Code", "reason": "Reason."}));
    // One of two listings is not enough to know what is chosen.
    env.tenant.fail_next("scope=OfferType", fault);
    update(&env, &["--all", "--scope", "all", "--value", "disabled"])
        .assert_code(1)
        .stdout_is_empty()
        .stderr_contains(&["could not list the offer types", "Code: Reason."]);
    env.assert_nothing_changed();
}
