//! How long a change of many products takes: `cargo bench --bench bulk`.
//!
//! N changes with J of them on their way at a time should take little more than (1 + ceil(N / J)) round trips: one for
//! the listing, and one for every J changes. The simulated tenant answers each request after one round-trip time R.
//! What is measured is the whole run of the executable, from its start to its end. Ends with 1 where a median is more
//! than 15 % above that.
#![allow(clippy::print_stdout, reason = "a benchmark is a program of its own")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a mistake in the set-up should stop the benchmark where it happens"
)]
#![allow(dead_code, reason = "the tests use more of what is shared with them")]

#[path = "../tests/it/support/env.rs"]
mod support;
#[path = "../tests/tenant/mod.rs"]
mod tenant;

use std::process::{Child, ExitCode};
use std::thread;
use std::time::{Duration, Instant};

use support::Machine;
use tenant::Product;

const ROUND_TRIP: Duration = Duration::from_millis(50);
const JOBS: u32 = 8;
/// Changes, and how often they are made.
const CASES: [(u32, usize); 2] = [(40, 15), (400, 7)];

fn main() -> ExitCode {
    println!("R = {ROUND_TRIP:?}, J = {JOBS}");
    println!("{:>5}  {:>5}  {:>10}  {:>10}  {:>7}  {:>9}", "N", "runs", "limit", "median", "ratio", "peak KiB");
    let mut code = ExitCode::SUCCESS;
    for (changes, runs) in CASES {
        let machine = Machine::signed_in();
        machine.tenant.set_products(products(changes));
        machine.tenant.set_delay(ROUND_TRIP);
        let mut measured: Vec<Measured> = (0..runs).map(|run| change_all(&machine, run, changes)).collect();
        measured.sort_by_key(|run| run.time);
        let median = measured[runs / 2].time;
        let peak = measured.iter().filter_map(|run| run.peak_memory).max();
        let least = ROUND_TRIP * (1 + changes.div_ceil(JOBS));
        let limit = least.mul_f64(1.15);
        println!(
            "{changes:>5}  {runs:>5}  {:>7} ms  {:>7} ms  {:>7.3}  {:>9}",
            limit.as_millis(),
            median.as_millis(),
            median.as_secs_f64() / least.as_secs_f64(),
            peak.map_or_else(|| "-".to_owned(), |peak| peak.to_string()),
        );
        if median > limit {
            code = ExitCode::FAILURE;
        }
    }
    code
}

fn products(count: u32) -> Vec<Product> {
    let product = |number| Product::new(&format!("CFQ7TTC{number:05}"), &format!("Product {number}"), "Enabled");
    (0..count).map(product).collect()
}

struct Measured {
    time: Duration,
    /// The most memory the process held, in KiB, where the system tells.
    peak_memory: Option<u64>,
}

/// Changes every product from what the run before left, and makes sure that it did.
fn change_all(machine: &Machine, run: usize, count: u32) -> Measured {
    machine.tenant.forget_requests();
    let value = if run.is_multiple_of(2) { "disabled" } else { "enabled" };
    let jobs = JOBS.to_string();
    let mut command =
        machine.command(&["products", "update", "--all", "--value", value, "--yes", "--jobs", &jobs, "-q"]);
    command.stdout(std::process::Stdio::null());
    let started = Instant::now();
    let mut child = command.spawn().unwrap();
    let peak_memory = watch(&mut child);
    assert!(child.wait().unwrap().success());
    let time = started.elapsed();
    let changes = machine.requests().iter().filter(|line| line.starts_with("PUT ")).count();
    assert_eq!(changes, count as usize);
    Measured { time, peak_memory }
}

/// Follows the process to its end. The kernel keeps the highest mark, so looking now and then is enough.
fn watch(child: &mut Child) -> Option<u64> {
    let mut peak = None;
    while child.try_wait().unwrap().is_none() {
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let mark = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let mark = mark.and_then(|mark| mark.trim().trim_end_matches(" kB").parse().ok());
        peak = mark.or(peak);
        thread::sleep(Duration::from_millis(1));
    }
    peak
}
