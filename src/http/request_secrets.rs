//! The secrets of a request, which nothing shows of its response.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Request;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};

use super::{Response, proxy};
use crate::redact::{REDACTED, Redactor};
use crate::secret::{SecretBytes, into_secret};

/// The fields of a token request that are not secret (RFC 6749, RFC 8628, Entra). Every other one is.
const PUBLIC_FIELDS: [&str; 7] =
    ["client_id", "client_info", "client_assertion_type", "grant_type", "redirect_uri", "scope", "username"];

/// The members of a token response with new tokens (RFC 6749, section 5.1; `OpenID` Connect).
const TOKEN_MEMBERS: &[&str] = &["access_token", "refresh_token", "id_token"];

/// The member of an ID token response of GitHub Actions, whose request names the token's audience.
const ID_TOKEN_MEMBERS: &[&str] = &["value"];

/// The secrets of a request: its bearer token, the secret fields of its form, and the credentials of its proxy.
pub struct RequestSecrets {
    redactor: Redactor,
    /// The secrets to search for in the claims of new tokens. Without the proxy's password, which may be part of a name.
    credentials: Redactor,
    /// The members of a successful response that contain new tokens.
    token_members: &'static [&'static str],
    authorization: Option<SecretString>,
}

impl RequestSecrets {
    /// Collects the secrets of a request.
    pub fn of(request: &Request) -> Self {
        let form = form_secrets(request);
        let token_members = match (form.is_empty(), is_id_token_request(request)) {
            (false, _) => TOKEN_MEMBERS,
            (true, true) => ID_TOKEN_MEMBERS,
            (true, false) => &[],
        };
        let authorization = authorization(request);
        let credentials: Vec<SecretString> = authorization.iter().cloned().chain(form).collect();
        let proxy = if proxy::proxy_for(request.url()).is_some() { proxy::credentials() } else { Vec::new() };
        Self {
            redactor: Redactor::new(credentials.iter().chain(&proxy)),
            credentials: Redactor::new(if token_members.is_empty() { &[] } else { &*credentials }),
            token_members,
            authorization,
        }
    }

    /// Whether a request has the same secrets, so that they need not be collected again. Requests with a form or for a
    /// token always differ.
    pub fn are_those_of(&self, request: &Request) -> bool {
        let authorization = authorization(request);
        let [known, other] =
            [&self.authorization, &authorization].map(|secret| secret.as_ref().map(ExposeSecret::expose_secret));
        self.token_members.is_empty() && !is_form(request) && !is_id_token_request(request) && known == other
    }

    /// The members of a successful response that contain new tokens.
    pub fn token_members(&self) -> &'static [&'static str] {
        self.token_members
    }

    /// Replaces the secrets in a text.
    pub fn redact_text(&self, text: &str) -> String {
        self.redactor.redact_text(text).into_owned()
    }

    /// Replaces the secrets in the headers and the body of a response.
    pub fn redact(&self, response: Response) -> Response {
        let may_have_tokens = response.status.is_success() && !self.token_members.is_empty();
        let tokens = if may_have_tokens { self.redact_around_tokens(&response) } else { None };
        let body = match tokens {
            Some(body) => body,
            None => self.redactor.redact(&response.body).unwrap_or(response.body),
        };
        Response { headers: self.redact_headers(response.headers), body, ..response }
    }

    fn redact_headers(&self, mut headers: HeaderMap) -> HeaderMap {
        for value in headers.values_mut() {
            if let Some(redacted) = self.redactor.redact(value.as_bytes()) {
                *value = HeaderValue::from_bytes(&redacted).unwrap_or(HeaderValue::from_static(REDACTED));
            }
        }
        headers
    }

    /// Replaces the secrets in a response with new tokens. `None` if it has no tokens.
    ///
    /// The tokens are kept, because they share parts with the request's: claims, or even the same refresh token. They are
    /// not shown, but their claims are, so a token with a secret in its claims is replaced.
    fn redact_around_tokens(&self, response: &Response) -> Option<SecretBytes> {
        let Value::Object(mut members) = response.json()? else { return None };
        let mut tokens = Map::new();
        for name in self.token_members {
            if let Some(token @ Value::String(_)) = members.get_mut(*name).map(Value::take) {
                tokens.insert((*name).to_owned(), token);
            }
        }
        if tokens.is_empty() {
            return None;
        }
        let rest = Value::Object(members).to_string();
        let mut members: Map<String, Value> = match self.redactor.redact(rest.as_bytes()) {
            Some(redacted) => serde_json::from_slice(&redacted).unwrap_or_default(),
            None => serde_json::from_str(&rest).unwrap_or_default(),
        };
        for (name, token) in tokens {
            let is_safe = token.as_str().is_some_and(|token| !self.is_in_claims(token));
            members.insert(name, if is_safe { token } else { REDACTED.into() });
        }
        Some(Value::Object(members).to_string().into_bytes().into())
    }

    fn is_in_claims(&self, token: &str) -> bool {
        let segments =
            token.split('.').filter_map(|segment| URL_SAFE_NO_PAD.decode(segment.trim_end_matches('=')).ok());
        segments.map(SecretBytes::from).any(|segment| self.credentials.matches(&segment))
    }
}

/// The credentials in the `Authorization` header, without the scheme.
fn authorization(request: &Request) -> Option<SecretString> {
    let (_, credentials) = request.headers().get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    Some(SecretString::from(credentials.trim()))
}

/// The secret fields of a form. A request without form has none.
fn form_secrets(request: &Request) -> Vec<SecretString> {
    let form = request.body().and_then(reqwest::Body::as_bytes).filter(|_| is_form(request)).unwrap_or_default();
    let fields = url::form_urlencoded::parse(form).filter(|(name, _)| !PUBLIC_FIELDS.contains(&&**name));
    fields.map(|(_, value)| into_secret(value.into_owned())).filter(|value| !value.expose_secret().is_empty()).collect()
}

/// The form of a request with its secret fields replaced. `None` for a request without form.
pub fn redact_form(request: &Request) -> Option<String> {
    let form = request.body().and_then(reqwest::Body::as_bytes).filter(|_| is_form(request))?;
    let fields = url::form_urlencoded::parse(form).map(|(name, value)| {
        let is_public = PUBLIC_FIELDS.contains(&&*name);
        format!("{name}={}", if is_public { value } else { REDACTED.into() })
    });
    Some(fields.collect::<Vec<_>>().join("&"))
}

/// Whether GitHub answers with an ID token: only that request names an audience.
fn is_id_token_request(request: &Request) -> bool {
    request.url().query_pairs().any(|(name, _)| name == "audience")
}

fn is_form(request: &Request) -> bool {
    let content_type = request.headers().get(CONTENT_TYPE);
    content_type.is_some_and(|value| value.as_bytes().starts_with(b"application/x-www-form-urlencoded"))
}
