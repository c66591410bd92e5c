//! The commands: one module per noun, with its arguments, help and code. A command returns data and writes only status
//! messages to [`Ui`](crate::ui::Ui).
#![allow(clippy::doc_markdown, reason = "the doc comments of arguments are help texts")]

pub mod api;
mod apply;
pub mod baseline;
pub mod completion;
pub mod connect;
mod connect_browser;
pub mod disconnect;
pub mod doctor;
pub mod export;
pub mod history;
mod lookup;
pub mod man;
pub mod policy;
pub mod product;
mod recorder;
mod selection;
pub mod shell;
mod sign_in_saver;
pub mod status;
mod summary;
mod tenants;
pub mod undo;
pub mod update;

use clap::Args;

pub use lookup::with_fallback_hint;
pub use tenants::TenantsArgs;

use crate::error::Error;
use crate::output::Output;

/// The result of a command: data, and an error that leaves the data valid.
#[derive(Default)]
pub struct CommandOutput {
    pub output: Option<Output>,
    /// File content to print instead of records.
    pub text: Option<String>,
    /// A summary, printed below the data.
    pub note: Option<String>,
    /// Whether the note says the same as the data. If so, it is not printed below a table.
    pub note_repeats_data: bool,
    pub error: Option<Error>,
}

impl From<Output> for CommandOutput {
    fn from(output: Output) -> Self {
        Self { output: Some(output), ..Self::default() }
    }
}

/// Arguments of commands that change products.
#[derive(Args, Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct ChangeArgs {
    /// Preview the changes without applying them
    #[arg(long, alias = "what-if")]
    pub dry_run: bool,
    /// Skip the confirmation prompt
    #[arg(long)]
    pub yes: bool,
    /// Always ask for confirmation
    #[arg(long, conflicts_with = "yes")]
    pub confirm: bool,
    /// Do not record the changes in the history
    #[arg(long, hide_short_help = true)]
    pub no_history: bool,
}

/// The `--jobs` flag.
#[derive(Args, Clone, Copy, Debug)]
pub struct JobsArgs {
    /// Maximum number of concurrent requests
    #[arg(long, value_name = "N", hide_short_help = true, default_value_t = DEFAULT_JOBS, value_parser = clap::value_parser!(u8).range(1..=64))]
    pub jobs: u8,
}

/// Maximum number of concurrent requests without `--jobs`.
pub const DEFAULT_JOBS: u8 = 8;
