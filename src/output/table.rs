//! Aligned columns, for people.

use comfy_table::presets::NOTHING;
use comfy_table::{ColumnConstraint, ContentArrangement, Table};
use unicode_width::UnicodeWidthStr;

use super::{Output, Shape};
use crate::text;

/// Blanks between two columns.
const GAP: u16 = 2;

/// A column of words narrower than this cannot be read.
const LEAST_FLEXIBLE: usize = 12;

const BOLD: anstyle::Style = anstyle::Style::new().bold();

/// Renders the result for a terminal `width` columns wide, or without a limit. A list that is empty has no table.
pub(super) fn render(output: &Output, width: Option<u16>, color: bool) -> String {
    if output.records.is_empty() {
        return String::new();
    }
    if output.shape == Shape::One {
        return list_of_fields(output, width, color);
    }
    let all: Vec<usize> = (0..output.fields.len()).collect();
    let whole = columns(output, &all, None, color);
    match width {
        Some(width) if widest_line(&whole.plain) > width.into() => narrowed(output, width, color),
        _ => whole.text,
    }
}

/// Where the terminal is too narrow, fields that say the same in every row move above the table, or go where that
/// is nothing; what is still too wide wraps inside its column. Nothing is cut.
fn narrowed(output: &Output, width: u16, color: bool) -> String {
    if output.records.len() == 1 {
        return list_of_fields(output, Some(width), color);
    }
    let is_common = |index: &usize| {
        let mut column = output.column(*index);
        let first = column.next();
        column.all(|value| Some(value) == first)
    };
    let (common, varying): (Vec<usize>, Vec<usize>) = (0..output.fields.len()).partition(is_common);
    if varying.is_empty() || common.is_empty() {
        let all: Vec<usize> = (0..output.fields.len()).collect();
        return columns(output, &all, Some(width), color).text;
    }
    let mut lines = String::new();
    for index in common {
        let value = output.column(index).next().unwrap_or_default();
        if value.is_empty() {
            continue;
        }
        lines.push_str(&format!("{}: {}\n", output.fields[index], text::one_line(&value)));
    }
    format!("{lines}\n{}", columns(output, &varying, Some(width), color).text)
}

/// Lets as few columns as need be give way, so that ids are not broken: first the widest that has words in it, then
/// the widest of the others. Where not even that is enough, all of them do.
fn keep_whole(table: &mut Table, output: &Output, indices: &[usize], width: u16) {
    let widths: Vec<usize> = table.column_max_content_widths().into_iter().map(usize::from).collect();
    let has_words = |at: usize| output.column(indices[at]).any(|value| value.contains(' '));
    let mut order: Vec<usize> = (0..indices.len()).collect();
    order.sort_by_cached_key(|at| std::cmp::Reverse((has_words(*at), widths[*at])));
    // The stable sort puts every column with words first; only the widest of them is.
    let with_words = order.iter().filter(|at| has_words(**at)).count();
    if let Some(others) = order.get_mut(with_words.min(1)..) {
        others.sort_by_key(|at| std::cmp::Reverse(widths[*at]));
    }
    let gaps = usize::from(GAP) * indices.len().saturating_sub(1);
    let least = |giving: &[usize]| {
        let of_column = |at: usize| if giving.contains(&at) { widths[at].min(LEAST_FLEXIBLE) } else { widths[at] };
        gaps + (0..indices.len()).map(of_column).sum::<usize>()
    };
    let Some(count) = (1..=order.len()).find(|count| least(&order[..*count]) <= usize::from(width)) else { return };
    for (at, column) in table.column_iter_mut().enumerate() {
        if !order[..count].contains(&at) {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
}

/// One record: a line for each field that has a value.
fn list_of_fields(output: &Output, width: Option<u16>, color: bool) -> String {
    let mut table = bare(width);
    for (index, name) in output.fields.iter().enumerate() {
        let value = text::one_line(&output.column(index).next().unwrap_or_default());
        if !value.is_empty() {
            table.add_row(vec![(*name).to_owned(), value]);
        }
    }
    if let Some(names) = table.column_mut(0) {
        names.set_constraint(ColumnConstraint::ContentWidth);
    }
    let lines = rendered(&mut table);
    if !color {
        return lines;
    }
    // A line that goes on with a value begins with blanks, and stays as it is.
    let name_of = |line: &str| output.fields.iter().find(|name| line.split(' ').next() == Some(**name));
    lines.lines().map(|line| bold(line, name_of(line).map_or(0, |name| name.len()))).collect()
}

struct Rendered {
    plain: String,
    text: String,
}

fn columns(output: &Output, indices: &[usize], width: Option<u16>, color: bool) -> Rendered {
    let mut table = bare(width);
    table.set_header(indices.iter().map(|index| output.fields[*index]).collect::<Vec<_>>());
    for row in output.rows() {
        table.add_row(indices.iter().map(|index| text::one_line(&row[*index])).collect::<Vec<_>>());
    }
    if let Some(width) = width {
        keep_whole(&mut table, output, indices, width);
    }
    let plain = rendered(&mut table);
    let text = match plain.split_once('\n') {
        Some((header, rows)) if color => format!("{}{rows}", bold(header, header.len())),
        _ => plain.clone(),
    };
    Rendered { plain, text }
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

/// Makes the first `upto` bytes of a line bold, and ends the line.
fn bold(line: &str, upto: usize) -> String {
    match line.split_at_checked(upto) {
        Some((head, rest)) if !head.is_empty() => format!("{BOLD}{head}{BOLD:#}{rest}\n"),
        _ => format!("{line}\n"),
    }
}

fn widest_line(text: &str) -> usize {
    text.lines().map(UnicodeWidthStr::width).max().unwrap_or_default()
}
