//! Formats messages as lines of the terminal.

use anstyle::{AnsiColor, Style};
use textwrap::{Options, WordSeparator, WordSplitter};

use crate::error::Error;
use crate::text;

pub const ERROR: Style = AnsiColor::Red.on_default().bold();
pub const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default().bold();

/// In columns. Messages are not wrapped to narrower terminals.
const MIN_WIDTH: usize = 20;

const CONTINUATION_INDENT: &str = "    ";

/// A line with a command is not wrapped, so that it can be copied.
const COMMAND: &str = "mscommerce ";

/// Formats an error as lines with ANSI styles: the label and message, the details, the hints.
pub fn format_error(style: Style, label: &str, error: &Error) -> String {
    let mut lines = format!("{style}{label}{style:#} {}\n", text::sanitize_line(&error.message()));
    for detail in error.details() {
        lines.push_str(&format!("  {}\n", text::sanitize_line(detail)));
    }
    for hint in error.hints() {
        lines.push_str(&format!("{HINT}hint:{HINT:#} {}\n", text::sanitize_line(hint)));
    }
    lines
}

/// Wraps lines at blanks to the width of the terminal in columns. Never breaks words, such as IDs and URLs, or commands.
pub fn wrap(text: &str, width: Option<u16>) -> String {
    let Some(width) = width.map(usize::from).filter(|width| *width >= MIN_WIDTH) else { return text.to_owned() };
    text.split_inclusive('\n')
        .map(|line| if line.contains(COMMAND) { line.to_owned() } else { wrap_line(line, width) })
        .collect()
}

fn wrap_line(line: &str, width: usize) -> String {
    let indent = &line[..line.len() - line.trim_start_matches(' ').len()];
    let indent = format!("{indent}{CONTINUATION_INDENT}");
    let options = Options::new(width)
        .subsequent_indent(&indent)
        .break_words(false)
        .word_separator(WordSeparator::AsciiSpace)
        .word_splitter(WordSplitter::NoHyphenation)
        .wrap_algorithm(textwrap::WrapAlgorithm::FirstFit);
    // textwrap drops blanks at the end, after which an answer is typed.
    let end = &line[line.trim_end_matches([' ', '\n']).len()..];
    textwrap::wrap(&line[..line.len() - end.len()], options).join("\n") + end
}

/// Formats an error without styles. Panics if the text is too long or contains control characters.
#[cfg(any(fuzzing, test))]
pub fn format_error_checked(error: &Error) -> String {
    let styled = format_error(ERROR, "error:", error);
    let plain = anstream::adapter::strip_str(&styled).to_string();
    assert!(!plain.chars().any(|character| character != '\n' && text::is_terminal_control(character)), "{plain:?}");
    assert!(plain.chars().count() < 4000, "{} characters", plain.chars().count());
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_wrap_at_blanks_except_commands() {
        for (text, wrapped) in [
            ("one two three four five six\n", "one two three four\n    five six\n"),
            ("  detail two three four\nnext\n", "  detail two three\n      four\nnext\n"),
            ("https://contoso.example/long?a=b c\n", "https://contoso.example/long?a=b\n    c\n"),
            ("hint: mscommerce product list --scope all\n", "hint: mscommerce product list --scope all\n"),
            ("question of four words [y/N] ", "question of four\n    words [y/N] "),
            ("\u{1b}[1merror:\u{1b}[0m one two three\n", "\u{1b}[1merror:\u{1b}[0m one two three\n"),
        ] {
            assert_eq!(wrap(text, Some(20)), wrapped, "{text:?}");
            assert_eq!(wrap(text, None), text);
        }
        assert_eq!(wrap("one two\n", Some(3)), "one two\n");
    }
}
