//! Tests of the executable against the simulated tenant.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]
#![allow(clippy::too_many_lines, reason = "inline snapshots are long")]

#[path = "../tenant/mod.rs"]
mod tenant;

// First, because the other modules use its macro.
#[macro_use]
mod support;

mod api;
mod api_errors;
mod application;
mod baseline;
mod connect;
mod connect_browser;
mod connect_device;
mod connect_token;
mod disconnect;
mod docs;
mod doctor;
mod faults;
mod forged_lines;
mod help;
mod history;
mod leaks;
mod man;
mod network;
mod output;
mod policies;
mod products_update;
mod query;
mod readme;
#[cfg(unix)]
mod real_shells;
mod secrecy;
mod shells;
mod status;
mod tenants;
#[cfg(unix)]
mod terminal;
mod token_cache;
mod token_cache_concurrency;
mod token_refresh;
mod trace;
mod update;
mod usage;
mod wording;
