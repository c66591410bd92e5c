//! The commands: one module for each noun, with its arguments, its help and its code. A command returns data; only
//! messages on the way go to [`Ui`](crate::ui::Ui).
#![allow(clippy::doc_markdown, reason = "the doc comments of arguments are help texts")]

mod apply;
pub mod baseline;
pub mod connect;
mod connect_browser;
pub mod disconnect;
pub mod doctor;
pub mod export;
pub mod history;
mod lookup;
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

use clap::Args;

pub use lookup::with_fallback_hint;
pub use tenants::TenantsArgs;

use crate::error::Error;
use crate::output::Output;

/// What a command returns: data, and an error that does not invalidate the data.
#[derive(Default)]
pub struct CommandOutput {
    pub output: Option<Output>,
    /// The content of a file, instead of records.
    pub text: Option<String>,
    /// A summary, printed below the data.
    pub note: Option<String>,
    pub error: Option<Error>,
}

impl From<Output> for CommandOutput {
    fn from(output: Output) -> Self {
        Self { output: Some(output), ..Self::default() }
    }
}

/// The arguments of every command that may change many products.
#[derive(Args, Clone, Copy, Debug)]
pub struct ChangeArgs {
    /// Say what would change, change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask; needed where there is no terminal to ask on
    #[arg(long)]
    pub yes: bool,
}

/// How many requests are sent concurrently.
#[derive(Args, Clone, Copy, Debug)]
pub struct JobsArgs {
    /// How many requests may be on their way at the same time
    #[arg(long, value_name = "N", default_value_t = DEFAULT_JOBS, value_parser = clap::value_parser!(u8).range(1..=64))]
    pub jobs: u8,
}

/// Concurrent requests of a command without `--jobs`.
pub const DEFAULT_JOBS: u8 = 8;
