//! Ctrl-C during network waits.

use super::*;
use crate::support::fixtures::POWER_BI;

#[test]
fn ctrl_c_ends_browser_sign_in() {
    let env = TestEnv::new();
    let mut session = PtySession::run(env.command(&["connect", "--no-browser", "--color", "never"]));
    session.expect("Waiting for sign-in");
    interrupt(session).contains_all(&["error: interrupted\n"]);
    assert!(!env.cache_path().exists());
}

#[test]
fn ctrl_c_ends_device_code_sign_in() {
    let env = TestEnv::new();
    // The first poll is immediate; the next one is never due.
    env.tenant.device_approval(DeviceApproval::PendingThenApprove(u32::MAX));
    env.tenant.set_device_interval(600);
    let mut session = PtySession::run(env.command(&["connect", "--device-code", "--color", "never"]));
    session.expect("Waiting for sign-in");
    interrupt(session).contains_all(&["error: interrupted\n"]);
    assert!(!env.cache_path().exists());
}

#[test]
fn ctrl_c_ends_pending_request() {
    let server = Server::start(|mut connection| {
        connection.read_request();
        connection.wait_for_close();
    });
    let env = TestEnv::signed_in();
    let url = server.http();
    for (command, count) in [LIST, GET, DISABLE, &["policy", "list"]].into_iter().zip(1..) {
        let session =
            env.start_in_terminal(&[("MSCOMMERCE_ENDPOINT", &url)], &[command, &["--color", "never"]].concat());
        server.wait_until(|recorded| recorded.requests.len() == count);
        interrupt(session).contains_all(&["error: interrupted\n"]);
    }
    assert!(server.finish().requests.iter().all(|request| request.method == "GET"));
}

#[test]
fn ctrl_c_ends_doctor() {
    let server = Server::start(|mut connection| connection.wait_for_close());
    let env = TestEnv::signed_in();
    let session = env.start_in_terminal(&[("MSCOMMERCE_ENDPOINT", &server.https())], &["doctor", "--color", "never"]);
    server.wait_until(|recorded| recorded.connections == 1);
    interrupt(session).contains_all(&["error: interrupted\n"]);
    assert!(server.finish().requests.is_empty());
}

/// A server that responds to reads immediately and to an update when the sender sends, or not at all if it is dropped.
fn server_with_held_update() -> (Server, mpsc::Sender<()>) {
    let (release, released) = mpsc::channel();
    let released = Mutex::new(released);
    let item = |value: &str| {
        json!({ "policyId": "AllowSelfServicePurchase", "policyValue": value, "scope": "Product",
            "productId": POWER_BI, "productName": "Power BI Pro" })
        .to_string()
    };
    let server = Server::start(move |mut connection: Connection| {
        while let Some(request) = connection.read_request() {
            if request.method == "PUT" {
                if released.lock().unwrap().recv().is_err() {
                    return;
                }
                connection.respond_json(&item("Disabled"));
            } else {
                connection.respond_json(&item("Enabled"));
            }
        }
    });
    (server, release)
}

/// An update in a terminal; Ctrl-C is pressed after its request has arrived.
fn interrupted_update(env: &TestEnv, server: &Server) -> PtySession {
    let command = [DISABLE, &["--color", "never"]].concat();
    let session = env.start_in_terminal(&[("MSCOMMERCE_ENDPOINT", &server.http())], &command);
    server.wait_until(|recorded| recorded.requests.iter().any(|request| request.method == "PUT"));
    session.type_keys(CTRL_C);
    session
}

#[test]
fn ctrl_c_waits_for_update_and_shows_outcome() {
    let (server, release) = server_with_held_update();
    let env = TestEnv::signed_in();
    let mut session = interrupted_update(&env, &server);
    session.expect("Finishing requests in progress. Press Ctrl-C again to stop now.");
    release.send(()).unwrap();
    session
        .finish()
        .assert_code(130)
        .contains_all(&["outcome:        changed\n", "policyValue:    Disabled\n"])
        .contains_none(&["error"]);
    assert_eq!(server.finish().connections, 1);
}

#[test]
fn second_ctrl_c_abandons_update() {
    let (server, _never_released) = server_with_held_update();
    let env = TestEnv::signed_in();
    let mut session = interrupted_update(&env, &server);
    session.expect("Press Ctrl-C again");
    interrupt(session)
        .contains_none(&["Changed"])
        // The outcome is unknown, so the hint says how to read the value.
        .contains_all(&[
            "error: interrupted",
            "outcome:        unknown",
            "check the current value: mscommerce product get CFQ7TTC0H9MP",
        ]);
}

#[test]
fn ctrl_c_then_update_error_exits_with_130() {
    let (server, release) = server_with_held_update();
    let env = TestEnv::signed_in();
    let mut session = interrupted_update(&env, &server);
    session.expect("Press Ctrl-C again");
    drop(release);
    session
        .finish()
        .assert_code(130)
        .contains_all(&["was lost before the response was complete", "mscommerce product get CFQ7TTC0H9MP"]);
}

#[test]
fn ctrl_c_stops_retries_of_update() {
    let server = Server::start(|mut connection: Connection| {
        while let Some(request) = connection.read_request() {
            let body = r#"{"policyId":"AllowSelfServicePurchase","policyValue":"Enabled","scope":"Product","productId":"CFQ7TTC0H9MP","productName":"Power BI Pro"}"#;
            let status = if request.method == "PUT" { 503 } else { 200 };
            connection.send(crate::support::server::http_response(status, "application/json", body).as_bytes());
        }
    });
    let env = TestEnv::signed_in();
    let session = interrupted_update(&env, &server);
    session.finish().assert_code(130).contains_all(&["503", "mscommerce product get CFQ7TTC0H9MP"]);
    let attempts = server.finish().requests.iter().filter(|request| request.method == "PUT").count();
    assert!(attempts < 5, "{attempts}");
}
