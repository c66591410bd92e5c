use serde_json::Map;

use super::*;
use crate::api::Scope;

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
fn a_value_that_is_wanted_already_needs_no_change_in_any_spelling() {
    assert!(!change("DISABLED", PolicyValue::Disabled).is_needed());
    assert!(change("SomethingNew", PolicyValue::Disabled).is_needed());
}

#[test]
fn a_plan_shows_the_value_as_it_would_be() {
    let planned = change("Enabled", PolicyValue::Disabled).into_planned_record();
    assert_eq!((planned.outcome, planned.item.value.as_deref()), (Outcome::Planned, Some("Disabled")));
    assert_eq!(planned.previous_value.as_deref(), Some("Enabled"));
    assert_eq!(change("Enabled", PolicyValue::Enabled).into_planned_record().outcome, Outcome::Unchanged);
}

#[test]
fn an_answer_with_another_value_or_for_another_product_is_a_failure() {
    let change = change("Enabled", PolicyValue::Disabled);
    let answered = |id: &str, value: &str| ProductPolicy {
        id: Some(id.into()),
        value: Some(value.into()),
        ..change.before.clone()
    };
    assert!(change.verify(PolicyValue::Disabled, &answered("cfq7ttc0h9mp", "disabled")).is_ok());
    assert!(change.verify(PolicyValue::Disabled, &answered("CFQ7TTC0H9MP", "Enabled")).is_err());
    assert!(change.verify(PolicyValue::Disabled, &answered("CFQ7TTC0LH2H", "Disabled")).is_err());
}
