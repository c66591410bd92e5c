//! `baseline`: the recorded behaviour of the executable that a restructuring must not change.

use crate::session::Session;
use crate::tenant::CUSTOMER_DOMAIN;

const DRIFT: &str = r#"policy = "AllowSelfServicePurchase"
default = "Disabled"

[products]
CFQ7TTC0H9MP = "Enabled"  # Power BI Pro
CFQ7TTC0HD33 = "OnlyTrialsWithoutPaymentMethod"
CFQ7TTC0NONE = "Disabled"

[offer-types]
SaaS = "Disabled"
"#;

const DRIFT_JSON: &str = r#"{ "policy": "AllowSelfServicePurchase",
  "products": { "CFQ7TTC0HD33": "Enabled", "CFQ7TTC0HD32": "Enabled" }, "offer-types": { "SaaS": "Enabled" } }
"#;

const CLEAN: &str = "[products]\nCFQ7TTC0H9MP = \"Enabled\"\n";

#[test]
fn baseline_export_golden() {
    let mut session = Session::signed_in();
    session.run("baseline export");
    session.run("baseline export -o json");
    session.run("baseline export --file baseline.toml");
    session.run("baseline export --file baseline.toml");
    session.run("baseline export --file baseline.toml --force");
    session.run("baseline export --file baseline.json");
    session.run(&format!("baseline export --file baseline.json --force --tenant {CUSTOMER_DOMAIN}"));
    session.run("baseline export --file missing/baseline.toml");
    session.run("baseline export -o csv");
    session.run("baseline export --policy-id NoSuchPolicy");
    session.run("baseline check baseline.toml");
    session.run("baseline check baseline.json -o csv");
    session.assert("baseline_export");
}

#[test]
fn baseline_check_golden() {
    let mut session = Session::signed_in();
    session.write("drift.toml", DRIFT);
    session.write("drift.json", DRIFT_JSON);
    session.write("clean.toml", CLEAN);
    session.run_in_every_format("baseline check drift.toml");
    session.run("baseline check drift.json");
    session.run("baseline check clean.toml");
    session.run("baseline check clean.toml -o json");
    session.run("baseline check drift.toml --query '[].id' -o tsv");
    session.run("baseline check missing.toml");
    session.write("bad.toml", "[products]\nCFQ7TTC0H9MP = \"Sometimes\"\n");
    session.run("baseline check bad.toml");
    session.write("bad.json", "{ \"products\": ");
    session.run("baseline check bad.json");
    session.write("unknown.toml", "[things]\na = \"Enabled\"\n");
    session.run("baseline check unknown.toml");
    session.write("trials.toml", "default = \"OnlyTrialsWithoutPaymentMethod\"\n");
    session.run("baseline check trials.toml -o csv");
    session.write("empty.toml", "");
    session.run("baseline check empty.toml");
    session.assert("baseline_check");
}

#[test]
fn baseline_apply_golden() {
    let mut session = Session::signed_in();
    session.write("drift.toml", DRIFT);
    session.write("drift.json", DRIFT_JSON);
    session.write("clean.toml", CLEAN);
    session.run("baseline apply drift.toml --dry-run");
    session.run("baseline apply drift.toml --yes");
    session.run_in_every_format("baseline apply drift.toml --dry-run --ignore-unknown");
    session.run("baseline apply drift.toml --ignore-unknown");
    session.run("baseline apply drift.json --yes");
    session.run("baseline apply drift.json --yes -o csv");
    session.run("baseline apply drift.toml --yes --ignore-unknown -o csv");
    session.run("baseline apply drift.toml --yes --ignore-unknown -o json");
    session.run("baseline apply clean.toml --yes");
    session.run("baseline check drift.toml");
    session.assert("baseline_apply");
}
