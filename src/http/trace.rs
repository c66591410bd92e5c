//! Formats whole requests and responses for `-vv`, without secrets.

use std::sync::LazyLock;

use regex_lite::{Captures, Regex};
use reqwest::Request;
use reqwest::header::{
    ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, USER_AGENT,
    WWW_AUTHENTICATE,
};
use secrecy::SecretString;
use serde_json::Value;

use super::error::display_url;
use super::request_secrets::{RequestSecrets, redact_form};
use super::{CORRELATION_ID, Response};
use crate::files::strip_bom;
use crate::redact::{REDACTED, Redactor};
use crate::secret::into_secret;

/// The request headers without secrets. The values of all others are not shown.
const PUBLIC_REQUEST_HEADERS: [HeaderName; 4] = [ACCEPT, CONTENT_TYPE, CONTENT_LENGTH, USER_AGENT];

/// Parts of the names of response headers that contain secrets.
const SECRET_HEADER_PARTS: [&str; 5] = ["cookie", "authorization", "token", "secret", "password"];

/// The members of JSON bodies that contain secrets, in responses with tokens and in requests. A user code is not secret:
/// the user types it elsewhere.
const SECRET_MEMBERS: [&str; 7] =
    ["access_token", "refresh_token", "id_token", "device_code", "client_assertion", "client_secret", "password"];

/// The start of a JWT: the base64 of `{"`.
const JWT_MARK: &str = "eyJ";

/// The lines of a request: method and URL, headers, and body.
pub fn format_request(request: &Request, secrets: &RequestSecrets) -> Vec<String> {
    let mut lines = vec![format!("{} {}", request.method(), secrets.redact_text(display_url(request.url()).as_str()))];
    lines.extend(request.headers().iter().map(|(name, value)| {
        let is_public = PUBLIC_REQUEST_HEADERS.contains(name) || name == CORRELATION_ID;
        match (is_public, header_text(value).split_once(' ')) {
            (true, _) => format!("{name}: {}", secrets.redact_text(&header_text(value))),
            (false, Some((scheme, _))) if name == AUTHORIZATION => format!("{name}: {scheme} {REDACTED}"),
            (false, _) => format!("{name}: {REDACTED}"),
        }
    }));
    lines.push(String::new());
    let body = request.body().and_then(reqwest::Body::as_bytes).unwrap_or_default();
    let body = redact_form(request).unwrap_or_else(|| redact_body(body, &[], &mut Vec::new()));
    lines.extend(secrets.redact_text(&body).lines().map(str::to_owned));
    lines.iter().map(|line| redact_user_info(line)).collect()
}

/// The lines of a response: status, headers, and body. The response must not contain the secrets of its request.
pub fn format_response(response: &Response, secrets: &RequestSecrets) -> Vec<String> {
    let mut tokens = Vec::new();
    let body = redact_body(&response.body, secrets.token_members(), &mut tokens);
    // A response in another form than expected may contain a token anywhere.
    let is_unknown = response.status.is_success() && !secrets.token_members().is_empty() && tokens.is_empty();
    let body = if is_unknown && !response.is_blank() { describe_hidden(&response.body) } else { body };
    let mut lines = vec![response.status.to_string()];
    lines.extend(format_response_headers(&response.headers));
    lines.push(String::new());
    lines.extend(body.lines().map(str::to_owned));
    // The service may repeat the new tokens elsewhere.
    let redactor = Redactor::new(&tokens);
    lines.into_iter().map(|line| redact_user_info(&redactor.redact_text(&line))).collect()
}

/// Replaces what may be a user name and a password in front of a host. Keeps addresses such as `user@contoso.example`.
fn redact_user_info(line: &str) -> String {
    static USER_INFO: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r#"(?i)([/\\]{2})?([^\s"'<>/\\]*?)(@|%40)"#).ok());
    let redact = |found: &Captures| match found.get(1) {
        None if !found[2].contains(':') => found[0].to_owned(),
        slashes => format!("{}{REDACTED}{}", slashes.map_or("", |slashes| slashes.as_str()), &found[3]),
    };
    USER_INFO.as_ref().map_or_else(String::new, |regex| regex.replace_all(line, redact).into_owned())
}

fn format_response_headers(headers: &HeaderMap) -> impl Iterator<Item = String> {
    headers.iter().map(|(name, value)| {
        let is_secret = SECRET_HEADER_PARTS.iter().any(|part| name.as_str().contains(part));
        let text = header_text(value);
        // The claims of a challenge look like a token.
        if is_secret || (text.contains(JWT_MARK) && name != WWW_AUTHENTICATE) {
            format!("{name}: {REDACTED}")
        } else {
            format!("{name}: {text}")
        }
    })
}

fn header_text(value: &HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).into_owned()
}

/// The text of a body, with the secret members of JSON replaced. Adds those to `found`. A body that is not text, or may
/// contain a token in an unknown place, is described by its length.
fn redact_body(body: &[u8], token_members: &[&str], found: &mut Vec<SecretString>) -> String {
    let Some(text) = std::str::from_utf8(strip_bom(body)).ok().filter(|text| !text.contains('\0')) else {
        return format!("({} bytes that are not text)", body.len());
    };
    let json = serde_json::from_str::<Value>(text);
    let has_mark = |text: &str| match &json {
        Ok(_) => text.contains(JWT_MARK),
        Err(_) => text.contains(JWT_MARK) || SECRET_MEMBERS.iter().any(|name| text.contains(name)),
    };
    let redacted = json.as_ref().ok().cloned().map(|mut json| {
        redact_members(&mut json, token_members, found);
        json.to_string()
    });
    let text = redacted.filter(|_| !found.is_empty()).unwrap_or_else(|| text.to_owned());
    if has_mark(&text) { describe_hidden(body) } else { text }
}

fn describe_hidden(body: &[u8]) -> String {
    format!("({} bytes, not shown: they may contain a token)", body.len())
}

/// Replaces the secret strings of a JSON value, and adds them to `found`.
fn redact_members(value: &mut Value, token_members: &[&str], found: &mut Vec<SecretString>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                let is_secret = SECRET_MEMBERS.contains(&&**name) || token_members.contains(&&**name);
                match value {
                    Value::String(text) if is_secret => {
                        found.push(into_secret(std::mem::replace(text, REDACTED.into())));
                    }
                    other => redact_members(other, token_members, found),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| redact_members(item, token_members, found)),
        Value::String(text) if text.contains(JWT_MARK) => {
            found.push(into_secret(std::mem::replace(text, REDACTED.into())));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redact(body: &str) -> String {
        redact_body(body.as_bytes(), &["value"], &mut Vec::new())
    }

    #[test]
    fn secret_members_are_replaced_at_every_level() {
        let body = r#"{"access_token":"a","b":[{"password":"c","value":"d","user_code":"e"}],"f":"x eyJhbGci.y.z"}"#;
        let expected = r#"{"access_token":"[redacted]","b":[{"password":"[redacted]","value":"[redacted]","user_code":"e"}],"f":"[redacted]"}"#;
        assert_eq!(redact(body), expected);
    }

    #[test]
    fn user_info_of_links_is_replaced() {
        for (line, expected) in [
            ("https://a:s3cret@b.example/", "https://[redacted]@b.example/"),
            (r#"{"next":"//s3cret@b.example"}"#, r#"{"next":"//[redacted]@b.example"}"#),
            ("https://a%40b:s3cret@c.example", "https://[redacted]%40[redacted]@c.example"),
            (r#""\\\\a:s3cret@b""#, r#""\\\\[redacted]@b""#),
            ("mailto:a:s3cret%40b", "[redacted]%40b"),
            (r#"{"upn":"admin@contoso.example"}"#, r#"{"upn":"admin@contoso.example"}"#),
            ("username=admin@contoso.example&a=b", "username=admin@contoso.example&a=b"),
        ] {
            assert_eq!(redact_user_info(line), expected);
        }
    }

    #[test]
    fn body_without_secrets_is_unchanged() {
        for body in ["", "text\nmore", "{ \"error\" : {\"code\":\"1.50\"} }", "AADSTS50058 \u{e9}"] {
            assert_eq!(redact(body), body);
        }
    }

    #[test]
    fn body_that_may_contain_token_is_not_shown() {
        for body in ["access_token=abc", "<p>eyJhbGci.a.b</p>", r#"{"eyJhbGci":1}"#, r#"{"refresh_token":"abc"#] {
            assert_eq!(redact(body), describe_hidden(body.as_bytes()), "{body}");
        }
        assert_eq!(redact_body(b"\x1f\x8b\0", &[], &mut Vec::new()), "(3 bytes that are not text)");
        assert_eq!(redact("a\0"), "(2 bytes that are not text)");
    }
}
