//! Colour for the values that leave people free to buy. The word itself stays, for those who see no colour.

use anstyle::{AnsiColor, Style};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

const VALUES: &[&str] = &["policyValue", "previousValue", "wantedValue", "defaultValue", "from", "to"];
const ENABLED: &str = "Enabled";
const MARK: Style = AnsiColor::Green.on_default().bold();

/// The value of a field, marked where it is one that is enabled.
pub fn value(field: &str, text: &str) -> String {
    let blanks = text.len() - text.trim_start().len();
    if VALUES.contains(&field) { marked_at(text, blanks) } else { text.to_owned() }
}

/// The lines of a table's rows, marked below the fields in its header that hold values.
pub fn rows(header: &str, rows: &str, fields: &[&str]) -> String {
    let columns = value_columns(header, fields);
    let marked = |line: &str| columns.iter().rev().fold(line.to_owned(), |line, column| below(&line, *column));
    rows.lines().map(|line| marked(line) + "\n").collect()
}

/// Where on the screen the fields with values begin, from left to right.
fn value_columns(header: &str, fields: &[&str]) -> Vec<usize> {
    let mut from = 0;
    let mut columns = Vec::new();
    for field in fields {
        let Some(place) = header[from..].find(field) else { break };
        if VALUES.contains(field) {
            columns.push(header[..from + place].width());
        }
        from += place + field.len();
    }
    columns
}

/// The line with its cell marked that begins in this column of the screen.
fn below(line: &str, column: usize) -> String {
    let mut width = 0;
    let place = line.char_indices().find(|(_, character)| {
        let is_here = width >= column;
        width += character.width().unwrap_or_default();
        is_here
    });
    place.map_or_else(|| line.to_owned(), |(place, _)| marked_at(line, place))
}

/// The text with the value marked that stands at this byte, where it is one that is enabled.
fn marked_at(text: &str, place: usize) -> String {
    let (before, from) = text.split_at(place);
    match from.strip_prefix(ENABLED) {
        Some(rest) if rest.is_empty() || rest.starts_with("  ") => format!("{before}{MARK}{ENABLED}{MARK:#}{rest}"),
        _ => text.to_owned(),
    }
}
