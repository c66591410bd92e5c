//! The executable in a real terminal of 80 columns and 24 lines.

use std::io::{Read as _, Write as _};
use std::process::{Child, Command};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use pty_process::Size;
use pty_process::blocking::Pty;
use rustix::termios::{LocalModes, tcgetattr};

use super::server::TEST_TIMEOUT;

pub(crate) const COLUMNS: u16 = 80;
pub(crate) const CTRL_C: &str = "\u{3}";
pub(crate) const CTRL_D: &str = "\u{4}";

/// The control sequence that erases the line of the progress bar.
pub(crate) const ERASE_LINE: &str = "\u{1b}[2K";

/// A program in a pseudo-terminal. It is killed on drop.
pub(crate) struct PtySession {
    pty: Arc<Pty>,
    child: Child,
    chunks: Receiver<Vec<u8>>,
    output: Vec<u8>,
    /// How much of the output earlier calls of [`PtySession::expect`] have consumed.
    consumed: usize,
}

/// Exit code and terminal output of a program, without carriage returns.
#[derive(Debug)]
pub(crate) struct PtyOutput {
    pub(crate) code: i32,
    pub(crate) screen: String,
}

/// A shell script in which `"$@"` is the command, with the command's environment.
pub(crate) fn in_shell(script: &str, command: &Command) -> Command {
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(script).arg("sh").arg(command.get_program()).args(command.get_args()).env_clear();
    shell.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    shell
}

impl PtySession {
    /// Runs the command with the terminal as its three streams.
    pub(crate) fn run(command: Command) -> Self {
        let (pty, terminal) = pty_process::blocking::open().unwrap();
        pty.resize(Size::new(24, COLUMNS)).unwrap();
        // This replaces the streams that the command had.
        let child = pty_process::blocking::Command::from(command).spawn(terminal).unwrap();
        let pty = Arc::new(pty);
        let (sender, chunks) = mpsc::channel();
        let reader = Arc::clone(&pty);
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            // After the last program has exited, Linux returns an error (EIO), other systems an empty read.
            while let Ok(count @ 1..) = (&*reader).read(&mut buffer) {
                if sender.send(buffer[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        Self { pty, child, chunks, output: Vec::new(), consumed: 0 }
    }

    /// Runs a shell script in which `"$@"` is the command. The shell outlives the command, so the terminal modes can be
    /// read afterwards: a terminal is reset when its first program exits.
    pub(crate) fn run_in_shell(script: &str, command: &Command) -> Self {
        Self::run(in_shell(script, command))
    }

    /// Waits for this text in the output that follows the text of the previous call.
    #[track_caller]
    pub(crate) fn expect(&mut self, text: &str) {
        let deadline = Instant::now() + TEST_TIMEOUT;
        loop {
            let rest = &self.output[self.consumed..];
            if let Some(position) = rest.windows(text.len()).position(|bytes| bytes == text.as_bytes()) {
                self.consumed += position + text.len();
                return;
            }
            assert!(self.read_more(deadline), "not shown: {text}\n---\n{}", self.text());
        }
    }

    /// Waits until the terminal no longer echoes input. The prompt appears shortly before that.
    #[track_caller]
    pub(crate) fn expect_hidden_input(&self) {
        let deadline = Instant::now() + TEST_TIMEOUT;
        while tcgetattr(&*self.pty).unwrap().local_modes.contains(LocalModes::ECHO) {
            assert!(Instant::now() < deadline, "the terminal still echoes input");
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Sends input. Errors are ignored: the program may have exited.
    pub(crate) fn type_keys(&self, keys: &str) {
        let _ = (&*self.pty).write_all(keys.as_bytes());
    }

    /// The rest of the first line that starts with `label`.
    #[track_caller]
    pub(crate) fn text_after(&mut self, label: &str) -> String {
        self.expect(label);
        let start = self.consumed;
        self.expect("\n");
        String::from_utf8_lossy(&self.output[start..self.consumed]).trim().to_owned()
    }

    /// Waits until the program has exited.
    #[track_caller]
    pub(crate) fn finish(mut self) -> PtyOutput {
        let deadline = Instant::now() + TEST_TIMEOUT;
        while self.read_more(deadline) {}
        let code = self.child.wait().unwrap().code().unwrap_or(-1);
        PtyOutput { code, screen: self.text() }
    }

    /// Reads the next chunk of output; false at the end.
    #[track_caller]
    fn read_more(&mut self, deadline: Instant) -> bool {
        match self.chunks.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(bytes) => {
                self.output.extend(bytes);
                true
            }
            Err(RecvTimeoutError::Disconnected) => false,
            Err(RecvTimeoutError::Timeout) => panic!("no more output, and no exit\n---\n{}", self.text()),
        }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.output).replace('\r', "")
    }
}

impl Drop for PtySession {
    fn drop(&mut self) {
        // Both fail if the program has exited.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl PtyOutput {
    #[track_caller]
    pub(crate) fn assert_code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "exit code\n---\n{}", self.screen);
        self
    }

    /// Asserts that the screen contains each of these texts.
    #[track_caller]
    pub(crate) fn contains_all(self, parts: &[&str]) -> Self {
        for part in parts {
            assert!(self.screen.contains(part), "not on the screen: {part}\n---\n{}", self.screen);
        }
        self
    }

    /// Asserts that the screen contains none of these texts.
    #[track_caller]
    pub(crate) fn contains_none(self, parts: &[&str]) -> Self {
        for part in parts {
            assert!(!self.screen.contains(part), "on the screen: {part}\n---\n{}", self.screen);
        }
        self
    }
}
