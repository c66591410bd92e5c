//! The client credentials grant of an application \[ED/v2-oauth2-client-creds-grant-flow\].
//!
//! The application exists in every tenant and has one secret. The order of Entra's checks is unverified.

use serde_json::{Value, json};

use super::assertion;
use super::entra::{Parameters, required};
use super::oauth_error::OAuthError;
use super::response::Received;
use super::state::TenantState;
use super::token;
use super::{APP_ID, APP_SECRET, CHANGE_PERMISSION, CLIENT_ID, SCOPE, SimulatedTenant};

/// The only supported assertion type \[ED/certificate-credentials\].
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The application.
pub(super) struct Application {
    /// The permissions in new tokens.
    roles: Vec<String>,
    secret_expired: bool,
    /// In DER.
    pub(super) certificates: Vec<Vec<u8>>,
    pub(super) federated: Vec<FederatedCredential>,
    absent_from: Vec<String>,
    /// All assertions received, valid or not.
    assertions: Vec<String>,
    /// Whether the policy endpoint accepts application tokens.
    pub(super) is_accepted: bool,
}

/// A federated credential of the application.
pub(super) struct FederatedCredential {
    pub(super) issuer: String,
    pub(super) subject: String,
    pub(super) audience: String,
}

impl Application {
    pub(super) fn new() -> Self {
        Self {
            roles: vec![CHANGE_PERMISSION.to_owned()],
            secret_expired: false,
            certificates: Vec::new(),
            federated: Vec::new(),
            absent_from: Vec::new(),
            assertions: Vec::new(),
            is_accepted: true,
        }
    }
}

/// The client credentials grant.
pub(super) fn sign_in(
    state: &mut TenantState,
    request: &Received,
    tenant: &str,
    form: &Parameters,
) -> Result<Value, OAuthError> {
    let presented = |name| form.get(name).map(String::as_str).filter(|value| !value.is_empty());
    let (secret, assertion) = (presented("client_secret"), presented("client_assertion"));
    state.application.assertions.extend(assertion.map(str::to_owned));
    let tenant_id = tenant_of(state, tenant, form)?;
    check_scope(required(form, "scope")?)?;
    let proof = match (secret, assertion) {
        (Some(secret), None) => {
            check_secret(&state.application, secret)?;
            "1"
        }
        (None, Some(assertion)) => {
            if presented("client_assertion_type") != Some(ASSERTION_TYPE) {
                return Err(OAuthError::about(900_144, "client_assertion_type"));
            }
            assertion::check(&state.application, assertion, &address_of(request))?;
            "2"
        }
        _ => return Err(OAuthError::new(7_000_218)),
    };
    let (roles, lifetime) = (state.application.roles.clone(), state.token_lifetime);
    Ok(json!({
        "token_type": "Bearer",
        "expires_in": lifetime.max(0),
        "ext_expires_in": lifetime.max(0),
        "access_token": token::app_token(state, proof, roles, &tenant_id, lifetime),
    }))
}

/// The tenant id. The request must name a tenant that has the application: there is no user with a home tenant.
///
/// The code for a path without a tenant is unverified; Entra returns 50059 for other grants
/// \[MSAL Python issue 141\].
fn tenant_of(state: &TenantState, tenant: &str, form: &Parameters) -> Result<String, OAuthError> {
    if ["organizations", "common"].iter().any(|anyone| tenant.eq_ignore_ascii_case(anyone)) {
        return Err(OAuthError::new(50059));
    }
    let tenant_id = state.tenant_named(tenant).ok_or_else(|| OAuthError::about(90002, tenant))?;
    let client_id = required(form, "client_id")?;
    if client_id.eq_ignore_ascii_case(CLIENT_ID) {
        let shows_proof = ["client_secret", "client_assertion"].iter().any(|name| form.contains_key(*name));
        return Err(OAuthError::new(if shows_proof { 700_025 } else { 7_000_218 }));
    }
    if !client_id.eq_ignore_ascii_case(APP_ID) || state.application.absent_from.contains(&tenant_id) {
        return Err(OAuthError::about(700_016, client_id));
    }
    Ok(tenant_id)
}

/// Without a user, only the scope of the resource is valid \[azure-docs issue 99862\].
fn check_scope(scope: &str) -> Result<(), OAuthError> {
    if scope == SCOPE {
        return Ok(());
    }
    let other_resource = scope.strip_suffix("/.default").filter(|resource| !resource.contains(char::is_whitespace));
    Err(other_resource
        .map_or_else(|| OAuthError::about(1_002_012, scope), |resource| OAuthError::about(500_011, resource)))
}

fn check_secret(application: &Application, secret: &str) -> Result<(), OAuthError> {
    if secret != APP_SECRET {
        return Err(OAuthError::about(7_000_215, APP_ID));
    }
    if application.secret_expired { Err(OAuthError::about(7_000_222, APP_ID)) } else { Ok(()) }
}

/// The URL of the request, which is the audience of an assertion.
fn address_of(request: &Received) -> String {
    format!("http://{}{}", request.header("host").unwrap_or_default(), request.path)
}

impl SimulatedTenant {
    /// Expires the secret of the application.
    pub fn expire_app_secret(&self) {
        self.state().application.secret_expired = true;
    }

    /// Registers a certificate (DER) of the application.
    pub fn register_certificate(&self, der: &[u8]) {
        assert!(x509_parser::parse_x509_certificate(der).is_ok(), "no certificate can be read from this");
        self.state().application.certificates.push(der.to_vec());
    }

    /// Adds a federated credential with this issuer, subject and audience.
    pub fn federate(&self, issuer: &str, subject: &str, audience: &str) {
        let [issuer, subject, audience] = [issuer, subject, audience].map(str::to_owned);
        self.state().application.federated.push(FederatedCredential { issuer, subject, audience });
    }

    /// All assertions received, valid or not, in order of arrival.
    ///
    /// Whether Entra accepts the same assertion twice is unverified; here it is accepted.
    pub fn assertions(&self) -> Vec<String> {
        self.state().application.assertions.clone()
    }

    /// Sets the permissions in new tokens of the application, in every tenant.
    pub fn grant_app(&self, permissions: &[&str]) {
        self.state().application.roles = owned(permissions);
    }

    /// Issues an access token of the application. A negative lifetime makes it expired.
    pub fn issue_app_token(&self, tenant_id: &str, roles: &[&str], lifetime_seconds: i64) -> String {
        token::app_token(&mut self.state(), "1", owned(roles), tenant_id, lifetime_seconds)
    }

    /// Removes the application from a tenant.
    pub fn remove_app_from(&self, tenant_id: &str) {
        let mut state = self.state();
        let tenant_id = state.tenant(tenant_id).id.clone();
        state.application.absent_from.push(tenant_id);
    }

    /// Sets whether the policy endpoint accepts application tokens: no public source shows that it does.
    pub fn set_app_accepted(&self, on: bool) {
        self.state().application.is_accepted = on;
    }
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().copied().map(str::to_owned).collect()
}
