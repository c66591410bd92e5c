//! `undo` at a terminal asks as every change of many products does.

use super::*;
use crate::support::pty::{CTRL_C, CTRL_D, Screen};

fn after_an_update() -> Machine {
    let machine = Machine::signed_in();
    machine.run(&["products", "update", POWER_BI, VISIO, "--value", "trials", "--yes"]).expect_code(0);
    machine.tenant.forget_requests();
    machine
}

fn undo(machine: &Machine, flags: &[&str]) -> Screen {
    Screen::run(machine.command(&[&["undo", "--color", "never"], flags].concat()))
}

#[test]
fn the_plan_is_shown_and_made_only_after_a_yes() {
    let machine = after_an_update();
    let mut screen = undo(&machine, &[]);
    screen.expect("To be changed in the tenant 11111111-1111-4111-8111-111111111111:");
    screen.expect("Power BI Pro (CFQ7TTC0H9MP): OnlyTrialsWithoutPaymentMethod -> Enabled");
    screen.expect("Visio Plan 1 (CFQ7TTC0HD33): OnlyTrialsWithoutPaymentMethod -> Disabled");
    screen.expect("[y/N]");
    assert!(changes(&machine).is_empty());
    screen.keys("y\n");
    screen.finish().expect_code(0).expect_shown(&["2 changed"]);
    assert_eq!(machine.tenant.value_of(POWER_BI), "Enabled");
}

#[test]
fn what_is_left_as_it_is_is_named_before_the_question() {
    let machine = after_an_update();
    machine.tenant.set_value(VISIO, "Enabled");
    let mut screen = undo(&machine, &[]);
    screen.expect("warning: left as it is: Visio Plan 1");
    screen.expect("Make this change? [y/N]");
    screen.keys("n\n");
    screen.finish().expect_code(1).expect_shown(&["error: declined; nothing was changed"]);
    assert!(changes(&machine).is_empty());
}

#[test]
fn anything_but_a_yes_changes_nothing() {
    let machine = after_an_update();
    for (keys, code) in [("n\n", 1), ("\n", 1), (CTRL_D, 1), (CTRL_C, 130)] {
        let mut screen = undo(&machine, &[]);
        screen.expect("[y/N]");
        screen.keys(keys);
        screen.finish().expect_code(code).expect_not_shown(&["2 changed", "outcome"]);
    }
    assert!(changes(&machine).is_empty());
    assert_eq!(record(&machine).len(), 2);
}

#[test]
fn nothing_is_asked_where_nobody_needs_to_answer() {
    let machine = after_an_update();
    undo(&machine, &["--dry-run"]).finish().expect_code(0).expect_not_shown(&["[y/N]"]);
    undo(&machine, &["--yes"]).finish().expect_code(0).expect_not_shown(&["[y/N]"]);
    let machine = Machine::signed_in();
    undo(&machine, &[]).finish().expect_code(1).expect_not_shown(&["[y/N]"]);
}
