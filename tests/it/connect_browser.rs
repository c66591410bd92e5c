//! `connect` with the browser: the address, the listener on this machine, and the page that the browser ends on.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, Ipv6Addr, TcpListener, TcpStream};
use std::process::{Child, ChildStderr, Command};

use serde_json::json;
use url::Url;

use crate::support::cli::CliResult;
use crate::support::env::TestEnv;
use crate::support::fixtures::ORGANIZATIONS_TOKEN;
use crate::tenant::{
    ADMIN, BrowserResponse, CLIENT_ID, CUSTOMER_DOMAIN, CUSTOMER_TENANT, Form, HOME_TENANT, MFA, RESOURCE, Response,
    SCOPE, authorize, jwt, post_form, send,
};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

/// The executable, waiting for the browser.
pub(crate) struct Waiting {
    child: Child,
    stderr: BufReader<ChildStderr>,
    said: String,
    url: String,
}

impl Waiting {
    pub(crate) fn start(env: &TestEnv, arguments: &[&str]) -> Self {
        Self::of(&mut env.command(&[&["connect", "--no-browser"], arguments].concat()))
    }

    /// Starts the executable and reads what it says up to the address to open.
    fn of(command: &mut Command) -> Self {
        let mut child = command.spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let mut waiting = Self { child, stderr, said: String::new(), url: String::new() };
        while waiting.url.is_empty() {
            let mut line = String::new();
            let length = waiting.stderr.read_line(&mut line).unwrap();
            assert_ne!(length, 0, "no address was shown:\n{}", waiting.said);
            waiting.said.push_str(&line);
            if line.starts_with("http") && line.contains("/oauth2/v2.0/authorize") {
                line.trim_end().clone_into(&mut waiting.url);
            }
        }
        waiting
    }

    fn parameters(&self) -> BTreeMap<String, String> {
        Url::parse(&self.url).unwrap().query_pairs().into_owned().collect()
    }

    /// Where the browser is to bring the answer.
    fn redirect(&self) -> String {
        self.parameters()["redirect_uri"].clone()
    }

    fn port(&self) -> u16 {
        Url::parse(&self.redirect()).unwrap().port().unwrap()
    }

    fn state(&self) -> String {
        self.parameters()["state"].clone()
    }

    /// Opens the address as a browser would, and returns the form behind "Sign in".
    fn approval(&self) -> Form {
        authorize(&self.url).sign_in().clone()
    }

    /// Signs in, and returns the page that the browser ends on.
    pub(crate) fn sign_in(&self) -> BrowserResponse {
        post(&self.approval())
    }

    /// Waits for the executable to end.
    pub(crate) fn finish(mut self) -> CliResult {
        self.stderr.read_to_string(&mut self.said).unwrap();
        let mut stdout = String::new();
        self.child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
        let code = self.child.wait().unwrap().code().unwrap_or(-1);
        CliResult { code, stdout, stderr: std::mem::take(&mut self.said) }
    }
}

impl Drop for Waiting {
    /// A test that fails should not leave the executable waiting.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn post(form: &Form) -> BrowserResponse {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(&form.fields).finish();
    send("POST", &form.action, &[FORM], &body)
}

/// Sends bytes as they are, and returns what comes back before the connection closes.
fn raw(port: u16, request: &str) -> String {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    // The other side may answer, and close, before it has read everything.
    let _ = stream.write_all(request.as_bytes());
    let mut response = Vec::new();
    let _ = stream.read_to_end(&mut response);
    String::from_utf8_lossy(&response).into_owned()
}

#[test]
fn the_browser_signs_in_and_lands_on_a_page_that_says_so() {
    let env = TestEnv::new();
    let waiting = Waiting::start(&env, &[]);
    let page = waiting.sign_in();
    assert_eq!(page.status, 200);
    for part in ["You are signed in", ADMIN, HOME_TENANT, "close this window"] {
        assert!(page.body.contains(part), "{part}\n{}", page.body);
    }
    for (header, part) in [
        ("content-type", "text/html; charset=utf-8"),
        ("cache-control", "no-store"),
        ("content-security-policy", "default-src 'none'"),
        ("content-security-policy", "frame-ancestors 'none'"),
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
    ] {
        assert!(page.header(header).is_some_and(|value| value.contains(part)), "{header}: {:?}", page.headers);
    }
    assert!(!page.body.contains("<script"), "the page runs nothing");

    waiting
        .finish()
        .assert_code(0)
        .stdout_is_empty()
        .stderr_contains(&[&format!("Signed in as {ADMIN} to the tenant {HOME_TENANT}.")]);
    let sign_in = &env.cache()["profiles"]["default"];
    assert_eq!(sign_in["method"], "browser");
    assert_eq!(sign_in["tenantId"], HOME_TENANT);

    env.tenant.forget_requests();
    env.run(&["products", "list"]).assert_code(0);
    assert_eq!(env.request_lines().len(), 1);
}

#[test]
fn the_address_asks_for_a_code_with_a_proof_of_who_asked() {
    let env = TestEnv::new();
    let waiting = Waiting::start(&env, &[]);
    let mut parameters = waiting.parameters();
    let mut scopes: Vec<_> = parameters["scope"].split(' ').collect();
    scopes.sort_unstable();
    assert_eq!(scopes, [SCOPE, "offline_access", "openid", "profile"]);
    assert_eq!(parameters["redirect_uri"], format!("http://localhost:{}/m365/commerce", waiting.port()));
    assert_eq!(parameters["code_challenge"].len(), 43, "a SHA-256 in base64url");
    assert!(parameters["state"].len() >= 16, "{parameters:?}");
    for checked in ["scope", "redirect_uri", "code_challenge", "state"] {
        parameters.remove(checked);
    }
    let others: Vec<_> = parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(
        others,
        [
            ("client_id", CLIENT_ID),
            ("client_info", "1"),
            ("code_challenge_method", "S256"),
            ("prompt", "select_account"),
            ("response_mode", "form_post"),
            ("response_type", "code"),
        ]
    );
    assert!(waiting.url.starts_with(&format!("{}/organizations/oauth2/v2.0/authorize?", env.tenant.url())));

    let another = Waiting::start(&env, &[]);
    assert_ne!(waiting.state(), another.state());
    assert_ne!(waiting.parameters()["code_challenge"], another.parameters()["code_challenge"]);
    assert!(env.request_lines().is_empty(), "the browser asks, not the executable");
}

#[test]
fn the_code_is_redeemed_once_with_the_proof() {
    let env = TestEnv::new();
    let waiting = Waiting::start(&env, &["-vvv"]);
    let (approval, redirect) = (waiting.approval(), waiting.redirect());
    assert_eq!(post(&approval).status, 200);
    let result = waiting.finish().assert_code(0);

    let requests = env.token_requests();
    assert_eq!(requests.len(), 1);
    let (tenant, form) = &requests[0];
    assert_eq!(tenant, "organizations");
    assert_eq!(form["grant_type"], "authorization_code");
    assert_eq!(form["client_id"], CLIENT_ID);
    assert_eq!(form["code"], approval.field("code"));
    assert_eq!(form["redirect_uri"], redirect);
    assert!(form["code_verifier"].len() >= 43);
    let mut secrets = env.cached_tokens();
    secrets.extend([form["code"].clone(), form["code_verifier"].clone()]);
    for secret in secrets {
        assert!(!result.stderr.contains(&secret), "{}", result.stderr);
    }
}

#[test]
fn a_code_that_may_have_arrived_is_not_sent_again() {
    let env = TestEnv::new();
    env.tenant.fail_next("/token", Response::json(503, &json!({ "errorCode": "Busy" })));
    let waiting = Waiting::start(&env, &[]);
    waiting.sign_in();
    waiting.finish().assert_code(1).stderr_contains(&["503"]);
    assert_eq!(env.token_requests().len(), 1);
}

#[test]
fn a_second_factor_is_no_obstacle_in_the_browser() {
    let env = TestEnv::new();
    env.tenant.set_approving_user(MFA);
    let waiting = Waiting::start(&env, &[]);
    assert!(waiting.sign_in().body.contains(MFA));
    waiting.finish().assert_code(0).stderr_contains(&[MFA]);
}

#[test]
fn tenant_and_client_are_part_of_the_address() {
    let env = TestEnv::new();
    let waiting = Waiting::start(&env, &["--tenant", CUSTOMER_DOMAIN, "--client-id", "another"]);
    assert!(waiting.url.contains(&format!("/{CUSTOMER_DOMAIN}/oauth2/")), "{}", waiting.url);
    assert_eq!(waiting.parameters()["client_id"], "another");

    let waiting = Waiting::start(&env, &["--tenant", CUSTOMER_DOMAIN, "--profile", "customer"]);
    assert!(waiting.sign_in().body.contains(CUSTOMER_TENANT));
    waiting.finish().assert_code(0).stderr_contains(&[CUSTOMER_TENANT, "profile customer"]);
    assert_eq!(env.cache()["profiles"]["customer"]["tenantId"], CUSTOMER_TENANT);
}

#[test]
fn the_address_is_shown_even_when_quiet() {
    let env = TestEnv::new();
    let waiting = Waiting::start(&env, &["--quiet"]);
    assert_eq!(waiting.sign_in().status, 200);
    waiting.finish().assert_code(0).stdout_is_empty();
}

#[test]
fn a_cancelled_sign_in_is_told_in_both_places() {
    let env = TestEnv::new();
    let waiting = Waiting::start(&env, &[]);
    let page = post(authorize(&waiting.url).cancel());
    assert_eq!(page.status, 200);
    for part in ["You are not signed in", "declined", "AADSTS65004", "Nothing was saved"] {
        assert!(page.body.contains(part), "{part}\n{}", page.body);
    }
    waiting.finish().assert_code(4).stdout_is_empty().stderr_contains(&[
        "error: could not sign in",
        "declined",
        "AADSTS65004",
        "correlation id: ",
        "hint: ",
    ]);
    assert!(env.token_requests().is_empty());
    assert!(!env.cache_path().exists());
}

#[test]
fn an_error_may_come_in_the_address_and_is_shown_as_text() {
    let env = TestEnv::new();
    let waiting = Waiting::start(&env, &[]);
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("error", "server_error")
        .append_pair("error_description", "AADSTS90033: <script>alert('1')</script> & \"more\"\u{1b}[2J")
        .append_pair("state", &waiting.state())
        .finish();
    let page = send("GET", &format!("{}?{query}", waiting.redirect()), &[], "");
    assert_eq!(page.status, 200);
    assert!(page.body.contains("You are not signed in"), "{}", page.body);
    assert!(
        page.body.contains("&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt; &amp; &quot;more&quot;"),
        "{}",
        page.body
    );
    assert!(!page.body.contains("<script") && !page.body.contains('\u{1b}'), "{}", page.body);
    let result = waiting.finish().assert_code(4).stderr_contains(&["AADSTS90033"]);
    assert!(!result.stderr.contains('\u{1b}'), "{}", result.stderr);
}

#[test]
fn names_on_the_page_are_shown_as_text() {
    let env = TestEnv::new();
    let name = "<img src=x onerror=alert(1)>&\"'@contoso.example";
    let token = jwt(&json!({"aud": RESOURCE, "tid": HOME_TENANT, "upn": name}));
    let response = json!({"token_type": "Bearer", "expires_in": 3600, "access_token": token, "refresh_token": "1.r"});
    env.tenant.fail_next("/token", Response::json(200, &response));
    let waiting = Waiting::start(&env, &[]);
    let page = waiting.sign_in();
    assert!(!page.body.contains("<img"), "{}", page.body);
    assert!(page.body.contains("&lt;img src=x onerror=alert(1)&gt;&amp;&quot;&#39;@contoso.example"), "{}", page.body);
    waiting.finish().assert_code(0).stderr_contains(&[name]);
}

#[test]
fn what_does_not_belong_to_the_sign_in_is_refused_and_the_sign_in_goes_on() {
    let env = TestEnv::new();
    let waiting = Waiting::start(&env, &[]);
    let (redirect, state) = (waiting.redirect(), waiting.state());
    let approval = waiting.approval();
    let code = approval.field("code");
    for (what, fields) in [
        ("another state", &[("code", code), ("state", "other")][..]),
        ("no state", &[("code", code)]),
        ("an empty state", &[("code", code), ("state", "")]),
        ("an error of another sign-in", &[("error", "access_denied"), ("state", "other")]),
        ("no answer", &[("state", &state)]),
        ("an empty code", &[("state", &state), ("code", "")]),
        ("nothing", &[]),
    ] {
        let (status, body) = post_form(&redirect, fields);
        assert_eq!(status, 400, "{what}");
        assert!(body.contains("still waiting"), "{what}: {body}");
    }
    // A code in an address would end up in histories and logs, so it is not taken from there even when it is right.
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(&approval.fields).finish();
    assert_eq!(send("GET", &format!("{redirect}?{query}"), &[], "").status, 400);
    assert!(env.token_requests().is_empty());

    assert_eq!(post(&approval).status, 200);
    waiting.finish().assert_code(0);
    assert_eq!(env.token_requests().len(), 1);
}

#[test]
fn what_browsers_do_besides_disturbs_nothing() {
    let env = TestEnv::new();
    let waiting = Waiting::start(&env, &[]);
    let (redirect, port) = (waiting.redirect(), waiting.port());
    // Browsers open connections ahead of time and leave them.
    let silent = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    let mut unfinished = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    unfinished.write_all(b"POST /m365/commerce HTTP/1.1\r\nHost: local").unwrap();
    drop(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap());
    let elsewhere = format!("http://localhost:{port}/favicon.ico");
    for (method, url, status) in [
        ("GET", elsewhere.as_str(), 404),
        ("OPTIONS", &redirect, 204),
        ("HEAD", &redirect, 405),
        ("PUT", &redirect, 405),
        ("GET", &redirect, 400),
        ("POST", &elsewhere, 404),
    ] {
        assert_eq!(send(method, url, &[], "").status, status, "{method} {url}");
    }
    raw(port, "rubbish\r\n\r\n");
    raw(port, "\u{16}\u{3}\u{1} this might be TLS");

    assert_eq!(waiting.sign_in().status, 200);
    waiting.finish().assert_code(0);
    drop((silent, unfinished));
}

#[test]
fn another_sites_name_that_leads_here_is_refused() {
    let env = TestEnv::new();
    let waiting = Waiting::start(&env, &[]);
    let (port, state) = (waiting.port(), waiting.state());
    let body = format!("error=access_denied&state={state}");
    for host in ["Host: evil.example\r\n", "Host: localhost\r\n", "Host: localhost.evil.example:1\r\n", ""] {
        let length = body.len();
        let request = format!(
            "POST /m365/commerce HTTP/1.1\r\n{host}Connection: close\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        let response = raw(port, &request);
        assert!(response.starts_with("HTTP/1.1 4"), "{host}: {response}");
    }
    assert_eq!(waiting.sign_in().status, 200);
    waiting.finish().assert_code(0);
}

#[test]
fn a_body_larger_than_any_answer_is_refused() {
    let env = TestEnv::new();
    let waiting = Waiting::start(&env, &[]);
    let (port, state) = (waiting.port(), waiting.state());
    let body = format!("error=access_denied&state={state}&error_description={}", "x".repeat(1024 * 1024));
    let length = body.len();
    let head = format!("POST /m365/commerce HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n");
    // The connection may break before the answer is read; what counts is that the error was not taken.
    raw(port, &format!("{head}Content-Length: {length}\r\n\r\n{body}"));
    raw(port, &format!("{head}Transfer-Encoding: chunked\r\n\r\n{length:x}\r\n{body}\r\n0\r\n\r\n"));
    assert_eq!(waiting.sign_in().status, 200);
    waiting.finish().assert_code(0);
}

#[test]
fn both_loopback_addresses_are_listened_on() {
    if TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_err() {
        // A machine without IPv6.
        return;
    }
    let env = TestEnv::new();
    let waiting = Waiting::start(&env, &[]);
    let port = waiting.port();
    assert_eq!(send("GET", &format!("http://127.0.0.1:{port}/"), &[], "").status, 404);
    let mut approval = waiting.approval();
    approval.action = format!("http://[::1]:{port}/m365/commerce");
    assert_eq!(post(&approval).status, 200);
    waiting.finish().assert_code(0);
}

#[test]
fn the_port_can_be_chosen() {
    let env = TestEnv::new();
    // Free a moment ago.
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
    let waiting = Waiting::start(&env, &["--redirect-port", &port.to_string()]);
    assert_eq!(waiting.port(), port);
    assert_eq!(waiting.sign_in().status, 200);
    waiting.finish().assert_code(0);
}

#[test]
fn a_port_in_use_is_told() {
    let env = TestEnv::new();
    let v4 = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let v6 = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).ok();
    for listener in [Some(v4), v6].into_iter().flatten() {
        let port = listener.local_addr().unwrap().port().to_string();
        env.run(&["connect", "--no-browser", "--redirect-port", &port])
            .assert_code(1)
            .stdout_is_empty()
            .stderr_contains(&["error: could not listen on the port", &port, "hint: ", "--redirect-port"]);
    }
    assert!(env.request_lines().is_empty());
}

#[test]
fn nobody_answering_ends_the_wait() {
    let env = TestEnv::new();
    env.run(&["connect", "--no-browser", "--timeout", "1"]).assert_code(1).stdout_is_empty().stderr_contains(&[
        "error: could not sign in",
        "within 1 s",
        "hint: where the browser cannot reach this machine",
        ": mscommerce connect --device-code",
    ]);
    assert!(env.request_lines().is_empty());
    assert!(!env.cache_path().exists());
}

#[test]
fn a_redirect_address_that_is_not_allowed_leads_to_the_other_ways_in() {
    let env = TestEnv::new();
    let description = "AADSTS50011: The redirect URI 'http://localhost:1/m365/commerce' specified in the request does not match the redirect URIs configured for the application. Trace ID: t-1 Correlation ID: c-1 Timestamp: 2026-01-01 00:00:00Z";
    let refusal = json!({"error": "invalid_request", "error_description": description, "error_codes": [50011]});
    env.tenant.fail_next(ORGANIZATIONS_TOKEN, Response::json(400, &refusal));
    let waiting = Waiting::start(&env, &[]);
    let page = waiting.sign_in();
    for part in ["You are not signed in", "AADSTS50011", "c-1"] {
        assert!(page.body.contains(part), "{part}\n{}", page.body);
    }
    waiting
        .finish()
        .assert_code(4)
        .stderr_contains(&["redirect address is not allowed", "AADSTS50011", "correlation id: c-1"])
        .stderr_contains(&["mscommerce connect --device-code", "mscommerce connect --with-token"]);
    assert!(!env.cache_path().exists());
}

#[test]
fn a_network_that_fails_while_the_code_is_redeemed_is_told_in_both_places() {
    let env = TestEnv::new();
    env.tenant.fail_next(ORGANIZATIONS_TOKEN, Response::text(503, "text/plain", "busy"));
    let waiting = Waiting::start(&env, &[]);
    let page = waiting.sign_in();
    assert!(page.body.contains("You are not signed in") && page.body.contains("503"), "{}", page.body);
    waiting.finish().assert_code(1).stderr_contains(&["503", "hint: "]);
    assert!(!env.cache_path().exists());
}

#[test]
fn a_remote_session_is_told_how_to_reach_the_port() {
    let env = TestEnv::new();
    let mut command = env.command(&["connect", "--no-browser"]);
    let waiting = Waiting::of(command.env("SSH_CONNECTION", "192.0.2.1 50000 192.0.2.2 22"));
    let port = waiting.port();
    assert_eq!(waiting.sign_in().status, 200);
    waiting.finish().assert_code(0).stderr_contains(&[&format!("ssh -L {port}:localhost:{port}"), "--device-code"]);
}

#[cfg(unix)]
#[test]
fn an_interrupted_wait_ends_at_once_and_saves_nothing() {
    let env = TestEnv::new();
    let waiting = Waiting::start(&env, &[]);
    let sent = Command::new("kill").args(["-INT", &waiting.child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    waiting.finish().assert_code(130).stdout_is_empty();
    assert!(!env.cache_path().exists());
}

/// Everywhere else the system knows the browser, and would really open one.
#[cfg(all(unix, not(target_os = "macos")))]
mod with_a_browser_of_its_own {
    use std::fs::{self, File};
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::{Path, PathBuf};
    use std::time::{Duration, Instant};

    use super::*;

    fn script(env: &TestEnv, name: &str, text: &str) -> PathBuf {
        let path = env.home().join(name);
        fs::write(&path, format!("#!/bin/sh\ncd '{}' || exit 1\n{text}", env.home().display())).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    /// The content of a file that another process is about to put there whole.
    fn awaited(path: &Path) -> String {
        let deadline = Instant::now() + Duration::from_secs(30);
        while !path.exists() {
            assert!(Instant::now() < deadline, "{} did not come", path.display());
            std::thread::sleep(Duration::from_millis(5));
        }
        fs::read_to_string(path).unwrap()
    }

    #[test]
    fn the_address_is_shown_before_the_browser_is_opened_with_it() {
        let env = TestEnv::new();
        // The browser notes what had been said by the time it was opened.
        let browser = script(&env, "browser", "cp said said-before\nprintf %s \"$1\" > part\nmv part opened\n");
        let said = env.home().join("said");
        let mut command = env.command(&["connect"]);
        command.env("BROWSER", browser).stderr(File::create(&said).unwrap());
        let mut child = command.spawn().unwrap();
        let url = awaited(&env.home().join("opened"));
        let said_before = fs::read_to_string(env.home().join("said-before")).unwrap();
        assert!(said_before.lines().any(|line| line == url), "{url}\n{said_before}");

        assert_eq!(post(authorize(&url).sign_in()).status, 200);
        assert_eq!(child.wait().unwrap().code(), Some(0), "{}", fs::read_to_string(&said).unwrap());
    }

    #[test]
    fn a_browser_that_stays_in_the_foreground_can_bring_the_answer() {
        let env = TestEnv::new();
        // A text browser runs until the person leaves it, which is after the sign-in.
        let browser = script(
            &env,
            "w3m",
            "touch opened\nn=0\nwhile [ ! -e left ] && [ $n -lt 300 ]; do n=$((n + 1)); sleep 0.1; done\n",
        );
        let waiting = Waiting::of(env.command(&["connect"]).env("BROWSER", browser));
        awaited(&env.home().join("opened"));
        let (url, approval) = (waiting.redirect(), waiting.approval());
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, waiting.port())).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(&approval.fields).finish();
        let host = &url["http://".len()..url.find("/m365").unwrap()];
        let request = format!(
            "POST /m365/commerce HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut start = [0; 12];
        let answered = stream.read_exact(&mut start);
        fs::write(env.home().join("left"), "").unwrap();
        answered.expect("the page comes while the browser is still open");
        assert_eq!(&start, b"HTTP/1.1 200");
        waiting.finish().assert_code(0);
    }

    #[test]
    fn without_any_browser_the_address_is_enough() {
        let env = TestEnv::new();
        let empty = env.home().join("empty");
        fs::create_dir(&empty).unwrap();
        for (variable, value) in [("BROWSER", "/nonexistent/browser"), ("DISPLAY", ":0")] {
            let mut command = env.command(&["connect"]);
            // An empty PATH holds none of the openers that a desktop brings.
            let waiting = Waiting::of(command.env("PATH", &empty).env(variable, value));
            assert_eq!(waiting.sign_in().status, 200);
            waiting.finish().assert_code(0).stderr_contains(&["No browser could be opened"]);
        }
        // Without a screen nothing is tried.
        let waiting = Waiting::of(env.command(&["connect"]).env("PATH", &empty));
        assert_eq!(waiting.sign_in().status, 200);
        let result = waiting.finish().assert_code(0);
        assert!(!result.stderr.contains("No browser could be opened"), "{}", result.stderr);
    }
}
