//! One change. It writes only where the value differs, and compares the answer.

use crate::api::{Client, PolicyValue, ProductPolicy, Target, TokenSource, UpdateError, Updated};
use crate::error::{Error, Result};
use crate::text::sanitize_line;

/// How a change ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    Changed,
    /// The value was the wanted one already; nothing was sent.
    Unchanged,
    /// The value would be changed; nothing was sent.
    Planned,
    Failed,
}

impl Outcome {
    /// The word for it in every output format.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Unchanged => "unchanged",
            Self::Planned => "planned",
            Self::Failed => "failed",
        }
    }
}

/// What is wanted of a product or offer type that was read from the service.
#[derive(Clone, Debug)]
pub struct Change {
    pub target: Target,
    pub before: ProductPolicy,
    /// The wanted value; `None` where it is to stay as it is.
    pub wanted: Option<PolicyValue>,
}

/// What became of a change.
#[derive(Clone, Debug)]
pub struct ChangeRecord {
    /// The product or offer type with its value afterwards, as planned, or none where nobody can tell.
    pub item: ProductPolicy,
    pub previous_value: Option<String>,
    pub outcome: Outcome,
    pub error: Option<String>,
}

/// A change that was carried out, or not.
pub struct ChangeResult {
    pub target: Target,
    pub record: ChangeRecord,
    /// Why it failed, where the change was tried.
    pub failure: Option<Error>,
    /// The correlation id of the request that made the change.
    pub correlation_id: Option<String>,
}

impl Change {
    /// The value to send, where it differs from the value there is.
    pub fn needed(&self) -> Option<PolicyValue> {
        self.wanted.filter(|wanted| !wanted.matches(self.before.value.as_deref()))
    }

    /// Whether the value differs from the wanted one.
    pub fn is_needed(&self) -> bool {
        self.needed().is_some()
    }

    /// What would be done, in words.
    pub fn sentence(&self) -> String {
        sentence(&self.before, self.before.value.as_deref(), self.wanted.map(PolicyValue::as_str))
    }

    /// The record of a change that is not needed, or, as a plan, of one that is.
    pub fn planned(self) -> ChangeRecord {
        match self.needed() {
            None => self.record(Outcome::Unchanged, |_| {}, None),
            Some(wanted) => self.record(Outcome::Planned, |item| item.value = Some(wanted.as_str().to_owned()), None),
        }
    }

    /// The record of a change that was not tried.
    pub fn not_sent(self, why: &str) -> ChangeResult {
        let target = self.target.clone();
        let record = self.record(Outcome::Failed, |_| {}, Some(format!("not sent: {why}")));
        ChangeResult { target, record, failure: None, correlation_id: None }
    }

    /// Sends the change if it is needed. `command_to_see` shows the value as it is, for hints where nobody can tell.
    pub async fn carry_out<T: TokenSource>(
        self,
        client: &Client<'_, T>,
        command_to_see: impl Fn(&Target) -> String,
    ) -> ChangeResult {
        let Some(wanted) = self.needed() else {
            let target = self.target.clone();
            return ChangeResult { target, record: self.planned(), failure: None, correlation_id: None };
        };
        let look = |target: &Target| format!("see what it is now: {}", command_to_see(target));
        match client.update(&self.target, wanted).await {
            Ok(Updated { item: after, correlation_id }) => match self.check(wanted, &after) {
                Ok(()) => ChangeResult {
                    target: self.target.clone(),
                    record: self.record(Outcome::Changed, |item| take_over(item, after), None),
                    failure: None,
                    correlation_id: Some(correlation_id),
                },
                Err(error) => {
                    let error =
                        error.with_detail(format!("correlation id: {correlation_id}")).with_hint(look(&self.target));
                    // An answer for another product says nothing of this one.
                    let value = if self.is_for_another(&after) { None } else { after.value };
                    self.failed(|item| item.value = value, error)
                }
            },
            Err(UpdateError { error, may_have_arrived: true }) => {
                let error = error.with_hint(look(&self.target));
                self.failed(|item| item.value = None, error)
            }
            Err(UpdateError { error, .. }) => self.failed(|_| {}, error),
        }
    }

    /// Whether the service did what was asked for, to the product that was meant.
    fn check(&self, wanted: PolicyValue, after: &ProductPolicy) -> Result<()> {
        let label = self.before.label();
        let wrong = if !wanted.matches(after.value.as_deref()) {
            let shown = after.value.as_deref().unwrap_or("no value");
            format!("{label} was to become {}, but the service shows {shown}", wanted.as_str())
        } else if self.is_for_another(after) {
            format!("the service answered for {} in the place of {label}", after.label())
        } else {
            return Ok(());
        };
        Err(Error::failed(wrong).context(format!("could not change {}", self.target)))
    }

    fn is_for_another(&self, after: &ProductPolicy) -> bool {
        let ids = self.before.id.as_ref().zip(after.id.as_ref());
        ids.is_some_and(|(before, after)| !before.eq_ignore_ascii_case(after))
    }

    fn failed(self, afterwards: impl FnOnce(&mut ProductPolicy), error: Error) -> ChangeResult {
        let (told, target) = (error.summary(), self.target.clone());
        let record = self.record(Outcome::Failed, afterwards, Some(told));
        ChangeResult { target, record, failure: Some(error), correlation_id: None }
    }

    fn record(
        self,
        outcome: Outcome,
        afterwards: impl FnOnce(&mut ProductPolicy),
        error: Option<String>,
    ) -> ChangeRecord {
        let previous_value = self.before.value.clone();
        let mut item = self.before;
        afterwards(&mut item);
        ChangeRecord { item, previous_value, outcome, error }
    }
}

impl ChangeRecord {
    /// What the product is set to now, in words.
    pub fn state(&self) -> String {
        sanitize_line(&format!("{} is {}", self.item.label(), self.item.value.as_deref().unwrap_or("without a value")))
    }

    /// What was done, in words.
    pub fn sentence(&self) -> String {
        sentence(&self.item, self.previous_value.as_deref(), self.item.value.as_deref())
    }
}

/// An answer may leave out what was not asked to change.
fn take_over(item: &mut ProductPolicy, after: ProductPolicy) {
    item.value = after.value;
    item.extra = after.extra;
    item.name = after.name.or(item.name.take());
    item.policy_id = after.policy_id.or(item.policy_id.take());
}

fn sentence(item: &ProductPolicy, from: Option<&str>, to: Option<&str>) -> String {
    sanitize_line(&format!("{}: {} -> {}", item.label(), from.unwrap_or("no value"), to.unwrap_or("no value")))
}

#[cfg(test)]
mod tests;
