//! The thread that writes to standard error: messages, and the progress bar below them.

use std::cell::OnceCell;
use std::io::{self, Write};
use std::sync::mpsc::{self, Receiver, SendError, Sender};
use std::thread;

use anstream::{AutoStream, ColorChoice};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::sync::oneshot;

/// Writes to standard error on a thread, which the first message starts: most commands print none.
pub struct StderrWriter {
    jobs: OnceCell<Sender<Job>>,
    color: ColorChoice,
    shows_progress: bool,
}

/// Work for the thread.
enum Job {
    Write(String),
    ShowProgress {
        total: u64,
    },
    AdvanceProgress,
    ClearProgress,
    /// Confirms that all earlier jobs are done.
    Confirm(oneshot::Sender<()>),
}

/// The progress bar of a run. Dropping it clears the bar.
pub struct Progress(Sender<Job>);

impl StderrWriter {
    pub fn new(color: ColorChoice, shows_progress: bool) -> Self {
        Self { jobs: OnceCell::new(), color, shows_progress }
    }

    /// Writes text above the progress bar.
    pub fn write(&self, text: String) {
        if let Err(SendError(Job::Write(text))) = self.jobs().send(Job::Write(text)) {
            // The thread could not start.
            let _ = io::stderr().write_all(text.as_bytes());
        }
    }

    /// Shows a progress bar with `total` steps.
    pub fn show_progress(&self, total: u64) -> Progress {
        let _ = self.jobs().send(Job::ShowProgress { total });
        Progress(self.jobs().clone())
    }

    pub fn clear_progress(&self) {
        if let Some(jobs) = self.jobs.get() {
            let _ = jobs.send(Job::ClearProgress);
        }
    }

    /// Receives a value, or an error, when all text is written. `None` if there was none.
    pub fn written(&self) -> Option<oneshot::Receiver<()>> {
        let (sender, receiver) = oneshot::channel();
        let _ = self.jobs.get()?.send(Job::Confirm(sender));
        Some(receiver)
    }

    fn jobs(&self) -> &Sender<Job> {
        self.jobs.get_or_init(|| {
            let (color, shows_progress) = (self.color, self.shows_progress);
            let (sender, jobs) = mpsc::channel();
            let _ = thread::Builder::new().spawn(move || run(&jobs, color, shows_progress));
            sender
        })
    }
}

impl Progress {
    /// Advances by one step.
    pub fn advance(&self) {
        let _ = self.0.send(Job::AdvanceProgress);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        let _ = self.0.send(Job::ClearProgress);
    }
}

/// Does the jobs until the senders are dropped. Ignores errors, because there is no other stream to report them to.
fn run(jobs: &Receiver<Job>, color: ColorChoice, shows_progress: bool) {
    let mut stderr = AutoStream::new(io::stderr(), color);
    let mut progress = ProgressBar::hidden();
    for job in jobs {
        match job {
            Job::Write(text) => progress.suspend(|| {
                let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
            }),
            Job::ShowProgress { total } => {
                let target = if shows_progress { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
                progress = ProgressBar::with_draw_target(Some(total), target);
                if let Ok(style) = ProgressStyle::with_template("Changing [{wide_bar}] {pos}/{len}") {
                    progress.set_style(style.progress_chars("=> "));
                }
                progress.tick();
            }
            Job::AdvanceProgress => progress.inc(1),
            Job::ClearProgress => progress.finish_and_clear(),
            Job::Confirm(sender) => {
                let _ = sender.send(());
            }
        }
    }
}
