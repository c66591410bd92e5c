//! Faults of the network, the services and the machine: drawn at random over whole runs, and one by one.

mod codes;
#[cfg(unix)]
mod ctrl_c;
#[cfg(unix)]
mod disk;
mod drawing;
mod judging;
mod passing;
mod rows;
mod schedules;
mod service;
mod uncertain;
