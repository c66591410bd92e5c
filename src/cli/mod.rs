//! The command tree: names, flags and help. No behaviour.
#![allow(clippy::doc_markdown, reason = "the comments on commands and flags are the help texts")]

mod baseline;
mod candidates;
mod connect;
mod deferred;
mod doctor;
mod history;
mod product;
mod products;
mod shell;

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{ArgAction, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

pub use baseline::{ApplyArgs, BaselineCommand, CheckArgs, ExportArgs};
pub use candidates::{COMPLETE_VARIABLE, offer as offer_completions};
pub use connect::{ConnectArgs, DisconnectArgs};
pub use deferred::Deferred;
pub use doctor::DoctorArgs;
use doctor::EXAMPLES as DOCTOR_EXAMPLES;
pub use history::HistoryArgs;
use history::{HISTORY_EXAMPLES, UNDO_HELP};
pub use product::{ProductCommand, TargetArgs, UpdateArgs};
pub use products::{ChangeArgs, DEFAULT_JOBS, ListArgs, ProductsCommand, ScopeArg, TenantsArgs, UpdateManyArgs};

use connect::DISCONNECT_EXAMPLES;
use shell::{COMPLETIONS_HELP, MAN_EXAMPLES};
pub use shell::{CompletionsArgs, ManArgs, Shell};

use crate::output::Format;

const EXAMPLES: &str = "\
Examples:
  mscommerce connect                            sign in with the browser
  mscommerce products list                      what may people buy for themselves?
  mscommerce product update CFQ7TTC0H9MP --value disabled
  mscommerce products list --value enabled -o json
  mscommerce products update --all --value disabled --dry-run

Exit codes:
  0 done   1 failed   2 wrong usage   3 'baseline check' found drift
  4 sign-in needed or refused   130 interrupted

Environment:
  MSCOMMERCE_TOKEN       a ready access token; outranks every saved sign-in
  MSCOMMERCE_PROFILE     the profile where --profile is not given
  MSCOMMERCE_OUTPUT      the output format where --output is not given
  MSCOMMERCE_HOME        the directory for sign-ins and the record of changes
  MSCOMMERCE_CLIENT_ID   the client id that 'connect' uses
  MSCOMMERCE_SCOPE       the scope that 'connect' asks for
  MSCOMMERCE_ENDPOINT    the policy endpoint (https, or http to this machine)
  AZURE_TENANT_ID        the tenant for 'connect' and for an application
  AZURE_CLIENT_ID        an application, which needs no 'connect' and outranks
                         every saved sign-in; with AZURE_CLIENT_SECRET, or
                         AZURE_CLIENT_CERTIFICATE_PATH (and …_PASSWORD), or
                         AZURE_FEDERATED_TOKEN_FILE, or GitHub's OIDC
  AZURE_AUTHORITY_HOST   the sign-in service, for national clouds
  HTTPS_PROXY, NO_PROXY, SSL_CERT_FILE, NO_COLOR   as everywhere";

const STATUS_EXAMPLES: &str = "\
Examples:
  mscommerce status
  mscommerce status -q -o tsv >/dev/null || mscommerce connect
  mscommerce status --query tenantId -o tsv";

const POLICY_LIST_EXAMPLES: &str = "\
Examples:
  mscommerce policy list
  mscommerce policy list -o json";

const POLICY_GET_EXAMPLES: &str = "\
Examples:
  mscommerce policy get
  mscommerce policy get AllowSelfServicePurchase --query defaultValue -o tsv";

/// Show and change which Microsoft 365 products people in your organisation may buy for themselves.
#[derive(Debug, Parser)]
#[command(
    name = "mscommerce",
    bin_name = "mscommerce",
    version,
    after_help = EXAMPLES,
    max_term_width = 100
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
    #[command(flatten)]
    pub global: GlobalArgs,
}

/// On a terminal that is narrower, a flag and what it is for do not fit side by side.
const LEAST_COLUMNS_SIDE_BY_SIDE: u16 = 60;

/// On a terminal that is narrower still, clap would put each word on a line of its own: the terminal breaks the lines.
const LEAST_COLUMNS: u16 = 28;

impl Cli {
    /// Reads a command line; the first argument is the name of the program. Help is laid out for a terminal of so many
    /// columns.
    pub fn read(arguments: impl IntoIterator<Item = OsString>, columns: Option<u16>) -> Result<Self, clap::Error> {
        let arguments: Vec<OsString> = arguments.into_iter().collect();
        let mut command = Self::command();
        if let Some(columns) = columns.filter(|columns| *columns < LEAST_COLUMNS_SIDE_BY_SIDE) {
            command = command.next_line_help(true).term_width(columns.max(LEAST_COLUMNS).into());
        }
        let mut matches = command.try_get_matches_from_mut(&arguments)?;
        let cli = Self::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command))?;
        // Of a flag that stands before and after the command, clap would keep what stands after it alone.
        let is_tenant = |word: &&OsString| *word == "--tenant" || word.as_encoded_bytes().starts_with(b"--tenant=");
        let named = arguments.iter().take_while(|word| *word != "--").filter(is_tenant).count();
        if named > cli.global.tenant.len() {
            let message = "--tenant is given before and after the command: give it behind the command, several times for several tenants";
            return Err(command.error(ErrorKind::ArgumentConflict, message));
        }
        Ok(cli)
    }
}

/// Flags that every command takes.
#[derive(Args, Debug)]
#[command(next_help_heading = "Global options")]
pub struct GlobalArgs {
    /// The policy to work on [default: AllowSelfServicePurchase]
    #[arg(long, global = true, value_name = "ID")]
    pub policy_id: Option<String>,
    /// The saved sign-in to use [env: MSCOMMERCE_PROFILE] [default: default]
    #[arg(long, global = true, value_name = "NAME")]
    pub profile: Option<String>,
    /// The tenant: its id or one of its domains [default: the tenant signed in to]
    #[arg(long, global = true, value_name = "TENANT")]
    pub tenant: Vec<String>,
    /// table, json, csv, tsv or markdown [env: MSCOMMERCE_OUTPUT] [default: table]
    #[arg(short, long, global = true, value_name = "FORMAT", ignore_case = true, hide_possible_values = true)]
    pub output: Option<Format>,
    /// A JMESPath expression that picks from the result as -o json prints it
    #[arg(long, global = true, value_name = "JMESPATH")]
    pub query: Option<String>,
    /// How long the network may take, in seconds [default: 100]
    #[arg(long, global = true, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=86_400))]
    pub timeout: Option<u32>,
    /// Say less: only results, questions, warnings and errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say more: each request, its status, its correlation id
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
    /// When to use colour: auto, always or never
    #[arg(long, global = true, value_name = "WHEN", default_value_t, value_enum, hide_possible_values = true)]
    pub color: ColorChoice,
}

/// When to use colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ColorChoice {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Sign in, with the browser unless told otherwise
    #[command(visible_alias = "login")]
    Connect(Deferred<ConnectArgs>),
    /// Forget the saved sign-in
    #[command(visible_alias = "logout", after_help = DISCONNECT_EXAMPLES)]
    Disconnect(Deferred<DisconnectArgs>),
    /// Who is signed in, where, how and until when; touches no network
    #[command(after_help = STATUS_EXAMPLES)]
    Status,
    /// Show the policies of the tenant
    #[command(subcommand)]
    Policy(Deferred<PolicyCommand>),
    /// Work on many products
    #[command(subcommand)]
    Products(Deferred<ProductsCommand>),
    /// Work on one product or offer type
    #[command(subcommand)]
    Product(Deferred<ProductCommand>),
    /// Keep the tenant's settings as a file, and compare
    #[command(subcommand)]
    Baseline(Deferred<BaselineCommand>),
    /// What this tool changed from this machine; touches no network
    #[command(after_help = HISTORY_EXAMPLES)]
    History(Deferred<HistoryArgs>),
    /// Take back the last run's changes
    #[command(after_help = UNDO_HELP)]
    Undo(ChangeArgs),
    /// What stands between this machine and the service, step by step; changes nothing
    #[command(after_help = DOCTOR_EXAMPLES)]
    Doctor(Deferred<DoctorArgs>),
    /// Print the script that lets a shell complete commands, flags and products
    #[command(after_help = COMPLETIONS_HELP)]
    Completions(Deferred<CompletionsArgs>),
    /// Print the manual, or write its pages to a directory
    #[command(after_help = MAN_EXAMPLES)]
    Man(Deferred<ManArgs>),
}

#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// List the policies (Get-MSCommercePolicies)
    #[command(after_help = POLICY_LIST_EXAMPLES)]
    List,
    /// Show one policy (Get-MSCommercePolicy)
    #[command(after_help = POLICY_GET_EXAMPLES)]
    Get {
        /// The policy's id [default: the one of --policy-id]
        #[arg(value_name = "POLICY", conflicts_with = "policy_id")]
        policy: Option<String>,
    },
}
