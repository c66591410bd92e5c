//! The real executable against the simulated tenant: what it prints, how it exits, and what it sends.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

#[path = "../tenant/mod.rs"]
mod tenant;

mod application;
mod baseline;
mod products_update;
mod connect;
mod connect_browser;
mod connect_device;
mod connect_token;
mod disconnect;
mod doctor;
mod docs;
mod faults;
mod help;
mod history;
mod network;
mod output;
mod policies;
mod query;
mod readme;
mod api_errors;
mod token_refresh;
mod token_cache;
mod token_cache_concurrency;
mod secrecy;
mod shells;
mod status;
mod support;
mod tenants;
#[cfg(unix)]
mod terminal;
mod update;
mod usage;
