//! Limits on time, memory and size.
//!
//! They are there so that a blunder shows. No cleverness in the code is owed to them.

use crate::commands::{
    CURL_SYSTEM_ROOTS, CURL_TEST_ROOT, HANDWRITTEN_SYSTEM_ROOTS, HANDWRITTEN_TEST_ROOT, LIST_SYSTEM_ROOTS,
    LIST_TEST_ROOT, TRUE, VERSION,
};
use crate::results::{Results, megabytes};

/// A measured value and its upper limit.
pub(crate) struct Target {
    pub(crate) name: String,
    pub(crate) measured: f64,
    pub(crate) limit: f64,
    pub(crate) unit: &'static str,
}

impl Target {
    pub(crate) fn is_met(&self) -> bool {
        self.measured <= self.limit
    }
}

/// Compares the results with every target.
pub(crate) fn evaluate(results: &Results) -> Vec<Target> {
    let mut targets = vec![
        ratio(results, LIST_TEST_ROOT, HANDWRITTEN_TEST_ROOT, 1.6),
        ratio(results, LIST_SYSTEM_ROOTS, HANDWRITTEN_SYSTEM_ROOTS, 1.6),
        ratio(results, LIST_TEST_ROOT, CURL_TEST_ROOT, 0.6),
        ratio(results, LIST_SYSTEM_ROOTS, CURL_SYSTEM_ROOTS, 0.2),
        Target {
            name: format!("{VERSION}, limit 2 × {TRUE} + 1 ms"),
            measured: results.median(VERSION),
            limit: 2.0 * results.median(TRUE) + 1.0,
            unit: "ms",
        },
    ];
    targets.extend(results.bulk.iter().map(|bulk| Target {
        name: format!("{} / theoretical minimum", bulk.timings.name),
        measured: bulk.timings.median() / bulk.minimum,
        limit: 1.15,
        unit: "×",
    }));
    targets.push(Target {
        name: "peak memory of product list".to_owned(),
        measured: results.list_peak_memory(),
        limit: 9.0,
        unit: "MB",
    });
    targets.push(Target {
        name: "size of the executable".to_owned(),
        measured: megabytes(results.executable_size),
        limit: 6.0,
        unit: "MB",
    });
    targets
}

fn ratio(results: &Results, command: &str, reference: &str, limit: f64) -> Target {
    let measured = results.median(command) / results.median(reference);
    Target { name: format!("{command} / {reference}"), measured, limit, unit: "×" }
}
