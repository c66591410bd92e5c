//! The commands: each takes its arguments and a context, and returns data.

mod connect;
mod disconnect;
mod policy;
mod product;
mod products;
mod records;
mod status;
mod suggest;

use std::cell::Cell;

use crate::cli::Command;
use crate::commerce;
use crate::error::{Error, Result};
use crate::http;
use crate::identity::{Credential, Session, Store};
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
pub(crate) struct Outcome {
    pub(crate) output: Option<Output>,
    pub(crate) failure: Option<Error>,
}

impl From<Output> for Outcome {
    fn from(output: Output) -> Self {
        Self { output: Some(output), failure: None }
    }
}

/// Ctrl-C. While it is held off, a request that must not be cut short runs to its end; a second Ctrl-C gets through.
#[derive(Default)]
pub(crate) struct Interrupt {
    is_held_off: Cell<bool>,
    is_pressed: Cell<bool>,
}

impl Interrupt {
    /// Runs `work` to its end whether or not Ctrl-C is pressed.
    pub(crate) async fn held_off<T>(&self, work: impl Future<Output = T>) -> T {
        self.is_held_off.set(true);
        let result = work.await;
        self.is_held_off.set(false);
        result
    }

    /// Whether Ctrl-C was pressed while it was held off.
    pub(crate) fn is_pressed(&self) -> bool {
        self.is_pressed.get()
    }

    /// The failure with which Ctrl-C ends the command.
    pub(crate) fn error(&self) -> Error {
        let error = Error::interrupted();
        if self.is_held_off.get() {
            return error
                .detail("the change that was on its way may have been made, or not")
                .hint("mscommerce products list    (shows what it is now)");
        }
        error
    }

    /// Returns when Ctrl-C ends the command. `tell` is called when it has to wait.
    pub(crate) async fn ends_the_command(&self, tell: impl Fn()) {
        loop {
            if tokio::signal::ctrl_c().await.is_err() {
                std::future::pending::<()>().await;
            }
            if !self.is_held_off.get() || self.is_pressed.replace(true) {
                return;
            }
            tell();
        }
    }
}

impl<'a> Context<'a> {
    /// The saved sign-ins.
    fn store(&self) -> Result<Store<'a>> {
        Ok(Store::new(&self.settings.state_directory()?, self.terminal))
    }

    /// Runs `work` with the credential that serves: the token of the environment, else the saved sign-in.
    async fn with_session<T>(&self, work: impl AsyncFnOnce(&Session<'_>) -> Result<T>) -> Result<T> {
        let store;
        let token = self.settings.token()?;
        let credential = if let Some(token) = &token {
            Credential::Token(token)
        } else {
            store = self.store()?;
            Credential::Saved(&store)
        };
        let session = Session {
            http: self.http,
            credential,
            report: self.terminal,
            profile: &self.settings.profile,
            tenant: self.settings.tenant.as_ref(),
        };
        work(&session).await
    }

    /// Runs `work` with the policy endpoint.
    async fn with_endpoint<T>(&self, policy_id: &str, work: impl AsyncFnOnce(&Endpoint<'_>) -> Result<T>) -> Result<T> {
        self.with_session(async |session| {
            work(&commerce::Client::new(self.http, &self.settings.endpoint, policy_id, session)).await
        })
        .await
    }
}

/// The policy endpoint, with the credential of this run.
pub(crate) type Endpoint<'a> = commerce::Client<'a, Session<'a>>;

/// Runs the command of the command line.
pub(crate) async fn run(command: Command, context: &Context<'_>) -> Result<Outcome> {
    match command {
        Command::Connect(args) => connect::run(args, context).await,
        Command::Disconnect(args) => disconnect::run(&args, context).await,
        Command::Status => status::run(context).await,
        Command::Policy(command) => policy::run(command, context).await,
        Command::Products(command) => products::run(command, context).await,
        Command::Product(command) => product::run(command, context).await,
    }
}
