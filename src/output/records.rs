//! How what the service speaks of is shown: the field names of every output format.

use serde_json::Value;

use super::{Record, Row};
use crate::api::{Policy, ProductPolicy};
use crate::history::HistoryEntry;
use crate::plan::ChangeRecord;
use crate::text::format_timestamp;

impl Row for Policy {
    const FIELDS: &'static [&'static str] = &["policyId", "description", "defaultValue"];

    fn record(self) -> Record {
        Record { values: [self.id, self.description, self.default_value].map(Value::from).into(), extra: self.extra }
    }
}

impl Row for ProductPolicy {
    const FIELDS: &'static [&'static str] = &["policyId", "scope", "id", "name", "policyValue"];

    fn record(self) -> Record {
        let scope = Some(self.scope);
        Record {
            values: [self.policy_id, scope, self.id, self.name, self.value].map(Value::from).into(),
            extra: self.extra,
        }
    }
}

impl Row for ChangeRecord {
    const FIELDS: &'static [&'static str] =
        &["policyId", "scope", "id", "name", "policyValue", "previousValue", "outcome", "error"];

    fn record(self) -> Record {
        let Record { mut values, extra } = self.item.record();
        values.extend([Value::from(self.previous_value), Value::from(self.outcome.as_str()), Value::from(self.error)]);
        Record { values, extra }
    }
}

impl Row for HistoryEntry {
    const FIELDS: &'static [&'static str] =
        &["time", "run", "tenantId", "account", "policyId", "scope", "id", "name", "from", "to", "correlationId"];

    fn record(self) -> Record {
        Record {
            values: vec![
                Value::from(format_timestamp(self.time)),
                Value::from(self.run),
                Value::from(self.tenant_id),
                Value::from(self.account),
                Value::from(self.policy_id),
                Value::from(self.scope.as_str()),
                Value::from(self.id),
                Value::from(self.name),
                Value::from(self.from),
                Value::from(self.to),
                Value::from(self.correlation_id),
            ],
            ..Record::default()
        }
    }
}
