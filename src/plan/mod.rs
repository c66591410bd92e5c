//! Computes the changes from the listed state of a tenant to a desired state. Sends no request.

mod baseline;
mod change;
mod export;

use std::collections::BTreeMap;
use std::fmt;

use crate::api::{PolicyValue, ProductPolicy, Scope, Target, allows_missing_trial};
use crate::error::{Error, Result};
use crate::text::display_excerpt;

#[cfg(any(fuzzing, test))]
pub use baseline::proptests;
pub use baseline::{Baseline, Comparison, FileFormat, MAX_FILE_SIZE as MAX_BASELINE_SIZE, UnknownEntry};
pub use change::{Change, ChangeRecord, ChangeResult, Outcome, format_change};
pub use export::export;

/// The wanted value of one product or offer type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    Set(PolicyValue),
    /// Keeps the current value; the item is still part of the plan.
    Keep,
}

/// The desired state of a tenant: wanted values by target, and an optional default for all other items.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Desired {
    wanted: BTreeMap<Target, Wanted>,
    default: Option<PolicyValue>,
}

impl Desired {
    /// Creates a desired state with a default value for items without an entry. Without a default, a plan does not
    /// contain those items. The default applies only to items that accept it: offer types do not accept trials.
    pub fn with_default(default: Option<PolicyValue>) -> Self {
        Self { default, ..Self::default() }
    }

    /// Sets the wanted value of a target. Returns whether the target is new.
    pub fn insert(&mut self, target: Target, wanted: Wanted) -> bool {
        self.wanted.insert(target, wanted).is_none()
    }

    fn get(&self, target: &Target) -> Option<Wanted> {
        let default = || self.default.filter(|value| target.scope.accepts(*value)).map(Wanted::Set);
        self.wanted.get(target).copied().or_else(default)
    }

    /// The default value if it applies to an item without a target and differs from its value.
    fn default_for_unaddressable(&self, item: &ProductPolicy) -> Option<PolicyValue> {
        // An unknown scope accepts what both known scopes accept.
        let scope = item.scope().unwrap_or(Scope::OfferType);
        self.default.filter(|value| scope.accepts(*value) && !value.matches(item.value.as_deref()))
    }
}

/// The changes from a listing to a desired state, in listing order.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// All listed items of the desired state, including those that already have the wanted value.
    pub changes: Vec<Change>,
    /// Items that differ but cannot be addressed by a request, with the wanted value.
    pub unaddressable: Vec<(ProductPolicy, PolicyValue)>,
}

impl Plan {
    /// Computes the changes. An item that is listed twice is changed once.
    pub fn diff(listed: Vec<ProductPolicy>, desired: &Desired) -> Self {
        let mut plan = Self::default();
        let mut index_by_target: BTreeMap<Target, usize> = BTreeMap::new();
        for before in listed {
            let Some(target) = before.target() else {
                let wanted = desired.default_for_unaddressable(&before);
                plan.unaddressable.extend(wanted.map(|wanted| (before, wanted)));
                continue;
            };
            let wanted = match desired.get(&target) {
                None => continue,
                Some(Wanted::Set(value)) => Some(value),
                Some(Wanted::Keep) => None,
            };
            let change = Change { target, before, wanted };
            match index_by_target.get(&change.target) {
                None => {
                    index_by_target.insert(change.target.clone(), plan.changes.len());
                    plan.changes.push(change);
                }
                Some(index) if !plan.changes[*index].is_pending() => plan.changes[*index] = change,
                Some(_) => {}
            }
        }
        plan
    }

    /// Creates a plan with a single change.
    pub fn single(change: Change) -> Self {
        Self { changes: vec![change], unaddressable: Vec::new() }
    }

    /// Fails if an item differs from the desired state but cannot be addressed by a request.
    pub fn ensure_addressable(&self) -> Result<()> {
        self.unaddressable.first().map_or(Ok(()), |(item, _)| Err(unaddressable(item)))
    }

    /// Whether no change is pending.
    pub fn is_empty(&self) -> bool {
        self.pending_count() == 0
    }

    /// The number of changes that require a request.
    pub fn pending_count(&self) -> usize {
        self.changes.iter().filter(|change| change.is_pending()).count()
    }

    /// The pending changes that allow only trials of a product that is known not to have any.
    pub fn changes_without_trial(&self) -> impl Iterator<Item = &Change> {
        let is_without =
            |change: &&Change| change.value_to_send().is_some_and(|value| allows_missing_trial(&change.target, value));
        self.changes.iter().filter(is_without)
    }

    /// The records of a dry run.
    pub fn into_planned_records(self) -> Vec<ChangeRecord> {
        self.changes.into_iter().map(Change::into_planned_record).collect()
    }
}

/// Formats the pending changes, one per line, sorted by name as in the table of the result.
impl fmt::Display for Plan {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut pending: Vec<&Change> = self.changes.iter().filter(|change| change.is_pending()).collect();
        pending.sort_by_cached_key(|change| change.before.sort_key());
        for change in pending {
            writeln!(formatter, "  {}", change.summary())?;
        }
        Ok(())
    }
}

/// The error for an item that cannot be addressed by a request.
pub fn unaddressable(item: &ProductPolicy) -> Error {
    let reason = match item.scope() {
        None => format!("with the scope '{}', which this version cannot change", display_excerpt(&item.scope)),
        Some(_) => "without an ID, so it cannot be changed".to_owned(),
    };
    Error::failed(format!("the service returned {} {reason}", item.label())).with_detail("nothing was changed")
}

#[cfg(test)]
mod tests;
