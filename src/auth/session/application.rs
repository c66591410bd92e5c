//! The application of the environment: it signs in for each command anew, and nothing of it is saved.

use std::cell::RefCell;
use std::rc::Rc;

use chrono::Utc;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;

use super::refused::Refused;
use super::{Source, Status};
use crate::auth::application::ClientCredentials;
use crate::auth::credential::{SignInMethod, is_fresh};
use crate::auth::entra::{Entra, TokenResponse};
use crate::auth::sign_in_command::SignInCommand;
use crate::auth::tenant::Tenant;
use crate::error::{Error, Result};
use crate::ui::Ui;

/// The application at one tenant, for one run.
pub struct ApplicationCredential {
    credentials: Rc<ClientCredentials>,
    tenant: Tenant,
    entra: Entra,
    ui: Ui,
    sign_in_command: SignInCommand,
    token: RefCell<Option<TokenResponse>>,
    /// Concurrent requests refresh one after the other and reuse the first result.
    refresh_lock: Mutex<()>,
    refused: Refused,
}

impl ApplicationCredential {
    /// `entra` is for `tenant`.
    pub fn new(
        credentials: Rc<ClientCredentials>,
        tenant: Tenant,
        entra: Entra,
        ui: Ui,
        sign_in_command: SignInCommand,
    ) -> Self {
        let (token, refresh_lock, refused) = (RefCell::default(), Mutex::default(), Refused::default());
        Self { credentials, tenant, entra, ui, sign_in_command, token, refresh_lock, refused }
    }

    pub fn tenant_id(&self) -> Option<String> {
        let token = self.token.borrow();
        let claimed = token.as_ref().and_then(|grant| grant.claims.tid.clone());
        claimed.or_else(|| self.tenant.id().map(str::to_owned))
    }

    pub fn account(&self) -> String {
        self.credentials.client_id.clone()
    }

    pub fn status(&self) -> Status {
        Status {
            account: Some(self.account()),
            tenant_id: self.tenant_id(),
            method: SignInMethod::Application,
            source: Source::Environment,
            client_id: Some(self.account()),
            roles: Vec::new(),
            expires_at: None,
            is_renewable: true,
            authority: Some(self.entra.authority.clone()),
        }
    }

    pub async fn token(&self) -> Result<SecretString> {
        self.token_other_than(None).await
    }

    pub async fn renewed(&self, refused: &SecretString) -> Result<SecretString> {
        self.ui.debug("the service refused the token; asking for a new one");
        self.token_other_than(Some(refused)).await
    }

    /// How to sign in as a person instead.
    pub fn way_out(&self) -> String {
        format!("to sign in as a person, unset AZURE_CLIENT_ID and run {}", self.sign_in_command)
    }

    async fn token_other_than(&self, refused: Option<&SecretString>) -> Result<SecretString> {
        let _refreshing = self.refresh_lock.lock().await;
        if let Some(grant) = &*self.token.borrow()
            && is_fresh(grant.expires_at, Utc::now())
            && refused.is_none_or(|refused| refused.expose_secret() != grant.access_token.expose_secret())
        {
            return Ok(grant.access_token.clone());
        }
        self.refused.check()?;
        let asked = self.ask().await;
        self.refused.remember(&asked);
        let grant = asked?;
        let token = grant.access_token.clone();
        self.token.replace(Some(grant));
        Ok(token)
    }

    async fn ask(&self) -> Result<TokenResponse> {
        if self.token.borrow().is_none() {
            self.ui.debug(&format!("signing in as {} at {}", self.credentials.description(), self.tenant));
        }
        let grant = self.credentials.sign_in(&self.entra).await?;
        match (grant.claims.tid.as_deref(), self.tenant.id()) {
            (Some(tid), Some(asked)) if !tid.eq_ignore_ascii_case(asked) => {
                Err(Error::auth(format!("a token for the tenant {asked} was asked for, and one for {tid} came")))
            }
            _ => Ok(grant),
        }
    }
}
