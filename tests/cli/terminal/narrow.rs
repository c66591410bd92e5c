//! Terminals narrower than any table.

use super::*;

#[test]
fn at_20_columns_and_fewer_values_stay_whole_below_the_names_of_their_fields() {
    let machine = Machine::signed_in();
    for columns in [20, 10, 1] {
        let script = format!(r#"stty cols {columns}; "$@""#);
        for command in [&["status"][..], &["policy", "list"], GET, LIST] {
            let command = machine.command(&[command, &["--color", "never"]].concat());
            let left = Screen::run_in_shell(&script, &command).finish().expect_code(0);
            assert!(!left.shown.contains("panicked"), "{}", left.shown);
        }
        let left = Screen::run_in_shell(&script, &machine.command(&["status", "--color", "never"])).finish();
        left.expect_shown(&["tenantId:\n11111111-1111-4111-8111-111111111111\n", "account:\nadmin@contoso.example\n"]);
    }
}
