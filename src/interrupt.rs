//! Ctrl-C, and the signal that stands for it: what it ends at once, and what it has to wait for.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use tokio::sync::Notify;

use crate::error::Error;

/// Ctrl-C. While it is held off, requests that must not be cut short run to their end; a second Ctrl-C gets through.
#[derive(Clone, Default)]
pub struct Interrupt(Rc<State>);

#[derive(Default)]
struct State {
    held_off: RefCell<Option<InFlight>>,
    is_set: Cell<bool>,
    pressed: Notify,
}

/// What Ctrl-C has to wait for.
#[derive(Clone)]
pub struct InFlight {
    /// Whether it is one change, rather than several.
    pub is_one: bool,
    /// What to type to see what became of it, for those who do not wait.
    pub hints: Vec<String>,
}

impl Interrupt {
    /// Runs `work` to its end whether or not Ctrl-C is pressed.
    pub async fn defer<T>(&self, what: InFlight, work: impl Future<Output = T>) -> T {
        self.0.held_off.replace(Some(what));
        let result = work.await;
        self.0.held_off.take();
        result
    }

    /// Whether Ctrl-C was pressed while it was held off: nothing new is to be started.
    pub fn is_set(&self) -> bool {
        self.0.is_set.get()
    }

    /// Returns when Ctrl-C is pressed while it is held off: a wait need not be waited out.
    pub async fn pressed(&self) {
        let pressed = self.0.pressed.notified();
        if !self.is_set() {
            pressed.await;
        }
    }

    /// The failure with which Ctrl-C ends the command.
    pub fn error(&self) -> Error {
        let error = Error::interrupted();
        match &*self.0.held_off.borrow() {
            Some(InFlight { is_one: true, hints }) => {
                error.with_detail("the change that was on its way may have been made, or not").with_hints(hints.clone())
            }
            Some(InFlight { is_one: false, hints }) => error
                .with_detail("the changes that were on their way may have been made, or not")
                .with_hints(hints.clone()),
            None => error,
        }
    }

    /// Returns when Ctrl-C ends the command. `tell` is called when it has to wait.
    pub async fn watch(&self, tell: impl Fn(&str)) {
        let mut stops = Stops::new();
        loop {
            stops.next().await;
            let waiting = match &*self.0.held_off.borrow() {
                None => return,
                Some(_) if self.is_set() => return,
                Some(InFlight { is_one: true, .. }) => {
                    "Waiting for the change that is on its way; press Ctrl-C again to leave it …"
                }
                Some(InFlight { is_one: false, .. }) => {
                    "Waiting for the changes that are on their way; press Ctrl-C again to leave them …"
                }
            };
            self.0.is_set.set(true);
            tell(waiting);
            self.0.pressed.notify_waiters();
        }
    }
}

/// What asks the command to stop: Ctrl-C, and where there are signals the one that ends a program kindly (SIGTERM), as
/// whatever runs a script sends it.
struct Stops {
    #[cfg(unix)]
    terminate: Option<tokio::signal::unix::Signal>,
}

impl Stops {
    fn new() -> Self {
        Self {
            #[cfg(unix)]
            terminate: tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).ok(),
        }
    }

    /// Returns when the command is asked to stop; never, where nothing of it can be noticed.
    async fn next(&mut self) {
        let ctrl_c = async {
            if tokio::signal::ctrl_c().await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        #[cfg(unix)]
        if let Some(terminate) = &mut self.terminate {
            tokio::select! {
                () = ctrl_c => {}
                _ = terminate.recv() => {}
            }
            return;
        }
        ctrl_c.await;
    }
}
