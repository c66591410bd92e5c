//! A table with aligned columns.
//!
//! If a list is too wide for the terminal, columns with a constant value move above the table, and text wraps in its
//! column. If the list is still too wide, each field is printed on a separate line. Text is never truncated.

use anstyle::{AnsiColor, Style};
use comfy_table::presets::NOTHING;
use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width};

use super::Output;
use crate::text::sanitize_line;

/// Spaces between two columns.
const COLUMN_GAP: u16 = 2;

/// Minimum width of a column with wrapped text, in columns.
const MIN_TEXT_WIDTH: u16 = 12;

/// Maximum length of a word that does not wrap, so that IDs and URLs can be copied.
const MAX_UNBROKEN_WORD: usize = 128;

const HEADER: Style = Style::new().bold();

/// The fields that contain policy values.
const VALUE_FIELDS: &[&str] = &["policyValue", "previousValue", "wantedValue", "defaultValue", "from", "to"];
const ENABLED: &str = "Enabled";
const ENABLED_STYLE: Style = AnsiColor::Green.on_default().bold();
/// Replaces the policy value `Enabled` during layout. Has the same width, and differs from all other text, because
/// cells contain no control characters.
const ENABLED_PLACEHOLDER: &str = "\u{1}nabled";

/// A field and its text in each record.
struct Column {
    name: String,
    cells: Vec<String>,
}

/// Renders the records. `width` is the terminal width in columns. An empty list renders as an empty string.
pub fn render(output: &Output, width: Option<u16>, color: bool) -> String {
    if output.rows.is_empty() {
        return String::new();
    }
    let columns: Vec<Column> = (0..output.fields.len()).map(|index| column(output, index)).collect();
    let text = if output.single { vertical(&columns, width, color) } else { list(columns, width, color) };
    let enabled = if color { format!("{ENABLED_STYLE}{ENABLED}{ENABLED_STYLE:#}") } else { ENABLED.to_owned() };
    text.replace(ENABLED_PLACEHOLDER, &enabled)
}

fn column(output: &Output, index: usize) -> Column {
    let name = output.fields[index].clone();
    let is_value = VALUE_FIELDS.contains(&name.as_str());
    let cell =
        |text: String| if is_value && text == ENABLED { ENABLED_PLACEHOLDER.to_owned() } else { sanitize_line(&text) };
    Column { cells: output.column(index).map(cell).collect(), name }
}

fn list(columns: Vec<Column>, width: Option<u16>, color: bool) -> String {
    let mut table = new_table(&columns);
    let Some(width) = width.filter(|width| total_width(&table.column_max_content_widths()) > usize::from(*width))
    else {
        return horizontal(&mut table, color);
    };
    if table.row_count() == 1 {
        return vertical(&columns, Some(width), color);
    }
    let (constant, varying): (Vec<Column>, Vec<Column>) =
        columns.into_iter().partition(|column| column.cells.windows(2).all(|pair| pair[0] == pair[1]));
    if varying.is_empty() {
        return wrapped(&constant, width, color);
    }
    let above = fields(&constant, 0, Some(width), false);
    let below = wrapped(&varying, width, color);
    if above.is_empty() { below } else { format!("{above}\n{below}") }
}

/// Renders columns with wrapped text, or one line per field if the columns do not fit.
fn wrapped(columns: &[Column], width: u16, color: bool) -> String {
    let mut table = new_table(columns);
    let content_widths = table.column_max_content_widths();
    let min_widths: Vec<u16> = columns
        .iter()
        .zip(&content_widths)
        .map(|(column, content_width)| min_width(column.cells.iter().chain([&column.name]), *content_width))
        .collect();
    if total_width(&min_widths) > usize::from(width) {
        return vertical(columns, Some(width), color);
    }
    constrain(&mut table, &min_widths, &content_widths, width);
    horizontal(&mut table, color)
}

/// Renders one line per field with a value, and an empty line between records.
fn vertical(columns: &[Column], width: Option<u16>, color: bool) -> String {
    let records = columns.first().map_or(0, |column| column.cells.len());
    (0..records).map(|row| fields(columns, row, width, color)).collect::<Vec<_>>().join("\n")
}

/// Renders the fields of one record as lines with name and value.
fn fields(columns: &[Column], row: usize, width: Option<u16>, bold: bool) -> String {
    let present: Vec<&Column> = columns.iter().filter(|column| !column.cells[row].is_empty()).collect();
    let mut table = Table::new();
    table.add_rows(present.iter().map(|column| [&column.name, &column.cells[row]]));
    let content_widths = table.column_max_content_widths();
    if let (Some(width), &[names, values]) = (width, content_widths.as_slice()) {
        let min_widths = [names, min_width(present.iter().map(|column| &column.cells[row]), values)];
        constrain(&mut table, &min_widths, &content_widths, width);
    }
    let mut names = present.iter().map(|column| &column.name);
    let style = |line: String| {
        // The continuation line of a wrapped value starts with spaces.
        let name = if bold && !line.starts_with(' ') { names.next() } else { None };
        match name.and_then(|name| Some((name, line.strip_prefix(name)?))) {
            Some((name, value)) => format!("{HEADER}{name}{HEADER:#}{value}\n"),
            None => line + "\n",
        }
    };
    lines(&mut table).map(style).collect()
}

fn new_table(columns: &[Column]) -> Table {
    let mut table = Table::new();
    table.set_header(columns.iter().map(|column| &column.name));
    let records = columns.first().map_or(0, |column| column.cells.len());
    table.add_rows((0..records).map(|row| columns.iter().map(move |column| &column.cells[row])));
    table
}

/// Renders a table with its header.
fn horizontal(table: &mut Table, color: bool) -> String {
    let style = |(index, line): (usize, String)| {
        if color && index == 0 { format!("{HEADER}{line}{HEADER:#}\n") } else { line + "\n" }
    };
    lines(table).enumerate().map(style).collect()
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
    // `lines` trims the gap after the last column.
    table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width.saturating_add(COLUMN_GAP));
    for ((column, min_width), content_width) in table.column_iter_mut().zip(min_widths).zip(content_widths) {
        column.set_constraint(if min_width == content_width {
            ColumnConstraint::ContentWidth
        } else {
            // comfy-table includes the padding in the boundary.
            ColumnConstraint::LowerBoundary(Width::Fixed(min_width.saturating_add(COLUMN_GAP)))
        });
    }
}
