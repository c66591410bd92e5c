//! The profile's saved sign-in, and renewing it.

use std::cell::RefCell;
use std::time::Duration;

use chrono::Utc;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;

use super::{Source, Status};
use crate::error::{Error, Kind, Result};
use crate::http;
use crate::identity::cache::{Locked, Lookup, SignIn, Store, TenantToken};
use crate::identity::claims::Claims;
use crate::identity::connect_command::ConnectCommand;
use crate::identity::entra::{Entra, Grant};
use crate::identity::tenant::Tenant;
use crate::report::Report;

/// How long another process may hold the file of sign-ins; a renewal takes seconds.
const LOCK_PATIENCE: Duration = Duration::from_secs(30);

/// The saved sign-in of one profile, used at one tenant for one run.
pub(crate) struct SavedSignIn<'a> {
    http: &'a http::Client<'a>,
    store: &'a Store<'a>,
    report: &'a dyn Report,
    profile: &'a str,
    tenant: Option<&'a Tenant>,
    in_use: RefCell<Option<InUse>>,
    /// A renewed sign-in that could not be saved: it serves the rest of the run.
    unsaved: RefCell<Option<Box<SignIn>>>,
    /// Requests that run side by side renew the sign-in one after the other, and find it renewed.
    renewing: Mutex<()>,
    /// Why a renewal was refused, with its hints: there is no point in asking again.
    refusal: RefCell<Option<(String, Vec<String>)>>,
}

/// Who has been served in this run. All its requests are made as one account in one tenant, even if somebody
/// signs in to the profile anew meanwhile.
#[derive(Clone, PartialEq)]
struct InUse {
    account: Option<String>,
    tenant_id: String,
}

impl<'a> SavedSignIn<'a> {
    pub(crate) fn new(
        http: &'a http::Client<'a>,
        store: &'a Store<'a>,
        report: &'a dyn Report,
        profile: &'a str,
        tenant: Option<&'a Tenant>,
    ) -> Self {
        Self {
            http,
            store,
            report,
            profile,
            tenant,
            in_use: RefCell::new(None),
            unsaved: RefCell::new(None),
            renewing: Mutex::new(()),
            refusal: RefCell::new(None),
        }
    }

    pub(super) fn connect(&self) -> ConnectCommand<'a> {
        ConnectCommand { profile: self.profile, tenant: self.tenant, client_id: None }
    }

    pub(super) fn tenant_id(&self) -> Option<String> {
        self.in_use.borrow().as_ref().map(|in_use| in_use.tenant_id.clone())
    }

    pub(super) fn account(&self) -> Option<String> {
        self.in_use.borrow().as_ref().and_then(|in_use| in_use.account.clone())
    }

    pub(super) async fn status(&self) -> Result<Status> {
        let sign_in = self.sign_in().await?;
        let found = sign_in.token_for(self.tenant);
        self.check_usable(&sign_in, found.map(|(_, token)| token))?;
        let tenant_id = found.map(|(id, _)| id).or_else(|| self.tenant?.id()).map(str::to_owned);
        let claims = found.and_then(|(_, token)| Claims::of(token.access_token.expose_secret()));
        Ok(Status {
            tenant_id,
            method: sign_in.method,
            source: Source::Cache,
            roles: claims.map(|claims| claims.roles).unwrap_or_default(),
            expires_at: found.map(|(_, token)| token.expires_at),
            is_renewable: sign_in.refresh_token.is_some(),
            account: sign_in.account,
            client_id: sign_in.client_id,
        })
    }

    pub(super) async fn token(&self) -> Result<SecretString> {
        let sign_in = self.sign_in().await?;
        let found = sign_in.token_for(self.tenant);
        self.check_usable(&sign_in, found.map(|(_, token)| token))?;
        match found {
            Some((tenant_id, token)) if token.is_fresh(Utc::now()) || sign_in.refresh_token.is_none() => {
                let is_first = self.in_use.borrow().is_none();
                self.use_as(&sign_in, tenant_id)?;
                if is_first {
                    self.report.detail(&format!("using the saved sign-in of the profile {}", self.profile));
                }
                Ok(token.access_token.clone())
            }
            _ => self.renew(None).await,
        }
    }

    pub(super) async fn renewed(&self, refused: &SecretString) -> Result<Option<SecretString>> {
        if self.sign_in().await?.refresh_token.is_none() {
            return Ok(None);
        }
        self.report.detail("the service refused the token; asking for a new one");
        self.renew(Some(refused)).await.map(Some)
    }

    async fn sign_in(&self) -> Result<SignIn> {
        if let Some(unsaved) = &*self.unsaved.borrow() {
            return Ok(SignIn::clone(unsaved));
        }
        match self.store.look_up(self.profile, self.http.time_left()).await? {
            Lookup::Found(sign_in) => Ok(*sign_in),
            Lookup::Missing { others } => Err(self.nobody(&others)),
        }
    }

    fn nobody(&self, others: &[String]) -> Error {
        if others.is_empty() {
            return Error::sign_in("nobody is signed in").hint(self.connect().to_string());
        }
        Error::sign_in(format!("nobody is signed in under the profile '{}'", self.profile))
            .detail(format!("signed in: {}", others.join(", ")))
            .hint(self.connect().to_string())
            .hint("to use another profile, name it: --profile NAME")
    }

    /// Remembers who is served.
    fn use_as(&self, sign_in: &SignIn, tenant_id: &str) -> Result<()> {
        self.check_same(sign_in, tenant_id)?;
        self.in_use.replace(Some(InUse { account: sign_in.account.clone(), tenant_id: tenant_id.to_owned() }));
        Ok(())
    }

    /// Refuses to go on as anybody else.
    fn check_same(&self, sign_in: &SignIn, tenant_id: &str) -> Result<()> {
        let now = InUse { account: sign_in.account.clone(), tenant_id: tenant_id.to_owned() };
        if self.in_use.borrow().as_ref().is_none_or(|before| *before == now) {
            return Ok(());
        }
        Err(Error::sign_in(format!(
            "somebody has signed in to the profile {} anew meanwhile, as another account or in another tenant; nothing more was sent",
            self.profile
        ))
        .hint(format!("look at who is signed in: mscommerce status{}", self.connect().flags())))
    }

    /// A sign-in that cannot be renewed serves one tenant, and only until its token ends.
    fn check_usable(&self, sign_in: &SignIn, token: Option<&TenantToken>) -> Result<()> {
        if sign_in.refresh_token.is_some() {
            return Ok(());
        }
        let Some(token) = token else {
            let asked = self.tenant.map(ToString::to_string).unwrap_or_default();
            return Err(Error::sign_in(format!(
                "the saved token is for the tenant {} and cannot be used at {asked}",
                sign_in.tenant_id
            ))
            .hint(self.connect().to_string()));
        };
        if token.expires_at <= Utc::now() {
            return Err(Error::sign_in(format!("the saved token ended at {} and cannot be renewed", token.expires_at))
                .hint(self.connect().to_string()));
        }
        Ok(())
    }

    /// Renews the sign-in, unless another request of this run has done so meanwhile. `refused` is a token that must
    /// not be taken again.
    async fn renew(&self, refused: Option<&SecretString>) -> Result<SecretString> {
        let _renewing = self.renewing.lock().await;
        if let Some((why, hints)) = &*self.refusal.borrow() {
            return Err(Error::sign_in(why).hints(hints.clone()));
        }
        let renewed = self.renew_in_turn(refused).await;
        if let Err(error) = renewed.as_ref()
            && error.kind() == Kind::SignIn
        {
            self.refusal.replace(Some((error.one_line(), error.hint_lines().to_vec())));
        }
        renewed
    }

    /// Asks Entra for a new token with the profile's refresh token, unless another process has done so while
    /// this one waited for the lock.
    async fn renew_in_turn(&self, refused: Option<&SecretString>) -> Result<SecretString> {
        let mut locked = self.lock().await;
        let mut sign_in = match &locked {
            Some(locked) => locked.sign_in(self.profile).cloned().ok_or_else(|| self.nobody(&[]))?,
            None => self.sign_in().await?,
        };
        if let Some((tenant_id, token)) = sign_in.token_for(self.tenant)
            && token.is_fresh(Utc::now())
            && refused.is_none_or(|refused| refused.expose_secret() != token.access_token.expose_secret())
        {
            self.use_as(&sign_in, tenant_id)?;
            return Ok(token.access_token.clone());
        }
        if let Some(tenant_id) = self.known_tenant_id(&sign_in) {
            self.check_same(&sign_in, tenant_id)?;
        }
        let grant = self.redeem(&sign_in).await?;
        let token = self.keep(&mut sign_in, grant);
        // The new refresh token is saved even where the access token that came with it is of no use.
        match locked.as_mut().map(|locked| locked.save(self.profile, sign_in.clone())) {
            Some(Ok(())) => {}
            Some(Err(error)) => {
                self.report.warn(&format!("the renewed sign-in was not saved: {}", error.one_line()));
                self.unsaved.replace(Some(Box::new(sign_in)));
            }
            None => {
                self.unsaved.replace(Some(Box::new(sign_in)));
            }
        }
        token
    }

    /// Takes the file of sign-ins, or goes on without it: a command that only needs a token is not to fail for it.
    async fn lock(&self) -> Option<Locked<'_>> {
        if self.unsaved.borrow().is_some() {
            return None;
        }
        match self.store.lock(self.http.time_left().min(LOCK_PATIENCE)).await {
            Ok(locked) => Some(locked),
            Err(error) => {
                self.report.warn(&format!("the renewed sign-in cannot be saved: {}", error.one_line()));
                // Waiting for another process is not the service's slowness.
                self.http.restart_clock();
                None
            }
        }
    }

    async fn redeem(&self, sign_in: &SignIn) -> Result<Grant> {
        self.check_usable(sign_in, sign_in.token_for(self.tenant).map(|(_, token)| token))?;
        let (Some(refresh_token), Some(client_id)) = (&sign_in.refresh_token, &sign_in.client_id) else {
            return Err(Error::sign_in("the saved sign-in cannot be renewed").hint(self.connect().to_string()));
        };
        let known = self.known_tenant_id(sign_in);
        let tenant = known.or_else(|| self.tenant.map(Tenant::as_str)).unwrap_or(&sign_in.tenant_id);
        let entra = Entra {
            http: self.http,
            authority: &sign_in.authority,
            tenant,
            client_id,
            scope: &sign_in.scope,
            connect: ConnectCommand { client_id: Some(client_id), ..self.connect() },
        };
        entra.refresh(refresh_token).await.map_err(|error| self.with_known_tenants(error, sign_in))
    }

    /// The id of the tenant that is asked for, unless it is named by a domain that was never used.
    fn known_tenant_id<'s>(&'s self, sign_in: &'s SignIn) -> Option<&'s str> {
        let used = sign_in.token_for(self.tenant).map(|(id, _)| id);
        used.or_else(|| self.tenant.map_or(Some(sign_in.tenant_id.as_str()), Tenant::id))
    }

    /// A refusal for a tenant that was asked for lists those that served before.
    fn with_known_tenants(&self, error: Error, sign_in: &SignIn) -> Error {
        if self.tenant.is_none() || error.kind() != Kind::SignIn {
            return error;
        }
        let known = sign_in.tenants.iter().map(|(id, token)| match token.domains.first() {
            Some(domain) => format!("{domain} ({id})"),
            None => id.clone(),
        });
        let known: Vec<String> = known.collect();
        error.detail(format!("tenants used with this sign-in: {}", known.join(", ")))
    }

    /// Takes over what was granted, and returns the access token if it is for the tenant that was meant.
    fn keep(&self, sign_in: &mut SignIn, grant: Grant) -> Result<SecretString> {
        if let Some(refresh_token) = grant.refresh_token {
            sign_in.refresh_token = Some(refresh_token);
        }
        let meant = self.known_tenant_id(sign_in).map(str::to_owned);
        let tenant_id = match (grant.claims.tid, &meant, self.tenant) {
            (Some(tid), Some(meant), _) if !tid.eq_ignore_ascii_case(meant) => {
                return Err(Error::sign_in(format!(
                    "a token for the tenant {meant} was asked for, and one for {tid} came"
                ))
                .hint(self.connect().to_string()));
            }
            (Some(tid), None, _) => tid,
            (_, Some(meant), _) => meant.clone(),
            (None, None, asked) => asked.map(ToString::to_string).unwrap_or_default(),
        };
        sign_in.keep(&tenant_id, grant.access_token.clone(), grant.expires_at, self.tenant);
        self.use_as(sign_in, &tenant_id)?;
        Ok(grant.access_token)
    }
}
