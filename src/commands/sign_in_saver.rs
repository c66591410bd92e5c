//! Caches the credential of a sign-in under the current profile.

use std::collections::BTreeMap;

use url::Url;

use crate::auth::{CachedCredential, DEFAULT_PROFILE, SignInCommand, SignInMethod, Tenant, TokenCache, TokenResponse};
use crate::context::Context;
use crate::error::{Error, Result};

/// The error message if Entra rejects the sign-in.
pub const SIGN_IN: &str = "could not sign in";

/// The tenant, authority and client of a sign-in.
pub struct SignInTarget {
    pub tenant: Option<Tenant>,
    /// The flag or environment variable that sets the tenant.
    pub tenant_source: &'static str,
    pub authority: Url,
    pub client_id: String,
    pub scope: String,
}

/// Caches credentials for one `connect` run.
pub struct SignInSaver {
    pub context: Context,
    pub cache: TokenCache,
    pub target: SignInTarget,
    /// The sign-in command, for hints.
    pub sign_in_command: SignInCommand,
}

impl SignInSaver {
    /// Fails if the cache is not writable. Call it before the user has to sign in.
    pub async fn ensure_cache_writable(&self) -> Result<()> {
        self.cache.lock(self.context.http.remaining()).await?.ensure_writable()
    }

    /// Caches a token response and prints the result. Returns the account and the tenant ID.
    pub async fn save(&self, response: TokenResponse, method: SignInMethod) -> Result<(String, String)> {
        let (target, ui) = (&self.target, &self.context.ui);
        let tenant_id = self.resolve_token_tenant(&response, method)?;
        let account = response.claims.account().map(str::to_owned);
        let client_id = match method {
            SignInMethod::Token => response.claims.client_id().map(str::to_owned),
            _ => Some(target.client_id.clone()),
        };
        let mut credential = CachedCredential {
            account: account.clone(),
            tenant_id: tenant_id.clone(),
            method,
            authority: target.authority.clone(),
            client_id,
            scope: target.scope.clone(),
            refresh_token: response.refresh_token,
            tenants: BTreeMap::new(),
        };
        credential.store_token(&tenant_id, response.access_token, response.expiry, target.tenant.as_ref());
        let profile = &self.context.settings.profile.value;
        let mut lock = self.cache.lock(self.context.http.remaining()).await?;
        let replaced = lock.content().profiles.get(profile).map(|old| (old.tenant_id.clone(), old.account.clone()));
        lock.save(profile, credential)?;
        match replaced {
            Some((old_tenant, _)) if old_tenant != tenant_id => ui.warn(&format!(
                "profile {profile} was signed in to tenant {old_tenant} before; commands without --tenant now use {tenant_id}"
            )),
            Some((_, Some(old_account))) if Some(&old_account) != account.as_ref() => {
                ui.info(&format!("This replaces the sign-in of {old_account}."));
            }
            _ => {}
        }
        let account = account.unwrap_or_else(|| "an account without a name".to_owned());
        let account = if method == SignInMethod::Application { format!("application {account}") } else { account };
        let suffix = if profile == DEFAULT_PROFILE { String::new() } else { format!(" (profile {profile})") };
        ui.info(&format!("Signed in as {account} to tenant {tenant_id}{suffix}."));
        Ok((account, tenant_id))
    }

    /// The tenant ID of the token. Fails if it differs from the requested tenant, or cannot be determined.
    fn resolve_token_tenant(&self, response: &TokenResponse, method: SignInMethod) -> Result<String> {
        let (requested, source) = (self.target.tenant.as_ref(), self.target.tenant_source);
        let is_token = method == SignInMethod::Token;
        let Some(tid) = response.claims.tid.clone() else {
            let flag = if is_token { " --with-token" } else { "" };
            return requested.and_then(Tenant::id).map(str::to_owned).ok_or_else(|| {
                Error::auth("the token does not specify its tenant")
                    .with_hint(format!("mscommerce connect{flag} --tenant TENANT-ID"))
            });
        };
        match requested {
            Some(tenant) if tenant.id().is_some_and(|id| !id.eq_ignore_ascii_case(&tid)) => {
                let message =
                    format!("{source} specifies tenant {tenant}, but the token is for {tid}; nothing was saved");
                if is_token {
                    return Err(
                        Error::usage(message).with_hint(format!("omit {source}, or provide a token for that tenant"))
                    );
                }
                Err(Error::auth(message))
            }
            Some(tenant) if tenant.id().is_none() && is_token => Err(Error::usage(format!(
                "{source} specifies {tenant}, which cannot be compared with the token's tenant {tid}; nothing was saved"
            ))
            .with_hint(format!("omit {source}, or use the tenant's ID"))),
            _ => Ok(tid),
        }
    }
}
