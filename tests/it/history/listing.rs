//! `history`: what it prints.

use super::*;
use crate::support::fixtures::{FORMATS, POWER_BI, TRIALS};
use crate::support::snapshot::Transcript;
use crate::tenant::{CUSTOMER_DOMAIN, CUSTOMER_TENANT, HOME_DOMAIN, HOME_TENANT};

/// Entries with the correlation ids 0, 1, 2 and so on.
fn entries(count: usize) -> Vec<Value> {
    (0..count)
        .map(|number| {
            let number = number.to_string();
            with(entry("r", "Enabled", "Disabled"), &json!({ "id": number, "correlationId": number }))
        })
        .collect()
}

fn numbers(newest: usize, oldest: usize) -> Vec<String> {
    (oldest..=newest).rev().map(|number| number.to_string()).collect()
}

#[test]
fn history_formats() {
    let env = TestEnv::new();
    write_history(
        &env,
        &[
            with(
                entry("11111111-0000-4000-8000-000000000001", "Enabled", "Disabled"),
                &json!({ "name": "A | *b*\tc" }),
            ),
            json!({ "version": 2, "outcome": "unknown", "time": "2026-03-02T23:59:59+02:00", "run": "22222222-0000-4000-8000-000000000002",
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
fn history_lists_the_newest_20_first() {
    let env = TestEnv::new();
    write_history(&env, &entries(25));
    let result = history(&env, &[]);
    cli_snapshot!(result.without_stdout(), @"
    exit_code: 0
    ----- stderr -----
    20 of 25 changes. Use --limit N to show more.
    ");
    assert_eq!(result.column("correlationId"), numbers(24, 5));
    for (limit, oldest) in [("1", 24), ("24", 1), ("25", 0), ("26", 0), ("4294967295", 0)] {
        let result = history(&env, &["--limit", limit]);
        assert_eq!(result.column("correlationId"), numbers(24, oldest), "{limit}");
        assert_eq!(result.stderr.contains("--limit"), oldest > 0, "{}", result.stderr);
    }
    write_history(&env, &entries(20));
    assert_eq!(history(&env, &[]).stderr, "");
}

#[test]
fn history_rejects_invalid_limits() {
    let env = TestEnv::new();
    write_history(&env, &entries(2));
    let mut transcript = Transcript::default();
    for limit in ["0", "-1", "all", "", "4294967296"] {
        let limit = format!("--limit={limit}");
        transcript.push(&limit, env.run(&["history", &limit]));
    }
    cli_snapshot!(transcript, @"
    ===== --limit=0 =====
    exit_code: 2
    ----- stderr -----
    error: invalid value '0' for '--limit <N>': 0 is not in 1..=4294967295

    For more information, try '--help'.
    ===== --limit=-1 =====
    exit_code: 2
    ----- stderr -----
    error: invalid value '-1' for '--limit <N>': -1 is not in 1..=4294967295

    For more information, try '--help'.
    ===== --limit=all =====
    exit_code: 2
    ----- stderr -----
    error: invalid value 'all' for '--limit <N>': invalid digit found in string

    For more information, try '--help'.
    ===== --limit= =====
    exit_code: 2
    ----- stderr -----
    error: invalid value '' for '--limit <N>': cannot parse integer from empty string

    For more information, try '--help'.
    ===== --limit=4294967296 =====
    exit_code: 2
    ----- stderr -----
    error: invalid value '4294967296' for '--limit <N>': 4294967296 is not in 1..=4294967295

    For more information, try '--help'.
    ");
}

#[test]
fn empty_history_formats() {
    let env = TestEnv::new();
    let header = "time,run,tenantId,account,policyId,scope,id,name,from,to,outcome,correlationId";
    let mut transcript = Transcript::default();
    for (format, expected) in [
        ("json", "[]\n".to_owned()),
        ("table", String::new()),
        ("csv", format!("{header}\n")),
        ("tsv", header.replace(',', "\t") + "\n"),
    ] {
        let result = env.run(&["history", "-o", format]);
        assert_eq!(result.stdout, expected, "{format}");
        transcript.push(format, result.without_stdout());
    }
    transcript.push("table, quiet", env.run(&["history", "-q"]));
    cli_snapshot!(transcript, @"
    ===== json =====
    ===== table =====
    ===== csv =====
    ===== tsv =====
    exit_code: 0
    ----- stderr -----
    No changes are recorded on this machine.
    ===== table, quiet =====
    exit_code: 0
    ");
    assert!(!env.state_dir().exists(), "history creates no directory");
    assert!(env.request_lines().is_empty());
    // An empty file is the same as no file.
    write_history(&env, &[]);
    assert_eq!(history(&env, &[]).stdout, "[]\n");
}

#[test]
fn history_works_offline_without_sign_in() {
    let env = TestEnv::signed_in();
    env.run(&["product", "update", POWER_BI, "--value", "disabled"]).assert_code(0);
    env.tenant.revoke_access_tokens();
    env.tenant.revoke_refresh_tokens();
    env.tenant.forget_requests();
    assert_eq!(history(&env, &[]).column("id"), [POWER_BI]);
    fs::write(env.cache_path(), "rubbish").unwrap();
    let result = env.run_with_env(&[("MSCOMMERCE_PROFILE", "nobody")], &["history", "-o", "json"]).assert_code(0);
    assert_eq!(result.column("id"), [POWER_BI]);
    assert_eq!(result.stderr, "");
    assert!(env.request_lines().is_empty());
}

#[test]
fn history_filters_by_tenant_and_policy() {
    let env = TestEnv::new();
    let named =
        |name: &str, members: Value| with(with(entry(name, "a", "b"), &members), &json!({ "correlationId": name }));
    write_history(
        &env,
        &[
            named("home", json!({})),
            named("customer", json!({ "tenantId": CUSTOMER_TENANT })),
            named("no tenant", json!({ "tenantId": null })),
            named("other policy", json!({ "policyId": "AllowEverything" })),
        ],
    );
    let ids = |flags: &[&str]| history(&env, flags).column("correlationId");
    assert_eq!(ids(&[]), ["other policy", "no tenant", "customer", "home"]);
    assert_eq!(ids(&["--tenant", HOME_TENANT]), ["other policy", "home"]);
    assert_eq!(ids(&["--tenant", CUSTOMER_TENANT]), ["customer"]);
    assert_eq!(ids(&["--policy-id", "allowEVERYTHING"]), ["other policy"]);
    assert_eq!(ids(&["--policy-id", "AllowSelfServicePurchase"]), ["no tenant", "customer", "home"]);
    assert_eq!(ids(&["--policy-id", "AllowEverything", "--tenant", CUSTOMER_TENANT]), Vec::<String>::new());
    assert_eq!(ids(&["--run", "OTHER"]), ["other policy"]);
    assert_eq!(ids(&["--run", "nothing"]), Vec::<String>::new());
    // The limit applies to the filtered entries.
    assert_eq!(ids(&["--tenant", HOME_TENANT, "--limit", "1"]), ["other policy"]);
    // Ids are case-insensitive.
    write_history(&env, &[named("abc", json!({ "tenantId": "ABCDEF00-0000-4000-8000-000000000000" }))]);
    assert_eq!(ids(&["--tenant", "abcdef00-0000-4000-8000-000000000000"]), ["abc"]);
    // The message says that there are entries of other tenants.
    cli_snapshot!(history(&env, &["--tenant", HOME_TENANT]), @"
    exit_code: 0
    ----- stdout -----
    []
    ----- stderr -----
    No recorded changes match (1 checked).
    ");
}

#[test]
fn history_of_unknown_domain_is_usage_error() {
    let env = TestEnv::signed_in();
    write_history(&env, &entries(1));
    let mut transcript = Transcript::default();
    for tenant in [CUSTOMER_DOMAIN, HOME_DOMAIN, "organizations"] {
        transcript.push(tenant, env.run(&["history", "--tenant", tenant]));
    }
    cli_snapshot!(transcript, @"
    ===== fabrikam.example =====
    exit_code: 2
    ----- stderr -----
    error: --tenant fabrikam.example: no saved sign-in has the ID of this tenant
    hint: use the tenant's ID: mscommerce history -o json
    ===== contoso.example =====
    exit_code: 2
    ----- stderr -----
    error: --tenant contoso.example: no saved sign-in has the ID of this tenant
    hint: use the tenant's ID: mscommerce history -o json
    ===== organizations =====
    exit_code: 2
    ----- stderr -----
    error: --tenant: 'organizations' is not a tenant: use its ID (a GUID) or one of its domains, such as contoso.onmicrosoft.com
    ");
    assert!(env.request_lines().is_empty());
}

#[test]
fn history_tenant_can_be_domain_of_saved_sign_in() {
    let env = TestEnv::signed_in();
    for tenant in [CUSTOMER_DOMAIN, HOME_DOMAIN] {
        // One of them changes the value.
        for value in ["disabled", "enabled"] {
            env.run(&["product", "update", POWER_BI, "--value", value, "--tenant", tenant]).assert_code(0);
        }
    }
    env.tenant.forget_requests();
    for (domain, id) in [(CUSTOMER_DOMAIN, CUSTOMER_TENANT), (HOME_DOMAIN, HOME_TENANT)] {
        let mut tenant_ids = history(&env, &["--tenant", domain]).column("tenantId");
        tenant_ids.dedup();
        assert_eq!(tenant_ids, [id]);
    }
    assert!(env.request_lines().is_empty());
}

#[test]
fn history_escapes_control_characters() {
    let env = TestEnv::new();
    let unsafe_text = "a|b\tc\nd\r\ne\u{1b}]0;t\u{7}\u{1b}[2J\u{9b}1m\u{202e}f";
    let members = json!({ "name": unsafe_text, "account": unsafe_text, "from": unsafe_text, "run": unsafe_text,
        "correlationId": unsafe_text });
    write_history(&env, &[with(entry("r", "a", "b"), &members)]);
    for (format, lines) in [("table", 2), ("tsv", 2), ("markdown", 3)] {
        let result = env.run(&["history", "-o", format]).assert_code(0);
        assert_eq!(result.stdout.lines().count(), lines, "{}", result.stdout);
        assert!(!result.stdout.contains(['\u{1b}', '\u{9b}', '\u{202e}', '\r']), "{:?}", result.stdout);
    }
    assert_eq!(history(&env, &[]).column("name"), [unsafe_text]);
}

#[cfg(unix)]
#[test]
fn history_fits_80_columns() {
    use unicode_width::UnicodeWidthStr as _;

    use crate::support::pty::{COLUMNS, PtySession};

    let env = TestEnv::new();
    // The two entries differ in every field that can differ within a tenant.
    let newer = json!({ "time": "2026-03-02T23:59:59Z", "scope": "offerType", "id": "SaaS",
        "name": "Software as a Service", "correlationId": "c0000000-0000-4000-8000-000000000002" });
    let runs = ["11111111-0000-4000-8000-000000000001", "22222222-0000-4000-8000-000000000002"];
    write_history(&env, &[entry(runs[0], "Enabled", TRIALS), with(entry(runs[1], "Disabled", "Enabled"), &newer)]);
    let run_in_terminal = |limit| {
        let command = env.command(&["history", "--limit", limit, "--color", "never", "-q"]);
        let output = PtySession::run(command).finish().assert_code(0);
        for line in output.screen.lines() {
            assert!(line.width() <= usize::from(COLUMNS), "{line}\n---\n{}", output.screen);
        }
        output.screen
    };
    run_in_terminal("2");
    insta::assert_snapshot!("one_change_at_80_columns", run_in_terminal("1"));
}
