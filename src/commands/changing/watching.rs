//! Carrying out a plan: how far it is, and the record of what was changed.

use std::cell::RefCell;

use chrono::Utc;
use uuid::Uuid;

use super::{Context, Endpoint};
use crate::api::{Scope, Target};
use crate::error::Result;
use crate::history::{Entry, HistoryWriter};
use crate::interrupt::InFlight;
use crate::plan::{self, Change, ChangeResult, Outcome, Plan, Watch, Work};
use crate::report::Report;
use crate::text::shell_quote_short;

/// A plan, and the tenant at which it is to be carried out.
pub struct Planned<'p> {
    pub plan: Plan,
    pub endpoint: &'p Endpoint<'p>,
    pub context: &'p Context<'p>,
}

/// Carries out plans and records what was changed, as one run. Changes that are on their way are not cut short by
/// Ctrl-C, for then nobody would know what became of them. `undoes` names the run that is taken back.
pub async fn carry_out(
    plans: Vec<Planned<'_>>,
    jobs: usize,
    undoes: Option<&str>,
    context: &Context<'_>,
) -> Vec<Vec<ChangeResult>> {
    let on_its_way = on_its_way(&plans);
    let changes: usize = plans.iter().map(|planned| planned.plan.changes.len()).sum();
    let needed = plans.iter().map(|planned| planned.plan.needed()).sum();
    let (recording, is_several) = (RefCell::new(Recording::NotYet), plans.len() > 1);
    let run = Run { recording, is_several, id: Uuid::new_v4().to_string(), undoes };
    let watching: Vec<Watching<'_>> =
        plans.iter().map(|Planned { endpoint, context, .. }| Watching { run: &run, endpoint, context }).collect();
    let works = plans.into_iter().zip(&watching).map(|(planned, watching)| Work {
        plan: planned.plan,
        client: planned.endpoint,
        watch: watching,
    });
    if changes > 1 {
        context.terminal.start_progress(needed);
    }
    let carried = context.interrupt.defer(on_its_way, plan::carry_out(works.collect(), jobs)).await;
    context.terminal.end_progress();
    run.finish(context);
    carried
}

/// What Ctrl-C has to wait for, and how to see what became of it.
fn on_its_way(plans: &[Planned<'_>]) -> InFlight {
    let hints = match plans {
        [Planned { plan, context, .. }] if plan.changes.len() == 1 => {
            let of_one = |only: &Change| format!("see what it is now: {}", command_to_see(&only.target, context));
            return InFlight { is_one: true, hints: plan.changes.iter().map(of_one).collect() };
        }
        [Planned { endpoint, context, .. }] => vec![
            format!("see what was changed: {}", history(endpoint)),
            format!("see what they are now: {}", context.settings.command("mscommerce products list --scope all")),
        ],
        _ => vec!["see what was changed: mscommerce history".to_owned()],
    };
    InFlight { is_one: false, hints }
}

/// The command that shows what was changed at this tenant, whose id the record names.
pub fn history(endpoint: &Endpoint<'_>) -> String {
    let tenant = endpoint.tokens().tenant_id().map(|id| format!(" --tenant {}", shell_quote_short(&id)));
    format!("mscommerce history{}", tenant.unwrap_or_default())
}

fn command_to_see(target: &Target, context: &Context<'_>) -> String {
    let option = if target.scope == Scope::OfferType { "--offer-type " } else { "" };
    context.settings.command(&format!("mscommerce product get {option}{}", shell_quote_short(&target.id)))
}

/// One run of changes, at however many tenants.
struct Run<'r> {
    recording: RefCell<Recording>,
    is_several: bool,
    id: String,
    /// The run that this one takes back.
    undoes: Option<&'r str>,
}

impl Run<'_> {
    fn finish(&self, context: &Context<'_>) {
        if let Recording::Open(journal) = self.recording.replace(Recording::Failed)
            && let Err(error) = journal.finish()
        {
            context.terminal.warn(&error.summary());
        }
    }
}

/// Follows the changes of a run at one tenant: shows how far it is, and records what was changed.
struct Watching<'w> {
    run: &'w Run<'w>,
    endpoint: &'w Endpoint<'w>,
    context: &'w Context<'w>,
}

impl Watch for Watching<'_> {
    fn is_interrupted(&self) -> bool {
        self.context.interrupt.is_set()
    }

    fn ended(&self, carried: &ChangeResult) {
        let record = &carried.record;
        let tenant = self.context.settings.tenant.as_ref().filter(|_| self.run.is_several);
        let at = tenant.map(|tenant| format!(" at {tenant}")).unwrap_or_default();
        match (record.outcome, &record.error) {
            (Outcome::Unchanged, _) => return,
            (Outcome::Failed, error) => {
                let why = error.as_deref().unwrap_or_default();
                self.context.terminal.debug(&format!("failed{at}: {}: {why}", record.item.label()));
            }
            _ => self.context.terminal.debug(&format!("{}{at}: {}", record.outcome.name(), record.sentence())),
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
    fn record(&self, carried: &ChangeResult) {
        let ChangeResult { target, record, .. } = carried;
        let entry = Entry {
            time: Utc::now(),
            run: self.run.id.clone(),
            tenant_id: self.endpoint.tokens().tenant_id(),
            account: self.endpoint.tokens().account(),
            policy_id: self.endpoint.policy_id().to_owned(),
            scope: target.scope,
            id: target.id.clone(),
            name: record.item.name.clone(),
            from: record.previous_value.clone(),
            to: record.item.value.clone().unwrap_or_default(),
            correlation_id: carried.correlation_id.clone(),
            undoes: self.run.undoes.map(str::to_owned),
        };
        if let Err(error) = self.run.recording.borrow_mut().add(&entry, self.context) {
            let (from, told) = (record.item.label(), error.summary());
            self.context.terminal.warn(&format!(
                "from {from} on, the changes of this run are not recorded, and 'undo' will not know them: {told}"
            ));
        }
    }
}

/// The record of changes of one run. A change is not held up where it cannot be recorded; where nothing is changed
/// nothing is opened.
enum Recording {
    NotYet,
    Open(HistoryWriter),
    /// The person has been told.
    Failed,
}

impl Recording {
    fn add(&mut self, entry: &Entry, context: &Context<'_>) -> Result<()> {
        if matches!(self, Self::NotYet) {
            // Should that fail, it is said once, however many changes follow.
            *self = Self::Failed;
            *self = Self::Open(HistoryWriter::open(&context.settings.state_directory()?)?);
        }
        let Self::Open(journal) = self else { return Ok(()) };
        let added = journal.append(entry);
        if added.is_err() {
            *self = Self::Failed;
        }
        added
    }
}
