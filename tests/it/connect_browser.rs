//! `connect` with the browser: authorize URL, redirect listener and result page.

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

/// The executable while it waits for the redirect.
pub(crate) struct BrowserSignIn {
    child: Child,
    stderr: BufReader<ChildStderr>,
    text: String,
    url: String,
}

impl BrowserSignIn {
    pub(crate) fn start(env: &TestEnv, arguments: &[&str]) -> Self {
        Self::from_command(&mut env.command(&[&["connect", "--no-browser"], arguments].concat()))
    }

    /// Starts the executable and reads stderr up to the authorize URL.
    fn from_command(command: &mut Command) -> Self {
        let mut child = command.spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let mut waiting = Self { child, stderr, text: String::new(), url: String::new() };
        while waiting.url.is_empty() {
            let mut line = String::new();
            let length = waiting.stderr.read_line(&mut line).unwrap();
            assert_ne!(length, 0, "no URL was shown:\n{}", waiting.text);
            waiting.text.push_str(&line);
            if line.starts_with("http") && line.contains("/oauth2/v2.0/authorize") {
                line.trim_end().clone_into(&mut waiting.url);
            }
        }
        waiting
    }

    fn parameters(&self) -> BTreeMap<String, String> {
        Url::parse(&self.url).unwrap().query_pairs().into_owned().collect()
    }

    fn redirect_uri(&self) -> String {
        self.parameters()["redirect_uri"].clone()
    }

    fn port(&self) -> u16 {
        Url::parse(&self.redirect_uri()).unwrap().port().unwrap()
    }

    fn state(&self) -> String {
        self.parameters()["state"].clone()
    }

    /// Opens the URL as a browser does and returns the form of its "Sign in" button.
    fn approval_form(&self) -> Form {
        authorize(&self.url).sign_in().clone()
    }

    /// Signs in and returns the result page.
    pub(crate) fn sign_in(&self) -> BrowserResponse {
        post(&self.approval_form())
    }

    /// Posts a redirect with these fields and the right state, and returns the result page.
    pub(crate) fn redirect_with(&self, fields: &[(&str, &str)]) -> BrowserResponse {
        let state = self.state();
        let body =
            form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).append_pair("state", &state).finish();
        send("POST", &self.redirect_uri(), &[FORM], &body)
    }

    /// Waits until the executable exits.
    pub(crate) fn finish(mut self) -> CliResult {
        self.stderr.read_to_string(&mut self.text).unwrap();
        let mut stdout = String::new();
        self.child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
        let code = self.child.wait().unwrap().code().unwrap_or(-1);
        CliResult { code, stdout, stderr: std::mem::take(&mut self.text) }
    }
}

impl Drop for BrowserSignIn {
    /// Ends the executable after a failed test.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn post(form: &Form) -> BrowserResponse {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(&form.fields).finish();
    send("POST", &form.action, &[FORM], &body)
}

/// Sends raw bytes and returns the response.
fn send_raw(port: u16, request: &str) -> String {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    // The listener may respond and close before it has read everything.
    let _ = stream.write_all(request.as_bytes());
    let mut response = Vec::new();
    let _ = stream.read_to_end(&mut response);
    String::from_utf8_lossy(&response).into_owned()
}

#[test]
fn browser_sign_in_shows_result_page() {
    let env = TestEnv::new();
    let waiting = BrowserSignIn::start(&env, &[]);
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
    assert!(!page.body.contains("<script"), "the page has no scripts");

    cli_snapshot!(waiting.finish(), @"
    exit_code: 0
    ----- stderr -----
    To sign in, open this URL in a browser on this machine:

    http://127.0.0.1:[PORT]/organizations/oauth2/v2.0/authorize?[PARAMETERS]

    Waiting for sign-in…
    If the browser shows AADSTS50011, press Ctrl-C and run: mscommerce connect --device-code
    Signed in as admin@contoso.example to tenant 11111111-1111-4111-8111-111111111111.
    ");
    let sign_in = &env.cache()["profiles"]["default"];
    assert_eq!(sign_in["method"], "browser");
    assert_eq!(sign_in["tenantId"], HOME_TENANT);

    env.tenant.forget_requests();
    env.run(&["products", "list"]).assert_code(0);
    assert_eq!(env.request_lines().len(), 1);
}

#[test]
fn authorize_url_has_pkce_state_and_scopes() {
    let env = TestEnv::new();
    let waiting = BrowserSignIn::start(&env, &[]);
    let mut parameters = waiting.parameters();
    let mut scopes: Vec<_> = parameters["scope"].split(' ').collect();
    scopes.sort_unstable();
    assert_eq!(scopes, [SCOPE, "offline_access", "openid", "profile"]);
    assert_eq!(parameters["redirect_uri"], format!("http://localhost:{}/m365/commerce", waiting.port()));
    assert_eq!(parameters["code_challenge"].len(), 43, "SHA-256 in base64url");
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

    let another = BrowserSignIn::start(&env, &[]);
    assert_ne!(waiting.state(), another.state());
    assert_ne!(waiting.parameters()["code_challenge"], another.parameters()["code_challenge"]);
    assert!(env.request_lines().is_empty(), "the executable sends nothing itself");
}

#[test]
fn code_is_exchanged_once_with_verifier() {
    let env = TestEnv::new();
    let waiting = BrowserSignIn::start(&env, &["-vvv"]);
    let (approval, redirect) = (waiting.approval_form(), waiting.redirect_uri());
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
fn code_exchange_is_not_retried_after_503() {
    let env = TestEnv::new();
    env.tenant.fail_next("/token", Response::json(503, &json!({ "errorCode": "Busy" })));
    let waiting = BrowserSignIn::start(&env, &[]);
    waiting.sign_in();
    cli_snapshot!(waiting.finish(), @r#"
    exit_code: 1
    ----- stderr -----
    To sign in, open this URL in a browser on this machine:

    http://127.0.0.1:[PORT]/organizations/oauth2/v2.0/authorize?[PARAMETERS]

    Waiting for sign-in…
    If the browser shows AADSTS50011, press Ctrl-C and run: mscommerce connect --device-code
    error: could not sign in: 127.0.0.1:[PORT] returned 503 Service Unavailable
      {"errorCode":"Busy"}
    hint: try again in a minute
    "#);
    assert_eq!(env.token_requests().len(), 1);
}

#[test]
fn browser_sign_in_accepts_mfa_user() {
    let env = TestEnv::new();
    env.tenant.set_approving_user(MFA);
    let waiting = BrowserSignIn::start(&env, &[]);
    assert!(waiting.sign_in().body.contains(MFA));
    cli_snapshot!(waiting.finish(), @"
    exit_code: 0
    ----- stderr -----
    To sign in, open this URL in a browser on this machine:

    http://127.0.0.1:[PORT]/organizations/oauth2/v2.0/authorize?[PARAMETERS]

    Waiting for sign-in…
    If the browser shows AADSTS50011, press Ctrl-C and run: mscommerce connect --device-code
    Signed in as mfa@contoso.example to tenant 11111111-1111-4111-8111-111111111111.
    ");
}

#[test]
fn authorize_url_has_tenant_and_client_id() {
    let env = TestEnv::new();
    let waiting = BrowserSignIn::start(&env, &["--tenant", CUSTOMER_DOMAIN, "--client-id", "another"]);
    assert!(waiting.url.contains(&format!("/{CUSTOMER_DOMAIN}/oauth2/")), "{}", waiting.url);
    assert_eq!(waiting.parameters()["client_id"], "another");

    let waiting = BrowserSignIn::start(&env, &["--tenant", CUSTOMER_DOMAIN, "--profile", "customer"]);
    assert!(waiting.sign_in().body.contains(CUSTOMER_TENANT));
    cli_snapshot!(waiting.finish(), @"
    exit_code: 0
    ----- stderr -----
    To sign in, open this URL in a browser on this machine:

    http://127.0.0.1:[PORT]/fabrikam.example/oauth2/v2.0/authorize?[PARAMETERS]

    Waiting for sign-in…
    If the browser shows AADSTS50011, press Ctrl-C and run: mscommerce connect --profile customer --tenant fabrikam.example --device-code
    Signed in as admin@contoso.example to tenant 22222222-2222-4222-8222-222222222222 (profile customer).
    ");
    assert_eq!(env.cache()["profiles"]["customer"]["tenantId"], CUSTOMER_TENANT);
}

#[test]
fn authorize_url_is_shown_when_quiet() {
    let env = TestEnv::new();
    let waiting = BrowserSignIn::start(&env, &["--quiet"]);
    assert_eq!(waiting.sign_in().status, 200);
    waiting.finish().assert_code(0).stdout_is_empty();
}

#[test]
fn declined_sign_in_error_on_page_and_stderr() {
    let env = TestEnv::new();
    let waiting = BrowserSignIn::start(&env, &[]);
    let page = post(authorize(&waiting.url).cancel());
    assert_eq!(page.status, 200);
    for part in ["Sign-in failed", "declined", "AADSTS65004", "Nothing was saved"] {
        assert!(page.body.contains(part), "{part}\n{}", page.body);
    }
    cli_snapshot!(waiting.finish(), @"
    exit_code: 4
    ----- stderr -----
    To sign in, open this URL in a browser on this machine:

    http://127.0.0.1:[PORT]/organizations/oauth2/v2.0/authorize?[PARAMETERS]

    Waiting for sign-in…
    If the browser shows AADSTS50011, press Ctrl-C and run: mscommerce connect --device-code
    error: could not sign in: the sign-in was declined
      AADSTS65004: User declined to consent to access the app. (access_denied)
      correlation ID: [UUID], trace ID: [UUID]
    hint: mscommerce connect
    ");
    assert!(env.token_requests().is_empty());
    assert!(!env.cache_path().exists());
}

#[test]
fn error_in_query_is_escaped_on_page() {
    let env = TestEnv::new();
    let waiting = BrowserSignIn::start(&env, &[]);
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("error", "server_error")
        .append_pair("error_description", "AADSTS90033: <script>alert('1')</script> & \"more\"\u{1b}[2J")
        .append_pair("state", &waiting.state())
        .finish();
    let page = send("GET", &format!("{}?{query}", waiting.redirect_uri()), &[], "");
    assert_eq!(page.status, 200);
    assert!(page.body.contains("Sign-in failed"), "{}", page.body);
    assert!(
        page.body.contains("&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt; &amp; &quot;more&quot;"),
        "{}",
        page.body
    );
    assert!(!page.body.contains("<script") && !page.body.contains('\u{1b}'), "{}", page.body);
    let result = cli_snapshot!(waiting.finish(), @r#"
    exit_code: 4
    ----- stderr -----
    To sign in, open this URL in a browser on this machine:

    http://127.0.0.1:[PORT]/organizations/oauth2/v2.0/authorize?[PARAMETERS]

    Waiting for sign-in…
    If the browser shows AADSTS50011, press Ctrl-C and run: mscommerce connect --device-code
    error: could not sign in: rejected by Microsoft Entra ID
      AADSTS90033: <script>alert('1')</script> & "more"�[2J (server_error)
    hint: see the other sign-in methods: mscommerce connect --help
    "#);
    assert!(!result.stderr.contains('\u{1b}'), "{}", result.stderr);
}

#[test]
fn account_name_is_escaped_on_page() {
    let env = TestEnv::new();
    let name = "<img src=x onerror=alert(1)>&\"'@contoso.example";
    let token = jwt(&json!({"aud": RESOURCE, "tid": HOME_TENANT, "upn": name}));
    let response = json!({"token_type": "Bearer", "expires_in": 3600, "access_token": token, "refresh_token": "1.r"});
    env.tenant.fail_next("/token", Response::json(200, &response));
    let waiting = BrowserSignIn::start(&env, &[]);
    let page = waiting.sign_in();
    assert!(!page.body.contains("<img"), "{}", page.body);
    assert!(page.body.contains("&lt;img src=x onerror=alert(1)&gt;&amp;&quot;&#39;@contoso.example"), "{}", page.body);
    cli_snapshot!(waiting.finish(), @r#"
    exit_code: 0
    ----- stderr -----
    To sign in, open this URL in a browser on this machine:

    http://127.0.0.1:[PORT]/organizations/oauth2/v2.0/authorize?[PARAMETERS]

    Waiting for sign-in…
    If the browser shows AADSTS50011, press Ctrl-C and run: mscommerce connect --device-code
    Signed in as <img src=x onerror=alert(1)>&"'@contoso.example to tenant 11111111-1111-4111-8111-111111111111.
    "#);
}

#[test]
fn listener_rejects_foreign_redirects_and_waits() {
    let env = TestEnv::new();
    let waiting = BrowserSignIn::start(&env, &[]);
    let (redirect, state) = (waiting.redirect_uri(), waiting.state());
    let approval = waiting.approval_form();
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
    // A code in a URL would end up in histories and logs, so it is not accepted there.
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(&approval.fields).finish();
    assert_eq!(send("GET", &format!("{redirect}?{query}"), &[], "").status, 400);
    assert!(env.token_requests().is_empty());

    assert_eq!(post(&approval).status, 200);
    waiting.finish().assert_code(0);
    assert_eq!(env.token_requests().len(), 1);
}

#[test]
fn listener_ignores_unrelated_connections() {
    let env = TestEnv::new();
    let waiting = BrowserSignIn::start(&env, &[]);
    let (redirect, port) = (waiting.redirect_uri(), waiting.port());
    // Browsers open connections in advance and leave them idle.
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
    send_raw(port, "rubbish\r\n\r\n");
    send_raw(port, "\u{16}\u{3}\u{1} this might be TLS");

    assert_eq!(waiting.sign_in().status, 200);
    waiting.finish().assert_code(0);
    drop((silent, unfinished));
}

/// Other processes of this machine can connect, too: they must not use up the open files, nor keep the browser out.
#[test]
fn browser_gets_through_many_held_connections() {
    let env = TestEnv::signed_in();
    let before = env.cached_tokens();
    let waiting = BrowserSignIn::start(&env, &[]);
    let held: Vec<TcpStream> = (0..120)
        .map(|number| {
            let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, waiting.port())).unwrap();
            if number % 2 == 0 {
                let path = "POST /m365/commerce HTTP/1.1";
                let head = format!("{path}\r\nHost: localhost:{}\r\nContent-Length: 9\r\n\r\nstate", waiting.port());
                // Earlier connections are closed meanwhile.
                let _ = stream.write_all(head.as_bytes());
            }
            stream
        })
        .collect();
    // It is answered after all of them were accepted.
    let favicon = format!("http://127.0.0.1:{}/favicon.ico", waiting.port());
    assert_eq!(send("GET", &favicon, &[], "").status, 404);
    #[cfg(target_os = "linux")]
    {
        let open_files = std::fs::read_dir(format!("/proc/{}/fd", waiting.child.id())).unwrap().count();
        assert!((32..64).contains(&open_files), "{open_files}");
    }
    assert_eq!(waiting.sign_in().status, 200);
    waiting.finish().assert_code(0).stderr_contains(&["Signed in as admin@contoso.example"]).stderr_lacks("warning");
    assert_ne!(env.cached_tokens(), before);
    drop(held);
}

#[test]
fn listener_rejects_foreign_host_header() {
    let env = TestEnv::new();
    let waiting = BrowserSignIn::start(&env, &[]);
    let (port, state) = (waiting.port(), waiting.state());
    let body = format!("error=access_denied&state={state}");
    for host in ["Host: evil.example\r\n", "Host: localhost\r\n", "Host: localhost.evil.example:1\r\n", ""] {
        let length = body.len();
        let request = format!(
            "POST /m365/commerce HTTP/1.1\r\n{host}Connection: close\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        let response = send_raw(port, &request);
        assert!(response.starts_with("HTTP/1.1 4"), "{host}: {response}");
    }
    assert_eq!(waiting.sign_in().status, 200);
    waiting.finish().assert_code(0);
}

#[test]
fn listener_rejects_oversized_body() {
    let env = TestEnv::new();
    let waiting = BrowserSignIn::start(&env, &[]);
    let (port, state) = (waiting.port(), waiting.state());
    let body = format!("error=access_denied&state={state}&error_description={}", "x".repeat(1024 * 1024));
    let length = body.len();
    let head = format!("POST /m365/commerce HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n");
    // The connection may break before the response is read. The error in the body must not be accepted.
    send_raw(port, &format!("{head}Content-Length: {length}\r\n\r\n{body}"));
    send_raw(port, &format!("{head}Transfer-Encoding: chunked\r\n\r\n{length:x}\r\n{body}\r\n0\r\n\r\n"));
    assert_eq!(waiting.sign_in().status, 200);
    waiting.finish().assert_code(0);
}

#[test]
fn listener_binds_ipv4_and_ipv6_loopback() {
    if TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_err() {
        // No IPv6 here.
        return;
    }
    let env = TestEnv::new();
    let waiting = BrowserSignIn::start(&env, &[]);
    let port = waiting.port();
    assert_eq!(send("GET", &format!("http://127.0.0.1:{port}/"), &[], "").status, 404);
    let mut approval = waiting.approval_form();
    approval.action = format!("http://[::1]:{port}/m365/commerce");
    assert_eq!(post(&approval).status, 200);
    waiting.finish().assert_code(0);
}

#[test]
fn redirect_port_flag_sets_port() {
    let env = TestEnv::new();
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
    let waiting = BrowserSignIn::start(&env, &["--redirect-port", &port.to_string()]);
    assert_eq!(waiting.port(), port);
    assert_eq!(waiting.sign_in().status, 200);
    waiting.finish().assert_code(0);
}

#[test]
fn redirect_port_in_use_error_message() {
    let env = TestEnv::new();
    let v4 = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let v6 = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).ok();
    for listener in [Some(v4), v6].into_iter().flatten() {
        let port = listener.local_addr().unwrap().port().to_string();
        env.run(&["connect", "--no-browser", "--redirect-port", &port])
            .assert_code(1)
            .stdout_is_empty()
            .stderr_contains(&["error: could not listen on port", &port, "hint: ", "--redirect-port"]);
    }
    assert!(env.request_lines().is_empty());
}

#[test]
fn browser_wait_times_out() {
    let env = TestEnv::new();
    cli_snapshot!(env.run(&["connect", "--no-browser", "--timeout", "1"]), @"
    exit_code: 1
    ----- stderr -----
    To sign in, open this URL in a browser on this machine:

    http://127.0.0.1:[PORT]/organizations/oauth2/v2.0/authorize?[PARAMETERS]

    Waiting for sign-in…
    If the browser shows AADSTS50011, press Ctrl-C and run: mscommerce connect --device-code
    error: could not sign in: the sign-in was not completed in the browser within 1 s
    hint: try again: mscommerce connect
    hint: use a device code if the browser cannot reach this machine or shows AADSTS50011: mscommerce connect --device-code
    ");
    assert!(env.request_lines().is_empty());
    assert!(!env.cache_path().exists());
}

#[test]
fn redirect_uri_error_suggests_other_methods() {
    let env = TestEnv::new();
    let description = "AADSTS50011: The redirect URI 'http://localhost:1/m365/commerce' specified in the request does not match the redirect URIs configured for the application. Trace ID: t-1 Correlation ID: c-1 Timestamp: 2026-01-01 00:00:00Z";
    let error_body = json!({"error": "invalid_request", "error_description": description, "error_codes": [50011]});
    env.tenant.fail_next(ORGANIZATIONS_TOKEN, Response::json(400, &error_body));
    let waiting = BrowserSignIn::start(&env, &[]);
    let page = waiting.sign_in();
    for part in ["Sign-in failed", "AADSTS50011", "c-1"] {
        assert!(page.body.contains(part), "{part}\n{}", page.body);
    }
    cli_snapshot!(waiting.finish(), @"
    exit_code: 4
    ----- stderr -----
    To sign in, open this URL in a browser on this machine:

    http://127.0.0.1:[PORT]/organizations/oauth2/v2.0/authorize?[PARAMETERS]

    Waiting for sign-in…
    If the browser shows AADSTS50011, press Ctrl-C and run: mscommerce connect --device-code
    error: could not sign in: the redirect URI is not registered for this client ID
      AADSTS50011: The redirect URI 'http://localhost:[PORT]/m365/commerce' specified in the request does not match the redirect URIs configured for the application. (invalid_request)
      correlation ID: c-1, trace ID: t-1
    hint: sign in with a device code: mscommerce connect --device-code
    hint: sign in with an access token: mscommerce connect --with-token
    ");
    assert!(!env.cache_path().exists());
}

#[test]
fn code_exchange_503_on_page_and_stderr() {
    let env = TestEnv::new();
    env.tenant.fail_next(ORGANIZATIONS_TOKEN, Response::text(503, "text/plain", "busy"));
    let waiting = BrowserSignIn::start(&env, &[]);
    let page = waiting.sign_in();
    assert!(page.body.contains("Sign-in failed") && page.body.contains("503"), "{}", page.body);
    cli_snapshot!(waiting.finish(), @"
    exit_code: 1
    ----- stderr -----
    To sign in, open this URL in a browser on this machine:

    http://127.0.0.1:[PORT]/organizations/oauth2/v2.0/authorize?[PARAMETERS]

    Waiting for sign-in…
    If the browser shows AADSTS50011, press Ctrl-C and run: mscommerce connect --device-code
    error: could not sign in: 127.0.0.1:[PORT] returned 503 Service Unavailable
      busy
    hint: try again in a minute
    ");
    assert!(!env.cache_path().exists());
}

#[test]
fn ssh_session_shows_port_forwarding_hint() {
    let env = TestEnv::new();
    let mut command = env.command(&["connect", "--no-browser"]);
    let waiting = BrowserSignIn::from_command(command.env("SSH_CONNECTION", "192.0.2.1 50000 192.0.2.2 22"));
    let port = waiting.port();
    assert_eq!(waiting.sign_in().status, 200);
    waiting.finish().assert_code(0).stderr_contains(&[&format!("ssh -L {port}:localhost:{port}"), "--device-code"]);
}

#[cfg(unix)]
#[test]
fn sigint_ends_browser_wait_without_saving() {
    let env = TestEnv::new();
    let waiting = BrowserSignIn::start(&env, &[]);
    let sent = Command::new("kill").args(["-INT", &waiting.child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    waiting.finish().assert_code(130).stdout_is_empty();
    assert!(!env.cache_path().exists());
}

/// On other systems this would open a real browser.
#[cfg(all(unix, not(target_os = "macos")))]
mod browser_command {
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

    /// Waits for a file that another process creates by renaming.
    fn wait_for_file(path: &Path) -> String {
        let deadline = Instant::now() + Duration::from_secs(30);
        while !path.exists() {
            assert!(Instant::now() < deadline, "{} was not created", path.display());
            std::thread::sleep(Duration::from_millis(5));
        }
        fs::read_to_string(path).unwrap()
    }

    #[test]
    fn url_is_printed_before_browser_opens() {
        let env = TestEnv::new();
        // The browser copies the stderr of that moment.
        let browser = script(&env, "browser", "cp stderr stderr-before\nprintf %s \"$1\" > part\nmv part opened\n");
        let stderr = env.home().join("stderr");
        let mut command = env.command(&["connect"]);
        command.env("BROWSER", browser).stderr(File::create(&stderr).unwrap());
        let mut child = command.spawn().unwrap();
        let url = wait_for_file(&env.home().join("opened"));
        let stderr_before = fs::read_to_string(env.home().join("stderr-before")).unwrap();
        assert!(stderr_before.lines().any(|line| line == url), "{url}\n{stderr_before}");

        assert_eq!(post(authorize(&url).sign_in()).status, 200);
        assert_eq!(child.wait().unwrap().code(), Some(0), "{}", fs::read_to_string(&stderr).unwrap());
    }

    #[test]
    fn foreground_browser_can_complete_sign_in() {
        let env = TestEnv::new();
        // A text browser runs until its user quits, after the sign-in.
        let browser = script(
            &env,
            "w3m",
            "touch opened\nn=0\nwhile [ ! -e left ] && [ $n -lt 300 ]; do n=$((n + 1)); sleep 0.1; done\n",
        );
        let waiting = BrowserSignIn::from_command(env.command(&["connect"]).env("BROWSER", browser));
        wait_for_file(&env.home().join("opened"));
        let (url, approval) = (waiting.redirect_uri(), waiting.approval_form());
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
        let response = stream.read_exact(&mut start);
        fs::write(env.home().join("left"), "").unwrap();
        response.expect("the page is served while the browser is still open");
        assert_eq!(&start, b"HTTP/1.1 200");
        waiting.finish().assert_code(0);
    }

    #[test]
    fn sign_in_works_without_browser() {
        let env = TestEnv::new();
        let empty = env.home().join("empty");
        fs::create_dir(&empty).unwrap();
        for (variable, value) in [("BROWSER", "/nonexistent/browser"), ("DISPLAY", ":0")] {
            let mut command = env.command(&["connect"]);
            // An empty PATH has no desktop opener.
            let waiting = BrowserSignIn::from_command(command.env("PATH", &empty).env(variable, value));
            assert_eq!(waiting.sign_in().status, 200);
            waiting.finish().assert_code(0).stderr_contains(&["Could not open a browser"]);
        }
        // Without a display no browser is tried.
        let waiting = BrowserSignIn::from_command(env.command(&["connect"]).env("PATH", &empty));
        assert_eq!(waiting.sign_in().status, 200);
        let result = waiting.finish().assert_code(0);
        assert!(!result.stderr.contains("No browser could be opened"), "{}", result.stderr);
    }
}
