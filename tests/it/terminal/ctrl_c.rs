//! Ctrl-C while the network is waited for.

use super::*;
use crate::support::fixtures::POWER_BI;

#[test]
fn ctrl_c_while_a_browser_is_waited_for_ends_the_sign_in() {
    let env = TestEnv::new();
    let mut session = PtySession::run(env.command(&["connect", "--no-browser", "--color", "never"]));
    session.expect("Waiting for you to open it");
    expect_quick_end(session).contains_all(&["error: interrupted\n"]);
    assert!(!env.cache_path().exists());
}

#[test]
fn ctrl_c_while_a_device_code_is_waited_for_ends_the_sign_in() {
    let env = TestEnv::new();
    // The first poll comes at once and the next one never.
    env.tenant.device_approval(DeviceApproval::PendingThenApprove(u32::MAX));
    env.tenant.set_device_interval(600);
    let mut session = PtySession::run(env.command(&["connect", "--device-code", "--color", "never"]));
    session.expect("Waiting …");
    expect_quick_end(session).contains_all(&["error: interrupted\n"]);
    assert!(!env.cache_path().exists());
}

#[test]
fn ctrl_c_while_a_request_hangs_ends_at_once() {
    let server = Server::start(|mut connection| {
        connection.read_request();
        connection.wait_for_close();
    });
    let env = TestEnv::signed_in();
    let url = server.http();
    for (command, count) in [LIST, GET, DISABLE, &["policy", "list"]].into_iter().zip(1..) {
        let session = env.screen_with(&[("MSCOMMERCE_ENDPOINT", &url)], &[command, &["--color", "never"]].concat());
        server.wait_until(|recorded| recorded.requests.len() == count);
        expect_quick_end(session).contains_all(&["error: interrupted\n"]);
    }
    assert!(server.finish().requests.iter().all(|request| request.method == "GET"));
}

#[test]
fn ctrl_c_while_doctor_waits_for_a_server_that_says_nothing_ends_it_at_once() {
    let server = Server::start(|mut connection| connection.wait_for_close());
    let env = TestEnv::signed_in();
    let session = env.screen_with(&[("MSCOMMERCE_ENDPOINT", &server.https())], &["doctor", "--color", "never"]);
    server.wait_until(|recorded| recorded.connections == 1);
    expect_quick_end(session).contains_all(&["error: interrupted\n"]);
    assert!(server.finish().requests.is_empty());
}

/// Answers the reading of a product at once, and a change of it when it is told to.
fn slow_to_change() -> (Server, mpsc::Sender<()>) {
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
                // The other end is dropped where no answer is to come.
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

/// A change at a terminal, with Ctrl-C pressed when its request has arrived.
fn interrupted_change(env: &TestEnv, server: &Server) -> PtySession {
    let command = [DISABLE, &["--color", "never"]].concat();
    let session = env.screen_with(&[("MSCOMMERCE_ENDPOINT", &server.http())], &command);
    server.wait_until(|recorded| recorded.requests.iter().any(|request| request.method == "PUT"));
    session.type_keys(CTRL_C);
    session
}

#[test]
fn ctrl_c_while_a_change_is_on_its_way_waits_for_it_and_shows_what_became_of_it() {
    let (server, release) = slow_to_change();
    let env = TestEnv::signed_in();
    let mut session = interrupted_change(&env, &server);
    session.expect("Waiting for the change that is on its way; press Ctrl-C again to leave it");
    release.send(()).unwrap();
    let output = session.finish().assert_code(130).contains_all(&["Changed in the tenant", "outcome", "changed"]);
    let words: Vec<_> = output.screen.split_whitespace().collect();
    assert!(words.windows(2).any(|pair| pair == ["policyValue", "Disabled"]), "{}", output.screen);
    assert_eq!(server.finish().connections, 1);
}

#[test]
fn a_second_ctrl_c_leaves_the_change_at_once_and_says_so() {
    let (server, _never_released) = slow_to_change();
    let env = TestEnv::signed_in();
    let mut session = interrupted_change(&env, &server);
    session.expect("press Ctrl-C again");
    expect_quick_end(session)
        .contains_none(&["Changed"])
        // Nobody knows what became of it: the person has to be told how to find out.
        .contains_all(&[
            "error: interrupted",
            "may have been made",
            "what it is now: mscommerce product get CFQ7TTC0H9MP",
        ]);
}

#[test]
fn a_change_that_fails_after_ctrl_c_is_told_and_the_exit_code_stays_130() {
    let (server, release) = slow_to_change();
    let env = TestEnv::signed_in();
    let mut session = interrupted_change(&env, &server);
    session.expect("press Ctrl-C again");
    drop(release);
    session
        .finish()
        .assert_code(130)
        .contains_all(&["broke off before the answer was complete", "mscommerce product get CFQ7TTC0H9MP"]);
}

#[test]
fn after_ctrl_c_a_change_that_failed_is_not_tried_again() {
    let server = Server::start(|mut connection: Connection| {
        while let Some(request) = connection.read_request() {
            let body = r#"{"policyId":"AllowSelfServicePurchase","policyValue":"Enabled","scope":"Product","productId":"CFQ7TTC0H9MP","productName":"Power BI Pro"}"#;
            let status = if request.method == "PUT" { 503 } else { 200 };
            connection.send(crate::support::server::http_response(status, "application/json", body).as_bytes());
        }
    });
    let env = TestEnv::signed_in();
    let session = interrupted_change(&env, &server);
    session.finish().assert_code(130).contains_all(&["503", "mscommerce product get CFQ7TTC0H9MP"]);
    let tries = server.finish().requests.iter().filter(|request| request.method == "PUT").count();
    assert!(tries < 5, "{tries}");
}
