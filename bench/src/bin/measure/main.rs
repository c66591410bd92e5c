//! Measures time, memory and size of `mscommerce` and compares it with other clients: see `bench/README.md`.
#![allow(clippy::print_stdout, reason = "a separate program")]

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
mod results;
mod server;
mod targets;
mod timing;

use std::error::Error;
use std::io::Read;
use std::process::ExitCode;
use std::time::Duration;

use commands::Commands;
use fixture::Fixture;
use machine::Machine;
use options::Options;
use results::Results;
use timing::Timings;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// About the number of products in a real tenant.
const PRODUCTS: usize = 30;
/// Numbers of products in the plot.
const PLOT_COUNTS: [usize; 6] = [10, 30, 100, 300, 1000, 3000];

fn main() -> Result<ExitCode> {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    if let Some(exit_code) = memory::run_as_launcher(&arguments)? {
        return Ok(exit_code);
    }
    let options = Options::parse(&arguments)?;
    let mut machine = Machine::inspect(&options);
    let fixture = Fixture::create(&options)?;
    if options.serve {
        return serve(&fixture);
    }
    let commands = Commands { options: &options, fixture: &fixture };

    println!("== {} runs of each list command and of --version, interleaved", options.runs);
    let mut short_commands: Vec<_> = commands.lists(PRODUCTS);
    short_commands.extend(commands.versions());
    let short = timing::measure_interleaved(&short_commands, options.runs)?;
    let peer_commands = commands.peers(PRODUCTS);
    println!("== {} runs of each of {} peers", options.bulk_runs, peer_commands.len());
    let peers = timing::measure_interleaved(&peer_commands, options.bulk_runs)?;
    let mut by_product_count: Vec<(usize, Vec<Timings>)> = Vec::new();
    for count in PLOT_COUNTS {
        println!("== {} runs of each list command with {count} products", options.runs);
        by_product_count.push((count, timing::measure_interleaved(&commands.plotted(count), options.runs)?));
    }
    let bulk = bulk::measure(&commands)?;
    println!("== peak memory");
    let memory = commands.measure_memory(PRODUCTS)?;
    machine.record_load();

    let results = Results {
        machine,
        executable_size: std::fs::metadata(&options.executable)?.len(),
        system_roots_mounted: fixture.system_roots_mounted,
        short,
        peers,
        by_product_count,
        bulk,
        memory,
    };
    let missed = report::write(&results, &options.output)?;
    Ok(if options.check && missed > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// For profilers: prints the environment variables to export, and keeps the server running until standard input ends.
fn serve(fixture: &Fixture) -> Result<ExitCode> {
    println!("export HOME='{}'", fixture.home.display());
    println!("export SSL_CERT_FILE='{}'", fixture.bundle.display());
    println!("export MSCOMMERCE_ENDPOINT='{}'", fixture.server.endpoint(PRODUCTS, Duration::ZERO));
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(ExitCode::SUCCESS)
}
