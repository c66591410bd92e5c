//! Duration of commands for many tenants: `cargo bench --bench tenants`.
//!
//! 50 tenants with 27 products, a round trip of 50 ms, at most 16 concurrent requests. Each
//! tenant needs a token and its lists, one after the other, so the minimum in round trips is the number of requests over
//! 16, rounded up. Each measurement is a complete run of the executable. Exits with 1 if a median is 3 s or more.
#![allow(clippy::print_stdout, reason = "a benchmark prints its results")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "an error in the set-up stops the benchmark")]
#![allow(dead_code, unused_macros, reason = "the tests use more of the shared support")]

#[path = "../tests/it/support/mod.rs"]
mod support;
#[path = "../tests/tenant/mod.rs"]
mod tenant;

use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use support::env::TestEnv;
use tenant::{APP_ID, APP_SECRET, HOME_TENANT, Product};

const ROUND_TRIP: Duration = Duration::from_millis(50);
const JOBS: usize = 16;
const TENANTS: usize = 50;
const PRODUCTS: usize = 27;
const RUNS: usize = 9;
const LIMIT: Duration = Duration::from_secs(3);

/// An application, which needs a token for each tenant and run, or a partner, whose cached tokens have all expired.
#[derive(Clone, Copy)]
enum Credential {
    Application,
    Cached,
}

/// A command, its credential, and the number of requests per tenant.
struct Case {
    name: &'static str,
    arguments: &'static [&'static str],
    credential: Credential,
    requests: usize,
}

const CASES: [Case; 3] = [
    Case {
        name: "product list, an application",
        arguments: &["products", "list", "-o", "json"],
        credential: Credential::Application,
        requests: 2,
    },
    Case {
        name: "product list, a cached credential",
        arguments: &["products", "list", "-o", "json"],
        credential: Credential::Cached,
        requests: 2,
    },
    Case {
        name: "baseline check, an application",
        arguments: &["baseline", "check", "baseline.toml", "-o", "json"],
        credential: Credential::Application,
        requests: 3,
    },
];

fn main() -> ExitCode {
    println!("{TENANTS} tenants, {PRODUCTS} products each, R = {ROUND_TRIP:?}, J = {JOBS}");
    println!("{:<32}  {:>8}  {:>9}  {:>9}  {:>6}", "", "requests", "least", "median", "ratio");
    let env = env();
    let mut code = ExitCode::SUCCESS;
    for case in &CASES {
        let mut times: Vec<Duration> = (0..RUNS).map(|_| run(&env, case)).collect();
        times.sort();
        let median = times[RUNS / 2];
        let requests = TENANTS * case.requests;
        let least = ROUND_TRIP * u32::try_from(requests.div_ceil(JOBS)).unwrap();
        println!(
            "{:<32}  {requests:>8}  {:>6} ms  {:>6} ms  {:>6.3}",
            case.name,
            least.as_millis(),
            median.as_millis(),
            median.as_secs_f64() / least.as_secs_f64(),
        );
        if median >= LIMIT {
            code = ExitCode::FAILURE;
        }
    }
    code
}

/// An environment with a partner's credential, a list of customers and a baseline that matches them.
fn env() -> TestEnv {
    let env = TestEnv::new();
    let ids: Vec<String> = (0..TENANTS).map(|number| format!("44444444-4444-4444-8444-{number:012}")).collect();
    for (number, id) in ids.iter().enumerate() {
        env.tenant.add_tenant(id, &format!("customer-{number}.example"));
        env.tenant.set_products_in(id, products());
    }
    env.tenant.set_products_in(HOME_TENANT, products());
    env.sign_in(tenant::ADMIN);
    std::fs::write(env.home().join("customers.txt"), ids.join("\n")).unwrap();
    let mut export = env.command(&["baseline", "export", "--file", "baseline.toml"]);
    assert!(export.current_dir(env.home()).output().unwrap().status.success());
    env.tenant.set_delay(ROUND_TRIP);
    env
}

fn products() -> Vec<Product> {
    let product = |number| Product::new(&format!("CFQ7TTC{number:05}"), &format!("Product {number}"), "Enabled");
    (0..PRODUCTS).map(product).collect()
}

/// Runs the command for all tenants and checks the number of requests.
fn run(env: &TestEnv, case: &Case) -> Duration {
    env.tenant.forget_requests();
    let jobs = JOBS.to_string();
    let mut command: Command =
        env.command(&[case.arguments, &["--tenants-file", "customers.txt", "--jobs", &jobs, "-q"]].concat());
    match case.credential {
        Credential::Application => {
            env.tenant.set_token_lifetime(3600);
            command
                .env("AZURE_CLIENT_ID", APP_ID)
                .env("AZURE_CLIENT_SECRET", APP_SECRET)
                .env("AZURE_TENANT_ID", HOME_TENANT);
        }
        // Too short to be reused, so that each run refreshes the token of every tenant.
        Credential::Cached => env.tenant.set_token_lifetime(60),
    }
    command.current_dir(env.home()).stdout(Stdio::null());
    let started = Instant::now();
    let status = command.status().unwrap();
    let time = started.elapsed();
    assert!(status.success(), "{}", case.name);
    assert_eq!(env.request_lines().len(), TENANTS * case.requests, "{}", case.name);
    time
}
