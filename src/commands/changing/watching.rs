//! Carrying out a plan: how far it is, and the record of what was changed.

use std::cell::RefCell;

use chrono::Utc;
use uuid::Uuid;

use super::{Context, Endpoint};
use crate::commerce::Target;
use crate::error::Result;
use crate::history::{Entry, EntryScope, Journal};
use crate::interrupt::OnItsWay;
use crate::plan::{self, Carried, Outcome, Plan, Watch};
use crate::report::Report;
use crate::text::quoted;

/// Carries out a plan and records what was changed. Changes that are on their way are not cut short by Ctrl-C, for
/// then nobody would know what became of them. `undoes` names the run that is taken back.
pub(in crate::commands) async fn carry_out(
    plan: Plan,
    jobs: usize,
    undoes: Option<String>,
    endpoint: &Endpoint<'_>,
    context: &Context<'_>,
) -> Vec<Carried> {
    let needed = plan.needed();
    let on_its_way = match plan.changes.as_slice() {
        [only] => OnItsWay {
            is_one: true,
            hints: vec![format!("see what it is now: {}", command_to_see(&only.target, context))],
        },
        _ => OnItsWay {
            is_one: false,
            hints: vec![
                format!("see what was changed: {}", history(endpoint)),
                format!("see what they are now: {}", context.settings.command("mscommerce products list --scope all")),
            ],
        },
    };
    let watching = Watching {
        recording: RefCell::new(Recording::NotYet),
        run: Uuid::new_v4().to_string(),
        undoes,
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

/// The command that shows what was changed at this tenant, whose id the record names.
pub(in crate::commands) fn history(endpoint: &Endpoint<'_>) -> String {
    let tenant = endpoint.tokens().tenant_id().map(|id| format!(" --tenant {}", quoted(&id)));
    format!("mscommerce history{}", tenant.unwrap_or_default())
}

fn command_to_see(target: &Target, context: &Context<'_>) -> String {
    let option = if matches!(target, Target::OfferType(_)) { "--offer-type " } else { "" };
    context.settings.command(&format!("mscommerce product get {option}{}", quoted(target.id())))
}

/// Follows the changes of one run: shows how far it is, and records what was changed.
struct Watching<'w> {
    recording: RefCell<Recording>,
    run: String,
    /// The run that this one takes back.
    undoes: Option<String>,
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
            undoes: self.undoes.clone(),
        };
        if let Err(error) = self.recording.borrow_mut().add(&entry, self.context) {
            let (from, told) = (record.item.label(), error.one_line());
            self.context.terminal.warn(&format!(
                "from {from} on, the changes of this run are not recorded, and 'undo' will not know them: {told}"
            ));
        }
    }

    fn finish(&self) {
        if let Recording::Open(journal) = self.recording.replace(Recording::Failed)
            && let Err(error) = journal.finish()
        {
            self.context.terminal.warn(&error.one_line());
        }
    }
}

/// The record of changes of one run. A change is not held up where it cannot be recorded; where nothing is changed
/// nothing is opened.
enum Recording {
    NotYet,
    Open(Journal),
    /// The person has been told.
    Failed,
}

impl Recording {
    fn add(&mut self, entry: &Entry, context: &Context<'_>) -> Result<()> {
        if matches!(self, Self::NotYet) {
            // Should that fail, it is said once, however many changes follow.
            *self = Self::Failed;
            *self = Self::Open(Journal::open(&context.settings.state_directory()?)?);
        }
        let Self::Open(journal) = self else { return Ok(()) };
        let added = journal.append(entry);
        if added.is_err() {
            *self = Self::Failed;
        }
        added
    }
}
