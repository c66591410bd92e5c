//! Faults of the network, the services and the machine: drawn at random over whole runs, and one by one.

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
