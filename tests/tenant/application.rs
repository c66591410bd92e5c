//! An application that signs in by itself \[ED/v2-oauth2-client-creds-grant-flow\].
//!
//! It is registered in every tenant, and has one secret. In which order Entra checks what is wrong is unverified.

use serde_json::{Value, json};

use super::assertion;
use super::entra::{Parameters, required};
use super::oauth_error::OAuthError;
use super::response::Received;
use super::state::TenantState;
use super::token;
use super::{APP_ID, APP_SECRET, CHANGE_PERMISSION, CLIENT_ID, SCOPE, SimulatedTenant};

/// The only kind of assertion there is \[ED/certificate-credentials\].
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// What the tenants know about the application.
pub(super) struct Application {
    /// The permissions that its tokens from now on carry.
    roles: Vec<String>,
    secret_expired: bool,
    /// In DER.
    pub(super) certificates: Vec<Vec<u8>>,
    pub(super) federated: Vec<FederatedCredential>,
    absent_from: Vec<String>,
    /// Every assertion that came, good or not.
    assertions: Vec<String>,
    /// Whether the commerce endpoint takes its tokens.
    pub(super) is_accepted: bool,
}

/// Whose tokens of another issuer the application may sign in with.
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

/// Answers the client credentials grant.
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

/// The tenant's id, where it is named and knows the application. There is no user whose tenant could be meant.
///
/// That a path without a tenant is answered with this code is unverified; 50059 is what Entra says of other grants
/// there \[MSAL Python issue 141\].
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

/// Nobody signs in here, so there is nothing to ask for besides the resource \[azure-docs issue 99862\].
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

/// The address that the request was sent to: what an assertion is meant for.
fn address_of(request: &Received) -> String {
    format!("http://{}{}", request.header("host").unwrap_or_default(), request.path)
}

impl SimulatedTenant {
    /// Lets the application's secret expire.
    pub fn expire_app_secret(&self) {
        self.state().application.secret_expired = true;
    }

    /// Registers a certificate, in DER, that the application may sign in with.
    pub fn register_certificate(&self, der: &[u8]) {
        assert!(x509_parser::parse_x509_certificate(der).is_ok(), "no certificate can be read from this");
        self.state().application.certificates.push(der.to_vec());
    }

    /// Lets the application sign in with tokens of this issuer about this subject, meant for this audience.
    pub fn federate(&self, issuer: &str, subject: &str, audience: &str) {
        let [issuer, subject, audience] = [issuer, subject, audience].map(str::to_owned);
        self.state().application.federated.push(FederatedCredential { issuer, subject, audience });
    }

    /// Every assertion that came with a client credentials grant, good or not, in order of arrival.
    ///
    /// Whether Entra takes one twice is unverified; this world does.
    pub fn assertions(&self) -> Vec<String> {
        self.state().application.assertions.clone()
    }

    /// Sets the permissions that the application's tokens carry from now on, in every tenant.
    pub fn grant_app(&self, permissions: &[&str]) {
        self.state().application.roles = owned(permissions);
    }

    /// An access token of the application with these permissions; one with a negative lifetime is expired already.
    pub fn issue_app_token(&self, tenant_id: &str, roles: &[&str], lifetime_seconds: i64) -> String {
        token::app_token(&mut self.state(), "1", owned(roles), tenant_id, lifetime_seconds)
    }

    /// Makes a tenant forget the application.
    pub fn remove_app_from(&self, tenant_id: &str) {
        let mut state = self.state();
        let tenant_id = state.tenant(tenant_id).id.clone();
        state.application.absent_from.push(tenant_id);
    }

    /// Whether the commerce endpoint takes the application's tokens: no public source shows that it does.
    pub fn set_app_accepted(&self, on: bool) {
        self.state().application.is_accepted = on;
    }
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().copied().map(str::to_owned).collect()
}
