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

#[test]
fn help_on_a_narrow_terminal_keeps_words_together_on_their_lines() {
    let machine = Machine::new();
    for columns in [50, 30, 28] {
        let script = format!(r#"stty cols {columns}; "$@""#);
        let left = Screen::run_in_shell(&script, &machine.command(&["products", "list", "--help"])).finish();
        let left = left.expect_code(0);
        // A word that is longer than the line stays whole.
        let fits = |line: &str| line.contains('\u{1b}') || !line.trim().contains(' ') || line.len() <= columns;
        assert!(left.shown.lines().all(fits), "{}", left.shown);
        left.expect_shown(&["\n          Say less: only"]);
    }
    // Narrower than that, the terminal itself breaks what is laid out for 28.
    let script = r#"stty cols 20; "$@""#;
    Screen::run_in_shell(script, &machine.command(&["products", "list", "--help"]))
        .finish()
        .expect_code(0)
        .expect_shown(&["\n          Say less: only"]);
}
