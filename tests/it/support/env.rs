//! Running the executable with an empty home and an environment of its own.

#[cfg(windows)]
<<<<<<< HEAD:tests/cli/support.rs
#[path = "../../../src/auth/cache/sealing/dpapi.rs"]
=======
#[path = "../../../src/auth/cache/sealing/dpapi.rs"]
>>>>>>> a4bd8fe (Move the tests of the executable to tests/it and rename their files):tests/it/support/env.rs
#[expect(dead_code, reason = "the executable seals, the tests look")]
mod dpapi;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::tenant::{ADMIN, PASSWORD, Tenant};

/// A machine on which nobody has signed in yet, and the simulated tenant that it reaches.
pub(crate) struct Machine {
    pub(crate) tenant: Tenant,
    home: TempDir,
}

/// What a run of the executable left behind.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Machine {
    /// A machine without a sign-in.
    pub(crate) fn new() -> Self {
        Self { tenant: Tenant::start(), home: tempfile::tempdir().unwrap() }
    }

    /// A machine on which the administrator has signed in; the requests for it are forgotten.
    pub(crate) fn signed_in() -> Self {
        let machine = Self::new();
        machine.sign_in(ADMIN);
        machine
    }

    /// A machine whose saved access token is within five minutes of its end, so that it is renewed before it is used.
    pub(crate) fn about_to_renew() -> Self {
        let machine = Self::new();
        machine.tenant.set_token_lifetime(299);
        machine.sign_in(ADMIN);
        machine.tenant.set_token_lifetime(3600);
        machine
    }

    /// Signs in with a password, and forgets the requests that took.
    pub(crate) fn sign_in(&self, user: &str) {
        self.run_with_input(&["connect", "--username", user, "--password-stdin"], PASSWORD).expect_code(0);
        self.tenant.forget_requests();
    }

    /// The directory that holds the sign-ins.
    pub(crate) fn state(&self) -> PathBuf {
        self.home.path().join("state")
    }

    /// The file that holds the sign-ins.
    pub(crate) fn sign_ins(&self) -> PathBuf {
        self.state().join("sign-ins.json")
    }

    /// An empty directory that lives as long as the machine.
    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// The executable with an environment that holds nothing but what leads it here.
    pub(crate) fn command<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mscommerce"));
        command.args(arguments).env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // Windows finds neither its network nor its temporary directory without these.
        for name in ["PATH", "SystemRoot", "TEMP", "TMP"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command
            .env("LC_ALL", "C.UTF-8")
            .env("HOME", self.home.path())
            .env("USERPROFILE", self.home.path())
            .env("MSCOMMERCE_HOME", self.state())
            .env("MSCOMMERCE_ENDPOINT", self.tenant.url())
            .env("AZURE_AUTHORITY_HOST", self.tenant.url());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        self.command(arguments).output().unwrap().into()
    }

    /// Runs with further environment variables.
    pub(crate) fn run_with(&self, variables: &[(&str, &str)], arguments: &[&str]) -> Ran {
        self.command(arguments).envs(variables.iter().copied()).output().unwrap().into()
    }

    /// Runs with something on standard input.
    pub(crate) fn run_with_input(&self, arguments: &[&str], input: &str) -> Ran {
        Self::run_command_with_input(self.command(arguments), input)
    }

    /// Runs what [`Machine::command`] prepared with something on standard input.
    pub(crate) fn run_command_with_input(mut command: Command, input: impl AsRef<[u8]>) -> Ran {
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        // A program that refuses its command line does not read its input.
        let _ = child.stdin.take().unwrap().write_all(input.as_ref());
        child.wait_with_output().unwrap().into()
    }

    /// The requests that arrived, a line each: `GET /v1.0/policies`.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.tenant.requests().iter().map(crate::tenant::Received::line).collect()
    }

    /// The forms that arrived at Entra's token endpoint, each with the tenant it was sent to.
    pub(crate) fn token_requests(&self) -> Vec<(String, BTreeMap<String, String>)> {
        let requests = self.tenant.requests();
        let requests = requests.iter().filter(|request| request.path.ends_with("/oauth2/v2.0/token"));
        requests.map(|request| (request.path.split('/').nth(1).unwrap().to_owned(), request.form())).collect()
    }

    /// What the file of sign-ins holds.
    #[track_caller]
    pub(crate) fn saved(&self) -> Value {
        let saved: Value = serde_json::from_slice(&std::fs::read(self.sign_ins()).unwrap()).unwrap();
        #[cfg(windows)]
        if let Some(sealed) = saved["dpapi"].as_str() {
            use base64::prelude::{BASE64_STANDARD, Engine};
            let opened = dpapi::open(&BASE64_STANDARD.decode(sealed).unwrap()).unwrap();
            return serde_json::from_slice(&opened).unwrap();
        }
        saved
    }

    /// Puts something else into the file of sign-ins; it is not sealed then, on Windows either.
    pub(crate) fn change_saved(&self, change: impl FnOnce(&mut Value)) {
        let mut saved = self.saved();
        change(&mut saved);
        std::fs::write(self.sign_ins(), saved.to_string()).unwrap();
    }

    /// Every token in the file of sign-ins.
    pub(crate) fn secrets(&self) -> Vec<String> {
        let saved = self.saved();
        let sign_ins = saved["profiles"].as_object().unwrap().values();
        sign_ins
            .flat_map(|sign_in| {
                let access = sign_in["tenants"].as_object().unwrap().values().map(|token| &token["accessToken"]);
                access.chain(sign_in.get("refreshToken"))
            })
            .map(|token| token.as_str().unwrap().to_owned())
            .collect()
    }

    /// The files below the home directory that contain this text.
    pub(crate) fn files_with(&self, text: &str) -> Vec<PathBuf> {
        let (mut directories, mut found) = (vec![self.home().to_owned()], Vec::new());
        while let Some(directory) = directories.pop() {
            for entry in std::fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    directories.push(path);
                } else if String::from_utf8_lossy(&std::fs::read(&path).unwrap()).contains(text) {
                    found.push(path);
                }
            }
        }
        found
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            // A process that a signal ended has no code.
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).expect("standard output is UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("standard error is UTF-8"),
        }
    }
}

impl Ran {
    #[track_caller]
    pub(crate) fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "exit code\n--- stdout\n{}\n--- stderr\n{}", self.stdout, self.stderr);
        self
    }

    /// Standard error says all of this.
    #[track_caller]
    pub(crate) fn expect_said(self, parts: &[&str]) -> Self {
        for part in parts {
            assert!(self.stderr.contains(part), "not said: {part}\n--- stderr\n{}", self.stderr);
        }
        self
    }

    /// Nothing was written to standard output.
    #[track_caller]
    pub(crate) fn expect_no_data(self) -> Self {
        assert_eq!(self.stdout, "", "--- stderr\n{}", self.stderr);
        self
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}\n{}", self.stdout))
    }
}
