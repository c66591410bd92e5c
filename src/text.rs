//! Sanitizes untrusted text for output, and formats values for messages.

use chrono::{DateTime, SecondsFormat, Utc};
use regex_lite::{Captures, Regex};

/// Whether the character controls a terminal or can disguise a name: C0 and C1 controls, line separators and
/// bidirectional overrides.
pub fn is_terminal_control(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
}

/// Whether the character is invisible and has no width, such as those that web pages and spreadsheets add to names.
fn is_invisible(character: char) -> bool {
    matches!(character, '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
}

/// Removes invisible characters.
pub fn remove_invisible(text: &str) -> String {
    text.chars().filter(|character| !is_invisible(*character)).collect()
}

/// Replaces each run of white space with one space, and removes invisible characters.
pub fn collapse_whitespace(text: &str) -> String {
    let mut collapsed = String::with_capacity(text.len());
    for character in text.chars().filter(|character| !is_invisible(*character)) {
        match character.is_whitespace() {
            true if collapsed.ends_with(' ') => {}
            true => collapsed.push(' '),
            false => collapsed.push(character),
        }
    }
    collapsed
}

/// The form in which names and IDs are compared: without regard to case, surrounding and repeated white space, and
/// invisible characters.
pub fn comparison_key(text: &str) -> String {
    collapse_whitespace(text).trim().to_lowercase()
}

/// Converts text to one line: replaces tabs and line breaks with spaces, and other control characters with U+FFFD.
pub fn sanitize_line(text: &str) -> String {
    // Almost all text is clean, and a long list has thousands of cells.
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return text.to_owned();
    }
    let replace = |character| match character {
        '\t' | '\n' | '\r' | '\u{2028}' | '\u{2029}' => ' ',
        other if is_terminal_control(other) => char::REPLACEMENT_CHARACTER,
        other => other,
    };
    text.replace("\r\n", " ").chars().map(replace).collect()
}

/// Sanitizes text but keeps line feeds: replaces tabs with spaces, and other control characters with U+FFFD.
pub fn sanitize(text: &str) -> String {
    let replace = |character| match character {
        '\n' => '\n',
        '\t' => ' ',
        other if is_terminal_control(other) => char::REPLACEMENT_CHARACTER,
        other => other,
    };
    text.replace("\r\n", "\n").chars().map(replace).collect()
}

/// Replaces the escapes of lone surrogates in JSON text, which have no meaning in UTF-8, with that of U+FFFD.
pub fn replace_lone_surrogates(json: &str) -> String {
    if !json.contains(r"\u") {
        return json.to_owned();
    }
    // A pair, a lone surrogate, or any other escape, such as that of a backslash before `ud800`.
    let escape = Regex::new(r"\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]..|(u[dD][89a-fA-F]..)|.)");
    let replace = |escape: &Captures| escape.get(1).map_or(escape[0].to_owned(), |_| r"\ufffd".to_owned());
    escape.map_or_else(|_| json.to_owned(), |escape| escape.replace_all(json, replace).into_owned())
}

/// Truncates text to `limit` characters, followed by an ellipsis.
pub fn truncate(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Sanitizes untrusted text for a message: one line of at most 80 characters.
pub fn display_excerpt(text: &str) -> String {
    truncate(&sanitize_line(text), 80)
}

/// Formats a time as RFC 3339, in UTC, with a precision of one second.
pub fn format_timestamp(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Formats the counts that are not zero: `3 different, 1 unknown`.
pub fn format_counts<'w>(counts: impl IntoIterator<Item = (usize, &'w str)>) -> String {
    let counts = counts.into_iter().filter(|(count, _)| *count > 0);
    counts.map(|(count, label)| format!("{count} {label}")).collect::<Vec<_>>().join(", ")
}

/// Formats a number of things: `1 product`, `2 products`.
pub fn count_noun(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// Quotes an argument for a POSIX shell if necessary. Truncates it to 80 characters.
pub fn shell_quote_short(argument: &str) -> String {
    shell_quote(&truncate(argument, 80))
}

/// Quotes an argument for a POSIX shell if necessary. Does not truncate it, so it is suitable for paths.
pub fn shell_quote(argument: &str) -> String {
    let argument = sanitize_line(argument);
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./@:=+,%".contains(c) || (cfg!(windows) && c == '\\');
    if !argument.is_empty() && argument.chars().all(is_plain) {
        argument
    } else {
        format!("'{}'", argument.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sanitize_line_replaces_control_characters() {
        assert_eq!(sanitize_line("a\u{1b}[31mb\u{9b}c\u{202e}d\u{7f}"), "a\u{FFFD}[31mb\u{FFFD}c\u{FFFD}d\u{FFFD}");
        assert_eq!(sanitize_line("a\u{2067}b\u{85}c\u{2029}d"), "a\u{FFFD}b\u{FFFD}c d");
    }

    #[test]
    fn sanitize_replaces_line_breaks_and_tabs_with_spaces() {
        assert_eq!(sanitize_line("a\r\nb\tc\nd"), "a b c d");
        assert_eq!(sanitize("a\r\nb\tc\u{1b}"), "a\nb c\u{FFFD}");
    }

    #[test]
    fn comparison_key_ignores_case_white_space_and_invisible_characters() {
        let spellings =
            ["\u{FEFF}Power\u{A0} BI\u{200B} Pro\r\n", " power bi\t\u{3000}pro", "POWER\u{202F}BI PRO\u{200E}"];
        for text in spellings {
            assert_eq!(comparison_key(text), "power bi pro", "{text:?}");
        }
        assert_eq!(comparison_key(" \u{200B}\u{A0}"), "");
        assert_eq!(collapse_whitespace("  a \u{A0} b "), " a b ");
    }

    #[test]
    fn replace_lone_surrogates_keeps_other_escapes() {
        for (json, expected) in [
            (r#""a\ud800b""#, r#""a\ufffdb""#),
            (r#""\uD800\uD800\uDC00\uDFFF""#, r#""\ufffd\uD800\uDC00\ufffd""#),
            (r#""\uD800\n\udc00\u00e9""#, r#""\ufffd\n\ufffd\u00e9""#),
            (r#""\\ud800 \\\ud800""#, r#""\\ud800 \\\ufffd""#),
            (r#""\"\ud83d\ude00""#, r#""\"\ud83d\ude00""#),
        ] {
            assert_eq!(replace_lone_surrogates(json), expected);
        }
    }

    #[test]
    fn shell_quote_quotes_special_characters_only() {
        assert_eq!(shell_quote_short("CFQ7TTC0H9MP"), "CFQ7TTC0H9MP");
        assert_eq!(shell_quote_short("it's $HOME"), r"'it'\''s $HOME'");
        assert_eq!(shell_quote_short(""), "''");
    }

    #[test]
    fn truncate_counts_characters_not_bytes() {
        assert_eq!(truncate("äöü", 3), "äöü");
        assert_eq!(truncate("äöüß", 3), "äöü…");
    }
}
