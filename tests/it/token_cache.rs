//! The file of sign-ins: who may read it, its profiles, and files that cannot be used.

use std::fs;
#[cfg(unix)]
use std::path::PathBuf;

use serde_json::json;

use crate::support::env::{Machine, Ran};
use crate::tenant::{ADMIN, HOME_TENANT, PASSWORD, READER};

fn connect(machine: &Machine, user: &str, profile: &str) -> Ran {
    let arguments = ["connect", "--username", user, "--password-stdin", "--profile", profile];
    machine.run_with_input(&arguments, PASSWORD)
}

fn account(machine: &Machine, variables: &[(&str, &str)], flags: &[&str]) -> String {
    let status = machine.run_with(variables, &[&["status", "-o", "json"], flags].concat()).expect_code(0).json();
    status["account"].as_str().unwrap().to_owned()
}

/// The names of the files beside the one that holds the sign-ins.
fn others(machine: &Machine) -> Vec<String> {
    let entries = fs::read_dir(machine.state()).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| name != "sign-ins.json" && name != "sign-ins.lock");
    names
}

#[test]
fn the_file_holds_one_sign_in_and_nothing_lies_beside_it() {
    let machine = Machine::signed_in();
    let saved = machine.saved();
    assert_eq!(saved["version"], 2);
    let profiles = saved["profiles"].as_object().unwrap();
    assert_eq!(profiles.keys().collect::<Vec<_>>(), ["default"]);
    let tenants = profiles["default"]["tenants"].as_object().unwrap();
    assert_eq!(tenants.keys().collect::<Vec<_>>(), [HOME_TENANT]);
    assert_eq!(others(&machine), Vec::<String>::new());
}

#[cfg(unix)]
#[test]
fn nobody_else_may_read_the_file() {
    use std::os::unix::fs::PermissionsExt as _;

    let machine = Machine::new();
    machine.tenant.set_token_lifetime(299);
    machine.sign_in(ADMIN);
    let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    let check = || {
        assert_eq!(mode(machine.sign_ins()), 0o600);
        assert_eq!(mode(machine.state()), 0o700);
        assert_eq!(mode(machine.state().join("sign-ins.lock")), 0o600);
    };
    check();
    // Whatever somebody made of the file's mode, the next one to be written is private again.
    fs::set_permissions(machine.sign_ins(), fs::Permissions::from_mode(0o644)).unwrap();
    machine.run(&["products", "list"]).expect_code(0);
    assert_eq!(machine.token_requests().len(), 1);
    check();
}

#[cfg(unix)]
#[test]
fn a_file_that_others_could_read_is_made_private_and_told_once() {
    use std::os::unix::fs::PermissionsExt as _;

    for mode in [0o644, 0o640, 0o604, 0o777, 0o660] {
        let machine = Machine::signed_in();
        fs::set_permissions(machine.sign_ins(), fs::Permissions::from_mode(mode)).unwrap();
        let ran = machine.run(&["products", "list"]).expect_code(0);
        let told = format!("warning: others could read {} (mode {mode:o})", machine.sign_ins().display());
        assert_eq!(ran.stderr.matches(&told).count(), 1, "{}", ran.stderr);
        assert_eq!(fs::metadata(machine.sign_ins()).unwrap().permissions().mode() & 0o7777, 0o600);
        assert_eq!(machine.run(&["products", "list"]).expect_code(0).stderr, "");
    }
}

#[cfg(unix)]
#[test]
fn a_directory_that_the_tool_did_not_make_keeps_its_mode() {
    use std::os::unix::fs::PermissionsExt as _;

    let machine = Machine::new();
    fs::create_dir(machine.state()).unwrap();
    fs::set_permissions(machine.state(), fs::Permissions::from_mode(0o755)).unwrap();
    machine.sign_in(ADMIN);
    assert_eq!(fs::metadata(machine.state()).unwrap().permissions().mode() & 0o7777, 0o755);
    assert_eq!(fs::metadata(machine.sign_ins()).unwrap().permissions().mode() & 0o7777, 0o600);
}

/// No command uses the file, says why, and leaves it as it is.
#[cfg(unix)]
#[track_caller]
fn expect_not_used(machine: &Machine, why: &str) {
    let said = [&format!("{} are not used: {why}", machine.sign_ins().display()), "hint: ", "MSCOMMERCE_HOME"];
    machine.tenant.forget_requests();
    for command in [&["products", "list"][..], &["status"]] {
        machine.run(command).expect_code(4).expect_no_data().expect_said(&said);
    }
    machine.run(&["disconnect"]).expect_code(1).expect_said(&said);
    let connect = ["connect", "--username", ADMIN, "--password-stdin"];
    machine.run_with_input(&connect, PASSWORD).expect_code(1).expect_said(&said);
    assert!(machine.requests().is_empty());
}

#[cfg(unix)]
#[test]
fn a_file_of_another_user_is_refused() {
    let machine = Machine::signed_in();
    let before = fs::read(machine.sign_ins()).unwrap();
    // Only root can give a file away; for everybody else there is nothing to test here.
    if std::os::unix::fs::chown(machine.sign_ins(), Some(12_345), None).is_err() {
        return;
    }
    expect_not_used(&machine, "it belongs to another user (number 12345)");
    assert_eq!(fs::read(machine.sign_ins()).unwrap(), before);
}

#[test]
fn the_file_has_a_place_of_its_own_where_none_is_named() {
    let machine = Machine::new();
    let mut command = machine.command(&["connect", "--username", ADMIN, "--password-stdin"]);
    // On Windows the place depends on further variables.
    command.env_remove("MSCOMMERCE_HOME").env("APPDATA", machine.home()).env("LOCALAPPDATA", machine.home());
    Machine::run_command_with_input(command, PASSWORD).expect_code(0);
    assert!(!machine.state().exists());
    let found = machine.files_with(if cfg!(windows) { "dpapi" } else { ADMIN });
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].ends_with("mscommerce/sign-ins.json") || cfg!(windows), "{found:?}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(found[0].parent().unwrap()).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o700);
    }
}

#[test]
fn the_place_may_be_named_relative_to_where_the_command_runs() {
    let machine = Machine::new();
    let mut command = machine.command(&["connect", "--username", ADMIN, "--password-stdin"]);
    command.env("MSCOMMERCE_HOME", "deep/within").current_dir(machine.home());
    Machine::run_command_with_input(command, PASSWORD).expect_code(0);
    assert!(machine.home().join("deep/within/sign-ins.json").exists());
}

#[test]
fn a_second_profile_does_not_disturb_the_first() {
    let machine = Machine::signed_in();
    let first = machine.saved()["profiles"]["default"].clone();
    connect(&machine, READER, "read.only@contoso_1-x").expect_code(0).expect_said(&["profile read.only@contoso_1-x"]);
    let saved = machine.saved();
    assert_eq!(saved["profiles"]["default"], first);
    assert_eq!(saved["profiles"].as_object().unwrap().len(), 2);

    assert_eq!(account(&machine, &[], &[]), ADMIN);
    assert_eq!(account(&machine, &[], &["--profile", "read.only@contoso_1-x"]), READER);
    assert_eq!(account(&machine, &[("MSCOMMERCE_PROFILE", "read.only@contoso_1-x")], &[]), READER);
    assert_eq!(account(&machine, &[("MSCOMMERCE_PROFILE", "read.only@contoso_1-x")], &["--profile", "default"]), ADMIN);
    assert_eq!(account(&machine, &[("MSCOMMERCE_PROFILE", "")], &[]), ADMIN, "an empty variable counts as unset");
}

#[test]
fn a_profile_in_the_environment_is_where_connect_saves() {
    let machine = Machine::new();
    let mut command = machine.command(&["connect", "--username", ADMIN, "--password-stdin"]);
    command.env("MSCOMMERCE_PROFILE", "lab");
    Machine::run_command_with_input(command, PASSWORD).expect_code(0).expect_said(&["profile lab"]);
    assert_eq!(machine.saved()["profiles"].as_object().unwrap().keys().collect::<Vec<_>>(), ["lab"]);
    // Nobody is signed in under the default profile: those that there are get listed.
    machine.run(&["products", "list"]).expect_code(4).expect_no_data().expect_said(&[
        "nobody is signed in",
        "'default'",
        "lab",
        "--profile",
    ]);
}

#[test]
fn an_unknown_profile_is_told_with_those_there_are() {
    let machine = Machine::signed_in();
    connect(&machine, READER, "lab").expect_code(0);
    machine.tenant.forget_requests();
    for command in [&["products", "list"][..], &["status"]] {
        machine.run(&[command, &["--profile", "lb"]].concat()).expect_code(4).expect_no_data().expect_said(&[
            "nobody is signed in under the profile 'lb'",
            "default, lab",
            "hint: mscommerce connect --profile lb",
        ]);
    }
    assert!(machine.requests().is_empty());
}

#[test]
fn what_is_no_profile_name_is_refused() {
    let machine = Machine::new();
    for name in ["", " ", "a b", "../x", "a/b", "a\nb", "\u{1b}[2J", &"x".repeat(65)] {
        let ran = machine.run(&["status", "--profile", name]).expect_code(2).expect_said(&["--profile"]);
        assert!(!ran.stderr.contains('\u{1b}'));
    }
    machine
        .run_with(&[("MSCOMMERCE_PROFILE", "a b")], &["status"])
        .expect_code(2)
        .expect_said(&["MSCOMMERCE_PROFILE", "'a b'"]);
}

/// What may have become of the file.
fn damage() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("empty", Vec::new()),
        ("rubbish", b"\x00\x01 rubbish".to_vec()),
        ("not UTF-8", b"{\"version\":1,\"profiles\":{\"\xff\":1}}".to_vec()),
        ("another shape", b"[]".to_vec()),
        ("another type", json!({"version": 1, "profiles": {"default": {"account": 7}}}).to_string().into_bytes()),
        ("a newer layout", json!({"version": 3, "profiles": {}}).to_string().into_bytes()),
    ]
}

#[test]
fn a_file_that_cannot_be_used_is_set_aside_and_nobody_is_signed_in() {
    for (what, content) in damage() {
        let machine = Machine::signed_in();
        fs::write(machine.sign_ins(), &content).unwrap();
        machine.run(&["products", "list"]).expect_code(4).expect_no_data().expect_said(&[
            "warning: ",
            "sign-ins.json",
            "set aside as",
            "sign-ins.unreadable.json",
            "error: nobody is signed in",
            "hint: mscommerce connect",
        ]);
        assert_eq!(others(&machine), ["sign-ins.unreadable.json"], "{what}");
        assert_eq!(fs::read(machine.state().join("sign-ins.unreadable.json")).unwrap(), content, "{what}");
        // The warning comes once.
        let ran = machine.run(&["status"]).expect_code(4).expect_no_data();
        assert!(!ran.stderr.contains("warning"), "{what}: {}", ran.stderr);
        assert!(machine.requests().is_empty());
        // The way out is the one that was told.
        machine.sign_in(ADMIN);
        machine.run(&["products", "list"]).expect_code(0);
    }
}

#[test]
fn every_command_survives_a_file_that_cannot_be_used() {
    for (what, content) in damage() {
        for (arguments, code) in [
            (&["status"][..], 4),
            (&["policy", "list"], 4),
            (&["product", "update", "CFQ7TTC0H9MP", "--value", "disabled"], 4),
            (&["connect", "--username", ADMIN, "--password-stdin"], 0),
            (&["disconnect"], 0),
            (&["logout", "--all"], 0),
        ] {
            let machine = Machine::signed_in();
            fs::write(machine.sign_ins(), &content).unwrap();
            let ran = machine.run_with_input(arguments, PASSWORD);
            assert_eq!(ran.code, code, "{what} {arguments:?}\n{}", ran.stderr);
            assert_eq!(ran.stderr.matches("warning: ").count(), 1, "{what} {arguments:?}\n{}", ran.stderr);
        }
    }
}

#[test]
fn a_file_that_breaks_off_shows_none_of_its_tokens() {
    let machine = Machine::signed_in();
    let (secrets, whole) = (machine.secrets(), fs::read(machine.sign_ins()).unwrap());
    for length in [whole.len() / 4, whole.len() / 2, whole.len() * 3 / 4, whole.len() - 2] {
        fs::write(machine.sign_ins(), &whole[..length]).unwrap();
        let ran = machine.run(&["products", "list", "-vvv"]).expect_code(4).expect_said(&["warning: "]);
        for secret in &secrets {
            // Not even a part of one.
            assert!(!ran.stderr.contains(&secret[..20]), "{}", ran.stderr);
        }
    }
}

#[test]
fn a_newer_layout_is_named_whatever_it_looks_like() {
    for content in [json!({"version": 3, "profiles": {}}), json!({"version": 3, "signIns": []})] {
        let machine = Machine::signed_in();
        fs::write(machine.sign_ins(), content.to_string()).unwrap();
        let ran = machine.run(&["status"]).expect_code(4).expect_said(&["layout", "number 3"]);
        assert!(!ran.stderr.contains("damaged"), "{}", ran.stderr);
    }
}

#[test]
fn a_directory_in_the_place_of_the_file_is_set_aside() {
    let machine = Machine::signed_in();
    fs::remove_file(machine.sign_ins()).unwrap();
    fs::create_dir(machine.sign_ins()).unwrap();
    machine.run(&["products", "list"]).expect_code(4).expect_no_data().expect_said(&[
        "warning: ",
        "set aside as",
        "nobody is signed in",
    ]);
    machine.sign_in(ADMIN);
    machine.run(&["products", "list"]).expect_code(0);
}

#[test]
fn a_directory_that_was_set_aside_does_not_keep_anybody_signed_in() {
    let machine = Machine::signed_in();
    fs::remove_file(machine.sign_ins()).unwrap();
    fs::create_dir(machine.sign_ins()).unwrap();
    machine.run(&["status"]).expect_code(4);
    machine.sign_in(ADMIN);
    machine.run(&["disconnect"]).expect_code(0).expect_said(&["Signed out: default"]);
}

#[cfg(unix)]
#[test]
fn a_file_that_is_a_link_is_refused_and_what_it_leads_to_is_not_touched() {
    let machine = Machine::signed_in();
    let elsewhere = machine.home().join("elsewhere.json");
    fs::rename(machine.sign_ins(), &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, machine.sign_ins()).unwrap();
    let before = fs::read(&elsewhere).unwrap();
    expect_not_used(&machine, "it is a symbolic link");
    assert_eq!(fs::read(&elsewhere).unwrap(), before);
    assert!(machine.sign_ins().is_symlink());
    // One that leads nowhere is no better.
    fs::remove_file(&elsewhere).unwrap();
    expect_not_used(&machine, "it is a symbolic link");
}

const SEALED_ELSEWHERE: &str = r#"{"version":3,"dpapi":"YW5vdGhlciBtYWNoaW5lJ3M="}"#;

#[cfg(not(windows))]
#[test]
fn a_file_that_windows_sealed_is_refused_and_left_alone() {
    let machine = Machine::signed_in();
    fs::write(machine.sign_ins(), SEALED_ELSEWHERE).unwrap();
    expect_not_used(&machine, "Windows sealed it");
    assert_eq!(fs::read_to_string(machine.sign_ins()).unwrap(), SEALED_ELSEWHERE);
}

#[cfg(windows)]
#[test]
fn the_file_is_sealed_on_windows() {
    let machine = Machine::signed_in();
    let (secrets, found) = (machine.secrets(), fs::read_to_string(machine.sign_ins()).unwrap());
    assert_eq!(secrets.len(), 2);
    for hidden in secrets.iter().map(String::as_str).chain(["refreshToken", "profiles", ADMIN]) {
        assert!(!found.contains(hidden), "{found}");
    }
    machine.run(&["products", "list"]).expect_code(0);
}

#[cfg(windows)]
#[test]
fn a_file_that_is_not_sealed_is_read_on_windows_and_sealed_by_the_next_change() {
    let machine = Machine::about_to_renew();
    machine.change_saved(|_| ());
    assert!(fs::read_to_string(machine.sign_ins()).unwrap().contains("refreshToken"));
    machine.run(&["products", "list"]).expect_code(0);
    assert!(!fs::read_to_string(machine.sign_ins()).unwrap().contains("refreshToken"));
    machine.run(&["status"]).expect_code(0);
}

#[cfg(windows)]
#[test]
fn a_file_that_another_machine_sealed_is_set_aside() {
    let machine = Machine::signed_in();
    fs::write(machine.sign_ins(), SEALED_ELSEWHERE).unwrap();
    let said = ["Windows does not open it", "set aside as", "nobody is signed in"];
    machine.run(&["products", "list"]).expect_code(4).expect_no_data().expect_said(&said);
    machine.sign_in(ADMIN);
    machine.run(&["products", "list"]).expect_code(0);
}
