//! Limits on time, memory and size.
//!
//! They are there so that a blunder shows. No cleverness in the code is owed to them.

use crate::commands::{CURL_ROOT, CURL_SYSTEM, FLOOR_ROOT, FLOOR_SYSTEM, TOOL_ROOT, TOOL_SYSTEM, TOOL_VERSION, TRUE};
use crate::report::Report;
use crate::timing::Series;

/// Bytes in a megabyte, as the targets count.
pub(crate) const MEGABYTE: f64 = 1_000_000.0;

/// Something that is not to be more than its limit.
pub(crate) struct Target {
    pub(crate) what: String,
    pub(crate) measured: f64,
    pub(crate) limit: f64,
    pub(crate) unit: &'static str,
}

impl Target {
    pub(crate) fn is_met(&self) -> bool {
        self.measured <= self.limit
    }
}

/// All targets, with what was measured.
pub(crate) fn all(report: &Report<'_>) -> Vec<Target> {
    let mut targets = vec![
        times(report, TOOL_ROOT, FLOOR_ROOT, 1.6),
        times(report, TOOL_SYSTEM, FLOOR_SYSTEM, 1.6),
        times(report, TOOL_ROOT, CURL_ROOT, 0.6),
        times(report, TOOL_SYSTEM, CURL_SYSTEM, 0.2),
        Target {
            what: format!("{TOOL_VERSION}, to twice {TRUE} and 1 ms"),
            measured: median(&report.lists, TOOL_VERSION),
            limit: 2.0 * median(&report.lists, TRUE) + 1.0,
            unit: "ms",
        },
    ];
    for bulk in &report.bulk {
        let what = format!("{}, to the least there can be", bulk.series.name);
        targets.push(Target { what, measured: bulk.series.median() / bulk.least, limit: 1.15, unit: "×" });
    }
    targets.push(Target {
        what: "peak memory of products list".to_owned(),
        measured: report.highest_peak(),
        limit: 9.0,
        unit: "MB",
    });
    targets.push(Target { what: "size of the executable".to_owned(), measured: report.size(), limit: 6.0, unit: "MB" });
    targets
}

fn times(report: &Report<'_>, one: &str, other: &str, limit: f64) -> Target {
    let measured = median(&report.lists, one) / median(&report.lists, other);
    Target { what: format!("{one}, to {other}"), measured, limit, unit: "×" }
}

fn median(series: &[Series], name: &str) -> f64 {
    series.iter().find(|series| series.name == name).map_or(f64::NAN, Series::median)
}
