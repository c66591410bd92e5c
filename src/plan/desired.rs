//! What is wanted, and how it differs from what there is.

use std::collections::BTreeMap;
use std::fmt;

use super::change::{Change, ChangeRecord};
use crate::api::{PolicyValue, ProductPolicy, Scope, Target};
use crate::error::{Error, Result};
use crate::text::display_excerpt;

/// What is wanted of a product or offer type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    Set(PolicyValue),
    /// It is spoken of, and stays as it is.
    Keep,
}

/// A desired state: what is wanted of products by their ids, and of all others.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Desired {
    named: BTreeMap<Target, Wanted>,
    default: Option<PolicyValue>,
}

impl Desired {
    /// Wants nothing of what is not named, or this value. Offer types take no trials, and are then left alone.
    pub fn with_default(default: Option<PolicyValue>) -> Self {
        Self { default, ..Self::default() }
    }

    /// Says what is wanted of a product or offer type. Returns false where that has been said before.
    pub fn insert(&mut self, target: &Target, wanted: Wanted) -> bool {
        self.named.insert(target.clone(), wanted).is_none()
    }

    /// What is wanted of a product or offer type, if anything is.
    fn get(&self, target: &Target) -> Option<Wanted> {
        let named = self.named.get(target).copied();
        named.or_else(|| self.default.filter(|value| target.scope.accepts(*value)).map(Wanted::Set))
    }

    /// The value that the default wants of an item that no request can name, where it has another one.
    fn unaddressable_value(&self, item: &ProductPolicy) -> Option<PolicyValue> {
        // An unknown scope takes what both known scopes take.
        let scope = item.scope().unwrap_or(Scope::OfferType);
        self.default.filter(|value| scope.accepts(*value)).filter(|value| !value.matches(item.value.as_deref()))
    }
}

/// An ordered difference: what is to be changed, and what is right already, in the order of the listing.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    pub changes: Vec<Change>,
    /// What should have another value, and cannot be changed, for no request can name it; with that value.
    pub unaddressable: Vec<(ProductPolicy, PolicyValue)>,
}

/// The failure to change what no request can name.
pub fn unaddressable(item: &ProductPolicy) -> Error {
    let why = match item.scope() {
        None => format!("of the scope '{}', which this version cannot change", display_excerpt(&item.scope)),
        Some(_) => "without an id, so it cannot be changed".to_owned(),
    };
    Error::failed(format!("the service lists {} {why}", item.label())).with_detail("nothing was changed")
}

impl Plan {
    /// The changes that turn what is listed into what is desired. An item that is listed twice is changed once.
    pub fn diff(listed: Vec<ProductPolicy>, desired: &Desired) -> Self {
        let mut unaddressable = Vec::new();
        let mut changes: Vec<Change> = Vec::new();
        let mut places: BTreeMap<Target, usize> = BTreeMap::new();
        for before in listed {
            let Some(target) = before.target() else {
                if let Some(wanted) = desired.unaddressable_value(&before) {
                    unaddressable.push((before, wanted));
                }
                continue;
            };
            let wanted = match desired.get(&target) {
                None => continue,
                Some(Wanted::Set(value)) => Some(value),
                Some(Wanted::Keep) => None,
            };
            let change = Change { target, before, wanted };
            match places.get(&change.target).and_then(|place| changes.get_mut(*place)) {
                None => {
                    places.insert(change.target.clone(), changes.len());
                    changes.push(change);
                }
                Some(listed_before) if !listed_before.is_needed() => *listed_before = change,
                Some(_) => {}
            }
        }
        Self { changes, unaddressable }
    }

    /// A plan of one.
    pub fn single(change: Change) -> Self {
        Self { changes: vec![change], unaddressable: Vec::new() }
    }

    /// Refuses a plan that would leave something as it should not be.
    pub fn ensure_addressable(&self) -> Result<()> {
        self.unaddressable.first().map_or(Ok(()), |(item, _)| Err(unaddressable(item)))
    }

    /// Whether there is nothing to change.
    pub fn is_empty(&self) -> bool {
        self.pending_count() == 0
    }

    /// How many changes are needed.
    pub fn pending_count(&self) -> usize {
        self.changes.iter().filter(|change| change.is_needed()).count()
    }

    /// What would be done, as records.
    pub fn into_planned_records(self) -> Vec<ChangeRecord> {
        self.changes.into_iter().map(Change::into_planned_record).collect()
    }
}

/// The changes that are needed, a line each.
impl fmt::Display for Plan {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for change in self.changes.iter().filter(|change| change.is_needed()) {
            writeln!(formatter, "  {}", change.summary())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
