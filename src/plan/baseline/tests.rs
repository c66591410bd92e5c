use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use serde_json::Map;

use super::*;
use crate::api::Scope;

const FORMS: [Form; 2] = [Form::Toml, Form::Json];

/// Any item that a service could list, with names, ids and values of whatever characters.
fn item() -> impl Strategy<Value = ProductPolicy> {
    let known = prop_oneof![Just("Enabled".to_owned()), Just("DISABLED".to_owned())];
    // Whatever the tenant shows, a word of this tool's or a value that no offer type takes, is written down as it is.
    let odd =
        prop_oneof![Just("trials".to_owned()), Just("OnlyTrialsWithoutPaymentMethod".to_owned()), any::<String>()];
    let scope = prop_oneof![Just(Scope::Product), Just(Scope::OfferType)];
    let id = prop_oneof!["[A-Z0-9]{12}".prop_map(String::from), any::<String>()];
    (scope, option::weighted(0.9, id), option::of(any::<String>()), option::weighted(0.9, prop_oneof![known, odd]))
        .prop_map(|(scope, id, name, value)| ProductPolicy {
            policy_id: None,
            scope: scope.as_str().to_owned(),
            id,
            name,
            value,
            extra: Map::new(),
        })
}

/// What can be written down of a listing: each thing once, with an id and a value.
fn settings(listed: &[ProductPolicy], left_out: usize) -> Vec<(Target, String)> {
    let mut settings: Vec<_> = listed
        .iter()
        .filter_map(|item| Some((item.target()?, item.value.clone()?)))
        .filter(|(target, _)| !target.id.trim().is_empty())
        .collect();
    settings.sort_by_key(|(target, value)| (target.clone(), value.clone()));
    assert_eq!(settings.len() + left_out, listed.len());
    settings
}

/// No two things of the same id.
fn without_repetition(listed: Vec<ProductPolicy>) -> Vec<ProductPolicy> {
    let mut seen = std::collections::BTreeSet::new();
    listed.into_iter().filter(|item| item.target().is_none_or(|target| seen.insert(target))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_exported_reads_back_as_the_same_settings(listed in vec(item(), 0..20), policy in any::<String>()) {
        let listed = without_repetition(listed);
        for form in FORMS {
            let exported = export(&policy, listed.clone(), form).expect("a text");
            let baseline = Baseline::parse("f", &exported.text, form).expect(&exported.text);
            let mut read: Vec<_> = baseline
                .entries
                .iter()
                .map(|entry| (entry.target.clone(), entry.value.to_lowercase()))
                .collect();
            read.sort_by_key(|(target, value)| (target.clone(), value.clone()));
            let written = settings(&listed, exported.left_out.len());
            let written: Vec<_> =
                written.into_iter().map(|(target, value)| (target, value.to_lowercase())).collect();
            prop_assert_eq!(read, written);
            prop_assert_eq!(baseline.policy.map(|(policy, _)| policy), Some(policy.clone()));
            prop_assert_eq!(baseline.default, None);
        }
    }

    #[test]
    fn a_tenant_is_as_its_own_export_says(listed in vec(item(), 0..20)) {
        let listed = without_repetition(listed);
        for form in FORMS {
            let exported = export("P", listed.clone(), form).expect("a text");
            let baseline = Baseline::parse("f", &exported.text, form).expect(&exported.text);
            let Comparison { plan, unknown } = baseline.compare(listed.clone()).expect("a comparison");
            prop_assert!(plan.is_empty() && unknown.is_empty(), "{}\n{}", exported.text, plan);
        }
    }

    #[test]
    fn any_text_is_read_back_as_it_was_or_refused_by_its_line(text in any::<String>(), toml in "[a-z\\[\\]=\"#.\n{}:,' -]{0,60}") {
        properties::baseline(text.as_bytes());
        properties::baseline(toml.as_bytes());
    }
}

fn listed(id: &str, value: &str) -> ProductPolicy {
    ProductPolicy {
        policy_id: None,
        scope: Scope::Product.as_str().to_owned(),
        id: Some(id.into()),
        name: Some("A name".into()),
        value: Some(value.into()),
        extra: Map::new(),
    }
}

fn error(text: &str, form: Form) -> String {
    Baseline::parse("b", text, form).expect_err("an error").summary()
}

#[test]
fn an_error_names_the_file_the_line_and_the_key() {
    let cases = [
        ("policy = \"P\"\npolices = \"Q\"", "b:2: polices: there is no such key"),
        ("[products]\nA = \"Enabled\"\na = \"Disabled\"", "b:3: products.a: the id is there a second time"),
        ("default = \"off\"", "b:1: default: 'off' is no value"),
        ("[products]\nA = true", "b:2: products.A: the value has to be a text"),
        ("products = \"A\"", "b:1: products: it has to be a table"),
        ("policy = 1\ndefault = \"Enabled\"", "b:1: policy: the value has to be a text"),
        ("[products]\n\"\" = \"Enabled\"", "b:2: products.: the id is empty"),
        ("policy = \"P\"", "b names no product"),
        ("# nothing\n", "b is empty"),
    ];
    for (text, words) in cases {
        let told = error(text, Form::Toml);
        assert!(told.starts_with(words), "{told}");
    }
    let told = error("[products]\nA = \"Enabled\"\nA = \"Disabled\"", Form::Toml);
    assert!(told.starts_with("b:3: duplicate key") && told.contains("A = \"Disabled\""), "{told}");
}

#[test]
fn an_error_in_json_names_the_line_too() {
    let cases = [
        ("{\n \"policy\": \"P\",\n \"policy\": \"Q\"\n}", "b:3: policy: the key is there a second time"),
        (
            "{\"products\": {\n\"A\": \"Enabled\",\n\"A\": \"Enabled\"}}",
            "b:3: products.A: the id is there a second time",
        ),
        ("{\"products\":\n{\"A\": [\"Enabled\"]}}", "b:2: products.A: the value has to be a text"),
        ("[]", "b: it is not a JSON object"),
        ("{}", "b is empty"),
        ("", "b is empty"),
    ];
    for (text, words) in cases {
        let told = error(text, Form::Json);
        assert!(told.starts_with(words), "{told}");
    }
    let told = error("{\n\"products\": {\n\"A\" \"Enabled\"}}", Form::Json);
    assert!(told.starts_with("b:3: expected `:`") && told.contains("\"A\" \"Enabled\"}}"), "{told}");
}

#[test]
fn a_value_that_is_not_known_is_accepted_where_the_tenant_shows_it() {
    let baseline = Baseline::parse("b", "default = \"Disabled\"\n[products]\na = \"OnlyOnTuesdays\"", Form::Toml);
    let baseline = baseline.expect("a baseline");
    let Comparison { plan, .. } = baseline.compare(vec![listed("A", "onlyontuesdays")]).expect("a comparison");
    assert_eq!((plan.changes.len(), plan.is_empty()), (1, true));
    let told = baseline.compare(vec![listed("A", "Enabled")]).err().expect("an error").summary();
    assert!(told.starts_with("b:3: products.a: this version knows no value 'OnlyOnTuesdays'"), "{told}");
}

#[test]
fn what_the_tenant_does_not_have_is_told_with_its_line() {
    let baseline = Baseline::parse("b", "[products]\nA = \"trials\"\n[offer-types]\nB = \"Odd\"", Form::Toml);
    let Comparison { plan, unknown } = baseline.expect("a baseline").compare(Vec::new()).expect("a comparison");
    assert!(plan.changes.is_empty());
    let told: Vec<_> = unknown.iter().map(|unknown| (unknown.place.as_str(), unknown.wanted.as_str())).collect();
    assert_eq!(told, [("b:2", "OnlyTrialsWithoutPaymentMethod"), ("b:4", "Odd")]);
}

#[test]
fn a_file_for_another_policy_is_refused() {
    let baseline = Baseline::parse("b", "default = \"Enabled\"\npolicy = \"Other\"", Form::Toml).expect("a baseline");
    assert!(baseline.check_policy("OTHER").is_ok());
    let told = baseline.check_policy("P").expect_err("an error").summary();
    assert!(told.starts_with("b:2: policy: the file is for the policy 'Other'"), "{told}");
}

#[test]
fn trials_are_for_products_unless_the_tenant_shows_otherwise() {
    let baseline = Baseline::parse("b", "[offer-types]\n\nSaaS = \"trials\"", Form::Toml).expect("a baseline");
    let offer_type = |value| ProductPolicy { scope: Scope::OfferType.as_str().to_owned(), ..listed("saas", value) };
    for tenant in [Vec::new(), vec![offer_type("Enabled")]] {
        let told = baseline.compare(tenant).err().expect("an error").summary();
        assert!(told.starts_with("b:3: offer-types.SaaS: an offer type takes Enabled or Disabled"), "{told}");
    }
    assert!(baseline.compare(vec![offer_type("Trials")]).expect("a comparison").plan.is_empty());
}

#[test]
fn depth_and_length_of_a_file_break_nothing() {
    let deep = format!("{}1{}", "{\"a\":".repeat(50_000), "}".repeat(50_000));
    assert!(Baseline::parse("b", &deep, Form::Json).is_err());
    assert!(Baseline::parse("b", &deep.replace(':', "="), Form::Toml).is_err());
    let long: String = (0..50_000).map(|number| format!("P{number} = \"Enabled\"\n")).collect();
    let baseline = Baseline::parse("b", &format!("[products]\n{long}"), Form::Toml).expect("a baseline");
    assert_eq!(baseline.entries.last().map(|entry| entry.line), Some(50_001));
}
