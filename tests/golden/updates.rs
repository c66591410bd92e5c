//! `product update` and `products update`: the recorded behaviour of the executable that a restructuring must not
//! change.

use crate::session::Session;
use crate::tenant::{CUSTOMER_DOMAIN, Product, Response};

#[test]
fn product_update_golden() {
    let mut session = Session::signed_in();
    session.run("product update CFQ7TTC0H9MP --value disabled --dry-run");
    for (format, value) in
        [("table", "disabled"), ("json", "enabled"), ("csv", "trials"), ("tsv", "Disabled"), ("markdown", "Enabled")]
    {
        session.run(&format!("product update CFQ7TTC0H9MP --value {value} -o {format}"));
    }
    session.run("product update 'power bi pro' --enabled false -o csv");
    session.run("product update 'power bi pro' --enabled false -o csv");
    session.run("product update cfq7ttc0h9mp --enabled true -o csv");
    session.run("product update CFQ7TTC0H9MP --value only-trials-without-payment-method --query outcome -o tsv");
    session.run("product update --offer-type SaaS --value disabled");
    session.run("product update --offer-type SaaS --enabled true -o json");
    session.run("product update --offer-type SaaS --value trials");
    session.run("product update CFQ7TTC0NONE --value disabled");
    session.run("product update 'Power BI' --value disabled");
    session.run("product update CFQ7TTC0H9MP --value disabled --confirm");
    session.run(&format!("product update CFQ7TTC0HD33 --value disabled --tenant {CUSTOMER_DOMAIN} -o csv"));
    session.note("The service accepts the change without making it.");
    session.tenant.misreport_updates(true);
    session.run("product update CFQ7TTC0HD33 --value enabled -o json");
    session.assert("product_update");
}

#[test]
fn products_update_golden() {
    let mut session = Session::signed_in();
    session.run_in_every_format("products update --all --value disabled --dry-run");
    session.run("products update --all --value disabled");
    session.run("products update CFQ7TTC0HD33 'visio plan 2' --value enabled --yes");
    session.run("products update --name '/^(visio|project) /' --value trials --yes -o csv");
    session.run("products update --name visio --scope all --value enabled --yes -o json");
    session.run("products update --scope offer-type --all --value disabled --yes -o csv");
    session.run("products update --scope all --all --value trials --yes -o csv");
    session.run("products update --all --except 'Power BI Pro' --except CFQ7TTC0HD33 --value disabled --yes -o tsv");
    session.run("products update --all --value disabled --yes --jobs 1 -o markdown");
    session.run("products update --all --value disabled --yes");
    session.run("products update --name nothing --value disabled --yes");
    session.run("products update CFQ7TTC0NONE CFQ7TTC0HD33 --value enabled --yes");
    session.run("products update --all --except Nothing --value enabled --yes");
    session.run("products update CFQ7TTC0HD33 'Visio Plan 1' --value enabled --yes -o csv");
    session.run("products update --name visio --value disabled --yes -o tsv --query '[].[id, outcome]'");
    session.note("Three changes get other answers.");
    let put = |id: &str| format!("PUT /v1.0/policies/AllowSelfServicePurchase/products/{id}");
    let refusal = r#"{"errorCode":"Forbidden","reason":"Not you."}"#;
    session.tenant.fail_next(&put("CFQ7TTC0HD33"), Response::text(403, "application/json", refusal));
    session.tenant.fail_next(&put("CFQ7TTC0HD32"), Response::text(400, "text/plain", "Not today."));
    session.tenant.fail_next(&put("CFQ7TTC0HDB1"), Response::text(200, "application/json", "{}"));
    session.run("products update --name plan --value enabled --yes -o json");
    session.note("Two products have the same name.");
    let twins = vec![Product::new("CFQ7TTC0AAAA", "Twin", "Enabled"), Product::new("CFQ7TTC0BBBB", "twin", "Disabled")];
    session.tenant.set_products(twins);
    session.run("products update Twin --value disabled --yes");
    session.run("products update --all --except twin --value enabled --yes");
    session.assert("products_update");
}
