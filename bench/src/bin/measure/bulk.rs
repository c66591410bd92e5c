//! Changes of many products, by a selection and by a baseline, at a server that is far away.

use std::fs;
use std::time::Duration;

use crate::Result;
use crate::commands::{Contenders, Roots};
use crate::memory as peak;
use crate::timing::{Recipe, Series};

const JOBS: usize = 8;
/// A few changes at two latencies, and many.
const CASES: [Case; 3] = [Case::of(40, 50), Case::of(40, 200), Case::of(400, 50)];

/// So many changes at such a latency.
#[derive(Clone, Copy)]
struct Case {
    changes: usize,
    latency: Duration,
}

/// The times of one way to make the changes of a case.
pub(crate) struct Bulk {
    pub(crate) series: Series,
    /// One listing, and a round trip for every `JOBS` changes, in milliseconds.
    pub(crate) least: f64,
    /// The most memory held, in bytes.
    pub(crate) peak: u64,
}

impl Case {
    const fn of(changes: usize, milliseconds: u64) -> Self {
        Self { changes, latency: Duration::from_millis(milliseconds) }
    }

    fn least(self) -> f64 {
        let rounds = u32::try_from(1 + self.changes.div_ceil(JOBS)).unwrap_or(u32::MAX);
        (self.latency * rounds).as_secs_f64() * 1000.0
    }
}

/// Measures every case, both ways in turns.
pub(crate) fn measure(contenders: &Contenders<'_>) -> Result<Vec<Bulk>> {
    let mut measured = Vec::new();
    for case in CASES {
        let runs = contenders.options.bulk_runs;
        println!("== {runs} runs of {} changes at {} ms, each way", case.changes, case.latency.as_millis());
        let ways = ways(contenders, case)?;
        let mut times = vec![Vec::new(); ways.len()];
        for _ in 0..runs {
            for (way, times) in ways.iter().zip(&mut times) {
                times.push(change_all(contenders, case, || way.time())?);
            }
        }
        for (way, times) in ways.iter().zip(times) {
            let peak = change_all(contenders, case, || peak::once(way))?;
            measured.push(Bulk { series: Series::new(way.name.clone(), times), least: case.least(), peak });
        }
    }
    Ok(measured)
}

/// The commands that disable all products.
fn ways(contenders: &Contenders<'_>, case: Case) -> Result<[Recipe; 2]> {
    let file = contenders.home.directory.join("baseline.toml");
    fs::write(&file, "policy = \"AllowSelfServicePurchase\"\ndefault = \"Disabled\"\n")?;
    let file = file.to_string_lossy().into_owned();
    let jobs = JOBS.to_string();
    let what = format!("{} changes at {} ms", case.changes, case.latency.as_millis());
    let endpoint = || Some(contenders.home.server.endpoint(case.changes, case.latency));
    let update = ["products", "update", "--all", "--value", "disabled", "--yes", "-q", "--jobs", &jobs];
    let apply = ["baseline", "apply", &file, "--yes", "-q", "--jobs", &jobs];
    let update = contenders.tool(&format!("products update, {what}"), &update, endpoint());
    let apply = contenders.tool(&format!("baseline apply, {what}"), &apply, endpoint());
    Ok([update, apply].map(|recipe| contenders.trusting(recipe, Roots::System)))
}

/// Lets a run begin where all products are enabled and nothing is recorded, and makes sure that it disables them.
fn change_all<T>(contenders: &Contenders<'_>, case: Case, run: impl FnOnce() -> Result<T>) -> Result<T> {
    // The record of the runs before would make each one slower than the last.
    let record = contenders.home.state().join("changes.jsonl");
    if record.exists() {
        fs::remove_file(record)?;
    }
    contenders.home.server.with_catalog(case.changes, |catalog| catalog.set_all("Enabled"));
    let result = run()?;
    let is_done = contenders.home.server.with_catalog(case.changes, |catalog| catalog.is_all("Disabled"));
    if is_done { Ok(result) } else { Err("not every product was changed".into()) }
}
