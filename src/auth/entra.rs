//! Microsoft Entra ID's v2.0 endpoints: from what a person gives to tokens.

use std::time::Duration;

use chrono::{DateTime, Utc};
use oauth2::basic::{
    BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse, BasicTokenType,
};
use oauth2::{
    AuthType, AuthUrl, AuthorizationCode, Client, ClientId, ClientSecret, CsrfToken, DeviceAuthorizationUrl,
    EndpointNotSet, EndpointSet, ErrorResponse, ExtraTokenFields, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl,
    RefreshToken, RequestTokenError, ResourceOwnerPassword, ResourceOwnerUsername, Scope,
    StandardDeviceAuthorizationResponse, StandardRevocableToken, StandardTokenResponse, TokenResponse as _, TokenUrl,
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use url::Url;

use super::claims::{Claims, is_bearer_token};
use super::oauth_error::OAuthError;
use super::sign_in_command::SignInCommand;
use super::transport::Transport;
use crate::error::{Error, Result};
use crate::http::{self, HttpError};

/// Asked for beside the service's own scope: a refresh token, and who signed in.
const USER_SCOPES: [&str; 3] = ["offline_access", "openid", "profile"];

/// RFC 7523, section 2.2.
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Blocked by a Conditional Access policy.
const CONDITIONAL_ACCESS: u32 = 53003;

/// What Entra adds to a token answer.
#[derive(Debug, Deserialize, Serialize)]
struct EntraFields {
    /// Never written; the trait wants it to be possible.
    #[serde(skip_serializing)]
    id_token: Option<SecretString>,
}

impl ExtraTokenFields for EntraFields {}

type Tokens = StandardTokenResponse<EntraFields, BasicTokenType>;
type OauthClient = Client<
    BasicErrorResponse,
    Tokens,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointSet,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

/// What a successful sign-in or renewal grants.
pub struct TokenResponse {
    pub access_token: SecretString,
    pub refresh_token: Option<SecretString>,
    pub expires_at: DateTime<Utc>,
    /// What the access token says of itself, or the id token where the access token says nothing.
    pub claims: Claims,
}

/// What an application presents in the place of a person's sign-in.
#[derive(Clone, Copy)]
pub enum ClientAuthParams<'a> {
    Secret(&'a SecretString),
    /// A JWT: signed with the application's certificate, or by an issuer that it trusts.
    Assertion(&'a SecretString),
}

/// Where and as what to sign in. The tenant is part of every address.
#[derive(Clone)]
pub struct Entra {
    pub http: http::Client,
    /// The authority host, such as `https://login.microsoftonline.com`.
    pub authority: Url,
    /// A tenant id, a domain, or `organizations`.
    pub tenant: String,
    pub client_id: String,
    /// The service's scope, `…/.default`.
    pub scope: String,
    /// The command that signs in to the profile in use, for hints.
    pub sign_in_command: SignInCommand,
}

/// A request that a browser is to make, with what its answer has to be checked against.
pub struct Authorization {
    pub url: Url,
    pub state: CsrfToken,
    verifier: PkceCodeVerifier,
    redirect: RedirectUrl,
}

/// A device code, and what the person needs for it.
pub struct DeviceCode(StandardDeviceAuthorizationResponse);

impl DeviceCode {
    pub fn verification_uri(&self) -> &str {
        self.0.verification_uri()
    }

    pub fn user_code(&self) -> &str {
        self.0.user_code().secret()
    }

    pub fn expires_in(&self) -> Duration {
        self.0.expires_in()
    }
}

impl Entra {
    /// The address to open in a browser: authorization code with PKCE, answered by a form that is posted to
    /// `http://localhost:PORT/m365/commerce` (the path is the one registered for the module's client id).
    pub fn authorize(&self, port: u16) -> Result<Authorization> {
        let redirect = RedirectUrl::new(format!("http://localhost:{port}{}", super::browser::REDIRECT_PATH))
            .map_err(|error| Error::from_source(error).context("the redirect address cannot be built"))?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let client = self.client()?.set_redirect_uri(redirect.clone());
        let (url, state) = client
            .authorize_url(CsrfToken::new_random)
            .add_scopes(self.scopes())
            .set_pkce_challenge(challenge)
            .add_extra_param("response_mode", "form_post")
            .add_extra_param("client_info", "1")
            .add_extra_param("prompt", "select_account")
            .url();
        Ok(Authorization { url, state, verifier, redirect })
    }

    /// Redeems the code that the browser brought.
    pub async fn redeem_code(&self, code: SecretString, authorization: Authorization) -> Result<TokenResponse> {
        let client = self.client()?.set_redirect_uri(authorization.redirect);
        let transport = Transport::for_a_code(&self.http);
        let answer = client
            .exchange_code(AuthorizationCode::new(code.expose_secret().to_owned()))
            .set_pkce_verifier(authorization.verifier)
            .add_extra_param("client_info", "1")
            .request_async(&transport)
            .await;
        self.grant(answer, &transport, "could not sign in")
    }

    /// Signs in with a user name and a password (ROPC): for accounts that need no more than that.
    pub async fn password(&self, user: &str, password: &SecretString) -> Result<TokenResponse> {
        let (user, password) = (
            ResourceOwnerUsername::new(user.to_owned()),
            ResourceOwnerPassword::new(password.expose_secret().to_owned()),
        );
        let client = self.client()?;
        let transport = Transport::new(&self.http);
        let answer = client
            .exchange_password(&user, &password)
            .add_scopes(self.scopes())
            .add_extra_param("client_info", "1")
            .request_async(&transport)
            .await;
        self.grant(answer, &transport, "could not sign in")
    }

    /// Asks for a code that the person enters on another device.
    pub async fn device_code(&self) -> Result<DeviceCode> {
        let client = self.client()?;
        let transport = Transport::new(&self.http);
        let request = client.exchange_device_code().add_scopes(self.scopes());
        request
            .request_async(&transport)
            .await
            .map(DeviceCode)
            .map_err(|error| self.failure(error, &transport, "could not ask for a code"))
    }

    /// Waits until the person has entered the code, or it has expired.
    pub async fn redeem_device_code(&self, code: &DeviceCode) -> Result<TokenResponse> {
        let client = self.client()?;
        let transport = Transport::while_a_person_is_busy(&self.http);
        let polling = client.exchange_device_access_token(&code.0).request_async(&transport, tokio::time::sleep, None);
        let granted = tokio::select! {
            answer = polling => self.grant(answer, &transport, "could not sign in"),
            failure = transport.gave_up() => Err(Error::from(failure).context("could not sign in")),
        };
        granted.map_err(|error| match error.downcast_ref::<OAuthError>().and_then(OAuthError::code) {
            Some(CONDITIONAL_ACCESS) => error.with_hint(format!(
                "a device code is often blocked where the browser is not: {}",
                self.sign_in_command
            )),
            _ => error,
        })
    }

    /// Redeems a refresh token, at this tenant: it is bound to user and client, not to a tenant (entra-docs,
    /// "refresh tokens").
    pub async fn refresh(&self, refresh_token: &SecretString) -> Result<TokenResponse> {
        let refresh_token = RefreshToken::new(refresh_token.expose_secret().to_owned());
        let client = self.client()?;
        let transport = Transport::new(&self.http);
        let answer = client
            .exchange_refresh_token(&refresh_token)
            .add_scopes(self.scopes())
            .add_extra_param("client_info", "1")
            .request_async(&transport)
            .await;
        self.grant(answer, &transport, &format!("could not renew the saved sign-in at the tenant {}", self.tenant))
    }

    /// Signs in as an application (client credentials), which asks for the service's scope alone.
    pub async fn application(&self, proof: ClientAuthParams<'_>) -> Result<TokenResponse> {
        let client = self.client()?;
        let transport = Transport::new(&self.http);
        let scope = Scope::new(self.scope.clone());
        let answer = match proof {
            ClientAuthParams::Secret(secret) => {
                let client = client
                    .set_client_secret(ClientSecret::new(secret.expose_secret().to_owned()))
                    .set_auth_type(AuthType::RequestBody);
                client.exchange_client_credentials().add_scope(scope).request_async(&transport).await
            }
            ClientAuthParams::Assertion(assertion) => {
                client
                    .exchange_client_credentials()
                    .add_scope(scope)
                    .add_extra_param("client_assertion_type", ASSERTION_TYPE)
                    .add_extra_param("client_assertion", assertion.expose_secret())
                    .request_async(&transport)
                    .await
            }
        };
        let what = format!("could not sign in as the application {} at the tenant {}", self.client_id, self.tenant);
        self.grant(answer, &transport, &what)
    }

    /// Whom an assertion has to be for.
    pub fn token_endpoint(&self) -> Result<Url> {
        self.endpoint("token")
    }

    fn scopes(&self) -> impl Iterator<Item = Scope> {
        std::iter::once(self.scope.as_str()).chain(USER_SCOPES).map(|scope| Scope::new(scope.to_owned()))
    }

    fn client(&self) -> Result<OauthClient> {
        Ok(Client::new(ClientId::new(self.client_id.clone()))
            .set_auth_uri(AuthUrl::from_url(self.endpoint("authorize")?))
            .set_token_uri(TokenUrl::from_url(self.endpoint("token")?))
            .set_device_authorization_url(DeviceAuthorizationUrl::from_url(self.endpoint("devicecode")?)))
    }

    fn endpoint(&self, name: &str) -> Result<Url> {
        let mut url = self.authority.clone();
        url.path_segments_mut()
            .map_err(|()| Error::usage("the authority host is not a web address"))?
            .pop_if_empty()
            .extend([self.tenant.as_str(), "oauth2", "v2.0", name]);
        Ok(url)
    }

    fn grant<E: ErrorResponse + 'static>(
        &self,
        answer: Result<Tokens, RequestTokenError<HttpError, E>>,
        transport: &Transport<'_>,
        what: &str,
    ) -> Result<TokenResponse> {
        let tokens = answer.map_err(|error| self.failure(error, transport, what))?;
        let access_token = tokens.access_token().secret();
        let claims = Claims::decode_unverified(access_token)
            .or_else(|| Claims::decode_unverified(tokens.extra_fields().id_token.as_ref()?.expose_secret()))
            .unwrap_or_default();
        let lifetime = tokens.expires_in().and_then(|lifetime| chrono::Duration::from_std(lifetime).ok());
        let expires_at = lifetime
            .and_then(|lifetime| Utc::now().checked_add_signed(lifetime))
            .or_else(|| claims.expires_at())
            .ok_or_else(|| Error::failed("the answer does not say when the token ends").context(what))?;
        let access_token = SecretString::from(access_token.as_str());
        if !is_bearer_token(&access_token) {
            return Err(Error::failed("the answer holds no usable access token").context(what));
        }
        Ok(TokenResponse {
            access_token,
            refresh_token: tokens.refresh_token().map(|token| SecretString::from(token.secret().as_str())),
            expires_at,
            claims,
        })
    }

    fn failure<E: ErrorResponse + 'static>(
        &self,
        error: RequestTokenError<HttpError, E>,
        transport: &Transport<'_>,
        what: &str,
    ) -> Error {
        match error {
            RequestTokenError::Request(failure) => Error::from(failure).context(what),
            RequestTokenError::ServerResponse(answer) => {
                let told: OAuthError = serde_json::to_value(&answer)
                    .ok()
                    .and_then(|answer| OAuthError::from_json(&answer))
                    .unwrap_or_default();
                transport.whole(told).into_error(what, &self.sign_in_command)
            }
            // The body of such an answer may hold tokens, so it is not shown.
            RequestTokenError::Parse(..) | RequestTokenError::Other(_) => {
                let host = self.authority.host_str().unwrap_or("the authority");
                Error::failed(format!("the answer of {host} cannot be understood"))
                    .context(what)
                    .with_hint("look at AZURE_AUTHORITY_HOST, and for a proxy that answers in the service's place")
            }
        }
    }
}
