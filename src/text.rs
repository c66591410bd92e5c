//! Making text from elsewhere harmless where it is shown.

use chrono::{DateTime, SecondsFormat, Utc};
use unicode_width::UnicodeWidthChar;

/// Stands for a control character that would otherwise reach a terminal.

/// True for characters that steer a terminal or turn the direction of text around: C0 and C1 controls,
/// and the bidirectional overrides with which a name could disguise itself.
pub fn is_terminal_control(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
}

/// One line: tabs and line ends become spaces, other control characters U+FFFD.
pub fn sanitize_line(text: &str) -> String {
    // Nearly every text is like this, and a long table has many.
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return text.to_owned();
    }
    text.replace("\r\n", " ")
        .chars()
        .map(|character| match character {
            '\t' | '\n' | '\r' | '\u{2028}' | '\u{2029}' => ' ',
            other if is_terminal_control(other) => char::REPLACEMENT_CHARACTER,
            other => other,
        })
        .collect()
}

/// Several lines: line feeds stay, every other control character becomes U+FFFD.
pub fn sanitize(text: &str) -> String {
    text.replace("\r\n", "\n")
        .chars()
        .map(|character| match character {
            '\n' => '\n',
            '\t' => ' ',
            other if is_terminal_control(other) => char::REPLACEMENT_CHARACTER,
            other => other,
        })
        .collect()
}

/// For a terminal that shows ASCII alone: an ellipsis becomes three dots, a dash a hyphen, and anything else as many
/// question marks as it would be wide, so that columns stay aligned.
pub fn to_ascii(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            character if character.is_ascii() => shown.push(character),
            '…' => shown.push_str("..."),
            '–' | '—' => shown.push('-'),
            '‘' | '’' => shown.push('\''),
            '“' | '”' => shown.push('"'),
            other => shown.extend(std::iter::repeat_n('?', other.width().unwrap_or_default())),
        }
    }
    shown
}

/// At most `limit` characters, with an ellipsis where something was cut.
pub fn truncate(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Text from elsewhere inside a message: one line of at most 80 characters.
pub fn display_excerpt(text: &str) -> String {
    truncate(&sanitize_line(text), 80)
}

/// A moment to the second, as RFC 3339 writes it.
pub fn format_timestamp(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Counts that are not zero, in words: `3 different, 1 unknown`.
pub fn format_counts<'w>(counts: impl IntoIterator<Item = (usize, &'w str)>) -> String {
    let counts = counts.into_iter().filter(|(count, _)| *count > 0);
    counts.map(|(count, word)| format!("{count} {word}")).collect::<Vec<_>>().join(", ")
}

/// A word of a command line, quoted for a shell where it needs to be, and cut where it is too long to be typed.
pub fn shell_quote_short(word: &str) -> String {
    shell_quote(&truncate(word, 80))
}

/// A word of a command line, quoted for a shell where it needs to be: for paths, which are long and copied.
pub fn shell_quote(word: &str) -> String {
    let word = sanitize_line(word);
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./@:=+,%".contains(c) || (cfg!(windows) && c == '\\');
    if !word.is_empty() && word.chars().all(is_plain) { word } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminal_escapes_and_bidirectional_overrides_do_not_survive() {
        assert_eq!(sanitize_line("a\u{1b}[31mb\u{9b}c\u{202e}d\u{7f}"), "a\u{FFFD}[31mb\u{FFFD}c\u{FFFD}d\u{FFFD}");
    }

    #[test]
    fn line_ends_and_tabs_become_one_space_each() {
        assert_eq!(sanitize_line("a\r\nb\tc\nd"), "a b c d");
        assert_eq!(sanitize("a\r\nb\tc\u{1b}"), "a\nb c\u{FFFD}");
    }

    #[test]
    fn a_word_is_quoted_where_a_shell_would_read_it_otherwise() {
        assert_eq!(shell_quote_short("CFQ7TTC0H9MP"), "CFQ7TTC0H9MP");
        assert_eq!(shell_quote_short("it's $HOME"), r"'it'\''s $HOME'");
        assert_eq!(shell_quote_short(""), "''");
    }

    #[test]
    fn what_is_not_ascii_has_a_form_of_the_same_width() {
        assert_eq!(to_ascii("Café Cafe\u{301} 日本 – “x” …"), "Caf? Cafe ???? - \"x\" ...");
    }

    #[test]
    fn shortening_counts_characters_and_marks_the_cut() {
        assert_eq!(truncate("äöü", 3), "äöü");
        assert_eq!(truncate("äöüß", 3), "äöü…");
    }
}
