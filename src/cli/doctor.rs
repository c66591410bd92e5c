//! `doctor`.

use clap::Args;

pub const EXAMPLES: &str = "\
Examples:
  mscommerce doctor                      where does it stop, and what helps?
  mscommerce doctor -o markdown          for a ticket: it holds no secret
  mscommerce doctor --tenant customer.example
  mscommerce doctor --live-report        also what only the real service shows

Each step is passed, failed or skipped; exit code 1 where one failed.";

#[derive(Args, Debug)]
pub struct DoctorArgs {
    /// Record, too, what only the real service can show; reads alone
    #[arg(long)]
    pub live_report: bool,
}
