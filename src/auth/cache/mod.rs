//! The saved sign-ins: they stand in for the session that the PowerShell module keeps in its host.

mod file;
mod model;
#[cfg(any(fuzzing, test))]
pub mod properties;
mod sealing;
mod store;

pub use model::{CachedCredential, CachedToken, SignInMethod, is_fresh};
pub use store::{CacheLock, Lookup, TokenCache};
