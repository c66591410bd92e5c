//! `undo`: taking back the last run.

use std::collections::BTreeMap;

use super::*;
use crate::tenant::{Answer, Product, default_offer_types, default_products};

const UNDO: &[&str] = &["undo", "--yes", "-o", "json"];
const GET_PRODUCTS: &str = "GET /v1.0/policies/AllowSelfServicePurchase/products?scope=product";
const GET_OFFER_TYPES: &str = "GET /v1.0/policies/AllowSelfServicePurchase/products?scope=OfferType";

/// Power BI Pro was enabled, Visio and Copilot disabled; now all three offer trials.
const UPDATE: &[&str] = &["products", "update", POWER_BI, VISIO, COPILOT, "--value", "trials", "--yes"];
const TRIALS: &str = "OnlyTrialsWithoutPaymentMethod";

fn after_an_update() -> Machine {
    let machine = Machine::signed_in();
    machine.run(UPDATE).expect_code(0);
    machine.tenant.forget_requests();
    machine
}

#[track_caller]
fn outcomes(ran: &Ran) -> BTreeMap<String, String> {
    column(ran, "id").into_iter().zip(column(ran, "outcome")).collect()
}

fn owned<const N: usize>(outcomes: [(&str, &str); N]) -> BTreeMap<String, String> {
    outcomes.map(|(id, outcome)| (id.to_owned(), outcome.to_owned())).into()
}

#[track_caller]
fn expect_as_in_the_beginning(machine: &Machine) {
    for item in default_products().iter().chain(&default_offer_types()) {
        assert_eq!(machine.tenant.value_of(&item.id), item.value, "{}", item.id);
    }
}

#[test]
fn the_last_run_is_taken_back() {
    let machine = after_an_update();
    let ran = machine.run(UNDO).expect_code(0);
    let told = ran.stderr.strip_prefix("Taking back the run of 20").unwrap();
    assert!(told.ends_with("Z.\n3 changed in the tenant 11111111-1111-4111-8111-111111111111\n"), "{told}");
    assert_eq!(outcomes(&ran), owned([(POWER_BI, "changed"), (VISIO, "changed"), (COPILOT, "changed")]));
    assert!(column(&ran, "previousValue").iter().all(|value| value == TRIALS));
    // One listing, and only the one that has products in it.
    let requests = machine.requests();
    assert_eq!((requests[0].as_str(), requests.len()), (GET_PRODUCTS, 4));
    expect_as_in_the_beginning(&machine);
}

#[test]
fn only_the_last_run_is() {
    let machine = after_an_update();
    machine.run(&["product", "update", PLANNER, "--value", "disabled"]).expect_code(0);
    let ran = machine.run(UNDO).expect_code(0);
    assert_eq!(outcomes(&ran), owned([(PLANNER, "changed")]));
    assert_eq!(machine.tenant.value_of(PLANNER), TRIALS);
    assert_eq!(machine.tenant.value_of(POWER_BI), TRIALS);
}

#[test]
fn offer_types_are_taken_back_with_the_products() {
    let machine = Machine::signed_in();
    let update = ["products", "update", "--all", "--scope", "all", "--value", "disabled", "--yes"];
    machine.run(&update).expect_code(0);
    machine.tenant.forget_requests();
    machine.run(UNDO).expect_code(0);
    let mut listings: Vec<_> = machine.requests().into_iter().filter(|line| line.starts_with("GET ")).collect();
    listings.sort();
    assert_eq!(listings, [GET_OFFER_TYPES, GET_PRODUCTS]);
    expect_as_in_the_beginning(&machine);

    machine.run(&["product", "update", "--offer-type", "SaaS", "--value", "disabled"]).expect_code(0);
    machine.tenant.forget_requests();
    let ran = machine.run(UNDO).expect_code(0);
    assert_eq!(column(&ran, "scope"), ["offerType"]);
    let put = "PUT /v1.0/policies/AllowSelfServicePurchase/offerTypes/SaaS";
    assert_eq!(machine.requests(), [GET_OFFER_TYPES, put]);
    expect_as_in_the_beginning(&machine);
}

#[test]
fn a_second_undo_takes_back_the_first() {
    let machine = after_an_update();
    machine.run(UNDO).expect_code(0);
    expect_as_in_the_beginning(&machine);
    machine.run(UNDO).expect_code(0);
    assert!([POWER_BI, VISIO, COPILOT].iter().all(|id| machine.tenant.value_of(id) == TRIALS));
    machine.run(UNDO).expect_code(0);
    expect_as_in_the_beginning(&machine);
    assert_eq!(record(&machine).len(), 12);
}

#[test]
fn without_a_terminal_it_needs_to_be_told_not_to_ask() {
    let machine = after_an_update();
    machine.run(&["undo"]).expect_code(2).expect_no_data().expect_said(&["no terminal", "--yes", "--dry-run"]);
    machine.run_with_input(&["undo"], "y\n").expect_code(2).expect_no_data();
    assert!(machine.requests().is_empty());
    assert_eq!(record(&machine).len(), 3);
}

#[test]
fn a_dry_run_plans_and_sends_nothing() {
    let machine = after_an_update();
    let ran = machine.run(&["undo", "--dry-run", "-o", "json"]).expect_code(0);
    assert_eq!(outcomes(&ran), owned([(POWER_BI, "planned"), (VISIO, "planned"), (COPILOT, "planned")]));
    assert_eq!(column(&ran, "policyValue").iter().filter(|value| *value == "Disabled").count(), 2);
    ran.expect_said(&["3 planned", "nothing was sent"]);
    assert_eq!(machine.requests(), [GET_PRODUCTS]);
    assert_eq!(record(&machine).len(), 3);
}

#[test]
fn what_was_changed_again_since_is_left_and_named() {
    let machine = after_an_update();
    // By another tool, so that the record does not know.
    machine.tenant.set_value(VISIO, "Enabled");
    let ran = machine.run(UNDO).expect_code(0);
    assert_eq!(outcomes(&ran), owned([(POWER_BI, "changed"), (COPILOT, "changed")]));
    ran.expect_said(&["warning: left as it is: Visio Plan 1 (CFQ7TTC0HD33): it is Enabled now", TRIALS]);
    assert_eq!(machine.tenant.value_of(VISIO), "Enabled");
}

#[test]
fn what_is_back_already_is_unchanged() {
    let machine = after_an_update();
    machine.tenant.set_value(VISIO, "disabled");
    let ran = machine.run(UNDO).expect_code(0);
    assert_eq!(outcomes(&ran), owned([(POWER_BI, "changed"), (VISIO, "unchanged"), (COPILOT, "changed")]));
    assert!(!ran.stderr.contains("warning"), "{}", ran.stderr);

    let machine = after_an_update();
    for (id, value) in [(POWER_BI, "Enabled"), (VISIO, "Disabled"), (COPILOT, "Disabled")] {
        machine.tenant.set_value(id, value);
    }
    let ran = machine.run(UNDO).expect_code(0).expect_said(&["Nothing to change"]);
    assert!(outcomes(&ran).values().all(|outcome| outcome == "unchanged"));
    assert!(changes(&machine).is_empty());
    assert_eq!(record(&machine).len(), 3);
}

#[test]
fn a_product_that_is_gone_is_left_and_named() {
    let machine = after_an_update();
    let mut products = default_products();
    products.retain(|product| product.id != VISIO);
    products.iter_mut().filter(|product| [POWER_BI, COPILOT].contains(&product.id.as_str())).for_each(|product| {
        TRIALS.clone_into(&mut product.value);
    });
    machine.tenant.set_products(products);
    let ran = machine.run(UNDO).expect_code(0);
    assert_eq!(outcomes(&ran), owned([(POWER_BI, "changed"), (COPILOT, "changed")]));
    ran.expect_said(&["warning: left as it is: Visio Plan 1 (CFQ7TTC0HD33)", "does not have it any more"]);
}

#[test]
fn a_value_that_cannot_be_set_is_not_guessed() {
    let machine = Machine::signed_in();
    machine.tenant.set_products(vec![
        Product::new(POWER_BI, "Power BI Pro", "OnlyOnTuesdays"),
        Product::new(VISIO, "Visio Plan 1", "").with("policyValue", Value::Null),
        Product::new(COPILOT, "Microsoft 365 Copilot", "Enabled"),
    ]);
    machine.run(&["products", "update", "--all", "--value", "disabled", "--yes"]).expect_code(1);
    // The service of this test shows no value of Visio whatever happens, so the record of that change is written here.
    let mut entries = record(&machine);
    let run = entries[0]["run"].as_str().unwrap().to_owned();
    let visio = json!({ "id": VISIO, "name": "Visio Plan 1", "from": null });
    entries.push(with(entry(&run, "", "Disabled"), &visio));
    write(&machine, &entries);
    let ran = machine.run(UNDO).expect_code(0);
    assert_eq!(outcomes(&ran), owned([(COPILOT, "changed")]));
    ran.expect_said(&[
        "warning: left as it is: Power BI Pro (CFQ7TTC0H9MP): it was OnlyOnTuesdays",
        "warning: left as it is: Visio Plan 1 (CFQ7TTC0HD33): ",
    ]);
    assert_eq!(machine.tenant.value_of(POWER_BI), "Disabled");
}

#[test]
fn an_offer_type_is_not_sent_what_it_cannot_take() {
    let machine = Machine::signed_in();
    let offer_type = json!({ "scope": "offerType", "id": "SaaS", "name": "Software as a Service" });
    write(&machine, &[entry("r", "Disabled", "Enabled"), with(entry("r", TRIALS, "Enabled"), &offer_type)]);
    let ran = machine.run(UNDO).expect_code(0);
    assert_eq!(outcomes(&ran), owned([(POWER_BI, "changed")]));
    ran.expect_said(&["warning: left as it is: Software as a Service (SaaS): it was OnlyTrialsWithoutPaymentMethod"]);
    assert_eq!(machine.tenant.value_of("SaaS"), "Enabled");
}

#[test]
fn an_offer_type_and_a_product_of_the_same_id_are_two_things() {
    let machine = Machine::signed_in();
    machine.tenant.set_offer_types(vec![Product::new(POWER_BI, "Of the same id", "Enabled")]);
    machine.run(&["product", "update", "--offer-type", POWER_BI, "--value", "disabled"]).expect_code(0);
    machine.tenant.forget_requests();
    machine.run(UNDO).expect_code(0);
    let put = format!("PUT /v1.0/policies/AllowSelfServicePurchase/offerTypes/{POWER_BI}");
    assert_eq!(machine.requests(), [GET_OFFER_TYPES.to_owned(), put]);
}

#[test]
fn where_nothing_can_be_taken_back_it_fails_and_changes_nothing() {
    let machine = after_an_update();
    for id in [POWER_BI, VISIO] {
        machine.tenant.set_value(id, if id == POWER_BI { "Disabled" } else { "Enabled" });
    }
    machine.tenant.set_value(COPILOT, "Enabled");
    for flags in [&["--yes"][..], &["--dry-run"]] {
        let ran = machine.run(&[&["undo"], flags].concat()).expect_code(1).expect_no_data();
        assert_eq!(ran.stderr.matches("warning: left as it is: ").count(), 3, "{}", ran.stderr);
        ran.expect_said(&[
            "error: nothing of the last run can be taken back; nothing was changed",
            "mscommerce history",
        ]);
    }
    assert!(changes(&machine).is_empty());
    assert_eq!(record(&machine).len(), 3);
}

#[test]
fn where_nothing_was_changed_it_fails_without_asking_anybody() {
    let machine = Machine::signed_in();
    for flags in [&["--yes"][..], &["--dry-run"]] {
        let ran = machine.run(&[&["undo"], flags].concat()).expect_code(1).expect_no_data();
        ran.expect_said(&["error: nothing has been changed from here yet"]);
    }
    assert!(machine.requests().is_empty());
    assert!(!file(&machine).exists());
}

#[test]
fn after_a_failure_in_part_only_what_was_changed_is_taken_back() {
    let machine = Machine::signed_in();
    let put = format!("PUT /v1.0/policies/AllowSelfServicePurchase/products/{VISIO}");
    machine.tenant.fail_next(&put, Answer::text(400, "text/plain", "Not today."));
    machine.run(UPDATE).expect_code(1);
    let ran = machine.run(UNDO).expect_code(0);
    assert_eq!(outcomes(&ran), owned([(POWER_BI, "changed"), (COPILOT, "changed")]));
    expect_as_in_the_beginning(&machine);
}

#[test]
fn an_undo_that_fails_in_part_says_so() {
    let machine = after_an_update();
    let put = format!("PUT /v1.0/policies/AllowSelfServicePurchase/products/{VISIO}");
    machine.tenant.fail_next(&put, Answer::text(400, "text/plain", "Not today."));
    let ran = machine.run(UNDO).expect_code(1);
    assert_eq!(outcomes(&ran), owned([(POWER_BI, "changed"), (VISIO, "failed"), (COPILOT, "changed")]));
    ran.expect_said(&["error: 2 changed, 1 failed", "Not today."]);
    assert_eq!(record(&machine).len(), 5);
}

#[test]
fn damaged_lines_are_told_and_do_not_stand_in_the_way() {
    let machine = after_an_update();
    let text = fs::read_to_string(file(&machine)).unwrap();
    fs::write(file(&machine), format!("rubbish\n{text}{{\"time\":")).unwrap();
    machine.run(UNDO).expect_code(0).expect_said(&["warning: 2 of the lines", "line 1", "3 changed"]);
    expect_as_in_the_beginning(&machine);
}

#[test]
fn it_is_the_whole_run_or_nothing() {
    let machine = after_an_update();
    machine.run(&["undo", "--yes", "--value", "enabled"]).expect_code(2).expect_no_data();
    machine.run(&["undo", POWER_BI, "--yes"]).expect_code(2).expect_no_data();
    assert!(machine.requests().is_empty());
}

#[test]
fn an_undo_that_failed_in_part_is_finished_by_the_next_one() {
    let machine = after_an_update();
    machine.tenant.fail_next(
        &format!("PUT /v1.0/policies/AllowSelfServicePurchase/products/{VISIO}"),
        Answer::text(500, "text/plain", "fault"),
    );
    machine.run(UNDO).expect_code(1).expect_said(&["2 changed, 1 failed"]);
    // To try again must not change back what was restored.
    let ran = machine.run(UNDO).expect_code(0);
    assert_eq!(outcomes(&ran), owned([(VISIO, "changed")]));
    expect_as_in_the_beginning(&machine);
    // Once it is whole, the next one takes back what the last one did, as after any run.
    let ran = machine.run(UNDO).expect_code(0);
    assert_eq!(outcomes(&ran), owned([(VISIO, "changed")]));
    assert_eq!(machine.tenant.value_of(VISIO), TRIALS);
    assert_ne!(machine.tenant.value_of(POWER_BI), TRIALS);
}

#[test]
fn a_name_or_a_value_with_line_ends_writes_no_lines_of_its_own() {
    let machine = Machine::signed_in();
    machine.tenant.set_products(vec![
        Product::new(POWER_BI, "A\nerror: fake", "Odd\nwarning: fake"),
        Product::new(VISIO, "B\nerror: fake", "Enabled"),
    ]);
    let ran = machine.run(&["products", "update", "--all", "--value", "disabled", "--yes", "-v"]).expect_code(0);
    machine.tenant.set_value(VISIO, "Other\nerror: fake");
    // One was a value that cannot be set, the other has another one now.
    let undone = machine.run(UNDO).expect_code(1);
    for ran in [ran, undone] {
        assert!(!ran.stderr.contains("\nerror: fake") && !ran.stderr.contains("\nwarning: fake"), "{}", ran.stderr);
    }
}
