//! `baseline check`: how what differs is told.

use serde_json::json;

use super::*;
use crate::tenant::{Answer, Product};

/// Says another value for two, names three that there are not, and leaves the rest alone.
const DRIFTED: &str = r#"
policy = "AllowSelfServicePurchase"

[products]
CFQ7TTC0H9MP = "Disabled"
CFQ7TTC0HD33 = "Disabled"   # as it is
CFQ7TTC0L3PB = "trials"
"a | *b*" = "Someday"

[offer-types]
SaaS = "disabled"
Bundle = "Enabled"
"#;

const AS_IT_IS: &str = "[products]\nCFQ7TTC0H9MP = \"Enabled\"\n[offer-types]\nSaaS = \"Enabled\"\n";

const FORMATS: [&str; 5] = ["table", "json", "csv", "tsv", "markdown"];

fn check(machine: &Machine, format: &str) -> Ran {
    here(machine, &["baseline", "check", "b.toml", "-o", format])
}

#[test]
fn only_what_differs_is_printed_in_every_format() {
    let machine = Machine::signed_in();
    write(&machine, "b.toml", DRIFTED);
    for format in FORMATS {
        let ran = check(&machine, format).expect_code(3);
        insta::assert_snapshot!(format!("drift_{format}"), ran.stdout);
    }
    assert!(changes(&machine).is_empty());
}

#[test]
fn it_says_how_much_differs_where_and_what_to_do() {
    let machine = Machine::signed_in();
    write(&machine, "b.toml", DRIFTED);
    let ran = check(&machine, "json").expect_code(3);
    assert!(ran.stderr.starts_with("drift: "), "a difference is no error: {}", ran.stderr);
    assert!(!ran.stderr.contains("error"), "{}", ran.stderr);
    ran.expect_said(&[
        "b.toml",
        "11111111-1111-4111-8111-111111111111",
        "2 different, 3 unknown",
        "hint: CFQ7TTC0L3PB has been renumbered, Power BI Pro is CFQ7TTC0H9MP now",
        "hint: see what would be changed: mscommerce baseline apply b.toml",
    ]);
    // The exit code alone is what a silent script wants.
    let ran = here(&machine, &["baseline", "check", "b.toml", "-o", "json", "-q"]).expect_code(3);
    assert_eq!(ids(&ran).len(), 5);
}

#[test]
fn the_hint_to_apply_is_one_that_can_be_followed() {
    let machine = Machine::signed_in();
    write(&machine, "b.toml", DRIFTED);
    let ran = check(&machine, "json").expect_code(3);
    let hint = ran.stderr.lines().find_map(|line| line.split_once("mscommerce baseline apply ")).unwrap().1;
    let arguments: Vec<&str> = ["baseline", "apply"].into_iter().chain(hint.split(' ')).collect();
    // Some of its ids are unknown, which to apply is an error unless it is told to go on.
    here(&machine, &arguments).expect_code(0).expect_said(&["2 planned"]);
}

#[test]
fn where_nothing_differs_every_format_is_as_good_as_empty() {
    let machine = Machine::signed_in();
    write(&machine, "b.toml", AS_IT_IS);
    let header = ["policyId", "scope", "id", "name", "policyValue", "wantedValue", "drift"];
    let caption = "The tenant 11111111-1111-4111-8111-111111111111 is as b.toml says: 2 checked.\n";
    for (format, wanted) in [
        ("table", String::new()),
        ("json", "[]\n".to_owned()),
        ("csv", header.join(",") + "\n"),
        ("tsv", header.join("\t") + "\n"),
        // A job summary that says nothing would leave its reader to guess.
        ("markdown", caption.to_owned()),
    ] {
        let ran = check(&machine, format).expect_code(0);
        assert_eq!((ran.stdout, ran.stderr.as_str()), (wanted, caption), "{format}");
    }
    let ran = here(&machine, &["baseline", "check", "b.toml", "-q"]).expect_code(0);
    assert_eq!((ran.stdout, ran.stderr), (String::new(), String::new()));
}

#[test]
fn what_the_tenant_does_not_have_has_neither_name_nor_value() {
    let machine = Machine::signed_in();
    write(&machine, "b.toml", format!("[products]\n{OLD_POWER_BI} = \"disabled\"\n"));
    let ran = check(&machine, "json").expect_code(3).expect_said(&["1 unknown", "mscommerce product get CFQ7TTC0H9MP"]);
    let unknown = json!([{ "policyId": "AllowSelfServicePurchase", "scope": "product", "id": OLD_POWER_BI, "name": null,
        "policyValue": null, "wantedValue": "Disabled", "drift": "unknown" }]);
    assert_eq!(ran.json(), unknown);
    // Nothing of this could be applied.
    assert!(!ran.stderr.contains("baseline apply"), "{}", ran.stderr);
}

#[test]
fn what_the_service_adds_stays_in_json() {
    let machine = Machine::signed_in();
    let pro = Product::new(POWER_BI, "Power BI Pro", "Enabled").with("addedLater", json!({ "a": [1] }));
    machine.tenant.set_products(vec![pro]);
    write(
        &machine,
        "b.toml",
        "default = \"Disabled\"\n[offer-types]\nSaaS = \"Enabled\"\nPOWERBIVISUALS = \"Enabled\"\n",
    );
    let ran = check(&machine, "json").expect_code(3);
    assert_eq!((ids(&ran), &ran.json()[0]["addedLater"]), (vec![POWER_BI.to_owned()], &json!({ "a": [1] })));
}

#[test]
fn names_and_values_that_mean_harm_break_no_format() {
    let machine = Machine::signed_in();
    let nasty = "a|b\tc\nd\u{1b}[2J\u{202e}`e` [f](g) <h> \"i\"";
    machine.tenant.set_products(vec![Product::new(POWER_BI, nasty, nasty)]);
    write(&machine, "b.toml", format!("[products]\n{POWER_BI} = \"Disabled\"\n"));
    for (format, lines) in [("table", 2), ("tsv", 2), ("markdown", 5)] {
        let text = check(&machine, format).expect_code(3).stdout;
        assert_eq!(text.lines().count(), lines, "{text}");
        assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text:?}");
    }
    assert_eq!(check(&machine, "json").json()[0]["policyValue"], nasty);
    let csv = check(&machine, "csv").stdout;
    let row = csv::Reader::from_reader(csv.as_bytes()).into_records().next().unwrap().unwrap();
    assert_eq!((&row[3], &row[4], &row[6]), (nasty, nasty, "different"));
}

#[test]
fn a_failure_is_not_taken_for_drift() {
    for scope in ["scope=product", "scope=OfferType"] {
        // The other listing may arrive late, when nobody waits for it any more; it must not find this answer.
        let machine = Machine::signed_in();
        write(&machine, "b.toml", DRIFTED);
        machine.tenant.fail_next(scope, Answer::text(500, "text/plain", "out of order"));
        let ran = check(&machine, "json").expect_code(1).expect_no_data();
        ran.expect_said(&["error: could not list the", "out of order", "correlation id"]);
    }
    let machine = Machine::new();
    write(&machine, "b.toml", DRIFTED);
    check(&machine, "markdown").expect_code(4).expect_no_data().expect_said(&["nobody is signed in"]);
}

#[test]
fn a_policy_that_is_not_there_is_named() {
    let machine = Machine::signed_in();
    write(&machine, "b.toml", DRIFTED.replace("AllowSelfServicePurchase", "AllowEverything"));
    let check = ["baseline", "check", "b.toml", "--policy-id", "allowEVERYTHING"];
    here(&machine, &check)
        .expect_code(1)
        .expect_no_data()
        .expect_said(&["there is no policy 'allowEVERYTHING'", "AllowSelfServicePurchase"]);
}
