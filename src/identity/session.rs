//! Which credential serves a command, and renewing it.

use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretString};

use super::cache::{Method, SignIn, Store, TenantToken};
use super::claims::Claims;
use super::connect_command::ConnectCommand;
use super::entra::{Entra, Grant};
use super::tenant::Tenant;
use crate::commerce::TokenSource;
use crate::error::{Error, Kind, Result};
use crate::http;
use crate::report::Report;

/// The variable that hands over a ready token.
pub(crate) const TOKEN_VARIABLE: &str = "MSCOMMERCE_TOKEN";

/// Where the credential that serves was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Environment,
    Cache,
}

/// Who is signed in, as far as this machine knows.
pub(crate) struct Status {
    pub(crate) account: Option<String>,
    pub(crate) tenant_id: Option<String>,
    pub(crate) method: Method,
    pub(crate) source: Source,
    pub(crate) client_id: Option<String>,
    pub(crate) roles: Vec<String>,
    /// When the access token ends; `None` where there is none yet for this tenant.
    pub(crate) expires_at: Option<DateTime<Utc>>,
    /// Whether a new token can be had without a person.
    pub(crate) is_renewable: bool,
}

/// What a session is made of.
#[derive(Clone, Copy)]
pub(crate) enum Credential<'a> {
    /// The token of `MSCOMMERCE_TOKEN`, which outranks what is saved.
    Token(&'a SecretString),
    /// The profile's saved sign-in.
    Saved(&'a Store<'a>),
}

/// The credential that serves one run, at one tenant.
pub(crate) struct Session<'a> {
    pub(crate) http: &'a http::Client<'a>,
    pub(crate) credential: Credential<'a>,
    pub(crate) report: &'a dyn Report,
    pub(crate) profile: &'a str,
    pub(crate) tenant: Option<&'a Tenant>,
}

impl Session<'_> {
    /// Who is signed in. Touches no network.
    pub(crate) async fn status(&self) -> Result<Status> {
        let store = match self.credential {
            Credential::Token(token) => {
                self.check_environment_token(token)?;
                return Ok(environment_status(token));
            }
            Credential::Saved(store) => store,
        };
        let sign_in = self.saved(store).await?;
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

    fn connect(&self) -> ConnectCommand<'_> {
        ConnectCommand { profile: self.profile, tenant: self.tenant }
    }

    async fn saved(&self, store: &Store<'_>) -> Result<SignIn> {
        let patience = self.http.time_left();
        match store.sign_in(self.profile, patience).await? {
            Some(sign_in) => Ok(sign_in),
            None => Err(self.nobody(&store.profiles(patience).await?)),
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

    /// A token from the environment is for one tenant; it must not be taken for another's.
    fn check_environment_token(&self, token: &SecretString) -> Result<()> {
        let claims = Claims::of(token.expose_secret()).unwrap_or_default();
        if let Some(asked) = self.tenant {
            let of_token = claims.tid.as_deref();
            let fits = of_token.is_some_and(|tid| asked.id().is_some_and(|asked| asked.eq_ignore_ascii_case(tid)));
            if !fits {
                let whose = of_token
                    .map_or("does not say which tenant it is for".to_owned(), |tid| format!("is for the tenant {tid}"));
                let why = if asked.id().is_none() && of_token.is_some() {
                    "; a domain cannot be compared with that"
                } else {
                    ""
                };
                return Err(Error::usage(format!(
                    "--tenant {asked} does not fit {TOKEN_VARIABLE}: the token {whose}{why}"
                ))
                .hint(format!("leave out --tenant, or unset {TOKEN_VARIABLE} to use a saved sign-in")));
            }
        }
        match claims.expires_at() {
            Some(end) if end <= Utc::now() => {
                Err(Error::sign_in(format!("the token in {TOKEN_VARIABLE} ended at {end}"))
                    .hint(format!("put a new token into {TOKEN_VARIABLE}, or unset it to use a saved sign-in")))
            }
            _ => Ok(()),
        }
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

    /// Asks Entra for a new token with the profile's refresh token, unless another process has done so while
    /// this one waited for the lock. `refused` is a token that must not be taken again.
    async fn renew(&self, store: &Store<'_>, refused: Option<&SecretString>) -> Result<SecretString> {
        let patience = self.http.time_left();
        let mut locked = match store.lock(patience).await {
            Ok(locked) => Some(locked),
            Err(error) => {
                self.report.warn(&format!("the renewed sign-in cannot be saved: {}", error.one_line()));
                // Waiting for another process is not the service's slowness.
                self.http.restart_clock();
                None
            }
        };
        let sign_in = match &locked {
            Some(locked) => locked.sign_in(self.profile).cloned(),
            None => store.sign_in(self.profile, patience).await?,
        };
        let mut sign_in = sign_in.ok_or_else(|| self.nobody(&[]))?;
        if let Some((_, token)) = sign_in.token_for(self.tenant)
            && token.is_fresh(Utc::now())
            && refused.is_none_or(|refused| refused.expose_secret() != token.access_token.expose_secret())
        {
            return Ok(token.access_token.clone());
        }
        let grant = self.redeem(&sign_in).await?;
        let token = grant.access_token.clone();
        self.keep(&mut sign_in, grant)?;
        if let Some(locked) = &mut locked
            && let Err(error) = locked.save(self.profile, sign_in)
        {
            self.report.warn(&format!("the renewed sign-in was not saved: {}", error.one_line()));
        }
        Ok(token)
    }

    async fn redeem(&self, sign_in: &SignIn) -> Result<Grant> {
        let found = sign_in.token_for(self.tenant).map(|(id, _)| id.to_owned());
        self.check_usable(sign_in, sign_in.token_for(self.tenant).map(|(_, token)| token))?;
        let (Some(refresh_token), Some(client_id)) = (&sign_in.refresh_token, &sign_in.client_id) else {
            return Err(Error::sign_in("the saved sign-in cannot be renewed").hint(self.connect().to_string()));
        };
        let tenant =
            found.or_else(|| self.tenant.map(ToString::to_string)).unwrap_or_else(|| sign_in.tenant_id.clone());
        let entra = Entra {
            http: self.http,
            authority: &sign_in.authority,
            tenant: &tenant,
            client_id,
            scope: &sign_in.scope,
            connect: self.connect(),
        };
        entra.refresh(refresh_token).await.map_err(|error| self.with_known_tenants(error, sign_in))
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

    fn keep(&self, sign_in: &mut SignIn, grant: Grant) -> Result<()> {
        let tenant_id = match (grant.claims.tid, self.tenant) {
            (Some(tid), _) => tid,
            (None, Some(asked)) => asked.to_string(),
            (None, None) => sign_in.tenant_id.clone(),
        };
        if let Some(asked) = self.tenant.and_then(Tenant::id)
            && !asked.eq_ignore_ascii_case(&tenant_id)
        {
            return Err(Error::sign_in(format!(
                "a token for the tenant {asked} was asked for, and one for {tenant_id} came"
            )));
        }
        if let Some(refresh_token) = grant.refresh_token {
            sign_in.refresh_token = Some(refresh_token);
        }
        let token = TenantToken { access_token: grant.access_token, expires_at: grant.expires_at, domains: Vec::new() };
        sign_in.keep(&tenant_id, token, self.tenant);
        Ok(())
    }
}

impl TokenSource for Session<'_> {
    async fn token(&self) -> Result<SecretString> {
        let store = match self.credential {
            Credential::Token(token) => {
                self.check_environment_token(token)?;
                self.report.detail(&format!("using the token in {TOKEN_VARIABLE}"));
                return Ok(token.clone());
            }
            Credential::Saved(store) => store,
        };
        let sign_in = self.saved(store).await?;
        let found = sign_in.token_for(self.tenant).map(|(_, token)| token);
        self.check_usable(&sign_in, found)?;
        match found {
            Some(token) if token.is_fresh(Utc::now()) || sign_in.refresh_token.is_none() => {
                self.report.detail(&format!("using the saved sign-in of the profile {}", self.profile));
                Ok(token.access_token.clone())
            }
            _ => self.renew(store, None).await,
        }
    }

    async fn renewed(&self, refused: &SecretString) -> Result<Option<SecretString>> {
        let Credential::Saved(store) = self.credential else { return Ok(None) };
        if self.saved(store).await?.refresh_token.is_none() {
            return Ok(None);
        }
        self.report.detail("the service refused the token; asking for a new one");
        self.renew(store, Some(refused)).await.map(Some)
    }

    fn advice_when_refused(&self) -> String {
        let connect = self.connect().to_string();
        match self.credential {
            Credential::Token(_) => format!(
                "the token in {TOKEN_VARIABLE} has been revoked, or is for another service: put a new one there, or unset it and run {connect}"
            ),
            Credential::Saved(_) => connect,
        }
    }
}

fn environment_status(token: &SecretString) -> Status {
    let claims = Claims::of(token.expose_secret()).unwrap_or_default();
    Status {
        account: claims.account().map(str::to_owned),
        tenant_id: claims.tid.clone(),
        method: Method::Token,
        source: Source::Environment,
        client_id: claims.client_id().map(str::to_owned),
        expires_at: claims.expires_at(),
        roles: claims.roles,
        is_renewable: false,
    }
}
