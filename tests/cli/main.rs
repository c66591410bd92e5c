//! The real executable against the simulated tenant: what it prints, how it exits, and what it sends.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

#[path = "../tenant/mod.rs"]
mod tenant;

mod application;
mod baseline;
mod bulk;
mod connect;
mod connect_browser;
mod connect_device;
mod connect_token;
mod disconnect;
mod doctor;
mod documents;
mod faults;
mod help;
mod history;
mod network;
mod output;
mod policies;
#[cfg(unix)]
mod pty;
mod query;
mod readme;
mod refusals;
mod saved;
mod saved_file;
mod saved_together;
mod secrecy;
mod servers;
mod shells;
mod status;
mod support;
mod tenants;
#[cfg(unix)]
mod terminal;
mod update;
mod usage;
