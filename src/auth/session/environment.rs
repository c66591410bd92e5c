//! A ready token, handed over in the environment.

use std::cell::Cell;

use chrono::Utc;
use secrecy::{ExposeSecret, SecretString};

use super::{Source, Status};
use crate::auth::claims::Claims;
use crate::auth::credential::SignInMethod;
use crate::auth::sign_in_command::SignInCommand;
use crate::auth::tenant::Tenant;
use crate::error::{Error, Result};
use crate::text::format_timestamp;
use crate::ui::Ui;

/// The variable that hands over a ready token.
pub const TOKEN_VARIABLE: &str = "MSCOMMERCE_TOKEN";

/// The token of `MSCOMMERCE_TOKEN`: it outranks what is saved, and cannot be renewed.
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

    pub fn token(&self) -> Result<SecretString> {
        self.check()?;
        if !self.announced.replace(true) {
            self.ui.debug(&format!("using the token in {TOKEN_VARIABLE}"));
        }
        Ok(self.token.clone())
    }

    pub fn tenant_id(&self) -> Option<String> {
        self.claims.tid.clone()
    }

    pub fn account(&self) -> Option<String> {
        self.claims.account().map(str::to_owned)
    }

    pub fn status(&self) -> Result<Status> {
        self.check()?;
        Ok(Status {
            account: self.account(),
            tenant_id: self.claims.tid.clone(),
            method: SignInMethod::Token,
            source: Source::Environment,
            client_id: self.claims.client_id().map(str::to_owned),
            expires_at: self.claims.expires_at(),
            roles: self.claims.roles.clone(),
            is_renewable: false,
            authority: None,
        })
    }

    /// What to do where the service refuses the token, whether or not something better is known than that it may have
    /// been revoked.
    pub fn advice_when_refused(&self, is_explained: bool) -> String {
        let connect = &self.sign_in_command;
        if is_explained {
            format!("put another token into {TOKEN_VARIABLE}, or unset it and run {connect}")
        } else {
            format!(
                "the token in {TOKEN_VARIABLE} may have been revoked: put a new one there, or unset it and run {connect}"
            )
        }
    }

    /// The token is for one tenant, which must be the one asked for, and for a time, which must not be over.
    fn check(&self) -> Result<()> {
        if let Some(asked) = &self.tenant {
            self.check_tenant(asked)?;
        }
        match self.claims.expires_at() {
            Some(end) if end <= Utc::now() => {
                Err(Error::auth(format!("the token in {TOKEN_VARIABLE} ended at {}", format_timestamp(end)))
                    .with_hint(format!("put a new token into {TOKEN_VARIABLE}, or unset it to use a saved sign-in")))
            }
            _ => Ok(()),
        }
    }

    fn check_tenant(&self, asked: &Tenant) -> Result<()> {
        let whose = match (self.claims.tid.as_deref(), asked.id()) {
            (Some(tid), Some(id)) if id.eq_ignore_ascii_case(tid) => return Ok(()),
            (Some(tid), Some(_)) => format!("is for the tenant {tid}"),
            (Some(tid), None) => format!("is for the tenant {tid}; a domain cannot be compared with that"),
            (None, _) => "does not say which tenant it is for".to_owned(),
        };
        Err(Error::usage(format!("--tenant {asked} does not fit {TOKEN_VARIABLE}: the token {whose}"))
            .with_hint(format!("leave out --tenant, or unset {TOKEN_VARIABLE} to use a saved sign-in")))
    }
}
