//! `undo`: restores the values before a run, except for products that were changed again.

use std::collections::{HashMap, HashSet};

use clap::Args;

use super::apply::{self, ApplyOptions};
use super::completion::complete_run;
use super::recorder::{Recorder, Undo};
use super::tenants::{TenantClient, TenantPlan, TenantResults};
use super::{ChangeArgs, CommandOutput, DEFAULT_JOBS, history, lookup};
use crate::api::{PolicyValue, ProductPolicy, Scope, Target};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::history::{History, HistoryEntry, is_run_in_progress};
use crate::plan::{Desired, Outcome, Plan, Wanted};
use crate::text::{display_excerpt, format_timestamp, sanitize_line};

pub const HELP: &str = "\
Without RUN, undo reverts the newest run at this tenant and policy that is not undone \
yet; a second undo reverts the run before it. Name an undo by its ID to revert it. \
Products that were changed again since the run keep their values, and undo lists them. \
If it is unknown whether a change was made, the current value decides.

Examples:
  mscommerce undo --dry-run
  mscommerce undo --yes
  mscommerce undo 3f1c --yes";

#[derive(Args, Debug)]
pub struct UndoArgs {
    /// Run to revert: its ID, or the start of it [default: the latest]
    #[arg(value_name = "RUN", add = complete_run())]
    pub run: Option<String>,
    #[command(flatten)]
    pub change: ChangeArgs,
}

pub async fn run(args: UndoArgs, context: &Context) -> Result<CommandOutput> {
    let mut options = ApplyOptions::new(args.change, DEFAULT_JOBS, false, true, context)?;
    let History { entries, invalid_lines } = history::read(context).await?;
    if entries.is_empty() {
        return Err(Error::failed(match invalid_lines.as_slice() {
            [] => "no changes are recorded on this machine, so there is nothing to undo",
            _ => "no line of the history can be parsed, so there is nothing to undo",
        }));
    }
    if is_run_in_progress(&context.settings.state_directory()?) {
        return Err(Error::failed("another mscommerce process is making changes on this machine; nothing was changed")
            .with_hint("wait until it has finished, then try again"));
    }
    let named_run = args.run.map(|prefix| find_run(&entries, &prefix)).transpose()?;
    let tenant = TenantClient::new(context)?;
    // The runs depend on the tenant, whose ID is known only after sign-in.
    tenant.api.prepare(options.access()).await?;
    let entries = entries_for_tenant(&entries, &tenant)?;
    let run = select_run(&entries, named_run.as_deref(), &tenant)?;
    let listed = lookup::list(&affected_scopes(&run), &tenant.api, context).await?;
    let time = format_timestamp(run[0].time);
    context.ui.info(&if options.dry_run {
        format!("This would undo the run of {time}.")
    } else {
        format!("Undoing the run of {time}.")
    });
    let (desired, left) = to_desired(&run, &listed, options.dry_run, &tenant);
    options.undo = Some(Undo { run: run[0].run.clone(), left });
    let plan = Plan::diff(listed, &desired);
    let is_empty = plan.is_empty();
    let is_recorded = is_empty && !options.dry_run && !options.no_history;
    if is_recorded {
        let plans = [TenantPlan { tenant: tenant.clone(), plan: plan.clone() }];
        Recorder::begin(&plans, options.undo.as_ref(), options.no_history, context).await?;
    }
    let output = apply::run(TenantResults::single(tenant, plan), options, context).await?;
    let counts = if is_recorded { " The run is now marked as undone." } else { "" };
    let note = is_empty.then(|| format!("Nothing in this run can be undone anymore.{counts} Nothing was changed."));
    Ok(CommandOutput { note: note.or(output.note), ..output })
}

/// The ID of the run whose ID begins with `prefix`. Fails if none or several do.
fn find_run(entries: &[HistoryEntry], prefix: &str) -> Result<String> {
    let prefix = prefix.trim();
    let matching = entries.iter().filter(|entry| entry.has_run_prefix(prefix));
    let mut runs: Vec<&str> = matching.map(|entry| entry.run.as_str()).collect();
    runs.dedup();
    match runs.as_slice() {
        [run] if !prefix.is_empty() => Ok((*run).to_owned()),
        [] => Err(Error::usage(format!("no recorded run has the ID '{}'", display_excerpt(prefix)))
            .with_hint("mscommerce history")),
        _ => Err(Error::usage(format!("several recorded runs have IDs that start with '{}'", display_excerpt(prefix)))
            .with_hint("use more of the ID: mscommerce history -o json")),
    }
}

/// The entries of the tenant of the access token under its policy. Fails if there are none.
fn entries_for_tenant(entries: &[HistoryEntry], tenant: &TenantClient) -> Result<Vec<HistoryEntry>> {
    let no_tenant = || Error::failed("cannot undo changes: the access token does not specify its tenant");
    let tenant_id = tenant.api.session().tenant_id().ok_or_else(no_tenant)?;
    let policy_id = tenant.api.policy_id();
    let is_for_tenant = |entry: &&HistoryEntry| {
        entry.tenant_id.as_deref().is_some_and(|id| id.eq_ignore_ascii_case(&tenant_id))
            && entry.policy_id.eq_ignore_ascii_case(policy_id)
    };
    let entries: Vec<HistoryEntry> = entries.iter().filter(is_for_tenant).cloned().collect();
    if entries.is_empty() {
        let message = format!("no changes to policy {policy_id} in tenant {tenant_id} are recorded");
        return Err(Error::failed(message).with_hint("mscommerce history"));
    }
    Ok(entries)
}

/// The changes to undo that are not undone yet: those of the named run, or of the newest run that is not an undo.
fn select_run<'e>(
    entries: &'e [HistoryEntry],
    named_run: Option<&str>,
    tenant: &TenantClient,
) -> Result<Vec<&'e HistoryEntry>> {
    // An undo settles the changes that it restored, unless it was itself undone later. It also settles those that it left
    // as they are, unless their run is named: their values may have changed since.
    let mut settled: HashSet<(&str, Target)> = HashSet::new();
    for entry in entries.iter().rev() {
        let is_settling = match entry.outcome {
            Outcome::Changed => true,
            Outcome::Unchanged => named_run.is_none(),
            _ => false,
        };
        if let (Some(undone), true) = (&entry.undoes, is_settling)
            && !settled.contains(&(entry.run.as_str(), entry.target()))
        {
            settled.insert((undone, entry.target()));
        }
    }
    let is_open = |entry: &&HistoryEntry| {
        matches!(entry.outcome, Outcome::Changed | Outcome::Unknown)
            && !settled.contains(&(entry.run.as_str(), entry.target()))
    };
    let newest = || entries.iter().rev().filter(is_open).find(|entry| entry.undoes.is_none());
    let Some(run) = named_run.or_else(|| newest().map(|entry| entry.run.as_str())) else {
        return Err(Error::failed("nothing to undo: every recorded run in this tenant is undone or changed nothing")
            .with_hint(apply::history_command(tenant)));
    };
    let of_run: Vec<&HistoryEntry> = entries.iter().filter(|entry| entry.run == run).collect();
    if of_run.is_empty() {
        let message = format!("run {run} made no changes in this tenant under this policy");
        return Err(Error::failed(message).with_hint("mscommerce history -o json"));
    }
    let open: Vec<&HistoryEntry> = of_run.into_iter().filter(is_open).collect();
    if open.is_empty() {
        let message = format!("nothing to undo: run {run} is undone or changed nothing");
        return Err(Error::failed(message).with_hint(apply::history_command(tenant)));
    }
    Ok(open)
}

fn affected_scopes(entries: &[&HistoryEntry]) -> Vec<Scope> {
    let is_affected = |scope: &Scope| entries.iter().any(|entry| entry.scope == *scope);
    Scope::ALL.into_iter().filter(is_affected).collect()
}

/// The desired state: the value before the run for every product that still has the value of the run. Warns about the
/// others and returns them as entries of the undo.
fn to_desired(
    run: &[&HistoryEntry],
    listed: &[ProductPolicy],
    dry_run: bool,
    tenant: &TenantClient,
) -> (Desired, Vec<HistoryEntry>) {
    let listed: HashMap<Target, &ProductPolicy> =
        listed.iter().filter_map(|item| Some((item.target()?, item))).collect();
    let (mut desired, mut left) = (Desired::default(), Vec::new());
    for &entry in run {
        match previous_value(entry, listed.get(&entry.target()).copied()) {
            Ok(wanted) => {
                desired.insert(entry.target(), wanted);
            }
            Err(reason) => {
                let name = entry.name.as_deref().unwrap_or("without a name");
                let label = if dry_run { "would not be undone" } else { "not undone" };
                let message = format!("{label}: {name} ({}): {reason}", entry.id);
                tenant.context.ui.warn(&sanitize_line(&message));
                let undoes = Some(entry.run.clone());
                left.push(HistoryEntry { outcome: Outcome::Unchanged, undoes, ..entry.clone() });
            }
        }
    }
    (desired, left)
}

/// The value to restore. The error is the reason why the product keeps its value.
fn previous_value(entry: &HistoryEntry, item: Option<&ProductPolicy>) -> Result<Wanted, String> {
    let current = item.ok_or_else(|| "the tenant no longer has it".to_owned())?.value.as_deref();
    let is_current = |value: &str| current.is_some_and(|current| current.eq_ignore_ascii_case(value));
    let Some(from) = &entry.from else { return Err("its value before the run is unknown".to_owned()) };
    if is_current(from) {
        return Ok(Wanted::Keep);
    }
    if !is_current(&entry.to) {
        let current = current.unwrap_or("not set");
        return Err(format!("it is now {current}, not {} as the run set it", entry.to));
    }
    let value =
        PolicyValue::parse(from).map_err(|_| format!("its previous value {from} is not supported by this version"))?;
    if !entry.scope.accepts(value) {
        return Err(format!("its previous value {from} is not supported by offer types"));
    }
    Ok(Wanted::Set(value))
}
