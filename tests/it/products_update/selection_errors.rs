//! Selections that cannot be meant: nothing is changed.

use super::*;

/// The command line alone shows that it is wrong.
#[track_caller]
fn expect_wrong_usage(arguments: &[&str], said: &[&str]) {
    let machine = Machine::signed_in();
    machine.run(&[&["products", "update"], arguments].concat()).expect_code(2).expect_no_data().expect_said(said);
    assert!(machine.requests().is_empty(), "{arguments:?}: {:?}", machine.requests());
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
    let machine = Machine::signed_in();
    let token = machine.tenant.mint(crate::tenant::ADMIN, TENANT, 3600);
    for variables in [&[][..], &[("MSCOMMERCE_TOKEN", token.as_str())]] {
        for selection in [&["--all"][..], &[POWER_BI], &["--name", "no such name"]] {
            let arguments = [&["products", "update", "--value", "disabled"], selection].concat();
            machine.run_with(variables, &arguments).expect_code(2).expect_no_data().expect_said(&[
                "no terminal",
                "nothing was changed",
                "--yes",
                "--dry-run",
            ]);
        }
    }
    // A yes on a pipe is no person's.
    let piped = machine.run_with_input(&["products", "update", "--all", "--value", "disabled"], "y\n");
    piped.expect_code(2).expect_said(&["--yes"]);
    assert!(machine.requests().is_empty(), "{:?}", machine.requests());
    assert_eq!(machine.tenant.value_of(POWER_BI), "Enabled");
}

/// Only the listing shows that it is wrong.
#[track_caller]
fn expect_refused(machine: &Machine, arguments: &[&str], said: &[&str]) -> Ran {
    machine.tenant.forget_requests();
    let ran = update(machine, arguments).expect_code(1).expect_no_data().expect_said(said);
    expect_nothing_changed(machine);
    assert!(!machine.requests().is_empty(), "only the listing shows it");
    // The same without changing anything.
    machine.run(&[&["products", "update"], arguments, &["--dry-run"]].concat()).expect_code(1).expect_said(said);
    ran
}

#[test]
fn what_is_not_listed_is_told_with_what_is_nearest() {
    let machine = Machine::signed_in();
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
        expect_refused(&machine, &[words, &disable].concat(), said);
    }
}

#[test]
fn the_hints_about_offer_types_lead_to_offer_types() {
    let machine = Machine::signed_in();
    let arguments = ["Sofware as a Service", "--scope", "offer-type", "--value", "disabled"];
    let ran = expect_refused(&machine, &arguments, &["Software as a Service (SaaS)"]);
    // The first hint is the command that lists what there is to choose from; it was not products.
    assert!(ran.stderr.contains("mscommerce products list --scope offer-type"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("the nearest product"), "offer types are no products: {}", ran.stderr);
}

#[test]
fn a_name_that_several_have_is_refused_with_their_ids() {
    let machine = Machine::signed_in();
    machine.tenant.set_products(vec![
        Product::new("CFQ7TTC0AAAA", "Twin", "Enabled"),
        Product::new("CFQ7TTC0BBBB", "TWIN", "Enabled"),
        Product::new("CFQ7TTC0CCCC", "Alone", "Enabled"),
    ]);
    let said =
        ["'twin' fits 2 products", "Twin (CFQ7TTC0AAAA)", "TWIN (CFQ7TTC0BBBB)", "hint: name one of them by its id"];
    expect_refused(&machine, &["Alone", "twin", "--value", "disabled"], &said);
    // An exception is the safer the more it spares.
    let ran = update(&machine, &["--all", "--except", "twin", "--value", "disabled"]).expect_code(0);
    assert_eq!(ids_of(&ran, "changed"), ["CFQ7TTC0CCCC"]);
}

#[test]
fn a_product_that_the_service_lists_twice_is_one_product() {
    let machine = Machine::signed_in();
    let listed = |value| Product::new("CFQ7TTC0AAAA", "Twice", value);
    machine.tenant.set_products(vec![listed("Enabled"), listed("Enabled")]);
    let ran = update(&machine, &["--all", "--value", "disabled"]).expect_code(0);
    assert_eq!(ids_of(&ran, "changed"), ["CFQ7TTC0AAAA"]);
    assert_eq!(ids_changed(&machine), ["CFQ7TTC0AAAA"]);
    // To ask for its id, which is named already, would lead nowhere.
    machine.tenant.forget_requests();
    let ran = update(&machine, &["CFQ7TTC0AAAA", "--value", "enabled"]).expect_code(0);
    assert_eq!(ids_of(&ran, "changed"), ["CFQ7TTC0AAAA"]);
    assert_eq!(ids_changed(&machine), ["CFQ7TTC0AAAA"]);
}

#[test]
fn a_selection_that_fits_nothing_is_refused() {
    let machine = Machine::signed_in();
    for (selection, said) in [
        (&["--name", "no such name"][..], &["no name fits --name", "nothing was changed", "hint: "][..]),
        // Names are chosen among, not ids.
        (&["--name", "CFQ7TTC0"], &["no name fits --name"]),
        (&["--name", "visio", "--except", "Visio Plan 1", "--except", VISIO_2], &["nothing is left to change"]),
    ] {
        expect_refused(&machine, &[selection, &["--value", "disabled"]].concat(), said);
    }
    machine.tenant.set_products(Vec::new());
    expect_refused(&machine, &["--all", "--value", "disabled"], &["nothing"]);
    expect_refused(&machine, &["--name", "visio", "--value", "disabled"], &["no name fits --name"]);
    expect_refused(&machine, &[POWER_BI, "--value", "disabled"], &[POWER_BI]);
}

#[test]
fn an_exception_that_excepts_nothing_is_a_slip_of_the_pen() {
    let machine = Machine::signed_in();
    for (selection, said) in [
        (&["--all", "--except", "Power BI Prof"][..], &["--except 'Power BI Prof'", "Power BI Pro (CFQ7TTC0H9MP)"][..]),
        (&["--all", "--except", "Power BI Pro", "--except", "no such thing"], &["--except 'no such thing'"]),
        // It exists, and is not selected.
        (&["--name", "visio", "--except", "Power BI Pro"], &["--except 'Power BI Pro'", "nothing that is selected"]),
        (&["--all", "--except", "SaaS"], &["--except 'SaaS'"]),
    ] {
        expect_refused(&machine, &[selection, &["--value", "disabled"]].concat(), said);
    }
}

#[test]
fn a_renumbered_id_as_an_exception_leads_to_the_new_one() {
    let machine = Machine::signed_in();
    expect_refused(
        &machine,
        &["--all", "--except", "CFQ7TTC0L3PB", "--value", "disabled"],
        &["--except 'CFQ7TTC0L3PB'", "hint: CFQ7TTC0L3PB has been renumbered, Power BI Pro is CFQ7TTC0H9MP now"],
    );
}

#[test]
fn what_is_listed_without_an_id_cannot_be_changed_and_can_be_excepted() {
    let machine = Machine::signed_in();
    machine.tenant.set_products(vec![
        Product::new("CFQ7TTC0AAAA", "With an id", "Enabled"),
        Product::new("", "Without one", "Enabled").with("productId", Value::Null),
    ]);
    for selection in [&["--all"][..], &["Without one"], &["--name", "with"]] {
        let said = ["the service lists Without one without an id", "nothing was changed"];
        expect_refused(&machine, &[selection, &["--value", "disabled"]].concat(), &said);
    }
    let ran = update(&machine, &["--all", "--except", "without one", "--value", "disabled"]).expect_code(0);
    assert_eq!(ids_of(&ran, "changed"), ["CFQ7TTC0AAAA"]);
    let ran = update(&machine, &["With an id", "--value", "enabled"]).expect_code(0);
    assert_eq!(ids_of(&ran, "changed"), ["CFQ7TTC0AAAA"]);
}

#[test]
fn what_is_of_a_scope_nobody_knows_yet_cannot_be_changed_and_can_be_excepted() {
    let machine = Machine::signed_in();
    let bundle = Product::new("", "A bundle", "Enabled").with("scope", "Bundle");
    machine.tenant.set_products(vec![
        Product::new("CFQ7TTC0AAAA", "A product", "Enabled"),
        bundle.with("scopeId", "B1").with("scopeValue", "A bundle"),
    ]);
    let ran = expect_refused(&machine, &["--all", "--value", "disabled"], &["A bundle (B1)", "nothing was changed"]);
    assert!(!ran.stderr.contains("without an id"), "it has one: {}", ran.stderr);
    let ran = update(&machine, &["--all", "--except", "B1", "--value", "disabled"]).expect_code(0);
    assert_eq!(ids_of(&ran, "changed"), ["CFQ7TTC0AAAA"]);
}

#[test]
fn a_listing_that_fails_changes_nothing() {
    let machine = Machine::signed_in();
    let fault = crate::tenant::Answer::json(500, &json!({"errorCode": "Code", "reason": "Reason."}));
    // One of two listings is not enough to know what is chosen.
    machine.tenant.fail_next("scope=OfferType", fault);
    update(&machine, &["--all", "--scope", "all", "--value", "disabled"])
        .expect_code(1)
        .expect_no_data()
        .expect_said(&["could not list the offer types", "Code: Reason."]);
    expect_nothing_changed(&machine);
}
