//! Responses of the token and device code endpoints, before the oauth2 crate parses them.

use oauth2::HttpResponse;
use reqwest::StatusCode;
use serde_json::Value;
use url::Url;

use super::oauth_error::OAuthError;
use crate::http::{HttpError, Response, RetryPolicy, is_transient_status};

/// The retry policy of requests that can be repeated.
pub const RETRY: RetryPolicy = RetryPolicy::IdempotentOr(is_transient);

pub const HINT_AUTHORITY: &str = "check AZURE_AUTHORITY_HOST, and whether a proxy responds instead of the service";

/// The members that are numbers. Some issuers send them as text.
const NUMBERS: [&str; 2] = ["expires_in", "interval"];

/// Whether the same request may succeed later, although the status does not say so.
fn is_transient(response: &Response) -> bool {
    if response.status.is_success() {
        return response.is_blank();
    }
    OAuthError::from_response(response).is_some_and(|error| error.is_transient())
}

/// Converts a successful response or an OAuth error response; any other response is an [`HttpError`].
pub fn convert(url: &Url, response: &Response) -> Result<HttpResponse, HttpError> {
    let (status, error) = (response.status, || HttpError::unexpected_response(url, response));
    if is_transient_status(status) || is_transient(response) {
        let error = if status.is_success() { error().with_detail("the response has no body") } else { error() };
        return Err(error.transient());
    }
    let is_rejection = status.is_client_error() && OAuthError::from_response(response).is_some();
    let is_readable = status.is_success() && response.encoding().is_none();
    if !is_rejection && !is_readable {
        let is_fault = status.is_server_error();
        let hints = if is_fault { error().hints } else { vec![HINT_AUTHORITY.to_owned()] };
        return Err(HttpError { hints, ..error() });
    }
    let mut converted = HttpResponse::new(normalized_body(response));
    *converted.status_mut() = if is_rejection { status } else { StatusCode::OK };
    Ok(converted)
}

/// The body in the form that the oauth2 crate requires: without a byte order mark, and with numbers as such.
fn normalized_body(response: &Response) -> Vec<u8> {
    let Some(mut body) = response.json() else { return response.body.to_vec() };
    for name in NUMBERS {
        if let Some(member) = body.get_mut(name).filter(|member| member.as_u64().is_none()) {
            *member = seconds(member).map_or(Value::Null, Value::from);
        }
    }
    body.to_string().into_bytes()
}

/// The whole seconds of a number that is text or has a fraction. `None` for anything else.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the conversion saturates")]
fn seconds(member: &Value) -> Option<u64> {
    let number = member.as_f64().or_else(|| member.as_str()?.trim().parse().ok())?;
    (number >= 0.0).then_some(number as u64)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn seconds_are_numbers_or_text() {
        for member in [json!("3600"), json!(" 3600 "), json!(3600.9), json!("3600.0")] {
            assert_eq!(seconds(&member), Some(3600), "{member}");
        }
        for member in [json!(""), json!("soon"), json!(-1), json!("-1"), json!("NaN"), json!([3600]), Value::Null] {
            assert_eq!(seconds(&member), None, "{member}");
        }
        assert_eq!(seconds(&json!("inf")), Some(u64::MAX));
    }
}
