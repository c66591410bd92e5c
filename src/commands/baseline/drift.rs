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
use crate::text::{counts, one_line, quoted_whole};

/// A product or offer type that is not as the file says.
struct DriftRecord {
    item: ProductPolicy,
    wanted: String,
    drift: Drift,
}

/// In which way.
#[derive(Clone, Copy)]
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
    let baseline = read(file, context).await?;
    let (comparison, tenant_id) = context
        .with_endpoint(&context.settings.policy_id, async |endpoint| {
            let listed = listing::read(ScopeChoice::All.scopes(), endpoint, context).await?;
            Ok((baseline.compare(listed)?, endpoint.tokens().tenant_id()))
        })
        .await?;
    let tenant = tenant_id.map_or_else(|| "The tenant".to_owned(), |id| format!("The tenant {id}"));
    let shown = one_line(&file.display().to_string());
    let hints = hints(&comparison, &shown, context);
    let Comparison { plan, unknown } = &comparison;
    let checked = plan.changes.len() + plan.unnamable.len() + unknown.len();
    let counts = counts([(plan.needed() + plan.unnamable.len(), "different"), (unknown.len(), "unknown")]);
    let drift = drift(comparison, &context.settings.policy_id);
    if drift.is_empty() {
        let caption = format!("{tenant} is as {shown} says: {checked} checked.");
        let output = Output::many(drift).with_caption(&caption);
        return Ok(Ended { note: Some(caption), ..output.into() });
    }
    let caption = format!("{tenant} is not as {shown} says: {counts} ({checked} checked).");
    let output = Output::many(drift).with_caption(&caption);
    Ok(Ended { failure: Some(Error::drift(&caption).hints(hints)), ..output.into() })
}

/// What to do about the differences.
fn hints(comparison: &Comparison, file: &str, context: &Context<'_>) -> Vec<String> {
    let Comparison { plan, unknown } = comparison;
    let renumbered = unknown.iter().filter_map(|unknown| suggest::renumbered(unknown.target.id(), context.settings));
    let mut hints: Vec<String> = renumbered.chain(unknown.iter().filter_map(|unknown| unknown.meant.clone())).collect();
    if !plan.is_empty() {
        let apply = context.settings.command(&format!("mscommerce baseline apply {}", quoted_whole(file)));
        // What is unknown stands in the way of applying the rest.
        let regardless = if unknown.is_empty() { "" } else { " --ignore-unknown" };
        hints.push(format!("see what would be changed: {apply}{regardless} --dry-run"));
    }
    hints
}

fn drift(comparison: Comparison, policy_id: &str) -> Vec<DriftRecord> {
    let Comparison { plan, unknown } = comparison;
    let different = plan.changes.into_iter().filter_map(|change| {
        let wanted = change.needed().map(PolicyValue::wire)?.to_owned();
        Some(DriftRecord { item: change.before, wanted, drift: Drift::Different })
    });
    let unnamable = plan.unnamable.into_iter().map(|(item, wanted)| DriftRecord {
        item,
        wanted: wanted.wire().to_owned(),
        drift: Drift::Different,
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
    different.chain(unnamable).chain(unknown).collect()
}
