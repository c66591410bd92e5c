//! Changing many products at once.

#[cfg(unix)]
mod prompts;
mod apply;
#[cfg(unix)]
mod interrupts;
mod selection_errors;
mod selection;
mod concurrency;
mod auth_failures;
mod rate_limits;

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStderr};
use std::sync::{Condvar, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::server::{Connection, PATIENCE, Server, answer};
use crate::support::env::{Machine, Ran};
use crate::tenant::{Product, Received};

const LIST_PRODUCTS: &str = "GET /v1.0/policies/AllowSelfServicePurchase/products?scope=product";
const LIST_OFFER_TYPES: &str = "GET /v1.0/policies/AllowSelfServicePurchase/products?scope=OfferType";
const TENANT: &str = "11111111-1111-4111-8111-111111111111";

const POWER_BI: &str = "CFQ7TTC0H9MP";
const VISIO_1: &str = "CFQ7TTC0HD33";
const VISIO_2: &str = "CFQ7TTC0HD32";

/// The default products that are not disabled, in the order of the listing.
const NOT_DISABLED: [&str; 12] = [
    "CFQ7TTC0LH2H",
    "CFQ7TTC0LH3L",
    "CFQ7TTC0H9MP",
    "CFQ7TTC0HDB1",
    "CFQ7TTC0HDB0",
    "CFQ7TTC0N8SS",
    "CFQ7TTC0LH05",
    "CFQ7TTC0N8SL",
    "CFQ7TTC0S3X1",
    "CFQ7TTC0J1FV",
    "CFQ7TTC0RM8K",
    "CFQ7TTC0PW0V",
];

/// Everything is to be disabled, unasked.
const DISABLE_ALL: &[&str] = &["products", "update", "--all", "--value", "disabled", "--yes", "-o", "json"];

/// Runs `products update` with these arguments, unasked, for records in JSON.
fn update(machine: &Machine, arguments: &[&str]) -> Ran {
    machine.run(&[&["products", "update"], arguments, &["--yes", "-o", "json"]].concat())
}

/// Runs a command that is led to another endpoint.
fn run_at(server: &Server, machine: &Machine, arguments: &[&str]) -> Ran {
    machine.run_with(&[("MSCOMMERCE_ENDPOINT", &server.http())], arguments)
}

/// The ids in the changes among these requests, in the order of their arrival.
fn ids_sent(requests: &[Received]) -> Vec<String> {
    let changes = requests.iter().filter(|request| request.method == "PUT");
    changes.map(|request| request.path.rsplit('/').next().unwrap().to_owned()).collect()
}

/// The ids in the changes that arrived, sorted: those that are on their way together arrive in any order.
fn ids_changed(machine: &Machine) -> Vec<String> {
    sorted(ids_sent(&machine.tenant.requests()))
}

fn sorted<T: AsRef<str>>(ids: impl IntoIterator<Item = T>) -> Vec<String> {
    let mut ids: Vec<String> = ids.into_iter().map(|id| id.as_ref().to_owned()).collect();
    ids.sort_unstable();
    ids
}

/// The ids of the records with this outcome, in their order.
fn ids_of(ran: &Ran, outcome: &str) -> Vec<String> {
    let records = ran.json();
    let records = records.as_array().unwrap().iter().filter(|record| record["outcome"] == outcome);
    records.map(|record| record["id"].as_str().unwrap().to_owned()).collect()
}

/// The record of one product.
#[track_caller]
fn record_of(ran: &Ran, id: &str) -> Value {
    let records = ran.json();
    records.as_array().unwrap().iter().find(|record| record["id"] == id).unwrap_or_else(|| panic!("{records}")).clone()
}

/// The lines of the record of changes; none where there is no record yet.
fn record_of_changes(machine: &Machine) -> Vec<Value> {
    let text = std::fs::read_to_string(machine.state().join("changes.jsonl")).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Nothing was sent that changes something, and nothing is recorded as changed.
#[track_caller]
fn expect_nothing_changed(machine: &Machine) {
    assert_eq!(ids_changed(machine), Vec::<String>::new());
    assert_eq!(record_of_changes(machine), Vec::<Value>::new());
}

/// A product of a [`service`].
fn product(index: usize) -> Product {
    Product::new(&format!("CFQ7TTC1{index:04}"), &format!("Product {index}"), "Enabled")
}

fn id(index: usize) -> String {
    product(index).id
}

/// An endpoint with so many products, all of them enabled, where the test says what becomes of a change. Returning
/// false ends the connection.
fn service(count: usize, change: impl Fn(&mut Connection, &Received) -> bool + Send + Sync + 'static) -> Server {
    let items: Vec<Value> = (0..count).map(|index| item(&product(index).id, "Enabled")).collect();
    let listing = json!({ "items": items }).to_string();
    Server::start(move |mut connection| {
        while let Some(request) = connection.request() {
            let goes_on =
                if request.method == "PUT" { change(&mut connection, &request) } else { connection.answer(&listing) };
            if !goes_on {
                return;
            }
        }
    })
}

fn item(id: &str, value: &str) -> Value {
    let index: usize = id.trim_start_matches("CFQ7TTC1").parse().unwrap();
    json!({ "policyId": "AllowSelfServicePurchase", "policyValue": value, "scope": "Product",
        "productId": id, "productName": product(index).name })
}

/// Answers a change as a service does that has made it.
fn make(connection: &mut Connection, request: &Received) -> bool {
    let wanted: Value = serde_json::from_str(&request.body).unwrap();
    let id = request.path.rsplit('/').next().unwrap();
    connection.answer(&item(id, wanted["policyValue"].as_str().unwrap()).to_string())
}

/// Answers a request with a status, a header and the service's words.
fn refuse(connection: &mut Connection, status: u16, header: &str, code: &str) -> bool {
    let body = json!({ "errorCode": code, "reason": "Not now." }).to_string();
    let whole = answer(status, "application/json", &body).replacen("\r\n", &format!("\r\n{header}\r\n"), 1);
    connection.send(whole.as_bytes())
}

/// How long a group that is complete is held for one more that should not come. A tool that sends too much does so
/// at once, so this finds it; no test fails for its being too short.
const A_MOMENT: Duration = Duration::from_millis(100);

/// Holds requests until so many of them are there at the same time, and counts how many were at most.
struct Gathering {
    size: usize,
    present: Mutex<Present>,
    changed: Condvar,
}

#[derive(Default)]
struct Present {
    now: usize,
    most: usize,
    ever: usize,
}

impl Gathering {
    fn of(size: usize) -> Self {
        Self { size, present: Mutex::default(), changed: Condvar::new() }
    }

    /// Returns when the group that this request is one of is complete: 0 for the first group, 1 for the second.
    fn join(&self) -> usize {
        let mut present = self.present.lock().unwrap();
        let group = present.ever / self.size;
        present.now += 1;
        present.ever += 1;
        present.most = present.most.max(present.now);
        self.changed.notify_all();
        let is_incomplete = |present: &mut Present| present.ever < (group + 1) * self.size;
        let (present, waited) = self.changed.wait_timeout_while(present, PATIENCE, is_incomplete).unwrap();
        let fits = |present: &mut Present| present.now <= self.size;
        let (mut present, _) = self.changed.wait_timeout_while(present, A_MOMENT, fits).unwrap();
        // The answer comes after this, so a request that the answer sets free is not counted with this one.
        present.now -= 1;
        drop(present);
        assert!(!waited.timed_out(), "the others never came");
        group
    }

    /// Counts a request for the group without holding it.
    fn count(&self) {
        self.present.lock().unwrap().ever += 1;
        self.changed.notify_all();
    }

    fn most(&self) -> usize {
        self.present.lock().unwrap().most
    }
}

/// A run whose standard error is read while it goes on; it is killed when this is dropped.
struct Running {
    child: Option<Child>,
    errors: BufReader<ChildStderr>,
    read: String,
}

impl Running {
    fn at(server: &Server, machine: &Machine, arguments: &[&str]) -> Self {
        let mut child = machine.command(arguments).env("MSCOMMERCE_ENDPOINT", server.http()).spawn().unwrap();
        let errors = BufReader::new(child.stderr.take().unwrap());
        Self { child: Some(child), errors, read: String::new() }
    }

    /// Waits for a line that contains this.
    #[track_caller]
    fn expect(&mut self, part: &str) {
        loop {
            let start = self.read.len();
            assert!(self.errors.read_line(&mut self.read).unwrap() > 0, "not said: {part}\n---\n{}", self.read);
            if self.read[start..].contains(part) {
                return;
            }
        }
    }

    /// Ctrl-C, as a terminal sends it.
    #[cfg(unix)]
    fn interrupt(&self) {
        let pid = rustix::process::Pid::from_child(self.child.as_ref().unwrap());
        rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    }

    fn finish(mut self) -> Ran {
        while self.errors.read_line(&mut self.read).unwrap() > 0 {}
        let ran: Ran = self.child.take().unwrap().wait_with_output().unwrap().into();
        Ran { stderr: std::mem::take(&mut self.read), ..ran }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // Both fail where the program has ended.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
