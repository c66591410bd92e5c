//! Several tenants in one command.

mod baselines;
mod update;
mod errors;
#[cfg(unix)]
mod interrupts;
mod listing;
mod duplicates;
mod history;
mod token_refresh;
mod concurrency;
mod usage;

use std::fs;
use std::sync::{Condvar, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::server::{PATIENCE, Server, answer};
use crate::support::env::{Machine, Ran};
use crate::tenant::{
    ADMIN, APP_ID, APP_SECRET, Answer, CHANGE_PERMISSION, CUSTOMER_DOMAIN, CUSTOMER_TENANT, HOME_DOMAIN, HOME_TENANT,
    Product, Received, claims_of,
};

const THIRD_TENANT: &str = "33333333-3333-4333-8333-333333333333";
const THIRD_DOMAIN: &str = "tailspin.example";

const POWER_BI: &str = "CFQ7TTC0H9MP";
const VISIO: &str = "CFQ7TTC0HD33";

const FORMATS: [&str; 5] = ["table", "json", "csv", "tsv", "markdown"];

/// A machine on which a partner has signed in, with two customers.
fn partner() -> Machine {
    let machine = Machine::signed_in();
    machine.tenant.add_tenant(THIRD_TENANT, THIRD_DOMAIN);
    machine
}

/// The same with a token for each tenant already, so that nothing but the command's own requests is sent.
fn known_partner() -> Machine {
    let machine = partner();
    machine.run(&at(&[HOME_DOMAIN, CUSTOMER_DOMAIN, THIRD_DOMAIN], &["products", "list"])).expect_code(0);
    machine.tenant.forget_requests();
    machine
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

/// Puts a file into the home directory.
fn write(machine: &Machine, name: &str, content: impl AsRef<[u8]>) {
    fs::write(machine.home().join(name), content).unwrap();
}

/// Runs in the home directory, so that the files in it go by their bare names.
fn here(machine: &Machine, arguments: &[&str]) -> Ran {
    machine.command(arguments).current_dir(machine.home()).output().unwrap().into()
}

/// One field of each record, as text, in the order of the records.
#[track_caller]
fn column(ran: &Ran, name: &str) -> Vec<String> {
    let records = ran.json();
    records.as_array().unwrap().iter().map(|record| record[name].as_str().unwrap_or("null").to_owned()).collect()
}

/// The tenants of the records in their order, each once for the records that follow each other.
#[track_caller]
fn tenants(ran: &Ran) -> Vec<String> {
    let mut ids = column(ran, "tenantId");
    ids.dedup();
    ids
}

/// The ids in the records of one tenant with this outcome, in their order.
#[track_caller]
fn ids_of(ran: &Ran, tenant: &str, outcome: &str) -> Vec<String> {
    let records = ran.json();
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

/// The lines of the record of changes; none where there is no record yet.
fn record_of_changes(machine: &Machine) -> Vec<Value> {
    let text = fs::read_to_string(machine.state().join("changes.jsonl")).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// An answer of the service that refuses.
fn refusal(status: u16, code: &str, reason: &str) -> Answer {
    Answer::json(status, &json!({ "errorCode": code, "reason": reason }))
}

/// An answer of Entra that refuses.
fn no_sign_in(code: u32) -> Answer {
    let description = format!("AADSTS{code}: Not here.");
    Answer::json(400, &json!({ "error": "invalid_grant", "error_description": description, "error_codes": [code] }))
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
    machine: &Machine,
    tenants: usize,
    products: usize,
    test: impl Fn(&str, &Received) -> Option<String> + Send + Sync + 'static,
) -> Server {
    let token = |tenant: &String| machine.tenant.mint_app(tenant, &[CHANGE_PERMISSION], 3600);
    let tokens: Vec<String> = customers(tenants).iter().map(token).collect();
    Server::start(move |mut connection| {
        while let Some(request) = connection.request() {
            let tenant = tenant_of(&request);
            let whole = test(&tenant, &request).unwrap_or_else(|| {
                let index: usize = tenant[..8].parse().unwrap();
                answer(200, "application/json", &usual(&request, &tokens[index], products).to_string())
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
fn command_at(server: &Server, machine: &Machine, arguments: &[&str]) -> std::process::Command {
    let mut command = machine.command(arguments);
    command.envs(application()).env("MSCOMMERCE_ENDPOINT", server.http()).env("AZURE_AUTHORITY_HOST", server.http());
    command.current_dir(machine.home());
    command
}

/// How long a group that is complete is held for one more that should not come. A tool that sends too much does so
/// at once, so this finds it; no test fails for its being too short.
const A_MOMENT: Duration = Duration::from_millis(50);

/// Holds requests until so many of them are there at the same time, and counts how many were at most.
struct Gathering {
    size: usize,
    /// How many are there now, were at most, and have ever come.
    present: Mutex<[usize; 3]>,
    changed: Condvar,
}

impl Gathering {
    fn of(size: usize) -> Self {
        Self { size, present: Mutex::default(), changed: Condvar::new() }
    }

    /// Returns when the group that this request is one of is complete.
    fn join(&self) {
        let mut present = self.present.lock().unwrap();
        let complete = (present[2] / self.size + 1) * self.size;
        let now = present[0] + 1;
        *present = [now, present[1].max(now), present[2] + 1];
        self.changed.notify_all();
        let (present, waited) =
            self.changed.wait_timeout_while(present, PATIENCE, |present| present[2] < complete).unwrap();
        let (mut present, _) =
            self.changed.wait_timeout_while(present, A_MOMENT, |present| present[0] <= self.size).unwrap();
        // The answer comes after this, so a request that the answer sets free is not counted with this one.
        present[0] -= 1;
        drop(present);
        assert!(!waited.timed_out(), "the others never came");
    }

    fn most(&self) -> usize {
        self.present.lock().unwrap()[1]
    }
}
