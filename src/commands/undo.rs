//! `undo`: restores the values before the last run, except for products that were changed again.

use super::apply::{self, ApplyOptions};
use super::tenants::{TenantClient, Tenants};
use super::{ChangeArgs, CommandOutput, DEFAULT_JOBS, history, lookup};
use crate::api::{PolicyValue, ProductPolicy, Scope};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::history::{History, HistoryEntry};
use crate::plan::{Desired, Plan, Wanted};
use crate::text::{format_timestamp, sanitize_line};

pub const HELP: &str = "\
The last run is the newest in 'mscommerce history' at this tenant and policy. \
What has been changed again since is left as it is, and named. An undo is a run, too: \
the next undo takes it back.

Examples:
  mscommerce undo --dry-run
  mscommerce undo --yes";

pub async fn run(args: ChangeArgs, context: &Context) -> Result<CommandOutput> {
    let mut options = ApplyOptions::new(args, DEFAULT_JOBS, false, context)?;
    let History { entries, invalid_lines } = history::read(context)?;
    if entries.is_empty() && !invalid_lines.is_empty() {
        return Err(Error::failed("nothing of the record of changes can be understood, so nothing can be taken back"));
    }
    if entries.is_empty() {
        return Err(Error::failed("nothing has been changed from here yet, so there is nothing to take back"));
    }
    let tenants = Tenants::single(context)?;
    let access = options.access();
    let plan = async |tenant: TenantClient| {
        // The last run depends on the tenant, and the tenant ID is known only after sign-in.
        tenant.api.prepare(access).await?;
        let entries = entries_for_tenant(&entries, &tenant_id(&tenant)?, &tenant)?;
        let listed = lookup::list(&affected_scopes(&last_runs(&entries)), &tenant.api, context).await?;
        let run = select_run(&entries, &listed);
        let time = run.first().map(|entry| format_timestamp(entry.time)).unwrap_or_default();
        context.ui.info(&format!("Taking back the run of {time}."));
        let desired = to_desired(&run, &listed, &tenant)?;
        Ok((run.first().map(|entry| entry.run.clone()), Plan::diff(listed, &desired)))
    };
    let plans = tenants.for_each(plan).await?;
    options.undoes = plans.succeeded.iter().find_map(|(_, (run, _))| run.clone());
    apply::run(plans.map(|(_, plan)| plan), options, context).await
}

/// The tenant ID of the access token. Fails if the token has none.
fn tenant_id(tenant: &TenantClient) -> Result<String> {
    tenant.api.session().tenant_id().ok_or_else(|| {
        Error::failed("the access token does not say which tenant it is for, so nothing can be taken back with it")
    })
}

/// The changes in this tenant under this policy. Fails if there are none.
fn entries_for_tenant(entries: &[HistoryEntry], tenant_id: &str, tenant: &TenantClient) -> Result<Vec<HistoryEntry>> {
    let policy_id = tenant.api.policy_id();
    let is_for_tenant = |entry: &&HistoryEntry| {
        entry.tenant_id.as_deref().is_some_and(|id| id.eq_ignore_ascii_case(tenant_id))
            && entry.policy_id.eq_ignore_ascii_case(policy_id)
    };
    let entries: Vec<HistoryEntry> = entries.iter().filter(is_for_tenant).cloned().collect();
    if entries.is_empty() {
        return Err(Error::failed(format!(
            "nothing has been changed from here under the policy {policy_id} in the tenant {tenant_id}"
        ))
        .with_hint("mscommerce history"));
    }
    Ok(entries)
}

/// The changes to undo: those of the last run. If that run is an incomplete undo, the changes that it did not restore,
/// because a repeated undo must not undo itself.
fn select_run<'e>(entries: &'e [HistoryEntry], listed: &[ProductPolicy]) -> Vec<&'e HistoryEntry> {
    let Some(last) = entries.last() else { return Vec::new() };
    if let Some(undone) = &last.undoes {
        let is_restored = |entry: &HistoryEntry| {
            let mut restored = entries.iter().filter(|other| other.undoes.as_ref() == Some(undone));
            restored.any(|other| other.target() == entry.target())
        };
        // A product that already has its previous value counts, too: the response to its undo may have been lost.
        let can_be_restored = |entry: &HistoryEntry| previous_value(entry, listed).is_ok();
        let undone_entries = entries.iter().filter(|entry| entry.run == *undone);
        let remaining: Vec<&HistoryEntry> =
            undone_entries.filter(|entry| !is_restored(entry) && can_be_restored(entry)).collect();
        if !remaining.is_empty() {
            return remaining;
        }
    }
    entries.iter().filter(|entry| entry.run == last.run).collect()
}

/// The changes of the last run and, if it is an undo, of the run that it undoes.
fn last_runs(entries: &[HistoryEntry]) -> Vec<&HistoryEntry> {
    let Some(last) = entries.last() else { return Vec::new() };
    let is_last = |entry: &&HistoryEntry| entry.run == last.run || last.undoes.as_ref() == Some(&entry.run);
    entries.iter().filter(is_last).collect()
}

fn affected_scopes(entries: &[&HistoryEntry]) -> Vec<Scope> {
    let is_affected = |scope: &Scope| entries.iter().any(|entry| entry.scope == *scope);
    Scope::ALL.into_iter().filter(is_affected).collect()
}

/// The desired state: the value before the run for every product that still has the value of the run. Warns about the
/// others. Fails if no product is left.
fn to_desired(run: &[&HistoryEntry], listed: &[ProductPolicy], tenant: &TenantClient) -> Result<Desired> {
    let mut desired = Desired::default();
    for entry in run {
        match previous_value(entry, listed) {
            Ok(wanted) => {
                desired.insert(entry.target(), wanted);
            }
            Err(reason) => {
                let name = entry.name.as_deref().unwrap_or("without a name");
                let message = format!("left as it is: {name} ({}): {reason}", entry.id);
                tenant.context.ui.warn(&sanitize_line(&message));
            }
        }
    }
    if desired.is_empty() {
        return Err(Error::failed("nothing of the last run can be taken back; nothing was changed")
            .with_hint(apply::history_command(tenant)));
    }
    Ok(desired)
}

/// The value to restore. The error is the reason why the product keeps its value.
fn previous_value(entry: &HistoryEntry, listed: &[ProductPolicy]) -> Result<Wanted, String> {
    let target = entry.target();
    let item = listed.iter().find(|item| item.target().as_ref() == Some(&target));
    let current = item.ok_or_else(|| "the tenant does not have it any more".to_owned())?.value.as_deref();
    let is_current = |value: &str| current.is_some_and(|current| current.eq_ignore_ascii_case(value));
    let Some(from) = &entry.from else { return Err("the value before it is not known".to_owned()) };
    if is_current(from) {
        return Ok(Wanted::Keep);
    }
    if !is_current(&entry.to) {
        let current = current.unwrap_or("without a value");
        return Err(format!("it is {current} now, and no longer {}, which that run made it", entry.to));
    }
    let value = PolicyValue::parse(from).map_err(|_| format!("it was {from}, a value that this version cannot set"))?;
    if !target.scope.accepts(value) {
        return Err(format!("it was {from}, which it cannot be set to"));
    }
    Ok(Wanted::Set(value))
}
