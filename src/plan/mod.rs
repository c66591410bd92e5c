//! From a desired state to the changes that bring it about: what is wanted of each product, an ordered difference
//! to what the tenant shows, and carrying it out. Everything that changes a setting goes through here.

mod baseline;
mod carrying;
mod change;
mod desired;

#[cfg(any(fuzzing, test))]
pub(crate) use baseline::properties;
pub(crate) use baseline::{Baseline, Comparison, Form, Unknown, export};
pub(crate) use carrying::{Watch, Work, carry_out};
pub(crate) use change::{Carried, Change, ChangeRecord, Outcome};
pub(crate) use desired::{Desired, Plan, Wanted, unnamable};
