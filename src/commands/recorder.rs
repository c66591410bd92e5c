//! Records the changes of a run in the history, and logs them.

use chrono::Utc;
use uuid::Uuid;

use super::tenants::TenantClient;
use crate::context::Context;
use crate::error::Result;
use crate::history::{HistoryEntry, HistoryWriter};
use crate::plan::{ChangeResult, Outcome};

/// Records the changes of one run. Opens the history file at the first change. The first error is a warning and stops
/// recording, because a change must not fail for it.
pub struct Recorder {
    run: String,
    undoes: Option<String>,
    writer: Option<HistoryWriter>,
    has_failed: bool,
}

impl Recorder {
    /// Creates a recorder with a new run ID. `undoes` is the ID of the run that this run undoes.
    pub fn new(undoes: Option<String>) -> Self {
        Self { run: Uuid::new_v4().to_string(), undoes, writer: None, has_failed: false }
    }

    /// Records a change if it was applied.
    pub fn record(&mut self, tenant: &TenantClient, result: &ChangeResult, context: &Context) {
        let record = &result.record;
        if self.has_failed || record.outcome != Outcome::Changed {
            return;
        }
        let entry = HistoryEntry {
            time: Utc::now(),
            run: self.run.clone(),
            tenant_id: tenant.api.session().tenant_id(),
            account: tenant.api.session().account(),
            policy_id: tenant.api.policy_id().to_owned(),
            scope: result.target.scope,
            id: result.target.id.clone(),
            name: record.item.name.clone(),
            from: record.previous_value.clone(),
            to: record.item.value.clone().unwrap_or_default(),
            correlation_id: result.correlation_id.clone(),
            undoes: self.undoes.clone(),
        };
        if let Err(error) = self.append(&entry, context) {
            self.has_failed = true;
            let (from, error) = (record.item.label(), error.summary());
            context.ui.warn(&format!(
                "from {from} on, the changes of this run are not recorded, and 'undo' will not know them: {error}"
            ));
        }
    }

    fn append(&mut self, entry: &HistoryEntry, context: &Context) -> Result<()> {
        if self.writer.is_none() {
            self.writer = Some(HistoryWriter::open(&context.settings.state_directory()?)?);
        }
        self.writer.as_ref().map_or(Ok(()), |writer| writer.append(entry))
    }

    /// Flushes the recorded changes to disk, so that they survive a power failure.
    pub fn sync(&self, context: &Context) {
        if let (Some(writer), false) = (&self.writer, self.has_failed)
            && let Err(error) = writer.sync()
        {
            context.ui.warn(&error.summary());
        }
    }
}

/// Logs the result of a change at `-v`.
pub fn log_result(tenant: &TenantClient, result: &ChangeResult, many_tenants: bool) {
    let record = &result.record;
    let tenant_suffix = if many_tenants { format!(" at {}", tenant.name()) } else { String::new() };
    tenant.context.ui.debug(&match record.outcome {
        Outcome::Unchanged => return,
        Outcome::Failed => {
            format!("failed{tenant_suffix}: {}: {}", record.item.label(), record.error.as_deref().unwrap_or_default())
        }
        outcome => format!("{}{tenant_suffix}: {}", outcome.as_str(), record.summary()),
    });
}
