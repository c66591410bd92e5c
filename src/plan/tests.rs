use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use serde_json::Map;

use super::*;
use PolicyValue::{Disabled, Enabled, OnlyTrialsWithoutPaymentMethod as Trials};

/// A listed item. The small ID alphabet causes duplicates, also with different case.
fn item() -> impl Strategy<Value = ProductPolicy> {
    let scope = prop_oneof![Just(Scope::Product), Just(Scope::OfferType)];
    let value = option::of(prop_oneof![
        Just("Enabled"),
        Just("disabled"),
        Just("OnlyTrialsWithoutPaymentMethod"),
        Just("OnlyOnTuesdays")
    ]);
    (scope, "[abAB]{1,2}", value).prop_map(|(scope, id, value)| ProductPolicy {
        policy_id: None,
        scope: scope.as_str().to_owned(),
        id: Some(id),
        name: None,
        value: value.map(str::to_owned),
        extra: Map::new(),
    })
}

fn value() -> impl Strategy<Value = PolicyValue> {
    prop_oneof![Just(Enabled), Just(Disabled), Just(Trials)]
}

fn desired() -> impl Strategy<Value = Desired> {
    let wanted = prop_oneof![value().prop_map(Wanted::Set), Just(Wanted::Keep)];
    let wanted_by_id = btree_map((any::<bool>(), "[ab]{1,2}"), wanted, 0..6);
    (wanted_by_id, option::of(value())).prop_map(|(wanted_by_id, default)| {
        let mut desired = Desired::with_default(default);
        for ((is_offer_type, id), wanted) in wanted_by_id {
            let target = Target::new(if is_offer_type { Scope::OfferType } else { Scope::Product }, id);
            desired.insert(target, wanted);
        }
        desired
    })
}

/// Returns the listing after all changes of the plan.
fn apply(plan: &Plan, listed: &[ProductPolicy]) -> Vec<ProductPolicy> {
    let mut after = listed.to_vec();
    for change in &plan.changes {
        let Some(value) = change.value_to_send() else { continue };
        for item in after.iter_mut().filter(|item| item.target().is_some_and(|target| target == change.target)) {
            item.value = Some(value.as_str().to_owned());
        }
    }
    after
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn applied_plan_reaches_desired_state(listed in vec(item(), 0..20), desired in desired()) {
        let plan = Plan::diff(listed.clone(), &desired);
        let after = apply(&plan, &listed);
        for (before, after) in listed.iter().zip(&after) {
            match desired.get(&after.target().expect("a target")) {
                Some(Wanted::Set(wanted)) => prop_assert!(wanted.matches(after.value.as_deref())),
                Some(Wanted::Keep) | None => prop_assert_eq!(before, after),
            }
        }
    }

    #[test]
    fn plan_after_apply_is_empty(listed in vec(item(), 0..20), desired in desired()) {
        let plan = Plan::diff(listed.clone(), &desired);
        let second = Plan::diff(apply(&plan, &listed), &desired);
        prop_assert!(second.is_empty(), "{second}");
        prop_assert_eq!(second.changes.len(), plan.changes.len());
    }

    #[test]
    fn plan_has_each_target_once_in_listing_order(listed in vec(item(), 0..20), desired in desired()) {
        let plan = Plan::diff(listed.clone(), &desired);
        let index_of = |target: &Target| {
            listed.iter().position(|item| item.target().is_some_and(|listed| listed == *target))
        };
        let indexes: Vec<_> = plan.changes.iter().map(|change| index_of(&change.target).expect("it is listed")).collect();
        prop_assert!(indexes.is_sorted_by(|one, next| one < next), "{indexes:?}");
    }

    #[test]
    fn trials_default_skips_offer_types(listed in vec(item(), 0..20)) {
        let plan = Plan::diff(listed, &Desired::with_default(Some(Trials)));
        prop_assert!(plan.changes.iter().all(|change| change.target.scope == Scope::Product));
    }
}

#[test]
fn unaddressable_item_is_an_error_only_if_it_differs() {
    let nameless = ProductPolicy {
        policy_id: None,
        scope: Scope::Product.as_str().to_owned(),
        id: None,
        name: Some("Nameless".into()),
        value: Some("Enabled".into()),
        extra: Map::new(),
    };
    let bundle = ProductPolicy { scope: "Bundle".to_owned(), id: Some("B1".into()), ..nameless.clone() };
    for item in [nameless, bundle] {
        let plan = Plan::diff(vec![item.clone()], &Desired::default());
        assert!(plan.ensure_addressable().is_ok() && plan.is_empty());
        // An item with the wanted value needs no request.
        let plan = Plan::diff(vec![item.clone()], &Desired::with_default(Some(Enabled)));
        assert!(plan.ensure_addressable().is_ok());
        let error =
            Plan::diff(vec![item], &Desired::with_default(Some(Disabled))).ensure_addressable().expect_err("an error");
        assert!(error.message().contains("Nameless"), "{error:?}");
    }
}

fn change(value: &str, wanted: PolicyValue) -> Change {
    let before = ProductPolicy {
        policy_id: Some("P".into()),
        scope: Scope::Product.as_str().to_owned(),
        id: Some("CFQ7TTC0H9MP".into()),
        name: Some("Power BI Pro".into()),
        value: Some(value.into()),
        extra: Map::new(),
    };
    Change { target: Target::new(Scope::Product, "CFQ7TTC0H9MP"), before, wanted: Some(wanted) }
}

#[test]
fn change_to_current_value_is_not_pending_in_any_case() {
    assert!(!change("DISABLED", Disabled).is_pending());
    assert!(change("SomethingNew", Disabled).is_pending());
}

#[test]
fn planned_record_shows_wanted_value() {
    let planned = change("Enabled", Disabled).into_planned_record();
    assert_eq!((planned.outcome, planned.wanted_value.as_deref()), (Outcome::Planned, Some("Disabled")));
    assert_eq!((planned.item.value.as_deref(), planned.previous_value.as_deref()), (Some("Enabled"), Some("Enabled")));
    assert_eq!(change("Enabled", Enabled).into_planned_record().outcome, Outcome::Unchanged);
}

#[test]
fn other_item_is_recognized_by_its_id() {
    let change = change("Enabled", Disabled);
    let response = |id: &str| ProductPolicy { id: Some(id.into()), ..change.before.clone() };
    assert!(!change.is_other_item(&response("cfq7ttc0h9mp")));
    assert!(change.is_other_item(&response("CFQ7TTC0LH2H")));
    assert!(!change.is_other_item(&ProductPolicy { id: None, ..change.before.clone() }));
}
