//! Faults of the network, the services and the machine: drawn at random over whole runs, and one by one.

mod auth_code_replay;
#[cfg(unix)]
mod ctrl_c;
#[cfg(unix)]
mod disk;
mod schedule;
mod invariants;
mod transient;
mod rows;
mod schedules;
mod service;
mod ambiguous_outcome;
