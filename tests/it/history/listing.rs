//! `history`: what is shown of the record.

use super::*;
use crate::tenant::{CUSTOMER_DOMAIN, CUSTOMER_TENANT};

/// So many changes as the number says, of which each is told from the others by its correlation id.
fn entries(count: usize) -> Vec<Value> {
    (0..count)
        .map(|number| with(entry("r", "Enabled", "Disabled"), &json!({ "correlationId": number.to_string() })))
        .collect()
}

fn numbers(newest: usize, oldest: usize) -> Vec<String> {
    (oldest..=newest).rev().map(|number| number.to_string()).collect()
}

#[test]
fn it_shows_every_field_in_every_format() {
    // Nobody is signed in on this machine.
    let machine = Machine::new();
    write(
        &machine,
        &[
            with(
                entry("11111111-0000-4000-8000-000000000001", "Enabled", "Disabled"),
                &json!({ "name": "A | *b*\tc" }),
            ),
            json!({ "time": "2026-03-02T23:59:59+02:00", "run": "22222222-0000-4000-8000-000000000002",
                "tenantId": null, "account": null, "policyId": "AllowSelfServicePurchase", "scope": "offerType",
                "id": "SaaS", "name": null, "from": null, "to": "Enabled", "correlationId": null }),
        ],
    );
    for format in FORMATS {
        let ran = machine.run(&["history", "-o", format]).expect_code(0);
        assert_eq!(ran.stderr, "");
        insta::assert_snapshot!(format!("history_{format}"), ran.stdout);
    }
    assert!(machine.requests().is_empty());
}

#[test]
fn the_newest_comes_first_and_twenty_are_enough() {
    let machine = Machine::new();
    write(&machine, &entries(25));
    let ran = history(&machine, &[]);
    assert_eq!(column(&ran, "correlationId"), numbers(24, 5));
    ran.expect_said(&["20 of 25", "--limit"]);
    for (limit, oldest) in [("1", 24), ("24", 1), ("25", 0), ("26", 0), ("4294967295", 0)] {
        let ran = history(&machine, &["--limit", limit]);
        assert_eq!(column(&ran, "correlationId"), numbers(24, oldest), "{limit}");
        assert_eq!(ran.stderr.contains("--limit"), oldest > 0, "{}", ran.stderr);
    }
    write(&machine, &entries(20));
    assert_eq!(history(&machine, &[]).stderr, "");
}

#[test]
fn a_limit_is_a_number_above_nothing() {
    let machine = Machine::new();
    write(&machine, &entries(2));
    for limit in ["0", "-1", "all", "", "4294967296"] {
        let limit = format!("--limit={limit}");
        machine.run(&["history", &limit]).expect_code(2).expect_no_data().expect_said(&["--limit"]);
    }
}

#[test]
fn where_nothing_was_changed_there_is_nothing_to_show_and_nothing_is_made() {
    let machine = Machine::new();
    let header = "time,run,tenantId,account,policyId,scope,id,name,from,to,correlationId";
    for (format, wanted) in [
        ("json", "[]\n".to_owned()),
        ("table", String::new()),
        ("csv", format!("{header}\n")),
        ("tsv", header.replace(',', "\t") + "\n"),
    ] {
        let ran = machine.run(&["history", "-o", format]).expect_code(0);
        assert_eq!((ran.stdout, ran.stderr.as_str()), (wanted, "Nothing has been changed from here yet.\n"));
    }
    let ran = machine.run(&["history", "-q"]).expect_code(0);
    assert_eq!((ran.stdout, ran.stderr), (String::new(), String::new()));
    assert!(!machine.state().exists(), "looking leaves nothing behind");
    assert!(machine.requests().is_empty());
    // An empty file says as much as none.
    write(&machine, &[]);
    assert_eq!(history(&machine, &[]).stdout, "[]\n");
}

#[test]
fn it_needs_no_sign_in_and_asks_nobody() {
    let machine = Machine::signed_in();
    machine.run(&["product", "update", POWER_BI, "--value", "disabled"]).expect_code(0);
    machine.tenant.revoke_access_tokens();
    machine.tenant.revoke_refresh_tokens();
    machine.tenant.forget_requests();
    assert_eq!(column(&history(&machine, &[]), "id"), [POWER_BI]);
    fs::write(machine.sign_ins(), "rubbish").unwrap();
    let ran = history(&machine, &["--profile", "nobody"]);
    assert_eq!(column(&ran, "id"), [POWER_BI]);
    assert_eq!(ran.stderr, "");
    assert!(machine.requests().is_empty());
}

#[test]
fn a_tenant_or_a_policy_narrows_it_down() {
    let machine = Machine::new();
    let mark =
        |mark: &str, members: Value| with(with(entry("r", "a", "b"), &members), &json!({ "correlationId": mark }));
    write(
        &machine,
        &[
            mark("home", json!({})),
            mark("customer", json!({ "tenantId": CUSTOMER_TENANT })),
            mark("nowhere", json!({ "tenantId": null })),
            mark("other policy", json!({ "policyId": "AllowEverything" })),
        ],
    );
    let shown = |flags: &[&str]| column(&history(&machine, flags), "correlationId");
    assert_eq!(shown(&[]), ["other policy", "nowhere", "customer", "home"]);
    assert_eq!(shown(&["--tenant", HOME_TENANT]), ["other policy", "home"]);
    assert_eq!(shown(&["--tenant", CUSTOMER_TENANT]), ["customer"]);
    assert_eq!(shown(&["--policy-id", "allowEVERYTHING"]), ["other policy"]);
    assert_eq!(shown(&["--policy-id", "AllowSelfServicePurchase"]), ["nowhere", "customer", "home"]);
    assert_eq!(shown(&["--policy-id", "AllowEverything", "--tenant", CUSTOMER_TENANT]), Vec::<String>::new());
    // The limit counts what is left.
    assert_eq!(shown(&["--tenant", HOME_TENANT, "--limit", "1"]), ["other policy"]);
    // Ids are the same in any case.
    write(&machine, &[mark("abc", json!({ "tenantId": "ABCDEF00-0000-4000-8000-000000000000" }))]);
    assert_eq!(shown(&["--tenant", "abcdef00-0000-4000-8000-000000000000"]), ["abc"]);
    // Something was changed, and it is told that it was elsewhere.
    let ran = history(&machine, &["--tenant", HOME_TENANT]);
    assert_eq!(ran.stdout, "[]\n");
    assert!(!ran.stderr.is_empty() && !ran.stderr.contains("Nothing has been changed"), "{}", ran.stderr);
}

#[test]
fn a_domain_does_not_say_which_tenant_without_asking() {
    let machine = Machine::signed_in();
    write(&machine, &entries(1));
    for tenant in [CUSTOMER_DOMAIN, "contoso.example", "organizations"] {
        machine.run(&["history", "--tenant", tenant]).expect_code(2).expect_no_data().expect_said(&["--tenant", "id"]);
    }
    assert!(machine.requests().is_empty());
}

#[test]
fn names_that_mean_harm_do_none() {
    let machine = Machine::new();
    let nasty = "a|b\tc\nd\r\ne\u{1b}]0;t\u{7}\u{1b}[2J\u{9b}1m\u{202e}f";
    let members = json!({ "name": nasty, "account": nasty, "from": nasty, "run": nasty, "correlationId": nasty });
    write(&machine, &[with(entry("r", "a", "b"), &members)]);
    for (format, lines) in [("table", 2), ("tsv", 2), ("markdown", 3)] {
        let ran = machine.run(&["history", "-o", format]).expect_code(0);
        assert_eq!(ran.stdout.lines().count(), lines, "{}", ran.stdout);
        assert!(!ran.stdout.contains(['\u{1b}', '\u{9b}', '\u{202e}', '\r']), "{:?}", ran.stdout);
    }
    assert_eq!(column(&history(&machine, &[]), "name"), [nasty]);
}

#[cfg(unix)]
#[test]
fn it_fits_80_columns() {
    use unicode_width::UnicodeWidthStr as _;

    use crate::support::pty::{COLUMNS, Screen};

    let machine = Machine::new();
    // Every field differs that can within a tenant.
    let trials = "OnlyTrialsWithoutPaymentMethod";
    let newer = json!({ "time": "2026-03-02T23:59:59Z", "scope": "offerType", "id": "SaaS",
        "name": "Software as a Service", "correlationId": "c0000000-0000-4000-8000-000000000002" });
    let runs = ["11111111-0000-4000-8000-000000000001", "22222222-0000-4000-8000-000000000002"];
    write(&machine, &[entry(runs[0], "Enabled", trials), with(entry(runs[1], "Disabled", "Enabled"), &newer)]);
    let at_terminal = |limit| {
        let command = machine.command(&["history", "--limit", limit, "--color", "never", "-q"]);
        let left = Screen::run(command).finish().expect_code(0);
        for line in left.shown.lines() {
            assert!(line.width() <= usize::from(COLUMNS), "{line}\n---\n{}", left.shown);
        }
        left.shown
    };
    at_terminal("2");
    insta::assert_snapshot!("one_change_at_80_columns", at_terminal("1"));
}
