//! The commerce policy endpoint: which products people may buy for themselves, read and changed.
//!
//! Paths, bodies and headers are those of Microsoft's MSCommerce module 2.x, whose cmdlets each send one of them.

mod client;
mod error;
mod model;
#[cfg(any(fuzzing, test))]
pub mod proptests;
mod renumbered;

pub use client::{Client, UpdateError, Updated, is_valid_segment};
pub use error::ApiError;
pub use model::{Policy, PolicyValue, ProductPolicy, Scope, Target};
pub use renumbered::replacement;
