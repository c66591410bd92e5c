//! One tenant's failure, told and kept from the others.

use std::time::{Duration, Instant};

use super::*;
use crate::support::fixtures::{THIRD_DOMAIN, THIRD_TENANT};

const LIST: &[&str] = &["products", "list", "-o", "json", "--jobs", "1"];
const EVERYWHERE: [&str; 3] = [CUSTOMER_DOMAIN, HOME_DOMAIN, THIRD_DOMAIN];

/// Lists at three tenants, the first of which has this answer to its first request. One request at a time is sent,
/// so that it is the first tenant's.
fn list_with(env: &TestEnv, answers: &[Response]) -> CliResult {
    for response in answers {
        env.tenant.fail_next("GET ", response.clone());
    }
    env.run(&at(&EVERYWHERE, LIST))
}

#[track_caller]
fn expect_the_others(result: &CliResult) {
    expect_the_others_beside("fabrikam.example (22222222-2222-4222-8222-222222222222)", result);
}

#[track_caller]
fn expect_the_others_beside(failed: &str, result: &CliResult) {
    assert_eq!(tenants(result), [HOME_TENANT, THIRD_TENANT]);
    assert_eq!(result.json().as_array().unwrap().len(), 34);
    assert!(result.stderr.starts_with(&format!("error: 1 of 3 tenants failed\n  {failed}: ")), "{}", result.stderr);
}

#[test]
fn a_refusal_is_told_with_the_tenant_the_services_words_and_what_to_type() {
    let result = list_with(&known_partner(), &[refusal(403, "Forbidden", "Not you.")]).assert_code(1);
    expect_the_others(&result);
    result.stderr_contains(&[
        "fabrikam.example (22222222-2222-4222-8222-222222222222): could not list the products: the service answered 403",
        "Forbidden: Not you.",
        "correlation id: ",
        "Global Reader",
        "GDAP",
        "hint: see which account and tenant served: mscommerce status --tenant fabrikam.example",
    ]);
}

#[test]
fn a_fault_of_the_service_at_one_tenant_is_no_fault_at_the_others() {
    for response in
        [refusal(500, "Odd", "Oops."), Response::text(200, "text/html", "<html>"), Response::text(200, "a/b", "{")]
    {
        let result = list_with(&known_partner(), &[response]).assert_code(1);
        expect_the_others(&result);
        result.stderr_contains(&["hint: "]);
    }
}

#[test]
fn a_token_that_stays_refused_at_one_tenant_asks_for_a_sign_in_there() {
    let env = known_partner();
    // The renewed one is refused as well; it is asked for as the next request, as there is one at a time.
    env.tenant.fail_next("GET ", refusal(401, "Unauthorized", "No."));
    let renewed = env.tenant.issue_token(ADMIN, CUSTOMER_TENANT, -1);
    let response = json!({ "token_type": "Bearer", "expires_in": 3600, "access_token": renewed });
    env.tenant.fail_next(&format!("POST /{CUSTOMER_TENANT}/"), Response::json(200, &response));
    let result = env.run(&at(&EVERYWHERE, LIST)).assert_code(4);
    expect_the_others(&result);
    result.stderr_contains(&["401", "hint: mscommerce connect --tenant fabrikam.example"]);
}

#[test]
fn an_unknown_tenant_does_not_hide_the_others() {
    let env = known_partner();
    let names = ["nowhere.example", HOME_DOMAIN, CUSTOMER_DOMAIN];
    let result = env.run(&at(&names, LIST)).assert_code(4);
    assert_eq!(tenants(&result), [HOME_TENANT, CUSTOMER_TENANT]);
    result.stderr_contains(&[
        "error: 1 of 3 tenants failed\n  nowhere.example: ",
        "AADSTS90002",
        "correlation id: ",
        "hint: ",
    ]);
}

#[test]
fn every_tenant_that_failed_is_told_in_the_order_of_naming() {
    let env = known_partner();
    let names = ["zero.example", HOME_DOMAIN, "nowhere.example", "a.example"];
    let result = env.run(&at(&names, &["products", "list"])).assert_code(4);
    let told: Vec<&str> = result
        .stderr
        .lines()
        .filter_map(|line| line.strip_prefix("  ").filter(|line| !line.starts_with(' '))?.split(": ").next())
        .collect();
    assert_eq!(told, ["zero.example", "nowhere.example", "a.example"]);
    result.stderr_contains(&["error: 3 of 4 tenants failed\n"]);
}

#[test]
fn where_all_fail_the_list_is_empty_and_well_formed() {
    let env = known_partner();
    env.write("b.toml", "default = 'Disabled'\n");
    env.write("c.txt", "nowhere.example\nnothing.example\n");
    let fields = "tenantId,policyId,scope,id,name,policyValue";
    for (command, more) in [
        (&["products", "list"][..], ""),
        (&["products", "update", "--all", "--value", "disabled", "--yes"], ",previousValue,outcome,error"),
        (&["products", "update", "--all", "--value", "disabled", "--dry-run"], ",previousValue,outcome,error"),
        (&["baseline", "check", "b.toml"], ",wantedValue,drift"),
        (&["baseline", "apply", "b.toml", "--yes"], ",previousValue,outcome,error"),
    ] {
        let run = |format| env.run_in_home(&[command, &["--tenants-file", "c.txt", "-o", format]].concat());
        let said = "error: 2 of 2 tenants failed\n  nowhere.example: ";
        assert_eq!(run("json").assert_code(4).stderr_contains(&[said]).stdout, "[]\n");
        assert_eq!(run("csv").assert_code(4).stdout, format!("{fields}{more}\n"));
        assert_eq!(run("tsv").assert_code(4).stdout, format!("{fields}{more}\n").replace(',', "\t"));
        assert_eq!(run("table").assert_code(4).stdout, "");
        let markdown = run("markdown").assert_code(4);
        let header = format!("| {} |", format!("{fields}{more}").replace(',', " | "));
        // Of a comparison that is empty Markdown shows its sentence alone.
        assert!(command[1] == "check" || markdown.stdout.contains(&header), "{}", markdown.stdout);
        assert!(!markdown.stderr.contains("Nothing to change"), "{}", markdown.stderr);
    }
}

#[test]
fn the_only_tenant_of_a_file_fails_under_its_name() {
    let env = known_partner();
    env.write("c.txt", "nowhere.example\n");
    let result = env.run_in_home(&["products", "list", "--tenants-file", "c.txt", "-o", "json"]).assert_code(4);
    assert_eq!(result.stdout, "[]\n");
    assert!(result.stderr.starts_with("error: nowhere.example: "), "{}", result.stderr);
    result.stderr_contains(&["AADSTS90002", "hint: "]);
}

#[test]
fn an_application_that_a_tenant_does_not_know_serves_at_the_others() {
    let env = TestEnv::new();
    env.tenant.remove_app_from(CUSTOMER_TENANT);
    for names in [[HOME_DOMAIN, CUSTOMER_DOMAIN], [CUSTOMER_DOMAIN, HOME_DOMAIN]] {
        let result = env.run_with_env(&application(), &at(&names, LIST)).assert_code(4);
        assert_eq!(tenants(&result), [HOME_TENANT]);
        result.stderr_contains(&[
            "error: 1 of 2 tenants failed\n  fabrikam.example: ",
            "AADSTS700016",
            "hint: ",
            "consent",
        ]);
    }
}

#[test]
fn without_any_sign_in_nothing_is_sent_and_the_way_in_is_told() {
    let env = TestEnv::new();
    let result =
        env.run(&at(&EVERYWHERE, LIST)).assert_code(4).stderr_contains(&["nobody is signed in", "mscommerce connect"]);
    // That is no matter of any tenant, and told once.
    assert_eq!(result.stderr, "error: nobody is signed in\nhint: mscommerce connect\n");
    assert_eq!(result.stdout, "");
    assert_eq!(env.request_lines(), Vec::<String>::new());
}

#[test]
fn a_wait_that_one_tenant_is_asked_for_is_waited_out_by_all() {
    let env = known_partner();
    env.tenant.fail_next("GET ", refusal(429, "Busy", "Not now.").header("retry-after", "2"));
    let started = Instant::now();
    let result = env.run(&at(&EVERYWHERE, LIST)).assert_code(0);
    assert!(started.elapsed() >= Duration::from_secs(2), "{:?}", started.elapsed());
    assert_eq!(tenants(&result), [CUSTOMER_TENANT, HOME_TENANT, THIRD_TENANT]);
    assert_eq!(env.request_lines().len(), 4);
    assert_eq!(result.stderr, "The service asks for less haste; going on in 2 s …\n");
}

#[test]
fn a_token_request_that_keeps_being_put_off_fails_its_own_tenant_alone() {
    let env = partner();
    env.tenant.fail_times(
        5,
        &format!("POST /{CUSTOMER_DOMAIN}/"),
        refusal(429, "Busy", "No.").header("retry-after", "0"),
    );
    let result = env.run(&at(&EVERYWHERE, LIST)).assert_code(1);
    expect_the_others_beside("fabrikam.example", &result);
    result.stderr_contains(&["429", "hint: "]);
}

#[test]
fn hints_for_many_tenants_are_not_endless_and_every_tenant_is_told() {
    let env = partner();
    let names: Vec<String> = (0..12).map(|index| format!("nowhere{index}.example")).collect();
    env.write("c.txt", names.join("\n"));
    let result = env.run_in_home(&["products", "list", "--tenants-file", "c.txt"]).assert_code(4);
    for name in &names {
        assert_eq!(result.stderr.matches(&format!("\n  {name}: ")).count(), 1, "{}", result.stderr);
    }
    assert!(result.stderr.matches("\nhint: ").count() <= 6, "{}", result.stderr);
}
