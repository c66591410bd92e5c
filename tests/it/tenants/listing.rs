//! What is listed of several tenants, and with which sign-in.

use std::sync::Arc;

use super::*;
use crate::support::fixtures::{FORMATS, LIST_PRODUCTS, POWER_BI, THIRD_DOMAIN, THIRD_TENANT, VISIO};

const IN_JSON: &[&str] = &["products", "list", "-o", "json"];

fn token_request(tenant: &str) -> String {
    format!("POST /{tenant}/oauth2/v2.0/token")
}

/// What a command at one tenant lists, with the tenant added.
fn listed(env: &TestEnv, tenant: &str, more: &[&str]) -> Vec<Value> {
    let result = env.run(&at(&[tenant], &[IN_JSON, more].concat())).assert_code(0);
    let mut records = result.json().as_array().unwrap().clone();
    for record in &mut records {
        assert!(record.get("tenantId").is_none(), "one tenant needs no naming: {record}");
        record["tenantId"] = tenant.into();
    }
    records
}

#[test]
fn each_tenants_records_come_in_the_order_in_which_the_tenants_were_named() {
    let env = partner();
    for ids in [[HOME_TENANT, CUSTOMER_TENANT, THIRD_TENANT], [THIRD_TENANT, HOME_TENANT, CUSTOMER_TENANT]] {
        for more in [&[][..], &["--scope", "all"], &["--value", "disabled", "--name", "power"]] {
            let result = env.run(&at(&ids, &[IN_JSON, more].concat())).assert_code(0);
            assert_eq!(result.stderr, "");
            let wanted: Vec<Value> = ids.iter().flat_map(|id| listed(&env, id, more)).collect();
            assert_eq!(result.json(), Value::from(wanted));
        }
    }
}

#[test]
fn the_order_is_the_same_whoever_answers_first() {
    let env = TestEnv::new();
    let others = Arc::new((Mutex::new(0), Condvar::new()));
    let server = service(&env, 3, 1, move |tenant, request| {
        let (count, changed) = &*others;
        if request.method == "GET" && tenant != customer(0) {
            *count.lock().unwrap() += 1;
            changed.notify_all();
        } else if request.method == "GET" {
            // The first is answered when the others have been asked.
            let waited = changed.wait_timeout_while(count.lock().unwrap(), TEST_TIMEOUT, |count| *count < 2).unwrap();
            assert!(!waited.1.timed_out());
        }
        None
    });
    let ids = customers(3);
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let result: CliResult = command_at(&server, &env, &at(&ids, IN_JSON)).output().unwrap().into();
    assert_eq!(tenants(&result.assert_code(0)), ids);
}

#[test]
fn every_format_begins_with_the_tenant() {
    let env = partner();
    env.tenant.set_products(vec![Product::new(POWER_BI, "Power BI | Pro", "Enabled")]);
    let visio = Product::new(VISIO, "Visio, Plan 1", "Disabled").with("newMember", 7);
    env.tenant.set_products_in(CUSTOMER_TENANT, vec![visio]);
    env.tenant.set_products_in(THIRD_TENANT, Vec::new());
    let mut all = String::new();
    for format in FORMATS {
        let list = ["products", "list", "-o", format];
        let result = env.run(&at(&[THIRD_DOMAIN, HOME_DOMAIN, CUSTOMER_DOMAIN], &list)).assert_code(0);
        assert_eq!(result.stderr, "");
        all += &format!("$ -o {format}\n{}", result.stdout);
    }
    insta::assert_snapshot!("list_in_every_format", all);
}

#[test]
fn where_nothing_fits_the_list_is_empty_and_well_formed() {
    let env = partner();
    let mut all = String::new();
    for format in FORMATS {
        let list = ["products", "list", "--name", "no such name", "-o", format];
        let result = env.run(&at(&[HOME_DOMAIN, CUSTOMER_DOMAIN], &list)).assert_code(0);
        assert_eq!(result.stderr, "None of the 34 listed fits.\n");
        all += &format!("$ -o {format}\n{}", result.stdout);
    }
    insta::assert_snapshot!("empty_list_in_every_format", all);
}

#[test]
fn a_partners_refresh_token_is_redeemed_at_each_tenant_and_kept_for_the_next_time() {
    let env = partner();
    let refresh_token = env.cache()["profiles"]["default"]["refreshToken"].as_str().unwrap().to_owned();
    let list = at(&[HOME_TENANT, CUSTOMER_DOMAIN, THIRD_TENANT], &[IN_JSON, &["--jobs", "1"]].concat());
    assert_eq!(tenants(&env.run(&list).assert_code(0)), [HOME_TENANT, CUSTOMER_TENANT, THIRD_TENANT]);
    let mut requests = env.request_lines();
    requests.sort();
    assert_eq!(requests[..3], [LIST_PRODUCTS; 3]);
    assert_eq!(requests[3..], [token_request(THIRD_TENANT), token_request(CUSTOMER_DOMAIN)]);
    assert_eq!(env.token_requests()[0].1["refresh_token"], refresh_token);

    // From now on they are known, by either name.
    for names in [[HOME_TENANT, CUSTOMER_DOMAIN, THIRD_TENANT], [HOME_TENANT, CUSTOMER_TENANT, THIRD_TENANT]] {
        env.tenant.forget_requests();
        env.run(&at(&names, IN_JSON)).assert_code(0);
        assert_eq!(env.request_lines(), [LIST_PRODUCTS; 3]);
    }
}

#[test]
fn an_application_signs_in_at_each_tenant_and_at_no_other() {
    let env = TestEnv::new();
    env.tenant.add_tenant(THIRD_TENANT, THIRD_DOMAIN);
    // The tenant of the environment is for commands that name none.
    let variables = [&application()[..], &[("AZURE_TENANT_ID", HOME_TENANT)]].concat();
    let result = env.run_with_env(&variables, &at(&[THIRD_DOMAIN, CUSTOMER_TENANT], IN_JSON)).assert_code(0);
    assert_eq!(result.stderr, "");
    assert_eq!(tenants(&result), [THIRD_TENANT, CUSTOMER_TENANT]);
    let forms = env.token_requests();
    let mut asked: Vec<_> = forms.iter().map(|(tenant, form)| (tenant.as_str(), form["grant_type"].as_str())).collect();
    asked.sort_unstable();
    assert_eq!(asked, [(CUSTOMER_TENANT, "client_credentials"), (THIRD_DOMAIN, "client_credentials")]);
    assert!(!env.state_dir().exists(), "nothing of an application is saved");
}

#[test]
fn a_file_of_tenants_is_read_as_people_write_it() {
    let env = known_partner();
    let wanted = [THIRD_TENANT, CUSTOMER_TENANT];
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
        let result = env.run_in_home(&[IN_JSON, &["--tenants-file", "customers.txt"]].concat()).assert_code(0);
        assert_eq!((tenants(&result), result.stderr.as_str()), (wanted.map(str::to_owned).to_vec(), ""), "{text:?}");
    }
}

#[test]
fn a_file_with_one_tenant_gives_the_same_form_as_one_with_several() {
    let env = known_partner();
    env.write("one.txt", CUSTOMER_DOMAIN);
    env.write("two.txt", format!("{CUSTOMER_DOMAIN}\n{HOME_DOMAIN}"));
    let list =
        |format, file| env.run_in_home(&["products", "list", "-o", format, "--tenants-file", file]).assert_code(0);
    for format in ["table", "csv", "tsv", "markdown"] {
        let (one, two) = (list(format, "one.txt").stdout, list(format, "two.txt").stdout);
        assert!(one.contains(CUSTOMER_TENANT) && two.starts_with(&one), "{one}\n---\n{two}");
    }
    let (one, two) = (list("json", "one.txt").json(), list("json", "two.txt").json());
    assert_eq!(one.as_array().unwrap()[..], two.as_array().unwrap()[..17]);
}
