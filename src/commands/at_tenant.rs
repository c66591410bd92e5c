//! The credential that serves a command, at one tenant or at several.

use super::{Context, Endpoint, suggest};
use crate::api;
use crate::auth::{
    ApplicationCredential, At, Credential, ProfileCredential, ProfileStore, Session, SignInCommand, StaticToken,
    TOKEN_VARIABLE, Tenant,
};
use crate::error::{Error, Result};
use crate::report::Report;
use crate::settings::{EnvApplication, Settings};

/// One tenant of a command.
pub struct TenantClient<'a> {
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
        work: impl AsyncFnOnce(&[TenantClient<'_>]) -> Result<T>,
    ) -> Result<T> {
        let settings: Vec<Settings> = tenants.into_iter().map(|tenant| self.settings.with_tenant(tenant)).collect();
        self.with_sessions(&settings, async |sessions| {
            let place = |(settings, session)| TenantClient {
                context: Context { settings, ..*self },
                endpoint: api::Client::new(self.http, &self.settings.endpoint, &self.settings.policy_id, session),
            };
            let places: Vec<TenantClient<'_>> = settings.iter().zip(sessions).map(place).collect();
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
        if let Some(token) = self.settings.env_token()? {
            let [settings] = places else { return Err(token_and_several()) };
            // What is wrong with an application that is not asked must not stand in the token's way.
            match self.settings.env_application() {
                Ok(EnvApplication::Incomplete(why)) => self.terminal.debug(&why),
                Err(error) => self.terminal.debug(&error.summary()),
                Ok(_) => {}
            }
            let token = StaticToken::new(&token, settings.tenant.as_ref(), connect(settings), self.terminal);
            return work(&[with(Credential::Environment(token))]).await;
        }
        let found = self.settings.env_application()?;
        if let EnvApplication::Complete(application) = &found {
            let authority = self.settings.authority()?;
            let tenants = places.iter().map(|settings| settings.sign_in_tenant().map(|(tenant, _)| tenant));
            let tenants: Vec<Tenant> = tenants.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect();
            let sessions: Vec<Session<'_>> = places
                .iter()
                .zip(&tenants)
                .map(|(settings, tenant)| {
                    let at = At { tenant, authority: &authority, scope: &scope };
                    ApplicationCredential::new(application, at, self.http, self.terminal, connect(settings))
                })
                .map(|application| with(Credential::ClientCredentials(application)))
                .collect();
            return work(&sessions).await;
        }
        let store = self.store()?;
        let instead = if let EnvApplication::Incomplete(why) = &found { Some(why.as_str()) } else { None };
        if let Some(why) = instead {
            self.terminal.debug(why);
        }
        let (profile, is_at_several) = (self.settings.profile.as_str(), places.len() > 1);
        let signed_in = ProfileStore::new(self.http, &store, self.terminal, profile, instead, is_at_several);
        if is_at_several {
            // Where nobody is signed in, that is told once, and not of each tenant.
            signed_in.check(connect(self.settings)).await?;
        }
        let sessions: Vec<Session<'_>> = places
            .iter()
            .map(|settings| with(Credential::Saved(ProfileCredential::new(&signed_in, settings.tenant.as_ref()))))
            .collect();
        work(&sessions).await
    }
}

fn token_and_several() -> Error {
    Error::usage(format!("{TOKEN_VARIABLE} is set: a token is for one tenant, and several are named"))
        .with_hint(format!("unset {TOKEN_VARIABLE} to use the application of the environment or a saved sign-in"))
}

fn connect(settings: &Settings) -> SignInCommand<'_> {
    let (profile, tenant) = (settings.profile.as_str(), settings.tenant.as_ref());
    SignInCommand { profile, tenant, client_id: None, is_application: false }
}
