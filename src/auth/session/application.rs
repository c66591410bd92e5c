//! The application of the environment: it signs in for each command anew, and nothing of it is saved.

use std::cell::RefCell;

use chrono::Utc;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;
use url::Url;

use super::refused::Refused;
use super::{Source, Status};
use crate::auth::application::ClientCredentials;
use crate::auth::cache::{SignInMethod, is_fresh};
use crate::auth::connect_command::SignInCommand;
use crate::auth::entra::{Entra, TokenResponse};
use crate::auth::tenant::Tenant;
use crate::error::{Error, Result};
use crate::http;
use crate::report::Report;

/// Where an application signs in, and for what.
#[derive(Clone, Copy)]
pub struct At<'a> {
    pub tenant: &'a Tenant,
    pub authority: &'a Url,
    pub scope: &'a str,
}

/// The application at one tenant, for one run.
pub struct ApplicationCredential<'a> {
    application: &'a ClientCredentials,
    at: At<'a>,
    http: &'a http::Client<'a>,
    report: &'a dyn Report,
    connect: SignInCommand<'a>,
    granted: RefCell<Option<TokenResponse>>,
    /// Requests that run side by side ask one after the other, and find what the first one got.
    asking: Mutex<()>,
    refused: Refused,
}

impl<'a> ApplicationCredential<'a> {
    pub fn new(
        application: &'a ClientCredentials,
        at: At<'a>,
        http: &'a http::Client<'a>,
        report: &'a dyn Report,
        connect: SignInCommand<'a>,
    ) -> Self {
        let (granted, asking, refused) = (RefCell::default(), Mutex::default(), Refused::default());
        Self { application, at, http, report, connect, granted, asking, refused }
    }

    pub fn tenant_id(&self) -> Option<String> {
        let granted = self.granted.borrow();
        let claimed = granted.as_ref().and_then(|grant| grant.claims.tid.clone());
        claimed.or_else(|| self.at.tenant.id().map(str::to_owned))
    }

    pub fn account(&self) -> String {
        self.application.client_id.clone()
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
            authority: Some(self.at.authority.clone()),
            home_tenant: None,
        }
    }

    pub async fn token(&self) -> Result<SecretString> {
        self.token_other_than(None).await
    }

    pub async fn renewed(&self, refused: &SecretString) -> Result<SecretString> {
        self.report.debug("the service refused the token; asking for a new one");
        self.token_other_than(Some(refused)).await
    }

    /// How to sign in as a person instead.
    pub fn way_out(&self) -> String {
        format!("to sign in as a person, unset AZURE_CLIENT_ID and run {}", self.connect)
    }

    async fn token_other_than(&self, refused: Option<&SecretString>) -> Result<SecretString> {
        let _asking = self.asking.lock().await;
        if let Some(grant) = &*self.granted.borrow()
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
        self.granted.replace(Some(grant));
        Ok(token)
    }

    async fn ask(&self) -> Result<TokenResponse> {
        if self.granted.borrow().is_none() {
            self.report.debug(&format!("signing in as {} at {}", self.application.description(), self.at.tenant));
        }
        let entra = Entra {
            http: self.http,
            authority: self.at.authority,
            tenant: self.at.tenant.as_str(),
            client_id: &self.application.client_id,
            scope: self.at.scope,
            connect: SignInCommand { is_application: true, ..self.connect },
        };
        let grant = self.application.sign_in(&entra).await?;
        match (grant.claims.tid.as_deref(), self.at.tenant.id()) {
            (Some(tid), Some(asked)) if !tid.eq_ignore_ascii_case(asked) => {
                Err(Error::auth(format!("a token for the tenant {asked} was asked for, and one for {tid} came")))
            }
            _ => Ok(grant),
        }
    }
}
