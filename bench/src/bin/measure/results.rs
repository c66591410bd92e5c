//! The measurements of one run, as `targets` and `report` read them.

use crate::bulk::BulkTimings;
use crate::commands::{LIST_SYSTEM_ROOTS, LIST_TEST_ROOT};
use crate::machine::Machine;
use crate::timing::Timings;

/// Bytes in a megabyte.
const MEGABYTE: f64 = 1_000_000.0;

/// Everything that was measured.
pub(crate) struct Results {
    pub(crate) machine: Machine,
    /// In bytes.
    pub(crate) executable_size: u64,
    pub(crate) system_roots_mounted: bool,
    pub(crate) short: Vec<Timings>,
    pub(crate) peers: Vec<Timings>,
    pub(crate) by_product_count: Vec<(usize, Vec<Timings>)>,
    pub(crate) bulk: Vec<BulkTimings>,
    /// Peak memory of each command in bytes.
    pub(crate) memory: Vec<(String, u64)>,
}

impl Results {
    /// Median time of a short command in milliseconds; NaN if it was not measured.
    pub(crate) fn median(&self, name: &str) -> f64 {
        self.short.iter().find(|timings| timings.name == name).map_or(f64::NAN, Timings::median)
    }

    /// Highest peak memory in megabytes of `product list` with the usual number of products.
    pub(crate) fn list_peak_memory(&self) -> f64 {
        let lists = self.memory.iter().filter(|(name, _)| name == LIST_TEST_ROOT || name == LIST_SYSTEM_ROOTS);
        lists.map(|(_, bytes)| megabytes(*bytes)).fold(0.0, f64::max)
    }
}

#[expect(clippy::cast_precision_loss, reason = "sizes here are far below 2^53")]
pub(crate) fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / MEGABYTE
}
