//! Sign-in as a service principal with a client secret, a certificate, or a federated token (entra-docs, "client
//! credentials").

use std::cell::RefCell;
use std::rc::Rc;

use chrono::Utc;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;
use uuid::Uuid;

use super::arg_source::ArgSource;
use super::certificate::CertificateFile;
use super::credential::{SignInMethod, Source, Status, repeat_error};
use super::entra::{AuthError, ClientAuthParams, Entra, TokenResponse};
use super::federated::FederatedToken;
use super::sign_in_command::SignInCommand;
use super::tenant::Tenant;
use crate::error::{Error, ErrorKind, Result};
use crate::ui::Ui;

/// The `AADSTS` code for an invalid client secret (entra-docs, "error codes").
const WRONG_SECRET: u32 = 7_000_215;

/// The credential of an application.
pub enum ClientAuth {
    Secret { value: SecretString, source: ArgSource },
    Certificate(CertificateFile),
    Federated(FederatedToken),
}

impl ClientAuth {
    fn name(&self) -> &'static str {
        match self {
            Self::Secret { .. } => "a client secret",
            Self::Certificate(_) => "a certificate",
            Self::Federated(_) => "a federated token",
        }
    }
}

/// An application's client ID and credential.
pub struct ClientCredentials {
    pub client_id: String,
    pub client_auth: ClientAuth,
}

impl ClientCredentials {
    pub fn description(&self) -> String {
        format!("application {} with {}", self.client_id, self.client_auth.name())
    }

    /// Requests a token from the tenant of `entra`.
    ///
    /// # Errors
    /// Fails if the credential cannot be loaded or Entra rejects it. The error describes the certificate or the
    /// federated token, but never contains a secret.
    pub async fn sign_in(&self, entra: &Entra, sign_in_command: &SignInCommand) -> Result<TokenResponse> {
        let (result, presented) = match &self.client_auth {
            ClientAuth::Secret { value, source } => {
                let result = entra.client_credentials(ClientAuthParams::Secret(value.clone())).await;
                let is_wrong = result.as_ref().is_err_and(|error| error.code() == Some(WRONG_SECRET));
                let has_id_form = is_wrong && looks_like_secret_id(value);
                let detail = format!("{source} looks like the secret's ID, not its value");
                (result, has_id_form.then_some(detail))
            }
            ClientAuth::Certificate(file) => {
                let certificate = file.load().await?;
                let assertion = certificate.sign_assertion(&self.client_id, &entra.endpoint("token")?)?;
                let result = entra.client_credentials(ClientAuthParams::Assertion(assertion)).await;
                (result, Some(certificate.to_string()))
            }
            ClientAuth::Federated(token) => {
                let assertion = token.assertion(&entra.http).await?;
                let result = entra.client_credentials(ClientAuthParams::Assertion(assertion.token.clone())).await;
                (result, Some(assertion.to_string()))
            }
        };
        result.map_err(|error| {
            let presented = presented.filter(|_| may_concern_client_auth(&error));
            let action = format!("could not sign in as application {} to tenant {}", self.client_id, entra.tenant);
            let error = error.into_error(&action, sign_in_command);
            match presented {
                Some(presented) => error.with_details(presented.lines()),
                None => error,
            }
        })
    }
}

fn may_concern_client_auth(error: &AuthError) -> bool {
    matches!(error, AuthError::OAuth(error) if error.may_concern_client_auth())
}

/// Whether a secret is a GUID. The Azure portal shows the secret's ID, a GUID, next to its value.
fn looks_like_secret_id(secret: &SecretString) -> bool {
    Uuid::try_parse(secret.expose_secret()).is_ok()
}

/// The application from the environment, bound to one tenant. Its tokens are kept in memory only.
pub struct ApplicationCredential {
    credentials: Rc<ClientCredentials>,
    tenant: Tenant,
    entra: Entra,
    ui: Ui,
    /// The command in the hint to sign in as a user instead.
    sign_in_command: SignInCommand,
    token: RefCell<Option<TokenResponse>>,
    /// Serializes refreshes, so that concurrent requests reuse the first result.
    refresh_lock: Mutex<()>,
    /// Entra's rejection. Later requests return it without another attempt.
    rejected: RefCell<Option<Error>>,
}

impl ApplicationCredential {
    /// Creates the credential. `entra` must be a client for `tenant`.
    pub fn new(
        credentials: Rc<ClientCredentials>,
        tenant: Tenant,
        entra: Entra,
        ui: Ui,
        sign_in_command: SignInCommand,
    ) -> Self {
        let (token, refresh_lock, rejected) = (RefCell::default(), Mutex::default(), RefCell::default());
        Self { credentials, tenant, entra, ui, sign_in_command, token, refresh_lock, rejected }
    }

    pub fn tenant_id(&self) -> Option<String> {
        let token = self.token.borrow();
        let claimed = token.as_ref().and_then(|response| response.claims.tid.clone());
        claimed.or_else(|| self.tenant.id().map(str::to_owned))
    }

    pub fn account(&self) -> String {
        self.credentials.client_id.clone()
    }

    pub fn status(&self) -> Status {
        Status {
            account: Some(self.account()),
            tenant_id: self.tenant_id().or_else(|| Some(self.tenant.to_string())),
            method: SignInMethod::Application,
            source: Source::Environment,
            client_id: Some(self.account()),
            roles: Vec::new(),
            expires_at: None,
            is_fresh: false,
            can_refresh: true,
            authority: Some(self.entra.authority.clone()),
        }
    }

    /// Returns a valid access token. Requests one if none is in memory or the last one is about to expire.
    pub async fn access_token(&self) -> Result<SecretString> {
        self.get_token(None).await
    }

    /// Returns a token other than `rejected`, which the service did not accept.
    pub async fn refresh(&self, rejected: &SecretString) -> Result<SecretString> {
        self.ui.debug("access token rejected; requesting a new one");
        self.get_token(Some(rejected)).await
    }

    pub fn user_sign_in_hint(&self) -> String {
        format!("unset AZURE_CLIENT_ID to sign in as a user: {}", self.sign_in_command)
    }

    async fn get_token(&self, rejected: Option<&SecretString>) -> Result<SecretString> {
        let _refreshing = self.refresh_lock.lock().await;
        if let Some(response) = &*self.token.borrow()
            && response.expiry.is_fresh(Utc::now())
            && rejected.is_none_or(|rejected| rejected.expose_secret() != response.access_token.expose_secret())
        {
            return Ok(response.access_token.clone());
        }
        if let Some(error) = &*self.rejected.borrow() {
            return Err(repeat_error(error));
        }
        match self.request_token().await {
            Ok(response) => {
                let token = response.access_token.clone();
                self.token.replace(Some(response));
                Ok(token)
            }
            Err(error) => {
                if error.kind() == ErrorKind::Auth {
                    self.rejected.replace(Some(repeat_error(&error)));
                }
                Err(error)
            }
        }
    }

    async fn request_token(&self) -> Result<TokenResponse> {
        if self.token.borrow().is_none() {
            self.ui.debug(&format!("signing in as {} to tenant {}", self.credentials.description(), self.tenant));
        }
        let sign_in_command = self.sign_in_command.clone().for_application();
        let response = self.credentials.sign_in(&self.entra, &sign_in_command).await?;
        match (response.claims.tid.as_deref(), self.tenant.id()) {
            (Some(tid), Some(id)) if !tid.eq_ignore_ascii_case(id) => {
                Err(Error::auth(format!("requested a token for tenant {id}, but received one for {tid}")))
            }
            _ => Ok(response),
        }
    }
}
