//! The saved sign-ins: they stand in for the session that the PowerShell module keeps in its host.

mod file;
mod model;
#[cfg(any(fuzzing, test))]
pub(super) mod properties;
mod sealing;
mod store;

pub(crate) use model::{Method, SignIn, TenantToken, is_fresh};
pub(crate) use store::{Locked, Lookup, Store};
