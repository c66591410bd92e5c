//! The public `OpenID` metadata of a tenant \[ED/v2-protocols-oidc\].

use serde_json::json;

use super::oauth_error::OAuthError;
use super::response::{Received, Response};
use super::state::TenantState;

/// Responds with the `OpenID` metadata of a tenant.
pub(super) fn respond(state: &TenantState, request: &Received, tenant: &str) -> Response {
    if request.method != "GET" {
        return Response::text(405, "text/plain", "");
    }
    let Some(id) = state.tenant_named(tenant) else { return OAuthError::about(90002, tenant).respond(request) };
    // Without a tenant the issuer is a template.
    let issued_at = if tenant.eq_ignore_ascii_case("organizations") { "{tenantid}" } else { &id };
    let authority = format!("https://login.microsoftonline.com/{id}");
    Response::json(
        200,
        &json!({
            "issuer": format!("https://login.microsoftonline.com/{issued_at}/v2.0"),
            "authorization_endpoint": format!("{authority}/oauth2/v2.0/authorize"),
            "token_endpoint": format!("{authority}/oauth2/v2.0/token"),
            "device_authorization_endpoint": format!("{authority}/oauth2/v2.0/devicecode"),
        }),
    )
}
