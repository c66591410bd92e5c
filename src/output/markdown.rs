//! A Markdown table, for job summaries and issues.

use super::Output;
use crate::text;

pub fn render(output: &Output) -> String {
    let caption = output.caption.as_deref().map(escaped);
    if let (Some(caption), true) = (&caption, output.records.is_empty()) {
        return format!("{caption}\n");
    }
    let mut lines = caption.map(|caption| format!("{caption}\n\n")).unwrap_or_default();
    lines += &line(output.fields.iter().map(|name| escaped(name)));
    lines.push_str(&line(output.fields.iter().map(|_| "---".to_owned())));
    for row in output.rows() {
        lines.push_str(&line(row.iter().map(|cell| escaped(cell))));
    }
    lines
}

fn line(cells: impl Iterator<Item = String>) -> String {
    format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "))
}

/// Text that shows as itself: no further cell, no markup, no link or picture of its own making. Addresses that
/// stand in it as text may still become links.
fn escaped(cell: &str) -> String {
    let mut text = String::new();
    for character in text::sanitize_line(cell).chars() {
        if r"\|<>[]`*_~&".contains(character) {
            text.push('\\');
        }
        text.push(character);
    }
    text
}
