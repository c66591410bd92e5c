//! `history` and `undo`.

use clap::Args;

#[derive(Args, Debug)]
pub struct HistoryArgs {
    /// How many changes to show, newest first
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: u32,
}

pub const HISTORY_EXAMPLES: &str = "\
With --tenant (an id) or --policy-id, only the changes there.

Examples:
  mscommerce history --limit 5
  mscommerce history -o csv > changes.csv";

pub const UNDO_HELP: &str = "\
The last run is the newest in 'mscommerce history' at this tenant and policy. \
What has been changed again since is left as it is, and named. An undo is a run, too: \
the next undo takes it back.

Examples:
  mscommerce undo --dry-run
  mscommerce undo --yes";
