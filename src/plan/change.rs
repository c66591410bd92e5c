//! One change of a product or offer type, and its result.

use crate::api::{PolicyValue, ProductPolicy, Target};
use crate::error::{Error, Result};
use crate::text::sanitize_line;

/// The outcome of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    Changed,
    /// The item already had the wanted value; nothing was sent.
    Unchanged,
    /// The change is pending in a dry run; nothing was sent.
    Planned,
    Failed,
}

impl Outcome {
    /// The value of the field `outcome`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Unchanged => "unchanged",
            Self::Planned => "planned",
            Self::Failed => "failed",
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
    /// The item after the change. Its value is `None` if the current value is unknown.
    pub item: ProductPolicy,
    pub previous_value: Option<String>,
    pub outcome: Outcome,
    pub error: Option<String>,
}

/// The result of applying a change.
pub struct ChangeResult {
    pub target: Target,
    pub record: ChangeRecord,
    /// The error of a request that failed; `None` if no request was sent.
    pub error: Option<Error>,
    /// The correlation id of a request that succeeded.
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
        if let Some(value) = self.value_to_send() {
            return self.into_record(Outcome::Planned, Some(value.as_str().to_owned()), None);
        }
        let current = self.before.value.clone();
        self.into_record(Outcome::Unchanged, current, None)
    }

    /// The result of a change that is not pending.
    pub fn unchanged(self) -> ChangeResult {
        let (target, record) = (self.target.clone(), self.into_planned_record());
        ChangeResult { target, record, error: None, correlation_id: None }
    }

    /// The result of a pending change that was not sent.
    pub fn skipped(self, reason: &str) -> ChangeResult {
        let (target, current) = (self.target.clone(), self.before.value.clone());
        let record = self.into_record(Outcome::Failed, current, Some(format!("not sent: {reason}")));
        ChangeResult { target, record, error: None, correlation_id: None }
    }

    /// The result of a change that the response confirmed.
    pub fn changed(mut self, response: ProductPolicy, correlation_id: String) -> ChangeResult {
        let (target, previous_value) = (self.target.clone(), self.before.value.clone());
        merge_response(&mut self.before, response);
        let record = ChangeRecord { item: self.before, previous_value, outcome: Outcome::Changed, error: None };
        ChangeResult { target, record, error: None, correlation_id: Some(correlation_id) }
    }

    /// The result of a failed change. `current` is the current value if known.
    pub fn failed(self, current: Option<String>, error: Error) -> ChangeResult {
        let target = self.target.clone();
        let record = self.into_record(Outcome::Failed, current, Some(error.summary()));
        ChangeResult { target, record, error: Some(error), correlation_id: None }
    }

    /// Fails unless the response contains the sent value for this item.
    pub fn verify(&self, value: PolicyValue, after: &ProductPolicy) -> Result<()> {
        let label = self.before.label();
        let mismatch = if !value.matches(after.value.as_deref()) {
            let actual = after.value.as_deref().unwrap_or("no value");
            format!("{label} was to become {}, but the service shows {actual}", value.as_str())
        } else if self.is_other_item(after) {
            format!("the service answered for {} in the place of {label}", after.label())
        } else {
            return Ok(());
        };
        Err(Error::failed(mismatch).context(format!("could not change {}", self.target)))
    }

    /// Whether the response is for another item.
    pub fn is_other_item(&self, after: &ProductPolicy) -> bool {
        let ids = self.before.id.as_ref().zip(after.id.as_ref());
        ids.is_some_and(|(before, after)| !before.eq_ignore_ascii_case(after))
    }

    fn into_record(self, outcome: Outcome, current: Option<String>, error: Option<String>) -> ChangeRecord {
        let previous_value = self.before.value.clone();
        ChangeRecord { item: ProductPolicy { value: current, ..self.before }, previous_value, outcome, error }
    }
}

impl ChangeRecord {
    /// The current value, as part of a sentence.
    pub fn current_state(&self) -> String {
        sanitize_line(&format!("{} is {}", self.item.label(), self.item.value.as_deref().unwrap_or("without a value")))
    }

    /// The change in one line.
    pub fn summary(&self) -> String {
        summary(&self.item, self.previous_value.as_deref(), self.item.value.as_deref())
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
    sanitize_line(&format!("{}: {} -> {}", item.label(), from.unwrap_or("no value"), to.unwrap_or("no value")))
}
