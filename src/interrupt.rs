//! Handles Ctrl-C and SIGTERM: stops the command immediately, or after requests in flight that must be completed.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

#[cfg(unix)]
use tokio::signal::unix::{self, Signal, SignalKind};
use tokio::sync::Notify;

use crate::error::Error;
use crate::ui::Ui;

/// The interrupt state of one run. Clones share it. A deferred interrupt lets requests in flight complete; a second
/// Ctrl-C stops the command immediately.
#[derive(Clone, Default)]
pub struct Interrupt(Rc<InterruptState>);

#[derive(Default)]
struct InterruptState {
    in_flight: RefCell<Option<InFlight>>,
    is_set: Cell<bool>,
    notify: Notify,
}

/// The changes that a deferred interrupt waits for.
#[derive(Clone)]
pub struct InFlight {
    pub count: usize,
    /// Hints with the commands that show the outcome, for users who do not wait.
    pub hints: Vec<String>,
}

impl Interrupt {
    /// Awaits a future and defers the first interrupt until it completes.
    pub async fn defer<T>(&self, in_flight: InFlight, future: impl Future<Output = T>) -> T {
        self.0.in_flight.replace(Some(in_flight));
        let result = future.await;
        self.0.in_flight.take();
        result
    }

    /// Whether an interrupt was deferred. If so, do not start new requests.
    pub fn is_set(&self) -> bool {
        self.0.is_set.get()
    }

    /// Returns when an interrupt is deferred.
    pub async fn wait(&self) {
        let notified = self.0.notify.notified();
        if !self.is_set() {
            notified.await;
        }
    }

    /// Sleeps for `duration`. Returns early when an interrupt is deferred.
    pub async fn sleep(&self, duration: Duration) {
        tokio::select! {
            () = tokio::time::sleep(duration) => {}
            () = self.wait() => {}
        }
    }

    /// The error of an interrupted command.
    pub fn error(&self) -> Error {
        let error = Error::interrupted();
        match &*self.0.in_flight.borrow() {
            Some(InFlight { count: 1, hints }) => {
                error.with_detail("the change that was on its way may have been made, or not").with_hints(hints.clone())
            }
            Some(InFlight { hints, .. }) => error
                .with_detail("the changes that were on their way may have been made, or not")
                .with_hints(hints.clone()),
            None => error,
        }
    }

    /// Handles signals. Returns when the command must stop.
    pub async fn watch(&self, ui: &Ui) {
        let mut signals = Signals::new();
        loop {
            signals.next().await;
            let message = match &*self.0.in_flight.borrow() {
                None => return,
                Some(_) if self.is_set() => return,
                Some(InFlight { count: 1, .. }) => {
                    "Waiting for the change that is on its way; press Ctrl-C again to leave it …"
                }
                Some(_) => "Waiting for the changes that are on their way; press Ctrl-C again to leave them …",
            };
            self.0.is_set.set(true);
            ui.status(message);
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
