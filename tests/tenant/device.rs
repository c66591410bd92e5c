//! The device code flow \[ED/v2-oauth2-device-code, RFC 8628\].

use serde_json::{Value, json};
use uuid::Uuid;

use super::entra::{Parameters, check_scope, client_and_tenant, required};
use super::oauth_error::OAuthError;
use super::state::{TenantState, User};

/// The result of a device code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceApproval {
    /// Approved before the first poll.
    Approve,
    /// Approved after this many polls.
    PendingThenApprove(u32),
    /// Approved, but the first poll gets `slow_down`.
    SlowDownOnce,
    /// Declined.
    Decline,
    /// Expired.
    Expire,
    /// Blocked by a Conditional Access policy.
    ConditionalAccess,
}

/// An issued device code.
pub(super) struct DeviceCode {
    tenant_id: String,
    scope: String,
    polls: u32,
}

const VERIFICATION_URI: &str = "https://microsoft.com/devicelogin";

/// Issues a device code.
pub(super) fn start(state: &mut TenantState, tenant: &str, form: &Parameters) -> Result<Value, OAuthError> {
    let tenant_id = client_and_tenant(state, tenant, form)?;
    let scope = required(form, "scope")?;
    check_scope(scope)?;
    let device_code = format!("D{}", Uuid::new_v4().simple());
    let user_code = Uuid::new_v4().simple().to_string()[..9].to_uppercase();
    let mut body = json!({
        "device_code": device_code,
        "user_code": user_code,
        "verification_uri": VERIFICATION_URI,
        "expires_in": 900,
        "message": format!(
            "To sign in, use a web browser to open the page {VERIFICATION_URI} and enter the code {user_code} to authenticate."
        ),
    });
    if let Some(interval) = state.device_interval {
        body["interval"] = interval.into();
    }
    let code = DeviceCode { tenant_id, scope: scope.to_owned(), polls: 0 };
    state.device_codes.insert(device_code, code);
    Ok(body)
}

/// A poll of the device code grant. Returns user and scope once approved.
///
/// Clients read the OAuth error, which is documented. The AADSTS codes of declined and too fast polls are not public;
/// the ones here are similar codes.
pub(super) fn poll(state: &mut TenantState, tenant_id: &str, form: &Parameters) -> Result<(User, String), OAuthError> {
    let presented = required(form, "device_code")?;
    let code = state
        .device_codes
        .get_mut(presented)
        .filter(|code| code.tenant_id == tenant_id)
        .ok_or_else(|| OAuthError::new(70018))?;
    code.polls += 1;
    match state.device_approval {
        DeviceApproval::PendingThenApprove(polls) if code.polls <= polls => {
            return Err(OAuthError::new(70016));
        }
        DeviceApproval::SlowDownOnce if code.polls == 1 => {
            return Err(OAuthError::new(70016).named("slow_down"));
        }
        DeviceApproval::Decline => {
            return Err(OAuthError::new(65004).named("authorization_declined"));
        }
        DeviceApproval::Expire => return Err(OAuthError::new(70020)),
        DeviceApproval::ConditionalAccess => return Err(OAuthError::new(53003)),
        DeviceApproval::Approve | DeviceApproval::PendingThenApprove(_) | DeviceApproval::SlowDownOnce => {}
    }
    let scope = code.scope.clone();
    // A code can be used once.
    state.device_codes.remove(presented);
    Ok((state.approver(), scope))
}
