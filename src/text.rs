//! Text of other origin made safe to print, and small formats for messages.

use chrono::{DateTime, SecondsFormat, Utc};

/// Whether a terminal acts upon the character, or it changes the direction of text: C0 and C1 controls, line separators
/// and the bidirectional overrides that can disguise a name.
pub fn is_terminal_control(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
}

/// Text in one line: tabs and line ends become blanks, other control characters U+FFFD.
pub fn sanitize_line(text: &str) -> String {
    let replace = |character| match character {
        '\t' | '\n' | '\r' | '\u{2028}' | '\u{2029}' => ' ',
        other if is_terminal_control(other) => char::REPLACEMENT_CHARACTER,
        other => other,
    };
    text.replace("\r\n", " ").chars().map(replace).collect()
}

/// Text in several lines: tabs become blanks, control characters other than line feeds U+FFFD.
pub fn sanitize(text: &str) -> String {
    let replace = |character| match character {
        '\n' => '\n',
        '\t' => ' ',
        other if is_terminal_control(other) => char::REPLACEMENT_CHARACTER,
        other => other,
    };
    text.replace("\r\n", "\n").chars().map(replace).collect()
}

/// At most `limit` characters, with an ellipsis after a cut.
pub fn truncate(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Text of other origin for a message: one line of at most 80 characters.
pub fn display_excerpt(text: &str) -> String {
    truncate(&sanitize_line(text), 80)
}

/// A time in RFC 3339, in UTC and to the second.
pub fn format_timestamp(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// The counts that are not zero: `3 different, 1 unknown`.
pub fn format_counts<'w>(counts: impl IntoIterator<Item = (usize, &'w str)>) -> String {
    let counts = counts.into_iter().filter(|(count, _)| *count > 0);
    counts.map(|(count, word)| format!("{count} {word}")).collect::<Vec<_>>().join(", ")
}

/// An argument of at most 80 characters, quoted for a POSIX shell if necessary.
pub fn shell_quote_short(word: &str) -> String {
    shell_quote(&truncate(word, 80))
}

/// An argument of any length, quoted for a POSIX shell if necessary: for paths, which have to stay whole.
pub fn shell_quote(word: &str) -> String {
    let word = sanitize_line(word);
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./@:=+,%".contains(c) || (cfg!(windows) && c == '\\');
    if !word.is_empty() && word.chars().all(is_plain) { word } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sanitize_line_replaces_control_characters() {
        assert_eq!(sanitize_line("a\u{1b}[31mb\u{9b}c\u{202e}d\u{7f}"), "a\u{FFFD}[31mb\u{FFFD}c\u{FFFD}d\u{FFFD}");
    }

    #[test]
    fn sanitize_turns_line_ends_and_tabs_into_one_blank() {
        assert_eq!(sanitize_line("a\r\nb\tc\nd"), "a b c d");
        assert_eq!(sanitize("a\r\nb\tc\u{1b}"), "a\nb c\u{FFFD}");
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
