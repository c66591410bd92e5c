//! No token, code, password or verifier of a person's sign-in is ever shown, and none but the tokens is ever saved.
//! The proofs of applications have a test of their own.

use std::collections::BTreeSet;

use crate::connect_browser::Waiting;
use crate::support::env::{Machine, Ran};
use crate::tenant::{ADMIN, Answer, CUSTOMER_TENANT, HOME_TENANT, PASSWORD, Reply};

const PRODUCT: &str = "CFQ7TTC0H9MP";

/// Every command, in an order in which each has something to do.
const COMMANDS: &[&[&str]] = &[
    &["status"],
    &["policy", "list"],
    &["policy", "get"],
    &["products", "list"],
    &["products", "list", "--tenant", CUSTOMER_TENANT],
    &["product", "get", PRODUCT],
    &["product", "update", PRODUCT, "--value", "disabled"],
    &["products", "update", "--all", "--value", "disabled", "--yes"],
    &["baseline", "export", "--file", "baseline.toml"],
    &["baseline", "check", "baseline.toml"],
    &["undo", "--yes"],
    &["baseline", "apply", "baseline.toml", "--yes"],
    &["history"],
    &["completions", "bash"],
    &["man"],
    &["doctor"],
    &["doctor", "--live-report", "-o", "json"],
    &["disconnect"],
];

/// The members of a form that nobody else may see.
const SECRET_FIELDS: [&str; 5] = ["code", "code_verifier", "device_code", "password", "refresh_token"];

/// All that is secret on this machine so far.
fn secrets(machine: &Machine) -> BTreeSet<String> {
    let mut secrets: BTreeSet<String> = machine.tenant.issued().into_iter().collect();
    for (_, form) in machine.token_requests() {
        secrets.extend(SECRET_FIELDS.iter().filter_map(|name| form.get(*name).cloned()));
    }
    secrets.insert(PASSWORD.to_owned());
    secrets
}

/// A token is in three parts, none of which is shown either; the first is the same for all.
fn parts(secret: &str) -> impl Iterator<Item = &str> {
    std::iter::once(secret).chain(secret.split('.').skip(1)).filter(|part| part.len() > 8)
}

#[track_caller]
fn expect_hidden(machine: &Machine, what: &[&str], ran: &Ran) {
    let saved = if machine.sign_ins().exists() { machine.secrets() } else { Vec::new() };
    for secret in secrets(machine) {
        for part in parts(&secret) {
            let is_shown = ran.stdout.contains(part) || ran.stderr.contains(part);
            assert!(!is_shown, "{what:?} shows {part}\n{}\n{}", ran.stdout, ran.stderr);
        }
        let mut files = machine.files_with(&secret);
        // Windows seals the file, so that nothing at all is found in it there.
        files.retain(|file| !(saved.contains(&secret) && *file == machine.sign_ins()));
        assert!(files.is_empty(), "{what:?} leaves {secret} in {files:?}");
    }
}

fn run(machine: &Machine, command: &[&str]) -> Ran {
    let mut command = machine.command(&[command, &["-vvv"]].concat());
    command.current_dir(machine.home()).output().unwrap().into()
}

/// Runs every command, each of which has to end with a code that is expected of it.
fn run_all(machine: &Machine, is_expected: impl Fn(&str, i32) -> bool) {
    for command in COMMANDS {
        let ran = run(machine, command);
        assert!(is_expected(command[0], ran.code), "{command:?} ends with {}\n{}", ran.code, ran.stderr);
        expect_hidden(machine, command, &ran);
    }
}

fn connect_by_password(machine: &Machine) {
    let arguments = ["connect", "--username", ADMIN, "--password-stdin", "-vvv"];
    let ran = machine.run_with_input(&arguments, PASSWORD).expect_code(0);
    expect_hidden(machine, &arguments, &ran);
}

#[test]
fn every_command_is_among_those_that_are_driven() {
    let machine = Machine::new();
    let commands_of = |path: &[&str]| -> Vec<String> {
        let help = machine.run(&[path, &["--help"]].concat()).expect_code(0).stdout;
        let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
        let names = listed.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
        names.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
    };
    let elsewhere = ["connect", "help"];
    for name in commands_of(&[]).iter().filter(|name| !elsewhere.contains(&name.as_str())) {
        let below = commands_of(&[name]);
        for sub in below.iter().filter(|name| *name != "help") {
            assert!(COMMANDS.iter().any(|driven| driven.starts_with(&[name, sub])), "{name} {sub} is not driven");
        }
        assert!(COMMANDS.iter().any(|driven| driven[0] == name), "{name} is not driven");
    }
}

#[test]
fn nothing_is_given_away_after_signing_in_with_the_browser() {
    let machine = Machine::new();
    let waiting = Waiting::start(&machine, &["-vvv"]);
    let Reply { body, .. } = waiting.sign_in();
    let ran = waiting.finish().expect_code(0);
    expect_hidden(&machine, &["connect"], &ran);
    expect_hidden(&machine, &["landing page"], &Ran { code: 0, stdout: body, stderr: String::new() });
    run_all(&machine, |_, code| code == 0);
}

#[test]
fn nothing_is_given_away_after_signing_in_with_a_device_code() {
    let machine = Machine::new();
    let ran = machine.run(&["connect", "--device-code", "-vvv"]).expect_code(0);
    expect_hidden(&machine, &["connect"], &ran);
    run_all(&machine, |_, code| code == 0);
}

#[test]
fn nothing_is_given_away_after_signing_in_with_a_password_that_had_to_be_renewed() {
    let machine = Machine::new();
    machine.tenant.set_token_lifetime(200);
    connect_by_password(&machine);
    // Each command renews, and is given another refresh token.
    run_all(&machine, |_, code| code == 0);
}

#[test]
fn nothing_is_given_away_of_a_token_that_was_handed_over() {
    let machine = Machine::new();
    let token = machine.tenant.mint(ADMIN, HOME_TENANT, 3600);
    let ran = machine.run_with_input(&["connect", "--with-token", "-vvv"], &token).expect_code(0);
    expect_hidden(&machine, &["connect"], &ran);
    run_all(&machine, |name, code| [0, 4].contains(&code) || (name == "doctor" && code == 1));
    for command in COMMANDS.iter().filter(|command| !command.contains(&"--tenant")) {
        let mut run = machine.command(&[command, &["-vvv"][..]].concat());
        let ran: Ran = run.env("MSCOMMERCE_TOKEN", &token).current_dir(machine.home()).output().unwrap().into();
        expect_hidden(&machine, command, &ran);
    }
}

#[test]
fn nothing_is_given_away_where_entra_refuses() {
    let machine = Machine::new();
    machine.tenant.set_token_lifetime(200);
    connect_by_password(&machine);
    machine.tenant.revoke_refresh_tokens();
    run_all(&machine, |name, code| match name {
        "status" | "history" | "completions" | "man" | "disconnect" => code == 0,
        // There is no file to compare with, and nothing to take back.
        "baseline" | "undo" => [1, 2, 4].contains(&code),
        "doctor" => code == 1,
        _ => code == 4,
    });
}

#[test]
fn nothing_is_given_away_where_the_service_refuses_in_the_words_of_the_request() {
    for status in [200, 400, 401, 403, 404, 500, 503] {
        let machine = Machine::new();
        connect_by_password(&machine);
        let token = &machine.secrets()[0];
        for body in [format!("You sent: Bearer {token}"), format!("{{\"reason\":\"Bearer {token}\",\"items\":[]}}")] {
            machine.tenant.fail_times(99, "/v1.0/", Answer::text(status, "application/json", &body));
            let ran = run(&machine, &["products", "list", "-o", "json"]);
            assert_ne!(ran.code, 0, "{status} {body}");
            assert!(!ran.stderr.contains(token.as_str()) && !ran.stdout.contains(token.as_str()), "{}", ran.stderr);
            expect_hidden(&machine, &["products", "list"], &ran);
        }
    }
}

#[test]
fn an_answer_that_repeats_the_token_is_not_told_and_says_so() {
    let machine = Machine::signed_in();
    let body = format!("Authorization: Bearer {}", machine.secrets()[0]);
    machine.tenant.fail_next("/v1.0/", Answer::text(403, "text/plain", &body));
    run(&machine, &["products", "list"]).expect_code(1).expect_no_data().expect_said(&[
        "403",
        "not shown",
        "hint: look for a proxy",
    ]);
}

#[test]
fn nothing_is_given_away_where_the_answers_cannot_be_understood() {
    for body in ["{\"access_token\":\"a-token-in-odd-json\"", "[\"a-token-in-odd-json\"]", "\"a-token-in-odd-json\""] {
        let machine = Machine::new();
        machine.tenant.set_token_lifetime(200);
        connect_by_password(&machine);
        machine.tenant.fail_times(99, "/oauth2/v2.0/token", Answer::text(200, "application/json", body));
        let ran = run(&machine, &["products", "list"]).expect_code(1);
        assert!(!ran.stderr.contains("a-token-in-odd-json"), "{}", ran.stderr);
        expect_hidden(&machine, &["products", "list"], &ran);
    }
}

#[test]
fn nothing_is_given_away_where_the_saved_file_is_damaged() {
    let machine = Machine::signed_in();
    let secrets = machine.secrets();
    let saved = machine.saved().to_string();
    for cut in [saved.len() / 3, saved.len() / 2, saved.len() - 2] {
        std::fs::write(machine.sign_ins(), &saved[..cut]).unwrap();
        for command in [&["status"][..], &["products", "list"]] {
            let ran = run(&machine, command).expect_code(4);
            for secret in &secrets {
                assert!(!ran.stderr.contains(secret) && !ran.stdout.contains(secret), "{}", ran.stderr);
            }
        }
    }
}
