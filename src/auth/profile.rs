//! The profile's saved sign-in at one tenant, and renewing it.

mod signed_in;

use std::cell::RefCell;
use std::rc::Rc;

use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;

use super::session::refused::Refused;
use super::session::{Source, Status};
use crate::auth::claims::Claims;
use crate::auth::credential::{CachedCredential, CachedToken, SignInMethod, is_fresh};
use crate::auth::entra::{Entra, TokenResponse};
use crate::auth::sign_in_command::SignInCommand;
use crate::auth::tenant::Tenant;
use crate::error::{Error, ErrorKind, Result};
use crate::text::format_timestamp;
pub use signed_in::ProfileStore;

/// The saved sign-in of one profile, used at one tenant for one run.
pub struct ProfileCredential {
    shared: Rc<ProfileStore>,
    tenant: Option<Tenant>,
    /// The tenant that has been served in this run; its requests go on there.
    tenant_id: RefCell<Option<String>>,
    /// The command that signs in again, once somebody has been served.
    again: RefCell<Option<String>>,
    /// The token that the last request was made with: it need not be looked up again while it is good.
    in_hand: RefCell<Option<(SecretString, DateTime<Utc>)>>,
    /// Requests that run side by side renew the sign-in one after the other, and find it renewed.
    renewing: Mutex<()>,
    refused: Refused,
}

impl ProfileCredential {
    pub fn new(shared: Rc<ProfileStore>, tenant: Option<Tenant>) -> Self {
        let (tenant_id, again, in_hand) = (RefCell::default(), RefCell::default(), RefCell::default());
        Self { shared, tenant, tenant_id, again, in_hand, renewing: Mutex::default(), refused: Refused::default() }
    }

    pub fn tenant_id(&self) -> Option<String> {
        self.tenant_id.borrow().clone()
    }

    pub fn account(&self) -> Option<String> {
        self.shared.account()
    }

    /// The command that signs in again, in the way that the one that was served did.
    pub fn advice_when_refused(&self) -> String {
        self.again.borrow().clone().unwrap_or_else(|| self.connect().to_string())
    }

    pub fn connect(&self) -> SignInCommand {
        SignInCommand::new(&self.shared.profile, self.tenant.as_ref())
    }

    /// The command that signs in again in the same way. An application always names its tenant.
    fn connect_again(&self, sign_in: &CachedCredential) -> String {
        if sign_in.method != SignInMethod::Application {
            return self.connect().to_string();
        }
        let home = Tenant::parse(&sign_in.tenant_id).ok();
        let tenant = self.tenant.as_ref().or(home.as_ref());
        let connect = SignInCommand::new(&self.shared.profile, tenant).for_application();
        let connect = SignInCommand { client_id: sign_in.client_id.clone(), ..connect };
        format!("{connect}, and what the application proves itself with, such as --certificate FILE")
    }

    async fn sign_in(&self) -> Result<CachedCredential> {
        self.shared.sign_in(None, &self.connect()).await
    }

    pub async fn status(&self) -> Result<Status> {
        let sign_in = self.sign_in().await?;
        let found = sign_in.token_for(self.tenant.as_ref());
        self.check_usable(&sign_in, found.map(|(_, token)| token))?;
        let tenant_id = found.map(|(id, _)| id).or_else(|| self.tenant.as_ref()?.id()).map(str::to_owned);
        let claims = found.and_then(|(_, token)| Claims::decode_unverified(token.access_token.expose_secret()));
        Ok(Status {
            tenant_id,
            method: sign_in.method,
            source: Source::Cache,
            roles: claims.map(|claims| claims.roles).unwrap_or_default(),
            expires_at: found.map(|(_, token)| token.expires_at),
            is_renewable: sign_in.refresh_token.is_some(),
            authority: sign_in.refresh_token.as_ref().map(|_| sign_in.authority.clone()),
            account: sign_in.account,
            client_id: sign_in.client_id,
        })
    }

    pub async fn token(&self) -> Result<SecretString> {
        if let Some((token, expires_at)) = &*self.in_hand.borrow()
            && is_fresh(*expires_at, Utc::now())
        {
            return Ok(token.clone());
        }
        let sign_in = self.sign_in().await?;
        let found = sign_in.token_for(self.tenant.as_ref());
        self.check_usable(&sign_in, found.map(|(_, token)| token))?;
        match found {
            Some((tenant_id, token)) if token.is_fresh(Utc::now()) || sign_in.refresh_token.is_none() => {
                if self.use_as(&sign_in, tenant_id)? {
                    let profile = &self.shared.profile;
                    self.shared.ui.debug(&format!("using the saved sign-in of the profile {profile}"));
                }
                Ok(self.take_in_hand(&token.access_token, token.expires_at))
            }
            _ => self.renew(None).await,
        }
    }

    pub async fn renewed(&self, refused: &SecretString) -> Result<Option<SecretString>> {
        // Another request may have found a new one meanwhile.
        self.in_hand.borrow_mut().take_if(|(token, _)| token.expose_secret() == refused.expose_secret());
        if self.sign_in().await?.refresh_token.is_none() {
            return Ok(None);
        }
        self.shared.ui.debug("the service refused the token; asking for a new one");
        self.renew(Some(refused)).await.map(Some)
    }

    /// Remembers who is served, and where. Returns whether it is the first.
    fn use_as(&self, sign_in: &CachedCredential, tenant_id: &str) -> Result<bool> {
        self.check_same(sign_in, tenant_id)?;
        self.tenant_id.replace(Some(tenant_id.to_owned()));
        self.again.replace(Some(self.connect_again(sign_in)));
        Ok(self.shared.use_as(sign_in.account.as_ref()))
    }

    /// Refuses to go on as anybody else, or elsewhere.
    fn check_same(&self, sign_in: &CachedCredential, tenant_id: &str) -> Result<()> {
        let is_same_tenant = self.tenant_id.borrow().as_ref().is_none_or(|before| before == tenant_id);
        if is_same_tenant && self.shared.is_same(sign_in.account.as_ref()) {
            return Ok(());
        }
        Err(self.somebody_else())
    }

    fn somebody_else(&self) -> Error {
        Error::auth(format!(
            "somebody has signed in to the profile {} anew meanwhile, as another account or in another tenant; nothing more was sent",
            self.shared.profile
        ))
        .with_hint(format!("look at who is signed in: mscommerce status{}", self.connect().flags()))
    }

    /// A sign-in that cannot be renewed serves one tenant, and only until its token ends.
    fn check_usable(&self, sign_in: &CachedCredential, token: Option<&CachedToken>) -> Result<()> {
        if sign_in.refresh_token.is_some() {
            return Ok(());
        }
        let Some(token) = token else {
            let asked = self.tenant.as_ref().map(ToString::to_string).unwrap_or_default();
            return Err(Error::auth(format!(
                "the saved token is for the tenant {} and cannot be used at {asked}",
                sign_in.tenant_id
            ))
            .with_hint(self.connect_again(sign_in)));
        };
        if token.expires_at <= Utc::now() {
            return Err(Error::auth(format!(
                "the saved token ended at {} and cannot be renewed",
                format_timestamp(token.expires_at)
            ))
            .with_hint(self.connect_again(sign_in)));
        }
        Ok(())
    }

    /// Renews the sign-in, unless another request of this run has done so meanwhile. `refused` is a token that must
    /// not be taken again.
    async fn renew(&self, refused: Option<&SecretString>) -> Result<SecretString> {
        let _renewing = self.renewing.lock().await;
        self.refused.check()?;
        let renewed = self.renew_in_turn(refused).await;
        self.refused.remember(&renewed);
        renewed
    }

    /// Asks Entra for a new token with the profile's refresh token, unless another process has done so while
    /// this one waited for the file.
    async fn renew_in_turn(&self, refused: Option<&SecretString>) -> Result<SecretString> {
        let held = self.shared.hold().await;
        let held = held.as_deref();
        let sign_in = self.shared.sign_in(held, &self.connect()).await?;
        if let Some((tenant_id, token)) = sign_in.token_for(self.tenant.as_ref())
            && token.is_fresh(Utc::now())
            && refused.is_none_or(|refused| refused.expose_secret() != token.access_token.expose_secret())
        {
            self.use_as(&sign_in, tenant_id)?;
            return Ok(self.take_in_hand(&token.access_token, token.expires_at));
        }
        if let Some(tenant_id) = self.known_tenant_id(&sign_in) {
            self.check_same(&sign_in, tenant_id)?;
        }
        let grant = self.redeem(&sign_in).await?;
        // A renewal at another tenant may have been faster; where the file is not held, another process too.
        let mut now = self.shared.sign_in(held, &self.connect()).await?;
        if !now.same_identity(&sign_in) {
            return Err(self.somebody_else());
        }
        let token = self.keep(&mut now, grant);
        // The new refresh token is saved even where the access token that came with it is of no use.
        self.shared.save(now, held);
        token
    }

    async fn redeem(&self, sign_in: &CachedCredential) -> Result<TokenResponse> {
        self.check_usable(sign_in, sign_in.token_for(self.tenant.as_ref()).map(|(_, token)| token))?;
        let (Some(refresh_token), Some(client_id)) = (&sign_in.refresh_token, &sign_in.client_id) else {
            return Err(Error::auth("the saved sign-in cannot be renewed").with_hint(self.connect().to_string()));
        };
        let known = self.known_tenant_id(sign_in);
        let tenant = known.or_else(|| self.tenant.as_ref().map(Tenant::as_str)).unwrap_or(&sign_in.tenant_id);
        let entra = Entra {
            http: self.shared.http.clone(),
            authority: sign_in.authority.clone(),
            tenant: tenant.to_owned(),
            client_id: client_id.clone(),
            scope: sign_in.scope.clone(),
            sign_in_command: self.connect().with_client_id(client_id),
        };
        entra.refresh(refresh_token).await.map_err(|error| self.with_known_tenants(error, sign_in))
    }

    /// The id of the tenant that is asked for, unless it is named by a domain that was never used.
    fn known_tenant_id<'s>(&'s self, sign_in: &'s CachedCredential) -> Option<&'s str> {
        let used = sign_in.token_for(self.tenant.as_ref()).map(|(id, _)| id);
        used.or_else(|| self.tenant.as_ref().map_or(Some(sign_in.tenant_id.as_str()), Tenant::id))
    }

    /// A refusal for a tenant that was asked for lists those that served before.
    fn with_known_tenants(&self, error: Error, sign_in: &CachedCredential) -> Error {
        if self.tenant.is_none() || self.shared.is_at_several || error.kind() != ErrorKind::Auth {
            return error;
        }
        let known = sign_in.tenants.iter().map(|(id, token)| match token.domains.first() {
            Some(domain) => format!("{domain} ({id})"),
            None => id.clone(),
        });
        let known: Vec<String> = known.collect();
        error.with_detail(format!("tenants used with this sign-in: {}", known.join(", ")))
    }

    /// Takes over what was granted, and returns the access token if it is for the tenant that was meant.
    fn keep(&self, sign_in: &mut CachedCredential, grant: TokenResponse) -> Result<SecretString> {
        if let Some(refresh_token) = grant.refresh_token {
            sign_in.refresh_token = Some(refresh_token);
        }
        let meant = self.known_tenant_id(sign_in).map(str::to_owned);
        let tenant_id = match (grant.claims.tid, &meant, &self.tenant) {
            (Some(tid), Some(meant), _) if !tid.eq_ignore_ascii_case(meant) => {
                return Err(Error::auth(format!(
                    "a token for the tenant {meant} was asked for, and one for {tid} came"
                ))
                .with_hint(self.connect().to_string()));
            }
            (Some(tid), None, _) => tid,
            (_, Some(meant), _) => meant.clone(),
            (None, None, asked) => asked.as_ref().map(ToString::to_string).unwrap_or_default(),
        };
        sign_in.store_token(&tenant_id, grant.access_token.clone(), grant.expires_at, self.tenant.as_ref());
        self.use_as(sign_in, &tenant_id)?;
        Ok(self.take_in_hand(&grant.access_token, grant.expires_at))
    }

    fn take_in_hand(&self, token: &SecretString, expires_at: DateTime<Utc>) -> SecretString {
        self.in_hand.replace(Some((token.clone(), expires_at)));
        token.clone()
    }
}
