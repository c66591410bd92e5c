//! Terminals of 80 columns: tables, color, prompts, Ctrl-C; and output into pipes.

mod control_characters;
mod ctrl_c;
mod narrow;
mod pipes;
mod prompts;
mod spinner;
mod tables;

use std::io::Read as _;
use std::process::{Command, Stdio};
use std::sync::{Mutex, mpsc};
use std::time::{Duration, Instant};

use serde_json::json;
use unicode_width::UnicodeWidthStr as _;

use crate::support::cli::CliResult;
use crate::support::env::TestEnv;
use crate::support::fixtures::POWER_BI;
use crate::support::pty::{COLUMNS, CTRL_C, CTRL_D, PtyOutput, PtySession, in_shell};
use crate::support::server::{Connection, Server};
use crate::support::snapshot::Transcript;
use crate::tenant::{
    ADMIN, CUSTOMER_DOMAIN, DeviceApproval, HOME_TENANT, PASSWORD, Product, Response, default_products, jwt,
};

const LIST: &[&str] = &["products", "list"];
const GET: &[&str] = &["product", "get", POWER_BI];
const DISABLE: &[&str] = &["product", "update", POWER_BI, "--value", "disabled"];
const CONNECT: &[&str] = &["connect", "--username", ADMIN];
const GREEN: &str = "\u{1b}[1m\u{1b}[32m";
const BOLD: &str = "\u{1b}[1m";

/// Text that a terminal interprets: a window title, a clear screen, colors, the same with C1 controls, right-to-left
/// text, a bell, a backspace.
const CONTROL_CHARACTERS: &str =
    "A\u{1b}]0;owned\u{7}B\u{1b}[2J\u{1b}[31mC\u{9b}32mD\u{9d}0;owned\u{9c}E\u{202e}F\u{8}G\u{7f}H";

/// Longer than an interrupted program takes to exit on a busy machine, shorter than any timeout.
const EXIT_LIMIT: Duration = Duration::from_secs(20);

impl TestEnv {
    /// Runs in a terminal until the command exits.
    fn run_in_terminal(&self, arguments: &[&str]) -> PtyOutput {
        PtySession::run(self.command(arguments)).finish()
    }

    /// Starts a command in a terminal, with further environment variables.
    fn start_in_terminal(&self, variables: &[(&str, &str)], arguments: &[&str]) -> PtySession {
        let mut command = self.command(arguments);
        command.envs(variables.iter().copied());
        PtySession::run(command)
    }
}

impl PtyOutput {
    #[track_caller]
    fn assert_lines_fit(self) -> Self {
        for line in self.screen.lines() {
            let width = without_styles(line).width();
            assert!(width <= usize::from(COLUMNS), "{width} columns: {line}\n---\n{}", self.screen);
        }
        self
    }

    /// Asserts that the screen contains no control sequences except the styles of the program.
    #[track_caller]
    fn assert_no_control_characters(self) -> Self {
        let text = without_styles(&self.screen);
        let is_control = |character: char| {
            (character.is_control() && !matches!(character, '\n' | '\t'))
                || ('\u{202a}'..='\u{202e}').contains(&character)
        };
        assert!(!text.contains(is_control), "{text:?}");
        self
    }
}

/// The text without the styles of the program. Its colors are always bold, so colors from elsewhere remain.
fn without_styles(text: &str) -> String {
    let colors = ["\u{1b}[1m\u{1b}[31m", GREEN, "\u{1b}[1m\u{1b}[33m", "\u{1b}[1m\u{1b}[36m"];
    let others = [BOLD, "\u{1b}[2m", "\u{1b}[0m"];
    colors.iter().chain(&others).fold(text.to_owned(), |text, style| text.replace(style, ""))
}

/// Presses Ctrl-C and asserts that the program exits soon with exit code 130.
#[track_caller]
fn interrupt(session: PtySession) -> PtyOutput {
    let pressed = Instant::now();
    session.type_keys(CTRL_C);
    let output = session.finish().assert_code(130);
    assert!(pressed.elapsed() < EXIT_LIMIT, "{:?}", pressed.elapsed());
    output
}

fn type_password(session: &mut PtySession) {
    session.expect("Password for admin@contoso.example: ");
    session.expect_hidden_input();
    session.type_keys(&format!("{PASSWORD}\n"));
}

#[test]
fn list_fits_80_columns() {
    let env = TestEnv::signed_in();
    let output = env.run_in_terminal(&["products", "list", "--color", "never"]).assert_code(0).assert_lines_fit();
    insta::assert_snapshot!("products_list_at_80_columns", output.screen);
    let output = env.run_in_terminal(&["products", "list", "--scope", "all", "--color", "never"]).assert_code(0);
    insta::assert_snapshot!("products_list_of_both_scopes_at_80_columns", output.assert_lines_fit().screen);
}

#[test]
fn records_fit_80_columns() {
    let env = TestEnv::signed_in();
    let mut screens = String::new();
    for command in [
        GET,
        &["product", "get", "--offer-type", "SaaS"],
        &[DISABLE, &["--dry-run"]].concat(),
        DISABLE,
        DISABLE,
        &["policy", "list"],
        &["policy", "get"],
    ] {
        let output = PtySession::run(env.command(&[command, &["--color", "never", "-q"]].concat())).finish();
        screens += &format!("$ mscommerce {}\n{}\n", command.join(" "), output.assert_lines_fit().screen);
    }
    insta::assert_snapshot!("records_at_80_columns", screens);
}

#[test]
fn header_is_bold_unless_color_is_off() {
    let env = TestEnv::signed_in();
    let colored = env.run_in_terminal(LIST).assert_code(0).screen;
    let header = colored.lines().next().unwrap();
    assert!(header.starts_with("\u{1b}[1mNAME ") && header.ends_with("ID\u{1b}[0m"), "{header:?}");
    assert_eq!(colored.matches('\u{1b}').count(), 2, "only the header is styled: {colored:?}");

    let plain = without_styles(&colored);
    assert_eq!(env.run_in_terminal(&["products", "list", "--color", "never"]).screen, plain);
    assert_eq!(env.start_in_terminal(&[("NO_COLOR", "1")], LIST).finish().screen, plain);
    assert_eq!(env.start_in_terminal(&[("TERM", "dumb")], LIST).finish().screen, plain);
    // An empty variable counts as unset (no-color.org), and the flag takes precedence.
    assert_eq!(env.start_in_terminal(&[("NO_COLOR", "")], LIST).finish().screen, colored);
    let always = ["products", "list", "--color", "always"];
    assert_eq!(env.start_in_terminal(&[("NO_COLOR", "1")], &always).finish().screen, colored);
}

#[test]
fn error_and_hint_are_colored_unless_color_is_off() {
    let env = TestEnv::new();
    let colored = env.run_in_terminal(LIST).assert_code(4).screen;
    assert!(colored.contains('\u{1b}'), "{colored:?}");
    let plain = env.run_in_terminal(&["products", "list", "--color", "never"]).assert_code(4).screen;
    assert_eq!(without_styles(&colored), plain);
    assert!(plain.starts_with("error: not signed in\nhint: "), "{plain}");
}

#[test]
fn long_names_wrap_completely() {
    let env = TestEnv::signed_in();
    let words: Vec<String> = (0..40).map(|index| format!("word{index:02}")).collect();
    let unbroken: String = ('a'..='z').cycle().take(200).collect();
    let mut products = default_products();
    products.push(Product::new("CFQ7TTC0LONG", &words.join(" "), "Enabled"));
    products.push(Product::new("CFQ7TTC0SOLI", &unbroken, "Disabled"));
    env.tenant.set_products(products);

    let output = env.run_in_terminal(LIST).assert_code(0).assert_lines_fit();
    for word in &words {
        assert!(output.screen.contains(word.as_str()), "{word}\n{}", output.screen);
    }
    // The unbroken name is split across lines.
    let joined: String = output.screen.split_whitespace().collect();
    let rest = &unbroken[unbroken.len() - 20..];
    assert!(joined.contains(&unbroken[..20]) && joined.contains(rest), "{}", output.screen);

    for command in [["product", "get", "CFQ7TTC0LONG"], ["product", "get", "CFQ7TTC0SOLI"]] {
        env.run_in_terminal(&command).assert_code(0).assert_lines_fit();
    }
}

#[test]
fn wide_characters_keep_columns_aligned() {
    let env = TestEnv::signed_in();
    let names =
        ["Plain", "表計算ソフトウェア", "ロケット 🚀 プラン", "Café crème", "Cafe\u{301}", "한국어 요금제", "🎉🎉🎉"];
    let products = names.iter().zip(1..).map(|(name, number)| {
        Product::new(&format!("CFQ7TTC0WID{number}"), name, if number % 2 == 0 { "Enabled" } else { "Disabled" })
    });
    env.tenant.set_products(products.collect());
    let output = env.run_in_terminal(&["products", "list", "--color", "never"]).assert_code(0).assert_lines_fit();
    let column_of = |line: &str, text: &str| line.find(text).map(|position| line[..position].width());
    let expected = column_of(output.screen.lines().next().unwrap(), "VALUE").unwrap();
    for name in names {
        let line = output
            .screen
            .lines()
            .find(|line| line.contains(name))
            .unwrap_or_else(|| panic!("{name}\n{}", output.screen));
        let found = column_of(line, "Enabled").or_else(|| column_of(line, "Disabled"));
        assert_eq!(found, Some(expected), "{line}\n---\n{}", output.screen);
    }
}
