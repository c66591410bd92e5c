//! The commands: each takes its arguments and a context, and returns data.

mod at_tenant;
mod baseline;
mod changing;
mod completions;
mod connect;
mod disconnect;
mod doctor;
mod history;
mod listing;
mod man;
mod policy;
mod product;
mod products;
mod records;
mod status;
mod suggest;
mod tenants;
mod undo;

use crate::api;
use crate::auth::{Session, TokenCache};
use crate::cli::{BaselineCommand, Command, Deferred};
use crate::error::{Error, Result};
use crate::http;
use crate::interrupt::Interrupt;
use crate::output::Output;
use crate::settings::Settings;
use crate::ui::Ui;

/// What a command works with.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    pub settings: &'a Settings,
    pub terminal: &'a Ui,
    pub http: &'a http::Client<'a>,
    pub interrupt: &'a Interrupt,
}

/// What a command hands back: data, and beside it a failure that does not make the data worthless.
#[derive(Default)]
pub struct CommandOutput {
    pub output: Option<Output>,
    /// A text for a file, in the place of records.
    pub document: Option<String>,
    /// Something good to know, said below the data: above a long table nobody would see it.
    pub note: Option<String>,
    pub failure: Option<Error>,
}

impl From<Output> for CommandOutput {
    fn from(output: Output) -> Self {
        Self { output: Some(output), ..Self::default() }
    }
}

impl<'a> Context<'a> {
    /// The saved sign-ins.
    fn store(&self) -> Result<TokenCache<'a>> {
        Ok(TokenCache::new(&self.settings.state_directory()?, self.terminal))
    }
}

/// The policy endpoint, with the credential of this run.
pub type Endpoint<'a> = api::Client<'a, Session<'a>>;

/// Runs the command of the command line.
pub async fn run(command: Command, context: &Context<'_>) -> Result<CommandOutput> {
    let takes_several = matches!(
        command,
        Command::Products(_) | Command::Baseline(Deferred(BaselineCommand::Check(_) | BaselineCommand::Apply(_)))
    );
    if !context.settings.tenants.is_empty() && !takes_several {
        return Err(Error::usage("--tenant is given more than once, and this command works on one tenant")
            .with_hint("several tenants are for products list, products update, baseline check and baseline apply"));
    }
    match command {
        Command::Connect(Deferred(args)) => connect::run(args, context).await,
        Command::Disconnect(Deferred(args)) => disconnect::run(&args, context).await,
        Command::Status => status::run(context).await,
        Command::Policy(Deferred(command)) => policy::run(command, context).await,
        Command::Products(Deferred(command)) => products::run(command, context).await,
        Command::Product(Deferred(command)) => product::run(command, context).await,
        Command::Baseline(Deferred(command)) => baseline::run(command, context).await,
        Command::History(Deferred(args)) => history::run(&args, context),
        Command::Undo(args) => undo::run(args, context).await,
        Command::Doctor(Deferred(args)) => doctor::run(&args, context).await,
        Command::Completions(Deferred(args)) => completions::run(args),
        Command::Man(Deferred(args)) => man::run(&args),
    }
}
