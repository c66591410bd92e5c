//! Aligned columns, for people.

use std::cmp::Reverse;

use comfy_table::presets::NOTHING;
use comfy_table::{ColumnConstraint, ContentArrangement, Table};
use unicode_width::UnicodeWidthStr;

use super::{Output, Shape, marks, narrow};
use crate::text;

/// Blanks between two columns.
const GAP: u16 = 2;

/// A column of words narrower than this cannot be read.
const LEAST_FLEXIBLE: usize = 12;

/// The width of `OnlyTrialsWithoutPaymentMethod`.
const LONGEST_VALUE: usize = 30;

/// A text that is longer can be read only on a line that is at least `READABLE` wide.
const LONG: usize = 40;
const READABLE: usize = 30;

const BOLD: anstyle::Style = anstyle::Style::new().bold();

/// Renders the result for a terminal `width` columns wide, or without a limit. A list that is empty has no table.
pub fn render(output: &Output, width: Option<u16>, color: bool) -> String {
    if output.records.is_empty() {
        return String::new();
    }
    let all: Vec<usize> = (0..output.fields.len()).collect();
    if output.shape == Shape::One {
        return lists_of_fields(output, &all, width, color);
    }
    let cells = Cells::of(output, &all);
    match width {
        Some(width) if cells.width() > width.into() => narrowed(output, &all, width, color),
        _ => painted(output, &all, cells.whole(), color),
    }
}

/// Where the terminal is too narrow, fields that say the same in every row move above the table, or go where that
/// is nothing; what is still too wide wraps inside its column, and long texts for which that would be too narrow stand
/// below their row. Where there is no room for columns, each record is a list of its fields. Nothing is cut.
fn narrowed(output: &Output, all: &[usize], width: u16, color: bool) -> String {
    if output.records.len() == 1 {
        return lists_of_fields(output, all, Some(width), color);
    }
    let is_common = |index: &usize| {
        let mut column = output.column(*index);
        let first = column.next();
        column.all(|value| Some(value) == first)
    };
    let (common, mut varying): (Vec<usize>, Vec<usize>) = all.iter().copied().partition(is_common);
    let mut lines = String::new();
    if varying.is_empty() {
        varying = all.to_vec();
    } else {
        for index in common {
            let value = output.column(index).next().unwrap_or_default();
            if !value.is_empty() {
                let (field, value) = (&output.fields[index], text::sanitize_line(&value));
                lines.push_str(&narrow::field(field, &value, width.into(), color));
            }
        }
    }
    let table = if let Some((short, long)) = apart(output, &varying, width) {
        rows_above_texts(output, &short, &long, width, color)
    } else if has_room(output, &varying, width) {
        let lines = Cells::of(output, &varying).wrapped(output, &varying, width);
        painted(output, &varying, lines, color)
    } else {
        lists_of_fields(output, &varying, Some(width), color)
    };
    if lines.is_empty() { table } else { format!("{lines}\n{table}") }
}

/// The columns that stay columns, and those whose long texts could not be read beside them; `None` where all can stay, or
/// where not even the others fit.
fn apart(output: &Output, indices: &[usize], width: u16) -> Option<(Vec<usize>, Vec<usize>)> {
    let widest =
        |index: usize| output.column(index).map(|value| text::sanitize_line(&value).width()).max().unwrap_or_default();
    let is_long = |index: &usize| widest(*index) > LONG && has_words(output, *index);
    let (long, short): (Vec<usize>, Vec<usize>) = indices.iter().copied().partition(is_long);
    let needs = |indices: &[usize]| indices.iter().map(|index| widest(*index).max(output.fields[*index].width())).sum();
    let gaps = |count: usize| usize::from(GAP) * count.saturating_sub(1);
    let (beside, room): (usize, usize) = (needs(&short), width.into());
    let fits = beside + gaps(short.len()) <= room;
    let is_readable = beside + READABLE * long.len() + gaps(indices.len()) <= room;
    (!long.is_empty() && !short.is_empty() && fits && !is_readable).then_some((short, long))
}

/// A table of the short columns, and below each row a line or more for each of its long texts.
fn rows_above_texts(output: &Output, short: &[usize], long: &[usize], width: u16, color: bool) -> String {
    let table = painted(output, short, Cells::of(output, short).whole(), color);
    let mut lines = table.lines();
    let mut text = lines.next().map(|header| format!("{header}\n")).unwrap_or_default();
    for (line, row) in lines.zip(output.rows()) {
        text.push_str(&format!("{line}\n"));
        let below = list_of_fields(output, &row, long, Some(width.saturating_sub(GAP)), color);
        text.extend(below.lines().map(|line| format!("{:indent$}{line}\n", "", indent = usize::from(GAP))));
    }
    text
}

/// Whether there is room for columns that can be read.
fn has_room(output: &Output, indices: &[usize], width: u16) -> bool {
    let gaps = usize::from(GAP) * indices.len().saturating_sub(1);
    gaps + indices.iter().map(|index| least_width(output, *index)).sum::<usize>() <= usize::from(width)
}

/// How narrow a column can be: the name of the field and a word of usual length stay whole, and so do ids that are
/// longer than any value, for they are there to be copied.
fn least_width(output: &Output, index: usize) -> usize {
    let widest = output.column(index).map(|value| text::sanitize_line(&value).width()).max().unwrap_or_default();
    let is_id = widest > LONGEST_VALUE && !has_words(output, index);
    let least = if is_id { widest } else { widest.min(LEAST_FLEXIBLE) };
    least.max(output.fields[index].width())
}

fn has_words(output: &Output, index: usize) -> bool {
    output.column(index).any(|value| value.contains(' '))
}

/// Lets as few columns as need be give way, so that ids are not broken: first the widest that has words in it, then
/// the widest of the others.
fn keep_whole(table: &mut Table, output: &Output, indices: &[usize], width: u16) {
    let widths: Vec<usize> = table.column_max_content_widths().into_iter().map(usize::from).collect();
    let least: Vec<usize> = indices.iter().map(|index| least_width(output, *index)).collect();
    let mut giving: Vec<usize> = (0..indices.len()).filter(|at| least[*at] < widths[*at]).collect();
    giving.sort_by_key(|at| Reverse(widths[*at]));
    if let Some(place) = giving.iter().position(|at| has_words(output, indices[*at])) {
        giving[..=place].rotate_right(1);
    }
    let gaps = usize::from(GAP) * indices.len().saturating_sub(1);
    let total = |giving: &[usize]| {
        let of_column = |at: usize| if giving.contains(&at) { least[at] } else { widths[at] };
        gaps + (0..indices.len()).map(of_column).sum::<usize>()
    };
    let Some(count) = (1..=giving.len()).find(|count| total(&giving[..*count]) <= usize::from(width)) else { return };
    for (at, column) in table.column_iter_mut().enumerate() {
        if !giving[..count].contains(&at) {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
}

/// For each record a line for each of these fields that has a value, and an empty line between two records.
fn lists_of_fields(output: &Output, indices: &[usize], width: Option<u16>, color: bool) -> String {
    let lists: Vec<String> = output.rows().map(|row| list_of_fields(output, &row, indices, width, color)).collect();
    lists.join("\n")
}

fn list_of_fields(output: &Output, row: &[String], indices: &[usize], width: Option<u16>, color: bool) -> String {
    let shown = indices.iter().map(|index| (&output.fields[*index], text::sanitize_line(&row[*index])));
    let shown = shown.filter(|(_, value)| !value.is_empty());
    let names = indices.iter().map(|index| output.fields[*index].width()).max().unwrap_or_default();
    if let Some(width) = width.map(usize::from).filter(|width| names + usize::from(GAP) + LEAST_FLEXIBLE > *width) {
        return shown.map(|(name, value)| narrow::field(name, &value, width, color)).collect();
    }
    let mut table = bare(width);
    for (name, value) in shown {
        table.add_row(vec![name.to_string(), value]);
    }
    if let Some(names) = table.column_mut(0) {
        names.set_constraint(ColumnConstraint::ContentWidth);
    }
    let lines = rendered(&mut table);
    if !color {
        return lines;
    }
    // A line that goes on with a value begins with blanks, and stays as it is.
    let name_of = |line: &str| output.fields.iter().find(|name| line.split(' ').next() == Some(name));
    let colored = |line: &str| match name_of(line) {
        Some(name) => format!("{BOLD}{name}{BOLD:#}{}\n", marks::value(name, &line[name.len()..])),
        None => format!("{line}\n"),
    };
    lines.lines().map(colored).collect()
}

/// A text, and how wide it is on the screen: measuring takes longer than laying out.
struct Cell {
    text: String,
    width: usize,
}

impl Cell {
    fn new(text: String) -> Self {
        Self { width: text.width(), text }
    }
}

/// What stands in the cells of a table, the names of the fields first, and how wide each column is.
struct Cells {
    rows: Vec<Vec<Cell>>,
    widths: Vec<usize>,
}

impl Cells {
    fn of(output: &Output, indices: &[usize]) -> Self {
        let header = indices.iter().map(|index| Cell::new(output.fields[*index].to_string())).collect();
        let cell = |row: &[String], index: usize| Cell::new(text::sanitize_line(&row[index]));
        let cells = output.rows().map(|row| indices.iter().map(|index| cell(&row, *index)).collect());
        let rows: Vec<Vec<Cell>> = std::iter::once(header).chain(cells).collect();
        let widest = |at: usize| rows.iter().map(|row| row[at].width).max().unwrap_or_default();
        let widths = (0..indices.len()).map(widest).collect();
        Self { rows, widths }
    }

    /// How wide the lines are in which nothing is wrapped.
    fn width(&self) -> usize {
        self.widths.iter().sum::<usize>() + usize::from(GAP) * self.widths.len().saturating_sub(1)
    }

    /// A line for each row, without trailing blanks.
    fn whole(&self) -> String {
        let mut lines = String::new();
        for row in &self.rows {
            let begin = lines.len();
            for (cell, width) in row.iter().zip(&self.widths) {
                let blanks = width - cell.width + usize::from(GAP);
                lines.push_str(&cell.text);
                lines.extend(std::iter::repeat_n(' ', blanks));
            }
            lines.truncate(begin + lines[begin..].trim_end().len());
            lines.push('\n');
        }
        lines
    }

    /// Lines of at most `width` columns: what is wider wraps inside its column.
    fn wrapped(self, output: &Output, indices: &[usize], width: u16) -> String {
        let mut table = bare(Some(width));
        let texts = |row: Vec<Cell>| row.into_iter().map(|cell| cell.text).collect::<Vec<_>>();
        let mut rows = self.rows.into_iter().map(texts);
        table.set_header(rows.next().unwrap_or_default());
        table.add_rows(rows);
        keep_whole(&mut table, output, indices, width);
        rendered(&mut table)
    }
}

/// The lines of a table, with a header that stands out and marked values where there is to be colour.
fn painted(output: &Output, indices: &[usize], lines: String, color: bool) -> String {
    match lines.split_once('\n') {
        Some((header, rows)) if color => {
            let fields: Vec<&str> = indices.iter().map(|index| &*output.fields[*index]).collect();
            format!("{BOLD}{header}{BOLD:#}\n{}", marks::rows(header, rows, &fields))
        }
        _ => lines,
    }
}

fn bare(width: Option<u16>) -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING);
    match width {
        Some(width) => {
            table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
        }
        None => {
            table.set_content_arrangement(ContentArrangement::Disabled);
        }
    }
    table
}

/// The table's lines, flush left and without trailing blanks.
fn rendered(table: &mut Table) -> String {
    let last = table.column_count().saturating_sub(1);
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, if index == last { 0 } else { GAP }));
    }
    table.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}
