//! Interactive selection on the terminal.
//!
//! inquire, because its list has a filter; dialoguer's multiple selection has none. The console backend is that of the
//! progress bar.

use std::io;

use inquire::{InquireError, MultiSelect, Select};

/// Rows of the list. With the question and the help, they fit a terminal of 24 lines.
const PAGE_SIZE: usize = 15;

const CHECKLIST_HELP: &str = "↑↓ move, space to select, type to filter, enter to continue, esc to cancel";
const LIST_HELP: &str = "↑↓ move, enter to continue, esc to cancel";

/// Lets the user tick items, and returns the indices of the ticked ones: none if the user cancels. Blocks. Fails with
/// [`io::ErrorKind::Interrupted`] after Ctrl-C.
pub fn tick(question: &str, items: Vec<String>) -> io::Result<Vec<usize>> {
    let prompt = MultiSelect::new(question, items).with_page_size(PAGE_SIZE).with_help_message(CHECKLIST_HELP);
    let ticked = prompt.with_formatter(&|ticked| format!("{} selected", ticked.len())).raw_prompt_skippable();
    let ticked = ticked.map_err(into_io_error)?.unwrap_or_default();
    Ok(ticked.into_iter().map(|item| item.index).collect())
}

/// Lets the user pick an item, and returns its index: `None` if the user cancels. Blocks. Fails with
/// [`io::ErrorKind::Interrupted`] after Ctrl-C.
pub fn pick(question: &str, items: Vec<String>) -> io::Result<Option<usize>> {
    let picked = Select::new(question, items).with_help_message(LIST_HELP).raw_prompt_skippable();
    Ok(picked.map_err(into_io_error)?.map(|item| item.index))
}

fn into_io_error(error: InquireError) -> io::Error {
    match error {
        InquireError::OperationInterrupted => io::ErrorKind::Interrupted.into(),
        InquireError::IO(error) => error,
        other => io::Error::other(other),
    }
}
