//! Several tenants in one command: the recorded behaviour of the executable that a restructuring must not change.

use crate::session::{Session, THIRD_DOMAIN};
use crate::tenant::{CUSTOMER_DOMAIN, CUSTOMER_TENANT, HOME_DOMAIN, HOME_TENANT, Response};

const BASELINE: &str =
    "[products]\nCFQ7TTC0HD33 = \"Enabled\"\nCFQ7TTC0H9MP = \"Disabled\"\nCFQ7TTC0NONE = \"Disabled\"\n";

#[test]
fn several_tenants_golden() {
    let mut session = Session::signed_in();
    session.add_third_tenant();
    let two = format!("--tenant {HOME_TENANT} --tenant {CUSTOMER_DOMAIN}");
    session.call(&format!("products list --name visio {two}")).concurrent().run();
    for format in ["json", "csv", "tsv", "markdown"] {
        session.call(&format!("products list --name visio {two} -o {format}")).concurrent().run();
    }
    session.write("tenants.txt", &format!("# customers\n{CUSTOMER_TENANT}\n\n{THIRD_DOMAIN} # the third\n"));
    let file = "--tenants-file tenants.txt";
    for line in [
        format!("products list --name visio {file} -o csv"),
        format!("products list --name visio {file} --tenant {HOME_DOMAIN} -o csv"),
        format!("products list --scope all --name power {two} -o csv --jobs 1"),
        format!("products list {two} --query '[].[tenantId, id]' -o tsv --value trials"),
        format!("products list --name nothing {two} -o json"),
        format!("products update --name visio --value enabled {two} --dry-run"),
        format!("products update --name visio --value enabled {two}"),
        format!("products update --name visio --value enabled {file} --yes -o csv"),
        format!("products update --name visio --value enabled {two} --yes -o json"),
        format!("products update CFQ7TTC0NONE --value enabled {two} --yes"),
    ] {
        session.call(&line).concurrent().run();
    }
    session.write("base.toml", BASELINE);
    for line in [
        format!("baseline check base.toml {file}"),
        format!("baseline check base.toml {two} -o json"),
        format!("baseline apply base.toml {two} --dry-run --ignore-unknown -o csv"),
        format!("baseline apply base.toml {two} --yes"),
        format!("baseline apply base.toml {two} --yes --ignore-unknown -o csv"),
        format!("baseline check base.toml {two} -o csv"),
    ] {
        session.call(&line).concurrent().run();
    }
    session.note("One of the tenants refuses, and one does not exist.");
    let denial = r#"{"errorCode":"Forbidden","reason":"Not you."}"#;
    session.tenant.fail_next("GET /v1.0/policies", Response::text(403, "application/json", denial));
    session.call(&format!("products list --name visio {two} --jobs 1 -o csv")).concurrent().run();
    session.call("products list --name visio --tenant contoso.example --tenant nowhere.example").concurrent().run();
    session.note("Commands for one tenant.");
    session.run(&format!("product get CFQ7TTC0HD33 {two}"));
    session.run(&format!("undo --yes {two}"));
    session.run(&format!("products list {two} --tenant {HOME_TENANT} --name visio -o csv"));
    session.run("products list --tenants-file missing.txt");
    session.write("none.txt", "# nothing\n");
    session.run("products list --tenants-file none.txt");
    session.assert("several_tenants");
}
