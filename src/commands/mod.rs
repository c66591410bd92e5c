//! The commands: each takes its arguments and a context, and returns data.

mod baseline;
mod changing;
mod connect;
mod disconnect;
mod history;
mod listing;
mod policy;
mod product;
mod products;
mod records;
mod status;
mod suggest;
mod undo;

use crate::cli::Command;
use crate::commerce;
use crate::error::{Error, Result};
use crate::http;
use crate::identity::{ConnectCommand, EnvironmentToken, SavedSignIn, Session, Store};
use crate::interrupt::Interrupt;
use crate::output::Output;
use crate::settings::Settings;
use crate::terminal::Terminal;

/// What a command works with.
pub(crate) struct Context<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) terminal: &'a Terminal,
    pub(crate) http: &'a http::Client<'a>,
    pub(crate) interrupt: &'a Interrupt,
}

/// What a command hands back: data, and beside it a failure that does not make the data worthless.
#[derive(Default)]
pub(crate) struct Ended {
    pub(crate) output: Option<Output>,
    /// A text for a file, in the place of records.
    pub(crate) document: Option<String>,
    /// Something good to know, said below the data: above a long table nobody would see it.
    pub(crate) note: Option<String>,
    pub(crate) failure: Option<Error>,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Self { output: Some(output), ..Self::default() }
    }
}

impl<'a> Context<'a> {
    /// The saved sign-ins.
    fn store(&self) -> Result<Store<'a>> {
        Ok(Store::new(&self.settings.state_directory()?, self.terminal))
    }

    /// Runs `work` with the credential that serves: the token of the environment, else the saved sign-in.
    async fn with_session<T>(&self, work: impl AsyncFnOnce(&Session<'_>) -> Result<T>) -> Result<T> {
        let (settings, report) = (self.settings, self.terminal);
        let (profile, tenant) = (settings.profile.as_str(), settings.tenant.as_ref());
        if let Some(token) = &settings.token()? {
            let connect = ConnectCommand { profile, tenant, client_id: None };
            return work(&Session::Environment(EnvironmentToken::new(token, tenant, connect, report))).await;
        }
        let store = self.store()?;
        work(&Session::Saved(SavedSignIn::new(self.http, &store, report, profile, tenant))).await
    }

    /// Runs `work` with the policy endpoint.
    async fn with_endpoint<T>(&self, policy_id: &str, work: impl AsyncFnOnce(&Endpoint<'_>) -> Result<T>) -> Result<T> {
        self.with_session(async |session| {
            work(&commerce::Client::new(self.http, &self.settings.endpoint, policy_id, session)).await
        })
        .await
        .map_err(|error| suggest::whatever_else(error, self.settings))
    }
}

/// The policy endpoint, with the credential of this run.
pub(crate) type Endpoint<'a> = commerce::Client<'a, Session<'a>>;

/// Runs the command of the command line.
pub(crate) async fn run(command: Command, context: &Context<'_>) -> Result<Ended> {
    match command {
        Command::Connect(args) => connect::run(args, context).await,
        Command::Disconnect(args) => disconnect::run(&args, context).await,
        Command::Status => status::run(context).await,
        Command::Policy(command) => policy::run(command, context).await,
        Command::Products(command) => products::run(command, context).await,
        Command::Product(command) => product::run(command, context).await,
        Command::Baseline(command) => baseline::run(command, context).await,
        Command::History(args) => history::run(&args, context),
        Command::Undo(args) => undo::run(args, context).await,
    }
}
