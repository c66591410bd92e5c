//! `history` and `undo`: the recorded behaviour of the executable that a restructuring must not change.

use crate::session::Session;
use crate::tenant::{CUSTOMER_DOMAIN, CUSTOMER_TENANT, HOME_TENANT, Response};

#[test]
fn history_golden() {
    let mut session = Session::signed_in();
    session.run("history");
    session.run("history -o json");
    session.run("product update CFQ7TTC0H9MP --value disabled");
    session.run("products update --name visio --value enabled --yes --jobs 1 -o csv");
    session.run(&format!("product update --offer-type SaaS --value enabled --tenant {CUSTOMER_DOMAIN} -o csv"));
    session.run_in_every_format("history");
    session.run("history --limit 1 -o csv");
    session.run("history --limit 0");
    session.run(&format!("history --tenant {HOME_TENANT} -o csv"));
    session.run(&format!("history --tenant {CUSTOMER_TENANT} -o csv"));
    session.run(&format!("history --tenant {CUSTOMER_DOMAIN} -o csv"));
    session.run("history --policy-id Other -o csv");
    session.run("history --query '[].[id, from, to]' -o tsv");
    session.note("The record goes on after the sign-out.");
    session.run("disconnect");
    session.run("history --limit 1 -o csv");
    session.assert("history");
}

#[test]
fn undo_golden() {
    let mut session = Session::signed_in();
    session.run("undo --yes");
    session.run("products update --name '/^visio|^power bi/' --value enabled --yes --jobs 1 -o csv");
    session.run_in_every_format("undo --dry-run");
    session.run("undo");
    session.run("undo --yes");
    session.run("undo --yes -o csv");
    session.note("One of the products has been changed since.");
    session.tenant.set_value("CFQ7TTC0HD33", "OnlyTrialsWithoutPaymentMethod");
    session.run("undo --yes -o json");
    session.note("One change of an undo is refused; the next undo finishes it.");
    session.run("products update CFQ7TTC0HDB1 CFQ7TTC0HDB0 --value disabled --yes --jobs 1 -o csv");
    let put = "PUT /v1.0/policies/AllowSelfServicePurchase/products/CFQ7TTC0HDB0";
    session.tenant.fail_next(put, Response::text(400, "text/plain", "Not today."));
    session.run("undo --yes -o csv");
    session.run("undo --yes -o csv");
    session.run(&format!("undo --yes --tenant {CUSTOMER_DOMAIN}"));
    session.run("undo --yes --policy-id Other");
    session.run("product update --offer-type SaaS --value disabled -o csv");
    session.run("undo --yes -o csv");
    session.run("history -o csv --query '[].[run, id, from, to]' --limit 50");
    session.remove("state/changes.jsonl");
    session.run("undo --yes");
    session.assert("undo");
}
