//! The golden set: the recorded behaviour of the executable that a restructuring must not change.
//!
//! Each test runs command lines against the simulated tenant and compares a transcript of them with a snapshot in
//! `golden/snapshots`. Standard error is not recorded. The file modes and paths in a transcript are those of Unix.
//! `INSTA_UPDATE=always cargo test --test golden` records an intended change.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

#[path = "golden/baselines.rs"]
mod baselines;
#[path = "golden/changes.rs"]
mod changes;
#[path = "golden/credentials.rs"]
mod credentials;
#[path = "golden/errors.rs"]
mod errors;
#[path = "golden/files.rs"]
mod files;
#[path = "golden/filters.rs"]
mod filters;
#[path = "golden/lossy_proxy.rs"]
mod lossy_proxy;
#[path = "golden/reading.rs"]
mod reading;
#[path = "golden/session.rs"]
mod session;
#[path = "tenant/mod.rs"]
mod tenant;
#[path = "golden/tenants.rs"]
mod tenants;
#[path = "golden/tools.rs"]
mod tools;
#[path = "golden/updates.rs"]
mod updates;
