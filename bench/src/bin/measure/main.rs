//! Measures how long the tool takes, and how much it needs, beside others that do the same: see `bench/README.md`.
#![allow(clippy::print_stdout, reason = "a benchmark is a program of its own")]

mod bulk;
mod catalog;
mod certificates;
mod commands;
mod fixture;
mod machine;
mod memory;
mod options;
mod plot;
mod report;
mod server;
mod targets;
mod timing;

use std::error::Error;
use std::io::Read;
use std::process::ExitCode;

use commands::Contenders;
use fixture::Home;
use machine::Facts;
use options::Options;
use report::Report;
use timing::Series;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// About as many products as a tenant has.
const PRODUCTS: usize = 30;
/// For the plot.
const COUNTS: [usize; 6] = [10, 30, 100, 300, 1000, 3000];

fn main() -> Result<ExitCode> {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    if let Some(code) = memory::launched(&arguments)? {
        return Ok(code);
    }
    let options = Options::read(&arguments)?;
    let mut facts = Facts::before(&options);
    let home = Home::prepare(&options)?;
    if options.serve {
        return serve(&home);
    }
    let contenders = Contenders { options: &options, home: &home };

    println!("== {} runs of each list and of --version, in turns", options.runs);
    let mut listed: Vec<_> = contenders.lists(PRODUCTS);
    listed.extend(contenders.versions());
    let lists = timing::in_turns(&listed, options.runs)?;
    let peers = contenders.peers(PRODUCTS);
    println!("== {} runs of each of {} peers", options.bulk_runs, peers.len());
    let peers = timing::in_turns(&peers, options.bulk_runs)?;
    let mut curve: Vec<(usize, Vec<Series>)> = Vec::new();
    for count in COUNTS {
        println!("== {} runs of each list of {count}", options.runs);
        curve.push((count, timing::in_turns(&contenders.curve(count), options.runs)?));
    }
    let bulk = bulk::measure(&contenders)?;
    println!("== peak memory");
    let memory = contenders.memory(PRODUCTS)?;
    facts.after();

    let report = Report { options: &options, facts, is_mounted: home.is_mounted, lists, peers, curve, bulk, memory };
    let misses = report.write()?;
    Ok(if options.check && misses > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// For profilers: tells how to get to the server, and keeps it until its standard input ends.
fn serve(home: &Home) -> Result<ExitCode> {
    println!("export HOME='{}'", home.directory.display());
    println!("export SSL_CERT_FILE='{}'", home.bundle.display());
    println!("export MSCOMMERCE_ENDPOINT='{}'", home.server.endpoint(PRODUCTS, std::time::Duration::ZERO));
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(ExitCode::SUCCESS)
}
