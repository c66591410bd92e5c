//! The command tree: combines the arguments of all commands, and dispatches to them.
#![allow(clippy::doc_markdown, reason = "the doc comments of commands are help texts")]

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::commands::baseline::{self, BaselineCommand};
use crate::commands::connect::{self, ConnectArgs};
use crate::commands::disconnect::{self, DisconnectArgs};
use crate::commands::history::{self, HistoryArgs};
use crate::commands::policy::{self, PolicyCommand};
use crate::commands::product::{self, ProductCommand};
use crate::commands::shell::{self, CompletionsArgs, ManArgs};
use crate::commands::undo::{self, UndoArgs};
use crate::commands::{CommandOutput, DEFAULT_JOBS, doctor, export, status, update, with_fallback_hint};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::settings::GlobalArgs;
use crate::usage_error::hide_secret;

const AFTER_HELP: &str = "\
Examples:
  mscommerce connect                            sign in with the browser
  mscommerce product list                      what may people buy for themselves?
  mscommerce product update CFQ7TTC0H9MP --value disabled
  mscommerce product list --value enabled -o json
  mscommerce product update --all --value disabled --dry-run

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

/// Show and change which Microsoft 365 products people in your organisation may buy for themselves.
#[derive(Debug, Parser)]
#[command(
    name = "mscommerce",
    bin_name = "mscommerce",
    version,
    after_help = AFTER_HELP,
    max_term_width = 100
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
    #[command(flatten)]
    pub global: GlobalArgs,
}

impl Cli {
    /// Parses a command line. The first argument is the program name.
    pub fn parse_from_args(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        let arguments: Vec<OsString> = arguments.into_iter().collect();
        let mut command = Self::command();
        let matches = command.try_get_matches_from_mut(&arguments);
        let mut matches = matches.map_err(|error| hide_secret(error, &arguments, &command))?;
        let cli = Self::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command))?;
        // If a global flag is set before and after the command, clap silently drops the values before it.
        let is_tenant =
            |argument: &&OsString| *argument == "--tenant" || argument.as_encoded_bytes().starts_with(b"--tenant=");
        let count = arguments.iter().take_while(|argument| *argument != "--").filter(is_tenant).count();
        if count > cli.global.tenant.len() {
            let message = "--tenant is given before and after the command: give it behind the command, several times for several tenants";
            return Err(command.error(ErrorKind::ArgumentConflict, message));
        }
        Ok(cli)
    }
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Sign in, with the browser unless told otherwise
    #[command(visible_alias = "login")]
    Connect(Box<ConnectArgs>),
    /// Forget the saved sign-in
    #[command(visible_alias = "logout", after_help = disconnect::EXAMPLES)]
    Disconnect(DisconnectArgs),
    /// Who is signed in, where, how and until when; touches no network
    #[command(after_help = status::EXAMPLES)]
    Status,
    /// Show the policies of the tenant
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// List, show and change products and offer types
    #[command(subcommand, visible_alias = "products")]
    Product(ProductCommand),
    /// Keep the tenant's settings as a file, and compare
    #[command(subcommand)]
    Baseline(BaselineCommand),
    /// What this tool changed from this machine; touches no network
    #[command(after_help = history::HELP)]
    History(HistoryArgs),
    /// Revert the newest run of changes, or a given one
    #[command(after_help = undo::HELP)]
    Undo(UndoArgs),
    /// What stands between this machine and the service, step by step; changes nothing
    #[command(after_help = doctor::EXAMPLES)]
    Doctor,
    /// Print the script that lets a shell complete commands, flags and products
    #[command(after_help = shell::COMPLETIONS_HELP)]
    Completions(CompletionsArgs),
    /// Print the manual, or write its pages to a directory
    #[command(after_help = shell::MAN_EXAMPLES)]
    Man(ManArgs),
}

impl Command {
    /// The maximum number of concurrent requests.
    pub fn jobs(&self) -> u8 {
        match self {
            Self::Product(ProductCommand::List(args)) => args.jobs.jobs,
            Self::Product(ProductCommand::Update(args)) => args.jobs.jobs,
            Self::Baseline(BaselineCommand::Check(args)) => args.jobs.jobs,
            Self::Baseline(BaselineCommand::Apply(args)) => args.jobs.jobs,
            _ => DEFAULT_JOBS,
        }
    }

    /// Runs the command.
    pub async fn run(self, context: &Context) -> Result<CommandOutput> {
        let accepts_many_tenants = matches!(
            self,
            Self::Product(ProductCommand::List(_) | ProductCommand::Update(_))
                | Self::Baseline(BaselineCommand::Check(_) | BaselineCommand::Apply(_))
        );
        if context.settings.tenants.len() > 1 && !accepts_many_tenants {
            return Err(Error::usage("--tenant is given more than once, and this command works on one tenant")
                .with_hint("several tenants are for product list, product update, baseline check and baseline apply"));
        }
        let result = match self {
            Self::Connect(args) => connect::run(*args, context).await,
            Self::Disconnect(args) => disconnect::run(&args, context).await,
            Self::Status => status::run(context).await,
            Self::Policy(PolicyCommand::List) => policy::list(context).await,
            Self::Policy(PolicyCommand::Get { policy }) => policy::get(policy, context).await,
            Self::Product(ProductCommand::List(args)) => product::list(args, context).await,
            Self::Product(ProductCommand::Get(args)) => product::get(args, context).await,
            Self::Product(ProductCommand::Update(args)) => update::run(args, context).await,
            Self::Baseline(BaselineCommand::Export(args)) => export::run(args, context).await,
            Self::Baseline(BaselineCommand::Check(args)) => baseline::check(args, context).await,
            Self::Baseline(BaselineCommand::Apply(args)) => baseline::apply(args, context).await,
            Self::History(args) => history::run(&args, context).await,
            Self::Undo(args) => undo::run(args, context).await,
            Self::Doctor => doctor::run(context).await,
            Self::Completions(args) => shell::completions(args),
            Self::Man(args) => shell::man(&args, Cli::command()),
        };
        result.map_err(|error| with_fallback_hint(error, context))
    }
}
