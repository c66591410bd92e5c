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
        "outcome": "failed" });
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
    error: could not change product CFQ7TTC0H9MP: 127.0.0.1:[PORT] answered 307 Temporary Redirect and points to http://127.0.0.1:[PORT]/
      a redirect is never followed, for the token must not go elsewhere
      correlation id: [UUID]
    hint: if this network has a sign-in page of its own, open any web page in a browser, sign in there, and try again
    hint: see what it is now: mscommerce product get CFQ7TTC0H9MP
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
    error: cannot tell whether product CFQ7TTC0H9MP was changed: the service's answer cannot be understood (status 200 OK)
      []
      correlation id: [UUID]
    hint: see what it is now: mscommerce product get CFQ7TTC0H9MP
    ===== null =====
    exit_code: 1
    ----- stderr -----
    error: cannot tell whether product CFQ7TTC0H9MP was changed: the service's answer cannot be understood (status 200 OK)
      null
      correlation id: [UUID]
    hint: see what it is now: mscommerce product get CFQ7TTC0H9MP
    ===== plain text =====
    exit_code: 1
    ----- stderr -----
    error: cannot tell whether product CFQ7TTC0H9MP was changed: the service's answer cannot be understood (status 200 OK)
      plain text
      correlation id: [UUID]
    hint: see what it is now: mscommerce product get CFQ7TTC0H9MP
    ===== empty body =====
    exit_code: 1
    ----- stderr -----
    error: cannot tell whether product CFQ7TTC0H9MP was changed: the service's answer cannot be understood (status 200 OK)
      the answer has no body
      correlation id: [UUID]
    hint: see what it is now: mscommerce product get CFQ7TTC0H9MP
    ===== 204 =====
    exit_code: 1
    ----- stderr -----
    error: cannot tell whether product CFQ7TTC0H9MP was changed: the service's answer cannot be understood (status 204 No Content)
      the answer has no body
      correlation id: [UUID]
    hint: see what it is now: mscommerce product get CFQ7TTC0H9MP
    ===== captive portal =====
    exit_code: 1
    ----- stderr -----
    error: could not change product CFQ7TTC0H9MP: a web page came back instead of an answer of 127.0.0.1:[PORT] (status 200 OK)
      it begins: <!DOCTYPE html> <html><head><title>Airport Wi-Fi</title></head><body>Welcome! Accept the terms.</body></html>
      correlation id: [UUID]
    hint: something on the network answers in the service's place: if it has a sign-in page, open any web page in a browser, sign in there, and try again
    hint: a company's proxy may have to be named in HTTPS_PROXY, or told to let this address through
    hint: see what it is now: mscommerce product get CFQ7TTC0H9MP
    ===== no response =====
    exit_code: 1
    ----- stderr -----
    error: could not change product CFQ7TTC0H9MP: the connection to 127.0.0.1:[PORT] broke off before the answer was complete
      connection closed before message completed
      correlation id: [UUID]
    hint: try again
    hint: see what it is now: mscommerce product get CFQ7TTC0H9MP
    ===== truncated body =====
    exit_code: 1
    ----- stderr -----
    error: could not change product CFQ7TTC0H9MP: the connection to 127.0.0.1:[PORT] broke off before the answer was complete
      end of file before message length reached
      correlation id: [UUID]
    hint: try again
    hint: see what it is now: mscommerce product get CFQ7TTC0H9MP
    ===== 503 =====
    exit_code: 1
    ----- stderr -----
    error: could not change product CFQ7TTC0H9MP: the service answered 503 Service Unavailable
      Busy: Come back.
      correlation id: [UUID]
    hint: the service has a fault of its own: try again later; support asks for the correlation id
    hint: see what it is now: mscommerce product get CFQ7TTC0H9MP
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
    error: could not list the products: the service's answer cannot be understood (status 200 OK)
      [BODY]
      correlation id: [UUID]
    hint: try again later; if it stays so, Microsoft's support asks for the correlation id
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
    error: could not list the policies: the service's answer cannot be understood (status 200 OK)
      [BODY]
      correlation id: [UUID]
    hint: try again later; if it stays so, Microsoft's support asks for the correlation id
    ===== product get CFQ7TTC0H9MP: {} =====
    ===== product get CFQ7TTC0H9MP: [] =====
    ===== product get CFQ7TTC0H9MP: null =====
    ===== product get CFQ7TTC0H9MP: 7 =====
    ===== product get CFQ7TTC0H9MP: {"items":[]} =====
    ===== product get CFQ7TTC0H9MP: {"status":"ok"} =====
    ===== product get CFQ7TTC0H9MP: plain text =====
    exit_code: 1
    ----- stderr -----
    error: could not read product CFQ7TTC0H9MP: the service's answer cannot be understood (status 200 OK)
      [BODY]
      correlation id: [UUID]
    hint: try again later; if it stays so, Microsoft's support asks for the correlation id
    ===== policy get: {} =====
    ===== policy get: [] =====
    ===== policy get: null =====
    ===== policy get: 7 =====
    ===== policy get: {"items":[]} =====
    ===== policy get: {"status":"ok"} =====
    ===== policy get: plain text =====
    exit_code: 1
    ----- stderr -----
    error: could not read the policy AllowSelfServicePurchase: the service's answer cannot be understood (status 200 OK)
      [BODY]
      correlation id: [UUID]
    hint: try again later; if it stays so, Microsoft's support asks for the correlation id
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
    error: could not read product CFQ7TTC0H9MP: the service's answer cannot be understood (status 200 OK)
      {}
      correlation id: [UUID]
    hint: try again later; if it stays so, Microsoft's support asks for the correlation id
    ===== "[]" =====
    exit_code: 1
    ----- stderr -----
    error: could not read product CFQ7TTC0H9MP: the service's answer cannot be understood (status 200 OK)
      []
      correlation id: [UUID]
    hint: try again later; if it stays so, Microsoft's support asks for the correlation id
    ===== "plain text" =====
    exit_code: 1
    ----- stderr -----
    error: could not read product CFQ7TTC0H9MP: the service's answer cannot be understood (status 200 OK)
      plain text
      correlation id: [UUID]
    hint: try again later; if it stays so, Microsoft's support asks for the correlation id
    ===== "" =====
    exit_code: 1
    ----- stderr -----
    error: could not read product CFQ7TTC0H9MP: the service's answer cannot be understood (status 200 OK)
      the answer has no body
      correlation id: [UUID]
    hint: try again later; if it stays so, Microsoft's support asks for the correlation id
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
    error: could not list the products: the service's answer cannot be understood (status 200 OK)
      the answer has no body
      correlation id: [UUID]
    hint: try again later; if it stays so, Microsoft's support asks for the correlation id
    ===== product get CFQ7TTC0H9MP =====
    exit_code: 1
    ----- stderr -----
    error: could not read product CFQ7TTC0H9MP: the service's answer cannot be understood (status 200 OK)
      the answer has no body
      correlation id: [UUID]
    hint: try again later; if it stays so, Microsoft's support asks for the correlation id
    ===== policy list =====
    exit_code: 1
    ----- stderr -----
    error: could not list the policies: the service's answer cannot be understood (status 200 OK)
      the answer has no body
      correlation id: [UUID]
    hint: try again later; if it stays so, Microsoft's support asks for the correlation id
    ===== policy get =====
    exit_code: 1
    ----- stderr -----
    error: could not read the policy AllowSelfServicePurchase: the service's answer cannot be understood (status 200 OK)
      the answer has no body
      correlation id: [UUID]
    hint: try again later; if it stays so, Microsoft's support asks for the correlation id
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
    ===== "" =====
    ===== "{\"access_token\":\"made-up-access-token\",\"token_type\":7}" =====
    exit_code: 1
    ----- stderr -----
    POST http://127.0.0.1:[PORT]/organizations/oauth2/v2.0/token -> 200 OK ([DURATION])
    error: could not sign in: the answer of 127.0.0.1 cannot be understood
    hint: look at AZURE_AUTHORITY_HOST, and for a proxy that answers in the service's place
    "#);
}

#[test]
fn status_429_and_5xx_show_message_and_correlation_id() {
    let mut transcript = Transcript::default();
    for status in [429, 500, 503] {
        for body in [r#"{"errorCode":"Trouble","reason":"Message of the service."}"#, "out of order", ""] {
            let env = TestEnv::signed_in();
            env.tenant.fail_next("/products", Response::text(status, "application/json", body));
            let result = transcript.push(format!("{status} {body:?}"), env.run(LIST));
            let requests = env.tenant.requests();
            // Four retries follow, and the error is that of the last one.
            assert_eq!(requests.len(), 5);
            let correlation_id = requests[4].header("x-ms-correlation-id").unwrap();
            result.stderr_contains(&[&format!("correlation id: {correlation_id}")]);
        }
    }
    cli_snapshot!(transcript, @r#"
    ===== 429 "{\"errorCode\":\"Trouble\",\"reason\":\"Message of the service.\"}" =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: the service answered 429 Too Many Requests
      Trouble: Message of the service.
      correlation id: [UUID]
    hint: the service asks for less haste: wait a minute and try again
    ===== 429 "out of order" =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: the service answered 429 Too Many Requests
      out of order
      correlation id: [UUID]
    hint: the service asks for less haste: wait a minute and try again
    ===== 429 "" =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: the service answered 429 Too Many Requests
      the answer has no body
      correlation id: [UUID]
    hint: the service asks for less haste: wait a minute and try again
    ===== 500 "{\"errorCode\":\"Trouble\",\"reason\":\"Message of the service.\"}" =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: the service answered 500 Internal Server Error
      Trouble: Message of the service.
      correlation id: [UUID]
    hint: the service has a fault of its own: try again later; support asks for the correlation id
    ===== 500 "out of order" =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: the service answered 500 Internal Server Error
      out of order
      correlation id: [UUID]
    hint: the service has a fault of its own: try again later; support asks for the correlation id
    ===== 500 "" =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: the service answered 500 Internal Server Error
      the answer has no body
      correlation id: [UUID]
    hint: the service has a fault of its own: try again later; support asks for the correlation id
    ===== 503 "{\"errorCode\":\"Trouble\",\"reason\":\"Message of the service.\"}" =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: the service answered 503 Service Unavailable
      Trouble: Message of the service.
      correlation id: [UUID]
    hint: the service has a fault of its own: try again later; support asks for the correlation id
    ===== 503 "out of order" =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: the service answered 503 Service Unavailable
      out of order
      correlation id: [UUID]
    hint: the service has a fault of its own: try again later; support asks for the correlation id
    ===== 503 "" =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: the service answered 503 Service Unavailable
      the answer has no body
      correlation id: [UUID]
    hint: the service has a fault of its own: try again later; support asks for the correlation id
    "#);
}

#[test]
fn token_endpoint_429_and_5xx_exit_with_1() {
    let mut transcript = Transcript::default();
    for status in [429, 500, 503] {
        for body in [r#"{"error":"temporarily_unavailable","error_description":"Come back."}"#, "Come back.", ""] {
            let server = Server::responding_with(http_response(status, "application/json", body));
            transcript.push(format!("{status} {body:?}"), OfflineEnv::new(&server.http()).connect(&[]));
        }
    }
    cli_snapshot!(transcript, @r#"
    ===== 429 "{\"error\":\"temporarily_unavailable\",\"error_description\":\"Come back.\"}" =====
    exit_code: 1
    ----- stderr -----
    error: could not sign in: 127.0.0.1:[PORT] answered 429 Too Many Requests
      {"error":"temporarily_unavailable","error_description":"Come back."}
    hint: try again in a minute
    ===== 429 "Come back." =====
    exit_code: 1
    ----- stderr -----
    error: could not sign in: 127.0.0.1:[PORT] answered 429 Too Many Requests
      Come back.
    hint: try again in a minute
    ===== 429 "" =====
    exit_code: 1
    ----- stderr -----
    error: could not sign in: 127.0.0.1:[PORT] answered 429 Too Many Requests
    hint: try again in a minute
    ===== 500 "{\"error\":\"temporarily_unavailable\",\"error_description\":\"Come back.\"}" =====
    exit_code: 1
    ----- stderr -----
    error: could not sign in: 127.0.0.1:[PORT] answered 500 Internal Server Error
      {"error":"temporarily_unavailable","error_description":"Come back."}
    hint: try again in a minute
    ===== 500 "Come back." =====
    exit_code: 1
    ----- stderr -----
    error: could not sign in: 127.0.0.1:[PORT] answered 500 Internal Server Error
      Come back.
    hint: try again in a minute
    ===== 500 "" =====
    exit_code: 1
    ----- stderr -----
    error: could not sign in: 127.0.0.1:[PORT] answered 500 Internal Server Error
    hint: try again in a minute
    ===== 503 "{\"error\":\"temporarily_unavailable\",\"error_description\":\"Come back.\"}" =====
    exit_code: 1
    ----- stderr -----
    error: could not sign in: 127.0.0.1:[PORT] answered 503 Service Unavailable
      {"error":"temporarily_unavailable","error_description":"Come back."}
    hint: try again in a minute
    ===== 503 "Come back." =====
    exit_code: 1
    ----- stderr -----
    error: could not sign in: 127.0.0.1:[PORT] answered 503 Service Unavailable
      Come back.
    hint: try again in a minute
    ===== 503 "" =====
    exit_code: 1
    ----- stderr -----
    error: could not sign in: 127.0.0.1:[PORT] answered 503 Service Unavailable
    hint: try again in a minute
    "#);
}
