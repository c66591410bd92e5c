//! OAuth 2.0 flows of the Microsoft Entra ID v2.0 endpoints.

use futures_util::future::LocalBoxFuture;
use oauth2::basic::{BasicTokenIntrospectionResponse, BasicTokenType};
use oauth2::{
    AuthType, AuthUrl, AuthorizationCode, Client, ClientId, ClientSecret, CsrfToken, DeviceAuthorizationUrl,
    EndpointNotSet, EndpointSet, ExtraTokenFields, HttpRequest, HttpResponse, PkceCodeChallenge, PkceCodeVerifier,
    RedirectUrl, RefreshToken, RequestTokenError, ResourceOwnerPassword, ResourceOwnerUsername, Scope,
    StandardRevocableToken, StandardTokenResponse, TokenResponse as _, TokenUrl,
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use url::Url;

use super::claims::{Claims, is_bearer_token};
use super::expiry::Expiry;
use super::oauth_error::OAuthError;
use super::sign_in_command::SignInCommand;
use super::token_response;
use crate::error::{Error, Result};
use crate::http::{self, HttpError, RetryPolicy};
use crate::redact::REDACTED;

/// The redirect path registered for the module's client ID. Entra ignores the port of a localhost redirect URI, but not
/// its path (entra-docs, "reply URL").
pub const REDIRECT_PATH: &str = "/m365/commerce";

/// The scopes for a refresh token and the user's identity, in addition to the service's scope.
const USER_SCOPES: [&str; 3] = ["offline_access", "openid", "profile"];

/// The `client_assertion_type` of a JWT (RFC 7523, section 2.2).
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Entra's extension fields of a token response.
#[derive(Debug, Deserialize, Serialize)]
pub struct EntraFields {
    /// Never serialized. [`ExtraTokenFields`] requires `Serialize`.
    #[serde(skip_serializing)]
    id_token: Option<SecretString>,
}

impl ExtraTokenFields for EntraFields {}

pub type Tokens = StandardTokenResponse<EntraFields, BasicTokenType>;
pub type OAuthClient = Client<
    OAuthError,
    Tokens,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    OAuthError,
    EndpointSet,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

/// A successful response of the token endpoint.
pub struct TokenResponse {
    pub access_token: SecretString,
    pub refresh_token: Option<SecretString>,
    pub expiry: Expiry,
    /// The claims of the access token, or of the ID token if the access token is opaque.
    pub claims: Claims,
}

/// The reason for a failed token request.
pub enum AuthError {
    /// Entra rejected the request.
    OAuth(Box<OAuthError>),
    /// No response arrived, or it did not come from Entra.
    Other(Error),
}

impl AuthError {
    /// The number after `AADSTS` in Entra's error, if any.
    pub fn code(&self) -> Option<u32> {
        match self {
            Self::OAuth(error) => error.code(),
            Self::Other(_) => None,
        }
    }

    /// Converts to an error that says what failed (`action`), with hints for Entra's error code.
    pub fn into_error(self, action: &str, sign_in_command: &SignInCommand) -> Error {
        match self {
            Self::OAuth(error) => error.into_error(action, sign_in_command),
            Self::Other(error) => error.context(action),
        }
    }
}

impl From<OAuthError> for AuthError {
    fn from(error: OAuthError) -> Self {
        Self::OAuth(Box::new(error))
    }
}

impl From<Error> for AuthError {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

/// The client authentication parameters of a token request.
pub enum ClientAuthParams {
    Secret(SecretString),
    /// A JWT, signed with the application's certificate or by a federated issuer.
    Assertion(SecretString),
}

/// An OAuth client for one tenant.
#[derive(Clone)]
pub struct Entra {
    pub http: http::Client,
    /// The authority host, such as `https://login.microsoftonline.com`.
    pub authority: Url,
    /// The tenant ID, a domain, or `organizations`.
    pub tenant: String,
    pub client_id: String,
    /// The service's scope, `…/.default`.
    pub scope: String,
}

/// An authorization request, with the state and PKCE verifier to validate and redeem its redirect.
pub struct AuthorizationRequest {
    pub url: Url,
    pub state: CsrfToken,
    verifier: PkceCodeVerifier,
    redirect: RedirectUrl,
}

impl Entra {
    /// Builds an authorization code request with PKCE. The browser posts the code to `http://localhost:PORT`
    /// (`response_mode=form_post`).
    pub fn authorization_request(&self, port: u16) -> Result<AuthorizationRequest> {
        let redirect = RedirectUrl::new(format!("http://localhost:{port}{REDIRECT_PATH}"))
            .map_err(|error| Error::from_source(error).context("the redirect URI is invalid"))?;
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
        Ok(AuthorizationRequest { url, state, verifier, redirect })
    }

    /// Redeems an authorization code. Retries only if the request was not sent, because a code can be redeemed once.
    pub async fn exchange_code(
        &self,
        code: SecretString,
        request: AuthorizationRequest,
    ) -> Result<TokenResponse, AuthError> {
        let client = self.client()?.set_redirect_uri(request.redirect);
        let response = client
            .exchange_code(AuthorizationCode::new(code.expose_secret().to_owned()))
            .set_pkce_verifier(request.verifier)
            .add_extra_param("client_info", "1")
            .request_async(&oauth_http_client(&self.http, RetryPolicy::IfNotSent))
            .await;
        self.token_response(response)
    }

    /// Signs in with a user name and password (ROPC). This flow does not support multi-factor authentication.
    pub async fn password(&self, user: &str, password: &SecretString) -> Result<TokenResponse, AuthError> {
        let user = ResourceOwnerUsername::new(user.to_owned());
        let password = ResourceOwnerPassword::new(password.expose_secret().to_owned());
        let response = self
            .client()?
            .exchange_password(&user, &password)
            .add_scopes(self.scopes())
            .add_extra_param("client_info", "1")
            .request_async(&oauth_http_client(&self.http, token_response::RETRY))
            .await;
        self.token_response(response)
    }

    /// Redeems a refresh token at this tenant. A refresh token is bound to the user and the client, not to a tenant
    /// (entra-docs, "refresh tokens").
    pub async fn redeem_refresh_token(&self, refresh_token: &SecretString) -> Result<TokenResponse, AuthError> {
        let refresh_token = RefreshToken::new(refresh_token.expose_secret().to_owned());
        let response = self
            .client()?
            .exchange_refresh_token(&refresh_token)
            .add_scopes(self.scopes())
            .add_extra_param("client_info", "1")
            .request_async(&oauth_http_client(&self.http, token_response::RETRY))
            .await;
        self.token_response(response)
    }

    /// Signs in as an application (client credentials), with the service's scope only.
    pub async fn client_credentials(&self, auth: ClientAuthParams) -> Result<TokenResponse, AuthError> {
        let client = self.client()?;
        let scope = Scope::new(self.scope.clone());
        let send = oauth_http_client(&self.http, token_response::RETRY);
        let response = match auth {
            ClientAuthParams::Secret(secret) => {
                let client = client
                    .set_client_secret(ClientSecret::new(secret.expose_secret().to_owned()))
                    .set_auth_type(AuthType::RequestBody);
                client.exchange_client_credentials().add_scope(scope).request_async(&send).await
            }
            ClientAuthParams::Assertion(assertion) => {
                client
                    .exchange_client_credentials()
                    .add_scope(scope)
                    .add_extra_param("client_assertion_type", ASSERTION_TYPE)
                    .add_extra_param("client_assertion", assertion.expose_secret())
                    .request_async(&send)
                    .await
            }
        };
        self.token_response(response)
    }

    /// The scopes of a user's token request.
    pub fn scopes(&self) -> impl Iterator<Item = Scope> {
        std::iter::once(self.scope.as_str()).chain(USER_SCOPES).map(|scope| Scope::new(scope.to_owned()))
    }

    /// An oauth2 client with the endpoints of this tenant.
    pub fn client(&self) -> Result<OAuthClient> {
        Ok(Client::new(ClientId::new(self.client_id.clone()))
            .set_auth_uri(AuthUrl::from_url(self.endpoint("authorize")?))
            .set_token_uri(TokenUrl::from_url(self.endpoint("token")?))
            .set_device_authorization_url(DeviceAuthorizationUrl::from_url(self.endpoint("devicecode")?)))
    }

    /// The URL of an endpoint. The URL of `token` is also the audience of client assertions.
    pub fn endpoint(&self, name: &str) -> Result<Url> {
        let mut url = self.authority.clone();
        url.path_segments_mut().map_err(|()| Error::usage("the authority host is not a URL"))?.pop_if_empty().extend([
            self.tenant.as_str(),
            "oauth2",
            "v2.0",
            name,
        ]);
        Ok(url)
    }

    /// Converts the result of a token request. Fails if the response has no usable access token or no expiration time.
    pub fn token_response(
        &self,
        response: Result<Tokens, RequestTokenError<HttpError, OAuthError>>,
    ) -> Result<TokenResponse, AuthError> {
        let tokens = response.map_err(|error| self.auth_error(error))?;
        let access_token = tokens.access_token().secret();
        let claims = Claims::decode_unverified(access_token)
            .or_else(|| Claims::decode_unverified(tokens.extra_fields().id_token.as_ref()?.expose_secret()))
            .unwrap_or_default();
        let expiry = Expiry::from_response(tokens.expires_in(), claims.expires_at())
            .ok_or_else(|| Error::failed("the response does not contain the token's expiration time"))?;
        let access_token = SecretString::from(access_token.as_str());
        if !is_bearer_token(&access_token) {
            return Err(Error::failed("the response does not contain a usable access token").into());
        }
        // An empty or redacted refresh token is none: the previous one stays valid.
        let refresh_token = tokens.refresh_token().map(|token| token.secret().as_str());
        let refresh_token = refresh_token.filter(|token| !token.is_empty() && *token != REDACTED);
        let refresh_token = refresh_token.map(SecretString::from);
        Ok(TokenResponse { access_token, refresh_token, expiry, claims })
    }

    /// Converts an error of the oauth2 crate.
    pub fn auth_error(&self, error: RequestTokenError<HttpError, OAuthError>) -> AuthError {
        match error {
            RequestTokenError::ServerResponse(error) => error.into(),
            RequestTokenError::Request(error) => AuthError::Other(error.into()),
            RequestTokenError::Parse(..) | RequestTokenError::Other(_) => self.invalid_response(),
        }
    }

    /// The error for a response that cannot be parsed. It omits the body, which may contain tokens.
    pub fn invalid_response(&self) -> AuthError {
        let host = self.authority.host_str().unwrap_or("the authority");
        let error = Error::failed(format!("could not parse the response from {host}"))
            .with_hint(token_response::HINT_AUTHORITY);
        AuthError::Other(error)
    }
}

/// Returns an HTTP client for the oauth2 crate that uses this retry policy.
pub fn oauth_http_client(
    http: &http::Client,
    policy: RetryPolicy,
) -> impl Fn(HttpRequest) -> LocalBoxFuture<'static, Result<HttpResponse, HttpError>> {
    let http = http.clone();
    move |request| Box::pin(send(http.clone(), request, policy))
}

/// Sends a request. Returns a successful response or an OAuth error response; any other response is an [`HttpError`].
async fn send(http: http::Client, request: HttpRequest, policy: RetryPolicy) -> Result<HttpResponse, HttpError> {
    let request = reqwest::Request::try_from(request).map_err(|error| HttpError::invalid_request(&error))?;
    let url = request.url().clone();
    let response = http.send(request, policy).await?;
    token_response::convert(&url, &response)
}
