//! Changes: what is wanted, whether it is needed, and carrying it out. A change reads first, writes only where
//! the value differs, and compares the answer.

use crate::commerce::{Client, PolicyValue, ProductPolicy, Target, TokenSource, Unserved};
use crate::error::{Error, Result};

/// How a change ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Changed,
    /// The value was the wanted one already; nothing was sent.
    Unchanged,
    /// The value would be changed; nothing was sent.
    Planned,
    Failed,
}

impl Outcome {
    /// The word for it in every output format.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Unchanged => "unchanged",
            Self::Planned => "planned",
            Self::Failed => "failed",
        }
    }
}

/// A wanted value for a product or offer type that was read from the service.
pub(crate) struct Change {
    pub(crate) target: Target,
    pub(crate) before: ProductPolicy,
    pub(crate) wanted: PolicyValue,
    /// The command that shows the value as it is, for hints where nobody can tell.
    pub(crate) command_to_see: String,
}

/// What became of a change.
#[derive(Debug)]
pub(crate) struct ChangeRecord {
    /// The product or offer type with its value afterwards, as planned, or none where nobody can tell.
    pub(crate) item: ProductPolicy,
    pub(crate) previous_value: Option<String>,
    pub(crate) outcome: Outcome,
    pub(crate) error: Option<String>,
}

impl Change {
    /// Whether the value differs from the wanted one.
    pub(crate) fn is_needed(&self) -> bool {
        !self.wanted.is(self.before.value.as_deref())
    }

    /// What would be done, in words.
    pub(crate) fn sentence(&self) -> String {
        let from = self.before.value.as_deref().unwrap_or("no value");
        format!("{}: {from} -> {}", self.before.label(), self.wanted.wire())
    }

    /// The record of a change that is not needed, or, as a plan, of one that is.
    pub(crate) fn planned(self) -> ChangeRecord {
        if !self.is_needed() {
            return self.record(Outcome::Unchanged, |_| {}, None);
        }
        let wanted = self.wanted.wire().to_owned();
        self.record(Outcome::Planned, |item| item.value = Some(wanted), None)
    }

    /// Sends the change if it is needed. A failure comes beside the record that tells of it.
    pub(crate) async fn carry_out<T: TokenSource>(self, client: &Client<'_, T>) -> (ChangeRecord, Option<Error>) {
        if !self.is_needed() {
            return (self.planned(), None);
        }
        match client.update(&self.target, self.wanted).await {
            Ok(after) => match self.check(&after) {
                Ok(()) => (self.record(Outcome::Changed, |item| *item = after, None), None),
                Err(error) => {
                    // An answer for another product says nothing of this one.
                    let value = if self.is_for_another(&after) { None } else { after.value };
                    self.failed(|item| item.value = value, error)
                }
            },
            Err(Unserved { error, may_have_arrived: true }) => {
                let error = error.hint(self.look());
                self.failed(|item| item.value = None, error)
            }
            Err(Unserved { error, .. }) => self.failed(|_| {}, error),
        }
    }

    /// Whether the service did what was asked for, to the product that was meant.
    fn check(&self, after: &ProductPolicy) -> Result<()> {
        let label = self.before.label();
        if !self.wanted.is(after.value.as_deref()) {
            let shown = after.value.as_deref().unwrap_or("no value");
            return Err(Error::failed(format!(
                "{label} was to become {}, but the service shows {shown}",
                self.wanted.wire()
            ))
            .context(format!("could not change {}", self.target))
            .hint(self.look()));
        }
        if self.is_for_another(after) {
            return Err(Error::failed(format!("the service answered for {} in the place of {label}", after.label()))
                .context(format!("could not change {}", self.target))
                .hint(self.look()));
        }
        Ok(())
    }

    fn is_for_another(&self, after: &ProductPolicy) -> bool {
        let ids = self.before.id.as_ref().zip(after.id.as_ref());
        ids.is_some_and(|(before, after)| !before.eq_ignore_ascii_case(after))
    }

    fn look(&self) -> String {
        format!("see what it is now: {}", self.command_to_see)
    }

    fn failed(self, afterwards: impl FnOnce(&mut ProductPolicy), error: Error) -> (ChangeRecord, Option<Error>) {
        let told = error.one_line();
        (self.record(Outcome::Failed, afterwards, Some(told)), Some(error))
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
    pub(crate) fn state(&self) -> String {
        format!("{} is {}", self.item.label(), self.item.value.as_deref().unwrap_or("without a value"))
    }
}

#[cfg(test)]
mod tests;
