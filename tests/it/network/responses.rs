//! Responses that are not the expected data, and error statuses.

use super::*;

/// Reads of the product succeed; `respond` responds to an update, then the connection closes.
fn server_with_update_response(respond: impl Fn(&mut Connection) + Send + Sync + 'static) -> Server {
    Server::start(move |mut connection| {
        while let Some(request) = connection.read_request() {
            if request.method == "PUT" {
                respond(&mut connection);
                return;
            }
            connection.respond_json(ENABLED_PRODUCT);
        }
    })
}

/// Updates the product and asserts that its value is read once more, and reported: exit code 1, and a hint with the command
/// that reads it. `attempts` is the number of update requests. The record is not in the result.
#[track_caller]
fn update_that_is_read_once_more(case: &str, server: Server, attempts: usize) -> CliResult {
    let mut result = OfflineEnv::new(&server.http()).run(&[DISABLE, &["-o", "json"]].concat());
    assert_eq!(result.code, 1, "{case}: {result:?}");
    let mut record = result.json();
    assert!(record.as_object_mut().unwrap().remove("error").is_some_and(|error| error.is_string()), "{case}: {record}");
    let expected = json!({ "policyId": "AllowSelfServicePurchase", "scope": "product", "id": POWER_BI,
        "name": "Power BI Pro", "policyValue": "Enabled", "wantedValue": "Disabled", "previousValue": "Enabled",
        "outcome": "unknown" });
    assert_eq!(record, expected, "{case}");
    result.stdout.clear();
    let recorded = server.finish();
    let methods: Vec<_> = recorded.requests.iter().map(|request| request.method.as_str()).collect();
    assert_eq!(methods, [&["GET"][..], &vec!["PUT"; attempts], &["GET"]].concat(), "{case}");
    result
}

#[test]
fn redirected_update_is_read_once_more() {
    let target = Server::unexpected();
    let location = format!("HTTP/1.1 307 Elsewhere\r\nLocation: {}/\r\nContent-Length: 0\r\n\r\n", target.http());
    let server = server_with_update_response(move |connection| {
        connection.send(location.as_bytes());
    });
    cli_snapshot!(update_that_is_read_once_more("redirect", server, 1), @"
    exit_code: 1
    ----- stderr -----
    error: could not change product CFQ7TTC0H9MP: 127.0.0.1:[PORT] returned 307 Temporary Redirect with a redirect to http://127.0.0.1:[PORT]/
      redirects are not followed, to protect the access token
      correlation ID: [UUID]
    hint: if this network requires a sign-in, open any web page in a browser, sign in, and try again
    hint: check the current value: mscommerce product get CFQ7TTC0H9MP
    ");
    assert_eq!(target.finish().connections, 0);
}

/// A response to an update that does not show the new value.
struct UpdateCase {
    name: &'static str,
    response: String,
    attempts: usize,
}

#[test]
fn update_without_clear_response_is_read_once_more() {
    let case = |name, response, attempts| UpdateCase { name, response, attempts };
    let cases = [
        case("array", http_response(200, "application/json", "[]"), 1),
        case("null", http_response(200, "application/json", "null"), 1),
        case("plain text", http_response(200, "application/json", "plain text"), 1),
        case("empty body", http_response(200, "application/json", ""), 1),
        case("204", "HTTP/1.1 204 No Content\r\n\r\n".to_owned(), 1),
        case("captive portal", http_response(200, "text/html", CAPTIVE_PORTAL_PAGE), 1),
        case("no response", String::new(), 5),
        case("truncated body", format!("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{DISABLED_PRODUCT}"), 5),
        case("503", http_response(503, "application/json", r#"{"errorCode":"Busy","reason":"Come back."}"#), 5),
    ];
    let mut transcript = Transcript::default();
    for UpdateCase { name, response, attempts } in cases {
        let server = server_with_update_response(move |connection| {
            connection.send(response.as_bytes());
        });
        transcript.push(name, update_that_is_read_once_more(name, server, attempts));
    }
    cli_snapshot!(transcript, @"
    ===== array =====
    exit_code: 1
    ----- stderr -----
    error: cannot tell whether product CFQ7TTC0H9MP was changed: invalid response from the service (status 200 OK)
      []
      correlation ID: [UUID]
    hint: check the current value: mscommerce product get CFQ7TTC0H9MP
    ===== null =====
    exit_code: 1
    ----- stderr -----
    error: cannot tell whether product CFQ7TTC0H9MP was changed: invalid response from the service (status 200 OK)
      null
      correlation ID: [UUID]
    hint: check the current value: mscommerce product get CFQ7TTC0H9MP
    ===== plain text =====
    exit_code: 1
    ----- stderr -----
    error: cannot tell whether product CFQ7TTC0H9MP was changed: invalid response from the service (status 200 OK)
      plain text
      correlation ID: [UUID]
    hint: check the current value: mscommerce product get CFQ7TTC0H9MP
    ===== empty body =====
    exit_code: 1
    ----- stderr -----
    error: cannot tell whether product CFQ7TTC0H9MP was changed: invalid response from the service (status 200 OK)
      the response has no body
      correlation ID: [UUID]
    hint: check the current value: mscommerce product get CFQ7TTC0H9MP
    ===== 204 =====
    exit_code: 1
    ----- stderr -----
    error: cannot tell whether product CFQ7TTC0H9MP was changed: invalid response from the service (status 204 No Content)
      the response has no body
      correlation ID: [UUID]
    hint: check the current value: mscommerce product get CFQ7TTC0H9MP
    ===== captive portal =====
    exit_code: 1
    ----- stderr -----
    error: could not change product CFQ7TTC0H9MP: received a web page instead of a response from 127.0.0.1:[PORT] (status 200 OK)
      it begins: <!DOCTYPE html> <html><head><title>Airport Wi-Fi</title></head><body>Welcome! Accept the terms.</body></html>
      correlation ID: [UUID]
    hint: if this network requires a sign-in, open any web page in a browser, sign in, and try again
    hint: if your organisation uses a proxy, set HTTPS_PROXY, or have the proxy allow this URL
    hint: check the current value: mscommerce product get CFQ7TTC0H9MP
    ===== no response =====
    exit_code: 1
    ----- stderr -----
    error: could not change product CFQ7TTC0H9MP: the connection to 127.0.0.1:[PORT] was lost before the response was complete
      connection closed before message completed
      correlation ID: [UUID]
    hint: try again
    hint: check the current value: mscommerce product get CFQ7TTC0H9MP
    ===== truncated body =====
    exit_code: 1
    ----- stderr -----
    error: could not change product CFQ7TTC0H9MP: the connection to 127.0.0.1:[PORT] was lost before the response was complete
      end of file before message length reached
      correlation ID: [UUID]
    hint: try again
    hint: check the current value: mscommerce product get CFQ7TTC0H9MP
    ===== 503 =====
    exit_code: 1
    ----- stderr -----
    error: could not change product CFQ7TTC0H9MP: the service returned 503 Service Unavailable
      Busy: Come back.
      correlation ID: [UUID]
    hint: Try again later. If it persists, give Microsoft support the correlation ID.
    hint: check the current value: mscommerce product get CFQ7TTC0H9MP
    ");
}

/// Runs commands against a server that responds with each of these bodies. The errors show them.
fn push_unexpected_json(transcript: &mut Transcript, commands: &[&[&str]], bodies: &[&str]) {
    for command in commands {
        for body in bodies {
            let server = Server::responding_with(http_response(200, "application/json", body));
            let mut result = OfflineEnv::new(&server.http()).run(command);
            result.stderr = result.stderr.replacen(&format!("\n  {body}\n"), "\n  [BODY]\n", 1);
            transcript.push(format!("{}: {body}", command.join(" ")), result);
        }
    }
}

#[test]
fn unexpected_json_is_an_error() {
    let mut transcript = Transcript::default();
    let lists =
        ["{}", "[]", "null", "\"items\"", r#"{"items":null}"#, r#"{"items":{}}"#, r#"{"items":["x"]}"#, "plain text"];
    push_unexpected_json(&mut transcript, &[LIST, &["policy", "list"]], &lists);
    let items = ["{}", "[]", "null", "7", r#"{"items":[]}"#, r#"{"status":"ok"}"#, "plain text"];
    push_unexpected_json(&mut transcript, &[GET, &["policy", "get"]], &items);
    cli_snapshot!(transcript, @r#"
    ===== products list: {} =====
    ===== products list: [] =====
    ===== products list: null =====
    ===== products list: "items" =====
    ===== products list: {"items":null} =====
    ===== products list: {"items":{}} =====
    ===== products list: {"items":["x"]} =====
    ===== products list: plain text =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: invalid response from the service (status 200 OK)
      [BODY]
      correlation ID: [UUID]
    hint: Try again later. If it persists, give Microsoft support the correlation ID.
    ===== policy list: {} =====
    ===== policy list: [] =====
    ===== policy list: null =====
    ===== policy list: "items" =====
    ===== policy list: {"items":null} =====
    ===== policy list: {"items":{}} =====
    ===== policy list: {"items":["x"]} =====
    ===== policy list: plain text =====
    exit_code: 1
    ----- stderr -----
    error: could not list the policies: invalid response from the service (status 200 OK)
      [BODY]
      correlation ID: [UUID]
    hint: Try again later. If it persists, give Microsoft support the correlation ID.
    ===== product get CFQ7TTC0H9MP: {} =====
    ===== product get CFQ7TTC0H9MP: [] =====
    ===== product get CFQ7TTC0H9MP: null =====
    ===== product get CFQ7TTC0H9MP: 7 =====
    ===== product get CFQ7TTC0H9MP: {"items":[]} =====
    ===== product get CFQ7TTC0H9MP: {"status":"ok"} =====
    ===== product get CFQ7TTC0H9MP: plain text =====
    exit_code: 1
    ----- stderr -----
    error: could not read product CFQ7TTC0H9MP: invalid response from the service (status 200 OK)
      [BODY]
      correlation ID: [UUID]
    hint: Try again later. If it persists, give Microsoft support the correlation ID.
    ===== policy get: {} =====
    ===== policy get: [] =====
    ===== policy get: null =====
    ===== policy get: 7 =====
    ===== policy get: {"items":[]} =====
    ===== policy get: {"status":"ok"} =====
    ===== policy get: plain text =====
    exit_code: 1
    ----- stderr -----
    error: could not read the policy AllowSelfServicePurchase: invalid response from the service (status 200 OK)
      [BODY]
      correlation ID: [UUID]
    hint: Try again later. If it persists, give Microsoft support the correlation ID.
    "#);
}

#[test]
fn update_unreadable_product_is_not_updated() {
    let mut transcript = Transcript::default();
    for body in ["{}", "[]", "plain text", ""] {
        let server = Server::responding_with(http_response(200, "application/json", body));
        let result = transcript.push(format!("{body:?}"), OfflineEnv::new(&server.http()).run(DISABLE));
        assert_eq!(server.finish().requests.len(), 1, "an update was sent after {body:?}: {result:?}");
    }
    cli_snapshot!(transcript, @r#"
    ===== "{}" =====
    exit_code: 1
    ----- stderr -----
    error: could not read product CFQ7TTC0H9MP: invalid response from the service (status 200 OK)
      {}
      correlation ID: [UUID]
    hint: Try again later. If it persists, give Microsoft support the correlation ID.
    ===== "[]" =====
    exit_code: 1
    ----- stderr -----
    error: could not read product CFQ7TTC0H9MP: invalid response from the service (status 200 OK)
      []
      correlation ID: [UUID]
    hint: Try again later. If it persists, give Microsoft support the correlation ID.
    ===== "plain text" =====
    exit_code: 1
    ----- stderr -----
    error: could not read product CFQ7TTC0H9MP: invalid response from the service (status 200 OK)
      plain text
      correlation ID: [UUID]
    hint: Try again later. If it persists, give Microsoft support the correlation ID.
    ===== "" =====
    exit_code: 1
    ----- stderr -----
    error: could not read product CFQ7TTC0H9MP: invalid response from the service (status 200 OK)
      the response has no body
      correlation ID: [UUID]
    hint: Try again later. If it persists, give Microsoft support the correlation ID.
    "#);
}

#[test]
fn empty_response_body_is_an_error() {
    let server = Server::responding_with("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let mut transcript = Transcript::default();
    for command in [LIST, GET, &["policy", "list"], &["policy", "get"]] {
        transcript.push(command.join(" "), OfflineEnv::new(&server.http()).run(command));
    }
    cli_snapshot!(transcript, @"
    ===== products list =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: invalid response from the service (status 200 OK)
      the response has no body
      correlation ID: [UUID]
    hint: Try again later. If it persists, give Microsoft support the correlation ID.
    ===== product get CFQ7TTC0H9MP =====
    exit_code: 1
    ----- stderr -----
    error: could not read product CFQ7TTC0H9MP: invalid response from the service (status 200 OK)
      the response has no body
      correlation ID: [UUID]
    hint: Try again later. If it persists, give Microsoft support the correlation ID.
    ===== policy list =====
    exit_code: 1
    ----- stderr -----
    error: could not list the policies: invalid response from the service (status 200 OK)
      the response has no body
      correlation ID: [UUID]
    hint: Try again later. If it persists, give Microsoft support the correlation ID.
    ===== policy get =====
    exit_code: 1
    ----- stderr -----
    error: could not read the policy AllowSelfServicePurchase: invalid response from the service (status 200 OK)
      the response has no body
      correlation ID: [UUID]
    hint: Try again later. If it persists, give Microsoft support the correlation ID.
    ");
}

#[test]
fn unexpected_token_response_is_not_printed() {
    // A response of almost the right shape can contain tokens.
    let almost = json!({ "access_token": "made-up-access-token", "token_type": 7 }).to_string();
    let mut transcript = Transcript::default();
    for body in ["{}", "[]", "plain text", "", &almost] {
        let server = Server::responding_with(http_response(200, "application/json", body));
        let result = transcript.push(format!("{body:?}"), OfflineEnv::new(&server.http()).connect(&["-v"]));
        assert!(!result.stderr.contains("made-up-access-token"), "{}", result.stderr);
    }
    cli_snapshot!(transcript, @r#"
    ===== "{}" =====
    ===== "[]" =====
    ===== "plain text" =====
    exit_code: 1
    ----- stderr -----
    POST http://127.0.0.1:[PORT]/organizations/oauth2/v2.0/token -> 200 OK ([DURATION])
    error: could not sign in: could not parse the response from 127.0.0.1
    hint: check AZURE_AUTHORITY_HOST, and whether a proxy responds instead of the service
    ===== "" =====
    exit_code: 1
    ----- stderr -----
    POST http://127.0.0.1:[PORT]/organizations/oauth2/v2.0/token -> 200 OK ([DURATION])
    retrying in [DURATION]
    POST http://127.0.0.1:[PORT]/organizations/oauth2/v2.0/token -> 200 OK ([DURATION])
    retrying in [DURATION]
    POST http://127.0.0.1:[PORT]/organizations/oauth2/v2.0/token -> 200 OK ([DURATION])
    retrying in [DURATION]
    POST http://127.0.0.1:[PORT]/organizations/oauth2/v2.0/token -> 200 OK ([DURATION])
    retrying in [DURATION]
    POST http://127.0.0.1:[PORT]/organizations/oauth2/v2.0/token -> 200 OK ([DURATION])
    error: could not sign in: 127.0.0.1:[PORT] returned 200 OK
      the response has no body
    hint: try again in a minute
    ===== "{\"access_token\":\"made-up-access-token\",\"token_type\":7}" =====
    exit_code: 1
    ----- stderr -----
    POST http://127.0.0.1:[PORT]/organizations/oauth2/v2.0/token -> 200 OK ([DURATION])
    error: could not sign in: could not parse the response from 127.0.0.1
    hint: check AZURE_AUTHORITY_HOST, and whether a proxy responds instead of the service
    "#);
}

/// Only the timeout limits the retries after a 429. Their number is random, and so are the messages about them.
fn retry_flags(status: u16) -> &'static [&'static str] {
    if status == 429 { &["--timeout", "2", "-q"] } else { &[] }
}

#[test]
fn status_429_and_5xx_show_message_and_correlation_id() {
    let mut transcript = Transcript::default();
    let bodies = [r#"{"errorCode":"Trouble","reason":"Message of the service."}"#, "out of order", ""];
    let cases = [429, 500, 503].into_iter().flat_map(|status| bodies.map(|body| (status, body)));
    let results = in_parallel(cases, |(status, body)| {
        let env = TestEnv::signed_in();
        env.tenant.fail_next("/products", Response::text(status, "application/json", body));
        let result = env.run(&[LIST, retry_flags(status)].concat());
        let requests = env.tenant.requests();
        // Retries follow, four of them except after a 429, and the error is that of the last one.
        assert!(status == 429 || requests.len() == 5);
        let correlation_id = requests.last().unwrap().header("x-ms-correlation-id").unwrap();
        (format!("{status} {body:?}"), result.stderr_contains(&[&format!("correlation ID: {correlation_id}")]))
    });
    for (name, result) in results {
        transcript.push(name, result);
    }
    cli_snapshot!(transcript, @r#"
    ===== 429 "{\"errorCode\":\"Trouble\",\"reason\":\"Message of the service.\"}" =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: the service returned 429 Too Many Requests
      Trouble: Message of the service.
      correlation ID: [UUID]
    hint: try again later, or increase the timeout with --timeout SECONDS
    ===== 429 "out of order" =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: the service returned 429 Too Many Requests
      out of order
      correlation ID: [UUID]
    hint: try again later, or increase the timeout with --timeout SECONDS
    ===== 429 "" =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: the service returned 429 Too Many Requests
      the response has no body
      correlation ID: [UUID]
    hint: try again later, or increase the timeout with --timeout SECONDS
    ===== 500 "{\"errorCode\":\"Trouble\",\"reason\":\"Message of the service.\"}" =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: the service returned 500 Internal Server Error
      Trouble: Message of the service.
      correlation ID: [UUID]
    hint: Try again later. If it persists, give Microsoft support the correlation ID.
    ===== 500 "out of order" =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: the service returned 500 Internal Server Error
      out of order
      correlation ID: [UUID]
    hint: Try again later. If it persists, give Microsoft support the correlation ID.
    ===== 500 "" =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: the service returned 500 Internal Server Error
      the response has no body
      correlation ID: [UUID]
    hint: Try again later. If it persists, give Microsoft support the correlation ID.
    ===== 503 "{\"errorCode\":\"Trouble\",\"reason\":\"Message of the service.\"}" =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: the service returned 503 Service Unavailable
      Trouble: Message of the service.
      correlation ID: [UUID]
    hint: Try again later. If it persists, give Microsoft support the correlation ID.
    ===== 503 "out of order" =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: the service returned 503 Service Unavailable
      out of order
      correlation ID: [UUID]
    hint: Try again later. If it persists, give Microsoft support the correlation ID.
    ===== 503 "" =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: the service returned 503 Service Unavailable
      the response has no body
      correlation ID: [UUID]
    hint: Try again later. If it persists, give Microsoft support the correlation ID.
    "#);
}

#[test]
fn token_endpoint_429_and_5xx_exit_with_1() {
    let mut transcript = Transcript::default();
    let bodies = [r#"{"error":"temporarily_unavailable","error_description":"Come back."}"#, "Come back.", ""];
    let cases = [429, 500, 503].into_iter().flat_map(|status| bodies.map(|body| (status, body)));
    let results = in_parallel(cases, |(status, body)| {
        let server = Server::responding_with(http_response(status, "application/json", body));
        (format!("{status} {body:?}"), OfflineEnv::new(&server.http()).connect(retry_flags(status)))
    });
    for (name, result) in results {
        transcript.push(name, result);
    }
    cli_snapshot!(transcript, @r#"
    ===== 429 "{\"error\":\"temporarily_unavailable\",\"error_description\":\"Come back.\"}" =====
    exit_code: 1
    ----- stderr -----
    error: could not sign in: 127.0.0.1:[PORT] returned 429 Too Many Requests
      {"error":"temporarily_unavailable","error_description":"Come back."}
    hint: try again in a minute
    ===== 429 "Come back." =====
    exit_code: 1
    ----- stderr -----
    error: could not sign in: 127.0.0.1:[PORT] returned 429 Too Many Requests
      Come back.
    hint: try again in a minute
    ===== 429 "" =====
    exit_code: 1
    ----- stderr -----
    error: could not sign in: 127.0.0.1:[PORT] returned 429 Too Many Requests
    hint: try again in a minute
    ===== 500 "{\"error\":\"temporarily_unavailable\",\"error_description\":\"Come back.\"}" =====
    exit_code: 1
    ----- stderr -----
    error: could not sign in: 127.0.0.1:[PORT] returned 500 Internal Server Error
      {"error":"temporarily_unavailable","error_description":"Come back."}
    hint: try again in a minute
    ===== 500 "Come back." =====
    exit_code: 1
    ----- stderr -----
    error: could not sign in: 127.0.0.1:[PORT] returned 500 Internal Server Error
      Come back.
    hint: try again in a minute
    ===== 500 "" =====
    exit_code: 1
    ----- stderr -----
    error: could not sign in: 127.0.0.1:[PORT] returned 500 Internal Server Error
    hint: try again in a minute
    ===== 503 "{\"error\":\"temporarily_unavailable\",\"error_description\":\"Come back.\"}" =====
    exit_code: 1
    ----- stderr -----
    error: could not sign in: 127.0.0.1:[PORT] returned 503 Service Unavailable
      {"error":"temporarily_unavailable","error_description":"Come back."}
    hint: try again in a minute
    ===== 503 "Come back." =====
    exit_code: 1
    ----- stderr -----
    error: could not sign in: 127.0.0.1:[PORT] returned 503 Service Unavailable
      Come back.
    hint: try again in a minute
    ===== 503 "" =====
    exit_code: 1
    ----- stderr -----
    error: could not sign in: 127.0.0.1:[PORT] returned 503 Service Unavailable
    hint: try again in a minute
    "#);
}

/// A response body that begins with U+FEFF.
fn marked(body: impl std::fmt::Display) -> String {
    format!("\u{feff}{body}")
}

#[test]
fn byte_order_mark_is_ignored() {
    let server = Server::start(|mut connection| {
        while let Some(request) = connection.read_request() {
            let body = match request.method.as_str() {
                "PUT" => DISABLED_PRODUCT,
                _ if request.path.ends_with("/products") => PRODUCT_LIST,
                _ => ENABLED_PRODUCT,
            };
            connection.respond_json(&marked(body));
        }
    });
    let env = OfflineEnv::new(&server.http());
    assert_eq!(env.run(&[LIST, &["-o", "json"]].concat()).assert_code(0).ids(), [POWER_BI]);
    let updated = env.run(&[DISABLE, &["-o", "json"]].concat()).assert_code(0);
    assert_eq!(updated.json()["outcome"], "changed");
    assert_eq!(env.env.history().len(), 1);

    let env = TestEnv::signed_in();
    let error = json!({ "errorCode": "BadRequest", "reason": "Invalid scope." });
    env.tenant.fail_next("GET ", Response::text(400, "application/json", marked(error)));
    env.run(LIST).assert_code(1).stderr_contains(&["\n  BadRequest: Invalid scope.\n"]);
    let page = "\u{feff}\r\n<!DOCTYPE html><title>Airport Wi-Fi</title>";
    env.tenant.fail_next("GET ", Response::text(200, "text/plain", page));
    env.run(LIST).assert_code(1).stderr_contains(&["received a web page", "it begins: <!DOCTYPE html>"]);
}

#[test]
fn byte_order_mark_of_token_response_is_ignored() {
    let env = TestEnv::new();
    let error = json!({ "error": "invalid_grant", "error_description": "AADSTS50126: Wrong.", "error_codes": [50126] });
    env.tenant.fail_next("/token", Response::text(400, "application/json", marked(error)));
    env.run_with_stdin(CONNECT, PASSWORD)
        .assert_code(4)
        .stderr_contains(&["wrong user name or password", "AADSTS50126: Wrong."]);
    let tokens = json!({ "token_type": "Bearer", "expires_in": 3600,
        "access_token": env.tenant.issue_token(ADMIN, HOME_TENANT, 3600) });
    env.tenant.fail_next("/token", Response::text(200, "application/json", marked(tokens)));
    env.run_with_stdin(CONNECT, PASSWORD).assert_code(0);
    env.run(LIST).assert_code(0);
}

/// A list of two products. The name of the first one is given as bytes of JSON.
fn list_with_name(name: &[u8]) -> Vec<u8> {
    let item = br#"{"policyValue":"Enabled","scope":"product","productId":"CFQ7TTC0AAA1","productName":"#;
    let other = br#"{"policyValue":"Enabled","scope":"product","productId":"CFQ7TTC0AAA2","productName":"Caf\u00e9"}"#;
    [br#"{"items":["#, &item[..], name, b"},", other, b"]}"].concat()
}

#[test]
fn broken_name_does_not_hide_the_list() {
    for (name, expected) in [
        (&br#""A\ud800B""#[..], "A\u{fffd}B"),
        (br#""\ude00\ud83d\ude00 \\ud800""#, "\u{fffd}\u{1f600} \\ud800"),
        (b"\"Caf\xe9\"", "Caf\u{fffd}"),
        (b"\"A\xc3\"", "A\u{fffd}"),
        // Latin-1 and a lone surrogate in one name.
        (b"\"\xe9\\udfff\"", "\u{fffd}\u{fffd}"),
    ] {
        let body = list_with_name(name);
        let head =
            format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n", body.len());
        let server = Server::responding_with([head.as_bytes(), &body].concat());
        let result = OfflineEnv::new(&server.http()).run(&[LIST, &["-o", "json"]].concat()).assert_code(0);
        assert_eq!(result.column("name"), [expected, "Café"]);
    }
}

#[test]
fn incomplete_json_is_an_error() {
    for name in [&br#""A\ud800"#[..], br#""A\ud8""#, b"\"A\xe9", b"\xe9"] {
        let body = list_with_name(name);
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
        let server = Server::responding_with([head.as_bytes(), &body].concat());
        OfflineEnv::new(&server.http())
            .run(LIST)
            .assert_code(1)
            .stderr_contains(&["invalid response from the service"]);
    }
}

#[test]
fn compressed_response_error_names_encoding() {
    let gzip = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xab\x56\xca\x2c\x49\xcd\x2d\x56\xb2\x8a\x8e\xad\x05\x00";
    let mut transcript = Transcript::default();
    for header in ["Content-Encoding: gzip\r\n", "Content-Encoding: br\r\n", "X-Encoding: none\r\n"] {
        let head = format!("HTTP/1.1 200 OK\r\n{header}Content-Length: {}\r\n\r\n", gzip.len());
        let server = Server::responding_with([head.as_bytes(), gzip].concat());
        let env = OfflineEnv::new(&server.http());
        for (name, result) in [("list", env.run(LIST)), ("connect", env.connect(&[]))] {
            assert!(!result.stderr.contains(char::REPLACEMENT_CHARACTER), "{}", result.stderr);
            transcript.push(format!("{name}, {}", header.trim_end()), result);
        }
    }
    cli_snapshot!(transcript, @"
    ===== list, Content-Encoding: gzip =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: invalid response from the service (status 200 OK)
      the body is compressed (gzip), which was not requested
      correlation ID: [UUID]
    hint: Try again later. If it persists, give Microsoft support the correlation ID.
    ===== connect, Content-Encoding: gzip =====
    exit_code: 1
    ----- stderr -----
    error: could not sign in: 127.0.0.1:[PORT] returned 200 OK
      the body is compressed (gzip), which was not requested
    hint: check AZURE_AUTHORITY_HOST, and whether a proxy responds instead of the service
    ===== list, Content-Encoding: br =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: invalid response from the service (status 200 OK)
      the body is compressed (br), which was not requested
      correlation ID: [UUID]
    hint: Try again later. If it persists, give Microsoft support the correlation ID.
    ===== connect, Content-Encoding: br =====
    exit_code: 1
    ----- stderr -----
    error: could not sign in: 127.0.0.1:[PORT] returned 200 OK
      the body is compressed (br), which was not requested
    hint: check AZURE_AUTHORITY_HOST, and whether a proxy responds instead of the service
    ===== list, X-Encoding: none =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: invalid response from the service (status 200 OK)
      the body is compressed (gzip), which was not requested
      correlation ID: [UUID]
    hint: Try again later. If it persists, give Microsoft support the correlation ID.
    ===== connect, X-Encoding: none =====
    exit_code: 1
    ----- stderr -----
    error: could not sign in: 127.0.0.1:[PORT] returned 200 OK
      the body is compressed (gzip), which was not requested
    hint: check AZURE_AUTHORITY_HOST, and whether a proxy responds instead of the service
    ");
    let identity = format!(
        "HTTP/1.1 200 OK\r\nContent-Encoding: identity\r\nContent-Length: {}\r\n\r\n{PRODUCT_LIST}",
        PRODUCT_LIST.len()
    );
    let server = Server::responding_with(identity);
    OfflineEnv::new(&server.http()).run(LIST).assert_code(0);
}

#[test]
fn token_lifetime_may_be_text() {
    for (expires_in, seconds) in
        [(json!("3600"), 3600), (json!(3599.5), 3599), (json!("soon"), 7200), (Value::Null, 7200)]
    {
        let env = TestEnv::new();
        let tokens = json!({ "token_type": "Bearer", "expires_in": expires_in,
            "access_token": env.tenant.issue_token(ADMIN, HOME_TENANT, 7200) });
        env.tenant.fail_next("/token", Response::json(200, &tokens));
        let before = chrono::Utc::now();
        env.run_with_stdin(CONNECT, PASSWORD).assert_code(0);
        let expires_at = &env.cache()["profiles"]["default"]["tenants"][HOME_TENANT]["expiresAt"];
        let expires_at: chrono::DateTime<chrono::Utc> = expires_at.as_str().unwrap().parse().unwrap();
        let lifetime = (expires_at - before).num_seconds();
        assert!((seconds - 2..seconds + 60).contains(&lifetime), "{expires_in}: {lifetime}");
    }
}

#[test]
fn list_larger_than_64_mib_is_not_read() {
    const PAGE_SIZE: usize = 7 * 1024 * 1024;
    let server = Server::start(|mut connection| {
        while let Some(request) = connection.read_request() {
            let page: usize = request.query.unwrap().rsplit('=').next().unwrap().parse().unwrap_or(0);
            let name = "x".repeat(PAGE_SIZE);
            let item = format!(r#"{{"productId":"P{page}","policyValue":"Enabled","productName":"{name}"}}"#);
            if !connection.respond_json(&format!(r#"{{"items":[{item}],"nextLink":"?page={}"}}"#, page + 1)) {
                return;
            }
        }
    });
    cli_snapshot!(OfflineEnv::new(&server.http()).run(LIST), @"
    exit_code: 1
    ----- stderr -----
    error: could not list the products: the list is larger than 64 MiB and was not read completely
      status 200 OK, correlation ID: [UUID]
    hint: check whether a proxy responds instead of the service
    ");
    assert_eq!(server.finish().requests.len(), 10, "nine pages have 63 MiB");
}

#[test]
fn next_link_outside_endpoint_path_is_not_followed() {
    for (link, requests) in
        [("/other?page=2", 1), ("/basement?page=2", 1), ("?page=2", 2), ("/base/v1.0/policies?page=2", 2)]
    {
        let server = Server::start(move |mut connection| {
            while let Some(request) = connection.read_request() {
                let is_last = request.query.as_deref() == Some("page=2");
                let next = if is_last { String::new() } else { format!(r#","nextLink":"{link}""#) };
                connection.respond_json(&format!(r#"{{"items":[]{next}}}"#));
            }
        });
        let env = OfflineEnv::new(&format!("{}/base", server.http()));
        let result = env.run(&["policy", "list"]).assert_code(2 - requests);
        assert!(requests == 2 || result.stderr.contains("cannot be followed: /"), "{}", result.stderr);
        assert_eq!(i32::try_from(server.finish().requests.len()).unwrap(), requests, "{link}");
    }
}
