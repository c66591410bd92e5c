//! What a person sees and does at a terminal of 80 columns: tables, colour, prompts, Ctrl-C; and what other
//! programs get at the other end of a pipe.

mod color;
mod control_characters;
mod ctrl_c;
mod locale;
mod narrow;
mod pipes;
mod prompts;

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
use crate::tenant::{
    ADMIN, CUSTOMER_DOMAIN, DeviceApproval, HOME_TENANT, PASSWORD, Product, Response, default_products, jwt,
};

const LIST: &[&str] = &["products", "list"];
const GET: &[&str] = &["product", "get", POWER_BI];
const DISABLE: &[&str] = &["product", "update", POWER_BI, "--value", "disabled"];
const CONNECT: &[&str] = &["connect", "--username", ADMIN];
const ENABLED_MARK: &str = "\u{1b}[1m\u{1b}[32m";
const BOLD: &str = "\u{1b}[1m";

/// Names a terminal would act upon: a window title, a clear screen, colours, the same with C1 controls, text that
/// runs backwards, a bell, a backspace.
const STEERING: &str = "A\u{1b}]0;owned\u{7}B\u{1b}[2J\u{1b}[31mC\u{9b}32mD\u{9d}0;owned\u{9c}E\u{202e}F\u{8}G\u{7f}H";

/// Longer than an interrupted program may take to end on a busy machine, shorter than any timeout.
const QUICK: Duration = Duration::from_secs(20);

impl TestEnv {
    /// Runs to the end at a terminal.
    fn at_terminal(&self, arguments: &[&str]) -> PtyOutput {
        PtySession::run(self.command(arguments)).finish()
    }

    /// Runs at a terminal with further variables.
    fn screen_with(&self, variables: &[(&str, &str)], arguments: &[&str]) -> PtySession {
        let mut command = self.command(arguments);
        command.envs(variables.iter().copied());
        PtySession::run(command)
    }
}

impl PtyOutput {
    #[track_caller]
    fn expect_lines_that_fit(self) -> Self {
        for line in self.screen.lines() {
            let width = without_colour(line).width();
            assert!(width <= usize::from(COLUMNS), "{width} columns: {line}\n---\n{}", self.screen);
        }
        self
    }

    /// Nothing but colours of the tool's own steers the terminal.
    #[track_caller]
    fn expect_harmless(self) -> Self {
        let shown = without_colour(&self.screen);
        let steers = |character: char| {
            (character.is_control() && !matches!(character, '\n' | '\t'))
                || ('\u{202a}'..='\u{202e}').contains(&character)
        };
        assert!(!shown.contains(steers), "{shown:?}");
        self
    }
}

/// The text without the sequences of the tool's few styles. Its colours come with bold, so that a foreign one stays.
fn without_colour(text: &str) -> String {
    let coloured = ["\u{1b}[1m\u{1b}[31m", ENABLED_MARK, "\u{1b}[1m\u{1b}[33m", "\u{1b}[1m\u{1b}[36m"];
    let others = [BOLD, "\u{1b}[2m", "\u{1b}[0m"];
    coloured.iter().chain(&others).fold(text.to_owned(), |text, style| text.replace(style, ""))
}

// Tables.

#[track_caller]
fn expect_quick_end(session: PtySession) -> PtyOutput {
    let pressed = Instant::now();
    session.type_keys(CTRL_C);
    let output = session.finish().assert_code(130);
    assert!(pressed.elapsed() < QUICK, "{:?}", pressed.elapsed());
    output
}

fn type_password(session: &mut PtySession) {
    session.expect("Password for admin@contoso.example: ");
    session.expect_hidden_input();
    session.type_keys(&format!("{PASSWORD}\n"));
}

#[test]
fn a_listing_fits_80_columns() {
    let env = TestEnv::signed_in();
    let output = env.at_terminal(&["products", "list", "--color", "never"]).assert_code(0).expect_lines_that_fit();
    insta::assert_snapshot!("products_list_at_80_columns", output.screen);
    let output = env.at_terminal(&["products", "list", "--scope", "all", "--color", "never"]).assert_code(0);
    insta::assert_snapshot!("products_list_of_both_scopes_at_80_columns", output.expect_lines_that_fit().screen);
}

#[test]
fn single_records_fit_80_columns() {
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
        screens += &format!("$ mscommerce {}\n{}\n", command.join(" "), output.expect_lines_that_fit().screen);
    }
    insta::assert_snapshot!("records_at_80_columns", screens);
}

#[test]
fn the_header_is_bold_unless_colour_is_not_wanted() {
    let env = TestEnv::signed_in();
    let coloured = env.at_terminal(LIST).assert_code(0).screen;
    // The line of field names is the one that begins with the first of them.
    let header = coloured.lines().find(|line| line.contains("id ") && line.contains("policyValue")).unwrap();
    assert!(header.starts_with(BOLD) && header.ends_with("\u{1b}[0m"), "{header:?}");
    let rows = without_colour(&coloured).lines().filter(|line| line.ends_with("  Enabled")).count();
    assert_eq!(coloured.matches('\u{1b}').count(), 2 + 3 * rows, "the header, and what is enabled: {coloured:?}");

    let plain = without_colour(&coloured);
    assert_eq!(env.at_terminal(&["products", "list", "--color", "never"]).screen, plain);
    assert_eq!(env.screen_with(&[("NO_COLOR", "1")], LIST).finish().screen, plain);
    assert_eq!(env.screen_with(&[("TERM", "dumb")], LIST).finish().screen, plain);
    // An empty variable counts as unset (no-color.org), and a flag outranks it.
    assert_eq!(env.screen_with(&[("NO_COLOR", "")], LIST).finish().screen, coloured);
    let always = ["products", "list", "--color", "always"];
    assert_eq!(env.screen_with(&[("NO_COLOR", "1")], &always).finish().screen, coloured);
}

#[test]
fn error_and_hint_are_coloured_only_where_colour_is_wanted() {
    let env = TestEnv::new();
    let coloured = env.at_terminal(LIST).assert_code(4).screen;
    assert!(coloured.contains('\u{1b}'), "{coloured:?}");
    let plain = env.at_terminal(&["products", "list", "--color", "never"]).assert_code(4).screen;
    assert_eq!(without_colour(&coloured), plain);
    assert!(plain.starts_with("error: nobody is signed in\nhint: "), "{plain}");
}

#[test]
fn long_names_wrap_and_nothing_is_lost() {
    let env = TestEnv::signed_in();
    let words: Vec<String> = (0..40).map(|index| format!("word{index:02}")).collect();
    let unbroken: String = ('a'..='z').cycle().take(200).collect();
    let mut products = default_products();
    products.push(Product::new("CFQ7TTC0LONG", &words.join(" "), "Enabled"));
    products.push(Product::new("CFQ7TTC0SOLI", &unbroken, "Disabled"));
    env.tenant.set_products(products);

    let output = env.at_terminal(LIST).assert_code(0).expect_lines_that_fit();
    for word in &words {
        assert!(output.screen.contains(word.as_str()), "{word}\n{}", output.screen);
    }
    // The solid one is found again by joining the parts of its lines.
    let joined: String = output.screen.split_whitespace().collect();
    let rest = &unbroken[unbroken.len() - 20..];
    assert!(joined.contains(&unbroken[..20]) && joined.contains(rest), "{}", output.screen);

    for command in [["product", "get", "CFQ7TTC0LONG"], ["product", "get", "CFQ7TTC0SOLI"]] {
        env.at_terminal(&command).assert_code(0).expect_lines_that_fit();
    }
}

#[test]
fn wide_characters_keep_the_columns_aligned() {
    let env = TestEnv::signed_in();
    let names =
        ["Plain", "表計算ソフトウェア", "ロケット 🚀 プラン", "Café crème", "Cafe\u{301}", "한국어 요금제", "🎉🎉🎉"];
    let products = names.iter().zip(1..).map(|(name, number)| {
        Product::new(&format!("CFQ7TTC0WID{number}"), name, if number % 2 == 0 { "Enabled" } else { "Disabled" })
    });
    env.tenant.set_products(products.collect());
    let output = env.at_terminal(&["products", "list", "--color", "never"]).assert_code(0).expect_lines_that_fit();
    let column_of = |line: &str, text: &str| line.find(text).map(|position| line[..position].width());
    let header = output.screen.lines().find(|line| line.contains("policyValue")).unwrap();
    let wanted = column_of(header, "policyValue").unwrap();
    for name in names {
        let line = output
            .screen
            .lines()
            .find(|line| line.contains(name))
            .unwrap_or_else(|| panic!("{name}\n{}", output.screen));
        let found = column_of(line, "Enabled").or_else(|| column_of(line, "Disabled"));
        assert_eq!(found, Some(wanted), "{line}\n---\n{}", output.screen);
    }
}
