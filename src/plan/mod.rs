//! From a desired state to the changes that bring it about: what is wanted of each product, an ordered difference
//! to what the tenant shows, and carrying it out. Everything that changes a setting goes through here.

mod baseline;
mod change;
mod desired;

#[cfg(any(fuzzing, test))]
pub use baseline::properties;
pub use baseline::{Baseline, Comparison, Form, Unknown, export};
pub use change::{Change, ChangeRecord, ChangeResult, Outcome};
pub use desired::{Desired, Plan, Wanted, unaddressable};
