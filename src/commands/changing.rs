//! What every command that changes settings does: show the plan, ask, carry it out, keep the record, sum up.

use std::cell::RefCell;

use chrono::Utc;
use uuid::Uuid;

use super::{Context, Ended, Endpoint, suggest};
use crate::cli::ChangeArgs;
use crate::commerce::Target;
use crate::error::{Error, Kind, Result};
use crate::history::{Entry, EntryScope, Journal};
use crate::interrupt::OnItsWay;
use crate::output::Output;
use crate::plan::{self, Carried, ChangeRecord, Outcome, Plan, Watch};
use crate::report::Report;
use crate::text::quoted;

/// So many failures are told in words; the records tell of all.
const MOST_TOLD: usize = 5;

/// How a plan is to be carried out, if it is.
#[derive(Clone, Copy)]
pub(super) struct Manner {
    dry_run: bool,
    asks: bool,
    jobs: usize,
}

impl Manner {
    /// Refuses what would need an answer that nobody can give.
    pub(super) fn new(args: ChangeArgs, jobs: u8, context: &Context<'_>) -> Result<Self> {
        if !args.yes && !args.dry_run && !context.terminal.facts().input_is_terminal {
            return Err(Error::usage("standard input is no terminal to ask on; nothing was changed")
                .hint("to go ahead without a question, add --yes; to see what would change, --dry-run"));
        }
        Ok(Self { dry_run: args.dry_run, asks: !args.yes, jobs: jobs.into() })
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
    let carried = carry_out(plan, manner.jobs, endpoint, context).await;
    let sum = counted(carried.iter().map(|carried| &carried.record));
    let failure = failure(&carried, &sum, context);
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

/// Carries out a plan and records what was changed. Changes that are on their way are not cut short by Ctrl-C, for
/// then nobody would know what became of them.
pub(super) async fn carry_out(plan: Plan, jobs: usize, endpoint: &Endpoint<'_>, context: &Context<'_>) -> Vec<Carried> {
    let needed = plan.needed();
    let on_its_way = match plan.changes.as_slice() {
        [only] => OnItsWay {
            is_one: true,
            hints: vec![format!("see what it is now: {}", command_to_see(&only.target, context))],
        },
        _ => OnItsWay {
            is_one: false,
            hints: vec![
                format!("see what was changed: {}", context.settings.command_for_default_policy("mscommerce history")),
                format!("see what they are now: {}", context.settings.command("mscommerce products list --scope all")),
            ],
        },
    };
    let watching = Watching {
        journal: RefCell::new(if needed > 0 { journal(context) } else { None }),
        run: Uuid::new_v4().to_string(),
        endpoint,
        context,
    };
    if plan.changes.len() > 1 {
        context.terminal.start_progress(needed);
    }
    let carried = context.interrupt.held_off(on_its_way, plan::carry_out(plan, jobs, endpoint, &watching)).await;
    context.terminal.end_progress();
    watching.finish();
    carried
}

fn command_to_see(target: &Target, context: &Context<'_>) -> String {
    let option = if matches!(target, Target::OfferType(_)) { "--offer-type " } else { "" };
    context.settings.command(&format!("mscommerce product get {option}{}", quoted(target.id())))
}

/// The record of changes. A change is not held up where it cannot be recorded, but the person is told.
fn journal(context: &Context<'_>) -> Option<Journal> {
    let opened = context.settings.state_directory().and_then(|directory| Journal::open(&directory));
    opened.map_err(|error| warn_unrecorded(&error, context)).ok()
}

fn warn_unrecorded(error: &Error, context: &Context<'_>) {
    let told = error.one_line();
    context.terminal.warn(&format!("changes of this run are not recorded, and 'undo' will not know them: {told}"));
}

/// Follows the changes of one run: shows how far it is, and records what was changed.
struct Watching<'w> {
    journal: RefCell<Option<Journal>>,
    run: String,
    endpoint: &'w Endpoint<'w>,
    context: &'w Context<'w>,
}

impl Watch for Watching<'_> {
    fn is_interrupted(&self) -> bool {
        self.context.interrupt.is_pressed()
    }

    fn ended(&self, carried: &Carried) {
        let record = &carried.record;
        match (record.outcome, &record.error) {
            (Outcome::Unchanged, _) => return,
            (Outcome::Failed, error) => {
                let why = error.as_deref().unwrap_or_default();
                self.context.terminal.detail(&format!("failed: {}: {why}", record.item.label()));
            }
            _ => self.context.terminal.detail(&format!("{}: {}", record.outcome.name(), record.sentence())),
        }
        if record.outcome == Outcome::Changed {
            self.record(carried);
        }
        self.context.terminal.advance_progress();
    }

    fn command_to_see(&self, target: &Target) -> String {
        command_to_see(target, self.context)
    }
}

impl Watching<'_> {
    fn record(&self, carried: &Carried) {
        let Carried { target, record, .. } = carried;
        let entry = Entry {
            time: Utc::now(),
            run: self.run.clone(),
            tenant_id: self.endpoint.tokens().tenant_id(),
            account: self.endpoint.tokens().account(),
            policy_id: self.endpoint.policy_id().to_owned(),
            scope: EntryScope::from(target),
            id: target.id().to_owned(),
            name: record.item.name.clone(),
            from: record.previous_value.clone(),
            to: record.item.value.clone().unwrap_or_default(),
            correlation_id: carried.correlation_id.clone(),
        };
        let failed = self.journal.borrow().as_ref().and_then(|journal| journal.append(&entry).err());
        if let Some(error) = failed {
            self.journal.take();
            warn_unrecorded(&error, self.context);
        }
    }

    fn finish(&self) {
        if let Some(error) = self.journal.take().and_then(|journal| journal.finish().err()) {
            self.context.terminal.warn(&error.one_line());
        }
    }
}

/// How many ended how: `14 changed, 2 unchanged, 1 failed`.
fn counted<'r>(records: impl IntoIterator<Item = &'r ChangeRecord>) -> String {
    let outcomes: Vec<Outcome> = records.into_iter().map(|record| record.outcome).collect();
    let count = |outcome| outcomes.iter().filter(|other| **other == outcome).count();
    let all = [Outcome::Changed, Outcome::Planned, Outcome::Unchanged, Outcome::Failed];
    let counts = all.map(|outcome| (count(outcome), outcome.name()));
    let counts: Vec<String> =
        counts.iter().filter(|(count, _)| *count > 0).map(|(count, name)| format!("{count} {name}")).collect();
    if counts.is_empty() { "nothing to change".to_owned() } else { counts.join(", ") }
}

/// The failure of a run in which something failed, or that was interrupted.
fn failure(carried: &[Carried], sum: &str, context: &Context<'_>) -> Option<Error> {
    let is_interrupted = context.interrupt.is_pressed();
    let failed = carried.iter().filter(|carried| carried.record.outcome == Outcome::Failed);
    let failures: Vec<&Error> = failed.clone().filter_map(|carried| carried.failure.as_ref()).collect();
    let unsent = failed.clone().count() - failures.len();
    if failed.count() == 0 && !is_interrupted {
        return None;
    }
    let kind = if is_interrupted {
        Kind::Interrupted
    } else if failures.iter().any(|failure| failure.kind() == Kind::SignIn) {
        Kind::SignIn
    } else {
        Kind::Failed
    };
    let headline = if is_interrupted { format!("interrupted: {sum}") } else { sum.to_owned() };
    let mut error = Error::failed(headline).of_kind(kind);
    for failure in failures.iter().take(MOST_TOLD) {
        error = error.detail(failure.one_line());
    }
    if failures.len() > MOST_TOLD {
        error = error.detail(format!("{} more: see the field error", failures.len() - MOST_TOLD));
    }
    if unsent > 0 {
        error = error.detail(format!("not sent: {unsent}"));
    }
    Some(with_hints(error, &failures, context))
}

/// Adds the hints of the failures, each once, and where there are too many the command that shows everything.
fn with_hints(error: Error, failures: &[&Error], context: &Context<'_>) -> Error {
    let mut hints: Vec<String> = Vec::new();
    let general = failures.iter().filter_map(|failure| suggest::general(failure, context.settings));
    for hint in failures.iter().flat_map(|failure| failure.hint_lines()).cloned().chain(general) {
        if !hints.contains(&hint) && hints.len() <= MOST_TOLD {
            hints.push(hint);
        }
    }
    if hints.len() > MOST_TOLD {
        hints.truncate(MOST_TOLD);
        hints.push(context.settings.command("mscommerce products list --scope all"));
    }
    error.hints(hints)
}
