//! Services that repeat the secrets of a request, in every encoding and position: none of it is shown or saved.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::connect_browser::BrowserSignIn;
use crate::secrecy::COMMANDS;
use crate::support::cli::CliResult;
use crate::support::env::TestEnv;
use crate::support::fixtures::POWER_BI;
use crate::support::in_parallel;
use crate::tenant::{ADMIN, APP_ID, APP_SECRET, HOME_TENANT, PASSWORD, Received, Response, jwt};

/// The fields of a token request that are not secret.
const PUBLIC_FIELDS: [&str; 7] =
    ["client_id", "client_info", "client_assertion_type", "grant_type", "redirect_uri", "scope", "username"];

/// The length of the parts of an encoded secret to search for.
const PART_LEN: usize = 24;

/// The commands that send requests.
const REQUESTS: &[&[&str]] = &[
    &["policy", "list"],
    &["policy", "get", "-o", "json"],
    &["products", "list", "--scope", "all"],
    &["product", "get", POWER_BI],
    &["api", "v1.0/policies"],
    &["api", "v1.0/policies/AllowSelfServicePurchase", "-X", "PATCH"],
    &["product", "update", POWER_BI, "--value", "disabled"],
    &["products", "update", "--all", "--value", "disabled", "--yes"],
    &["baseline", "export", "--file", "-"],
    &["doctor"],
];

/// How the services answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Echo {
    /// As usual, with secrets in headers, names, values and further members.
    Success,
    /// With a JSON error.
    Json(u16),
    /// With text.
    Text(u16),
    /// With a web page.
    Html(u16),
    /// With a redirect.
    Redirect,
}

/// The secrets of a request, as its receiver sees them.
fn secrets_of(request: &Received) -> Vec<String> {
    let fields = if request.method == "POST" { request.form() } else { BTreeMap::default() };
    let secret_fields = fields.into_iter().filter(|(name, _)| !PUBLIC_FIELDS.contains(&name.as_str()));
    request.bearer().map(str::to_owned).into_iter().chain(secret_fields.map(|(_, value)| value)).collect()
}

/// A secret in every encoding, for text that is not decoded further.
fn encodings(secret: &str) -> Vec<String> {
    let every = |format: fn(u8) -> String| secret.bytes().map(format).collect::<String>();
    let percent = every(|byte| format!("%{byte:02x}"));
    let mut encodings = vec![
        secret.to_owned(),
        every(|byte| format!("\\u{byte:04x}")),
        percent.to_uppercase(),
        percent.replace('%', "%25"),
        form_urlencoded::byte_serialize(secret.as_bytes()).collect(),
        STANDARD.encode(secret),
        URL_SAFE_NO_PAD.encode(secret),
        STANDARD.encode(format!("Bearer {secret}")),
        every(|byte| format!("{byte:02x}")),
        every(|byte| format!("{byte:02X}")),
        every(|byte| format!("&#{byte};")),
        every(|byte| format!("&#x{byte:x};")),
        percent,
    ];
    if secret.len() >= 2 * PART_LEN {
        let (first, second) = secret.split_at(secret.len() / 2);
        encodings.extend([first.to_owned(), second.to_owned()]);
    }
    encodings
}

/// The response of a service that repeats the request. `turn` varies the encodings.
fn repeat_request(echo: Echo, turn: usize, request: &Received, response: Response) -> Response {
    let mut encoded: Vec<String> = secrets_of(request).iter().flat_map(|secret| encodings(secret)).collect();
    if encoded.is_empty() {
        return response;
    }
    let turn = turn % encoded.len();
    encoded.rotate_left(turn);
    // A few, because messages are truncated, and one encoding must not hide what another one does.
    let all = encoded[..3].join(" ");
    let body = match echo {
        Echo::Success => return with_headers(in_json(response, &encoded), &encoded),
        Echo::Json(_) => json!({ "errorCode": all, "reason": all, "error": encoded[0], "error_description": all,
            "suberror": encoded[0], "trace_id": encoded[0], "correlation_id": encoded[0], "message": all })
        .to_string(),
        Echo::Text(_) | Echo::Redirect => all,
        Echo::Html(_) => format!("<html><title>{all}</title>{all}</html>"),
    };
    let response = match echo {
        Echo::Html(status) => Response::text(status, "text/html", body),
        Echo::Json(status) => Response::text(status, "application/json", body),
        Echo::Text(status) => Response::text(status, "text/plain", body),
        _ => Response::text(302, "text/plain", body),
    };
    with_headers(response, &encoded)
}

fn with_headers(response: Response, encoded: &[String]) -> Response {
    let first = &encoded[0];
    let location = match encoded.len() % 3 {
        0 => format!("https://{first}.example/"),
        1 => format!("https://elsewhere.example/{first}?{first}#{first}"),
        _ => format!("{first}/{first}"),
    };
    let [challenge, date] = [format!("Bearer error=\"{first}\""), encoded.join("")];
    [("location", location), ("retry-after", first.clone()), ("www-authenticate", challenge), ("x-echo", date)]
        .iter()
        .fold(response, |response, (name, value)| response.header(name, value))
}

/// Adds the secrets to the names, descriptions and keys of a JSON body, each in another encoding.
fn in_json(response: Response, encoded: &[String]) -> Response {
    let Ok(mut body) = serde_json::from_str::<Value>(&response.body) else { return response };
    let escape = |text: &str| text.encode_utf16().map(|unit| format!("\\u{unit:04X}")).collect::<String>();
    let mut remaining = encoded.iter().cycle();
    let mut add = |item: &mut Value| {
        let (Some(members), Some(first), Some(second)) = (item.as_object_mut(), remaining.next(), remaining.next())
        else {
            return;
        };
        for name in ["productName", "scopeValue", "description", "defaultValue", "issuer"] {
            if let Some(Value::String(text)) = members.get_mut(name) {
                text.push_str(first);
            }
        }
        members.insert(format!("{first} {second}"), json!({ "echo": [second, "@ESCAPED@"] }));
    };
    match body.get_mut("items").and_then(Value::as_array_mut) {
        Some(items) => items.iter_mut().for_each(add),
        None => add(&mut body),
    }
    Response { body: body.to_string().replace("@ESCAPED@", &escape(&encoded[0])), ..response }
}

/// Makes the services repeat every request.
fn start_echo(env: &TestEnv, echo: Echo) {
    let turn = Arc::new(AtomicUsize::new(0));
    env.tenant.rewrite_responses(move |request, response| {
        repeat_request(echo, turn.fetch_add(1, Ordering::Relaxed), request, response)
    });
}

/// Asserts that neither the output nor a file except that of sign-ins contains a part of a secret.
#[track_caller]
fn assert_not_leaked(env: &TestEnv, what: &str, result: &CliResult) {
    let mut text = format!("{}\n{}", result.stdout, result.stderr);
    for file in env.files_containing("") {
        if file != env.cache_path() {
            text.push_str(&String::from_utf8_lossy(&std::fs::read(&file).unwrap()));
        }
    }
    let mut secrets: BTreeSet<String> = env.tenant.issued_secrets().into_iter().collect();
    secrets.extend(env.tenant.requests().iter().flat_map(secrets_of));
    secrets.insert(PASSWORD.to_owned());
    let encoded: Vec<String> = secrets.iter().flat_map(|secret| encodings(secret)).collect();
    let parts: HashSet<&[u8]> =
        encoded.iter().flat_map(|encoded| encoded.as_bytes().windows(PART_LEN).step_by(PART_LEN / 2)).collect();
    let shown = text.as_bytes().windows(PART_LEN).find(|part| parts.contains(part)).map(String::from_utf8_lossy);
    assert_eq!(shown, None, "{what} leaks this part of a secret:\n{text}");
    for short in encoded.iter().filter(|encoded| encoded.len() < PART_LEN) {
        assert!(!text.contains(short), "{what} leaks {short}:\n{text}");
    }
}

fn run(env: &TestEnv, arguments: &[&str]) -> CliResult {
    let result: CliResult = env.command(arguments).current_dir(env.home()).output().unwrap().into();
    assert!((0..5).contains(&result.code), "{arguments:?} exits with {}\n{}", result.code, result.stderr);
    result
}

#[test]
fn repeated_secrets_of_successful_requests_are_redacted() {
    for verbosity in [&[][..], &["-v"], &["-v", "-v"]] {
        let env = TestEnv::signed_in();
        start_echo(&env, Echo::Success);
        let mut shown = 0;
        for command in COMMANDS {
            let result = run(&env, &[command, verbosity].concat());
            assert_not_leaked(&env, &format!("{command:?} {verbosity:?}"), &result);
            shown += result.stdout.matches("[redacted]").count();
        }
        assert!(shown > 50, "the names are shown without the secrets: {shown}");
    }
}

#[test]
fn repeated_secrets_of_failed_requests_are_redacted() {
    let statuses = [400, 401, 403, 404].into_iter().flat_map(|status| [Echo::Json(status), Echo::Text(status)]);
    let others = [Echo::Html(200), Echo::Html(403), Echo::Redirect, Echo::Json(200), Echo::Text(200)];
    for (index, echo) in statuses.chain(others).enumerate() {
        let env = TestEnv::signed_in();
        start_echo(&env, echo);
        // Half of the commands, the others in the next case.
        for command in REQUESTS.iter().skip(index % 2).step_by(2) {
            let result = run(&env, &[command, &["-vv"][..]].concat());
            assert_not_leaked(&env, &format!("{command:?} {echo:?}"), &result);
        }
    }
}

#[test]
fn repeated_secrets_of_retried_requests_are_redacted() {
    for status in [429, 503] {
        let env = TestEnv::signed_in();
        start_echo(&env, Echo::Json(status));
        let result = run(&env, &["products", "list", "-vv", "--timeout", "1"]);
        assert_not_leaked(&env, &status.to_string(), &result);
    }
}

#[test]
fn repeated_secrets_of_sign_ins_are_redacted() {
    let client_id = ("AZURE_CLIENT_ID", APP_ID.to_owned());
    let tenant_id = ("AZURE_TENANT_ID", HOME_TENANT.to_owned());
    let echoes = [Echo::Success, Echo::Json(400), Echo::Text(403), Echo::Html(200), Echo::Html(400), Echo::Redirect];
    in_parallel(echoes, |echo| {
        let env = TestEnv::new();
        start_echo(&env, echo);
        let password = env.run_with_stdin(&["connect", "--username", ADMIN, "--password-stdin", "-vv"], PASSWORD);
        let token = env.tenant.issue_token(ADMIN, HOME_TENANT, 3600);
        let results = [
            ("password", password),
            ("token", env.run_with_stdin(&["connect", "--with-token", "-vv"], &token)),
            ("list", run(&env, &["products", "list", "-vv"])),
            ("device code", run(&env, &["connect", "--device-code", "-vv"])),
        ];
        for (name, result) in results {
            assert_not_leaked(&env, &format!("{name} {echo:?}"), &result);
        }
        let secret = [client_id.clone(), tenant_id.clone(), ("AZURE_CLIENT_SECRET", APP_SECRET.to_owned())].to_vec();
        let github = [&[client_id.clone(), tenant_id.clone()][..], &env.tenant.github_oidc()].concat();
        for (name, variables) in [("secret", secret), ("GitHub", github)] {
            let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
            for command in [&["products", "list", "-vv"][..], &["connect", "--application", "-vv"]] {
                let result = env.run_with_env(&variables, command);
                assert_not_leaked(&env, &format!("{name} {command:?} {echo:?}"), &result);
            }
        }
    });
}

#[test]
fn repeated_secrets_are_redacted_on_the_landing_page() {
    for echo in [Echo::Json(400), Echo::Text(403), Echo::Html(200), Echo::Redirect] {
        let env = TestEnv::new();
        start_echo(&env, echo);
        let waiting = BrowserSignIn::start(&env, &["-vv"]);
        let page = waiting.sign_in().body;
        let result = waiting.finish();
        assert!(page.contains("Sign-in failed") && result.code != 0, "{page}");
        assert_not_leaked(&env, "landing page", &CliResult { stdout: page, ..result });
    }
}

#[test]
fn redirect_error_that_repeats_the_code_is_redacted() {
    let env = TestEnv::new();
    let waiting = BrowserSignIn::start(&env, &["-vv"]);
    let code = "0.AXoA-an-authorization-code-of-a-simulated-tenant";
    let page = waiting.redirect_with(&[
        ("error", "access_denied"),
        ("error_description", &format!("No {code}")),
        ("code", code),
    ]);
    let result = waiting.finish().assert_code(4).stderr_contains(&["No [redacted]"]).stderr_lacks(code);
    assert!(page.body.contains("No [redacted]") && !page.body.contains(code), "{}", page.body);
    assert!(!result.stdout.contains(code));
}

#[test]
fn repeated_token_is_redacted_in_names_and_messages() {
    let env = TestEnv::signed_in();
    let token = env.cached_tokens()[0].clone();
    let body = json!({"policyId": "P", "policyValue": "Enabled", "scope": "Product", "productId": POWER_BI,
        "productName": format!("Power {token} BI"), "owner": STANDARD.encode(&token)});
    env.tenant.fail_next("/v1.0/", Response::json(200, &body));
    let product = env.run(&["product", "get", POWER_BI, "-o", "json"]).assert_code(0).json();
    assert_eq!(product["name"], "Power [redacted] BI");
    assert!(product["owner"].as_str().unwrap().starts_with("[redacted]"), "{product}");
    let body = format!("Authorization: Bearer {token}");
    env.tenant.fail_next("/v1.0/", Response::text(403, "text/plain", &body).header("retry-after", &token));
    cli_snapshot!(env.run(&["products", "list"]), @"
    exit_code: 1
    ----- stderr -----
    error: could not list the products: the service returned 403 Forbidden
      Authorization: Bearer [redacted]
      Retry-After: [redacted]
      correlation ID: [UUID]
    hint: use an account with the role Global Administrator, Billing Administrator or Global Reader in this tenant
    hint: as a partner, request the role through GDAP
    hint: check the account and tenant: mscommerce status
    ");
    env.tenant.fail_next("/v1.0/", Response::text(302, "", "").header("location", &format!("/{token}/login")));
    cli_snapshot!(env.run(&["products", "list"]), @"
    exit_code: 1
    ----- stderr -----
    error: could not list the products: 127.0.0.1:[PORT] returned 302 Found with a redirect to http://127.0.0.1:[PORT]/[redacted]/login
      redirects are not followed, to protect the access token
      correlation ID: [UUID]
    hint: if this network requires a sign-in, open any web page in a browser, sign in, and try again
    ");
}

/// Changes the JSON of the token responses.
fn rewrite_token_responses(env: &TestEnv, edit: impl Fn(&Received, &mut Value) + Send + 'static) {
    env.tenant.rewrite_responses(move |request, response| match serde_json::from_str::<Value>(&response.body) {
        Ok(mut body) if request.path.ends_with("/token") => {
            edit(request, &mut body);
            Response::json(200, &body)
        }
        _ => response,
    });
}

/// Refreshes a token with a response that has the refresh token `returned(sent)`, and asserts that the sent one is kept.
#[track_caller]
fn assert_refresh_token_is_kept(returned: fn(&str) -> String) {
    let env = TestEnv::with_expiring_token();
    let refresh_token = env.cache()["profiles"]["default"]["refreshToken"].clone();
    rewrite_token_responses(&env, move |request, body| {
        body["refresh_token"] = returned(&request.form()["refresh_token"]).into();
    });
    env.run(&["products", "list"]).assert_code(0);
    assert_eq!(env.token_requests().len(), 1);
    assert_eq!(env.cache()["profiles"]["default"]["refreshToken"], refresh_token);
}

#[test]
fn same_refresh_token_is_kept() {
    assert_refresh_token_is_kept(str::to_owned);
}

#[test]
fn unusable_refresh_token_does_not_replace_the_saved_one() {
    assert_refresh_token_is_kept(|_| String::new());
    assert_refresh_token_is_kept(|sent| jwt(&json!({ "echo": sent })));
}

#[test]
fn token_with_a_secret_in_its_claims_is_refused() {
    let env = TestEnv::new();
    rewrite_token_responses(&env, |request, body| {
        let claims = json!({ "tid": HOME_TENANT, "upn": format!("{}@contoso.example", request.form()["password"]) });
        body["access_token"] = jwt(&claims).into();
    });
    let result = env.run_with_stdin(&["connect", "--username", ADMIN, "--password-stdin", "-vv"], PASSWORD);
    result.assert_code(1).stderr_contains(&["does not contain a usable access token"]).stderr_lacks(PASSWORD);
    assert!(!env.cache_path().exists());
}

#[test]
fn new_tokens_in_unexpected_responses_are_not_shown() {
    for (status, kind, body) in [
        (200, "text/html", "<html>access_token=a-new-token"),
        (200, "text/html", "access_token=a-new-token&refresh_token=a-new-token"),
        (201, "text/plain", "{\"access_token\":\"a-new-token\""),
        (500, "application/json", "{\"refresh_token\":\"a-new-token\"}"),
        (403, "application/json", "{\"access_token\":\"a-new-token\"}"),
    ] {
        let env = TestEnv::new();
        env.tenant.fail_times(9, "/token", Response::text(status, kind, body));
        let connect = ["connect", "--username", ADMIN, "--password-stdin", "-vv", "--timeout", "1"];
        let result = env.run_with_stdin(&connect, PASSWORD);
        result.assert_code(1).stderr_lacks("a-new-token");
    }
}
