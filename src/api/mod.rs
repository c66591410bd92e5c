//! Client for the commerce policy endpoint, which controls self-service purchases.
//!
//! Paths, bodies and headers match the requests of Microsoft's MSCommerce module 2.x.

mod article;
mod client;
mod custom;
mod error;
mod model;
mod page;
#[cfg(any(fuzzing, test))]
pub mod proptests;
mod value;

pub use article::{allows_missing_trial, replacement};
pub use client::{Client, Updated, is_valid_segment};
pub use custom::{CustomResponse, resolve_path};
pub use error::{ApiError, RequestError};
pub use model::{Policy, ProductPolicy, Scope, Target, is_product_id};
pub use value::{PolicyValue, value_label};
