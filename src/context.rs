//! The context of a command: settings, clients and the credential.

use std::rc::Rc;

use secrecy::SecretString;

use crate::api;
use crate::auth::{
    ApplicationCredential, ClientCredentials, Credential, Entra, EnvApplication, ProfileCredential, ProfileStore,
    Session, SignInCommand, StaticToken, TOKEN_VARIABLE, Tenant, TokenCache,
};
use crate::error::{Error, Result};
use crate::http;
use crate::interrupt::Interrupt;
use crate::settings::{DEFAULT_POLICY, Settings};
use crate::text::shell_quote_short;
use crate::ui::Ui;

/// The state of one run; a clone shares it.
#[derive(Clone)]
pub struct Context {
    pub settings: Rc<Settings>,
    pub ui: Ui,
    pub http: http::Client,
    pub interrupt: Interrupt,
}

impl Context {
    /// The same context for one tenant.
    pub fn with_tenant(&self, tenant: Tenant) -> Self {
        Self { settings: Rc::new(self.settings.with_tenant(tenant)), ..self.clone() }
    }

    /// The cached sign-ins.
    pub fn token_cache(&self) -> Result<TokenCache> {
        Ok(TokenCache::new(&self.settings.state_directory()?, self.ui.clone()))
    }

    /// The session of this run, at the tenant of the settings.
    pub fn session(&self) -> Result<Session> {
        CredentialSource::resolve(self, false)?.session(self)
    }

    /// The policy endpoint, for the policy in use.
    pub fn api(&self) -> Result<api::Client> {
        self.api_for_policy(&self.settings.policy_id.value)
    }

    /// The policy endpoint, for the policy with this id.
    pub fn api_for_policy(&self, policy_id: &str) -> Result<api::Client> {
        Ok(self.api_with(self.session()?, policy_id))
    }

    /// The policy endpoint with a session that was opened before.
    pub fn api_with(&self, session: Session, policy_id: &str) -> api::Client {
        api::Client::new(self.http.clone(), self.settings.endpoint.value.clone(), policy_id.to_owned(), session)
    }

    /// A command for a hint, with the flags for the profile, the tenant and the policy of this run.
    pub fn command(&self, command: &str) -> String {
        let mut command = self.command_any_policy(command);
        let policy_id = &self.settings.policy_id.value;
        if policy_id != DEFAULT_POLICY {
            command.push_str(&format!(" --policy-id {}", shell_quote_short(policy_id)));
        }
        command
    }

    /// The same for a command that does not depend on the policy.
    pub fn command_any_policy(&self, command: &str) -> String {
        format!("{command}{}", self.sign_in_command().flags())
    }

    /// The command that signs in to the profile and the tenant of this run, for hints.
    pub fn sign_in_command(&self) -> SignInCommand {
        SignInCommand::new(&self.settings.profile.value, self.settings.tenant())
    }
}

/// The credential of a run. All tenants of the run share it.
pub enum CredentialSource {
    Token(SecretString),
    Application(Rc<ClientCredentials>),
    Profile(Rc<ProfileStore>),
}

impl CredentialSource {
    /// The first one found: `MSCOMMERCE_TOKEN`, the application in the environment, the profile's cached sign-in.
    /// `many_tenants` is for a run at several tenants, which a token cannot be used for.
    pub fn resolve(context: &Context, many_tenants: bool) -> Result<Self> {
        let settings = &context.settings;
        if let Some(token) = settings.env_token()? {
            if many_tenants {
                return Err(single_tenant_token());
            }
            // An error in the application's variables must not stop a run that does not use them.
            match settings.env_application() {
                Ok(EnvApplication::Incomplete(missing)) => context.ui.debug(&missing),
                Err(error) => context.ui.debug(&error.summary()),
                Ok(_) => {}
            }
            return Ok(Self::Token(token));
        }
        let missing = match settings.env_application()? {
            EnvApplication::Complete(credentials) => return Ok(Self::Application(Rc::new(credentials))),
            EnvApplication::Incomplete(missing) => Some(missing),
            EnvApplication::Absent => None,
        };
        if let Some(missing) = &missing {
            context.ui.debug(missing);
        }
        let (cache, profile) = (context.token_cache()?, settings.profile.value.as_str());
        let store = ProfileStore::new(context.http.clone(), cache, context.ui.clone(), profile, missing, many_tenants);
        Ok(Self::Profile(Rc::new(store)))
    }

    /// The session at the tenant of `context`.
    pub fn session(&self, context: &Context) -> Result<Session> {
        let (settings, ui) = (&context.settings, context.ui.clone());
        let sign_in_command = context.sign_in_command();
        let credential = match self {
            Self::Token(token) => {
                Credential::Token(StaticToken::new(token.clone(), settings.tenant().cloned(), sign_in_command, ui))
            }
            Self::Application(credentials) => {
                let (tenant, _) = settings.sign_in_tenant()?;
                let tenant = tenant.ok_or_else(|| Error::auth("the application names no tenant"))?;
                let entra = Entra {
                    http: context.http.clone(),
                    authority: settings.authority()?,
                    tenant: tenant.to_string(),
                    client_id: credentials.client_id.clone(),
                    scope: settings.scope.value.clone(),
                };
                let credentials = Rc::clone(credentials);
                Credential::Application(ApplicationCredential::new(credentials, tenant, entra, ui, sign_in_command))
            }
            Self::Profile(store) => {
                Credential::Profile(ProfileCredential::new(Rc::clone(store), settings.tenant().cloned()))
            }
        };
        Ok(Session::new(credential, settings.resource()))
    }
}

fn single_tenant_token() -> Error {
    Error::usage(format!("{TOKEN_VARIABLE} is set: a token is for one tenant, and several are named"))
        .with_hint(format!("unset {TOKEN_VARIABLE} to use the application of the environment or a saved sign-in"))
}
