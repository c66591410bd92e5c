//! `baseline check`: what differs from the file.

use std::path::Path;

use serde_json::{Map, Value};

use super::read;
use crate::cli::ScopeChoice;
use crate::commands::{Context, Ended, listing, suggest};
use crate::commerce::{PolicyValue, ProductPolicy};
use crate::error::{Error, Result};
use crate::output::{Output, Record, Row};
use crate::plan::{Comparison, Unknown};
use crate::report::Report;
use crate::text::{one_line, quoted};

/// A product or offer type that is not as the file says.
struct DriftRecord {
    item: ProductPolicy,
    wanted: String,
    drift: Drift,
}

/// In which way.
#[derive(Clone, Copy, PartialEq)]
enum Drift {
    /// The tenant shows another value.
    Different,
    /// The tenant does not have it.
    Unknown,
}

impl Row for DriftRecord {
    const FIELDS: &'static [&'static str] = &["policyId", "scope", "id", "name", "policyValue", "wantedValue", "drift"];

    fn record(self) -> Record {
        let Record { mut values, extra } = self.item.record();
        let drift = match self.drift {
            Drift::Different => "different",
            Drift::Unknown => "unknown",
        };
        values.extend([Value::from(self.wanted), Value::from(drift)]);
        Record { values, extra }
    }
}

pub(super) async fn check(file: &Path, context: &Context<'_>) -> Result<Ended> {
    let baseline = read(file, context)?;
    let (comparison, place) = context
        .with_endpoint(&context.settings.policy_id, async |endpoint| {
            let listed = listing::read(ScopeChoice::All.scopes(), endpoint, context).await?;
            Ok((baseline.compare(listed)?, crate::commands::changing::place(endpoint)))
        })
        .await?;
    let renumbered: Vec<String> = comparison
        .unknown
        .iter()
        .filter_map(|unknown| suggest::renumbered(unknown.target.id(), context.settings))
        .collect();
    let checked = comparison.plan.changes.len() + comparison.unknown.len();
    let drift = drift(comparison, &context.settings.policy_id);
    let count = |kind| drift.iter().filter(|record| record.drift == kind).count();
    let (different, unknown) = (count(Drift::Different), count(Drift::Unknown));
    let shown = one_line(&file.display().to_string());
    let output = |caption: &str, drift| Output::many(drift).with_caption(caption);
    if drift.is_empty() {
        let caption = format!("As {shown} says{place}: {checked} checked.");
        context.terminal.note(&caption);
        return Ok(output(&caption, drift).into());
    }
    let counts = [(different, "different"), (unknown, "unknown")];
    let counts: Vec<String> =
        counts.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
    let caption = format!("Not as {shown} says{place}: {} of {checked}.", counts.join(", "));
    let mut failure = Error::drift(&caption).hints(renumbered);
    if different > 0 {
        let apply = format!("mscommerce baseline apply {}", quoted(&shown));
        failure = failure.hint(format!("see what would be changed: {} --dry-run", context.settings.command(&apply)));
    }
    Ok(Ended { output: Some(output(&caption, drift)), failure: Some(failure), ..Ended::default() })
}

fn drift(comparison: Comparison, policy_id: &str) -> Vec<DriftRecord> {
    let Comparison { plan, unknown } = comparison;
    let different = plan.changes.into_iter().filter_map(|change| {
        let wanted = change.needed().map(PolicyValue::wire)?.to_owned();
        Some(DriftRecord { item: change.before, wanted, drift: Drift::Different })
    });
    let unknown = unknown.into_iter().map(|Unknown { target, wanted, .. }| DriftRecord {
        item: ProductPolicy {
            policy_id: Some(policy_id.to_owned()),
            scope: target.scope(),
            id: Some(target.id().to_owned()),
            name: None,
            value: None,
            extra: Map::new(),
        },
        wanted,
        drift: Drift::Unknown,
    });
    different.chain(unknown).collect()
}
