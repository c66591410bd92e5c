//! The results, as a table for a person and as a file to keep.

use std::fs;

use crate::Result;
use crate::bulk::Bulk;
use crate::commands::{TOOL_ROOT, TOOL_SYSTEM};
use crate::machine::Facts;
use crate::options::Options;
use crate::targets::{self, MEGABYTE};
use crate::timing::Series;
use crate::{PRODUCTS, plot};

/// All that was measured.
pub(crate) struct Report<'a> {
    pub(crate) options: &'a Options,
    pub(crate) facts: Facts,
    pub(crate) is_mounted: bool,
    pub(crate) lists: Vec<Series>,
    pub(crate) peers: Vec<Series>,
    pub(crate) curve: Vec<(usize, Vec<Series>)>,
    pub(crate) bulk: Vec<Bulk>,
    /// In bytes.
    pub(crate) memory: Vec<(String, u64)>,
}

impl Report<'_> {
    /// Prints the results and writes them down; returns how many targets are missed.
    pub(crate) fn write(&self) -> Result<usize> {
        let (verdicts, misses) = self.verdicts();
        let text = format!(
            "# Results\n\nWritten by `bench/run`; [README.md](README.md) says what is measured and how.\n\n\
             ## Targets\n\n{verdicts}\n## Short commands, {PRODUCTS} products\n\n{}\n{}\n\
             ## Time against the number of products\n\n![The table below as lines](products.svg)\n\n{}\n\
             ## Changes\n\n{}\n## Peak memory\n\n{}\n## Machine\n\n{}",
            times(self.lists.iter().chain(&self.peers)),
            self.roots(),
            self.curve(),
            self.changes(),
            self.memory(),
            self.machine(),
        );
        println!("\n{text}");
        fs::create_dir_all(&self.options.output)?;
        fs::write(self.options.output.join("results.md"), text)?;
        fs::write(self.options.output.join("products.svg"), plot::draw(&self.curve))?;
        Ok(misses)
    }

    /// In megabytes: of the lists of a usual tenant.
    pub(crate) fn highest_peak(&self) -> f64 {
        let lists = self.memory.iter().filter(|(name, _)| name == TOOL_ROOT || name == TOOL_SYSTEM);
        lists.map(|(_, bytes)| megabytes(*bytes)).fold(0.0, f64::max)
    }

    /// In megabytes: of the executable.
    pub(crate) fn size(&self) -> f64 {
        fs::metadata(&self.options.tool).map_or(f64::NAN, |found| megabytes(found.len()))
    }

    fn verdicts(&self) -> (String, usize) {
        let targets = targets::all(self);
        let rows = targets.iter().map(|target| {
            let verdict = if target.is_met() { "met" } else { "**missed**" };
            let unit = target.unit;
            vec![
                target.what.clone(),
                format!("{:.2} {unit}", target.measured),
                format!("{:.2} {unit}", target.limit),
                verdict.to_owned(),
            ]
        });
        let misses = targets.iter().filter(|target| !target.is_met()).count();
        (table(&["target", "measured", "at most", ""], rows), misses)
    }

    fn roots(&self) -> &'static str {
        if self.is_mounted {
            "With the system's roots, mscommerce and curl are as they are without any setting: the test root is added to \
             the system's file, for them alone.\n"
        } else {
            "With the system's roots, mscommerce, by `SSL_CERT_FILE`, and curl, by `--cacert`, read a copy of the system's \
             file to which the test root is added. That is a way of mscommerce's that takes longer than its usual one.\n"
        }
    }

    fn curve(&self) -> String {
        let names = self.curve.first().map(|(_, series)| series.iter().map(|series| series.name.as_str()));
        let header: Vec<&str> = std::iter::once("products").chain(names.into_iter().flatten()).collect();
        let rows = self.curve.iter().map(|(count, series)| {
            let medians = series.iter().map(|series| milliseconds(series.median()));
            std::iter::once(count.to_string()).chain(medians).collect()
        });
        table(&header, rows)
    }

    fn changes(&self) -> String {
        let rows = self.bulk.iter().map(|bulk| {
            let series = &bulk.series;
            let numbers = [series.median(), series.lower_quartile(), series.upper_quartile(), bulk.least];
            let [median, low, high, least] = numbers.map(|number| format!("{number:.0} ms"));
            let peak = format!("{:.2} MB", megabytes(bulk.peak));
            vec![series.name.clone(), series.runs().to_string(), median, format!("{low} to {high}"), least, peak]
        });
        table(&["", "runs", "median", "middle half", "least", "peak memory"], rows)
    }

    fn memory(&self) -> String {
        let row = |(name, bytes): &(String, u64)| vec![name.clone(), format!("{:.2} MB", megabytes(*bytes))];
        table(&["", "peak"], self.memory.iter().map(row))
    }

    fn machine(&self) -> String {
        self.facts.lines.iter().map(|(name, what)| format!("- {name}: {what}\n")).collect()
    }
}

fn times<'s>(series: impl Iterator<Item = &'s Series>) -> String {
    let rows = series.map(|series| {
        let middle = format!("{} to {}", milliseconds(series.lower_quartile()), milliseconds(series.upper_quartile()));
        vec![series.name.clone(), series.runs().to_string(), milliseconds(series.median()), middle]
    });
    table(&["", "runs", "median", "middle half"], rows)
}

fn milliseconds(number: f64) -> String {
    format!("{number:.2} ms")
}

#[expect(clippy::cast_precision_loss, reason = "no size here is that large")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / MEGABYTE
}

/// A table in Markdown that can be read as it is, too.
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
