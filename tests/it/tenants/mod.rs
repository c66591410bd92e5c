//! Several tenants in one command.

mod baselines;
mod concurrency;
mod duplicates;
mod errors;
mod history;
#[cfg(unix)]
mod interrupts;
mod listing;
mod token_refresh;
mod update;
mod usage;

use std::fs;
use std::sync::{Condvar, Mutex};

use serde_json::{Value, json};

use crate::support::cli::CliResult;
use crate::support::env::TestEnv;
use crate::support::fixtures::{THIRD_DOMAIN, THIRD_TENANT};
use crate::support::server::{Server, TEST_TIMEOUT, http_response};
use crate::tenant::{
    ADMIN, APP_ID, APP_SECRET, CHANGE_PERMISSION, CUSTOMER_DOMAIN, CUSTOMER_TENANT, HOME_DOMAIN, HOME_TENANT, Product,
    Received, Response, claims_of,
};

/// A machine on which a partner has signed in, with two customers.
fn partner() -> TestEnv {
    let env = TestEnv::signed_in();
    env.tenant.add_tenant(THIRD_TENANT, THIRD_DOMAIN);
    env
}

/// The same with a token for each tenant already, so that nothing but the command's own requests is sent.
fn known_partner() -> TestEnv {
    let env = partner();
    env.run(&at(&[HOME_DOMAIN, CUSTOMER_DOMAIN, THIRD_DOMAIN], &["products", "list"])).assert_code(0);
    env.tenant.forget_requests();
    env
}

/// The arguments with a `--tenant` for each of these.
fn at<'a>(tenants: &[&'a str], arguments: &[&'a str]) -> Vec<&'a str> {
    let flags = tenants.iter().flat_map(|tenant| ["--tenant", tenant]);
    arguments.iter().copied().chain(flags).collect()
}

/// What leads to the environment's application.
fn application() -> [(&'static str, &'static str); 3] {
    [("AZURE_CLIENT_ID", APP_ID), ("AZURE_TENANT_ID", HOME_TENANT), ("AZURE_CLIENT_SECRET", APP_SECRET)]
}

/// The tenants of the records in their order, each once for the records that follow each other.
#[track_caller]
fn tenants(result: &CliResult) -> Vec<String> {
    let mut ids = result.column("tenantId");
    ids.dedup();
    ids
}

/// The ids in the records of one tenant with this outcome, in their order.
#[track_caller]
fn ids_of(result: &CliResult, tenant: &str, outcome: &str) -> Vec<String> {
    let records = result.json();
    let fits = |record: &&Value| record["tenantId"] == tenant && record["outcome"] == outcome;
    records.as_array().unwrap().iter().filter(fits).map(|record| record["id"].as_str().unwrap().to_owned()).collect()
}

/// The changes that arrived: which tenant's token came with each, and the product.
fn changes(requests: &[Received]) -> Vec<(String, String)> {
    let changes = requests.iter().filter(|request| request.method == "PUT");
    let mut changes: Vec<_> =
        changes.map(|change| (tenant_of(change), change.path.rsplit('/').next().unwrap().to_owned())).collect();
    changes.sort();
    changes
}

/// The tenant that a request is for: a token names it, and the path of a request for one.
fn tenant_of(request: &Received) -> String {
    let claimed = request.bearer().and_then(claims_of).and_then(|claims| claims["tid"].as_str().map(str::to_owned));
    claimed.unwrap_or_else(|| request.path.split('/').nth(1).unwrap().to_owned())
}

/// An answer of the service that refuses.
fn refusal(status: u16, code: &str, reason: &str) -> Response {
    Response::json(status, &json!({ "errorCode": code, "reason": reason }))
}

/// An answer of Entra that refuses.
fn no_sign_in(code: u32) -> Response {
    let description = format!("AADSTS{code}: Not here.");
    Response::json(400, &json!({ "error": "invalid_grant", "error_description": description, "error_codes": [code] }))
}

/// The id of a tenant of a [`service`].
fn customer(index: usize) -> String {
    format!("{index:08}-0000-4000-8000-000000000000")
}

fn customers(count: usize) -> Vec<String> {
    (0..count).map(customer).collect()
}

fn product(index: usize) -> String {
    format!("CFQ7TTC1{index:04}")
}

/// Entra and the policy endpoint for so many tenants with so many products, all of them enabled. The test may answer
/// a request itself: it sees it, and the tenant that it is for.
fn service(
    env: &TestEnv,
    tenants: usize,
    products: usize,
    test: impl Fn(&str, &Received) -> Option<String> + Send + Sync + 'static,
) -> Server {
    let token = |tenant: &String| env.tenant.issue_app_token(tenant, &[CHANGE_PERMISSION], 3600);
    let tokens: Vec<String> = customers(tenants).iter().map(token).collect();
    Server::start(move |mut connection| {
        while let Some(request) = connection.read_request() {
            let tenant = tenant_of(&request);
            let whole = test(&tenant, &request).unwrap_or_else(|| {
                let index: usize = tenant[..8].parse().unwrap();
                http_response(200, "application/json", &usual(&request, &tokens[index], products).to_string())
            });
            if !connection.send(whole.as_bytes()) {
                return;
            }
        }
    })
}

fn usual(request: &Received, token: &str, products: usize) -> Value {
    let item = |id: &str, value: &Value| {
        json!({ "policyId": "AllowSelfServicePurchase", "policyValue": value, "productId": id, "productName": id,
            "scope": "Product" })
    };
    match request.method.as_str() {
        "POST" => json!({ "token_type": "Bearer", "expires_in": 3600, "access_token": token, "refresh_token": "next" }),
        "PUT" => {
            let wanted: Value = serde_json::from_str(&request.body).unwrap();
            item(request.path.rsplit('/').next().unwrap(), &wanted["policyValue"])
        }
        _ => {
            let items: Vec<Value> = (0..products).map(|index| item(&product(index), &"Enabled".into())).collect();
            json!({ "items": items })
        }
    }
}

/// A command of the environment's application that is led to a [`service`].
fn command_at(server: &Server, env: &TestEnv, arguments: &[&str]) -> std::process::Command {
    let mut command = env.command(arguments);
    command.envs(application()).env("MSCOMMERCE_ENDPOINT", server.http()).env("AZURE_AUTHORITY_HOST", server.http());
    command.current_dir(env.home());
    command
}
