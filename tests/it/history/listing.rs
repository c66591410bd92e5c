//! `history`: what is shown of the record.

use super::*;
use crate::support::fixtures::{FORMATS, POWER_BI};
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
    let env = TestEnv::new();
    write(
        &env,
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
        let result = env.run(&["history", "-o", format]).assert_code(0);
        assert_eq!(result.stderr, "");
        insta::assert_snapshot!(format!("history_{format}"), result.stdout);
    }
    assert!(env.request_lines().is_empty());
}

#[test]
fn the_newest_comes_first_and_twenty_are_enough() {
    let env = TestEnv::new();
    write(&env, &entries(25));
    let result = history(&env, &[]);
    assert_eq!(result.column("correlationId"), numbers(24, 5));
    result.stderr_contains(&["20 of 25", "--limit"]);
    for (limit, oldest) in [("1", 24), ("24", 1), ("25", 0), ("26", 0), ("4294967295", 0)] {
        let result = history(&env, &["--limit", limit]);
        assert_eq!(result.column("correlationId"), numbers(24, oldest), "{limit}");
        assert_eq!(result.stderr.contains("--limit"), oldest > 0, "{}", result.stderr);
    }
    write(&env, &entries(20));
    assert_eq!(history(&env, &[]).stderr, "");
}

#[test]
fn a_limit_is_a_number_above_nothing() {
    let env = TestEnv::new();
    write(&env, &entries(2));
    for limit in ["0", "-1", "all", "", "4294967296"] {
        let limit = format!("--limit={limit}");
        env.run(&["history", &limit]).assert_code(2).stdout_is_empty().stderr_contains(&["--limit"]);
    }
}

#[test]
fn where_nothing_was_changed_there_is_nothing_to_show_and_nothing_is_made() {
    let env = TestEnv::new();
    let header = "time,run,tenantId,account,policyId,scope,id,name,from,to,correlationId";
    for (format, wanted) in [
        ("json", "[]\n".to_owned()),
        ("table", String::new()),
        ("csv", format!("{header}\n")),
        ("tsv", header.replace(',', "\t") + "\n"),
    ] {
        let result = env.run(&["history", "-o", format]).assert_code(0);
        assert_eq!((result.stdout, result.stderr.as_str()), (wanted, "Nothing has been changed from here yet.\n"));
    }
    let result = env.run(&["history", "-q"]).assert_code(0);
    assert_eq!((result.stdout, result.stderr), (String::new(), String::new()));
    assert!(!env.state_dir().exists(), "looking leaves nothing behind");
    assert!(env.request_lines().is_empty());
    // An empty file says as much as none.
    write(&env, &[]);
    assert_eq!(history(&env, &[]).stdout, "[]\n");
}

#[test]
fn it_needs_no_sign_in_and_asks_nobody() {
    let env = TestEnv::signed_in();
    env.run(&["product", "update", POWER_BI, "--value", "disabled"]).assert_code(0);
    env.tenant.revoke_access_tokens();
    env.tenant.revoke_refresh_tokens();
    env.tenant.forget_requests();
    assert_eq!(history(&env, &[]).column("id"), [POWER_BI]);
    fs::write(env.cache_path(), "rubbish").unwrap();
    let result = history(&env, &["--profile", "nobody"]);
    assert_eq!(result.column("id"), [POWER_BI]);
    assert_eq!(result.stderr, "");
    assert!(env.request_lines().is_empty());
}

#[test]
fn a_tenant_or_a_policy_narrows_it_down() {
    let env = TestEnv::new();
    let mark =
        |mark: &str, members: Value| with(with(entry("r", "a", "b"), &members), &json!({ "correlationId": mark }));
    write(
        &env,
        &[
            mark("home", json!({})),
            mark("customer", json!({ "tenantId": CUSTOMER_TENANT })),
            mark("nowhere", json!({ "tenantId": null })),
            mark("other policy", json!({ "policyId": "AllowEverything" })),
        ],
    );
    let shown = |flags: &[&str]| history(&env, flags).column("correlationId");
    assert_eq!(shown(&[]), ["other policy", "nowhere", "customer", "home"]);
    assert_eq!(shown(&["--tenant", HOME_TENANT]), ["other policy", "home"]);
    assert_eq!(shown(&["--tenant", CUSTOMER_TENANT]), ["customer"]);
    assert_eq!(shown(&["--policy-id", "allowEVERYTHING"]), ["other policy"]);
    assert_eq!(shown(&["--policy-id", "AllowSelfServicePurchase"]), ["nowhere", "customer", "home"]);
    assert_eq!(shown(&["--policy-id", "AllowEverything", "--tenant", CUSTOMER_TENANT]), Vec::<String>::new());
    // The limit counts what is left.
    assert_eq!(shown(&["--tenant", HOME_TENANT, "--limit", "1"]), ["other policy"]);
    // Ids are the same in any case.
    write(&env, &[mark("abc", json!({ "tenantId": "ABCDEF00-0000-4000-8000-000000000000" }))]);
    assert_eq!(shown(&["--tenant", "abcdef00-0000-4000-8000-000000000000"]), ["abc"]);
    // Something was changed, and it is told that it was elsewhere.
    let result = history(&env, &["--tenant", HOME_TENANT]);
    assert_eq!(result.stdout, "[]\n");
    assert!(!result.stderr.is_empty() && !result.stderr.contains("Nothing has been changed"), "{}", result.stderr);
}

#[test]
fn a_domain_does_not_say_which_tenant_without_asking() {
    let env = TestEnv::signed_in();
    write(&env, &entries(1));
    for tenant in [CUSTOMER_DOMAIN, "contoso.example", "organizations"] {
        env.run(&["history", "--tenant", tenant]).assert_code(2).stdout_is_empty().stderr_contains(&["--tenant", "id"]);
    }
    assert!(env.request_lines().is_empty());
}

#[test]
fn names_that_mean_harm_do_none() {
    let env = TestEnv::new();
    let nasty = "a|b\tc\nd\r\ne\u{1b}]0;t\u{7}\u{1b}[2J\u{9b}1m\u{202e}f";
    let members = json!({ "name": nasty, "account": nasty, "from": nasty, "run": nasty, "correlationId": nasty });
    write(&env, &[with(entry("r", "a", "b"), &members)]);
    for (format, lines) in [("table", 2), ("tsv", 2), ("markdown", 3)] {
        let result = env.run(&["history", "-o", format]).assert_code(0);
        assert_eq!(result.stdout.lines().count(), lines, "{}", result.stdout);
        assert!(!result.stdout.contains(['\u{1b}', '\u{9b}', '\u{202e}', '\r']), "{:?}", result.stdout);
    }
    assert_eq!(history(&env, &[]).column("name"), [nasty]);
}

#[cfg(unix)]
#[test]
fn it_fits_80_columns() {
    use unicode_width::UnicodeWidthStr as _;

    use crate::support::pty::{COLUMNS, PtySession};

    let env = TestEnv::new();
    // Every field differs that can within a tenant.
    let trials = "OnlyTrialsWithoutPaymentMethod";
    let newer = json!({ "time": "2026-03-02T23:59:59Z", "scope": "offerType", "id": "SaaS",
        "name": "Software as a Service", "correlationId": "c0000000-0000-4000-8000-000000000002" });
    let runs = ["11111111-0000-4000-8000-000000000001", "22222222-0000-4000-8000-000000000002"];
    write(&env, &[entry(runs[0], "Enabled", trials), with(entry(runs[1], "Disabled", "Enabled"), &newer)]);
    let at_terminal = |limit| {
        let command = env.command(&["history", "--limit", limit, "--color", "never", "-q"]);
        let output = PtySession::run(command).finish().assert_code(0);
        for line in output.screen.lines() {
            assert!(line.width() <= usize::from(COLUMNS), "{line}\n---\n{}", output.screen);
        }
        output.screen
    };
    at_terminal("2");
    insta::assert_snapshot!("one_change_at_80_columns", at_terminal("1"));
}
