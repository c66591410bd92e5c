//! `disconnect` keeps the history.

use super::*;
use crate::support::fixtures::POWER_BI;
use crate::support::snapshot::Transcript;
use crate::tenant::ADMIN;

#[test]
fn disconnect_keeps_history_and_names_its_file() {
    let env = TestEnv::signed_in();
    env.run(&["product", "update", POWER_BI, "--value", "disabled"]).assert_code(0);
    let before = fs::read(env.history_path()).unwrap();
    let mut transcript = Transcript::default();
    // The note appears with and without a cached sign-in.
    for (name, arguments) in
        [("signed in", &["disconnect"][..]), ("signed out", &["disconnect"]), ("signed out, all", &["logout", "--all"])]
    {
        transcript.push(name, env.run(arguments));
        assert_eq!(fs::read(env.history_path()).unwrap(), before, "{name}");
    }
    env.sign_in(ADMIN);
    transcript.push("signed in, all", env.run(&["disconnect", "--all"]));
    assert_eq!(history(&env, &[]).column("id"), [POWER_BI]);
    transcript.push("undo", env.run(&["undo", "--yes"]));
    cli_snapshot!(transcript, @"
    ===== signed in =====
    exit_code: 0
    ----- stderr -----
    Signed out: default.
    The history of changes remains in [TMP]/state/changes.jsonl. To see it, run 'mscommerce history'.
    ===== signed out =====
    exit_code: 1
    ----- stderr -----
    The history of changes remains in [TMP]/state/changes.jsonl. To see it, run 'mscommerce history'.
    error: not signed in
    ===== signed out, all =====
    exit_code: 0
    ----- stderr -----
    Not signed in.
    The history of changes remains in [TMP]/state/changes.jsonl. To see it, run 'mscommerce history'.
    ===== signed in, all =====
    exit_code: 0
    ----- stderr -----
    Signed out: default.
    The history of changes remains in [TMP]/state/changes.jsonl. To see it, run 'mscommerce history'.
    ===== undo =====
    exit_code: 4
    ----- stderr -----
    error: not signed in
    hint: mscommerce connect
    ");
}

#[test]
fn disconnect_without_history_does_not_mention_it() {
    let mut transcript = Transcript::default();
    transcript.push("signed in", TestEnv::signed_in().run(&["disconnect"]));
    transcript.push("signed out", TestEnv::new().run(&["disconnect"]));
    cli_snapshot!(transcript, @"
    ===== signed in =====
    exit_code: 0
    ----- stderr -----
    Signed out: default.
    ===== signed out =====
    exit_code: 1
    ----- stderr -----
    error: not signed in
    ");
}

#[test]
fn disconnect_quiet_does_not_mention_history() {
    let env = TestEnv::signed_in();
    env.run(&["product", "update", POWER_BI, "--value", "disabled"]).assert_code(0);
    cli_snapshot!(env.run(&["disconnect", "-q"]), @"exit_code: 0");
    assert_eq!(env.history().len(), 1);
}

#[test]
fn undo_after_new_sign_in_reverts_earlier_run() {
    let env = TestEnv::signed_in();
    env.run(&["product", "update", POWER_BI, "--value", "disabled"]).assert_code(0);
    env.run(&["disconnect"]).assert_code(0);
    env.sign_in(ADMIN);
    env.run(&["undo", "--yes"]).assert_code(0);
    assert_eq!(env.tenant.value(POWER_BI), "Enabled");
}
