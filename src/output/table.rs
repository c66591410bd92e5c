//! Tables for people: a list as aligned columns, a single record as one line per field.
//!
//! If a list is too wide for the terminal, text wraps at spaces. IDs and other words are never broken and text is never
//! truncated: such a line is longer than the terminal is wide.

use anstyle::{AnsiColor, Style};
use comfy_table::presets::NOTHING;
use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width};
use serde_json::Value;

use super::{Content, Output, Row, cell_text};
use crate::api::{Scope, value_label};
use crate::plan::format_change;
use crate::text::{comparison_key, sanitize_line};

/// Spaces between two columns.
const COLUMN_GAP: u16 = 2;

/// Minimum width of a column with wrapped text, in columns.
const MIN_TEXT_WIDTH: u16 = 12;

/// Maximum length of a word in text that does not wrap, so that IDs and URLs can be copied.
const MAX_UNBROKEN_WORD: usize = 128;

const HEADER: Style = Style::new().bold();
const GREEN: Style = AnsiColor::Green.on_default().bold();
const RED: Style = AnsiColor::Red.on_default().bold();
const YELLOW: Style = AnsiColor::Yellow.on_default().bold();

/// The words with a color. During layout, the control character replaces the first letter: it has the same width, and
/// cells contain no other control characters.
const OUTCOMES: [(char, &str, Style); 3] =
    [('\u{1}', "changed", GREEN), ('\u{2}', "failed", RED), ('\u{3}', "unknown", RED)];
const DRIFTS: [(char, &str, Style); 3] =
    [('\u{4}', "different", YELLOW), ('\u{5}', "unknown", YELLOW), ('\u{6}', "new", YELLOW)];

/// A column of a list.
struct Column {
    header: String,
    cells: Vec<String>,
    wraps: bool,
}

/// Renders the records. `width` is the terminal width in columns. An empty list renders as an empty string.
pub fn render(output: &Output, width: Option<u16>, color: bool) -> String {
    match output.rows.as_slice() {
        [] => String::new(),
        [row] if output.single => paint(fields(output, row, width, color), color),
        _ => paint(list(output, width, color), color),
    }
}

fn list(output: &Output, width: Option<u16>, color: bool) -> String {
    let mut rows: Vec<&Row> = output.rows.iter().collect();
    if output.columns.iter().any(|(_, content)| *content == Content::SortedName) {
        let name = name_or_id(output);
        rows.sort_by_cached_key(|row| comparison_key(&name(row).unwrap_or_default()));
    }
    let columns = columns(output, &rows);
    let mut table = Table::new();
    table.set_header(columns.iter().map(|column| &column.header));
    table.add_rows((0..rows.len()).map(|row| columns.iter().map(move |column| &column.cells[row])));
    if let Some(width) = width {
        let widths = table.column_max_content_widths();
        let constrain_column = |(column, content_width): (&Column, &u16)| {
            let texts = column.cells.iter().chain([&column.header]);
            if column.wraps { min_width(texts, *content_width) } else { *content_width }
        };
        if total_width(&widths) > usize::from(width) {
            let min_widths: Vec<u16> = columns.iter().zip(&widths).map(constrain_column).collect();
            constrain(&mut table, &min_widths, &widths, width);
        }
    }
    let style = |(index, line): (usize, String)| {
        if color && index == 0 { format!("{HEADER}{line}{HEADER:#}\n") } else { line + "\n" }
    };
    lines(&mut table).enumerate().map(style).collect()
}

/// The columns of a list. The fields are the columns of a record without columns of its own, such as that of a query.
fn columns(output: &Output, rows: &[&Row]) -> Vec<Column> {
    if output.columns.is_empty() {
        let cell = |row: &&Row, index: usize| row.values.get(index).map(|value| sanitize_line(&cell_text(value)));
        let column = |(index, name): (usize, &String)| Column {
            header: name.clone(),
            cells: rows.iter().map(|row| cell(row, index).unwrap_or_default()).collect(),
            wraps: true,
        };
        return output.fields.iter().enumerate().map(column).collect();
    }
    let column = |&(header, content): &(&str, Content)| Column {
        header: header.to_owned(),
        cells: cells(output, rows, content),
        wraps: !matches!(content, Content::Unbroken(_) | Content::Run),
    };
    output.columns.iter().map(column).collect()
}

fn cells(output: &Output, rows: &[&Row], content: Content) -> Vec<String> {
    let field = |name| value_of(output, name);
    let cells = |cell: &dyn Fn(&Row) -> Option<String>| {
        rows.iter().map(|row| sanitize_line(&cell(row).unwrap_or_default())).collect::<Vec<_>>()
    };
    match content {
        Content::Text(name) | Content::Unbroken(name) => cells(&field(name)),
        Content::Name | Content::SortedName => cells(&name_or_id(output)),
        Content::Scope => {
            let scope = field("scope");
            let label = |scope: String| match Scope::parse(&scope) {
                Some(Scope::Product) => "Product".to_owned(),
                Some(Scope::OfferType) => "Offer type".to_owned(),
                None => scope,
            };
            cells(&|row| scope(row).map(label))
        }
        Content::Value(name) => {
            let value = field(name);
            cells(&|row| value(row).map(|value| value_label(&value).to_owned()))
        }
        Content::Change(from, to) => {
            let (from, to) = (field(from), field(to));
            cells(&|row| Some(format_change(from(row).as_deref(), to(row).as_deref())))
        }
        Content::Outcome => {
            let (outcome, error) = (field("outcome"), field("error"));
            let with_error = |row: &Row| {
                let error = error(row).map(|error| format!(": {error}")).unwrap_or_default();
                Some(outcome(row)? + &error)
            };
            cells(&with_error).into_iter().map(|text| mark(&text, &OUTCOMES)).collect()
        }
        Content::Drift => cells(&field("drift")).into_iter().map(|text| mark(&text, &DRIFTS)).collect(),
        Content::Run => {
            let run = field("run");
            cells(&|row| run(row).map(|run| run.split('-').next().unwrap_or_default().to_owned()))
        }
    }
}

/// Returns a function that formats a field of a row. It returns `None` for null and for an unknown field.
fn value_of(output: &Output, field: &'static str) -> impl Fn(&Row) -> Option<String> + use<> {
    let index = output.fields.iter().position(|name| name == field);
    move |row| row.values.get(index?).filter(|value| !value.is_null()).map(cell_text)
}

/// Returns a function that formats the name of a row, or its ID if the name is missing or invisible.
fn name_or_id(output: &Output) -> impl Fn(&Row) -> Option<String> + use<> {
    let (name, id) = (value_of(output, "name"), value_of(output, "id"));
    move |row| name(row).filter(|name| !comparison_key(name).is_empty()).or_else(|| id(row))
}

/// Replaces the first letter of a word with a color by its control character, if the text begins with the word.
fn mark(text: &str, words: &[(char, &str, Style)]) -> String {
    let word_end = text.find(':').unwrap_or(text.len());
    let word = words.iter().find(|(_, word, _)| *word == &text[..word_end]);
    word.map_or_else(|| text.to_owned(), |(marker, _, _)| format!("{marker}{}", &text[1..]))
}

/// Replaces the control characters of [`mark`] by the colored words.
fn paint(mut text: String, color: bool) -> String {
    for (marker, word, style) in OUTCOMES.iter().chain(&DRIFTS) {
        if text.contains(*marker) {
            let painted = if color { format!("{style}{word}{style:#}") } else { (*word).to_owned() };
            text = text.replace(&format!("{marker}{}", &word[1..]), &painted);
        }
    }
    text
}

/// Renders one line per field with a value: `name: value`.
fn fields(output: &Output, row: &Row, width: Option<u16>, color: bool) -> String {
    let field = |(name, value): (&String, &Value)| {
        let text = sanitize_line(&cell_text(value));
        let text = match name.as_str() {
            "outcome" => mark(&text, &OUTCOMES),
            "drift" => mark(&text, &DRIFTS),
            _ => text,
        };
        (!text.is_empty()).then(|| [format!("{name}:"), text])
    };
    let present: Vec<[String; 2]> = output.fields.iter().zip(&row.values).filter_map(field).collect();
    let mut table = Table::new();
    table.add_rows(&present);
    let widths = table.column_max_content_widths();
    if let (Some(width), &[names, values]) = (width, widths.as_slice()) {
        let min_widths = [names, min_width(present.iter().map(|[_, value]| value), values)];
        constrain(&mut table, &min_widths, &widths, width);
    }
    let mut names = present.iter().map(|[name, _]| name);
    let style = |line: String| {
        // The continuation line of a wrapped value starts with spaces.
        let name = if color && !line.starts_with(' ') { names.next() } else { None };
        match name.and_then(|name| Some((name, line.strip_prefix(name.as_str())?))) {
            Some((name, value)) => format!("{HEADER}{name}{HEADER:#}{value}\n"),
            None => line + "\n",
        }
    };
    lines(&mut table).map(style).collect()
}

/// The lines of a table without trailing spaces.
fn lines(table: &mut Table) -> impl Iterator<Item = String> {
    table.load_style(NOTHING);
    for column in table.column_iter_mut() {
        column.set_padding((0, COLUMN_GAP));
    }
    table.lines().map(|line| line.trim_end().to_owned())
}

/// The minimum column width at which text is readable, and IDs and URLs do not wrap. Both are ASCII; other scripts may have
/// no spaces between words.
fn min_width<'t>(texts: impl Iterator<Item = &'t String>, content_width: u16) -> u16 {
    let words = texts.flat_map(|text| text.split(' ')).filter(|word| word.is_ascii());
    let longest = words.map(str::len).filter(|length| *length <= MAX_UNBROKEN_WORD).max().unwrap_or_default();
    let longest = u16::try_from(longest).unwrap_or(u16::MAX);
    longest.max(MIN_TEXT_WIDTH).min(content_width)
}

/// The line width for the given column widths.
fn total_width(widths: &[u16]) -> usize {
    let gaps = usize::from(COLUMN_GAP) * widths.len().saturating_sub(1);
    gaps + widths.iter().copied().map(usize::from).sum::<usize>()
}

/// Limits the line width to `width`, but not below the minimum column widths.
fn constrain(table: &mut Table, min_widths: &[u16], content_widths: &[u16], width: u16) {
    let width = usize::from(width).max(total_width(min_widths));
    // `lines` trims the gap after the last column.
    let width = u16::try_from(width).unwrap_or(u16::MAX).saturating_add(COLUMN_GAP);
    table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    for ((column, min_width), content_width) in table.column_iter_mut().zip(min_widths).zip(content_widths) {
        column.set_constraint(if min_width == content_width {
            ColumnConstraint::ContentWidth
        } else {
            // comfy-table includes the padding in the boundary.
            ColumnConstraint::LowerBoundary(Width::Fixed(min_width.saturating_add(COLUMN_GAP)))
        });
    }
}
