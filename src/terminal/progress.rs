//! How far a longer work is: a bar in the last line of the terminal.

use std::cell::RefCell;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use terminal_size::Width;

/// A bar, while there is one.
#[derive(Default)]
pub(super) struct Progress(RefCell<Option<ProgressBar>>);

impl Progress {
    pub(super) fn start(&self, total: usize) {
        let bar = ProgressBar::with_draw_target(Some(total as u64), ProgressDrawTarget::stderr());
        // A key that is pressed is shown behind the bar, and must not make a second line of it.
        let columns = terminal_size::terminal_size_of(std::io::stderr()).map_or(80, |(Width(columns), _)| columns);
        let width = columns.saturating_sub(30).clamp(1, 40);
        // Without a template the bar looks the library's way.
        if let Ok(style) = ProgressStyle::with_template(&format!("Changing [{{bar:{width}}}] {{pos}}/{{len}}")) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.tick();
        self.0.replace(Some(bar));
    }

    pub(super) fn advance(&self) {
        if let Some(bar) = &*self.0.borrow() {
            bar.inc(1);
        }
    }

    pub(super) fn end(&self) {
        if let Some(bar) = self.0.take() {
            bar.finish_and_clear();
        }
    }

    /// Writes something else to the terminal, above the bar.
    pub(super) fn aside(&self, write: impl FnOnce()) {
        match &*self.0.borrow() {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }
}
