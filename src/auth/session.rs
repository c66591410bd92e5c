//! The credential that authorizes requests to one tenant.

use std::cell::Cell;

use chrono::Utc;
use secrecy::{ExposeSecret, SecretString};

use super::application::ApplicationCredential;
use super::claims::Claims;
use super::credential::{SignInMethod, Source, Status};
use super::expiry::clock_detail;
use super::permissions::{self, Access};
use super::profile::ProfileCredential;
use super::sign_in_command::SignInCommand;
use super::tenant::Tenant;
use crate::error::{Error, Result};
use crate::text::format_timestamp;
use crate::ui::Ui;

/// The environment variable for an access token.
pub const TOKEN_VARIABLE: &str = "MSCOMMERCE_TOKEN";

/// A credential, and the resource that its tokens are for.
pub struct Session {
    credential: Credential,
    resource: String,
}

/// The credential types, in order of precedence.
#[expect(clippy::large_enum_variant, reason = "there is one for each tenant of a run")]
pub enum Credential {
    Token(StaticToken),
    Application(ApplicationCredential),
    Profile(ProfileCredential),
}

impl Session {
    pub fn new(credential: Credential, resource: String) -> Self {
        Self { credential, resource }
    }

    /// The status of the sign-in. Sends no request.
    pub async fn status(&self) -> Result<Status> {
        match &self.credential {
            Credential::Token(token) => token.status(),
            Credential::Application(application) => Ok(application.status()),
            Credential::Profile(profile) => profile.status().await,
        }
    }

    /// The tenant ID, if known.
    pub fn tenant_id(&self) -> Option<String> {
        match &self.credential {
            Credential::Token(token) => token.tenant_id(),
            Credential::Application(application) => application.tenant_id(),
            Credential::Profile(profile) => profile.tenant_id(),
        }
    }

    /// The account, if known.
    pub fn account(&self) -> Option<String> {
        match &self.credential {
            Credential::Token(token) => token.account(),
            Credential::Application(application) => Some(application.account()),
            Credential::Profile(profile) => profile.account(),
        }
    }

    /// Returns a valid access token, after a refresh if needed.
    pub async fn access_token(&self) -> Result<SecretString> {
        match &self.credential {
            Credential::Token(token) => token.access_token(),
            Credential::Application(application) => application.access_token().await,
            Credential::Profile(profile) => profile.access_token().await,
        }
    }

    /// Returns a token other than `rejected`, which the service did not accept. `None` if the credential cannot be
    /// refreshed.
    pub async fn refresh(&self, rejected: &SecretString) -> Result<Option<SecretString>> {
        match &self.credential {
            Credential::Token(_) => Ok(None),
            Credential::Application(application) => application.refresh(rejected).await.map(Some),
            Credential::Profile(profile) => profile.refresh(rejected).await,
        }
    }

    /// Fails if the token's roles do not allow this access. Sends no request.
    pub fn check_access(&self, token: &SecretString, access: Access) -> Result<()> {
        permissions::check_roles(token, &self.resource, access)
            .map_err(|error| error.with_detail("no request was sent to the service"))
    }

    /// Hints for a token that the service rejected (401).
    pub fn unauthorized_hints(&self, token: &SecretString) -> Vec<String> {
        let mut hints: Vec<String> = permissions::unauthorized_hint(token, &self.resource).into_iter().collect();
        hints.push(match &self.credential {
            Credential::Token(token) => token.unauthorized_hint(!hints.is_empty()),
            Credential::Application(application) => application.user_sign_in_hint(),
            Credential::Profile(profile) => profile.sign_in_again_hint(),
        });
        hints
    }

    /// Hints for a forbidden request (403) with an application token. `None` for a user, who needs a directory role
    /// instead.
    pub fn forbidden_hints(&self, token: &SecretString) -> Option<Vec<String>> {
        let mut hints = permissions::forbidden_hints(token, &self.resource)?;
        hints.extend(match &self.credential {
            Credential::Token(_) => None,
            Credential::Application(application) => Some(application.user_sign_in_hint()),
            Credential::Profile(profile) => Some(format!("sign in as a user: {}", profile.sign_in_command())),
        });
        Some(hints)
    }
}

/// The access token from `MSCOMMERCE_TOKEN`. It takes precedence over other credentials and cannot be refreshed.
pub struct StaticToken {
    token: SecretString,
    claims: Claims,
    tenant: Option<Tenant>,
    sign_in_command: SignInCommand,
    ui: Ui,
    announced: Cell<bool>,
}

impl StaticToken {
    pub fn new(token: SecretString, tenant: Option<Tenant>, sign_in_command: SignInCommand, ui: Ui) -> Self {
        let claims = Claims::decode_unverified(token.expose_secret()).unwrap_or_default();
        Self { token, claims, tenant, sign_in_command, ui, announced: Cell::new(false) }
    }

    fn access_token(&self) -> Result<SecretString> {
        self.validate()?;
        if !self.announced.replace(true) {
            self.ui.debug(&format!("using the access token in {TOKEN_VARIABLE}"));
        }
        Ok(self.token.clone())
    }

    fn tenant_id(&self) -> Option<String> {
        self.claims.tid.clone()
    }

    fn account(&self) -> Option<String> {
        self.claims.account().map(str::to_owned)
    }

    fn status(&self) -> Result<Status> {
        self.validate()?;
        Ok(Status {
            account: self.account(),
            tenant_id: self.tenant_id(),
            method: SignInMethod::Token,
            source: Source::Environment,
            client_id: self.claims.client_id().map(str::to_owned),
            expires_at: self.claims.expires_at(),
            is_fresh: true,
            roles: self.claims.roles.clone(),
            can_refresh: false,
            authority: None,
        })
    }

    /// The hint for a rejected token. `is_explained` means that another hint contains the reason.
    fn unauthorized_hint(&self, is_explained: bool) -> String {
        let command = &self.sign_in_command;
        if is_explained {
            format!("set {TOKEN_VARIABLE} to another token, or unset it and run {command}")
        } else {
            format!(
                "set {TOKEN_VARIABLE} to a new token (this one may have been revoked), or unset it and run {command}"
            )
        }
    }

    /// Fails if the token has expired or is for a tenant other than that of `--tenant`.
    fn validate(&self) -> Result<()> {
        if let Some(tenant) = &self.tenant {
            self.check_tenant(tenant)?;
        }
        match self.claims.expires_at() {
            Some(end) if end <= Utc::now() => {
                Err(Error::auth(format!("the token in {TOKEN_VARIABLE} expired at {}", format_timestamp(end)))
                    .with_detail(clock_detail())
                    .with_hint(format!("set {TOKEN_VARIABLE} to a new token, or unset it to use a saved sign-in")))
            }
            _ => Ok(()),
        }
    }

    fn check_tenant(&self, tenant: &Tenant) -> Result<()> {
        let mismatch = match (self.claims.tid.as_deref(), tenant.id()) {
            (Some(tid), Some(id)) if id.eq_ignore_ascii_case(tid) => return Ok(()),
            (Some(tid), Some(_)) => format!("is for tenant {tid}"),
            (Some(tid), None) => format!("is for tenant {tid}, which cannot be compared with a domain"),
            (None, _) => "does not specify its tenant".to_owned(),
        };
        Err(Error::usage(format!("--tenant {tenant} does not match {TOKEN_VARIABLE}: the token {mismatch}"))
            .with_hint(format!("omit --tenant, or unset {TOKEN_VARIABLE} to use a saved sign-in")))
    }
}
