//! The real executable against the simulated tenant: what it prints, how it exits, and what it sends.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

#[path = "../tenant/mod.rs"]
mod tenant;

mod help;
mod output;
mod policies;
mod refusals;
mod update;
mod usage;
mod support;
