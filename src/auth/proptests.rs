//! What has to hold of the loopback listener, whatever it is sent.

use std::cell::OnceCell;

use secrecy::ExposeSecret;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc;

use super::landing::Page;
use super::loopback::{Connection, MAX_FORM_SIZE, Redirect, RedirectResult};
use crate::auth::SignInCommand;
use crate::auth::oauth_error::OAuthError;

const STATE: &str = "the-state";
const PORT: u16 = 8400;

/// So often everyone gets a turn before the browser has nothing more to say.
const TURNS: usize = 64;

/// What comes back is an HTTP answer, and a code is taken from a form alone that is posted to this machine, with the
/// state of this sign-in.
pub fn loopback(request: &[u8]) {
    let (response, answer) = exchange(request, STATE, PORT);
    is_well_formed(&response, request);
    let Some(answer) = answer else { return };
    assert!(response.starts_with(b"HTTP/1.1 200 ") || response.starts_with(b"HTTP/1.0 200 "));
    assert!(has_line(request, is_host), "no Host names this machine");
    if let RedirectResult::Code(code) = &answer {
        let start = request.iter().position(|byte| !b"\r\n".contains(byte)).unwrap_or_default();
        assert!(request[start..].starts_with(b"POST "), "a code was taken from something else than a posted form");
        assert!((1..=MAX_FORM_SIZE).contains(&code.expose_secret().len()));
    }
    for (state, port) in [("another-state", PORT), (STATE, PORT + 1)] {
        assert!(exchange(request, state, port).1.is_none(), "the answer of another sign-in was taken");
    }
}

fn has_line(request: &[u8], fits: impl Fn(&str) -> bool) -> bool {
    request.split(|byte| *byte == b'\n').any(|line| std::str::from_utf8(line).is_ok_and(&fits))
}

fn is_host(line: &str) -> bool {
    let Some((name, value)) = line.split_once(':') else { return false };
    let names = ["localhost:8400", "127.0.0.1:8400", "[::1]:8400"];
    let port =
        value.trim().rsplit_once(':').map(|(host, port)| format!("{host}:{}", port.trim_start_matches(['0', '+'])));
    name.eq_ignore_ascii_case("host") && port.is_some_and(|value| names.contains(&value.as_str()))
}

/// Sends a request as a browser does, and ends the sign-in that it belongs to.
fn exchange(request: &[u8], state: &str, port: u16) -> (Vec<u8>, Option<RedirectResult>) {
    thread_local!(static RUNTIME: OnceCell<Runtime> = const { OnceCell::new() });
    let work = async {
        let (mut browser, server) = tokio::io::duplex(1024 * 1024);
        let (answers, mut received) = mpsc::channel(1);
        let site = Connection { state: state.to_owned(), port, connection: 0, answers };
        let browse = async {
            // Whoever is told that the request is too large need not take the rest of it.
            let _ = browser.write_all(request).await;
            for _ in 0..TURNS {
                tokio::task::yield_now().await;
            }
            let _ = browser.shutdown().await;
            let mut response = Vec::new();
            let _ = browser.read_to_end(&mut response).await;
            // What invites to send the body is not the answer yet.
            let invited = response.strip_prefix(b"HTTP/1.1 100 Continue\r\n\r\n").map(<[u8]>::to_vec);
            invited.unwrap_or(response)
        };
        let sign_in = async {
            let Redirect { answer, page, .. } = received.recv().await?;
            let _ = page.send(landing(&answer));
            Some(answer)
        };
        let ((), response, answer) = tokio::join!(site.serve(server), browse, sign_in);
        (response, answer)
    };
    RUNTIME.with(|runtime| {
        let built = || match Builder::new_current_thread().enable_time().build() {
            Ok(runtime) => runtime,
            Err(error) => panic!("{error}"),
        };
        runtime.get_or_init(built).block_on(work)
    })
}

fn landing(answer: &RedirectResult) -> Page {
    match answer {
        RedirectResult::Code(_) => Page::success("ada@contoso.example", "contoso.example"),
        RedirectResult::Error { error, description } => {
            let connect = SignInCommand::new("p", None);
            let refusal = OAuthError::from_redirect(error.clone(), description.clone());
            Page::failure(&refusal.into_error("could not sign in", &connect))
        }
    }
}

/// One status line, headers, and a body as long as they say, in which nothing that was sent is markup.
fn is_well_formed(response: &[u8], request: &[u8]) {
    // Nobody answers a request that was never finished.
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
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;

    fn posted(host: &str, form: &str) -> String {
        format!("POST /m365/commerce HTTP/1.1\r\nHost: {host}\r\nContent-Length: {}\r\n\r\n{form}", form.len())
    }

    #[test]
    fn a_posted_form_with_the_state_brings_the_code() {
        let request = posted("localhost:8400", "code=abc&state=the-state");
        loopback(request.as_bytes());
        let (response, answer) = exchange(request.as_bytes(), STATE, PORT);
        assert!(matches!(answer, Some(RedirectResult::Code(code)) if code.expose_secret() == "abc"));
        assert!(String::from_utf8_lossy(&response).contains("You are signed in"));
    }

    #[test]
    fn what_is_too_large_is_refused_without_being_kept() {
        let form = format!("state=the-state&code={}", "x".repeat(MAX_FORM_SIZE));
        for request in [
            posted("localhost:8400", &form),
            format!("GET /m365/commerce?{form} HTTP/1.1\r\nHost: localhost:8400\r\n\r\n"),
            format!("GET / HTTP/1.1\r\nHost: localhost:8400\r\n{}\r\n", "X: y\r\n".repeat(200)),
            format!("GET / HTTP/1.1\r\nHost: localhost:8400\r\nX: {}\r\n\r\n", "y".repeat(100_000)),
        ] {
            loopback(request.as_bytes());
            let (response, answer) = exchange(request.as_bytes(), STATE, PORT);
            assert!(answer.is_none() && response.starts_with(b"HTTP/1.1 4"), "{}", String::from_utf8_lossy(&response));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_request_of_any_form_brings_the_code_of_another_sign_in(
            method in select(&["POST", "GET", "OPTIONS", "HEAD", "PUT", "post"][..]),
            target in select(&["/m365/commerce", "/", "http://localhost:8400/m365/commerce", "*"][..]),
            query in prop_oneof![Just(""), Just("?code=a&state=the-state"), Just("?error=<script>&state=the-state")],
            host in select(&["localhost:8400", "127.0.0.1:8400", "[::1]:8400", "evil.example", "localhost"][..]),
            more in select(&["", "Expect: 100-continue\r\n", "Transfer-Encoding: chunked\r\n", "Host: evil\r\n"][..]),
            form in select(&["code=a&state=the-state", "18\r\ncode=a&state=the-state\r\n0\r\n\r\n", "code=a", ""][..]),
            length in 0_usize..40,
            cut in 0_usize..200,
        ) {
            let length = if cut % 2 == 0 { form.len() } else { length };
            let head = format!("{method} {target}{query} HTTP/1.1\r\nHost: {host}\r\n{more}");
            let request = format!("{head}Content-Length: {length}\r\n\r\n{form}");
            loopback(request.as_bytes());
            loopback(&request.as_bytes()[..cut.min(request.len())]);
        }

        #[test]
        fn no_bytes_break_the_listener(bytes in vec(any::<u8>(), 0..200), text in "[ -~\r\n]{0,200}") {
            loopback(&bytes);
            loopback(text.as_bytes());
        }
    }
}
