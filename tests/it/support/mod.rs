//! Shared by all areas of the tests.

pub(crate) mod env;
#[cfg(unix)]
pub(crate) mod pty;
pub(crate) mod server;
