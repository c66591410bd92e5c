//! Bulk updates, by selection and by baseline, at a server with latency.

use std::fs;
use std::time::Duration;

use crate::Result;
use crate::commands::{Commands, Roots};
use crate::memory;
use crate::timing::{CommandSpec, Timings};

const JOBS: usize = 8;
/// Few changes at two latencies, and many changes.
const CASES: [Case; 3] = [Case::new(40, 50), Case::new(40, 200), Case::new(400, 50)];

#[derive(Clone, Copy)]
struct Case {
    changes: usize,
    latency: Duration,
}

/// The measurements of one command in one case.
pub(crate) struct BulkTimings {
    pub(crate) timings: Timings,
    /// One list and one round trip for every `JOBS` changes, in milliseconds.
    pub(crate) minimum: f64,
    /// In bytes.
    pub(crate) peak_memory: u64,
}

impl Case {
    const fn new(changes: usize, latency_ms: u64) -> Self {
        Self { changes, latency: Duration::from_millis(latency_ms) }
    }

    fn minimum(self) -> f64 {
        let round_trips = u32::try_from(1 + self.changes.div_ceil(JOBS)).unwrap_or(u32::MAX);
        (self.latency * round_trips).as_secs_f64() * 1000.0
    }
}

/// Measures both commands in every case, interleaved.
pub(crate) fn measure(commands: &Commands<'_>) -> Result<Vec<BulkTimings>> {
    let mut measured = Vec::new();
    for case in CASES {
        let runs = commands.options.bulk_runs;
        println!("== {runs} runs of each command with {} changes at {} ms", case.changes, case.latency.as_millis());
        let specs = bulk_commands(commands, case)?;
        let mut times = vec![Vec::new(); specs.len()];
        for _ in 0..runs {
            for (spec, times) in specs.iter().zip(&mut times) {
                times.push(with_reset(commands, case, || spec.time())?);
            }
        }
        for (spec, times) in specs.iter().zip(times) {
            let peak_memory = with_reset(commands, case, || memory::peak(spec))?;
            let timings = Timings::new(spec.name.clone(), times);
            measured.push(BulkTimings { timings, minimum: case.minimum(), peak_memory });
        }
    }
    Ok(measured)
}

/// The commands that disable all products.
fn bulk_commands(commands: &Commands<'_>, case: Case) -> Result<[CommandSpec; 2]> {
    let baseline = commands.fixture.home.join("baseline.toml");
    fs::write(&baseline, "policy = \"AllowSelfServicePurchase\"\ndefault = \"Disabled\"\n")?;
    let baseline = baseline.to_string_lossy().into_owned();
    let jobs = JOBS.to_string();
    let label = format!("{} changes at {} ms", case.changes, case.latency.as_millis());
    let endpoint = || Some(commands.fixture.server.endpoint(case.changes, case.latency));
    let update = ["products", "update", "--all", "--value", "disabled", "--yes", "-q", "--jobs", &jobs];
    let apply = ["baseline", "apply", &baseline, "--yes", "-q", "--jobs", &jobs];
    let update = commands.mscommerce(&format!("product update, {label}"), &update, endpoint());
    let apply = commands.mscommerce(&format!("baseline apply, {label}"), &apply, endpoint());
    Ok([update, apply].map(|spec| commands.with_roots(spec, Roots::System)))
}

/// Enables all products and empties the history, runs a command, and checks that it disabled all products.
fn with_reset<T>(commands: &Commands<'_>, case: Case, run: impl FnOnce() -> Result<T>) -> Result<T> {
    // A history that grows with each run would slow down the later runs.
    let history = commands.fixture.state_directory().join("changes.jsonl");
    if history.exists() {
        fs::remove_file(history)?;
    }
    let server = &commands.fixture.server;
    server.with_catalog(case.changes, |catalog| catalog.set_all("Enabled"));
    let result = run()?;
    let all_disabled = server.with_catalog(case.changes, |catalog| catalog.is_all("Disabled"));
    if all_disabled { Ok(result) } else { Err("some products were not changed".into()) }
}
