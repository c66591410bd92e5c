//! `undo` at a terminal: the plan and the confirmation prompt.

use super::*;
use crate::support::fixtures::{POWER_BI, VISIO};
use crate::support::pty::{CTRL_C, CTRL_D, PtySession};

fn env_after_update() -> TestEnv {
    let env = TestEnv::signed_in();
    env.run(&["products", "update", POWER_BI, VISIO, "--value", "trials", "--yes"]).assert_code(0);
    env.tenant.forget_requests();
    env
}

fn undo(env: &TestEnv, flags: &[&str]) -> PtySession {
    PtySession::run(env.command(&[&["undo", "--color", "never"], flags].concat()))
}

#[test]
fn undo_prompt_yes_reverts_the_run() {
    let env = env_after_update();
    let mut session = undo(&env, &[]);
    session.expect("Power BI Pro (CFQ7TTC0H9MP): Trials only → Enabled");
    session.expect("Visio Plan 1 (CFQ7TTC0HD33): Trials only → Disabled");
    session.expect("[y/N]");
    assert!(env.update_requests().is_empty());
    session.type_keys("y\n");
    session.finish().assert_code(0).contains_all(&["2 changed"]);
    assert_eq!(env.tenant.value(POWER_BI), "Enabled");
}

#[test]
fn undo_prompt_comes_after_warnings() {
    let env = env_after_update();
    env.tenant.set_value(VISIO, "Enabled");
    let mut session = undo(&env, &[]);
    session.expect("[y/N]");
    session.type_keys("n\n");
    cli_snapshot!(session.finish(), @"
    exit_code: 1
    ----- screen -----
    Undoing the run of [TIME].
    warning: not undone: Visio Plan 1 (CFQ7TTC0HD33): it is now Enabled, not
        OnlyTrialsWithoutPaymentMethod as the run set it
    Changes in tenant 11111111-1111-4111-8111-111111111111:
      Power BI Pro (CFQ7TTC0H9MP): Trials only → Enabled
    1 will change. Continue? [y/N] n
    Cancelled. Nothing was changed.
    ");
    assert!(env.update_requests().is_empty());
}

#[test]
fn undo_prompt_other_answers_change_nothing() {
    struct Case {
        name: &'static str,
        keys: &'static str,
        exit_code: i32,
    }

    let env = env_after_update();
    for Case { name, keys, exit_code } in [
        Case { name: "n", keys: "n\n", exit_code: 1 },
        Case { name: "empty", keys: "\n", exit_code: 1 },
        Case { name: "Ctrl-D", keys: CTRL_D, exit_code: 1 },
        Case { name: "Ctrl-C", keys: CTRL_C, exit_code: 130 },
    ] {
        let mut session = undo(&env, &[]);
        session.expect("[y/N]");
        session.type_keys(keys);
        let output = session.finish();
        assert_eq!(output.code, exit_code, "{name}\n{}", output.screen);
        output.contains_none(&["2 changed", "outcome"]);
        assert!(env.update_requests().is_empty(), "{name}");
    }
    assert_eq!(env.history().len(), 2);
}

#[test]
fn undo_without_need_for_confirmation_has_no_prompt() {
    let env = env_after_update();
    undo(&env, &["--dry-run"]).finish().assert_code(0).contains_none(&["[y/N]"]);
    undo(&env, &["--yes"]).finish().assert_code(0).contains_none(&["[y/N]"]);
    let env = TestEnv::signed_in();
    undo(&env, &[]).finish().assert_code(1).contains_none(&["[y/N]"]);
}
