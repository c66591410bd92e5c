//! The cached credential of a profile at one tenant.

use std::cell::{OnceCell, RefCell};
use std::rc::Rc;

use chrono::Utc;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;

use super::cache::CacheLock;
use super::credential::{CachedCredential, CachedToken, SignInMethod, Status, repeat_error};
use super::entra::{Entra, TokenResponse};
use super::expiry::clock_detail;
use super::profile_store::ProfileStore;
use super::sign_in_command::SignInCommand;
use super::tenant::Tenant;
use crate::error::{Error, ErrorKind, Result};
use crate::text::format_timestamp;

/// The cached credential of a profile, bound to one tenant.
pub struct ProfileCredential {
    store: Rc<ProfileStore>,
    /// The tenant that the user specified. `None` for the tenant of the sign-in.
    tenant: Option<Tenant>,
    /// The tenant ID, set when the first access token is returned. It does not change during the run.
    tenant_id: OnceCell<String>,
    /// Serializes refreshes, so that concurrent requests reuse the first result.
    refresh_lock: Mutex<()>,
    /// Entra's rejection of a refresh. Later requests return it without another attempt.
    rejected: RefCell<Option<Error>>,
}

impl ProfileCredential {
    pub fn new(store: Rc<ProfileStore>, tenant: Option<Tenant>) -> Self {
        let (tenant_id, refresh_lock, rejected) = (OnceCell::new(), Mutex::default(), RefCell::default());
        Self { store, tenant, tenant_id, refresh_lock, rejected }
    }

    pub fn tenant_id(&self) -> Option<String> {
        self.tenant_id.get().cloned()
    }

    pub fn account(&self) -> Option<String> {
        self.store.loaded()?.account.clone()
    }

    pub fn sign_in_command(&self) -> SignInCommand {
        SignInCommand::new(&self.store.profile, self.tenant.as_ref())
    }

    /// The command that signs in again with the credential's sign-in method.
    pub fn sign_in_again_hint(&self) -> String {
        match self.store.loaded() {
            Some(credential) => self.sign_in_again_command(&credential),
            None => self.sign_in_command().to_string(),
        }
    }

    fn sign_in_again_command(&self, credential: &CachedCredential) -> String {
        if credential.method != SignInMethod::Application {
            return self.sign_in_command().to_string();
        }
        // An application sign-in requires a tenant.
        let home = Tenant::parse(&credential.tenant_id).ok();
        let tenant = self.tenant.as_ref().or(home.as_ref());
        let command = SignInCommand::new(&self.store.profile, tenant).for_application();
        let command = SignInCommand { client_id: credential.client_id.clone(), ..command };
        format!("{command} --certificate FILE (or another credential option)")
    }

    async fn credential(&self) -> Result<Rc<CachedCredential>> {
        self.store.credential(&self.sign_in_command()).await
    }

    pub async fn status(&self) -> Result<Status> {
        let credential = self.credential().await?;
        let cached = credential.token_for(self.tenant.as_ref());
        self.check_not_expired(&credential, cached.map(|(_, token)| token))?;
        Ok(credential.status(self.tenant.as_ref()))
    }

    /// Returns a valid access token. Refreshes the cached one if it is about to expire.
    pub async fn access_token(&self) -> Result<SecretString> {
        let credential = self.credential().await?;
        let cached = credential.token_for(self.tenant.as_ref());
        self.check_not_expired(&credential, cached.map(|(_, token)| token))?;
        match cached {
            Some((tenant_id, token)) if token.expiry.is_fresh(Utc::now()) || credential.refresh_token.is_none() => {
                self.cached_token(tenant_id, token)
            }
            _ => self.new_token(None).await,
        }
    }

    /// Returns a token other than `rejected`, which the service did not accept. `None` without a refresh token.
    pub async fn refresh(&self, rejected: &SecretString) -> Result<Option<SecretString>> {
        if self.credential().await?.refresh_token.is_none() {
            return Ok(None);
        }
        self.store.ui.debug("access token rejected; requesting a new one");
        self.new_token(Some(rejected)).await.map(Some)
    }

    /// Returns the cached token. Fails if the tenant ID differs from that of earlier requests.
    fn cached_token(&self, tenant_id: &str, token: &CachedToken) -> Result<SecretString> {
        if self.tenant_id.get_or_init(|| tenant_id.to_owned()) != tenant_id {
            return Err(self.signed_in_again_error());
        }
        Ok(token.access_token.clone())
    }

    fn signed_in_again_error(&self) -> Error {
        Error::auth(format!(
            "profile {} was signed in again by another process, with another account or tenant; nothing more was sent",
            self.store.profile
        ))
        .with_hint(format!("check the current sign-in: mscommerce status{}", self.sign_in_command().flags()))
    }

    /// Fails if the credential has neither a refresh token nor a valid access token for the tenant.
    fn check_not_expired(&self, credential: &CachedCredential, token: Option<&CachedToken>) -> Result<()> {
        if credential.refresh_token.is_some() {
            return Ok(());
        }
        let error = match token {
            None => Error::auth(format!(
                "the saved token is for tenant {} and cannot be used for {}",
                credential.tenant_id,
                self.tenant.as_ref().map(ToString::to_string).unwrap_or_default()
            )),
            Some(token) if token.expiry.expires_at <= Utc::now() => Error::auth(format!(
                "the saved token expired at {} and cannot be refreshed",
                format_timestamp(token.expiry.expires_at)
            ))
            .with_detail(clock_detail()),
            Some(_) => return Ok(()),
        };
        Err(error.with_hint(self.sign_in_again_command(credential)))
    }

    /// Returns a token other than `rejected`, after a refresh if needed.
    async fn new_token(&self, rejected: Option<&SecretString>) -> Result<SecretString> {
        let _refreshing = self.refresh_lock.lock().await;
        if let Some(error) = &*self.rejected.borrow() {
            return Err(repeat_error(error));
        }
        let result = self.refresh_locked(rejected).await;
        if let Err(error) = &result
            && error.kind() == ErrorKind::Auth
        {
            self.rejected.replace(Some(repeat_error(error)));
        }
        result
    }

    /// Redeems the refresh token, unless another request or process did so while this one waited for the lock.
    async fn refresh_locked(&self, rejected: Option<&SecretString>) -> Result<SecretString> {
        let lock = self.store.lock().await;
        let credential = self.reload(lock.as_deref()).await?;
        if let Some((tenant_id, token)) = credential.token_for(self.tenant.as_ref())
            && token.expiry.is_fresh(Utc::now())
            && rejected.is_none_or(|rejected| rejected.expose_secret() != token.access_token.expose_secret())
        {
            return self.cached_token(tenant_id, token);
        }
        let response = self.redeem(&credential).await?;
        // A concurrent refresh for another tenant may have changed the credential during the request.
        let mut credential = CachedCredential::clone(&*self.credential().await?);
        let token = self.merge_token(&mut credential, response);
        // Save the new refresh token even if the access token is for another tenant.
        self.store.save(&credential, lock.as_deref());
        self.store.set(credential);
        token
    }

    /// Loads changes that another process made to the cache. Fails if it signed in with another account or tenant.
    async fn reload(&self, lock: Option<&RefCell<CacheLock>>) -> Result<Rc<CachedCredential>> {
        let known = self.credential().await?;
        let Some(current) = self.store.reload(lock, &self.sign_in_command()).await? else { return Ok(known) };
        if !current.same_identity(&known) || (self.tenant.is_none() && current.tenant_id != known.tenant_id) {
            return Err(self.signed_in_again_error());
        }
        Ok(self.store.set(current))
    }

    async fn redeem(&self, credential: &CachedCredential) -> Result<TokenResponse> {
        self.check_not_expired(credential, credential.token_for(self.tenant.as_ref()).map(|(_, token)| token))?;
        let sign_in_command = self.sign_in_command();
        let (Some(refresh_token), Some(client_id)) = (&credential.refresh_token, &credential.client_id) else {
            return Err(Error::auth("the saved sign-in cannot be refreshed").with_hint(sign_in_command.to_string()));
        };
        let known_id = self.resolve_tenant_id(credential);
        let tenant = known_id.or_else(|| self.tenant.as_ref().map(Tenant::as_str)).unwrap_or(&credential.tenant_id);
        let entra = Entra {
            http: self.store.http.clone(),
            authority: credential.authority.clone(),
            tenant: tenant.to_owned(),
            client_id: client_id.clone(),
            scope: credential.scope.clone(),
        };
        entra.redeem_refresh_token(refresh_token).await.map_err(|error| {
            let action = format!("could not refresh the saved sign-in for tenant {tenant}");
            self.add_known_tenants(error.into_error(&action, &sign_in_command.with_client_id(client_id)), credential)
        })
    }

    /// The tenant ID. `None` if the user specified a domain for which no token was issued yet.
    fn resolve_tenant_id<'c>(&'c self, credential: &'c CachedCredential) -> Option<&'c str> {
        let known = self.tenant_id.get().map(String::as_str);
        known.or_else(|| credential.token_for(self.tenant.as_ref()).map(|(id, _)| id)).or_else(|| match &self.tenant {
            Some(tenant) => tenant.id(),
            None => Some(&credential.tenant_id),
        })
    }

    /// Adds the known tenants of the credential to an authentication error for a tenant that the user specified.
    fn add_known_tenants(&self, error: Error, credential: &CachedCredential) -> Error {
        if self.tenant.is_none() || self.store.many_tenants || error.kind() != ErrorKind::Auth {
            return error;
        }
        let known = credential.tenants.iter().map(|(id, token)| match token.domains.first() {
            Some(domain) => format!("{domain} ({id})"),
            None => id.clone(),
        });
        let known: Vec<String> = known.collect();
        error.with_detail(format!("tenants used with this sign-in: {}", known.join(", ")))
    }

    /// Stores the tokens of a response in the credential. Fails if the access token is for another tenant.
    fn merge_token(&self, credential: &mut CachedCredential, response: TokenResponse) -> Result<SecretString> {
        if let Some(refresh_token) = response.refresh_token {
            credential.refresh_token = Some(refresh_token);
        }
        let known_id = self.resolve_tenant_id(credential).map(str::to_owned);
        let tenant_id = match (response.claims.tid, known_id) {
            (Some(tid), Some(id)) if !tid.eq_ignore_ascii_case(&id) => {
                return Err(Error::auth(format!("requested a token for tenant {id}, but received one for {tid}"))
                    .with_hint(self.sign_in_command().to_string()));
            }
            (_, Some(id)) | (Some(id), None) => id,
            (None, None) => self.tenant.as_ref().map(ToString::to_string).unwrap_or_default(),
        };
        credential.store_token(&tenant_id, response.access_token.clone(), response.expiry, self.tenant.as_ref());
        self.tenant_id.get_or_init(|| tenant_id);
        Ok(response.access_token)
    }
}
