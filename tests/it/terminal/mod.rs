//! What a person sees and does at a terminal of 80 columns: tables, colour, prompts, Ctrl-C; and what other
//! programs get at the other end of a pipe.

mod ctrl_c;
mod locale;
mod color;
mod narrow;
mod pipes;
mod prompts;
mod control_characters;

use std::io::Read as _;
use std::process::{Command, Stdio};
use std::sync::{Mutex, mpsc};
use std::time::{Duration, Instant};

use serde_json::json;
use unicode_width::UnicodeWidthStr as _;

use crate::support::pty::{COLUMNS, CTRL_C, CTRL_D, Left, Screen, in_shell};
use crate::support::server::{Connection, Server};
use crate::support::env::{Machine, Ran};
use crate::tenant::{
    ADMIN, Answer, CUSTOMER_DOMAIN, DeviceApproval, HOME_TENANT, PASSWORD, Product, default_products, jwt,
};

const POWER_BI: &str = "CFQ7TTC0H9MP";
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

impl Machine {
    /// Runs to the end at a terminal.
    fn at_terminal(&self, arguments: &[&str]) -> Left {
        Screen::run(self.command(arguments)).finish()
    }

    /// Runs at a terminal with further variables.
    fn screen_with(&self, variables: &[(&str, &str)], arguments: &[&str]) -> Screen {
        let mut command = self.command(arguments);
        command.envs(variables.iter().copied());
        Screen::run(command)
    }

    fn changes(&self) -> usize {
        self.requests().iter().filter(|line| line.starts_with("PUT ")).count()
    }
}

impl Left {
    #[track_caller]
    fn expect_lines_that_fit(self) -> Self {
        for line in self.shown.lines() {
            let width = without_colour(line).width();
            assert!(width <= usize::from(COLUMNS), "{width} columns: {line}\n---\n{}", self.shown);
        }
        self
    }

    /// Nothing but colours of the tool's own steers the terminal.
    #[track_caller]
    fn expect_harmless(self) -> Self {
        let shown = without_colour(&self.shown);
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
fn expect_quick_end(screen: Screen) -> Left {
    let pressed = Instant::now();
    screen.keys(CTRL_C);
    let left = screen.finish().expect_code(130);
    assert!(pressed.elapsed() < QUICK, "{:?}", pressed.elapsed());
    left
}

fn type_password(screen: &mut Screen) {
    screen.expect("Password for admin@contoso.example: ");
    screen.expect_hidden_input();
    screen.keys(&format!("{PASSWORD}\n"));
}

#[test]
fn a_listing_fits_80_columns() {
    let machine = Machine::signed_in();
    let left = machine.at_terminal(&["products", "list", "--color", "never"]).expect_code(0).expect_lines_that_fit();
    insta::assert_snapshot!("products_list_at_80_columns", left.shown);
    let left = machine.at_terminal(&["products", "list", "--scope", "all", "--color", "never"]).expect_code(0);
    insta::assert_snapshot!("products_list_of_both_scopes_at_80_columns", left.expect_lines_that_fit().shown);
}

#[test]
fn single_records_fit_80_columns() {
    let machine = Machine::signed_in();
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
        let left = Screen::run(machine.command(&[command, &["--color", "never", "-q"]].concat())).finish();
        screens += &format!("$ mscommerce {}\n{}\n", command.join(" "), left.expect_lines_that_fit().shown);
    }
    insta::assert_snapshot!("records_at_80_columns", screens);
}

#[test]
fn the_header_is_bold_unless_colour_is_not_wanted() {
    let machine = Machine::signed_in();
    let coloured = machine.at_terminal(LIST).expect_code(0).shown;
    // The line of field names is the one that begins with the first of them.
    let header = coloured.lines().find(|line| line.contains("id ") && line.contains("policyValue")).unwrap();
    assert!(header.starts_with(BOLD) && header.ends_with("\u{1b}[0m"), "{header:?}");
    let rows = without_colour(&coloured).lines().filter(|line| line.ends_with("  Enabled")).count();
    assert_eq!(coloured.matches('\u{1b}').count(), 2 + 3 * rows, "the header, and what is enabled: {coloured:?}");

    let plain = without_colour(&coloured);
    assert_eq!(machine.at_terminal(&["products", "list", "--color", "never"]).shown, plain);
    assert_eq!(machine.screen_with(&[("NO_COLOR", "1")], LIST).finish().shown, plain);
    assert_eq!(machine.screen_with(&[("TERM", "dumb")], LIST).finish().shown, plain);
    // An empty variable counts as unset (no-color.org), and a flag outranks it.
    assert_eq!(machine.screen_with(&[("NO_COLOR", "")], LIST).finish().shown, coloured);
    let always = ["products", "list", "--color", "always"];
    assert_eq!(machine.screen_with(&[("NO_COLOR", "1")], &always).finish().shown, coloured);
}

#[test]
fn error_and_hint_are_coloured_only_where_colour_is_wanted() {
    let machine = Machine::new();
    let coloured = machine.at_terminal(LIST).expect_code(4).shown;
    assert!(coloured.contains('\u{1b}'), "{coloured:?}");
    let plain = machine.at_terminal(&["products", "list", "--color", "never"]).expect_code(4).shown;
    assert_eq!(without_colour(&coloured), plain);
    assert!(plain.starts_with("error: nobody is signed in\nhint: "), "{plain}");
}

#[test]
fn long_names_wrap_and_nothing_is_lost() {
    let machine = Machine::signed_in();
    let words: Vec<String> = (0..40).map(|index| format!("word{index:02}")).collect();
    let unbroken: String = ('a'..='z').cycle().take(200).collect();
    let mut products = default_products();
    products.push(Product::new("CFQ7TTC0LONG", &words.join(" "), "Enabled"));
    products.push(Product::new("CFQ7TTC0SOLI", &unbroken, "Disabled"));
    machine.tenant.set_products(products);

    let left = machine.at_terminal(LIST).expect_code(0).expect_lines_that_fit();
    for word in &words {
        assert!(left.shown.contains(word.as_str()), "{word}\n{}", left.shown);
    }
    // The solid one is found again by joining the parts of its lines.
    let joined: String = left.shown.split_whitespace().collect();
    let rest = &unbroken[unbroken.len() - 20..];
    assert!(joined.contains(&unbroken[..20]) && joined.contains(rest), "{}", left.shown);

    for command in [["product", "get", "CFQ7TTC0LONG"], ["product", "get", "CFQ7TTC0SOLI"]] {
        machine.at_terminal(&command).expect_code(0).expect_lines_that_fit();
    }
}

#[test]
fn wide_characters_keep_the_columns_aligned() {
    let machine = Machine::signed_in();
    let names =
        ["Plain", "表計算ソフトウェア", "ロケット 🚀 プラン", "Café crème", "Cafe\u{301}", "한국어 요금제", "🎉🎉🎉"];
    let products = names.iter().zip(1..).map(|(name, number)| {
        Product::new(&format!("CFQ7TTC0WID{number}"), name, if number % 2 == 0 { "Enabled" } else { "Disabled" })
    });
    machine.tenant.set_products(products.collect());
    let left = machine.at_terminal(&["products", "list", "--color", "never"]).expect_code(0).expect_lines_that_fit();
    let column_of = |line: &str, text: &str| line.find(text).map(|position| line[..position].width());
    let header = left.shown.lines().find(|line| line.contains("policyValue")).unwrap();
    let wanted = column_of(header, "policyValue").unwrap();
    for name in names {
        let line =
            left.shown.lines().find(|line| line.contains(name)).unwrap_or_else(|| panic!("{name}\n{}", left.shown));
        let found = column_of(line, "Enabled").or_else(|| column_of(line, "Disabled"));
        assert_eq!(found, Some(wanted), "{line}\n---\n{}", left.shown);
    }
}
