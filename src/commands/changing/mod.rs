//! What every command that changes settings does: show the plan, ask, carry it out, keep the record, sum up.

mod summary;
mod watching;

use super::{Context, Ended, Endpoint, suggest};
use crate::cli::ChangeArgs;
use crate::error::{Error, Result};
use crate::output::Output;
use crate::plan::Plan;
use summary::{counted, failure};

pub(super) use watching::{carry_out, history};

/// The failure to ask an offer type for what only products take.
pub(super) fn unfit_for_offer_types() -> Error {
    Error::usage("an offer type takes enabled or disabled; trials are for products only")
}

/// How a plan is to be carried out, if it is.
pub(super) struct Manner {
    dry_run: bool,
    asks: bool,
    jobs: usize,
    /// The run that is taken back.
    undoes: Option<String>,
}

impl Manner {
    /// Refuses what would need an answer that nobody can give.
    pub(super) fn new(args: ChangeArgs, jobs: u8, context: &Context<'_>) -> Result<Self> {
        if !args.yes && !args.dry_run && !context.terminal.facts().input_is_terminal {
            return Err(Error::usage("standard input is no terminal to ask on; nothing was changed")
                .hint("to go ahead without a question, add --yes; to see what would change, --dry-run"));
        }
        Ok(Self { dry_run: args.dry_run, asks: !args.yes, jobs: jobs.into(), undoes: None })
    }

    /// The same for taking a run back.
    pub(super) fn undoing(self, run: &str) -> Self {
        Self { undoes: Some(run.to_owned()), ..self }
    }
}

/// Shows, asks for and carries out a plan, as the person wants it.
pub(super) async fn run(plan: Plan, manner: Manner, endpoint: &Endpoint<'_>, context: &Context<'_>) -> Result<Ended> {
    let place = place(endpoint);
    if manner.dry_run {
        let records = plan.into_records();
        let note = format!("Dry run{place}: {}; nothing was sent.", counted(&records));
        return Ok(Ended { note: Some(note), ..Output::many(records).into() });
    }
    if plan.is_empty() {
        let records = plan.into_records();
        let note = format!("Nothing to change{place}: {} as wanted already.", records.len());
        return Ok(Ended { note: Some(note), ..Output::many(records).into() });
    }
    if manner.asks {
        ask(&plan, endpoint, context).await?;
    }
    let carried = carry_out(plan, manner.jobs, manner.undoes, endpoint, context).await;
    let sum = counted(carried.iter().map(|carried| &carried.record));
    let failure = failure(&carried, &sum, &place, context);
    let note = failure.is_none().then(|| format!("{sum}{place}"));
    let output = Output::many(carried.into_iter().map(|carried| carried.record));
    Ok(Ended { note, failure, ..output.into() })
}

/// Shows what would be done and asks whether to do it. The time to think does not count as the network's.
pub(super) async fn ask(plan: &Plan, endpoint: &Endpoint<'_>, context: &Context<'_>) -> Result<()> {
    let (needed, total) = (plan.needed(), plan.changes.len());
    let call = match (needed, total) {
        (1, 1) => "Make this change?".to_owned(),
        (needed, total) if needed == total => format!("Make these {needed} changes?"),
        (needed, total) => format!("{needed} to change, {} as wanted already. Go ahead?", total - needed),
    };
    let question = format!("To be changed{}:\n{plan}{call}", place(endpoint));
    if context.terminal.confirm(&question).await? {
        context.http.restart_clock();
        return Ok(());
    }
    Err(Error::failed("declined; nothing was changed"))
}

/// Where a change is made, in words.
pub(super) fn place(endpoint: &Endpoint<'_>) -> String {
    endpoint.tokens().tenant_id().map(|tenant| format!(" in the tenant {tenant}")).unwrap_or_default()
}
