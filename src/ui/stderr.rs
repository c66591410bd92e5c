//! The thread that writes to standard error: messages, and the progress below them.

use std::cell::OnceCell;
use std::io::{self, Write};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SendError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use anstream::{AutoStream, ColorChoice};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::sync::oneshot;

/// How long work takes before a spinner appears.
const SPINNER_DELAY: Duration = Duration::from_millis(300);

const SPINNER_INTERVAL: Duration = Duration::from_millis(100);

/// Writes to standard error on a thread, which the first message starts: most commands print none.
pub struct StderrWriter {
    jobs: OnceCell<Sender<Job>>,
    color: ColorChoice,
    shows_progress: bool,
}

/// Work for the thread.
enum Job {
    Write(String),
    /// Shows progress, unless some is shown already.
    ShowProgress(ProgressKind),
    AdvanceProgress,
    /// Ends the progress of one `ShowProgress`.
    EndProgress,
    ClearProgress,
    /// Confirms that all earlier jobs are done.
    Confirm(oneshot::Sender<()>),
}

/// What the progress counts, and how it looks.
pub enum ProgressKind {
    /// A bar of changes.
    Bar { total: u64 },
    /// A spinner, with the number of finished tenants if there are several.
    Spinner { message: String, tenants: u64 },
}

/// The progress of some work. Dropping it clears the progress.
pub struct Progress(Option<Sender<Job>>);

impl StderrWriter {
    pub fn new(color: ColorChoice, shows_progress: bool) -> Self {
        Self { jobs: OnceCell::new(), color, shows_progress }
    }

    /// Writes text above the progress.
    pub fn write(&self, text: String) {
        if let Err(SendError(Job::Write(text))) = self.jobs().send(Job::Write(text)) {
            // The thread could not start.
            let _ = io::stderr().write_all(text.as_bytes());
        }
    }

    /// Shows progress if this terminal can.
    pub fn show_progress(&self, kind: ProgressKind) -> Progress {
        if !self.shows_progress {
            return Progress(None);
        }
        let _ = self.jobs().send(Job::ShowProgress(kind));
        Progress(Some(self.jobs().clone()))
    }

    /// Clears all progress.
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
            let color = self.color;
            let (sender, jobs) = mpsc::channel();
            let _ = thread::Builder::new().spawn(move || run(&jobs, color));
            sender
        })
    }
}

impl Progress {
    /// Advances by one change or tenant.
    pub fn advance(&self) {
        self.send(Job::AdvanceProgress);
    }

    fn send(&self, job: Job) {
        if let Some(jobs) = &self.0 {
            let _ = jobs.send(job);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.send(Job::EndProgress);
    }
}

/// The progress on the screen.
struct ShownProgress {
    bar: ProgressBar,
    style: ProgressStyle,
    /// When a spinner moves next. `None` for a bar, which moves only when it advances.
    next_tick: Option<Instant>,
    /// How many others began meanwhile and have not ended.
    nested: usize,
}

impl ShownProgress {
    fn new(kind: ProgressKind) -> Option<Self> {
        let (total, message, template, delay) = match kind {
            ProgressKind::Bar { total } => (total, String::new(), "Changing [{wide_bar}] {pos}/{len}", None),
            ProgressKind::Spinner { message, tenants: 0 | 1 } => (1, message, "{spinner} {msg}", Some(SPINNER_DELAY)),
            ProgressKind::Spinner { message, tenants } => {
                (tenants, message, "{spinner} {msg} {pos}/{len} tenants", Some(SPINNER_DELAY))
            }
        };
        let style = ProgressStyle::with_template(template).ok()?.progress_chars("=> ");
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::hidden()).with_message(message);
        let next_tick = delay.map(|delay| Instant::now() + delay);
        let progress = Self { bar, style, next_tick, nested: 0 };
        if progress.next_tick.is_none() {
            progress.draw();
        }
        Some(progress)
    }

    fn draw(&self) {
        if self.bar.is_hidden() {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
            self.bar.set_style(self.style.clone());
        }
        self.bar.tick();
    }

    /// Moves a spinner if it is time, and returns how long it rests.
    fn tick(&mut self) -> Option<Duration> {
        let (now, next) = (Instant::now(), self.next_tick?);
        if next <= now {
            self.draw();
            self.next_tick = Some(now + SPINNER_INTERVAL);
            return Some(SPINNER_INTERVAL);
        }
        Some(next - now)
    }
}

/// Does the jobs until the senders are dropped. Ignores errors, because there is no other stream to report them to.
fn run(jobs: &Receiver<Job>, color: ColorChoice) {
    let mut stderr = AutoStream::new(io::stderr(), color);
    let mut shown: Option<ShownProgress> = None;
    loop {
        let job = match shown.as_mut().and_then(ShownProgress::tick) {
            None => jobs.recv().map_err(RecvTimeoutError::from),
            Some(rest) => jobs.recv_timeout(rest),
        };
        match job {
            Ok(Job::Write(text)) => {
                let mut write = || {
                    let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
                };
                match &shown {
                    Some(progress) => progress.bar.suspend(write),
                    None => write(),
                }
            }
            Ok(Job::ShowProgress(kind)) => match &mut shown {
                Some(progress) => progress.nested += 1,
                None => shown = ShownProgress::new(kind),
            },
            Ok(Job::AdvanceProgress) => {
                if let Some(progress) = &shown {
                    progress.bar.inc(1);
                }
            }
            Ok(Job::EndProgress) => match &mut shown {
                Some(progress) if progress.nested > 0 => progress.nested -= 1,
                Some(progress) => {
                    progress.bar.finish_and_clear();
                    shown = None;
                }
                None => {}
            },
            Ok(Job::ClearProgress) => {
                if let Some(progress) = shown.take() {
                    progress.bar.finish_and_clear();
                }
            }
            Ok(Job::Confirm(sender)) => {
                let _ = sender.send(());
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}
