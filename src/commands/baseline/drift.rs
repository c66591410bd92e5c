//! `baseline check`: what differs from the file.

use serde_json::{Map, Value};

use super::read;
use crate::api::{PolicyValue, ProductPolicy};
use crate::cli::{CheckArgs, ScopeArg};
use crate::commands::at_tenant::TenantClient;
use crate::commands::tenants::{self, Found};
use crate::commands::{CommandOutput, Context, Endpoint, listing, suggest};
use crate::error::{Error, Result};
use crate::output::{Output, Record, Row};
use crate::plan::{Baseline, Comparison, Unknown};
use crate::text::{format_counts, sanitize_line, shell_quote};

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

/// What a comparison with a tenant shows.
struct Checked {
    drift: Vec<DriftRecord>,
    /// It in one sentence.
    caption: String,
    hints: Vec<String>,
}

pub async fn run(args: &CheckArgs, context: &Context<'_>) -> Result<CommandOutput> {
    let tenants = tenants::several(&args.tenants, context).await?;
    let baseline = read(&args.file, context).await?;
    context.http.limit(args.jobs.jobs);
    if let Some(tenants) = tenants {
        return context
            .with_places(tenants, async |places| {
                let check =
                    async |place: &TenantClient<'_>| check(&baseline, args, &place.endpoint, &place.context).await;
                Ok(of_tenants(tenants::read_all(places, context, check).await, args, context))
            })
            .await;
    }
    let Checked { drift, caption, hints } = context
        .with_endpoint(&context.settings.policy_id, async |endpoint| check(&baseline, args, endpoint, context).await)
        .await?;
    let is_as_wanted = drift.is_empty();
    let output = Output::many(drift).with_caption(&caption);
    if is_as_wanted {
        return Ok(CommandOutput { note: Some(caption), ..output.into() });
    }
    Ok(CommandOutput { failure: Some(Error::drift(&caption).with_hints(hints)), ..output.into() })
}

/// The file's name, for messages.
fn file(args: &CheckArgs) -> String {
    sanitize_line(&args.file.display().to_string())
}

/// Compares one tenant with the file.
async fn check(
    baseline: &Baseline,
    args: &CheckArgs,
    endpoint: &Endpoint<'_>,
    context: &Context<'_>,
) -> Result<Checked> {
    let listed = listing::read(ScopeArg::All.scopes(), endpoint, context).await?;
    let comparison = baseline.compare(listed)?;
    let named = context.settings.tenant.as_ref().filter(|tenant| tenant.id().is_none());
    let tenant = match (endpoint.tokens().tenant_id(), named) {
        (Some(id), Some(name)) => format!("The tenant {name} ({id})"),
        (Some(id), None) => format!("The tenant {id}"),
        (None, _) => "The tenant".to_owned(),
    };
    let shown = file(args);
    let hints = hints(&comparison, &shown, context);
    let Comparison { plan, unknown } = &comparison;
    let checked = plan.changes.len() + plan.unnamable.len() + unknown.len();
    let counts = format_counts([(plan.needed() + plan.unnamable.len(), "different"), (unknown.len(), "unknown")]);
    let drift = drift(comparison, &context.settings.policy_id);
    let caption = if drift.is_empty() {
        format!("{tenant} is as {shown} says: {checked} checked.")
    } else {
        format!("{tenant} is not as {shown} says: {counts} ({checked} checked).")
    };
    Ok(Checked { drift, caption, hints })
}

/// What the comparison with several tenants shows. A tenant that could not be compared outweighs one that differs.
fn of_tenants(found: Found<'_, Checked>, args: &CheckArgs, context: &Context<'_>) -> CommandOutput {
    let (total, failed) = (found.failures.total(), found.failures.len());
    let (mut drifted, mut has_unknown, mut rows) = (Vec::new(), false, Vec::new());
    for (place, Checked { drift, caption, .. }) in found.read {
        if !drift.is_empty() {
            drifted.push(caption);
        }
        has_unknown |= drift.iter().any(|record| matches!(record.drift, Drift::Unknown));
        let id = place.id();
        rows.extend(drift.into_iter().map(|record| (id.clone(), record)));
    }
    let caption = caption(&file(args), total, failed, drifted.len());
    let output = Output::over_tenants(rows).with_caption(&caption);
    let failure = found.failures.into_error().or_else(|| (!drifted.is_empty()).then(|| Error::drift(&caption)));
    let failure = failure.map(|failure| drifted.iter().fold(failure, Error::with_detail));
    let tenants = tenants::flags(&args.tenants, context);
    let hint = (!drifted.is_empty()).then(|| to_apply(&file(args), has_unknown, &tenants, context));
    let failure = failure.map(|failure| failure.with_hints(hint));
    CommandOutput { note: failure.is_none().then_some(caption), failure, ..output.into() }
}

/// What became of comparing several tenants, in one sentence.
fn caption(file: &str, total: usize, failed: usize, drifted: usize) -> String {
    let uncompared = match failed {
        0 => String::new(),
        failed if failed == total => return format!("None of the {total} tenants could be compared with {file}."),
        failed => format!("; {failed} could not be compared"),
    };
    match drifted {
        0 => format!("As {file} says: {} of {total} tenants{uncompared}.", total - failed),
        drifted => format!("Not as {file} says: {drifted} of {total} tenants{uncompared}."),
    }
}

/// The command that shows what would bring the tenants about. What is unknown stands in the way of applying the rest.
fn to_apply(file: &str, has_unknown: bool, tenants: &str, context: &Context<'_>) -> String {
    let apply = context.settings.command(&format!("mscommerce baseline apply {}", shell_quote(file)));
    let regardless = if has_unknown { " --ignore-unknown" } else { "" };
    format!("see what would be changed: {apply}{tenants}{regardless} --dry-run")
}

/// What to do about the differences.
fn hints(comparison: &Comparison, file: &str, context: &Context<'_>) -> Vec<String> {
    let Comparison { plan, unknown } = comparison;
    let renumbered = unknown.iter().filter_map(|unknown| suggest::renumbered(&unknown.target.id, context.settings));
    let mut hints: Vec<String> = renumbered.chain(unknown.iter().filter_map(|unknown| unknown.meant.clone())).collect();
    if !plan.is_empty() {
        hints.push(to_apply(file, !unknown.is_empty(), "", context));
    }
    hints
}

fn drift(comparison: Comparison, policy_id: &str) -> Vec<DriftRecord> {
    let Comparison { plan, unknown } = comparison;
    let different = plan.changes.into_iter().filter_map(|change| {
        let wanted = change.needed().map(PolicyValue::as_str)?.to_owned();
        Some(DriftRecord { item: change.before, wanted, drift: Drift::Different })
    });
    let unnamable = plan.unnamable.into_iter().map(|(item, wanted)| DriftRecord {
        item,
        wanted: wanted.as_str().to_owned(),
        drift: Drift::Different,
    });
    let unknown = unknown.into_iter().map(|Unknown { target, wanted, .. }| DriftRecord {
        item: ProductPolicy {
            policy_id: Some(policy_id.to_owned()),
            scope: target.scope.as_str().to_owned(),
            id: Some(target.id),
            name: None,
            value: None,
            extra: Map::new(),
        },
        wanted,
        drift: Drift::Unknown,
    });
    different.chain(unnamable).chain(unknown).collect()
}
