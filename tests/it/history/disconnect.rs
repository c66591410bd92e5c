//! `disconnect` and the record of changes, which outlives every sign-in.

use super::*;

#[test]
fn the_record_stays_and_it_is_said_where() {
    let machine = Machine::signed_in();
    machine.run(&["product", "update", POWER_BI, "--value", "disabled"]).expect_code(0);
    let before = fs::read(file(&machine)).unwrap();
    let path = file(&machine);
    let kept = ["record of changes", path.to_str().unwrap(), "mscommerce history"];
    // Each time, whether there is something to forget or not.
    for (arguments, told) in [
        (&["disconnect"][..], "Signed out: default"),
        (&["disconnect"], "Nobody was signed in"),
        (&["logout", "--all"], "Nobody was signed in"),
    ] {
        let ran = machine.run(arguments).expect_code(0).expect_no_data().expect_said(&[told]).expect_said(&kept);
        assert!(!ran.stderr.contains("warning"), "{}", ran.stderr);
        assert_eq!(fs::read(&path).unwrap(), before);
    }
    machine.sign_in(crate::tenant::ADMIN);
    machine.run(&["disconnect", "--all"]).expect_code(0).expect_said(&kept);
    assert_eq!(column(&history(&machine, &[]), "id"), [POWER_BI]);
    machine.run(&["undo", "--yes"]).expect_code(4).expect_no_data().expect_said(&["nobody is signed in"]);
}

#[test]
fn nothing_is_said_of_it_where_there_is_none_or_less_is_to_be_said() {
    let machine = Machine::signed_in();
    let ran = machine.run(&["disconnect"]).expect_code(0).expect_said(&["Signed out: default"]);
    assert!(!ran.stderr.contains("record"), "{}", ran.stderr);
    let ran = Machine::new().run(&["disconnect"]).expect_code(0);
    assert!(!ran.stderr.contains("record"), "{}", ran.stderr);

    let machine = Machine::signed_in();
    machine.run(&["product", "update", POWER_BI, "--value", "disabled"]).expect_code(0);
    assert_eq!(machine.run(&["disconnect", "-q"]).expect_code(0).stderr, "");
    assert_eq!(record(&machine).len(), 1);
}

#[test]
fn a_sign_in_anew_can_take_back_what_was_changed_before() {
    let machine = Machine::signed_in();
    machine.run(&["product", "update", POWER_BI, "--value", "disabled"]).expect_code(0);
    machine.run(&["disconnect"]).expect_code(0);
    machine.sign_in(crate::tenant::ADMIN);
    machine.run(&["undo", "--yes"]).expect_code(0).expect_said(&["1 changed"]);
    assert_eq!(machine.tenant.value_of(POWER_BI), "Enabled");
}
