//! The output records of policies, products, changes and history entries.

use serde_json::Value;

use super::{Content, Record, Row};
use crate::api::{Policy, ProductPolicy};
use crate::history::HistoryEntry;
use crate::plan::ChangeRecord;
use crate::text::format_timestamp;

impl Record for Policy {
    const FIELDS: &'static [&'static str] = &["policyId", "description", "defaultValue"];
    const COLUMNS: &'static [(&'static str, Content)] = &[
        ("ID", Content::Unbroken("policyId")),
        ("DEFAULT", Content::Value("defaultValue")),
        ("DESCRIPTION", Content::Text("description")),
    ];

    fn into_row(self) -> Row {
        Row { values: [self.id, self.description, self.default_value].map(Value::from).into(), extra: self.extra }
    }
}

impl Record for ProductPolicy {
    const FIELDS: &'static [&'static str] = &["policyId", "scope", "id", "name", "policyValue"];
    const COLUMNS: &'static [(&'static str, Content)] =
        &[("NAME", Content::SortedName), ("VALUE", Content::Value("policyValue")), ("ID", Content::Unbroken("id"))];

    fn into_row(self) -> Row {
        let scope = Some(self.scope);
        Row {
            values: [self.policy_id, scope, self.id, self.name, self.value].map(Value::from).into(),
            extra: self.extra,
        }
    }
}

impl Record for ChangeRecord {
    const FIELDS: &'static [&'static str] =
        &["policyId", "scope", "id", "name", "policyValue", "wantedValue", "previousValue", "outcome", "error"];
    const COLUMNS: &'static [(&'static str, Content)] = &[
        ("NAME", Content::SortedName),
        ("CHANGE", Content::Change("previousValue", "wantedValue")),
        ("RESULT", Content::Outcome),
    ];

    fn into_row(self) -> Row {
        let Row { mut values, extra } = self.item.into_row();
        values.extend([self.wanted_value, self.previous_value].map(Value::from));
        values.extend([Value::from(self.outcome.as_str()), Value::from(self.error)]);
        Row { values, extra }
    }
}

impl Record for HistoryEntry {
    const FIELDS: &'static [&'static str] = &[
        "time",
        "run",
        "tenantId",
        "account",
        "policyId",
        "scope",
        "id",
        "name",
        "from",
        "to",
        "outcome",
        "correlationId",
    ];
    const COLUMNS: &'static [(&'static str, Content)] = &[
        ("TIME", Content::Unbroken("time")),
        ("NAME", Content::Name),
        ("CHANGE", Content::Change("from", "to")),
        ("RESULT", Content::Outcome),
        ("RUN", Content::Run),
    ];

    fn into_row(self) -> Row {
        Row {
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
                Value::from(self.outcome.as_str()),
                Value::from(self.correlation_id),
            ],
            ..Row::default()
        }
    }
}
