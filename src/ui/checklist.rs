//! Interactive selection on the terminal.
//!
//! inquire, because its list has a filter; dialoguer's multiple selection has none. The console backend is that of the
//! progress bar.

use std::fmt;
use std::io;

use inquire::ui::RenderConfig;
use inquire::{InquireError, MultiSelect, Select};
use terminal_size::terminal_size_of;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::text::comparison_key;

/// Maximum number of rows of the list.
const MAX_PAGE_SIZE: usize = 15;

/// The columns in front of an item: cursor and box.
const PREFIX_WIDTH: usize = 6;

const CHECKLIST_HELP: &str = "↑↓ move, space to tick, type a word to filter, enter to accept, esc to cancel";
const LIST_HELP: &str = "↑↓ move, enter to accept, esc to cancel";

/// An item, with the part of it that fits the terminal: the list cannot show more lines than the terminal has.
struct Item {
    text: String,
    shown: String,
}

impl fmt::Display for Item {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.shown)
    }
}

/// Lets the user tick items, and returns the indices of the ticked ones: none if the user cancels. Blocks. Fails with
/// [`io::ErrorKind::Interrupted`] after Ctrl-C.
pub fn tick(question: &str, items: Vec<String>, color: bool) -> io::Result<Vec<usize>> {
    let (width, height) = terminal_size_of(io::stderr()).map_or((80, 24), |(width, height)| (width.0, height.0));
    let (width, height) = (usize::from(width).max(1), usize::from(height));
    // The question, the help and an empty line.
    let other_lines = 2 + (CHECKLIST_HELP.width() + 2).div_ceil(width);
    let page_size = height.saturating_sub(other_lines).clamp(1, MAX_PAGE_SIZE);
    let shorten = |text: String| Item { shown: shorten(&text, width.saturating_sub(PREFIX_WIDTH + 1)), text };
    // The input contains keys such as Ctrl-D as characters.
    let score = |input: &str, item: &Item, _: &str, _: usize| {
        let word = comparison_key(&input.replace(char::is_control, ""));
        comparison_key(&item.text).contains(&word).then_some(0)
    };
    let ticked = MultiSelect::new(question, items.into_iter().map(shorten).collect())
        .with_page_size(page_size)
        .with_help_message(CHECKLIST_HELP)
        .with_scorer(&score)
        .with_formatter(&|ticked| format!("{} selected", ticked.len()))
        .with_render_config(render_config(color))
        .raw_prompt_skippable();
    let ticked = ticked.map_err(into_io_error)?.unwrap_or_default();
    Ok(ticked.into_iter().map(|item| item.index).collect())
}

/// Lets the user pick an item, and returns its index: `None` if the user cancels. Blocks. Fails with
/// [`io::ErrorKind::Interrupted`] after Ctrl-C.
pub fn pick(question: &str, items: Vec<String>, color: bool) -> io::Result<Option<usize>> {
    let prompt = Select::new(question, items).with_help_message(LIST_HELP).with_render_config(render_config(color));
    Ok(prompt.raw_prompt_skippable().map_err(into_io_error)?.map(|item| item.index))
}

fn render_config(color: bool) -> RenderConfig<'static> {
    if color { RenderConfig::default_colored() } else { RenderConfig::empty() }
}

/// Replaces the middle of a text by an ellipsis if it is wider than `width` columns: the end says which item it is.
fn shorten(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let end_width = width.saturating_sub(1) / 2;
    let end: Vec<char> = fitting(text.chars().rev(), end_width).collect();
    let start = fitting(text.chars(), width.saturating_sub(1) - end_width);
    start.chain(['…']).chain(end.into_iter().rev()).collect()
}

/// The first characters that fit in `width` columns.
fn fitting(characters: impl Iterator<Item = char>, width: usize) -> impl Iterator<Item = char> {
    let mut rest = width;
    characters.map_while(move |character| {
        rest = rest.checked_sub(character.width().unwrap_or_default())?;
        Some(character)
    })
}

fn into_io_error(error: InquireError) -> io::Error {
    match error {
        InquireError::OperationInterrupted => io::ErrorKind::Interrupted.into(),
        InquireError::IO(error) => error,
        other => io::Error::other(other),
    }
}
