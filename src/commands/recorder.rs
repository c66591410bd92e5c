//! Records the changes of a run in the history, and logs them.

use chrono::Utc;
use uuid::Uuid;

use super::tenants::{TenantClient, TenantPlan};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::history::{HistoryEntry, HistoryWriter};
use crate::plan::{Change, ChangeResult, Outcome};
use crate::text::truncate;

/// The maximum length of a recorded name, in characters.
const MAX_NAME_LEN: usize = 300;

/// The run that an undo reverts.
pub struct Undo {
    /// The ID of that run.
    pub run: String,
    /// The changes of that run that the undo leaves as they are, as entries of the undo.
    pub left: Vec<HistoryEntry>,
}

/// Records the changes of one run: all of them before the first request is sent, and each outcome.
pub struct Recorder {
    /// `None` with `--no-history`.
    writer: Option<HistoryWriter>,
    /// The entries of the changes, by tenant.
    entries: Vec<Vec<HistoryEntry>>,
    has_warned: bool,
    has_failed: bool,
}

impl Recorder {
    /// Records the changes of all plans as planned, and writes them to disk, unless `no_history`. `undo` is what the run
    /// undoes, if it is an undo.
    ///
    /// # Errors
    /// Fails if they cannot be recorded. Do not send a change then.
    pub async fn begin(plans: &[TenantPlan], undo: Option<&Undo>, no_history: bool, context: &Context) -> Result<Self> {
        let run = Uuid::new_v4().to_string();
        let entries = plans.iter().map(|TenantPlan { tenant, plan }| {
            plan.changes.iter().map(|change| planned_entry(change, &run, tenant, undo)).collect()
        });
        let mut recorder = Self { writer: None, entries: entries.collect(), has_warned: false, has_failed: false };
        if no_history {
            return Ok(recorder);
        }
        let is_recorded = |entry: &&HistoryEntry| entry.outcome == Outcome::Planned || entry.undoes.is_some();
        let mut planned: Vec<HistoryEntry> = recorder.entries.iter().flatten().filter(is_recorded).cloned().collect();
        planned.extend(undo.iter().flat_map(|undo| &undo.left).map(|entry| HistoryEntry {
            run: run.clone(),
            time: Utc::now(),
            correlation_id: None,
            ..entry.clone()
        }));
        let refused = |error: Error| {
            error
                .context("the changes cannot be recorded, so nothing was changed")
                .with_hint("add --no-history to make the changes without a record; undo cannot revert them")
        };
        let open = || HistoryWriter::open(&context.settings.state_directory()?);
        let writer = open().map_err(refused)?;
        let is_locked = writer.append(&planned, true).await.map_err(refused)?;
        recorder.writer = Some(writer);
        recorder.warn_unless(is_locked, context);
        Ok(recorder)
    }

    /// Records the outcome of a change that was pending.
    pub async fn record(&mut self, tenant: usize, index: usize, result: &ChangeResult, context: &Context) {
        let entry = &mut self.entries[tenant][index];
        let (Some(writer), Outcome::Planned) = (&self.writer, entry.outcome) else { return };
        entry.outcome = result.record.outcome;
        entry.time = Utc::now();
        entry.correlation_id.clone_from(&result.correlation_id);
        match writer.append(std::slice::from_ref(entry), false).await {
            Ok(is_locked) => self.warn_unless(is_locked, context),
            Err(error) if !self.has_failed => {
                self.has_failed = true;
                context.ui.warn(&format!("{}; 'mscommerce history' shows these changes as unknown", error.summary()));
            }
            Err(_) => {}
        }
    }

    fn warn_unless(&mut self, is_locked: bool, context: &Context) {
        if !is_locked && !std::mem::replace(&mut self.has_warned, true) {
            context.ui.warn("the history cannot be locked; changes are recorded without a lock");
        }
    }
}

fn planned_entry(change: &Change, run: &str, tenant: &TenantClient, undo: Option<&Undo>) -> HistoryEntry {
    let session = tenant.api.session();
    let wanted = change.wanted_value().unwrap_or_default();
    HistoryEntry {
        tenant_id: session.tenant_id(),
        account: session.account(),
        name: change.before.name.as_deref().map(|name| truncate(name, MAX_NAME_LEN)),
        from: change.before.value.clone(),
        outcome: if change.is_pending() { Outcome::Planned } else { Outcome::Unchanged },
        undoes: undo.map(|undo| undo.run.clone()),
        ..HistoryEntry::new(run, tenant.api.policy_id(), &change.target, &wanted)
    }
}

/// Logs the result of a change at `-v`.
pub fn log_result(tenant: &TenantClient, result: &ChangeResult, many_tenants: bool) {
    let record = &result.record;
    let tenant_suffix = if many_tenants { format!(" in {}", tenant.name()) } else { String::new() };
    let line = match (record.outcome, &record.error) {
        (Outcome::Unchanged, _) => return,
        (outcome, Some(error)) => format!("{}{tenant_suffix}: {}: {error}", outcome.as_str(), record.item.label()),
        (outcome, None) => format!("{}{tenant_suffix}: {}", outcome.as_str(), record.summary()),
    };
    tenant.context.ui.debug(&line);
}
