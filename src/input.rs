//! Reading from the person: a line, a secret, all of standard input. Reads run on a thread of their own, so
//! that Ctrl-C is noticed while they wait.

use std::cell::RefCell;
use std::io::{self, BufRead, Cursor, Read};
use std::sync::{Arc, Mutex, PoisonError};

use secrecy::{ExposeSecret, SecretString};

use crate::error::{Error, Result};
use crate::secret::{self, SecretBytes};

/// More than any password or token; what is longer was not meant for us.
const LONGEST_SECRET: u64 = 64 * 1024;

pub struct Input {
    source: Source,
    saved: RefCell<Option<saved::Modes>>,
}

#[derive(Clone)]
enum Source {
    Process,
    Text(Arc<Mutex<Cursor<Vec<u8>>>>),
}

impl Input {
    pub fn process() -> Self {
        Self { source: Source::Process, saved: RefCell::new(None) }
    }

    pub fn text(text: Vec<u8>) -> Self {
        Self { source: Source::Text(Arc::new(Mutex::new(Cursor::new(text)))), saved: RefCell::new(None) }
    }

    /// One line with its end; empty at the end of the input.
    pub async fn line(&self) -> Result<String> {
        self.read(|reader| {
            let mut line = String::new();
            reader.read_line(&mut line).map(|_| line)
        })
        .await
    }

    /// Everything up to the end of the input, one trailing line end removed.
    pub async fn all_as_secret(&self) -> Result<SecretString> {
        let text = self
            .read(|reader| {
                let read = SecretBytes::read(reader.take(LONGEST_SECRET + 1))?;
                read.text().map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
            })
            .await?;
        if text.expose_secret().len() as u64 > LONGEST_SECRET {
            return Err(Error::usage("standard input is too long to be a password or a token"));
        }
        let text = text.expose_secret();
        let text = text.strip_suffix('\n').unwrap_or(text);
        Ok(SecretString::from(text.strip_suffix('\r').unwrap_or(text)))
    }

    /// A secret typed on the terminal, which does not show it.
    pub async fn secret(&self, prompt: String) -> Result<SecretString> {
        if let Source::Text(_) = self.source {
            return self.all_as_secret().await;
        }
        *self.saved.borrow_mut() = saved::Modes::now();
        let typed = on_own_thread(move || rpassword::prompt_password(prompt).map(secret::into_secret)).await;
        self.saved.borrow_mut().take();
        typed
    }

    /// Shows again what is typed, after a prompt that hid it and was not finished.
    pub fn restore(&self) {
        if let Some(modes) = self.saved.borrow_mut().take() {
            modes.restore();
        }
    }

    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&mut dyn BufRead) -> io::Result<T> + Send + 'static,
    ) -> Result<T> {
        let source = self.source.clone();
        on_own_thread(move || match source {
            Source::Process => read(&mut io::stdin().lock()),
            Source::Text(text) => read(&mut *text.lock().unwrap_or_else(PoisonError::into_inner)),
        })
        .await
    }
}

async fn on_own_thread<T: Send + 'static>(read: impl FnOnce() -> io::Result<T> + Send + 'static) -> Result<T> {
    match tokio::task::spawn_blocking(read).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => Err(Error::interrupted()),
        Ok(Err(error)) if error.kind() == io::ErrorKind::InvalidData => {
            Err(Error::usage("standard input is not UTF-8 text"))
        }
        Ok(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => Err(Error::failed("nothing was typed")),
        Ok(Err(error)) => Err(Error::from_source(error).context("could not read the input")),
        Err(_) => Err(Error::failed("could not read the input")),
    }
}

/// The terminal's modes before a prompt that hides what is typed. An interrupted prompt leaves its thread
/// reading, so its own clean-up never runs.
#[cfg(unix)]
mod saved {
    use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};

    pub struct Modes {
        terminal: std::fs::File,
        modes: Termios,
    }

    impl Modes {
        pub fn now() -> Option<Self> {
            let terminal = std::fs::File::open("/dev/tty").ok()?;
            let modes = tcgetattr(&terminal).ok()?;
            Some(Self { terminal, modes })
        }

        /// A terminal that is gone needs no restoring.
        pub fn restore(self) {
            let _ = tcsetattr(&self.terminal, OptionalActions::Now, &self.modes);
        }
    }
}

/// Shells on Windows set the console mode they need before each of their prompts; there is nothing to put back.
#[cfg(not(unix))]
mod saved {
    pub struct Modes;

    impl Modes {
        pub fn now() -> Option<Self> {
            Some(Self)
        }

        pub fn restore(self) {}
    }
}
