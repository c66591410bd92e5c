//! The context of a command: settings, clients and the credential.

use std::rc::Rc;

use secrecy::SecretString;

use crate::api;
use crate::auth::{
    ApplicationCredential, ClientCredentials, Credential, DEFAULT_PROFILE, Entra, EnvApplication, ProfileCredential,
    ProfileStore, Session, SignInCommand, StaticToken, TOKEN_VARIABLE, Tenant, TokenCache,
};
use crate::error::{Error, Result};
use crate::http;
use crate::interrupt::Interrupt;
use crate::settings::{DEFAULT_POLICY, Settings};
use crate::text::shell_quote_short;
use crate::ui::Ui;

/// The state of one run. Clones share it.
#[derive(Clone)]
pub struct Context {
    pub settings: Rc<Settings>,
    pub ui: Ui,
    pub http: http::Client,
    pub interrupt: Interrupt,
}

impl Context {
    /// Returns the context for one tenant.
    pub fn with_tenant(&self, tenant: Tenant) -> Self {
        Self { settings: Rc::new(self.settings.with_tenant(tenant)), ..self.clone() }
    }

    /// Opens the token cache.
    pub fn token_cache(&self) -> Result<TokenCache> {
        Ok(TokenCache::new(&self.settings.state_directory()?, self.ui.clone()))
    }

    /// Creates a session for the tenant of the settings.
    pub fn session(&self) -> Result<Session> {
        CredentialSource::resolve(self, false)?.session(self)
    }

    /// Creates a client for the policy of the settings.
    pub fn api(&self) -> Result<api::Client> {
        self.api_for_policy(&self.settings.policy_id.value)
    }

    /// Creates a client for the policy with this ID.
    pub fn api_for_policy(&self, policy_id: &str) -> Result<api::Client> {
        Ok(self.api_with(self.session()?, policy_id))
    }

    /// Creates a client with an existing session.
    pub fn api_with(&self, session: Session, policy_id: &str) -> api::Client {
        api::Client::new(self.http.clone(), self.settings.endpoint.value.clone(), policy_id.to_owned(), session)
    }

    /// Adds the flags for the current profile, tenant and policy to a command in a hint.
    pub fn command(&self, command: &str) -> String {
        let mut command = self.command_any_policy(command);
        let policy_id = &self.settings.policy_id.value;
        if policy_id != DEFAULT_POLICY {
            command.push_str(&format!(" --policy-id {}", shell_quote_short(policy_id)));
        }
        command
    }

    /// Adds the flags for the current profile and tenant to a command in a hint. With a credential of the environment,
    /// `--profile` would be refused.
    pub fn command_any_policy(&self, command: &str) -> String {
        let settings = &self.settings;
        let profile = if settings.has_env_credential() { DEFAULT_PROFILE } else { &settings.profile.value };
        format!("{command}{}", SignInCommand::new(profile, settings.tenant()).flags())
    }

    /// The command that signs in to the current profile and tenant, for hints.
    pub fn sign_in_command(&self) -> SignInCommand {
        SignInCommand::new(&self.settings.profile.value, self.settings.tenant())
    }
}

/// The credential source of a run. All tenants share it.
pub enum CredentialSource {
    Token(SecretString),
    Application(Rc<ClientCredentials>),
    Profile(Rc<ProfileStore>),
}

impl CredentialSource {
    /// Selects the first available source: `MSCOMMERCE_TOKEN`, the application in the environment, the cached
    /// credential of the profile. Fails for `MSCOMMERCE_TOKEN` with `many_tenants`, because a token is valid for one
    /// tenant, and for `--profile` with another source.
    pub fn resolve(context: &Context, many_tenants: bool) -> Result<Self> {
        let settings = &context.settings;
        if let Some(token) = settings.env_token()? {
            if many_tenants {
                return Err(single_tenant_token());
            }
            // The token takes precedence, so invalid application variables are not an error.
            match settings.env_application() {
                Ok(EnvApplication::Incomplete(missing)) => context.ui.debug(&missing),
                Err(error) => context.ui.debug(&error.summary()),
                Ok(_) => {}
            }
            check_profile_flag(settings, "the token in MSCOMMERCE_TOKEN")?;
            return Ok(Self::Token(token));
        }
        let missing = match settings.env_application()? {
            EnvApplication::Complete(credentials) => {
                check_profile_flag(settings, "the application in the environment")?;
                return Ok(Self::Application(Rc::new(credentials)));
            }
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

    /// Creates a session for the tenant of `context`.
    pub fn session(&self, context: &Context) -> Result<Session> {
        let (settings, ui) = (&context.settings, context.ui.clone());
        let sign_in_command = context.sign_in_command();
        let credential = match self {
            Self::Token(token) => {
                Credential::Token(StaticToken::new(token.clone(), settings.tenant().cloned(), sign_in_command, ui))
            }
            Self::Application(credentials) => {
                let (tenant, _) = settings.sign_in_tenant()?;
                let tenant = tenant.ok_or_else(|| Error::auth("no tenant specified for the application"))?;
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

/// Fails if `--profile` is set: the command would act with another credential than that of the profile.
fn check_profile_flag(settings: &Settings, source: &str) -> Result<()> {
    settings.profile.flag().map_or(Ok(()), |name| {
        Err(Error::usage(format!("--profile {name}: {source} takes precedence over saved sign-ins"))
            .with_hint("omit --profile"))
    })
}

fn single_tenant_token() -> Error {
    Error::usage(format!("the token in {TOKEN_VARIABLE} is for one tenant, but several were specified"))
        .with_hint(format!("unset {TOKEN_VARIABLE} to use the application in the environment or a saved sign-in"))
}
