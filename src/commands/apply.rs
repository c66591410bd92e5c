//! Applies a plan: shows it, asks for confirmation, sends the changes, records them and prints a summary.

use std::cell::Cell;

use futures_util::stream::{self, StreamExt};

use super::recorder::{Recorder, log_result};
use super::summary::{summarize, summary_error};
use super::tenants::{TenantClient, TenantResults};
use super::{ChangeArgs, CommandOutput};
use crate::api::{Scope, Target, UpdateError, Updated};
use crate::auth::Access;
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::interrupt::InFlight;
use crate::output::{Output, Record};
use crate::plan::{Change, ChangeRecord, ChangeResult, Outcome, Plan};
use crate::text::shell_quote_short;

/// Offer types do not support trials (article of 2024-10-10).
pub fn offer_type_value_error() -> Error {
    Error::usage("an offer type takes enabled or disabled; trials are for products only")
}

/// Options for applying a plan.
pub struct ApplyOptions {
    pub dry_run: bool,
    /// Whether to ask for confirmation before sending.
    pub confirm: bool,
    /// The maximum number of concurrent changes.
    pub jobs: usize,
    /// The ID of the run that this run undoes.
    pub undoes: Option<String>,
}

impl ApplyOptions {
    /// Fails with a usage error if confirmation is required but not possible: without a terminal, or for several
    /// tenants, because their plans are too long for a prompt.
    pub fn new(args: ChangeArgs, jobs: u8, many_tenants: bool, context: &Context) -> Result<Self> {
        let needs_confirmation = !args.yes && !args.dry_run;
        if needs_confirmation && many_tenants {
            return Err(Error::usage("changes at several tenants need --yes; nothing was changed")
                .with_hint("to see what would change at each of them, add --dry-run"));
        }
        if needs_confirmation && !context.ui.tty().stdin {
            return Err(Error::usage("standard input is no terminal to ask on; nothing was changed")
                .with_hint("to go ahead without a question, add --yes; to see what would change, --dry-run"));
        }
        Ok(Self { dry_run: args.dry_run, confirm: !args.yes, jobs: jobs.into(), undoes: None })
    }

    /// The access that the credential must grant.
    pub fn access(&self) -> Access {
        if self.dry_run { Access::Read } else { Access::Write }
    }
}

/// A plan with its tenant.
pub struct TenantPlan {
    pub tenant: TenantClient,
    pub plan: Plan,
}

/// Shows, confirms and applies the plans of one or several tenants.
pub async fn run(plans: TenantResults<Plan>, options: ApplyOptions, context: &Context) -> Result<CommandOutput> {
    let (location, is_many) = (plans.location(), plans.is_many);
    let TenantResults { succeeded, mut failures, .. } = plans;
    let is_empty = succeeded.iter().all(|(_, plan)| plan.is_empty());
    if options.dry_run || is_empty {
        let records = succeeded.into_iter().map(|(tenant, plan)| (tenant, plan.into_planned_records()));
        let records: Vec<(TenantClient, Vec<ChangeRecord>)> = records.collect();
        let all = || records.iter().flat_map(|(_, records)| records);
        let note = if options.dry_run {
            format!("Dry run{location}: {}; nothing was sent.", summarize(all()))
        } else {
            format!("Nothing to change{location}: {} as wanted already.", all().count())
        };
        let note = (!records.is_empty()).then_some(note);
        return Ok(CommandOutput { note, error: failures.into_error(), ..to_output(records, is_many).into() });
    }
    let plans: Vec<TenantPlan> = succeeded.into_iter().map(|(tenant, plan)| TenantPlan { tenant, plan }).collect();
    if let ([only], true) = (plans.as_slice(), options.confirm && !is_many) {
        confirm_plan(&only.plan, &only.tenant).await?;
    }
    let results = apply_plans(plans, &options, context).await;
    let summary = summarize(results.iter().flat_map(|(_, results)| results).map(|result| &result.record));
    let is_interrupted = context.interrupt.is_set();
    let error = if is_many {
        for (tenant, results) in &results {
            if let Some(error) = summary_error(results, "", false, &tenant.context) {
                failures.add(tenant, error);
            }
        }
        let is_single = failures.total == 1;
        let error = failures.into_error();
        let error = error.map(|error| if is_single { error } else { error.with_detail(format!("in all: {summary}")) });
        match error {
            error if !is_interrupted => error,
            Some(error) => Some(error.context("interrupted").with_kind(ErrorKind::Interrupted)),
            None => Some(Error::interrupted().with_detail(format!("in all: {summary}"))),
        }
    } else {
        let results = results.first().map(|(_, results)| results.as_slice()).unwrap_or_default();
        summary_error(results, &location, is_interrupted, context)
    };
    let note = error.is_none().then(|| format!("{summary}{location}"));
    let records = results.into_iter().map(|(tenant, results)| {
        let records = results.into_iter().map(|result| result.record);
        (tenant, records.collect())
    });
    Ok(CommandOutput { note, error, ..to_output(records.collect(), is_many).into() })
}

/// Sends the changes of all plans, at most `jobs` concurrently, and records them as one run. Returns a result for every
/// change, in the order of the plans.
///
/// A failed change does not stop the others. A rejected sign-in stops the remaining changes of its tenant. After
/// Ctrl-C, no new request is sent, but requests in flight are completed, because their outcome would otherwise be
/// unknown.
pub async fn apply_plans(
    plans: Vec<TenantPlan>,
    options: &ApplyOptions,
    context: &Context,
) -> Vec<(TenantClient, Vec<ChangeResult>)> {
    let in_flight = in_flight(&plans);
    let is_single_change = plans.iter().map(|plan| plan.plan.changes.len()).sum::<usize>() == 1;
    let pending = plans.iter().map(|plan| plan.plan.pending_count() as u64).sum();
    let progress = (!is_single_change).then(|| context.ui.progress(pending));
    let tenants: Vec<TenantClient> = plans.iter().map(|plan| plan.tenant.clone()).collect();
    let is_rejected: Vec<Cell<bool>> = plans.iter().map(|_| Cell::new(false)).collect();
    let changes = plans.into_iter().enumerate().flat_map(|(tenant, plan)| {
        plan.plan.changes.into_iter().enumerate().map(move |(index, change)| (tenant, index, change))
    });
    let mut stream = stream::iter(changes)
        .map(|(tenant, index, change)| {
            let (client, is_rejected) = (&tenants[tenant], &is_rejected[tenant]);
            async move {
                let result = match skip_reason(&change, is_rejected.get(), context) {
                    Some(reason) => change.skipped(reason),
                    None => apply_change(change, client).await,
                };
                let is_auth = result.error.as_ref().is_some_and(|error| error.kind() == ErrorKind::Auth);
                is_rejected.set(is_rejected.get() || is_auth);
                (tenant, index, result)
            }
        })
        .buffer_unordered(options.jobs);
    let mut results: Vec<Vec<(usize, ChangeResult)>> = tenants.iter().map(|_| Vec::new()).collect();
    let mut history = Recorder::new(options.undoes.clone());
    let consume = async {
        while let Some((tenant, index, result)) = stream.next().await {
            history.record(&tenants[tenant], &result, context);
            log_result(&tenants[tenant], &result, tenants.len() > 1);
            if let (Some(progress), true) = (&progress, result.record.outcome != Outcome::Unchanged) {
                progress.inc(1);
            }
            results[tenant].push((index, result));
        }
    };
    context.interrupt.defer(in_flight, consume).await;
    drop(stream);
    if let Some(progress) = progress {
        progress.finish_and_clear();
    }
    history.sync(context);
    let in_order = |mut results: Vec<(usize, ChangeResult)>| {
        results.sort_by_key(|(index, _)| *index);
        results.into_iter().map(|(_, result)| result).collect()
    };
    tenants.into_iter().zip(results.into_iter().map(in_order)).collect()
}

fn skip_reason(change: &Change, is_rejected: bool, context: &Context) -> Option<&'static str> {
    change.value_to_send()?;
    if is_rejected {
        Some("the sign-in was refused")
    } else if context.interrupt.is_set() {
        Some("interrupted")
    } else {
        None
    }
}

/// Sends a change if it is pending, and verifies that the response contains the new value.
async fn apply_change(change: Change, tenant: &TenantClient) -> ChangeResult {
    let Some(value) = change.value_to_send() else { return change.unchanged() };
    let hint = format!("see what it is now: {}", verify_command(&change.target, &tenant.context));
    match tenant.api.update(&change.target, value).await {
        Ok(Updated { item, correlation_id }) => match change.verify(value, &item) {
            Ok(()) => change.changed(item, correlation_id),
            Err(error) => {
                let error = error.with_detail(format!("correlation id: {correlation_id}")).with_hint(hint);
                // A response for another product does not show the state of this one.
                let current = if change.is_other_item(&item) { None } else { item.value };
                change.failed(current, error)
            }
        },
        Err(UpdateError { error, outcome_unknown: true }) => change.failed(None, error.with_hint(hint)),
        Err(UpdateError { error, outcome_unknown: false }) => {
            let current = change.before.value.clone();
            change.failed(current, error)
        }
    }
}

/// The changes that an interrupt waits for, with hints that show their outcome.
fn in_flight(plans: &[TenantPlan]) -> InFlight {
    let count = plans.iter().map(|plan| plan.plan.changes.len()).sum();
    let hints = match plans {
        [TenantPlan { plan, tenant }] if plan.changes.len() > 1 => {
            let list = tenant.context.command("mscommerce products list --scope all");
            vec![format!("see what was changed: {}", history_command(tenant)), format!("see what they are now: {list}")]
        }
        [TenantPlan { plan, tenant }] => {
            let targets = plan.changes.iter().map(|change| &change.target);
            targets.map(|target| format!("see what it is now: {}", verify_command(target, &tenant.context))).collect()
        }
        _ => vec!["see what was changed: mscommerce history".to_owned()],
    };
    InFlight { count, hints }
}

/// The command that lists the changes in this tenant.
pub fn history_command(tenant: &TenantClient) -> String {
    let id = tenant.api.session().tenant_id();
    let flag = id.map(|id| format!(" --tenant {}", shell_quote_short(&id))).unwrap_or_default();
    format!("mscommerce history{flag}")
}

fn verify_command(target: &Target, context: &Context) -> String {
    let flag = if target.scope == Scope::OfferType { "--offer-type " } else { "" };
    context.command(&format!("mscommerce product get {flag}{}", shell_quote_short(&target.id)))
}

/// Shows the plan and asks for confirmation. Fails if the user declines. Waiting for the user does not count against
/// `--timeout`.
pub async fn confirm_plan(plan: &Plan, tenant: &TenantClient) -> Result<()> {
    let (pending, total) = (plan.pending_count(), plan.changes.len());
    let question = match (pending, total) {
        (1, 1) => "Make this change?".to_owned(),
        (pending, total) if pending == total => format!("Make these {pending} changes?"),
        (pending, total) => format!("{pending} to change, {} as wanted already. Go ahead?", total - pending),
    };
    let location = tenant.location();
    if tenant.context.ui.confirm(&format!("To be changed{location}:\n{plan}{question}")).await? {
        tenant.context.http.reset_deadline();
        return Ok(());
    }
    Err(Error::failed("declined; nothing was changed"))
}

/// Combines the records of all tenants in one list. With several tenants, the tenant ID is the first field.
pub fn to_output<R: Record>(records: Vec<(TenantClient, Vec<R>)>, is_many: bool) -> Output {
    if !is_many {
        return Output::list(records.into_iter().flat_map(|(_, records)| records));
    }
    Output::with_tenants(records.into_iter().flat_map(|(tenant, records)| {
        let id = tenant.id();
        records.into_iter().map(move |record| (id.clone(), record))
    }))
}
