//! Faults of the network, the services and the machine: random ones in complete runs, and single ones.

mod ambiguous_outcome;
mod auth_code_replay;
#[cfg(unix)]
mod ctrl_c;
#[cfg(unix)]
mod disk;
mod invariants;
mod schedule;
mod schedules;
mod service;
mod transient;
