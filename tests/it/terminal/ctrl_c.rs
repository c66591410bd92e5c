//! Ctrl-C while the network is waited for.

use super::*;

#[test]
fn ctrl_c_while_a_browser_is_waited_for_ends_the_sign_in() {
    let machine = Machine::new();
    let mut screen = Screen::run(machine.command(&["connect", "--no-browser", "--color", "never"]));
    screen.expect("Waiting for you to open it");
    expect_quick_end(screen).expect_shown(&["error: interrupted\n"]);
    assert!(!machine.sign_ins().exists());
}

#[test]
fn ctrl_c_while_a_device_code_is_waited_for_ends_the_sign_in() {
    let machine = Machine::new();
    // The first poll comes at once and the next one never.
    machine.tenant.device_approval(DeviceApproval::PendingThenApprove(u32::MAX));
    machine.tenant.set_device_interval(600);
    let mut screen = Screen::run(machine.command(&["connect", "--device-code", "--color", "never"]));
    screen.expect("Waiting …");
    expect_quick_end(screen).expect_shown(&["error: interrupted\n"]);
    assert!(!machine.sign_ins().exists());
}

#[test]
fn ctrl_c_while_a_request_hangs_ends_at_once() {
    let server = Server::start(|mut connection| {
        connection.request();
        connection.wait_for_end();
    });
    let machine = Machine::signed_in();
    let url = server.http();
    for (command, count) in [LIST, GET, DISABLE, &["policy", "list"]].into_iter().zip(1..) {
        let screen = machine.screen_with(&[("MSCOMMERCE_ENDPOINT", &url)], &[command, &["--color", "never"]].concat());
        server.wait_until(|seen| seen.requests.len() == count);
        expect_quick_end(screen).expect_shown(&["error: interrupted\n"]);
    }
    assert!(server.finish().requests.iter().all(|request| request.method == "GET"));
}

#[test]
fn ctrl_c_while_doctor_waits_for_a_server_that_says_nothing_ends_it_at_once() {
    let server = Server::start(|mut connection| connection.wait_for_end());
    let machine = Machine::signed_in();
    let screen = machine.screen_with(&[("MSCOMMERCE_ENDPOINT", &server.https())], &["doctor", "--color", "never"]);
    server.wait_until(|seen| seen.connections == 1);
    expect_quick_end(screen).expect_shown(&["error: interrupted\n"]);
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
        while let Some(request) = connection.request() {
            if request.method == "PUT" {
                // The other end is dropped where no answer is to come.
                if released.lock().unwrap().recv().is_err() {
                    return;
                }
                connection.answer(&item("Disabled"));
            } else {
                connection.answer(&item("Enabled"));
            }
        }
    });
    (server, release)
}

/// A change at a terminal, with Ctrl-C pressed when its request has arrived.
fn interrupted_change(machine: &Machine, server: &Server) -> Screen {
    let command = [DISABLE, &["--color", "never"]].concat();
    let screen = machine.screen_with(&[("MSCOMMERCE_ENDPOINT", &server.http())], &command);
    server.wait_until(|seen| seen.requests.iter().any(|request| request.method == "PUT"));
    screen.keys(CTRL_C);
    screen
}

#[test]
fn ctrl_c_while_a_change_is_on_its_way_waits_for_it_and_shows_what_became_of_it() {
    let (server, release) = slow_to_change();
    let machine = Machine::signed_in();
    let mut screen = interrupted_change(&machine, &server);
    screen.expect("Waiting for the change that is on its way; press Ctrl-C again to leave it");
    release.send(()).unwrap();
    let left = screen.finish().expect_code(130).expect_shown(&["Changed in the tenant", "outcome", "changed"]);
    let words: Vec<_> = left.shown.split_whitespace().collect();
    assert!(words.windows(2).any(|pair| pair == ["policyValue", "Disabled"]), "{}", left.shown);
    assert_eq!(server.finish().connections, 1);
}

#[test]
fn a_second_ctrl_c_leaves_the_change_at_once_and_says_so() {
    let (server, _never_released) = slow_to_change();
    let machine = Machine::signed_in();
    let mut screen = interrupted_change(&machine, &server);
    screen.expect("press Ctrl-C again");
    expect_quick_end(screen)
        .expect_not_shown(&["Changed"])
        // Nobody knows what became of it: the person has to be told how to find out.
        .expect_shown(&[
            "error: interrupted",
            "may have been made",
            "what it is now: mscommerce product get CFQ7TTC0H9MP",
        ]);
}

#[test]
fn a_change_that_fails_after_ctrl_c_is_told_and_the_exit_code_stays_130() {
    let (server, release) = slow_to_change();
    let machine = Machine::signed_in();
    let mut screen = interrupted_change(&machine, &server);
    screen.expect("press Ctrl-C again");
    drop(release);
    screen
        .finish()
        .expect_code(130)
        .expect_shown(&["broke off before the answer was complete", "mscommerce product get CFQ7TTC0H9MP"]);
}

#[test]
fn after_ctrl_c_a_change_that_failed_is_not_tried_again() {
    let server = Server::start(|mut connection: Connection| {
        while let Some(request) = connection.request() {
            let body = r#"{"policyId":"AllowSelfServicePurchase","policyValue":"Enabled","scope":"Product","productId":"CFQ7TTC0H9MP","productName":"Power BI Pro"}"#;
            let status = if request.method == "PUT" { 503 } else { 200 };
            connection.send(crate::support::server::answer(status, "application/json", body).as_bytes());
        }
    });
    let machine = Machine::signed_in();
    let screen = interrupted_change(&machine, &server);
    screen.finish().expect_code(130).expect_shown(&["503", "mscommerce product get CFQ7TTC0H9MP"]);
    let tries = server.finish().requests.iter().filter(|request| request.method == "PUT").count();
    assert!(tries < 5, "{tries}");
}
