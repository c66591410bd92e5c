//! Terminals that are narrower than any table.

use super::*;

#[test]
fn narrow_terminal_shows_whole_values() {
    let env = TestEnv::signed_in();
    for columns in [20, 10, 1] {
        let script = format!(r#"stty cols {columns}; "$@""#);
        for command in [&["status"][..], &["policy", "list"], GET, LIST] {
            let command = env.command(&[command, &["--color", "never"]].concat());
            let output = PtySession::run_in_shell(&script, &command).finish().assert_code(0);
            assert!(!output.screen.contains("panicked"), "{}", output.screen);
        }
        let output = PtySession::run_in_shell(&script, &env.command(&["status", "--color", "never"])).finish();
        output.contains_all(&["  11111111-1111-4111-8111-111111111111\n", "  admin@contoso.example\n"]);
    }
}
