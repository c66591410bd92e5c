//! `undo`: taking back the last run's changes, where nothing else has changed them since.

use super::changing::{self, ApplyOptions};
use super::{CommandOutput, Context, Endpoint, history, listing};
use crate::api::{PolicyValue, ProductPolicy, Scope};
use crate::cli::{ChangeArgs, DEFAULT_JOBS};
use crate::error::{Error, Result};
use crate::history::{Entry, History};
use crate::plan::{Desired, Plan, Wanted};
use crate::report::Report;
use crate::text::{format_timestamp, sanitize_line};

pub async fn run(args: ChangeArgs, context: &Context<'_>) -> Result<CommandOutput> {
    let manner = ApplyOptions::new(args, DEFAULT_JOBS, context)?;
    let History { entries, damaged } = history::read(context)?;
    if entries.is_empty() && !damaged.is_empty() {
        return Err(Error::failed("nothing of the record of changes can be understood, so nothing can be taken back"));
    }
    if entries.is_empty() {
        return Err(Error::failed("nothing has been changed from here yet, so there is nothing to take back"));
    }
    context
        .with_endpoint(&context.settings.policy_id, async |endpoint| {
            // Which run is the last one depends on the tenant, which the credential decides.
            endpoint.prepare(manner.purpose()).await?;
            let entries = made_here(entries, &tenant_id(endpoint)?, endpoint)?;
            let listed = listing::read(&scopes(&latest(&entries)), endpoint, context).await?;
            let run = run_to_undo(&entries, &listed);
            let Some(first) = run.first() else { return Ok(CommandOutput::default()) };
            let time = format_timestamp(first.time);
            context.terminal.info(&format!("Taking back the run of {time}."));
            let desired = reverse(&run, &listed, endpoint, context)?;
            changing::run(Plan::new(listed, &desired), manner.undoing(&first.run), endpoint, context).await
        })
        .await
}

/// The tenant that the credential is for, which a token has settled.
fn tenant_id(endpoint: &Endpoint<'_>) -> Result<String> {
    endpoint.tokens().tenant_id().ok_or_else(|| {
        Error::failed("the access token does not say which tenant it is for, so nothing can be taken back with it")
    })
}

/// The changes at this tenant and policy, of which there is at least one.
fn made_here(mut entries: Vec<Entry>, tenant_id: &str, endpoint: &Endpoint<'_>) -> Result<Vec<Entry>> {
    let policy_id = endpoint.policy_id();
    entries.retain(|entry| {
        let is_here = entry.tenant_id.as_deref().is_some_and(|id| id.eq_ignore_ascii_case(tenant_id));
        is_here && entry.policy_id.eq_ignore_ascii_case(policy_id)
    });
    if entries.is_empty() {
        return Err(Error::failed(format!(
            "nothing has been changed from here under the policy {policy_id} in the tenant {tenant_id}"
        ))
        .with_hint("mscommerce history"));
    }
    Ok(entries)
}

/// The changes of the last run; or, where that took another one back and did not get to all of it, the rest of the
/// other one: an undo that is tried again must not undo itself.
fn run_to_undo<'e>(entries: &'e [Entry], listed: &[ProductPolicy]) -> Vec<&'e Entry> {
    let Some(last) = entries.last() else { return Vec::new() };
    if let Some(undone) = &last.undoes {
        let is_restored = |entry: &Entry| {
            let restored = entries.iter().filter(|other| other.undoes.as_ref() == Some(undone));
            restored.map(Entry::target).any(|target| target == entry.target())
        };
        // What is as it was already counts as the rest, too: the answer to its change may have been lost.
        let can_be_restored = |entry: &Entry| wanted(entry, listed).is_ok();
        let of_run = entries.iter().filter(|entry| entry.run == *undone);
        let rest: Vec<&Entry> = of_run.filter(|entry| !is_restored(entry) && can_be_restored(entry)).collect();
        if !rest.is_empty() {
            return rest;
        }
    }
    entries.iter().filter(|entry| entry.run == last.run).collect()
}

/// The last run, and the one that it takes back, if it does.
fn latest(entries: &[Entry]) -> Vec<&Entry> {
    let Some(last) = entries.last() else { return Vec::new() };
    let is_latest = |entry: &&Entry| entry.run == last.run || last.undoes.as_ref() == Some(&entry.run);
    entries.iter().filter(is_latest).collect()
}

fn scopes(run: &[&Entry]) -> Vec<Scope> {
    let has = |scope: &Scope| run.iter().any(|entry| entry.scope == *scope);
    [Scope::Product, Scope::OfferType].into_iter().filter(has).collect()
}

/// Wants back what each product was before the run, where it still is what the run made of it.
fn reverse(
    run: &[&Entry],
    listed: &[ProductPolicy],
    endpoint: &Endpoint<'_>,
    context: &Context<'_>,
) -> Result<Desired> {
    let (mut desired, mut is_empty) = (Desired::default(), true);
    for entry in run {
        match wanted(entry, listed) {
            Ok(wanted) => {
                desired.want(&entry.target(), wanted);
                is_empty = false;
            }
            Err(why) => {
                let name = entry.name.as_deref().unwrap_or("without a name");
                context.terminal.warn(&sanitize_line(&format!("left as it is: {name} ({}): {why}", entry.id)));
            }
        }
    }
    if is_empty {
        return Err(Error::failed("nothing of the last run can be taken back; nothing was changed")
            .with_hint(changing::history(endpoint)));
    }
    Ok(desired)
}

/// What is wanted of the product of an entry, or why it is left alone.
fn wanted(entry: &Entry, listed: &[ProductPolicy]) -> std::result::Result<Wanted, String> {
    let item = listed.iter().find(|item| item.target().is_some_and(|target| target == entry.target()));
    let now = item.ok_or_else(|| "the tenant does not have it any more".to_owned())?.value.as_deref();
    let is = |value: &str| now.is_some_and(|now| now.eq_ignore_ascii_case(value));
    let Some(from) = &entry.from else { return Err("the value before it is not known".to_owned()) };
    if is(from) {
        return Ok(Wanted::AsItIs);
    }
    if !is(&entry.to) {
        return Err(format!(
            "it is {} now, and no longer {}, which that run made it",
            now.unwrap_or("without a value"),
            entry.to
        ));
    }
    let value = PolicyValue::parse(from).map_err(|_| format!("it was {from}, a value that this version cannot set"))?;
    if !entry.scope.accepts(value) {
        return Err(format!("it was {from}, which it cannot be set to"));
    }
    Ok(Wanted::Value(value))
}
