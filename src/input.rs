//! Reads user input: a line, a secret or all of standard input. Blocking reads run on a separate thread, so that Ctrl-C
//! works during a read.

use std::io::{self, BufRead, BufReader, Cursor, IsTerminal, Read};
use std::sync::{Arc, Mutex, PoisonError};

use secrecy::{ExposeSecret, SecretString};

use crate::error::{Error, Result};
use crate::files::decode_text;
use crate::secret::{SecretBytes, into_secret};

/// In bytes. Longer than any password or token.
const MAX_SECRET_LEN: usize = 64 * 1024;

/// Standard input.
#[derive(Clone)]
pub struct Input {
    reader: Arc<Mutex<dyn BufRead + Send>>,
    is_terminal: bool,
}

impl Input {
    /// The standard input of this process.
    #[must_use]
    pub fn from_process() -> Self {
        let stdin = io::stdin();
        let is_terminal = stdin.is_terminal();
        Self { reader: Arc::new(Mutex::new(BufReader::new(stdin))), is_terminal }
    }

    /// Input from memory, not a terminal, for programs that embed the tool.
    #[must_use]
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self { reader: Arc::new(Mutex::new(Cursor::new(bytes))), is_terminal: false }
    }

    /// Whether the input is a terminal, so that the user can answer a prompt.
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        self.is_terminal
    }

    /// Reads a line, including its line break. Returns an empty string at the end of the input.
    ///
    /// # Errors
    ///
    /// The input cannot be read, or is not UTF-8.
    pub async fn read_line(&self) -> Result<String> {
        let line = self.read(|reader| {
            let mut line = String::new();
            reader.read_line(&mut line).map(|_| line)
        });
        line.await.map_err(into_error)
    }

    /// Reads to the end of the input, without the byte order mark and the line breaks that Windows PowerShell adds.
    ///
    /// # Errors
    ///
    /// The input cannot be read, is neither UTF-8 nor UTF-16 with a byte order mark, or is longer than 64 KiB.
    pub async fn read_to_secret(&self) -> Result<SecretString> {
        let bytes = match self.read_limited(MAX_SECRET_LEN).await {
            Err(error) if error.kind() == io::ErrorKind::FileTooLarge => {
                return Err(Error::usage("standard input is too long to be a password or a token"));
            }
            read => read.map_err(into_error)?,
        };
        let decoded = SecretBytes::from(decode_text(&bytes).into_owned());
        let text = decoded.text().map_err(|error| into_error(io::Error::new(io::ErrorKind::InvalidData, error)))?;
        Ok(SecretString::from(text.expose_secret().trim_matches(['\u{FEFF}', '\r', '\n'])))
    }

    /// Reads to the end of the input.
    ///
    /// # Errors
    ///
    /// The input cannot be read. [`io::ErrorKind::FileTooLarge`] if it is longer than `limit` bytes.
    pub async fn read_limited(&self, limit: usize) -> io::Result<SecretBytes> {
        let bytes = self.read(move |reader| SecretBytes::read(reader.take(limit as u64 + 1))).await?;
        if bytes.len() > limit { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(bytes) }
    }

    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&mut dyn BufRead) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let reader = Arc::clone(&self.reader);
        let read = move || read(&mut *reader.lock().unwrap_or_else(PoisonError::into_inner));
        tokio::task::spawn_blocking(read).await.map_err(io::Error::other)?
    }
}

/// Prompts for a secret on the terminal, without echo.
pub async fn prompt_hidden(prompt: String) -> Result<SecretString> {
    read_blocking(move || rpassword::prompt_password(prompt).map(into_secret)).await
}

/// Reads on another thread.
pub async fn read_blocking<T: Send + 'static>(read: impl FnOnce() -> io::Result<T> + Send + 'static) -> Result<T> {
    let read = tokio::task::spawn_blocking(read).await.map_err(io::Error::other).and_then(|read| read);
    read.map_err(into_error)
}

fn into_error(error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::Interrupted => Error::interrupted(),
        io::ErrorKind::InvalidData => Error::usage("standard input is not UTF-8 text"),
        io::ErrorKind::UnexpectedEof => Error::failed("no input"),
        _ => Error::from_source(error).context("could not read the input"),
    }
}

/// The terminal modes before a hidden prompt. After an interrupt, the thread of the prompt is still reading, so
/// rpassword never restores the modes itself.
#[cfg(unix)]
pub struct TerminalModes {
    terminal: std::fs::File,
    modes: rustix::termios::Termios,
}

#[cfg(unix)]
impl TerminalModes {
    /// Saves the current modes. Returns `None` without a controlling terminal.
    pub fn save() -> Option<Self> {
        let terminal = std::fs::File::open("/dev/tty").ok()?;
        let modes = rustix::termios::tcgetattr(&terminal).ok()?;
        Some(Self { terminal, modes })
    }

    /// Restores the modes. Ignores errors, because the terminal may be closed.
    pub fn restore(&self) {
        let _ = rustix::termios::tcsetattr(&self.terminal, rustix::termios::OptionalActions::Now, &self.modes);
    }
}

/// Does nothing, because Windows shells reset the console mode before each prompt.
#[cfg(not(unix))]
pub struct TerminalModes;

#[cfg(not(unix))]
impl TerminalModes {
    pub fn save() -> Option<Self> {
        Some(Self)
    }

    pub fn restore(&self) {}
}
