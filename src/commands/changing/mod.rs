//! What every command that changes settings does: show the plan, ask, carry it out, keep the record, sum up.

mod summary;
mod watching;

use super::at_tenant::TenantClient;
use super::tenants::Found;
use super::{CommandOutput, Context, Endpoint, suggest};
use crate::api::Access;
use crate::cli::ChangeArgs;
use crate::error::{Error, ErrorKind, Result};
use crate::output::Output;
use crate::plan::{ChangeRecord, Outcome, Plan};
use summary::{counted, failure};

pub use watching::{Planned, carry_out, history};

/// The failure to ask an offer type for what only products take.
pub fn offer_type_value_error() -> Error {
    Error::usage("an offer type takes enabled or disabled; trials are for products only")
}

/// How a plan is to be carried out, if it is.
pub struct ApplyOptions {
    dry_run: bool,
    asks: bool,
    jobs: usize,
    /// The run that is taken back.
    undoes: Option<String>,
}

impl ApplyOptions {
    /// Refuses what would need an answer that nobody can give.
    pub fn new(args: ChangeArgs, jobs: u8, context: &Context<'_>) -> Result<Self> {
        if !args.yes && !args.dry_run && !context.terminal.facts().input_is_terminal {
            return Err(Error::usage("standard input is no terminal to ask on; nothing was changed")
                .with_hint("to go ahead without a question, add --yes; to see what would change, --dry-run"));
        }
        context.http.limit(jobs);
        Ok(Self { dry_run: args.dry_run, asks: !args.yes, jobs: jobs.into(), undoes: None })
    }

    /// The same for several tenants, whose plans are too long to be asked about.
    pub fn over_tenants(args: ChangeArgs, jobs: u8, context: &Context<'_>) -> Result<Self> {
        if !args.yes && !args.dry_run {
            return Err(Error::usage("changes at several tenants need --yes; nothing was changed")
                .with_hint("to see what would change at each of them, add --dry-run"));
        }
        Self::new(args, jobs, context)
    }

    /// The same for taking a run back.
    pub fn undoing(self, run: &str) -> Self {
        Self { undoes: Some(run.to_owned()), ..self }
    }

    /// What the credential has to be good for.
    pub fn purpose(&self) -> Access {
        if self.dry_run { Access::Read } else { Access::Write }
    }
}

/// Shows, asks for and carries out a plan, as the person wants it.
pub async fn run(
    plan: Plan,
    manner: ApplyOptions,
    endpoint: &Endpoint<'_>,
    context: &Context<'_>,
) -> Result<CommandOutput> {
    let place = place(endpoint);
    if manner.dry_run {
        let records = plan.into_records();
        let note = format!("Dry run{place}: {}; nothing was sent.", counted(&records));
        return Ok(CommandOutput { note: Some(note), ..Output::many(records).into() });
    }
    if plan.is_empty() {
        let records = plan.into_records();
        let note = format!("Nothing to change{place}: {} as wanted already.", records.len());
        return Ok(CommandOutput { note: Some(note), ..Output::many(records).into() });
    }
    if manner.asks {
        ask(&plan, endpoint, context).await?;
    }
    let plans = vec![Planned { plan, endpoint, context }];
    let carried = carry_out(plans, manner.jobs, manner.undoes.as_deref(), context).await.into_iter().next();
    let carried = carried.unwrap_or_default();
    let sum = counted(carried.iter().map(|carried| &carried.record));
    let failure = failure(&carried, &sum, &place, context.interrupt.is_set(), context);
    let note = failure.is_none().then(|| format!("{sum}{place}"));
    let output = Output::many(carried.into_iter().map(|carried| carried.record));
    Ok(CommandOutput { note, failure, ..output.into() })
}

/// Carries out the plans of several tenants. The failures of those that could not be read are told in the end.
pub async fn run_over_tenants(
    found: Found<'_, Plan>,
    manner: ApplyOptions,
    context: &Context<'_>,
) -> Result<CommandOutput> {
    let Found { read, mut failures } = found;
    let places: Vec<&TenantClient<'_>> = read.iter().map(|(place, _)| *place).collect();
    if manner.dry_run || read.iter().all(|(_, plan)| plan.is_empty()) {
        let records: Vec<Vec<ChangeRecord>> = read.into_iter().map(|(_, plan)| plan.into_records()).collect();
        let sum = counted(records.iter().flatten());
        let note = if manner.dry_run {
            format!("Dry run at {}: {sum}; nothing was sent.", at(&places))
        } else {
            format!("Nothing to change at {}: {sum}.", at(&places))
        };
        let note = (!places.is_empty()).then_some(note);
        return Ok(CommandOutput { note, failure: failures.into_error(), ..over(&places, records).into() });
    }
    let plans =
        read.into_iter().map(|(place, plan)| Planned { plan, endpoint: &place.endpoint, context: &place.context });
    let carried = carry_out(plans.collect(), manner.jobs, None, context).await;
    let sum = counted(carried.iter().flatten().map(|carried| &carried.record));
    for (place, carried) in places.iter().zip(&carried) {
        if carried.iter().any(|carried| carried.record.outcome == Outcome::Failed) {
            let sum = counted(carried.iter().map(|carried| &carried.record));
            failures.extend(place, failure(carried, &sum, "", false, &place.context));
        }
    }
    let is_one = failures.total() == 1;
    let in_all = |error: Error| if is_one { error } else { error.with_detail(format!("in all: {sum}")) };
    let failure = failures.into_error().map(in_all);
    let failure = match failure {
        failure if !context.interrupt.is_set() => failure,
        Some(failure) => Some(failure.context("interrupted").with_kind(ErrorKind::Interrupted)),
        None => Some(Error::interrupted().with_detail(format!("in all: {sum}"))),
    };
    let note = failure.is_none().then(|| format!("{sum} at {}", at(&places)));
    let records = carried.into_iter().map(|carried| carried.into_iter().map(|carried| carried.record).collect());
    Ok(CommandOutput { note, failure, ..over(&places, records.collect()).into() })
}

fn at(places: &[&TenantClient<'_>]) -> String {
    match places.len() {
        1 => "1 tenant".to_owned(),
        several => format!("{several} tenants"),
    }
}

/// The records of each place, in one list.
fn over(places: &[&TenantClient<'_>], records: Vec<Vec<ChangeRecord>>) -> Output {
    let of_place = |(place, records): (&&TenantClient<'_>, Vec<ChangeRecord>)| {
        let id = place.id();
        records.into_iter().map(move |record| (id.clone(), record))
    };
    Output::over_tenants(places.iter().zip(records).flat_map(of_place))
}

/// Shows what would be done and asks whether to do it. The time to think does not count as the network's.
pub async fn ask(plan: &Plan, endpoint: &Endpoint<'_>, context: &Context<'_>) -> Result<()> {
    let (needed, total) = (plan.needed(), plan.changes.len());
    let call = match (needed, total) {
        (1, 1) => "Make this change?".to_owned(),
        (needed, total) if needed == total => format!("Make these {needed} changes?"),
        (needed, total) => format!("{needed} to change, {} as wanted already. Go ahead?", total - needed),
    };
    let question = format!("To be changed{}:\n{plan}{call}", place(endpoint));
    if context.terminal.confirm(&question).await? {
        context.http.reset_deadline();
        return Ok(());
    }
    Err(Error::failed("declined; nothing was changed"))
}

/// Where a change is made, in words.
pub fn place(endpoint: &Endpoint<'_>) -> String {
    endpoint.tokens().tenant_id().map(|tenant| format!(" in the tenant {tenant}")).unwrap_or_default()
}
