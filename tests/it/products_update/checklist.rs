//! `product update` without a selection: the list on the terminal.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthStr;

use crate::support::env::TestEnv;
use crate::support::fixtures::{POWER_BI, VISIO, VISIO_2};
use crate::support::pty::{CTRL_C, CTRL_D, PtySession};
use crate::tenant::Product;

const UPDATE: &[&str] = &["product", "update"];
const ESCAPE: &str = "\u{1b}";
const DOWN: &str = "\u{1b}[B";
const SHOW_CURSOR: &str = "\u{1b}[?25h";

/// Starts the command and waits for the list.
fn open_list(env: &TestEnv, arguments: &[&str]) -> PtySession {
    let mut session = PtySession::run(env.command(&[UPDATE, arguments].concat()));
    session.expect("Products to change:");
    session.expect("Visio Plan 1");
    session.expect("esc to cancel]");
    session
}

/// Types a key, and waits for the text that it shows.
fn press(session: &mut PtySession, keys: &str, shown: &str) {
    session.type_keys(keys);
    session.expect(shown);
}

#[test]
fn ticked_products_get_the_picked_value_after_confirmation() {
    let env = TestEnv::signed_in();
    env.tenant.set_value(VISIO_2, "Enabled");
    let mut session = open_list(&env, &[]);
    press(&mut session, "visio", "Visio Plan 2 (CFQ7TTC0HD32): Enabled");
    press(&mut session, DOWN, "esc to cancel]");
    press(&mut session, " ", "[x] Visio Plan 2");
    press(&mut session, "\r", "New value:");
    session.expect("esc to cancel]");
    // Before, the key would not reach the list.
    session.expect_hidden_input();
    press(&mut session, DOWN, "> Disabled");
    press(&mut session, "\r", "Visio Plan 2 (CFQ7TTC0HD32): Enabled");
    session.expect("[y/N]");
    session.type_keys("y\n");
    session.finish().assert_code(0);
    assert_eq!(env.tenant.value(VISIO_2), "Disabled");
    assert_eq!(env.update_requests().len(), 1);
}

#[test]
fn value_on_the_command_line_is_not_asked_for() {
    let env = TestEnv::signed_in();
    env.tenant.set_value(VISIO, "Enabled");
    let mut session = open_list(&env, &["--value", "trials", "--yes"]);
    press(&mut session, "visio plan 1", "esc to cancel]");
    press(&mut session, " ", "[x] Visio Plan 1");
    session.type_keys("\r");
    session.finish().assert_code(0).contains_none(&["New value:", "[y/N]"]);
    assert_eq!(env.tenant.value(VISIO), "OnlyTrialsWithoutPaymentMethod");
}

#[test]
fn nothing_ticked_or_escape_changes_nothing() {
    let env = TestEnv::signed_in();
    for keys in ["\r", ESCAPE] {
        let session = open_list(&env, &["--value", "disabled"]);
        session.type_keys(keys);
        session.finish().assert_code(1).contains_all(&["Cancelled. Nothing was changed.\n"]);
    }
    // Escape at the value, after a product was ticked.
    let mut session = open_list(&env, &[]);
    press(&mut session, " ", "[x] ");
    press(&mut session, "\r", "New value:");
    session.expect("esc to cancel]");
    // Before, the key would not reach the list.
    session.expect_hidden_input();
    session.type_keys(ESCAPE);
    session.finish().assert_code(1).contains_all(&["Cancelled. Nothing was changed.\n"]);
    env.assert_nothing_changed();
}

#[test]
fn ctrl_c_in_the_list_restores_the_terminal() {
    let env = TestEnv::signed_in();
    let script = r#"before=$(stty -g); "$@"; echo "code $?"; [ "$before" = "$(stty -g)" ] && echo "modes restored""#;
    let mut session = PtySession::run_in_shell(script, &env.command(&[UPDATE, &["--value", "disabled"]].concat()));
    session.expect("Visio Plan 1");
    session.expect("esc to cancel]");
    // Before, the key would not reach the list.
    session.expect_hidden_input();
    session.type_keys(CTRL_C);
    let output = session.finish().assert_code(0).contains_all(&["interrupted\n", "code 130", "modes restored"]);
    let (_, last) = output.screen.rsplit_once("\u{1b}[?25l").unwrap_or_default();
    assert!(output.screen.contains(SHOW_CURSOR) && !last.is_empty() && last.contains(SHOW_CURSOR), "{}", output.screen);
    env.assert_nothing_changed();
}

#[test]
fn list_is_not_shown_without_a_terminal_or_for_several_tenants() {
    let env = TestEnv::signed_in();
    let error = "error: nothing is selected: name a PRODUCT, or use --offer-type, --name or --all\n";
    env.run(&[UPDATE, &["--value", "disabled"]].concat()).assert_code(2).stderr_contains(&[error]);
    let tenants = ["--tenant", "contoso.example", "--tenant", "fabrikam.example", "--value", "disabled"];
    for (arguments, variables) in [(&tenants[..], &[][..]), (&tenants[4..], &[("TERM", "dumb")])] {
        let mut command = env.command(&[UPDATE, arguments].concat());
        command.envs(variables.iter().copied());
        PtySession::run(command).finish().assert_code(2).contains_all(&["nothing is selected"]);
    }
    // A value without a selection and without a list needs both.
    env.run(&[UPDATE, &[POWER_BI]].concat()).assert_code(2).stderr_contains(&["the new value is missing"]);
    assert!(env.request_lines().is_empty());
}

/// Products with names that are hard to show, and enough others to fill any page.
fn env_with_hostile_names() -> TestEnv {
    let env = TestEnv::signed_in();
    let long = "x".repeat(10_000);
    let names = [
        "\u{1b}[31mred\u{1b}[0m\u{7}",
        "a\nb\r\nc",
        "\u{202e}evil",
        &long,
        &"製品".repeat(200),
        " \u{200b}",
        "[x] ticked",
    ];
    let hostile =
        names.iter().enumerate().map(|(index, name)| Product::new(&format!("CFQ7TTC0HN{index:02}"), name, "Enabled"));
    let others = (0..3000).map(|index| Product::new(&format!("CFQ7TTZ{index:05}"), &format!("Z {index}"), "Disabled"));
    env.tenant.set_products(hostile.chain(others).collect());
    env
}

#[test]
fn list_fits_the_terminal_whatever_the_names() {
    let env = env_with_hostile_names();
    let (columns, rows) = (40, 12);
    let script = format!(r#"stty cols {columns} rows {rows}; "$@""#);
    let command = env.command(&[UPDATE, &["--value", "disabled", "--color", "never"]].concat());
    let mut session = PtySession::run_in_shell(&script, &command);
    session.expect("esc to cancel]");
    // Before, the key would not reach the list.
    session.expect_hidden_input();
    session.type_keys(CTRL_C);
    let screen =
        session.finish().assert_code(130).contains_none(&["\u{1b}[31m", "\u{1b}[32m", "\u{1b}[36m", "\u{202e}"]).screen;
    let start = screen.find("Products to change:").unwrap();
    let end = screen.find("esc to cancel]").unwrap();
    let lines: Vec<&str> = screen[start..end].lines().collect();
    assert!(lines.len() < rows, "{} lines\n{}", lines.len(), lines.join("\n"));
    let mut items = String::new();
    for line in &lines[1..lines.len() - 2] {
        assert!(line.width() <= columns, "{line}");
        writeln!(items, "{line}").unwrap();
    }
    insta::assert_snapshot!(items, @"
    > [ ] �[31mred�[0m� (C…C0HN00): Enabled
      [ ] [x] ticked (CFQ7…C0HN06): Enabled
      [ ] a b c (CFQ7TTC0HN01): Enabled
      [ ] CFQ7TTC0HN05: Enabled
      [ ] �evil (CFQ7TTC0HN02): Enabled
      [ ] xxxxxxxxxxxxxxxx…C0HN03): Enabled
      [ ] Z 0 (CFQ7TTZ00000): Disabled
    v [ ] Z 1 (CFQ7TTZ00001): Disabled
    ");
    env.assert_nothing_changed();
}

#[test]
fn filter_ignores_control_characters_and_searches_the_whole_name() {
    let env = env_with_hostile_names();
    env.tenant.set_products(vec![
        Product::new(VISIO, "Visio Plan 1", "Enabled"),
        Product::new(POWER_BI, &format!("{}needle {}", "hay ".repeat(11), "hay ".repeat(10)), "Enabled"),
    ]);
    let mut session = open_list(&env, &["--value", "disabled", "--yes"]);
    press(&mut session, &format!("need{CTRL_D}le"), "esc to cancel]");
    press(&mut session, " ", "[x] hay");
    session.type_keys("\r");
    session.finish().assert_code(0);
    assert_eq!(env.updated_ids(), [POWER_BI]);
}
