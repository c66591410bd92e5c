//! The sign-in page at `/authorize`.
//!
//! Both forms have one hidden field per line, because tests parse them line by line.

use uuid::Uuid;

use super::entra::{Parameters, asks_for, check_scope, client_and_tenant, required, wants_client_info};
use super::oauth_error::{OAuthError, correlation_id};
use super::response::{Received, Response};
use super::state::{AuthorizationCode, TenantState};
use super::token;

/// Responds with the sign-in page, or with an error page for an invalid request.
///
/// No error is sent to the redirect URI: the client of an invalid request gets no response.
pub(super) fn respond(state: &mut TenantState, request: &Received, tenant: &str) -> Response {
    let (status, html) = match sign_in_page(state, request, tenant) {
        Ok(html) => (200, html),
        Err(refusal) => {
            let trace_id = Uuid::new_v4().to_string();
            let description = refusal.description(&trace_id, &correlation_id(request));
            let body =
                format!("<p>Sorry, but we're having trouble signing you in.</p>\n<p>{}</p>", escaped(&description));
            (400, page("Sign-in failed", &body))
        }
    };
    Response::text(status, "text/html; charset=utf-8", html)
}

fn sign_in_page(state: &mut TenantState, request: &Received, tenant: &str) -> Result<String, OAuthError> {
    let parameters = request.parameters();
    let tenant_id = client_and_tenant(state, tenant, &parameters)?;
    let redirect_uri = required(&parameters, "redirect_uri")?;
    if !is_registered(redirect_uri) {
        return Err(OAuthError::about(50011, redirect_uri));
    }
    exactly(&parameters, "response_type", "code")?;
    exactly(&parameters, "response_mode", "form_post")?;
    let scope = required(&parameters, "scope")?;
    check_scope(scope)?;
    for wanted in ["offline_access", "openid", "profile"] {
        if !asks_for(scope, wanted) {
            return Err(OAuthError::about(70011, scope));
        }
    }
    exactly(&parameters, "code_challenge_method", "S256")?;
    let challenge = required(&parameters, "code_challenge")?;
    if challenge.len() != 43 {
        return Err(OAuthError::new(501_491));
    }
    let oauth_state = required(&parameters, "state")?;
    let user = state.approver();
    // A second factor does not stop a browser sign-in.
    if let Some(code) = user.login_error.filter(|&code| code != 50076) {
        return Err(OAuthError::new(code));
    }

    let code = format!("0.simulated-{}", Uuid::new_v4().simple());
    let issued = AuthorizationCode {
        user: user.name,
        tenant_id: tenant_id.clone(),
        redirect_uri: redirect_uri.to_owned(),
        challenge: challenge.to_owned(),
        scope: scope.to_owned(),
        redeemed: false,
    };
    state.authorization_codes.insert(code.clone(), issued);

    let mut approval =
        vec![("code", code), ("state", oauth_state.to_owned()), ("session_state", Uuid::new_v4().to_string())];
    if wants_client_info(&parameters) {
        approval.push(("client_info", token::client_info(&user)));
    }
    let declined = OAuthError::new(65004);
    let trace_id = Uuid::new_v4().to_string();
    let cancellation = [
        ("error", "access_denied".to_owned()),
        ("error_description", declined.description(&trace_id, &correlation_id(request))),
        ("state", oauth_state.to_owned()),
    ];
    let body = format!(
        "<p>Nothing here is real: this page stands in for Microsoft's, and any button is safe to press.</p>\n\
         <p>Sign in as <strong>{}</strong> ({}) at tenant {}.</p>\n{}{}",
        escaped(user.name),
        escaped(user.display_name),
        escaped(&tenant_id),
        form(redirect_uri, &approval, "Sign in"),
        form(redirect_uri, &cancellation, "Cancel"),
    );
    Ok(page("Sign in", &body))
}

/// The registered redirect URI with any port of localhost \[ED/reply-url, module\].
///
/// Entra also accepts a URI without a port, which no local listener could serve.
fn is_registered(redirect_uri: &str) -> bool {
    redirect_uri.strip_prefix("http://localhost:").and_then(|rest| rest.strip_suffix("/m365/commerce")).is_some_and(
        |port| port.bytes().all(|digit| digit.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port != 0),
    )
}

fn exactly(parameters: &Parameters, name: &str, wanted: &str) -> Result<(), OAuthError> {
    if required(parameters, name)? == wanted {
        Ok(())
    } else {
        let detail = format!("The parameter '{name}' must be '{wanted}'.");
        Err(OAuthError::about(9_002_313, &detail))
    }
}

fn form(action: &str, fields: &[(&str, String)], button: &str) -> String {
    let mut html = format!("<form method=\"post\" action=\"{}\">\n", escaped(action));
    for (name, value) in fields {
        html.push_str("<input type=\"hidden\" name=\"");
        html.push_str(&escaped(name));
        html.push_str("\" value=\"");
        html.push_str(&escaped(value));
        html.push_str("\">\n");
    }
    html.push_str("<button type=\"submit\">");
    html.push_str(&escaped(button));
    html.push_str("</button>\n</form>\n");
    html
}

fn page(heading: &str, body: &str) -> String {
    format!(
        "<!DOCTYPE html>\n\
         <html lang=\"en\">\n\
         <head>\n\
         <meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{heading} - Simulated tenant</title>\n\
         <style>\n\
         body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 32rem; margin: 4rem auto; padding: 0 1rem; }}\n\
         form {{ display: inline-block; margin-right: 1rem; }}\n\
         button {{ font: inherit; padding: .4rem 1.2rem; }}\n\
         </style>\n\
         </head>\n\
         <body>\n\
         <h1>Simulated tenant</h1>\n\
         <h2>{heading}</h2>\n\
         {body}\n\
         </body>\n\
         </html>\n"
    )
}

/// Escapes text for HTML, including quoted attribute values.
fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            // A line break would break the one-field-per-line format.
            '\n' => html.push_str("&#10;"),
            '\r' => html.push_str("&#13;"),
            other => html.push(other),
        }
    }
    html
}
