//! `baseline check` and `baseline apply`. For `baseline export`, see [`super::export`].

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::{Map, Value};

use super::apply::{self, ApplyOptions};
use super::export::ExportArgs;
use super::lookup;
use super::tenants::{TenantClient, TenantResults, Tenants};
use super::{ChangeArgs, CommandOutput, JobsArgs, TenantsArgs};
use crate::api::{PolicyValue, ProductPolicy};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::files;
use crate::output::{Content, Record, Row};
use crate::plan::{Baseline, Comparison, MAX_BASELINE_SIZE, Plan, UnknownEntry};
use crate::text::{format_counts, shell_quote};

const EXPORT_EXAMPLES: &str = "\
Examples:
  mscommerce baseline export --file baseline.toml
  mscommerce baseline export -o json";

const CHECK_EXAMPLES: &str = "\
Examples:
  mscommerce baseline check baseline.toml
  mscommerce baseline check baseline.toml -o markdown >> \"$GITHUB_STEP_SUMMARY\"
  mscommerce baseline check baseline.toml --tenants-file customers.txt";

const APPLY_EXAMPLES: &str = "\
Examples:
  mscommerce baseline apply baseline.toml --dry-run
  mscommerce baseline apply baseline.toml --yes";

#[derive(Debug, Subcommand)]
pub enum BaselineCommand {
    /// Write the tenant's settings to a file
    #[command(after_long_help = EXPORT_EXAMPLES)]
    Export(ExportArgs),
    /// Compare the tenant with a file; exit code 3 if it differs
    #[command(after_long_help = CHECK_EXAMPLES)]
    Check(CheckArgs),
    /// Change what differs from a file
    #[command(after_long_help = APPLY_EXAMPLES)]
    Apply(ApplyArgs),
}

#[derive(Args, Debug)]
pub struct CheckArgs {
    /// Baseline: TOML, or JSON if it ends in .json (- for standard input)
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    #[command(flatten)]
    pub jobs: JobsArgs,
    #[command(flatten)]
    pub tenants: TenantsArgs,
}

#[derive(Args, Debug)]
pub struct ApplyArgs {
    /// Baseline: TOML, or JSON if it ends in .json (- for standard input)
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Skip IDs that the tenant does not have
    #[arg(long)]
    pub ignore_unknown: bool,
    #[command(flatten)]
    pub change: ChangeArgs,
    #[command(flatten)]
    pub jobs: JobsArgs,
    #[command(flatten)]
    pub tenants: TenantsArgs,
}

/// Reads a baseline file. Fails if the file is for another policy.
async fn read_baseline(file: &Path, context: &Context) -> Result<Baseline> {
    let bytes = context.ui.read_file(file, MAX_BASELINE_SIZE).await;
    let baseline = Baseline::from_file(file, bytes)?;
    baseline.check_policy(&context.settings.policy_id.value)?;
    Ok(baseline)
}

pub async fn apply(args: ApplyArgs, context: &Context) -> Result<CommandOutput> {
    args.tenants.check_stdin(&args.file)?;
    if files::is_stdio(&args.file) && !args.change.yes && !args.change.dry_run {
        return Err(Error::usage("confirmation required, but standard input (-) is the baseline")
            .with_hint("add --yes to skip the confirmation prompt, or --dry-run to preview the changes"));
    }
    let tenant_list = args.tenants.read(context).await?;
    let options = ApplyOptions::new(args.change, args.jobs.jobs, tenant_list.is_some(), true, context)?;
    let baseline = read_baseline(&args.file, context).await?;
    let tenants = Tenants::resolve(tenant_list, context).await?;
    let plan = async |tenant: TenantClient| {
        tenant.api.prepare(options.access()).await?;
        let Comparison { plan, unknown } =
            baseline.compare(lookup::list(&baseline.scopes, &tenant.api, &tenant.context).await?)?;
        plan.ensure_addressable()?;
        if !unknown.is_empty() && !args.ignore_unknown {
            return Err(unknown_ids_error(&unknown, &tenant.context));
        }
        for UnknownEntry { target, location, .. } in &unknown {
            let tenant_name = tenant_name(&tenant.context);
            tenant.context.ui.warn(&format!("{location}: {tenant_name} does not have {target}; ignored"));
        }
        Ok(plan)
    };
    let plans: TenantResults<Plan> = tenants.for_each(plan).await?;
    apply::run(plans, options, context).await
}

/// The tenant for a message, as the user spells it.
fn tenant_name(context: &Context) -> String {
    context.settings.tenant().map_or_else(|| "the tenant".to_owned(), |tenant| format!("tenant {tenant}"))
}

fn unknown_ids_error(unknown: &[UnknownEntry], context: &Context) -> Error {
    let ids = if unknown.len() == 1 { "an ID" } else { "IDs" };
    let mut error =
        Error::failed(format!("the file contains {ids} that the tenant does not have; nothing was changed"));
    for UnknownEntry { target, location, .. } in unknown {
        error = error.with_detail(format!("{location}: {target}"));
    }
    error
        .with_hints(unknown.iter().filter_map(|entry| lookup::renumbered_hint(&entry.target.id, context)))
        .with_hints(unknown.iter().filter_map(|entry| entry.suggestion.clone()))
        .with_hint("correct the file, or add --ignore-unknown to skip unknown IDs")
        .with_hint(context.command("mscommerce product list --scope all"))
}

/// A product or offer type that differs from the file.
struct DriftRecord {
    item: ProductPolicy,
    wanted: String,
    drift: Drift,
}

#[derive(Clone, Copy)]
enum Drift {
    /// The tenant's value differs from the file.
    Different,
    /// The tenant does not have the product.
    Unknown,
}

impl Record for DriftRecord {
    const FIELDS: &'static [&'static str] = &["policyId", "scope", "id", "name", "policyValue", "wantedValue", "drift"];
    const COLUMNS: &'static [(&'static str, Content)] = &[
        ("NAME", Content::SortedName),
        ("VALUE", Content::Value("policyValue")),
        ("WANTED", Content::Value("wantedValue")),
        ("DRIFT", Content::Drift),
        ("ID", Content::Unbroken("id")),
    ];

    fn into_row(self) -> Row {
        let Row { mut values, extra } = self.item.into_row();
        let drift = match self.drift {
            Drift::Different => "different",
            Drift::Unknown => "unknown",
        };
        values.extend([Value::from(self.wanted), Value::from(drift)]);
        Row { values, extra }
    }
}

/// The result of comparing one tenant with the file.
struct CheckResult {
    drift: Vec<DriftRecord>,
    summary: String,
    hints: Vec<String>,
    has_unknown: bool,
}

pub async fn check(args: CheckArgs, context: &Context) -> Result<CommandOutput> {
    args.tenants.check_stdin(&args.file)?;
    let tenant_list = args.tenants.read(context).await?;
    let baseline = read_baseline(&args.file, context).await?;
    let tenants = Tenants::resolve(tenant_list, context).await?;
    let compare = async |tenant: TenantClient| {
        let listed = lookup::list(&baseline.scopes, &tenant.api, &tenant.context).await?;
        let comparison = baseline.compare(listed)?;
        Ok(check_tenant(comparison, &args.file, &tenant))
    };
    let results = tenants.for_each(compare).await?;
    Ok(check_output(results, &args.file, &args.tenants.flags(context), context))
}

fn check_tenant(comparison: Comparison, file: &Path, tenant: &TenantClient) -> CheckResult {
    let context = &tenant.context;
    let domain = context.settings.tenant().filter(|tenant| tenant.id().is_none());
    let tenant_label = match (tenant.api.session().tenant_id(), domain) {
        (Some(id), Some(domain)) => format!("Tenant {domain} ({id})"),
        (Some(id), None) => format!("Tenant {id}"),
        (None, _) => "The tenant".to_owned(),
    };
    let Comparison { plan, unknown } = comparison;
    let has_unknown = !unknown.is_empty();
    let checked = plan.changes.len() + plan.unaddressable.len() + unknown.len();
    let different = plan.pending_count() + plan.unaddressable.len();
    let renumbered = unknown.iter().filter_map(|entry| lookup::renumbered_hint(&entry.target.id, context));
    let mut hints: Vec<String> =
        renumbered.chain(unknown.iter().filter_map(|entry| entry.suggestion.clone())).collect();
    if !plan.is_empty() {
        hints.push(apply_hint(file, has_unknown, "", context));
    }
    let file = files::input_name(file);
    let summary = if different == 0 && !has_unknown {
        format!("{tenant_label} matches {file} ({checked} checked).")
    } else {
        let plural = |count, one, many| if count == 1 { one } else { many };
        let counts = format_counts([
            (different, plural(different, "setting differs", "settings differ")),
            (unknown.len(), plural(unknown.len(), "ID not found", "IDs not found")),
        ]);
        format!("{tenant_label} does not match {file}: {counts} ({checked} checked).")
    };
    CheckResult { drift: drift_records(plan, unknown, &context.settings.policy_id.value), summary, hints, has_unknown }
}

fn drift_records(plan: Plan, unknown: Vec<UnknownEntry>, policy_id: &str) -> Vec<DriftRecord> {
    let different = plan.changes.into_iter().filter_map(|change| {
        let wanted = change.value_to_send()?;
        Some((change.before, wanted))
    });
    let different = different.chain(plan.unaddressable).map(|(item, wanted)| DriftRecord {
        item,
        wanted: PolicyValue::as_str(wanted).to_owned(),
        drift: Drift::Different,
    });
    let unknown = unknown.into_iter().map(|UnknownEntry { target, wanted, .. }| DriftRecord {
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
    different.chain(unknown).collect()
}

/// The output for one or several tenants. A failed comparison takes precedence over drift.
fn check_output(
    results: TenantResults<CheckResult>,
    file: &Path,
    tenant_flags: &str,
    context: &Context,
) -> CommandOutput {
    let TenantResults { succeeded, failures, is_many } = results;
    let (total, failed) = (failures.total, failures.len());
    let has_unknown = succeeded.iter().any(|(_, result)| result.has_unknown);
    let drifted: Vec<String> = succeeded
        .iter()
        .filter(|(_, result)| !result.drift.is_empty())
        .map(|(_, result)| result.summary.clone())
        .collect();
    let (summary, details, hints) = if let ([(_, only)], false) = (succeeded.as_slice(), is_many) {
        (only.summary.clone(), Vec::new(), only.hints.clone())
    } else {
        let hint = (!drifted.is_empty()).then(|| apply_hint(file, has_unknown, tenant_flags, context));
        (
            combined_summary(&files::input_name(file), total, failed, drifted.len()),
            drifted.clone(),
            hint.into_iter().collect(),
        )
    };
    let error = failures.into_error().or_else(|| (!drifted.is_empty()).then(|| Error::drift(&summary)));
    let error = error.map(|error| details.iter().fold(error, Error::with_detail).with_hints(hints));
    let records = succeeded.into_iter().map(|(tenant, result)| (tenant, result.drift)).collect();
    let output = apply::to_output(records, is_many).with_caption(&summary);
    CommandOutput { note: error.is_none().then_some(summary), error, ..output.into() }
}

fn combined_summary(file: &str, total: usize, failed: usize, drifted: usize) -> String {
    let not_compared = match failed {
        0 => String::new(),
        failed if failed == total => return format!("None of the {total} tenants could be compared with {file}."),
        failed => format!("; {failed} could not be compared"),
    };
    match drifted {
        0 => format!("{} of {total} tenants match {file}{not_compared}.", total - failed),
        1 => format!("1 of {total} tenants differs from {file}{not_compared}."),
        drifted => format!("{drifted} of {total} tenants differ from {file}{not_compared}."),
    }
}

/// A hint with the command that previews the changes. Adds `--ignore-unknown` if the command would fail without it.
fn apply_hint(file: &Path, has_unknown: bool, tenant_flags: &str, context: &Context) -> String {
    let apply = context.command(&format!("mscommerce baseline apply {}", shell_quote(&file.display().to_string())));
    let ignore_unknown = if has_unknown { " --ignore-unknown" } else { "" };
    let input = if files::is_stdio(file) { " < FILE" } else { "" };
    format!("preview the changes: {apply}{tenant_flags}{ignore_unknown} --dry-run{input}")
}
