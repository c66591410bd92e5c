//! Keeping what a sign-in granted.

use std::collections::BTreeMap;

use chrono::Utc;
use secrecy::{ExposeSecret, SecretString};

use super::Aim;
use crate::auth::{
    CachedCredential, Claims, DEFAULT_PROFILE, SignInMethod, Tenant, TokenCache, TokenResponse, foreign_audience,
    is_bearer_token,
};
use crate::commands::Context;
use crate::error::{Error, Result};
use crate::report::Report;
use crate::text::format_timestamp;

const HOW_TO_GET_A_TOKEN: &str = "az account get-access-token --resource aeb86249-8ea3-49e2-900b-54cc8e308f85 --query accessToken -o tsv | mscommerce connect --with-token";

/// Saves sign-ins of this run, under the profile in use.
pub struct Saving<'a> {
    pub context: &'a Context<'a>,
    pub store: &'a TokenCache<'a>,
    pub aim: &'a Aim,
}

impl Saving<'_> {
    /// Finds out whether a sign-in could be saved, before a person is asked for one.
    pub async fn check_place(&self) -> Result<()> {
        self.store.lock(self.context.http.remaining()).await?.ensure_writable()
    }

    /// Saves a token that was made elsewhere.
    pub async fn ready_token(&self) -> Result<()> {
        let terminal = self.context.terminal;
        let token = if terminal.facts().input_is_terminal {
            terminal.secret("Access token: ").await?
        } else {
            terminal.input_as_secret().await?
        };
        let token = SecretString::from(token.expose_secret().trim());
        if token.expose_secret().is_empty() {
            return Err(
                Error::usage("no access token was handed over: standard input is empty").with_hint(HOW_TO_GET_A_TOKEN)
            );
        }
        let claims = Claims::decode_unverified(token.expose_secret()).filter(|_| is_bearer_token(&token));
        let not_a_token = || {
            Error::usage("what was handed over is not an access token (a JWT of Entra's)").with_hint(HOW_TO_GET_A_TOKEN)
        };
        let claims = claims.ok_or_else(not_a_token)?;
        let expires_at = claims.expires_at().ok_or_else(not_a_token)?;
        if expires_at <= Utc::now() {
            return Err(Error::auth(format!("the token ended at {}", format_timestamp(expires_at)))
                .with_hint("hand over a new one"));
        }
        let resource = self.context.settings.resource();
        if let Some(audience) = foreign_audience(&claims, &resource) {
            terminal.warn(&format!("the token is for the service {audience}, not for {resource}; it may be refused"));
        }
        self.save(TokenResponse { access_token: token, refresh_token: None, expires_at, claims }, SignInMethod::Token)
            .await?;
        Ok(())
    }

    /// Saves what was granted, says so, and returns the account and the tenant's id.
    pub async fn save(&self, grant: TokenResponse, method: SignInMethod) -> Result<(String, String)> {
        let aim = self.aim;
        let tenant_id = self.tenant_of(&grant, method)?;
        let account = grant.claims.account().map(str::to_owned);
        let client_id = match method {
            SignInMethod::Token => grant.claims.client_id().map(str::to_owned),
            _ => Some(aim.client_id.clone()),
        };
        let mut sign_in = CachedCredential {
            account: account.clone(),
            tenant_id: tenant_id.clone(),
            method,
            authority: aim.authority.clone(),
            client_id,
            scope: aim.scope.clone(),
            refresh_token: grant.refresh_token,
            tenants: BTreeMap::new(),
        };
        sign_in.keep(&tenant_id, grant.access_token, grant.expires_at, aim.tenant.as_ref());
        let profile = &self.context.settings.profile;
        let mut locked = self.store.lock(self.context.http.remaining()).await?;
        let before = locked.sign_in(profile).map(|before| (before.tenant_id.clone(), before.account.clone()));
        locked.save(profile, sign_in)?;
        match before {
            Some((before, _)) if before != tenant_id => self.context.terminal.warn(&format!(
                "the profile {profile} was signed in to the tenant {before} before; what names no --tenant goes to {tenant_id} from now on"
            )),
            Some((_, Some(before))) if Some(&before) != account.as_ref() => {
                self.context.terminal.info(&format!("This takes the place of the sign-in of {before}."));
            }
            _ => {}
        }

        let account = account.unwrap_or_else(|| "an account without a name".to_owned());
        let account = if method == SignInMethod::Application { format!("the application {account}") } else { account };
        let under = if profile == DEFAULT_PROFILE { String::new() } else { format!(" (profile {profile})") };
        self.context.terminal.info(&format!("Signed in as {account} to the tenant {tenant_id}{under}."));
        Ok((account, tenant_id))
    }

    /// The tenant that the token names. One that was asked for must be that one.
    fn tenant_of(&self, grant: &TokenResponse, method: SignInMethod) -> Result<String> {
        let (asked, origin) = (self.aim.tenant.as_ref(), self.aim.tenant_origin);
        let by_token = method == SignInMethod::Token;
        let Some(tid) = grant.claims.tid.clone() else {
            let flag = if by_token { " --with-token" } else { "" };
            return asked.and_then(Tenant::id).map(str::to_owned).ok_or_else(|| {
                Error::auth("the token does not say which tenant it is for")
                    .with_hint(format!("mscommerce connect{flag} --tenant TENANT-ID"))
            });
        };
        match asked {
            Some(asked) if asked.id().is_some_and(|id| !id.eq_ignore_ascii_case(&tid)) => {
                let message =
                    format!("{origin} asks for the tenant {asked}, but the token is for {tid}; nothing was saved");
                if by_token {
                    return Err(Error::usage(message)
                        .with_hint(format!("leave out {origin}, or hand over a token for that tenant")));
                }
                Err(Error::auth(message))
            }
            Some(asked) if asked.id().is_none() && by_token => Err(Error::usage(format!(
                "{origin} asks for {asked}, which cannot be compared with the token's tenant {tid}; nothing was saved"
            ))
            .with_hint(format!("leave out {origin}, or give the tenant's id"))),
            _ => Ok(tid),
        }
    }
}
