//! Terminals narrower than any table.

use super::*;

#[test]
fn at_20_columns_and_fewer_values_stay_whole_below_the_names_of_their_fields() {
    let env = TestEnv::signed_in();
    for columns in [20, 10, 1] {
        let script = format!(r#"stty cols {columns}; "$@""#);
        for command in [&["status"][..], &["policy", "list"], GET, LIST] {
            let command = env.command(&[command, &["--color", "never"]].concat());
            let output = PtySession::run_in_shell(&script, &command).finish().assert_code(0);
            assert!(!output.screen.contains("panicked"), "{}", output.screen);
        }
        let output = PtySession::run_in_shell(&script, &env.command(&["status", "--color", "never"])).finish();
        output
            .contains_all(&["tenantId:\n11111111-1111-4111-8111-111111111111\n", "account:\nadmin@contoso.example\n"]);
    }
}

#[test]
fn help_on_a_narrow_terminal_keeps_words_together_on_their_lines() {
    let env = TestEnv::new();
    for columns in [50, 30, 28] {
        let script = format!(r#"stty cols {columns}; "$@""#);
        let output = PtySession::run_in_shell(&script, &env.command(&["products", "list", "--help"])).finish();
        let output = output.assert_code(0);
        // A word that is longer than the line stays whole.
        let fits = |line: &str| line.contains('\u{1b}') || !line.trim().contains(' ') || line.len() <= columns;
        assert!(output.screen.lines().all(fits), "{}", output.screen);
        output.contains_all(&["\n          Say less: only"]);
    }
    // Narrower than that, the terminal itself breaks what is laid out for 28.
    let script = r#"stty cols 20; "$@""#;
    PtySession::run_in_shell(script, &env.command(&["products", "list", "--help"]))
        .finish()
        .assert_code(0)
        .contains_all(&["\n          Say less: only"]);
}
