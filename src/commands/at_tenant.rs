//! The credential that serves a command, at one tenant or at several.

use super::{Context, Endpoint, suggest};
use crate::api;
use crate::auth::{
    ApplicationSignIn, At, ConnectCommand, EnvironmentToken, Holder, SavedSignIn, Session, SignedIn, TOKEN_VARIABLE,
    Tenant,
};
use crate::error::{Error, Result};
use crate::report::Report;
use crate::settings::{InEnvironment, Settings};

/// One tenant of a command.
pub struct AtTenant<'a> {
    /// Leads hints to this tenant.
    pub context: Context<'a>,
    /// Leads requests to this tenant.
    pub endpoint: Endpoint<'a>,
}

impl Context<'_> {
    /// Runs `work` with the credential that serves.
    pub async fn with_session<T>(&self, work: impl AsyncFnOnce(&Session<'_>) -> Result<T>) -> Result<T> {
        let here = std::slice::from_ref(self.settings);
        self.with_sessions(here, async |sessions| match sessions {
            [session] => work(session).await,
            _ => Err(Error::failed("one session was asked for")),
        })
        .await
    }

    /// Runs `work` with the policy endpoint.
    pub async fn with_endpoint<T>(
        &self,
        policy_id: &str,
        work: impl AsyncFnOnce(&Endpoint<'_>) -> Result<T>,
    ) -> Result<T> {
        self.with_session(async |session| {
            work(&api::Client::new(self.http, &self.settings.endpoint, policy_id, session)).await
        })
        .await
        .map_err(|error| suggest::whatever_else(error, self.settings))
    }

    /// Runs `work` with the policy endpoint at each of these tenants.
    pub async fn with_places<T>(
        &self,
        tenants: Vec<Tenant>,
        work: impl AsyncFnOnce(&[AtTenant<'_>]) -> Result<T>,
    ) -> Result<T> {
        let settings: Vec<Settings> = tenants.into_iter().map(|tenant| self.settings.at(tenant)).collect();
        self.with_sessions(&settings, async |sessions| {
            let place = |(settings, session)| AtTenant {
                context: Context { settings, ..*self },
                endpoint: api::Client::new(self.http, &self.settings.endpoint, &self.settings.policy_id, session),
            };
            let places: Vec<AtTenant<'_>> = settings.iter().zip(sessions).map(place).collect();
            work(&places).await
        })
        .await
    }

    /// Runs `work` with the credential that serves, at the place of each of these settings: the token of the environment,
    /// else the application of the environment, else the saved sign-in.
    async fn with_sessions<T>(
        &self,
        places: &[Settings],
        work: impl AsyncFnOnce(&[Session<'_>]) -> Result<T>,
    ) -> Result<T> {
        let (scope, resource) = (self.settings.scope(), self.settings.resource());
        let with = |holder| Session::new(holder, &resource);
        if let Some(token) = self.settings.token()? {
            let [settings] = places else { return Err(token_and_several()) };
            // What is wrong with an application that is not asked must not stand in the token's way.
            match self.settings.application() {
                Ok(InEnvironment::Partial(why)) => self.terminal.detail(&why),
                Err(error) => self.terminal.detail(&error.one_line()),
                Ok(_) => {}
            }
            let token = EnvironmentToken::new(&token, settings.tenant.as_ref(), connect(settings), self.terminal);
            return work(&[with(Holder::Environment(token))]).await;
        }
        let found = self.settings.application()?;
        if let InEnvironment::Complete(application) = &found {
            let authority = self.settings.authority()?;
            let tenants = places.iter().map(|settings| settings.tenant_to_connect().map(|(tenant, _)| tenant));
            let tenants: Vec<Tenant> = tenants.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect();
            let sessions: Vec<Session<'_>> = places
                .iter()
                .zip(&tenants)
                .map(|(settings, tenant)| {
                    let at = At { tenant, authority: &authority, scope: &scope };
                    ApplicationSignIn::new(application, at, self.http, self.terminal, connect(settings))
                })
                .map(|application| with(Holder::Application(application)))
                .collect();
            return work(&sessions).await;
        }
        let store = self.store()?;
        let instead = if let InEnvironment::Partial(why) = &found { Some(why.as_str()) } else { None };
        if let Some(why) = instead {
            self.terminal.detail(why);
        }
        let (profile, is_at_several) = (self.settings.profile.as_str(), places.len() > 1);
        let signed_in = SignedIn::new(self.http, &store, self.terminal, profile, instead, is_at_several);
        if is_at_several {
            // Where nobody is signed in, that is told once, and not of each tenant.
            signed_in.check(connect(self.settings)).await?;
        }
        let sessions: Vec<Session<'_>> = places
            .iter()
            .map(|settings| with(Holder::Saved(SavedSignIn::new(&signed_in, settings.tenant.as_ref()))))
            .collect();
        work(&sessions).await
    }
}

fn token_and_several() -> Error {
    Error::usage(format!("{TOKEN_VARIABLE} is set: a token is for one tenant, and several are named"))
        .hint(format!("unset {TOKEN_VARIABLE} to use the application of the environment or a saved sign-in"))
}

fn connect(settings: &Settings) -> ConnectCommand<'_> {
    let (profile, tenant) = (settings.profile.as_str(), settings.tenant.as_ref());
    ConnectCommand { profile, tenant, client_id: None, is_application: false }
}
