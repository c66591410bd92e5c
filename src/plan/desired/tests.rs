use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use serde_json::Map;

use super::*;
use PolicyValue::{Disabled, Enabled, OnlyTrialsWithoutPaymentMethod as Trials};

/// An item of a listing; ids come from few letters, so that they meet in both cases and more than once.
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
    let named = btree_map((any::<bool>(), "[ab]{1,2}"), wanted, 0..6);
    (named, option::of(value())).prop_map(|(named, default)| {
        let mut desired = Desired::with_default(default);
        for ((is_offer_type, id), wanted) in named {
            let target = Target::new(if is_offer_type { Scope::OfferType } else { Scope::Product }, id);
            desired.insert(&target, wanted);
        }
        desired
    })
}

/// What a service shows after it has done what the plan asks for.
fn carried_out(plan: &Plan, listed: &[ProductPolicy]) -> Vec<ProductPolicy> {
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
    fn carrying_a_plan_out_brings_the_desired_state_about(listed in vec(item(), 0..20), desired in desired()) {
        let plan = Plan::diff(listed.clone(), &desired);
        let after = carried_out(&plan, &listed);
        for (before, after) in listed.iter().zip(&after) {
            match desired.get(&after.target().expect("a target")) {
                Some(Wanted::Set(wanted)) => prop_assert!(wanted.matches(after.value.as_deref())),
                Some(Wanted::Keep) | None => prop_assert_eq!(before, after),
            }
        }
    }

    #[test]
    fn a_second_plan_is_empty(listed in vec(item(), 0..20), desired in desired()) {
        let plan = Plan::diff(listed.clone(), &desired);
        let again = Plan::diff(carried_out(&plan, &listed), &desired);
        prop_assert!(again.is_empty(), "{again}");
        prop_assert_eq!(again.changes.len(), plan.changes.len());
    }

    #[test]
    fn a_plan_names_each_thing_once_in_the_order_of_the_listing(listed in vec(item(), 0..20), desired in desired()) {
        let plan = Plan::diff(listed.clone(), &desired);
        let place = |target: &Target| {
            listed.iter().position(|item| item.target().is_some_and(|listed| listed == *target))
        };
        let places: Vec<_> = plan.changes.iter().map(|change| place(&change.target).expect("it is listed")).collect();
        prop_assert!(places.is_sorted_by(|one, next| one < next), "{places:?}");
    }

    #[test]
    fn a_default_asks_no_offer_type_for_trials(listed in vec(item(), 0..20)) {
        let plan = Plan::diff(listed, &Desired::with_default(Some(Trials)));
        prop_assert!(plan.changes.iter().all(|change| change.target.scope == Scope::Product));
    }
}

#[test]
fn what_no_request_can_name_is_refused_only_where_something_is_wanted_of_it() {
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
        // What is as it should be needs no request.
        let plan = Plan::diff(vec![item.clone()], &Desired::with_default(Some(Enabled)));
        assert!(plan.ensure_addressable().is_ok());
        let refused =
            Plan::diff(vec![item], &Desired::with_default(Some(Disabled))).ensure_addressable().expect_err("no");
        assert!(refused.message().contains("Nameless"), "{refused:?}");
    }
}
