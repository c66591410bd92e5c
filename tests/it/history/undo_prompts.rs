//! `undo` at a terminal asks as every change of many products does.

use super::*;
use crate::support::fixtures::{POWER_BI, VISIO};
use crate::support::pty::{CTRL_C, CTRL_D, PtySession};

fn after_an_update() -> TestEnv {
    let env = TestEnv::signed_in();
    env.run(&["products", "update", POWER_BI, VISIO, "--value", "trials", "--yes"]).assert_code(0);
    env.tenant.forget_requests();
    env
}

fn undo(env: &TestEnv, flags: &[&str]) -> PtySession {
    PtySession::run(env.command(&[&["undo", "--color", "never"], flags].concat()))
}

#[test]
fn the_plan_is_shown_and_made_only_after_a_yes() {
    let env = after_an_update();
    let mut session = undo(&env, &[]);
    session.expect("To be changed in the tenant 11111111-1111-4111-8111-111111111111:");
    session.expect("Power BI Pro (CFQ7TTC0H9MP): OnlyTrialsWithoutPaymentMethod -> Enabled");
    session.expect("Visio Plan 1 (CFQ7TTC0HD33): OnlyTrialsWithoutPaymentMethod -> Disabled");
    session.expect("[y/N]");
    assert!(changes(&env).is_empty());
    session.type_keys("y\n");
    session.finish().assert_code(0).contains_all(&["2 changed"]);
    assert_eq!(env.tenant.value(POWER_BI), "Enabled");
}

#[test]
fn what_is_left_as_it_is_is_named_before_the_question() {
    let env = after_an_update();
    env.tenant.set_value(VISIO, "Enabled");
    let mut session = undo(&env, &[]);
    session.expect("warning: left as it is: Visio Plan 1");
    session.expect("Make this change? [y/N]");
    session.type_keys("n\n");
    session.finish().assert_code(1).contains_all(&["error: declined; nothing was changed"]);
    assert!(changes(&env).is_empty());
}

#[test]
fn anything_but_a_yes_changes_nothing() {
    let env = after_an_update();
    for (keys, code) in [("n\n", 1), ("\n", 1), (CTRL_D, 1), (CTRL_C, 130)] {
        let mut session = undo(&env, &[]);
        session.expect("[y/N]");
        session.type_keys(keys);
        session.finish().assert_code(code).contains_none(&["2 changed", "outcome"]);
    }
    assert!(changes(&env).is_empty());
    assert_eq!(env.history().len(), 2);
}

#[test]
fn nothing_is_asked_where_nobody_needs_to_answer() {
    let env = after_an_update();
    undo(&env, &["--dry-run"]).finish().assert_code(0).contains_none(&["[y/N]"]);
    undo(&env, &["--yes"]).finish().assert_code(0).contains_none(&["[y/N]"]);
    let env = TestEnv::signed_in();
    undo(&env, &[]).finish().assert_code(1).contains_none(&["[y/N]"]);
}
