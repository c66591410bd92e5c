//! One change of a product or offer type, and its result.

use serde::{Deserialize, Serialize};

use crate::api::{PolicyValue, ProductPolicy, Target, value_label};
use crate::error::Error;
use crate::text::sanitize_line;

/// The outcome of a change.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    Changed,
    /// The item already had the wanted value; nothing was sent.
    Unchanged,
    /// Not sent yet: a dry run, or the history before the request.
    Planned,
    /// The item certainly keeps its value.
    Failed,
    /// A request was sent, and nothing shows whether it was or will be applied.
    Unknown,
    /// Not sent, because the run ended before.
    Skipped,
}

impl Outcome {
    /// The value of the field `outcome`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Unchanged => "unchanged",
            Self::Planned => "planned",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
            Self::Skipped => "skipped",
        }
    }
}

/// The current state and the wanted value of one product or offer type.
#[derive(Clone, Debug)]
pub struct Change {
    pub target: Target,
    pub before: ProductPolicy,
    /// `None` keeps the current value.
    pub wanted: Option<PolicyValue>,
}

/// The output record of a change.
#[derive(Clone, Debug)]
pub struct ChangeRecord {
    /// The item as the tenant has it. Its value is `None` if nobody can tell.
    pub item: ProductPolicy,
    pub wanted_value: Option<String>,
    pub previous_value: Option<String>,
    pub outcome: Outcome,
    pub error: Option<String>,
}

/// The result of applying a change.
pub struct ChangeResult {
    pub target: Target,
    pub record: ChangeRecord,
    /// The error of a request; `None` if no request was sent.
    pub error: Option<Error>,
    /// The correlation ID of the last request, if one was sent.
    pub correlation_id: Option<String>,
}

impl Change {
    /// The value to send, or `None` if the item already has the wanted value.
    pub fn value_to_send(&self) -> Option<PolicyValue> {
        self.wanted.filter(|wanted| !wanted.matches(self.before.value.as_deref()))
    }

    /// Whether the current value differs from the wanted one.
    pub fn is_pending(&self) -> bool {
        self.value_to_send().is_some()
    }

    /// The change in one line.
    pub fn summary(&self) -> String {
        summary(&self.before, self.before.value.as_deref(), self.wanted.map(PolicyValue::as_str))
    }

    /// The record of a change that is not pending, or of a dry run.
    pub fn into_planned_record(self) -> ChangeRecord {
        let outcome = if self.is_pending() { Outcome::Planned } else { Outcome::Unchanged };
        let current = self.before.value.clone();
        self.into_record(outcome, current, None)
    }

    /// The result of a change that is not pending.
    pub fn unchanged(self) -> ChangeResult {
        ChangeResult {
            target: self.target.clone(),
            record: self.into_planned_record(),
            error: None,
            correlation_id: None,
        }
    }

    /// The result of a pending change that was not sent.
    pub fn skipped(self, reason: &str) -> ChangeResult {
        let (target, current) = (self.target.clone(), self.before.value.clone());
        let record = self.into_record(Outcome::Skipped, current, Some(format!("not sent: {reason}")));
        ChangeResult { target, record, error: None, correlation_id: None }
    }

    /// The result of a change that a response confirmed.
    pub fn changed(mut self, response: ProductPolicy, correlation_id: Option<String>) -> ChangeResult {
        let (target, previous_value, wanted_value) =
            (self.target.clone(), self.before.value.clone(), self.wanted_value());
        merge_response(&mut self.before, response);
        let record =
            ChangeRecord { item: self.before, wanted_value, previous_value, outcome: Outcome::Changed, error: None };
        ChangeResult { target, record, error: None, correlation_id }
    }

    /// The result of a change that was certainly not applied. `current` is the value that the tenant has.
    pub fn failed(self, current: Option<String>, error: Error, correlation_id: Option<String>) -> ChangeResult {
        self.with_error(Outcome::Failed, current, error, correlation_id)
    }

    /// The result of a change that may have been applied, or may still be. `current` is the value that the tenant has, if
    /// known.
    pub fn unknown(self, current: Option<String>, error: Error, correlation_id: Option<String>) -> ChangeResult {
        self.with_error(Outcome::Unknown, current, error, correlation_id)
    }

    fn with_error(
        self,
        outcome: Outcome,
        current: Option<String>,
        error: Error,
        correlation_id: Option<String>,
    ) -> ChangeResult {
        let target = self.target.clone();
        let record = self.into_record(outcome, current, Some(error.summary()));
        ChangeResult { target, record, error: Some(error), correlation_id }
    }

    /// Whether the response is for another item.
    pub fn is_other_item(&self, after: &ProductPolicy) -> bool {
        after.id.as_ref().is_some_and(|id| !id.eq_ignore_ascii_case(&self.target.id))
    }

    fn into_record(self, outcome: Outcome, current: Option<String>, error: Option<String>) -> ChangeRecord {
        let (previous_value, wanted_value) = (self.before.value.clone(), self.wanted_value());
        let item = ProductPolicy { value: current, ..self.before };
        ChangeRecord { item, wanted_value, previous_value, outcome, error }
    }

    /// The wanted value in the spelling of the service. A change without one keeps the current value.
    pub fn wanted_value(&self) -> Option<String> {
        self.wanted.map(|value| value.as_str().to_owned()).or_else(|| self.before.value.clone())
    }
}

impl ChangeRecord {
    /// The current value, as part of a sentence.
    pub fn current_state(&self) -> String {
        sanitize_line(&format!("{} is {}", self.item.label(), self.item.value.as_deref().unwrap_or("not set")))
    }

    /// The change in one line.
    pub fn summary(&self) -> String {
        summary(&self.item, self.previous_value.as_deref(), self.wanted_value.as_deref())
    }
}

/// Updates an item from a response, which may omit fields that the request did not change.
fn merge_response(item: &mut ProductPolicy, after: ProductPolicy) {
    item.value = after.value;
    item.extra = after.extra;
    item.name = after.name.or(item.name.take());
    item.policy_id = after.policy_id.or(item.policy_id.take());
}

fn summary(item: &ProductPolicy, from: Option<&str>, to: Option<&str>) -> String {
    sanitize_line(&format!("{}: {}", item.label(), format_change(from, to)))
}

/// Formats a change of a value for tables and messages: `Enabled → Trials only`. Without a change, formats the value.
pub fn format_change(from: Option<&str>, to: Option<&str>) -> String {
    let label = |value: Option<&str>| value.map_or("no value", value_label).to_owned();
    let (from, to) = (label(from), label(to));
    if from == to { to } else { format!("{from} → {to}") }
}
