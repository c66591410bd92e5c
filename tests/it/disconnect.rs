//! `disconnect`: nothing of a sign-in stays behind.

use std::fs;
use std::path::PathBuf;

use crate::support::env::{Machine, Ran};
use crate::tenant::{ADMIN, CUSTOMER_DOMAIN, HOME_TENANT, PASSWORD, READER};

fn connect(machine: &Machine, user: &str, profile: &str) -> Ran {
    let arguments = ["connect", "--username", user, "--password-stdin", "--profile", profile];
    machine.run_with_input(&arguments, PASSWORD).expect_code(0)
}

#[track_caller]
fn assert_gone(machine: &Machine, secrets: &[String]) {
    for secret in secrets {
        assert_eq!(machine.files_with(secret), Vec::<PathBuf>::new());
    }
}

#[test]
fn no_secret_is_left_anywhere() {
    let machine = Machine::signed_in();
    machine.run(&["products", "list", "--tenant", CUSTOMER_DOMAIN]).expect_code(0);
    let secrets = machine.secrets();
    assert_eq!(secrets.len(), 3);
    machine.tenant.forget_requests();
    machine.run(&["disconnect"]).expect_code(0).expect_no_data().expect_said(&["Signed out: default"]);
    assert!(machine.requests().is_empty());
    assert!(!machine.sign_ins().exists());
    assert_gone(&machine, &secrets);
    assert_gone(&machine, &[ADMIN.to_owned()]);
    machine.run(&["products", "list"]).expect_code(4).expect_said(&["nobody is signed in", "hint: mscommerce connect"]);
}

#[test]
fn logout_is_another_word_for_disconnect() {
    let machine = Machine::signed_in();
    machine.run(&["logout"]).expect_code(0).expect_said(&["Signed out"]);
    machine.run(&["status"]).expect_code(4);
}

#[test]
fn other_profiles_stay_signed_in() {
    let machine = Machine::signed_in();
    let gone = machine.secrets();
    connect(&machine, READER, "lab");
    let kept = machine.saved()["profiles"]["lab"].clone();
    machine.run(&["disconnect"]).expect_code(0).expect_said(&["Signed out: default"]);
    assert_gone(&machine, &gone);
    let saved = machine.saved();
    assert_eq!(saved["profiles"]["lab"], kept);
    assert_eq!(saved["profiles"].as_object().unwrap().len(), 1);
    machine.run(&["disconnect", "--profile", "lab"]).expect_code(0).expect_said(&["Signed out: lab"]);
    assert!(!machine.sign_ins().exists());
}

#[test]
fn all_profiles_can_be_forgotten_together() {
    let machine = Machine::signed_in();
    connect(&machine, READER, "lab");
    let secrets = machine.secrets();
    machine.run(&["disconnect", "--all"]).expect_code(0).expect_said(&["Signed out: default, lab"]);
    assert_gone(&machine, &secrets);
    machine.run(&["disconnect", "--all", "--profile", "lab"]).expect_code(2);
    // A profile in the environment does not stand in the way of --all.
    connect(&machine, READER, "lab");
    machine.run_with(&[("MSCOMMERCE_PROFILE", "other")], &["disconnect", "--all"]).expect_code(0);
    assert!(!machine.sign_ins().exists());
}

#[test]
fn an_unknown_profile_is_told_with_those_there_are() {
    let machine = Machine::signed_in();
    connect(&machine, READER, "lab");
    let before = machine.saved();
    machine.run(&["disconnect", "--profile", "lb"]).expect_code(1).expect_no_data().expect_said(&[
        "nobody is signed in under the profile 'lb'",
        "default, lab",
        "hint: ",
        "--all",
    ]);
    assert_eq!(machine.saved(), before);
}

#[test]
fn where_nobody_is_signed_in_there_is_nothing_to_do() {
    let machine = Machine::new();
    for arguments in [&["disconnect"][..], &["disconnect", "--all"], &["disconnect", "--profile", "lab"]] {
        machine.run(arguments).expect_code(0).expect_no_data().expect_said(&["Nobody was signed in"]);
    }
    assert!(!machine.state().exists(), "looking leaves nothing behind");
    machine.sign_in(ADMIN);
    for _ in 0..2 {
        machine.run(&["disconnect"]).expect_code(0);
    }
    assert!(machine.requests().is_empty());
}

#[test]
fn what_was_set_aside_or_left_half_written_goes_too() {
    let machine = Machine::signed_in();
    let (secrets, whole) = (machine.secrets(), machine.saved().to_string().into_bytes());
    // A process that was killed while it wrote, and a file that broke off and was set aside.
    fs::write(machine.state().join(".sign-ins-Ab12Cd"), &whole).unwrap();
    fs::write(machine.sign_ins(), &whole[..whole.len() - 10]).unwrap();
    machine.run(&["status"]).expect_code(4);
    assert_eq!(machine.files_with(&secrets[0]).len(), 2);
    connect(&machine, READER, "default");
    machine.run(&["disconnect"]).expect_code(0).expect_said(&["Signed out: default"]);
    assert_gone(&machine, &secrets);
}

#[test]
fn what_was_left_goes_even_where_nobody_is_signed_in() {
    let machine = Machine::signed_in();
    let (secrets, whole) = (machine.secrets(), fs::read(machine.sign_ins()).unwrap());
    fs::write(machine.sign_ins(), &whole[..whole.len() - 10]).unwrap();
    machine.run(&["disconnect"]).expect_code(0);
    assert_gone(&machine, &secrets);
}

#[test]
fn files_of_others_in_the_directory_are_left_alone() {
    let machine = Machine::signed_in();
    for name in ["notes.txt", "sign-ins.json.bak", ".sign-in"] {
        fs::write(machine.state().join(name), "mine").unwrap();
    }
    machine.run(&["disconnect", "--all"]).expect_code(0);
    assert_eq!(machine.files_with("mine").len(), 3);
}

#[test]
fn a_token_in_the_environment_outlives_it_with_a_warning() {
    let machine = Machine::signed_in();
    let token = machine.tenant.mint(ADMIN, HOME_TENANT, 3600);
    machine
        .run_with(&[("MSCOMMERCE_TOKEN", &token)], &["disconnect"])
        .expect_code(0)
        .expect_said(&["Signed out: default", "warning: MSCOMMERCE_TOKEN is still set"]);
    assert!(!machine.sign_ins().exists());
    machine
        .run_with(&[("MSCOMMERCE_TOKEN", &token)], &["disconnect"])
        .expect_code(0)
        .expect_said(&["warning: MSCOMMERCE_TOKEN"]);
}
