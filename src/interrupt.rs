//! Ctrl-C and SIGTERM: they end the command at once, or after the requests that must not be cut short.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

#[cfg(unix)]
use tokio::signal::unix::{self, Signal, SignalKind};
use tokio::sync::Notify;

use crate::error::Error;
use crate::ui::Ui;

/// The interrupt state of one run; a clone shares it. While an interrupt is deferred, requests run to their end; a second
/// Ctrl-C ends the command all the same.
#[derive(Clone, Default)]
pub struct Interrupt(Rc<InterruptState>);

#[derive(Default)]
struct InterruptState {
    in_flight: RefCell<Option<InFlight>>,
    is_set: Cell<bool>,
    notify: Notify,
}

/// The changes that an interrupt waits for.
#[derive(Clone)]
pub struct InFlight {
    pub count: usize,
    /// The commands that show the outcome, for users who do not wait.
    pub hints: Vec<String>,
}

impl Interrupt {
    /// Runs `work` to its end even if Ctrl-C is pressed.
    pub async fn defer<T>(&self, in_flight: InFlight, work: impl Future<Output = T>) -> T {
        self.0.in_flight.replace(Some(in_flight));
        let result = work.await;
        self.0.in_flight.take();
        result
    }

    /// Whether Ctrl-C was pressed while it was deferred. Nothing new must be started then.
    pub fn is_set(&self) -> bool {
        self.0.is_set.get()
    }

    /// Returns when Ctrl-C is pressed while it is deferred.
    pub async fn wait(&self) {
        let notified = self.0.notify.notified();
        if !self.is_set() {
            notified.await;
        }
    }

    /// Sleeps, but returns early if Ctrl-C is pressed.
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

    /// Returns when Ctrl-C ends the command.
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

/// Ctrl-C and, on Unix, SIGTERM, which schedulers and CI systems send.
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

/// Never returns if the handler could not be installed.
#[cfg(unix)]
async fn receive(signal: Option<&mut Signal>) {
    match signal {
        Some(signal) => {
            signal.recv().await;
        }
        None => std::future::pending().await,
    }
}
