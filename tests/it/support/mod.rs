//! Shared by all tests of the executable.

pub(crate) mod cli;
pub(crate) mod concurrency;
pub(crate) mod env;
pub(crate) mod fixtures;
#[cfg(unix)]
pub(crate) mod pty;
pub(crate) mod server;
#[macro_use]
pub(crate) mod snapshot;
