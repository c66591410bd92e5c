//! What Entra says of itself at a tenant, to anybody \[ED/v2-protocols-oidc\].

use serde_json::json;

use super::response::{Answer, Received};
use super::oauth_error::Refusal;
use super::state::World;

/// Answers a request for the `OpenID` metadata of a tenant.
pub(super) fn answer(world: &World, request: &Received, tenant: &str) -> Answer {
    if request.method != "GET" {
        return Answer::text(405, "text/plain", "");
    }
    let Some(id) = world.tenant_named(tenant) else { return Refusal::about(90002, tenant).answer(request) };
    // Where no tenant is named, the issuer is a pattern.
    let issued_at = if tenant.eq_ignore_ascii_case("organizations") { "{tenantid}" } else { &id };
    let authority = format!("https://login.microsoftonline.com/{id}");
    Answer::json(
        200,
        &json!({
            "issuer": format!("https://login.microsoftonline.com/{issued_at}/v2.0"),
            "authorization_endpoint": format!("{authority}/oauth2/v2.0/authorize"),
            "token_endpoint": format!("{authority}/oauth2/v2.0/token"),
            "device_authorization_endpoint": format!("{authority}/oauth2/v2.0/devicecode"),
        }),
    )
}
