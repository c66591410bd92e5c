//! `products list` for several tenants, with each kind of sign-in.

use std::sync::Arc;

use super::*;
use crate::support::fixtures::{FORMATS, LIST_PRODUCTS, POWER_BI, THIRD_DOMAIN, THIRD_TENANT, VISIO};

const LIST: &[&str] = &["products", "list", "-o", "json"];

fn token_request(tenant: &str) -> String {
    format!("POST /{tenant}/oauth2/v2.0/token")
}

/// The records of the list of one tenant, with the tenant id added.
fn list_one_tenant(env: &TestEnv, tenant: &str, more: &[&str]) -> Vec<Value> {
    let result = env.run(&for_tenants(&[tenant], &[LIST, more].concat())).assert_code(0);
    let mut records = result.json().as_array().unwrap().clone();
    for record in &mut records {
        assert!(record.get("tenantId").is_none(), "one tenant has no tenantId: {record}");
        record["tenantId"] = tenant.into();
    }
    records
}

#[test]
fn records_are_in_order_of_tenant_flags() {
    let env = partner_env();
    for ids in [[HOME_TENANT, CUSTOMER_TENANT, THIRD_TENANT], [THIRD_TENANT, HOME_TENANT, CUSTOMER_TENANT]] {
        for more in [&[][..], &["--scope", "all"], &["--value", "disabled", "--name", "power"]] {
            let result = env.run(&for_tenants(&ids, &[LIST, more].concat())).assert_code(0);
            assert_eq!(result.stderr, "");
            let expected: Vec<Value> = ids.iter().flat_map(|id| list_one_tenant(&env, id, more)).collect();
            assert_eq!(result.json(), Value::from(expected));
        }
    }
}

#[test]
fn record_order_ignores_response_order() {
    let env = TestEnv::new();
    let others = Arc::new((Mutex::new(0), Condvar::new()));
    let server = start_services(&env, 3, 1, move |tenant, request| {
        let (count, changed) = &*others;
        if request.method == "GET" && tenant != customer_id(0) {
            *count.lock().unwrap() += 1;
            changed.notify_all();
        } else if request.method == "GET" {
            // The first tenant responds after the others have received their requests.
            let waited = changed.wait_timeout_while(count.lock().unwrap(), TEST_TIMEOUT, |count| *count < 2).unwrap();
            assert!(!waited.1.timed_out());
        }
        None
    });
    let ids = customer_ids(3);
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let result: CliResult = app_command(&server, &env, &for_tenants(&ids, LIST)).output().unwrap().into();
    assert_eq!(tenant_ids(&result.assert_code(0)), ids);
}

#[test]
fn every_format_starts_with_tenant() {
    let env = partner_env();
    env.tenant.set_products(vec![Product::new(POWER_BI, "Power BI | Pro", "Enabled")]);
    let visio = Product::new(VISIO, "Visio, Plan 1", "Disabled").with("newMember", 7);
    env.tenant.set_products_in(CUSTOMER_TENANT, vec![visio]);
    env.tenant.set_products_in(THIRD_TENANT, Vec::new());
    let mut all = String::new();
    for format in FORMATS {
        let list = ["products", "list", "-o", format];
        let result = env.run(&for_tenants(&[THIRD_DOMAIN, HOME_DOMAIN, CUSTOMER_DOMAIN], &list)).assert_code(0);
        let note = "2 products in 3 tenants: 1 enabled, 1 disabled\n";
        assert_eq!(result.stderr, if format == "table" { note } else { "" });
        all += &format!("$ -o {format}\n{}", result.stdout);
    }
    insta::assert_snapshot!("list_in_every_format", all);
}

#[test]
fn list_without_match_is_empty_in_every_format() {
    let env = partner_env();
    let mut all = String::new();
    let mut transcript = Transcript::default();
    for format in FORMATS {
        let list = ["products", "list", "--name", "no such name", "-o", format];
        let result = env.run(&for_tenants(&[HOME_DOMAIN, CUSTOMER_DOMAIN], &list));
        transcript.push(format, stderr_only(&result));
        all += &format!("$ -o {format}\n{}", result.stdout);
    }
    insta::assert_snapshot!("empty_list_in_every_format", all);
    cli_snapshot!(transcript, @r#"
    ===== table =====
    ===== json =====
    ===== csv =====
    ===== tsv =====
    ===== markdown =====
    exit_code: 0
    ----- stderr -----
    No products match "no such name" (34 checked).
    "#);
}

#[test]
fn refresh_token_gets_and_caches_token_of_each_tenant() {
    let env = partner_env();
    let refresh_token = env.cache()["profiles"]["default"]["refreshToken"].as_str().unwrap().to_owned();
    let list = for_tenants(&[HOME_TENANT, CUSTOMER_DOMAIN, THIRD_TENANT], &[LIST, &["--jobs", "1"]].concat());
    assert_eq!(tenant_ids(&env.run(&list).assert_code(0)), [HOME_TENANT, CUSTOMER_TENANT, THIRD_TENANT]);
    let mut requests = env.request_lines();
    requests.sort();
    assert_eq!(requests[..3], [LIST_PRODUCTS; 3]);
    assert_eq!(requests[3..], [token_request(THIRD_TENANT), token_request(CUSTOMER_DOMAIN)]);
    assert_eq!(env.token_requests()[0].1["refresh_token"], refresh_token);

    // The tenants are now cached, by id and by domain.
    for names in [[HOME_TENANT, CUSTOMER_DOMAIN, THIRD_TENANT], [HOME_TENANT, CUSTOMER_TENANT, THIRD_TENANT]] {
        env.tenant.forget_requests();
        env.run(&for_tenants(&names, LIST)).assert_code(0);
        assert_eq!(env.request_lines(), [LIST_PRODUCTS; 3]);
    }
}

#[test]
fn application_signs_in_to_given_tenants_only() {
    let env = TestEnv::new();
    env.tenant.add_tenant(THIRD_TENANT, THIRD_DOMAIN);
    // `AZURE_TENANT_ID` is for commands without --tenant.
    let variables = [&app_variables()[..], &[("AZURE_TENANT_ID", HOME_TENANT)]].concat();
    let result = env.run_with_env(&variables, &for_tenants(&[THIRD_DOMAIN, CUSTOMER_TENANT], LIST)).assert_code(0);
    assert_eq!(result.stderr, "");
    assert_eq!(tenant_ids(&result), [THIRD_TENANT, CUSTOMER_TENANT]);
    let forms = env.token_requests();
    let mut sent: Vec<_> = forms.iter().map(|(tenant, form)| (tenant.as_str(), form["grant_type"].as_str())).collect();
    sent.sort_unstable();
    assert_eq!(sent, [(CUSTOMER_TENANT, "client_credentials"), (THIRD_DOMAIN, "client_credentials")]);
    assert!(!env.state_dir().exists(), "application tokens are not cached");
}

#[test]
fn tenants_file_accepts_comments_bom_and_crlf() {
    let env = partner_env_with_tokens();
    let expected = [THIRD_TENANT, CUSTOMER_TENANT];
    for text in [
        format!("{THIRD_DOMAIN}\n{CUSTOMER_DOMAIN}\n"),
        format!("{THIRD_DOMAIN}\n{CUSTOMER_DOMAIN}"),
        format!("\u{feff}{THIRD_DOMAIN}\r\n{CUSTOMER_DOMAIN}\r\n"),
        format!(
            "\u{feff}# customers\n\n  \t\n {THIRD_TENANT}\t# Tailspin\n#{HOME_TENANT}\n{CUSTOMER_TENANT}# Fabrikam"
        ),
        format!("{}\n{}\n", THIRD_DOMAIN.to_uppercase(), CUSTOMER_TENANT.to_uppercase()),
    ] {
        env.write("customers.txt", &text);
        let result = env.run_in_home(&[LIST, &["--tenants-file", "customers.txt"]].concat()).assert_code(0);
        assert_eq!(
            (tenant_ids(&result), result.stderr.as_str()),
            (expected.map(str::to_owned).to_vec(), ""),
            "{text:?}"
        );
    }
}

#[test]
fn tenants_file_with_one_tenant_has_same_format() {
    let env = partner_env_with_tokens();
    env.write("one.txt", CUSTOMER_DOMAIN);
    env.write("two.txt", format!("{CUSTOMER_DOMAIN}\n{HOME_DOMAIN}"));
    let list =
        |format, file| env.run_in_home(&["products", "list", "-o", format, "--tenants-file", file]).assert_code(0);
    for format in ["csv", "tsv", "markdown"] {
        let (one, two) = (list(format, "one.txt").stdout, list(format, "two.txt").stdout);
        assert!(one.contains(CUSTOMER_TENANT) && two.starts_with(&one), "{one}\n---\n{two}");
    }
    let header = |file| list("table", file).stdout.lines().next().map(str::to_owned);
    assert_eq!(header("one.txt"), header("two.txt"));
    let (one, two) = (list("json", "one.txt").json(), list("json", "two.txt").json());
    assert_eq!(one.as_array().unwrap()[..], two.as_array().unwrap()[..17]);
}
