//! Ctrl-C: what it ends at once, and what it has to wait for.

use std::cell::{Cell, RefCell};

use crate::error::Error;

/// Ctrl-C. While it is held off, a request that must not be cut short runs to its end; a second Ctrl-C gets through.
#[derive(Default)]
pub(crate) struct Interrupt {
    /// While it is held off: what to type to see what became of the work.
    held_off: RefCell<Option<String>>,
    is_pressed: Cell<bool>,
}

impl Interrupt {
    /// Runs `work` to its end whether or not Ctrl-C is pressed. `look` names the command that shows what became
    /// of it, for those who press again.
    pub(crate) async fn held_off<T>(&self, look: String, work: impl Future<Output = T>) -> T {
        self.held_off.replace(Some(look));
        let result = work.await;
        self.held_off.take();
        result
    }

    /// Whether Ctrl-C was pressed while it was held off.
    pub(crate) fn is_pressed(&self) -> bool {
        self.is_pressed.get()
    }

    /// The failure with which Ctrl-C ends the command.
    pub(crate) fn error(&self) -> Error {
        let error = Error::interrupted();
        match &*self.held_off.borrow() {
            Some(look) => error
                .detail("the change that was on its way may have been made, or not")
                .hint(format!("see what it is now: {look}")),
            None => error,
        }
    }

    /// Returns when Ctrl-C ends the command. `tell` is called when it has to wait.
    pub(crate) async fn ends_the_command(&self, tell: impl Fn()) {
        loop {
            if tokio::signal::ctrl_c().await.is_err() {
                std::future::pending::<()>().await;
            }
            if self.held_off.borrow().is_none() || self.is_pressed.replace(true) {
                return;
            }
            tell();
        }
    }
}
