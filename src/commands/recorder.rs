//! Records the changes of a run in the history, and logs them.

use chrono::Utc;
use uuid::Uuid;

use super::tenants::TenantClient;
use crate::context::Context;
use crate::error::Result;
use crate::history::{HistoryEntry, HistoryWriter};
use crate::plan::{ChangeResult, Outcome};

/// Records the changes of one run. The file is opened for the first change; after an error, which is reported once,
/// nothing more is recorded, because a change must not fail for it.
pub struct Recorder {
    run: String,
    undoes: Option<String>,
    writer: Option<HistoryWriter>,
    has_failed: bool,
}

impl Recorder {
    /// A new run. `undoes` is the run that it takes back.
    pub fn new(undoes: Option<String>) -> Self {
        Self { run: Uuid::new_v4().to_string(), undoes, writer: None, has_failed: false }
    }

    /// Records a change that was made.
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

    /// Makes sure that the recorded changes survive a power failure.
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
    let at = if many_tenants { format!(" at {}", tenant.name()) } else { String::new() };
    tenant.context.ui.debug(&match record.outcome {
        Outcome::Unchanged => return,
        Outcome::Failed => {
            format!("failed{at}: {}: {}", record.item.label(), record.error.as_deref().unwrap_or_default())
        }
        outcome => format!("{}{at}: {}", outcome.as_str(), record.summary()),
    });
}
