//! Commands for several tenants.

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
use crate::support::snapshot::{Transcript, stderr_only};
use crate::tenant::{
    ADMIN, APP_ID, APP_SECRET, CHANGE_PERMISSION, CUSTOMER_DOMAIN, CUSTOMER_TENANT, HOME_DOMAIN, HOME_TENANT, Product,
    Received, Response, claims_of,
};

/// The sign-in of a partner with two customers.
fn partner_env() -> TestEnv {
    let env = TestEnv::signed_in();
    env.tenant.add_tenant(THIRD_TENANT, THIRD_DOMAIN);
    env
}

/// The same with a cached access token for each tenant, so that commands send no token requests.
fn partner_env_with_tokens() -> TestEnv {
    let env = partner_env();
    env.run(&for_tenants(&[HOME_DOMAIN, CUSTOMER_DOMAIN, THIRD_DOMAIN], &["products", "list"])).assert_code(0);
    env.tenant.forget_requests();
    env
}

/// The arguments, followed by `--tenant` for each tenant.
fn for_tenants<'a>(tenants: &[&'a str], arguments: &[&'a str]) -> Vec<&'a str> {
    let flags = tenants.iter().flat_map(|tenant| ["--tenant", tenant]);
    arguments.iter().copied().chain(flags).collect()
}

/// The environment variables of the application.
fn app_variables() -> [(&'static str, &'static str); 3] {
    [("AZURE_CLIENT_ID", APP_ID), ("AZURE_TENANT_ID", HOME_TENANT), ("AZURE_CLIENT_SECRET", APP_SECRET)]
}

/// The tenant ids of the records in output order. Consecutive records of one tenant count once.
#[track_caller]
fn tenant_ids(result: &CliResult) -> Vec<String> {
    let mut ids = result.column("tenantId");
    ids.dedup();
    ids
}

/// The item ids of the records with this tenant and outcome, in output order.
#[track_caller]
fn ids_with_outcome(result: &CliResult, tenant: &str, outcome: &str) -> Vec<String> {
    let records = result.json();
    let matches = |record: &&Value| record["tenantId"] == tenant && record["outcome"] == outcome;
    records.as_array().unwrap().iter().filter(matches).map(|record| record["id"].as_str().unwrap().to_owned()).collect()
}

/// The update requests, sorted: the tenant of the access token and the item id.
fn sent_updates(requests: &[Received]) -> Vec<(String, String)> {
    let changes = requests.iter().filter(|request| request.method == "PUT");
    let mut changes: Vec<_> =
        changes.map(|change| (tenant_of(change), change.path.rsplit('/').next().unwrap().to_owned())).collect();
    changes.sort();
    changes
}

/// The tenant of a request: from its access token, or from the path of a token request.
fn tenant_of(request: &Received) -> String {
    let claimed = request.bearer().and_then(claims_of).and_then(|claims| claims["tid"].as_str().map(str::to_owned));
    claimed.unwrap_or_else(|| request.path.split('/').nth(1).unwrap().to_owned())
}

/// An error response of the commerce service.
fn error_response(status: u16, code: &str, reason: &str) -> Response {
    Response::json(status, &json!({ "errorCode": code, "reason": reason }))
}

/// An error response of Entra with this AADSTS code.
fn aadsts_response(code: u32) -> Response {
    let description = format!("AADSTS{code}: Not here.");
    Response::json(400, &json!({ "error": "invalid_grant", "error_description": description, "error_codes": [code] }))
}

/// The id of a tenant of [`start_services`].
fn customer_id(index: usize) -> String {
    format!("{index:08}-0000-4000-8000-000000000000")
}

fn customer_ids(count: usize) -> Vec<String> {
    (0..count).map(customer_id).collect()
}

fn product_id(index: usize) -> String {
    format!("CFQ7TTC1{index:04}")
}

/// Starts Entra and the policy endpoint for a number of tenants, each with the same number of enabled products.
/// `respond` may respond to a request itself; it gets the tenant and the request.
fn start_services(
    env: &TestEnv,
    tenants: usize,
    products: usize,
    respond: impl Fn(&str, &Received) -> Option<String> + Send + Sync + 'static,
) -> Server {
    let token = |tenant: &String| env.tenant.issue_app_token(tenant, &[CHANGE_PERMISSION], 3600);
    let tokens: Vec<String> = customer_ids(tenants).iter().map(token).collect();
    Server::start(move |mut connection| {
        while let Some(request) = connection.read_request() {
            let tenant = tenant_of(&request);
            let response = respond(&tenant, &request).unwrap_or_else(|| {
                let index: usize = tenant[..8].parse().unwrap();
                http_response(
                    200,
                    "application/json",
                    &default_response(&request, &tokens[index], products).to_string(),
                )
            });
            if !connection.send(response.as_bytes()) {
                return;
            }
        }
    })
}

fn default_response(request: &Received, token: &str, products: usize) -> Value {
    let item = |id: &str, value: &Value| {
        json!({ "policyId": "AllowSelfServicePurchase", "policyValue": value, "productId": id, "productName": id,
            "scope": "Product" })
    };
    match request.method.as_str() {
        "POST" => json!({ "token_type": "Bearer", "expires_in": 3600, "access_token": token, "refresh_token": "next" }),
        "PUT" => {
            let body: Value = serde_json::from_str(&request.body).unwrap();
            item(request.path.rsplit('/').next().unwrap(), &body["policyValue"])
        }
        _ => {
            let items: Vec<Value> = (0..products).map(|index| item(&product_id(index), &"Enabled".into())).collect();
            json!({ "items": items })
        }
    }
}

/// A command that uses the application and [`start_services`].
fn app_command(server: &Server, env: &TestEnv, arguments: &[&str]) -> std::process::Command {
    let mut command = env.command(arguments);
    command.envs(app_variables()).env("MSCOMMERCE_ENDPOINT", server.http()).env("AZURE_AUTHORITY_HOST", server.http());
    command.current_dir(env.home());
    command
}
