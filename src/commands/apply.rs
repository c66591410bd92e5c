//! Applies a plan: shows it, asks for confirmation, sends the changes, records them and prints a summary.

use std::cell::Cell;

use futures_util::stream::{self, StreamExt};

use super::recorder::{Recorder, Undo, log_result};
use super::summary::{summarize, summary_error, warn_about_missing_trials};
use super::tenants::{TenantClient, TenantPlan, TenantResults};
use super::{ChangeArgs, CommandOutput};
use crate::api::{PolicyValue, RequestError, Scope, Target, Updated};
use crate::auth::Access;
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::http::Effect;
use crate::output::{Output, Record};
use crate::plan::{Change, ChangeRecord, ChangeResult, Outcome, Plan};
use crate::text::shell_quote_short;

/// Offer types do not support trials (article of 2024-10-10).
pub fn offer_type_value_error() -> Error {
    Error::usage("offer types accept enabled and disabled only; trials are for products")
}

/// Options for applying a plan.
#[derive(Default)]
pub struct ApplyOptions {
    pub dry_run: bool,
    /// Whether to ask for confirmation before sending.
    pub confirm: bool,
    /// Whether not to record the changes.
    pub no_history: bool,
    /// The maximum number of concurrent changes.
    pub jobs: usize,
    /// What this run undoes, if it is an undo.
    pub undo: Option<Undo>,
}

impl ApplyOptions {
    /// `asks` is whether the command asks for confirmation unless a flag decides. Fails with a usage error if
    /// confirmation is required but not possible: without a terminal, or for several tenants, because their plans are
    /// too long for a prompt.
    pub fn new(args: ChangeArgs, jobs: u8, many_tenants: bool, asks: bool, context: &Context) -> Result<Self> {
        let ChangeArgs { dry_run, yes, confirm, no_history } = args;
        if many_tenants && !yes && !dry_run {
            return Err(Error::usage("changes in several tenants require --yes; nothing was changed")
                .with_hint("add --dry-run to preview the changes"));
        }
        let confirm = (asks || confirm) && !yes && !dry_run;
        let tty = context.ui.tty();
        if confirm && !(tty.stdin && tty.stderr) {
            // The question is written to standard error.
            let stream = if tty.stdin { "standard error" } else { "standard input" };
            return Err(Error::usage(format!(
                "confirmation required, but {stream} is not a terminal; nothing was changed"
            ))
            .with_hint("add --yes to skip the confirmation prompt, or --dry-run to preview the changes"));
        }
        Ok(Self { dry_run, confirm, no_history, jobs: jobs.into(), undo: None })
    }

    /// The access that the credential must grant.
    pub fn access(&self) -> Access {
        if self.dry_run { Access::Read } else { Access::Write }
    }
}

/// Shows, confirms and applies the plans of one or several tenants.
pub async fn run(plans: TenantResults<Plan>, options: ApplyOptions, context: &Context) -> Result<CommandOutput> {
    let (location, is_many) = (plans.location(), plans.is_many);
    let TenantResults { succeeded, mut failures, .. } = plans;
    if options.undo.is_none() {
        warn_about_missing_trials(succeeded.iter().map(|(_, plan)| plan), &context.ui);
    }
    let is_empty = succeeded.iter().all(|(_, plan)| plan.is_empty());
    if options.dry_run || is_empty {
        let records = succeeded.into_iter().map(|(tenant, plan)| (tenant, plan.into_planned_records()));
        let records: Vec<(TenantClient, Vec<ChangeRecord>)> = records.collect();
        let all = || records.iter().flat_map(|(_, records)| records);
        let note = if options.dry_run {
            format!("Dry run{location}: {}. Nothing was sent.", summarize(all()))
        } else {
            format!("Nothing to change{location}: {} already up to date.", all().count())
        };
        let note = (!records.is_empty()).then_some(note);
        return Ok(CommandOutput { note, error: failures.into_error(), ..to_output(records, is_many).into() });
    }
    let plans: Vec<TenantPlan> = succeeded.into_iter().map(|(tenant, plan)| TenantPlan { tenant, plan }).collect();
    if let ([only], true) = (plans.as_slice(), options.confirm && !is_many) {
        confirm_plan(&only.plan, &only.tenant).await?;
    }
    let results = apply_plans(plans, &options, context).await?;
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
        let error =
            error.map(|error| if is_single { error } else { error.with_detail(format!("all tenants: {summary}")) });
        match error {
            Some(error) if is_interrupted => Some(error.context("interrupted").with_kind(ErrorKind::Interrupted)),
            error => error,
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

/// Records the changes of all plans as one run, and sends them, at most `jobs` concurrently. Returns a result for every
/// change, in the order of the plans.
///
/// A failed change does not stop the others. A rejected sign-in stops the remaining changes of its tenant. After
/// Ctrl-C, no new request is sent, but requests in progress are completed. After a second Ctrl-C, their outcome is
/// unknown.
///
/// # Errors
/// Fails if the changes cannot be recorded. Nothing was sent then.
pub async fn apply_plans(
    plans: Vec<TenantPlan>,
    options: &ApplyOptions,
    context: &Context,
) -> Result<Vec<(TenantClient, Vec<ChangeResult>)>> {
    let pending = plans.iter().map(|plan| plan.plan.pending_count()).sum::<usize>();
    if pending == 0 {
        let unchanged = |plan: TenantPlan| {
            (plan.tenant, plan.plan.changes.into_iter().map(Change::unchanged).collect::<Vec<ChangeResult>>())
        };
        return Ok(plans.into_iter().map(unchanged).collect());
    }
    // From here on, the history must learn what was sent and what was not.
    context.interrupt.defer();
    let mut history = Recorder::begin(&plans, options.undo.as_ref(), options.no_history, context).await?;
    let progress = (pending > 1).then(|| context.ui.show_bar(pending));
    let states: Vec<TenantState> = plans.iter().map(|plan| TenantState::new(plan.plan.changes.len())).collect();
    let mut results: Vec<Vec<Option<ChangeResult>>> =
        plans.iter().map(|plan| plan.plan.changes.iter().map(|_| None).collect()).collect();
    let changes = plans.iter().enumerate().flat_map(|(tenant, TenantPlan { plan, .. })| {
        plan.changes.iter().enumerate().map(move |(index, change)| (tenant, index, change.clone()))
    });
    let mut stream = stream::iter(changes)
        .map(|(tenant, index, change)| {
            let (client, state) = (&plans[tenant].tenant, &states[tenant]);
            async move { (tenant, index, state.apply(index, change, client).await) }
        })
        .buffer_unordered(options.jobs);
    loop {
        let next = tokio::select! {
            biased;
            next = stream.next() => next,
            () = context.interrupt.wait_for_repetition() => None,
        };
        let Some((tenant, index, result)) = next else { break };
        // Record the outcome before anything is printed about it.
        history.record(tenant, index, &result, context).await;
        log_result(&plans[tenant].tenant, &result, plans.len() > 1);
        if let (Some(progress), true) = (&progress, result.record.outcome != Outcome::Unchanged) {
            progress.advance();
        }
        results[tenant][index] = Some(result);
    }
    drop(stream);
    for (tenant, TenantPlan { tenant: client, plan }) in plans.iter().enumerate() {
        for (index, change) in plan.changes.iter().enumerate() {
            // The second Ctrl-C ended the loop.
            if results[tenant][index].is_none() {
                let result = states[tenant].abandoned(index, change.clone(), client);
                history.record(tenant, index, &result, context).await;
                results[tenant][index] = Some(result);
            }
        }
    }
    let results = results.into_iter().map(|results| results.into_iter().flatten().collect());
    Ok(plans.into_iter().map(|plan| plan.tenant).zip(results).collect())
}

/// The state of a run in one tenant.
struct TenantState {
    /// Whether the service rejected the sign-in.
    is_rejected: Cell<bool>,
    /// Whether a request was sent, by change.
    is_sent: Vec<Cell<bool>>,
}

impl TenantState {
    fn new(changes: usize) -> Self {
        Self { is_rejected: Cell::new(false), is_sent: vec![Cell::new(false); changes] }
    }

    /// Applies a change unless the run has ended in this tenant.
    async fn apply(&self, index: usize, change: Change, tenant: &TenantClient) -> ChangeResult {
        let Some(value) = change.value_to_send() else { return change.unchanged() };
        if self.is_rejected.get() {
            return change.skipped("the sign-in was rejected");
        }
        if tenant.context.interrupt.is_set() {
            return change.skipped("interrupted");
        }
        self.is_sent[index].set(true);
        let result = apply_change(change, value, tenant).await;
        let is_auth = result.error.as_ref().is_some_and(|error| error.kind() == ErrorKind::Auth);
        self.is_rejected.set(self.is_rejected.get() || is_auth);
        result
    }

    /// The result of a change whose request is given up.
    fn abandoned(&self, index: usize, change: Change, tenant: &TenantClient) -> ChangeResult {
        if !change.is_pending() {
            return change.unchanged();
        }
        if !self.is_sent[index].get() {
            return change.skipped("interrupted");
        }
        let hint = verify_hint(&change.target, &tenant.context);
        let error = Error::failed(format!("interrupted while the request was in progress: {}", change.target));
        change.unknown(None, error.with_hint(hint), None)
    }
}

/// Sends a change and verifies the result. If the outcome is unknown, reads what the tenant has now.
async fn apply_change(change: Change, value: PolicyValue, tenant: &TenantClient) -> ChangeResult {
    let hint = verify_hint(&change.target, &tenant.context);
    let mut is_answered = false;
    let RequestError { error, effect, correlation_id } = match tenant.api.update(&change.target, value).await {
        Ok(Updated { item, correlation_id }) => {
            if value.matches(item.value.as_deref()) && !change.is_other_item(&item) {
                return change.changed(item, Some(correlation_id));
            }
            is_answered = item.value.is_some() && !change.is_other_item(&item);
            let (label, actual) = (change.before.label(), item.value.as_deref().unwrap_or("no value"));
            let message = if change.is_other_item(&item) {
                format!("the service returned {} instead of {label}", item.label())
            } else {
                format!("{label} should be {}, but the service returned {actual}", value.as_str())
            };
            let error = Error::failed(message).context(format!("could not change {}", change.target));
            let error = error.with_detail(format!("correlation ID: {correlation_id}"));
            RequestError { error, effect: Effect::Possible, correlation_id: Some(correlation_id) }
        }
        Err(error) => error,
    };
    let current = change.before.value.clone();
    if effect == Effect::None && tenant.context.interrupt.is_set() {
        return change.skipped("interrupted");
    }
    if effect <= Effect::Rejected {
        return change.failed(current, error, correlation_id);
    }
    let error = error.with_hint(hint);
    match tenant.api.reread(&change.target).await {
        Ok(item) if value.matches(item.value.as_deref()) => change.changed(item, correlation_id),
        // The service answered with another value, and still has it.
        Ok(item) if is_answered => change.failed(item.value, error, correlation_id),
        // The service may still apply the change.
        Ok(item) => change.unknown(item.value, error, correlation_id),
        Err(_) => change.unknown(None, error, correlation_id),
    }
}

fn verify_hint(target: &Target, context: &Context) -> String {
    format!("check the current value: {}", verify_command(target, context))
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
    let pending = plan.pending_count();
    let question = match plan.changes.len() - pending {
        0 => format!("{pending} will change. Continue?"),
        unchanged => format!("{pending} will change, {unchanged} already up to date. Continue?"),
    };
    let location = tenant.location();
    if tenant.context.ui.confirm(&format!("Changes{location}:\n{plan}{question}")).await? {
        tenant.context.http.reset_deadline();
        return Ok(());
    }
    Err(Error::cancelled())
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
