//! `baseline`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::products::{ChangeArgs, JobsArgs, TenantsArgs};

#[derive(Debug, Subcommand)]
pub enum BaselineCommand {
    /// Write the tenant's settings as a file
    #[command(after_help = EXPORT_EXAMPLES)]
    Export(ExportArgs),
    /// Print what differs from the file; exit code 3 where something does
    #[command(after_help = CHECK_EXAMPLES)]
    Check(CheckArgs),
    /// Change what differs from the file
    #[command(after_help = APPLY_EXAMPLES)]
    Apply(ApplyArgs),
}

#[derive(Args, Debug)]
pub struct ExportArgs {
    /// The file to write: TOML, or JSON where its name ends in .json [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Replace a file that is there already
    #[arg(long, requires = "file")]
    pub force: bool,
}

#[derive(Args, Debug)]
pub struct CheckArgs {
    /// The baseline: TOML, or JSON where its name ends in .json
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    #[command(flatten)]
    pub jobs: JobsArgs,
    #[command(flatten)]
    pub tenants: TenantsArgs,
}

#[derive(Args, Debug)]
pub struct ApplyArgs {
    /// The baseline: TOML, or JSON where its name ends in .json
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Go on where the file names ids that the tenant does not have
    #[arg(long)]
    pub ignore_unknown: bool,
    #[command(flatten)]
    pub change: ChangeArgs,
    #[command(flatten)]
    pub jobs: JobsArgs,
    #[command(flatten)]
    pub tenants: TenantsArgs,
}

const EXPORT_EXAMPLES: &str = "\
Examples:
  mscommerce baseline export --file baseline.toml
  mscommerce baseline export -o json";

const CHECK_EXAMPLES: &str = "\
Examples:
  mscommerce baseline check baseline.toml
  mscommerce baseline check baseline.toml -o markdown >> \"$GITHUB_STEP_SUMMARY\"
  mscommerce baseline check baseline.toml --tenants-file customers.txt";

const APPLY_EXAMPLES: &str = "\
Examples:
  mscommerce baseline apply baseline.toml --dry-run
  mscommerce baseline apply baseline.toml --yes";
