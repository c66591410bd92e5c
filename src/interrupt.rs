//! Handles Ctrl-C and SIGTERM: stops the command immediately, or after requests in progress that must be completed.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

#[cfg(unix)]
use tokio::signal::unix::{self, Signal, SignalKind};
use tokio::sync::Notify;

use crate::ui::Ui;

/// The interrupt state of one run. Clones share it. A deferred interrupt lets requests in progress complete; a second
/// Ctrl-C gives them up.
#[derive(Clone, Default)]
pub struct Interrupt(Rc<InterruptState>);

#[derive(Default)]
struct InterruptState {
    is_deferred: Cell<bool>,
    /// The time of the first interrupt.
    time: Cell<Option<Instant>>,
    is_repeated: Cell<bool>,
    notify: Notify,
}

impl Interrupt {
    /// Defers interrupts for the rest of the command, which has changes to report. It must end soon after an interrupt,
    /// and immediately when the interrupt is repeated.
    pub fn defer(&self) {
        self.0.is_deferred.set(true);
    }

    /// Whether the command was interrupted. If so, do not start new requests.
    pub fn is_set(&self) -> bool {
        self.0.time.get().is_some()
    }

    /// Returns the time of the interrupt when the command is interrupted.
    pub async fn wait(&self) -> Instant {
        loop {
            match self.0.time.get() {
                Some(time) => return time,
                None => self.0.notify.notified().await,
            }
        }
    }

    /// Returns when a deferred interrupt is repeated: do not wait for requests in progress.
    pub async fn wait_for_repetition(&self) {
        while !self.0.is_repeated.get() {
            self.0.notify.notified().await;
        }
    }

    /// Sleeps for `duration`. Returns early when the command is interrupted.
    pub async fn sleep(&self, duration: Duration) {
        tokio::select! {
            () = tokio::time::sleep(duration) => {}
            _ = self.wait() => {}
        }
    }

    /// Handles signals. Returns when the command must stop.
    pub async fn watch(&self, ui: &Ui) {
        let mut signals = Signals::new();
        loop {
            signals.next().await;
            let is_first = !self.is_set();
            self.0.time.set(self.0.time.get().or_else(|| Some(Instant::now())));
            match (self.0.is_deferred.get(), is_first) {
                (false, _) => return,
                (true, true) => ui.status("Finishing requests in progress. Press Ctrl-C again to stop now."),
                (true, false) => self.0.is_repeated.set(true),
            }
            self.0.notify.notify_waiters();
        }
    }
}

/// Listens for Ctrl-C and, on Unix, SIGTERM, which schedulers and CI systems send.
struct Signals {
    #[cfg(unix)]
    interrupt: Option<Signal>,
    #[cfg(unix)]
    terminate: Option<Signal>,
}

impl Signals {
    fn new() -> Self {
        Self {
            #[cfg(unix)]
            interrupt: unix::signal(SignalKind::interrupt()).ok(),
            #[cfg(unix)]
            terminate: unix::signal(SignalKind::terminate()).ok(),
        }
    }

    /// Returns at the next signal.
    #[cfg(unix)]
    async fn next(&mut self) {
        tokio::select! {
            () = receive(self.interrupt.as_mut()) => {}
            () = receive(self.terminate.as_mut()) => {}
        }
    }

    /// Returns at the next signal.
    #[cfg(not(unix))]
    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    }
}

/// Returns at the next signal. Never returns if the handler could not be installed.
#[cfg(unix)]
async fn receive(signal: Option<&mut Signal>) {
    match signal {
        Some(signal) => {
            signal.recv().await;
        }
        None => std::future::pending().await,
    }
}
