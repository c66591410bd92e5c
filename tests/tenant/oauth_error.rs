//! OAuth errors of Entra: AADSTS codes, OAuth error names and the response body.

use chrono::Utc;
use serde_json::json;
use uuid::Uuid;

use super::response::{Received, Response};

/// An OAuth error.
#[derive(Debug)]
pub(super) struct OAuthError {
    error: &'static str,
    code: u32,
    text: String,
    suberror: Option<&'static str>,
}

impl OAuthError {
    /// The error with this AADSTS code.
    pub(super) fn new(code: u32) -> Self {
        Self::about(code, "")
    }

    /// The error with this AADSTS code, with a subject for its description.
    pub(super) fn about(code: u32, subject: &str) -> Self {
        let (error, text) = wording(code);
        Self {
            error,
            code,
            text: text.replace("{}", subject),
            suberror: match code {
                50076 => Some("basic_action"),
                50173 => Some("bad_token"),
                53003 => Some("message_only"),
                _ => None,
            },
        }
    }

    /// Replaces the OAuth error name: Entra uses some codes with several.
    pub(super) fn named(mut self, error: &'static str) -> Self {
        self.error = error;
        self
    }

    /// Replaces the description: Entra has several for some codes.
    pub(super) fn saying(mut self, text: &str) -> Self {
        text.clone_into(&mut self.text);
        self
    }

    /// The description in Entra's format: code, text, trace id and correlation id.
    pub(super) fn description(&self, trace_id: &str, correlation_id: &str) -> String {
        let Self { code, text, .. } = self;
        let timestamp = timestamp();
        format!("AADSTS{code}: {text} Trace ID: {trace_id} Correlation ID: {correlation_id} Timestamp: {timestamp}")
    }

    /// The response of the token and device code endpoints.
    pub(super) fn respond(&self, request: &Received) -> Response {
        let trace_id = Uuid::new_v4().to_string();
        let correlation_id = correlation_id(request);
        let mut body = json!({
            "error": self.error,
            "error_description": self.description(&trace_id, &correlation_id),
            "error_codes": [self.code],
            "timestamp": timestamp(),
            "trace_id": trace_id,
            "correlation_id": correlation_id,
            "error_uri": format!("https://login.microsoftonline.com/error?code={}", self.code),
        });
        if let Some(suberror) = self.suberror {
            body["suberror"] = suberror.into();
        }
        let status = if self.error == "invalid_client" { 401 } else { 400 };
        Response::json(status, &body)
    }
}

/// The correlation id of the client, or a new one.
pub(super) fn correlation_id(request: &Received) -> String {
    request.header("client-request-id").and_then(|id| Uuid::parse_str(id).ok()).unwrap_or_else(Uuid::new_v4).to_string()
}

fn timestamp() -> String {
    Utc::now().format("%Y-%m-%d %H:%M:%SZ").to_string()
}

fn wording(code: u32) -> (&'static str, &'static str) {
    match code {
        50011 => (
            "invalid_request",
            "The redirect URI '{}' specified in the request does not match the redirect URIs configured for the application.",
        ),
        50034 => (
            "invalid_grant",
            "The user account {} does not exist in the directory. To sign into this application, the account must be added to the directory.",
        ),
        50053 => (
            "invalid_grant",
            "The account is locked, you've tried to sign in too many times with an incorrect user ID or password.",
        ),
        50055 => ("invalid_grant", "The password is expired."),
        50057 => ("invalid_grant", "The user account is disabled."),
        50076 => (
            "invalid_grant",
            "Due to a configuration change made by your administrator, or because you moved to a new location, you must use multi-factor authentication to access '{}'.",
        ),
        50126 => ("invalid_grant", "Error validating credentials due to invalid username or password."),
        50173 => {
            ("invalid_grant", "The provided grant has expired due to it being revoked, a fresh auth token is needed.")
        }
        53003 => (
            "invalid_grant",
            "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.",
        ),
        54005 => (
            "invalid_grant",
            "OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing refresh token.",
        ),
        65004 => ("access_denied", "User declined to consent to access the app."),
        70003 => ("unsupported_grant_type", "The app requested an unsupported grant type '{}'."),
        70011 => (
            "invalid_scope",
            "The provided request must include a 'scope' input parameter. The provided value for the input parameter 'scope' is not valid. The scope '{}' is not valid.",
        ),
        70016 => ("authorization_pending", "OAuth 2.0 device flow error. Authorization is pending. Continue polling."),
        70018 => (
            "bad_verification_code",
            "Invalid verification code due to User typing in wrong user code for device code flow. Authorization is not approved.",
        ),
        70020 => (
            "expired_token",
            "The provided value for the input parameter 'device_code' is not valid. This device code has expired.",
        ),
        90002 => (
            "invalid_request",
            "Tenant '{}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud.",
        ),
        500_011 => ("invalid_resource", "The resource principal named {} was not found in the tenant."),
        500_112 => (
            "invalid_grant",
            "The reply address '{}' does not match the reply address provided when requesting Authorization code.",
        ),
        501_481 => (
            "invalid_grant",
            "The Code_Verifier does not match the code_challenge supplied in the authorization request.",
        ),
        501_491 => ("invalid_request", "Invalid size of Code_Challenge parameter."),
        700_016 => (
            "unauthorized_client",
            "Application with identifier '{}' was not found in the directory. This can happen if the application has not been installed by the administrator of the tenant.",
        ),
        700_025 => (
            "invalid_client",
            "Client is public so neither 'client_assertion' nor 'client_secret' should be presented.",
        ),
        900_144 => ("invalid_request", "The request body must contain the following parameter: '{}'."),
        9_001_023 => (
            "invalid_request",
            "The grant type is not supported over the /common or /consumers endpoints. Please use the /organizations or tenant-specific endpoint.",
        ),
        9_002_313 => ("invalid_request", "Invalid request. Request is malformed or invalid. {}"),
        _ => wording_about_application(code),
    }
}

/// Error names and descriptions for client credentials.
///
/// Code, name and description are public for 50027 \[`MiniGraph` issue 4\], 700023 \[MSAL .NET issue 2746\], 700024
/// \[Sato issue 1\], 700027 \[MSAL JS issue 8339\], 700211 \[azure-workload-identity issue 1200\], 7000218
/// \[azure-sdk-for-go issue 22386\] and 7000222 \[vsts-release-aas issue 119\]. The names of the others, taken from
/// similar codes, are unverified.
fn wording_about_application(code: u32) -> (&'static str, &'static str) {
    match code {
        50027 => ("invalid_request", "JWT token is invalid or malformed."),
        50059 => (
            "invalid_request",
            "No tenant-identifying information found in either the request or implied by any provided credentials.",
        ),
        700_021 => ("invalid_client", "Client assertion application identifier doesn't match 'client_id' parameter."),
        700_023 => ("invalid_client", "Client assertion audience claim does not match Realm issuer."),
        700_024 => ("invalid_client", "Client assertion is not within its valid time range. {}"),
        700_027 => (
            "invalid_client",
            "The certificate with identifier used to sign the client assertion is not registered on application. [Reason - The key was not found., Thumbprint of key used by client: '{}']",
        ),
        700_211 => (
            "invalid_client",
            "No matching federated identity record found for presented assertion issuer '{}'. Check your federated identity credential Subject, Audience and Issuer against the presented assertion.",
        ),
        700_212 => (
            "invalid_client",
            "No matching federated identity record found for presented assertion audience '{}'. Check your federated identity credential Subject, Audience and Issuer against the presented assertion.",
        ),
        700_213 => (
            "invalid_client",
            "No matching federated identity record found for presented assertion subject '{}'. Check your federated identity credential Subject, Audience and Issuer against the presented assertion.",
        ),
        1_002_012 => (
            "invalid_scope",
            "The provided value for scope {} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).",
        ),
        7_000_215 => (
            "invalid_client",
            "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '{}'.",
        ),
        7_000_218 => (
            "invalid_client",
            "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
        ),
        7_000_222 => (
            "invalid_client",
            "The provided client secret keys for app '{}' are expired. Visit the Azure portal to create new keys for your app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added security: https://aka.ms/certCreds.",
        ),
        _ => unreachable!("AADSTS{code} is not an error of the simulated tenant"),
    }
}
