//! Renders the results as Markdown and SVG.

use std::fs;
use std::path::Path;

use crate::machine::Machine;
use crate::results::{Results, megabytes};
use crate::timing::Timings;
use crate::{PRODUCTS, Result, plot, targets};

/// Prints the results, writes `results.md` and `products.svg`, and returns the number of missed targets.
pub(crate) fn write(results: &Results, directory: &Path) -> Result<usize> {
    let targets = targets::evaluate(results);
    let text = format!(
        "# Results\n\nWritten by `bench/run`. [README.md](README.md) describes what is measured and how.\n\n\
         ## Targets\n\n{}\n## Short commands, {PRODUCTS} products\n\n{}\n{}\n\
         ## Time by number of products\n\n![The table below as a line chart](products.svg)\n\n{}\n\
         ## Bulk updates\n\n{}\n## Peak memory\n\n{}\n## Machine\n\n{}",
        target_table(&targets),
        timing_table(results.short.iter().chain(&results.peers)),
        roots_note(results.system_roots_mounted),
        product_count_table(&results.by_product_count),
        bulk_table(results),
        memory_table(results),
        machine_list(&results.machine),
    );
    println!("\n{text}");
    fs::create_dir_all(directory)?;
    fs::write(directory.join("results.md"), text)?;
    fs::write(directory.join("products.svg"), plot::render(&results.by_product_count))?;
    Ok(targets.iter().filter(|target| !target.is_met()).count())
}

fn target_table(targets: &[targets::Target]) -> String {
    let rows = targets.iter().map(|target| {
        let verdict = if target.is_met() { "met" } else { "**missed**" };
        let unit = target.unit;
        vec![
            target.name.clone(),
            format!("{:.2} {unit}", target.measured),
            format!("{:.2} {unit}", target.limit),
            verdict.to_owned(),
        ]
    });
    table(&["target", "measured", "limit", ""], rows)
}

fn roots_note(system_roots_mounted: bool) -> &'static str {
    if system_roots_mounted {
        "With the system roots, mscommerce and curl run without any setting: the test root is added to the system's \
         bundle, for these processes alone.\n"
    } else {
        "With the system roots, mscommerce (`SSL_CERT_FILE`) and curl (`--cacert`) read a copy of the system's bundle to \
         which the test root is added. For mscommerce this is slower than its default.\n"
    }
}

fn timing_table<'t>(all: impl Iterator<Item = &'t Timings>) -> String {
    let rows = all.map(|timings| {
        let quartiles =
            format!("{} to {}", milliseconds(timings.lower_quartile()), milliseconds(timings.upper_quartile()));
        vec![timings.name.clone(), timings.runs().to_string(), milliseconds(timings.median()), quartiles]
    });
    table(&["", "runs", "median", "quartiles"], rows)
}

fn product_count_table(by_product_count: &[(usize, Vec<Timings>)]) -> String {
    let names = by_product_count.first().map(|(_, all)| all.iter().map(|timings| timings.name.as_str()));
    let header: Vec<&str> = std::iter::once("products").chain(names.into_iter().flatten()).collect();
    let rows = by_product_count.iter().map(|(count, all)| {
        let medians = all.iter().map(|timings| milliseconds(timings.median()));
        std::iter::once(count.to_string()).chain(medians).collect()
    });
    table(&header, rows)
}

fn bulk_table(results: &Results) -> String {
    let rows = results.bulk.iter().map(|bulk| {
        let timings = &bulk.timings;
        let numbers = [timings.median(), timings.lower_quartile(), timings.upper_quartile(), bulk.minimum];
        let [median, lower, upper, minimum] = numbers.map(|number| format!("{number:.0} ms"));
        let peak = format!("{:.2} MB", megabytes(bulk.peak_memory));
        vec![timings.name.clone(), timings.runs().to_string(), median, format!("{lower} to {upper}"), minimum, peak]
    });
    table(&["", "runs", "median", "quartiles", "minimum", "peak memory"], rows)
}

fn memory_table(results: &Results) -> String {
    let row = |(name, bytes): &(String, u64)| vec![name.clone(), format!("{:.2} MB", megabytes(*bytes))];
    table(&["", "peak"], results.memory.iter().map(row))
}

fn machine_list(machine: &Machine) -> String {
    machine.facts.iter().map(|(name, value)| format!("- {name}: {value}\n")).collect()
}

fn milliseconds(number: f64) -> String {
    format!("{number:.2} ms")
}

/// Renders a Markdown table whose columns also line up as plain text.
fn table(header: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let header: Vec<String> = header.iter().map(|&cell| cell.to_owned()).collect();
    let mut lines = vec![header];
    lines.extend(rows);
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or_default().max(3);
    let widths: Vec<usize> = (0..lines[0].len()).map(width).collect();
    lines.insert(1, widths.iter().map(|&width| "-".repeat(width)).collect());
    let line = |cells: &Vec<String>| {
        let padded = cells.iter().zip(&widths).map(|(cell, &width)| format!("{cell:width$}"));
        format!("| {} |\n", padded.collect::<Vec<_>>().join(" | "))
    };
    lines.iter().map(line).collect()
}
