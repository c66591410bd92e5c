//! Changing many products at once.

mod apply;
mod auth_failures;
mod concurrency;
#[cfg(unix)]
mod interrupts;
#[cfg(unix)]
mod prompts;
mod rate_limits;
mod selection;
mod selection_errors;

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStderr};
use std::sync::{Condvar, Mutex};

use serde_json::{Value, json};

use crate::support::cli::CliResult;
use crate::support::env::TestEnv;
use crate::support::server::{Connection, Server, TEST_TIMEOUT, http_response};
use crate::tenant::{HOME_TENANT, Product, Received};

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
fn update(env: &TestEnv, arguments: &[&str]) -> CliResult {
    env.run(&[&["products", "update"], arguments, &["--yes", "-o", "json"]].concat())
}

/// Runs a command that is led to another endpoint.
fn run_at(server: &Server, env: &TestEnv, arguments: &[&str]) -> CliResult {
    env.run_with_env(&[("MSCOMMERCE_ENDPOINT", &server.http())], arguments)
}

/// The ids in the changes among these requests, in the order of their arrival.
fn ids_sent(requests: &[Received]) -> Vec<String> {
    let changes = requests.iter().filter(|request| request.method == "PUT");
    changes.map(|request| request.path.rsplit('/').next().unwrap().to_owned()).collect()
}

fn sorted<T: AsRef<str>>(ids: impl IntoIterator<Item = T>) -> Vec<String> {
    let mut ids: Vec<String> = ids.into_iter().map(|id| id.as_ref().to_owned()).collect();
    ids.sort_unstable();
    ids
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
        while let Some(request) = connection.read_request() {
            let goes_on = if request.method == "PUT" {
                change(&mut connection, &request)
            } else {
                connection.respond_json(&listing)
            };
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
    connection.respond_json(&item(id, wanted["policyValue"].as_str().unwrap()).to_string())
}

/// Answers a request with a status, a header and the service's words.
fn refuse(connection: &mut Connection, status: u16, header: &str, code: &str) -> bool {
    let body = json!({ "errorCode": code, "reason": "Not now." }).to_string();
    let whole = http_response(status, "application/json", &body).replacen("\r\n", &format!("\r\n{header}\r\n"), 1);
    connection.send(whole.as_bytes())
}

/// A run whose standard error is read while it goes on; it is killed when this is dropped.
struct Running {
    child: Option<Child>,
    errors: BufReader<ChildStderr>,
    read: String,
}

impl Running {
    fn at(server: &Server, env: &TestEnv, arguments: &[&str]) -> Self {
        let mut child = env.command(arguments).env("MSCOMMERCE_ENDPOINT", server.http()).spawn().unwrap();
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

    fn finish(mut self) -> CliResult {
        while self.errors.read_line(&mut self.read).unwrap() > 0 {}
        let result: CliResult = self.child.take().unwrap().wait_with_output().unwrap().into();
        CliResult { stderr: std::mem::take(&mut self.read), ..result }
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
