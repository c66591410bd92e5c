use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use serde_json::Map;

use super::*;
use crate::plan::export;

const FORMATS: [FileFormat; 2] = [FileFormat::Toml, FileFormat::Json];

/// A listed item whose name, ID and value may contain any characters.
fn item() -> impl Strategy<Value = ProductPolicy> {
    let known = prop_oneof![Just("Enabled".to_owned()), Just("DISABLED".to_owned())];
    // Export must not normalize values, not even aliases and values that offer types do not accept.
    let unusual =
        prop_oneof![Just("trials".to_owned()), Just("OnlyTrialsWithoutPaymentMethod".to_owned()), any::<String>()];
    let scope = prop_oneof![Just(Scope::Product), Just(Scope::OfferType)];
    let id = prop_oneof!["[A-Z0-9]{12}".prop_map(String::from), any::<String>()];
    (scope, option::weighted(0.9, id), option::of(any::<String>()), option::weighted(0.9, prop_oneof![known, unusual]))
        .prop_map(|(scope, id, name, value)| ProductPolicy {
            policy_id: None,
            scope: scope.as_str().to_owned(),
            id,
            name,
            value,
            extra: Map::new(),
        })
}

/// The target and value of each exportable item. Checks the number of skipped items.
fn settings(listed: &[ProductPolicy], skipped: usize) -> Vec<(Target, String)> {
    let mut settings: Vec<_> = listed
        .iter()
        .filter_map(|item| Some((item.target()?, item.value.clone()?)))
        .filter(|(target, _)| !target.id.trim().is_empty())
        .collect();
    settings.sort_by_key(|(target, value)| (target.clone(), value.clone()));
    assert_eq!(settings.len() + skipped, listed.len());
    settings
}

/// Removes items with a repeated target.
fn without_duplicates(listed: Vec<ProductPolicy>) -> Vec<ProductPolicy> {
    let mut seen = std::collections::BTreeSet::new();
    listed.into_iter().filter(|item| item.target().is_none_or(|target| seen.insert(target))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn export_then_parse_keeps_settings(listed in vec(item(), 0..20), policy in any::<String>()) {
        let listed = without_duplicates(listed);
        for format in FORMATS {
            let exported = export(&policy, listed.clone(), format).expect("an export");
            let baseline = Baseline::parse("f", &exported.text, format).expect(&exported.text);
            let mut read: Vec<_> = baseline
                .entries
                .iter()
                .map(|entry| (entry.target.clone(), entry.value.to_lowercase()))
                .collect();
            read.sort_by_key(|(target, value)| (target.clone(), value.clone()));
            let written = settings(&listed, exported.skipped.len());
            let written: Vec<_> =
                written.into_iter().map(|(target, value)| (target, value.to_lowercase())).collect();
            prop_assert_eq!(read, written);
            prop_assert_eq!(baseline.policy.map(|(policy, _)| policy), Some(policy.clone()));
            prop_assert_eq!(baseline.default, None);
        }
    }

    #[test]
    fn export_then_compare_has_no_drift(listed in vec(item(), 0..20)) {
        let listed = without_duplicates(listed);
        for format in FORMATS {
            let exported = export("P", listed.clone(), format).expect("an export");
            let baseline = Baseline::parse("f", &exported.text, format).expect(&exported.text);
            let Comparison { plan, unknown } = baseline.compare(listed.clone()).expect("a comparison");
            prop_assert!(plan.is_empty() && unknown.is_empty(), "{}\n{}", exported.text, plan);
        }
    }

    #[test]
    fn any_text_round_trips_or_fails_with_its_line(text in any::<String>(), toml in "[a-z\\[\\]=\"#.\n{}:,' -]{0,60}") {
        proptests::check_baseline(text.as_bytes());
        proptests::check_baseline(toml.as_bytes());
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

fn parse_error(text: &str, format: FileFormat) -> String {
    Baseline::parse("b", text, format).expect_err("an error").summary()
}

#[test]
fn toml_error_has_file_line_and_key() {
    let cases = [
        ("policy = \"P\"\npolices = \"Q\"", "b:2: polices: unknown key"),
        ("[products]\nA = \"Enabled\"\na = \"Disabled\"", "b:3: products.a: duplicate ID"),
        ("default = \"off\"", "b:1: default: 'off' is not a valid value"),
        ("[products]\nA = true", "b:2: products.A: the value must be a string"),
        ("products = \"A\"", "b:1: products: the value must be a table"),
        ("policy = 1\ndefault = \"Enabled\"", "b:1: policy: the value must be a string"),
        ("[products]\n\"\" = \"Enabled\"", "b:2: products.: the ID is empty"),
        ("policy = \"P\"", "b contains no products"),
        ("# nothing\n", "b is empty"),
    ];
    for (text, message) in cases {
        let error = parse_error(text, FileFormat::Toml);
        assert!(error.starts_with(message), "{error}");
    }
    let error = parse_error("[products]\nA = \"Enabled\"\nA = \"Disabled\"", FileFormat::Toml);
    assert!(error.starts_with("b:3: duplicate key") && error.contains("A = \"Disabled\""), "{error}");
}

#[test]
fn json_error_has_file_line_and_key() {
    let cases = [
        ("{\n \"policy\": \"P\",\n \"policy\": \"Q\"\n}", "b:3: policy: duplicate key"),
        ("{\"products\": {\n\"A\": \"Enabled\",\n\"A\": \"Enabled\"}}", "b:3: products.A: duplicate ID"),
        // The value also occurs earlier in the text, which must not affect its line.
        ("\n{\"products\": {\"A\":\n\"A\", \"\\u0042\": \"A\",\n\"b\": \"\"}}", "b:4: products.b: duplicate ID"),
        ("{\"policy\": \"default\", \"default\":\n\"policy\"}", "b:2: default: 'policy' is not a valid value"),
        ("{\"products\":\n{\"A\": [\"Enabled\"]}}", "b:2: products.A: the value must be a string"),
        ("[]", "b: not a JSON object"),
        ("{}", "b is empty"),
        ("", "b is empty"),
    ];
    for (text, message) in cases {
        let error = parse_error(text, FileFormat::Json);
        assert!(error.starts_with(message), "{error}");
    }
    let error = parse_error("{\n\"products\": {\n\"A\" \"Enabled\"}}", FileFormat::Json);
    assert!(error.starts_with("b:3: expected `:`") && error.contains("\"A\" \"Enabled\"}}"), "{error}");
}

#[test]
fn unknown_value_is_accepted_if_current() {
    let baseline = Baseline::parse("b", "default = \"Disabled\"\n[products]\na = \"OnlyOnTuesdays\"", FileFormat::Toml);
    let baseline = baseline.expect("a baseline");
    let Comparison { plan, .. } = baseline.compare(vec![listed("A", "onlyontuesdays")]).expect("a comparison");
    assert_eq!((plan.changes.len(), plan.is_empty()), (1, true));
    let error = baseline.compare(vec![listed("A", "Enabled")]).err().expect("an error").summary();
    assert!(error.starts_with("b:3: products.a: unknown value 'OnlyOnTuesdays'"), "{error}");
}

#[test]
fn unlisted_entries_are_unknown_with_their_line() {
    let baseline = Baseline::parse("b", "[products]\nA = \"trials\"\n[offer-types]\nB = \"Odd\"", FileFormat::Toml);
    let Comparison { plan, unknown } = baseline.expect("a baseline").compare(Vec::new()).expect("a comparison");
    assert!(plan.changes.is_empty());
    let found: Vec<_> = unknown.iter().map(|unknown| (unknown.location.as_str(), unknown.wanted.as_str())).collect();
    assert_eq!(found, [("b:2", "OnlyTrialsWithoutPaymentMethod"), ("b:4", "Odd")]);
}

#[test]
fn file_for_other_policy_is_an_error() {
    let baseline =
        Baseline::parse("b", "default = \"Enabled\"\npolicy = \"Other\"", FileFormat::Toml).expect("a baseline");
    assert!(baseline.check_policy("OTHER").is_ok());
    let error = baseline.check_policy("P").expect_err("an error").summary();
    assert!(error.starts_with("b:2: policy: the file is for policy 'Other'"), "{error}");
}

#[test]
fn trials_for_offer_type_is_an_error_unless_current() {
    let baseline = Baseline::parse("b", "[offer-types]\n\nSaaS = \"trials\"", FileFormat::Toml).expect("a baseline");
    let offer_type = |value| ProductPolicy { scope: Scope::OfferType.as_str().to_owned(), ..listed("saas", value) };
    for tenant in [Vec::new(), vec![offer_type("Enabled")]] {
        let error = baseline.compare(tenant).err().expect("an error").summary();
        assert!(error.starts_with("b:3: offer-types.SaaS: an offer type accepts only Enabled or Disabled"), "{error}");
    }
    assert!(baseline.compare(vec![offer_type("Trials")]).expect("a comparison").plan.is_empty());
}

#[test]
fn deep_nesting_fails_and_long_file_parses() {
    let deep = format!("{}1{}", "{\"a\":".repeat(50_000), "}".repeat(50_000));
    assert!(Baseline::parse("b", &deep, FileFormat::Json).is_err());
    assert!(Baseline::parse("b", &deep.replace(':', "="), FileFormat::Toml).is_err());
    let long: String = (0..50_000).map(|number| format!("P{number} = \"Enabled\"\n")).collect();
    let baseline = Baseline::parse("b", &format!("[products]\n{long}"), FileFormat::Toml).expect("a baseline");
    assert_eq!(baseline.entries.last().map(|entry| entry.line), Some(50_001));
}
