//! CSV, TSV and Markdown: one row per record.

use super::Output;
use crate::error::{Error, Result};
use crate::text;

/// Renders comma-separated values, for spreadsheets. Replaces control characters only for a terminal.
pub fn csv(output: &Output, for_terminal: bool) -> Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(&output.fields).map_err(Error::from_source)?;
    for cells in output.cells() {
        let cells = if for_terminal { cells.iter().map(|cell| text::sanitize(cell)).collect() } else { cells };
        writer.write_record(&cells).map_err(Error::from_source)?;
    }
    let bytes = writer.into_inner().map_err(|error| Error::from_source(error.into_error()))?;
    String::from_utf8(bytes).map_err(Error::from_source)
}

/// Renders tab-separated values, for `cut` and `awk`. Replaces tabs and line breaks in values with spaces.
pub fn tsv(output: &Output) -> String {
    let header = output.fields.join("\t");
    let lines =
        output.cells().map(|cells| cells.iter().map(|cell| text::sanitize_line(cell)).collect::<Vec<_>>().join("\t"));
    std::iter::once(header).chain(lines).map(|line| line + "\n").collect()
}

/// Renders a Markdown table, for job summaries and issues, below the caption. An empty list has only the caption.
pub fn markdown(output: &Output) -> String {
    let caption = output.caption.as_deref().map(escape_markdown);
    if let (Some(caption), true) = (&caption, output.rows.is_empty()) {
        return format!("{caption}\n");
    }
    let mut lines = caption.map(|caption| format!("{caption}\n\n")).unwrap_or_default();
    lines += &markdown_row(output.fields.iter().map(|name| escape_markdown(name)));
    lines += &markdown_row(output.fields.iter().map(|_| "---".to_owned()));
    lines.extend(output.cells().map(|cells| markdown_row(cells.iter().map(|cell| escape_markdown(cell)))));
    lines
}

fn markdown_row(cells: impl Iterator<Item = String>) -> String {
    format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "))
}

/// Escapes characters that start a cell, markup, a link or an image. Markdown renderers may still link bare URLs.
fn escape_markdown(text: &str) -> String {
    let mut escaped = String::new();
    for character in text::sanitize_line(text).chars() {
        if r"\|<>[]`*_~&".contains(character) {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}
