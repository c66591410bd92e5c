//! `products update`: updating many products.

mod apply;
mod auth_failures;
#[cfg(unix)]
mod checklist;
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

/// The default products that are not disabled, in list order.
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

/// Disables all products without confirmation.
const DISABLE_ALL: &[&str] = &["products", "update", "--all", "--value", "disabled", "--yes", "-o", "json"];

/// The start of a progress bar.
#[cfg(unix)]
const BAR: &str = "Changing [";

/// Runs `products update` with these arguments, without confirmation and with JSON output.
fn update(env: &TestEnv, arguments: &[&str]) -> CliResult {
    env.run(&[&["products", "update"], arguments, &["--yes", "-o", "json"]].concat())
}

/// Runs a command with this server as its endpoint.
fn run_with_endpoint(server: &Server, env: &TestEnv, arguments: &[&str]) -> CliResult {
    env.run_with_env(&[("MSCOMMERCE_ENDPOINT", &server.http())], arguments)
}

/// The ids in the updates among these requests, in order of arrival.
fn put_ids(requests: &[Received]) -> Vec<String> {
    let updates = requests.iter().filter(|request| request.method == "PUT");
    updates.map(|request| request.last_segment().to_owned()).collect()
}

fn sorted<T: AsRef<str>>(ids: impl IntoIterator<Item = T>) -> Vec<String> {
    let mut ids: Vec<String> = ids.into_iter().map(|id| id.as_ref().to_owned()).collect();
    ids.sort_unstable();
    ids
}

/// A product of [`start_service`].
fn product(index: usize) -> Product {
    Product::new(&format!("CFQ7TTC1{index:04}"), &format!("Product {index}"), "Enabled")
}

fn id(index: usize) -> String {
    product(index).id
}

/// Starts an endpoint with this number of products, all of them enabled. The function responds to updates; if it returns
/// false, the connection is closed.
fn start_service(count: usize, respond: impl Fn(&mut Connection, &Received) -> bool + Send + Sync + 'static) -> Server {
    let items: Vec<Value> = (0..count).map(|index| item_json(&product(index).id, "Enabled")).collect();
    let list = json!({ "items": items }).to_string();
    Server::start(move |mut connection| {
        while let Some(request) = connection.read_request() {
            let keep_open = if request.method == "PUT" {
                respond(&mut connection, &request)
            } else {
                connection.respond_json(&list)
            };
            if !keep_open {
                return;
            }
        }
    })
}

fn item_json(id: &str, value: &str) -> Value {
    let index: usize = id.trim_start_matches("CFQ7TTC1").parse().unwrap();
    json!({ "policyId": "AllowSelfServicePurchase", "policyValue": value, "scope": "Product",
        "productId": id, "productName": product(index).name })
}

/// Responds to an update that was applied.
fn respond_updated(connection: &mut Connection, request: &Received) -> bool {
    let body: Value = serde_json::from_str(&request.body).unwrap();
    connection.respond_json(&item_json(request.last_segment(), body["policyValue"].as_str().unwrap()).to_string())
}

/// Responds with a status, a header and an error code.
fn respond_error(connection: &mut Connection, status: u16, header: &str, code: &str) -> bool {
    let body = json!({ "errorCode": code, "reason": "Not now." }).to_string();
    let response = http_response(status, "application/json", &body).replacen("\r\n", &format!("\r\n{header}\r\n"), 1);
    connection.send(response.as_bytes())
}

/// A running command whose stderr can be read. It is killed on drop.
struct RunningCli {
    child: Option<Child>,
    stderr: BufReader<ChildStderr>,
    text: String,
}

impl RunningCli {
    fn start(server: &Server, env: &TestEnv, arguments: &[&str]) -> Self {
        let mut child = env.command(arguments).env("MSCOMMERCE_ENDPOINT", server.http()).spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        Self { child: Some(child), stderr, text: String::new() }
    }

    /// Waits for a line that contains this text.
    #[track_caller]
    fn expect(&mut self, expected: &str) {
        loop {
            let start = self.text.len();
            let length = self.stderr.read_line(&mut self.text).unwrap();
            assert!(length > 0, "not printed: {expected}\n---\n{}", self.text);
            if self.text[start..].contains(expected) {
                return;
            }
        }
    }

    /// Sends the signal of Ctrl-C.
    #[cfg(unix)]
    fn interrupt(&self) {
        let pid = rustix::process::Pid::from_child(self.child.as_ref().unwrap());
        rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    }

    fn finish(mut self) -> CliResult {
        while self.stderr.read_line(&mut self.text).unwrap() > 0 {}
        let result: CliResult = self.child.take().unwrap().wait_with_output().unwrap().into();
        CliResult { stderr: std::mem::take(&mut self.text), ..result }
    }
}

impl Drop for RunningCli {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // Both fail if the program has exited.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
