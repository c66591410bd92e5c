//! `policy`, `products list` and `product get`: the recorded behaviour of the executable that a restructuring must not
//! change.

use serde_json::{Value, json};

use crate::session::Session;
use crate::tenant::{CUSTOMER_DOMAIN, Product, Response};

#[test]
fn policy_golden() {
    let mut session = Session::signed_in();
    session.run_in_every_format("policy list");
    session.run("policy get");
    session.run("policy get allowselfservicepurchase -o csv");
    session.run("policy get --query defaultValue -o tsv");
    session.run("policy get NoSuchPolicy");
    session.run("policy list --policy-id NoSuchPolicy");
    session.note("The policy has further members.");
    let extra =
        json!({ "lastModified": "yesterday", "nested": { "b": [1, 2.50], "a": null }, "defaultValue": "Other" });
    session.tenant.set_policy_extra(extra.as_object().unwrap().clone());
    session.run("policy get -o json");
    session.run("policy list -o table");
    session.assert("policy");
}

#[test]
fn products_list_golden() {
    let mut session = Session::signed_in();
    session.run_in_every_format("products list");
    session.run("products list --scope offer-type");
    session.run("products list --scope all -o csv");
    session.run("products list --name visio");
    session.run("products list --name '/^(visio|project) .*[13]$/' -o tsv");
    session.run("products list --scope all --name power -o json");
    session.run("products list --name nothing");
    session.run("products list --name nothing -o json");
    session.run("products list --value enabled -o csv");
    session.run("products list --value trials");
    session.run("products list --scope all --value Disabled --name dynamics -o markdown");
    session.run("products list --query '[].id' -o tsv");
    session.run("products list --query 'length(@)'");
    session.run("products list --query '[?policyValue==`Enabled`].{id: id, name: name} | [:2]' -o csv");
    session.run("products list --query '[0]' -o table");
    session.run("products list --policy-id NoSuchPolicy");
    session.run(&format!("products list --tenant {CUSTOMER_DOMAIN} --name visio"));
    session.call("products list --name visio").env("MSCOMMERCE_OUTPUT", "json").run();
    session.run("products list --name visio --color always -v -q");
    session.assert("products_list");
}

#[test]
fn product_get_golden() {
    let mut session = Session::signed_in();
    session.run_in_every_format("product get CFQ7TTC0H9MP");
    session.run("product get cfq7ttc0h9mp -o csv");
    session.run("product get 'power bi pro' -o csv");
    session.run("product get 'Power BI'");
    session.run("product get CFQ7TTC0NONE");
    session.run("product get --offer-type SaaS");
    session.run("product get --offer-type saas -o json");
    session.run("product get --offer-type 'Power BI Visuals'");
    session.run("product get 'Visio Plan 1' --query policyValue -o tsv");
    session.note("Two products have the same name.");
    let twins = vec![Product::new("CFQ7TTC0AAAA", "Twin", "Enabled"), Product::new("CFQ7TTC0BBBB", "twin", "Disabled")];
    session.tenant.set_products(twins);
    session.run("product get Twin");
    session.assert("product_get");
}

const ODD_NAMES: [&str; 8] = [
    "Bell\u{7} and escape \u{1b}[31mred\u{1b}[0m",
    "Line\nbreak, tab\tand carriage\rreturn",
    "C1 \u{9b}31m and \u{85}",
    "Bidi \u{202e}cba\u{2066} \u{200f}mark",
    "Zero\u{200b}width \u{feff}and soft\u{ad}hyphen",
    "Quotes \" ' ` | \\ <b> [link](x) *star* _under_",
    "=1+1",
    "日本語 für Ümläute 🎉 e\u{301}",
];

#[test]
fn odd_names_golden() {
    let mut session = Session::signed_in();
    let products = ODD_NAMES.iter().enumerate();
    let products = products.map(|(index, name)| Product::new(&format!("ODD{index}"), name, "Enabled")).collect();
    session.tenant.set_products(products);
    session.run_in_every_format("products list");
    session.run("product get ODD0");
    session.run("product get ODD3 -o json");
    session.run("products list --query '[].name' -o tsv");
    session.run("product update ODD1 --value disabled -o csv");
    session.run("history -o csv --query '[].name'");
    session.run("baseline export");
    session.run("baseline export -o json");

    session.note("Values and members that no documentation names.");
    session.tenant.set_products(vec![
        Product::new("NEW1", "A new value", "SomethingNew").with("releaseDate", "2026-01-01"),
        Product::new("NEW2", "", "Enabled").with("productName", Value::Null).with("tags", json!(["a", { "b": true }])),
        Product::new("NEW3", "Overridden", "Enabled").with("policyValue", Value::Null),
    ]);
    session.run_in_every_format("products list");
    session.run("products update --all --value disabled --yes -o json");
    session.assert("odd_names");
}

/// A listing with members that a JSON library may change: lone surrogates, big and exact numbers, a repeated member.
const RAW_LISTING: &str = r#"{ "next" : 1e400, "items": [
  {"policyId":"AllowSelfServicePurchase","policyValue":"Enabled","scope":"Product","productId":"RAW1","productName":"Raw one",
   "big":12345678901234567890123,"small":1e-400,"tenth":0.1,"exact":1.10,"negative":-0,"exponent":1E5,
   "zulu":1,"alpha":{"y":1,"x":2},"escaped":"\u00e9\/\u2028","float":0.30000000000000004,"max":18446744073709551616},
  {"policyId":"AllowSelfServicePurchase","policyValue":"Disabled","scope":"Product","productId":"RAW2","productName":"Raw two"}
]}"#;

const LONE_SURROGATE: &str = r#"{"items":[{"policyId":"AllowSelfServicePurchase","policyValue":"Enabled","scope":"Product",
"productId":"RAW1","productName":"Raw one","odd":"before \ud800 after"}]}"#;

const REPEATED_MEMBER: &str = r#"{"items":[{"policyId":"AllowSelfServicePurchase","policyValue":"Enabled","scope":"Product",
"productId":"RAW1","productName":"Raw one","twice":1,"twice":2,"name":"A member of our own name","id":7}]}"#;

#[test]
fn raw_answers_golden() {
    let mut session = Session::signed_in();
    for (note, body) in [
        ("Numbers and escapes that a JSON library may change.", RAW_LISTING),
        ("The same without the number that is too large.", &RAW_LISTING.replace("1e400", "1")),
        ("A lone surrogate in a further member.", LONE_SURROGATE),
        ("A member that is repeated, and members with names of our own.", REPEATED_MEMBER),
        ("A body that is not an object.", "[]"),
        ("An object without items.", "{}"),
        ("No items.", r#"{"items":[]}"#),
        ("An item that is not an object.", r#"{"items":[1]}"#),
        ("A body that is cut off.", r#"{"items":[{"productId":"#),
        ("An empty body.", ""),
    ] {
        session.note(note);
        for format in ["json", "csv"] {
            session.tenant.fail_next("scope=product", Response::text(200, "application/json", body));
            session.run(&format!("products list -o {format}"));
        }
    }
    session.note("A page of a proxy.");
    session.tenant.fail_next("scope=product", Response::text(200, "text/html", "<html>Sign in to the network</html>"));
    session.run("products list");
    session.assert("raw_answers");
}
