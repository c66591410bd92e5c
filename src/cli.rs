//! The command tree: combines the arguments of all commands, and dispatches to them.
#![allow(clippy::doc_markdown, reason = "the doc comments of commands are help texts")]

use std::ffi::OsString;

use clap::builder::StyledStr;
use clap::error::ErrorKind;
use clap::{Arg, ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::commands::api::{self, ApiArgs};
use crate::commands::baseline::{self, BaselineCommand};
use crate::commands::connect::{self, ConnectArgs};
use crate::commands::disconnect::{self, DisconnectArgs};
use crate::commands::history::{self, HistoryArgs};
use crate::commands::man::{self, ManArgs};
use crate::commands::policy::{self, PolicyCommand};
use crate::commands::product::{self, ProductCommand};
use crate::commands::shell::{self, CompletionsArgs};
use crate::commands::status::{self, StatusArgs};
use crate::commands::undo::{self, UndoArgs};
use crate::commands::{CommandOutput, DEFAULT_JOBS, doctor, export, update, with_fallback_hint};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::settings::GlobalArgs;
use crate::{cmdlets, help, usage_error};

/// Show and change which Microsoft 365 products people in your organisation may buy for themselves.
#[derive(Debug, Parser)]
#[command(
    name = "mscommerce",
    bin_name = "mscommerce",
    override_usage = "mscommerce <COMMAND> [OPTIONS]",
    version,
    disable_help_subcommand = true,
    max_term_width = 100
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
    #[command(flatten)]
    pub global: GlobalArgs,
}

impl Cli {
    /// The command tree with the `help` command.
    pub fn command_tree() -> clap::Command {
        Self::command().subcommand(help::subcommand())
    }

    /// Parses a command line. The first argument is the program name.
    pub fn parse_from_args(arguments: impl IntoIterator<Item = OsString>) -> Result<Invocation, clap::Error> {
        let mut arguments = cmdlets::translate(arguments);
        if arguments.len() == 1 {
            arguments.push("help".into());
        }
        let mut command = Self::command_tree();
        // Only help needs the whole tree, which takes time to build.
        let contains = |word: &str| arguments.iter().any(|argument| argument == word);
        if contains("-h") || contains("--help") || contains("help") {
            command = help::prepare(command, contains("--help"));
        }
        let matches = command.try_get_matches_from_mut(&arguments);
        let mut matches = matches.map_err(|error| usage_error::improve(error, &arguments, &command))?;
        if let Some(("help", matches)) = matches.subcommand() {
            return help::render(matches, &mut command).map(Invocation::Help);
        }
        if let Some(flag) = dropped_flag(&arguments, &command, &matches) {
            let message = format!("--{flag} is set before and after the command: set it after the command only");
            return Err(command.error(ErrorKind::ArgumentConflict, message));
        }
        let cli = Self::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command))?;
        // clap does not see the conflict if one is set before the command and the other one after it.
        if cli.global.quiet && cli.global.verbose > 0 {
            return Err(command.error(ErrorKind::ArgumentConflict, "--quiet cannot be used with --verbose"));
        }
        Ok(Invocation::Command(Box::new(cli)))
    }
}

/// The global flag with a value that is set before and after the command: clap silently drops the values before it.
fn dropped_flag<'c>(arguments: &[OsString], command: &'c clap::Command, matches: &ArgMatches) -> Option<&'c str> {
    let words = || arguments.iter().map(|argument| argument.to_string_lossy()).take_while(|word| word != "--");
    let flags = command.get_arguments().filter(|arg| arg.is_global_set() && arg.get_action().takes_values());
    let is_dropped = |arg: &&Arg| {
        let is_flag = |word: &str| match (word.strip_prefix("--"), word.strip_prefix('-')) {
            (Some(long), _) => arg.get_long() == long.split('=').next(),
            // After flags without value, as in `-qo json`.
            (None, Some(short)) => {
                short.trim_start_matches(['q', 'v']).chars().next().is_some_and(|short| arg.get_short() == Some(short))
            }
            (None, None) => false,
        };
        let kept = matches.get_raw_occurrences(arg.get_id().as_str()).map_or(0, Iterator::count);
        words().filter(|word| is_flag(word)).count() > kept
    };
    flags.filter(is_dropped).find_map(Arg::get_long)
}

/// What a command line asks for.
pub enum Invocation {
    Command(Box<Cli>),
    Help(StyledStr),
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Sign in (opens a browser by default)
    #[command(visible_alias = "login")]
    Connect(Box<ConnectArgs>),
    /// Sign out
    #[command(visible_alias = "logout", after_long_help = disconnect::EXAMPLES)]
    Disconnect(DisconnectArgs),
    /// Show the current sign-in (works offline)
    #[command(after_long_help = status::EXAMPLES)]
    Status(StatusArgs),
    /// Show the tenant's policies
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// List, show and change products and offer types
    #[command(subcommand, visible_alias = "products")]
    Product(ProductCommand),
    /// Export, check and apply settings from a file
    #[command(subcommand)]
    Baseline(BaselineCommand),
    /// Show the changes made from this machine (works offline)
    #[command(after_long_help = history::HELP)]
    History(HistoryArgs),
    /// Revert the latest run of changes
    #[command(after_long_help = undo::HELP)]
    Undo(UndoArgs),
    /// Diagnose connection, sign-in and permission problems
    #[command(after_long_help = doctor::EXAMPLES)]
    Doctor,
    /// Send a request to the policy endpoint
    #[command(after_long_help = api::HELP)]
    Api(ApiArgs),
    /// Generate a shell completion script
    #[command(after_long_help = shell::COMPLETIONS_HELP)]
    Completions(CompletionsArgs),
    /// Generate manual pages
    #[command(after_long_help = man::EXAMPLES)]
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

    /// The global flags that the command cannot honour. It ignores the environment variables for them.
    const fn unsupported_flags(&self) -> &'static [&'static str] {
        match self {
            Self::Connect(_) => &["--policy-id", "--output", "--query"],
            Self::Disconnect(_) => &["--policy-id", "--tenant", "--output", "--query"],
            Self::Status(_) | Self::Policy(PolicyCommand::List) | Self::Api(_) => &["--policy-id"],
            Self::Baseline(BaselineCommand::Export(_)) => &["--query"],
            Self::History(_) => &["--profile", "--timeout"],
            Self::Completions(_) | Self::Man(_) => {
                &["--policy-id", "--profile", "--tenant", "--output", "--query", "--timeout"]
            }
            _ => &[],
        }
    }

    /// Runs the command.
    pub async fn run(self, context: &Context) -> Result<CommandOutput> {
        let unsupported_flags = self.unsupported_flags();
        if let Some(flag) = context.settings.given_flags().find(|flag| unsupported_flags.contains(flag)) {
            return Err(Error::usage(format!("this command does not use {flag}")).with_hint(format!("omit {flag}")));
        }
        let accepts_many_tenants = matches!(
            self,
            Self::Product(ProductCommand::List(_) | ProductCommand::Update(_))
                | Self::Baseline(BaselineCommand::Check(_) | BaselineCommand::Apply(_))
        );
        if context.settings.tenants.len() > 1 && !accepts_many_tenants {
            return Err(Error::usage("this command works in one tenant, but --tenant is set several times")
                .with_hint("use --tenant once; only product list, product update, baseline check and baseline apply accept several tenants"));
        }
        let result = match self {
            Self::Connect(args) => connect::run(*args, context).await,
            Self::Disconnect(args) => disconnect::run(&args, context).await,
            Self::Status(args) => status::run(&args, context).await,
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
            Self::Api(args) => api::run(args, context).await,
            Self::Completions(args) => shell::completions(args),
            Self::Man(args) => man::run(&args, Cli::command_tree()),
        };
        result.map_err(|error| with_fallback_hint(error, context))
    }
}
