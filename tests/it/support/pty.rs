//! A real terminal of 80 columns and 24 lines, with the executable in it and a person's hands on the keys.

use std::io::{Read as _, Write as _};
use std::process::{Child, Command};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use pty_process::Size;
use pty_process::blocking::Pty;
use rustix::termios::{LocalModes, tcgetattr};

use crate::support::server::PATIENCE;

pub(crate) const COLUMNS: u16 = 80;

/// What takes a bar in the last line away, as [`Left::shown`] has it: without the ways back to the line's beginning.
pub(crate) fn erased() -> String {
    " ".repeat(usize::from(COLUMNS) - 1)
}
pub(crate) const CTRL_C: &str = "\u{3}";
pub(crate) const CTRL_D: &str = "\u{4}";

/// A program in a terminal of its own; it is killed when this is dropped.
pub(crate) struct Screen {
    pty: Arc<Pty>,
    child: Child,
    arriving: Receiver<Vec<u8>>,
    shown: Vec<u8>,
    /// How much of it has been waited for.
    awaited: usize,
}

/// What a program left on the screen, carriage returns removed.
#[derive(Debug)]
pub(crate) struct Left {
    pub(crate) code: i32,
    pub(crate) shown: String,
}

/// A shell script in which `"$@"` is the command, in the command's environment.
pub(crate) fn in_shell(script: &str, command: &Command) -> Command {
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(script).arg("sh").arg(command.get_program()).args(command.get_args()).env_clear();
    shell.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    shell
}

impl Screen {
    /// Runs the command with the terminal as its three streams.
    pub(crate) fn run(command: Command) -> Self {
        let (pty, terminal) = pty_process::blocking::open().unwrap();
        pty.resize(Size::new(24, COLUMNS)).unwrap();
        // Whatever streams the command had are replaced.
        let child = pty_process::blocking::Command::from(command).spawn(terminal).unwrap();
        let pty = Arc::new(pty);
        let (sender, arriving) = mpsc::channel();
        let reader = Arc::clone(&pty);
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            // Linux ends with an error (EIO), other systems with nothing more, once every program has gone.
            while let Ok(count @ 1..) = (&*reader).read(&mut buffer) {
                if sender.send(buffer[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        Self { pty, child, arriving, shown: Vec::new(), awaited: 0 }
    }

    /// Runs a shell script in which `"$@"` is the command. The shell stays, so the terminal's modes can be looked
    /// at afterwards: a terminal whose first program has gone is reset.
    pub(crate) fn run_in_shell(script: &str, command: &Command) -> Self {
        Self::run(in_shell(script, command))
    }

    /// Waits until the text is shown, after what was waited for before.
    #[track_caller]
    pub(crate) fn expect(&mut self, text: &str) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let unseen = &self.shown[self.awaited..];
            if let Some(position) = unseen.windows(text.len()).position(|bytes| bytes == text.as_bytes()) {
                self.awaited += position + text.len();
                return;
            }
            assert!(self.read_more(deadline), "not shown: {text}\n---\n{}", self.text());
        }
    }

    /// Waits until what is typed is not shown any more. A prompt comes a moment before that.
    #[track_caller]
    pub(crate) fn expect_hidden_input(&self) {
        let deadline = Instant::now() + PATIENCE;
        while tcgetattr(&*self.pty).unwrap().local_modes.contains(LocalModes::ECHO) {
            assert!(Instant::now() < deadline, "what is typed stays visible");
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Presses keys. A program that has gone does not mind.
    pub(crate) fn keys(&self, keys: &str) {
        let _ = (&*self.pty).write_all(keys.as_bytes());
    }

    /// What the first line that begins so says after it.
    #[track_caller]
    pub(crate) fn word_after(&mut self, label: &str) -> String {
        self.expect(label);
        let start = self.awaited;
        self.expect("\n");
        String::from_utf8_lossy(&self.shown[start..self.awaited]).trim().to_owned()
    }

    /// Waits until the program has ended.
    #[track_caller]
    pub(crate) fn finish(mut self) -> Left {
        let deadline = Instant::now() + PATIENCE;
        while self.read_more(deadline) {}
        let code = self.child.wait().unwrap().code().unwrap_or(-1);
        Left { code, shown: self.text() }
    }

    /// Takes in what is shown next; false where there is no more.
    #[track_caller]
    fn read_more(&mut self, deadline: Instant) -> bool {
        match self.arriving.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(bytes) => {
                self.shown.extend(bytes);
                true
            }
            Err(RecvTimeoutError::Disconnected) => false,
            Err(RecvTimeoutError::Timeout) => panic!("nothing more is shown, and no end\n---\n{}", self.text()),
        }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.shown).replace('\r', "")
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // Both fail where the program has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Left {
    #[track_caller]
    pub(crate) fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "exit code\n---\n{}", self.shown);
        self
    }

    /// The screen shows all of this.
    #[track_caller]
    pub(crate) fn expect_shown(self, parts: &[&str]) -> Self {
        for part in parts {
            assert!(self.shown.contains(part), "not shown: {part}\n---\n{}", self.shown);
        }
        self
    }

    #[track_caller]
    pub(crate) fn expect_not_shown(self, parts: &[&str]) -> Self {
        for part in parts {
            assert!(!self.shown.contains(part), "shown: {part}\n---\n{}", self.shown);
        }
        self
    }
}
