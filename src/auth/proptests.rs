//! Property checks for cache files, OAuth errors and browser requests. The fuzz targets also run them.

use std::cell::OnceCell;

use secrecy::ExposeSecret;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc;

use super::cache_file::{CacheFile, ParseError};
use super::encryption::decrypt;
use super::landing::Page;
use super::loopback::{Connection, MAX_FORM_SIZE, Redirect, RedirectResult};
use super::oauth_error::OAuthError;
use super::sign_in_command::SignInCommand;
use crate::http::Response;
use crate::secret::SecretBytes;
use crate::text::display_excerpt;
use crate::ui::format_error_checked;

/// Panics unless a cache file survives a round trip, or is rejected with a message that does not quote it.
pub fn check_cache_file(bytes: &[u8]) {
    // Check the plain text of an encrypted file.
    let Ok(text) = decrypt(SecretBytes::from(bytes.to_vec())) else { return };
    match CacheFile::parse(&text) {
        Ok(content) => {
            let written = to_json(&content);
            match CacheFile::parse(&written) {
                Ok(again) => assert_eq!(to_json(&again), written),
                Err(error) => panic!("a written file is rejected: {error:?}"),
            }
        }
        Err(ParseError::Damaged(message) | ParseError::Newer(message)) => {
            let words =
                message.split(|character: char| !character.is_ascii_alphabetic()).filter(|word| !word.is_empty());
            let words = words.collect::<Vec<_>>().join(" ");
            let known = [
                "it is damaged at line column",
                "it was written by another version of mscommerce format this version reads",
            ];
            assert!(known.contains(&words.as_str()), "{message}");
        }
    }
}

fn to_json(content: &CacheFile) -> Vec<u8> {
    match serde_json::to_vec(content) {
        Ok(text) => text,
        Err(error) => panic!("not written: {error}"),
    }
}

/// Panics unless the printed error contains the OAuth error code and no control characters.
pub fn check_oauth_error(response: &Response) {
    let Some(error) = OAuthError::from_response(response) else { return };
    let redirect_error = OAuthError::new(error.error.clone(), error.error_description.clone());
    for error in [error, redirect_error] {
        for is_application in [false, true] {
            let code = display_excerpt(&error.error);
            let command = SignInCommand { is_application, ..SignInCommand::new("default", None) };
            let printed = format_error_checked(&error.clone().into_error("could not sign in", &command));
            assert!(printed.contains(&code), "{code:?} is not in {printed}");
            assert!(printed.starts_with("error: could not sign in: "), "{printed}");
        }
    }
}

const STATE: &str = "the-state";
const PORT: u16 = 8400;

/// The number of times the browser yields to the server before it closes the connection.
const YIELD_COUNT: usize = 64;

/// Panics unless the listener sends a valid HTTP response, and accepts a code only from a form posted to a loopback
/// host with the state of this sign-in.
pub fn check_loopback(request: &[u8]) {
    let (response, result) = exchange(request, STATE, PORT);
    assert_well_formed(&response, request);
    let Some(result) = result else { return };
    assert!(response.starts_with(b"HTTP/1.1 200 ") || response.starts_with(b"HTTP/1.0 200 "));
    assert!(has_line(request, is_loopback_host_header), "no Host names this machine");
    if let RedirectResult::Code(code) = &result {
        let start = request.iter().position(|byte| !b"\r\n".contains(byte)).unwrap_or_default();
        assert!(request[start..].starts_with(b"POST "), "a code was accepted that was not posted");
        assert!((1..=MAX_FORM_SIZE).contains(&code.expose_secret().len()));
    }
    for (state, port) in [("another-state", PORT), (STATE, PORT + 1)] {
        assert!(exchange(request, state, port).1.is_none(), "the redirect of another sign-in was accepted");
    }
}

fn has_line(request: &[u8], matches: impl Fn(&str) -> bool) -> bool {
    request.split(|byte| *byte == b'\n').any(|line| std::str::from_utf8(line).is_ok_and(&matches))
}

fn is_loopback_host_header(line: &str) -> bool {
    let Some((name, value)) = line.split_once(':') else { return false };
    let names = ["localhost:8400", "127.0.0.1:8400", "[::1]:8400"];
    let port =
        value.trim().rsplit_once(':').map(|(host, port)| format!("{host}:{}", port.trim_start_matches(['0', '+'])));
    name.eq_ignore_ascii_case("host") && port.is_some_and(|value| names.contains(&value.as_str()))
}

/// Sends a request to the listener. Returns the response and the result of the sign-in, if any.
fn exchange(request: &[u8], state: &str, port: u16) -> (Vec<u8>, Option<RedirectResult>) {
    thread_local!(static RUNTIME: OnceCell<Runtime> = const { OnceCell::new() });
    let work = async {
        let (mut browser, server) = tokio::io::duplex(1024 * 1024);
        let (sender, mut redirects) = mpsc::channel(1);
        let connection = Connection { state: state.to_owned(), port, redirects: sender };
        let browse = async {
            // Writing fails if the server closes the connection before it has read the request.
            let _ = browser.write_all(request).await;
            for _ in 0..YIELD_COUNT {
                tokio::task::yield_now().await;
            }
            let _ = browser.shutdown().await;
            let mut response = Vec::new();
            let _ = browser.read_to_end(&mut response).await;
            let without_continue = response.strip_prefix(b"HTTP/1.1 100 Continue\r\n\r\n").map(<[u8]>::to_vec);
            without_continue.unwrap_or(response)
        };
        let sign_in = async {
            let Redirect { result, page, .. } = redirects.recv().await?;
            let _ = page.send(landing_page(&result));
            Some(result)
        };
        let ((), response, result) = tokio::join!(connection.serve(server), browse, sign_in);
        (response, result)
    };
    RUNTIME.with(|runtime| {
        let built = || match Builder::new_current_thread().enable_time().build() {
            Ok(runtime) => runtime,
            Err(error) => panic!("{error}"),
        };
        runtime.get_or_init(built).block_on(work)
    })
}

fn landing_page(result: &RedirectResult) -> Page {
    match result {
        RedirectResult::Code(_) => Page::success("ada@contoso.example", "contoso.example"),
        RedirectResult::Error(error) => {
            let command = SignInCommand::new("p", None);
            Page::failure(&error.clone().into_error("could not sign in", &command))
        }
    }
}

/// Panics unless the response has a status line, headers and a body of the declared length without injected markup.
fn assert_well_formed(response: &[u8], request: &[u8]) {
    // The server does not respond to an incomplete request.
    if response.is_empty() {
        return;
    }
    let response = String::from_utf8_lossy(response);
    let Some((head, body)) = response.split_once("\r\n\r\n") else { panic!("no end of the headers: {response}") };
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap_or_default();
    assert!(status.starts_with("HTTP/1.1 ") || status.starts_with("HTTP/1.0 "), "{status}");
    let code = status.get(9..12).and_then(|code| code.parse::<u16>().ok());
    assert!(code.is_some_and(|code| (200..500).contains(&code)), "{status}");
    let headers: Vec<(&str, &str)> = lines.filter_map(|line| line.split_once(": ")).collect();
    let length = headers.iter().find(|(name, _)| *name == "content-length").and_then(|(_, value)| value.parse().ok());
    let is_head = request.trim_ascii_start().starts_with(b"HEAD ");
    assert!(length.unwrap_or(0) == body.len() || (is_head && body.is_empty()), "{length:?}: {response}");
    if !body.is_empty() {
        assert!(headers.contains(&("cache-control", "no-store")), "{head}");
        assert!(headers.iter().any(|(name, value)| *name == "content-security-policy" && value.contains("'none'")));
        assert!(!body.contains("<script") && !body.contains("<img"), "{body}");
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::{btree_map, vec};
    use proptest::option;
    use proptest::prelude::*;
    use proptest::sample::select;
    use serde_json::{Value, json};

    use super::*;
    use crate::http::proptests::parse_response;

    /// Generates a cached credential, sometimes with invalid values.
    fn credential() -> impl Strategy<Value = Value> {
        let methods = vec!["browser", "device-code", "password", "token", "application", "Browser"];
        let authorities = vec!["https://login.example", "http://[::1]:8400/a/../b?c", "mailto:a", "", "https://a b"];
        let times =
            vec!["2026-01-01T00:00:00Z", "2026-01-01T00:00:60+23:59", "+262142-12-31T23:59:59.999999999Z", "now"];
        let token = (any::<String>(), select(times), vec(any::<String>(), 0..3)).prop_map(
            |(token, expires_at, domains)| json!({"accessToken": token, "expiresAt": expires_at, "domains": domains}),
        );
        (
            option::of(any::<String>()),
            any::<String>(),
            select(methods),
            select(authorities),
            option::of(any::<String>()),
            btree_map(any::<String>(), token, 0..3),
        )
            .prop_map(|(account, id, method, authority, refresh_token, tenants)| {
                json!({"account": account, "tenantId": id, "method": method, "authority": authority, "scope": "s",
                    "refreshToken": refresh_token, "tenants": tenants})
            })
    }

    fn post(host: &str, form: &str) -> String {
        format!("POST /m365/commerce HTTP/1.1\r\nHost: {host}\r\nContent-Length: {}\r\n\r\n{form}", form.len())
    }

    #[test]
    fn posted_form_with_state_returns_code() {
        let request = post("localhost:8400", "code=abc&state=the-state");
        check_loopback(request.as_bytes());
        let (response, result) = exchange(request.as_bytes(), STATE, PORT);
        assert!(matches!(result, Some(RedirectResult::Code(code)) if code.expose_secret() == "abc"));
        assert!(String::from_utf8_lossy(&response).contains("You are signed in"));
    }

    #[test]
    fn oversized_request_is_rejected() {
        let form = format!("state=the-state&code={}", "x".repeat(MAX_FORM_SIZE));
        for request in [
            post("localhost:8400", &form),
            format!("GET /m365/commerce?{form} HTTP/1.1\r\nHost: localhost:8400\r\n\r\n"),
            format!("GET / HTTP/1.1\r\nHost: localhost:8400\r\n{}\r\n", "X: y\r\n".repeat(200)),
            format!("GET / HTTP/1.1\r\nHost: localhost:8400\r\nX: {}\r\n\r\n", "y".repeat(100_000)),
        ] {
            check_loopback(request.as_bytes());
            let (response, result) = exchange(request.as_bytes(), STATE, PORT);
            assert!(result.is_none() && response.starts_with(b"HTTP/1.1 4"), "{}", String::from_utf8_lossy(&response));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn only_valid_requests_return_a_code(
            method in select(&["POST", "GET", "OPTIONS", "HEAD", "PUT", "post"][..]),
            target in select(&["/m365/commerce", "/", "http://localhost:8400/m365/commerce", "*"][..]),
            query in prop_oneof![Just(""), Just("?code=a&state=the-state"), Just("?error=<script>&state=the-state")],
            host in select(&["localhost:8400", "127.0.0.1:8400", "[::1]:8400", "evil.example", "localhost"][..]),
            headers in select(&["", "Expect: 100-continue\r\n", "Transfer-Encoding: chunked\r\n", "Host: evil\r\n"][..]),
            form in select(&["code=a&state=the-state", "18\r\ncode=a&state=the-state\r\n0\r\n\r\n", "code=a", ""][..]),
            length in 0_usize..40,
            cut in 0_usize..200,
        ) {
            let length = if cut % 2 == 0 { form.len() } else { length };
            let head = format!("{method} {target}{query} HTTP/1.1\r\nHost: {host}\r\n{headers}");
            let request = format!("{head}Content-Length: {length}\r\n\r\n{form}");
            check_loopback(request.as_bytes());
            check_loopback(&request.as_bytes()[..cut.min(request.len())]);
        }

        #[test]
        fn cache_file_survives_round_trip(
            profiles in btree_map("[a-z]{1,8}", credential(), 0..3),
            version in 1_u64..4,
            cut in any::<prop::sample::Index>(),
        ) {
            let text = json!({"version": version, "profiles": profiles}).to_string();
            check_cache_file(text.as_bytes());
            check_cache_file(&text.as_bytes()[..cut.index(text.len())]);
        }

        #[test]
        fn arbitrary_text_is_rejected_as_cache_file(text in any::<String>()) {
            check_cache_file(text.as_bytes());
        }

        #[test]
        fn oauth_error_with_any_members_is_printable(
            texts in vec(any::<String>(), 5),
            code in any::<u64>(),
            repeated in 1_usize..5000,
        ) {
            let body = json!({
                "error": texts[0],
                "error_description": format!("AADSTS{code}: {} Trace ID: {}", texts[1].repeat(repeated), texts[2]),
                "error_codes": [code],
                "suberror": texts[3],
                "correlation_id": texts[4],
            });
            check_oauth_error(&parse_response(format!("400\n{body}").as_bytes()));
        }

        #[test]
        fn arbitrary_bytes_do_not_break_the_listener(bytes in vec(any::<u8>(), 0..200), text in "[ -~\r\n]{0,200}") {
            check_loopback(&bytes);
            check_loopback(text.as_bytes());
        }
    }
}
