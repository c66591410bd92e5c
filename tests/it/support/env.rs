//! An isolated environment in which the executable runs against the simulated tenant.

#[cfg(windows)]
#[path = "../../../src/auth/dpapi.rs"]
#[expect(dead_code, reason = "the executable encrypts, the tests decrypt")]
mod dpapi;

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use super::cli::CliResult;
use crate::tenant::{ADMIN, PASSWORD, Received, SimulatedTenant};

/// An empty home directory and a simulated tenant.
pub(crate) struct TestEnv {
    pub(crate) tenant: SimulatedTenant,
    home: TempDir,
}

impl TestEnv {
    /// Without a cached sign-in.
    pub(crate) fn new() -> Self {
        // State files that a test writes must not be writable by the group.
        #[cfg(unix)]
        rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
        Self { tenant: SimulatedTenant::start(), home: tempfile::tempdir().unwrap() }
    }

    /// With the administrator's cached sign-in. Its requests are not in the log.
    pub(crate) fn signed_in() -> Self {
        let env = Self::new();
        env.sign_in(ADMIN);
        env
    }

    /// With a cached access token that expires within five minutes, so that its first use refreshes it.
    pub(crate) fn with_expiring_token() -> Self {
        let env = Self::signed_in();
        env.expire_tokens_soon();
        env
    }

    /// Makes the cached access tokens expire within five minutes, so that their next use refreshes them.
    pub(crate) fn expire_tokens_soon(&self) {
        let soon = serde_json::json!(chrono::Utc::now() + chrono::Duration::seconds(299));
        self.edit_cache(|cache| {
            for profile in cache["profiles"].as_object_mut().unwrap().values_mut() {
                for token in profile["tenants"].as_object_mut().unwrap().values_mut() {
                    token["expiresAt"] = soon.clone();
                }
            }
        });
    }

    /// Signs in with a password, then clears the request log.
    pub(crate) fn sign_in(&self, user: &str) {
        self.run_with_stdin(&["connect", "--username", user, "--password-stdin"], PASSWORD).assert_code(0);
        self.tenant.forget_requests();
    }

    /// The home directory; it is deleted with the environment.
    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// The state directory: `MSCOMMERCE_HOME`.
    pub(crate) fn state_dir(&self) -> PathBuf {
        self.home.path().join("state")
    }

    /// The token cache.
    pub(crate) fn cache_path(&self) -> PathBuf {
        self.state_dir().join("sign-ins.json")
    }

    /// The history file.
    pub(crate) fn history_path(&self) -> PathBuf {
        self.state_dir().join("changes.jsonl")
    }

    /// The executable with an otherwise empty environment.
    pub(crate) fn command<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mscommerce"));
        command.args(arguments).env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // Windows needs these for its network and its temporary directory.
        for name in ["PATH", "SystemRoot", "TEMP", "TMP"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command
            .env("LC_ALL", "C.UTF-8")
            .env("HOME", self.home.path())
            .env("USERPROFILE", self.home.path())
            .env("MSCOMMERCE_HOME", self.state_dir())
            .env("MSCOMMERCE_ENDPOINT", self.tenant.url())
            .env("AZURE_AUTHORITY_HOST", self.tenant.url());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> CliResult {
        self.command(arguments).output().unwrap().into()
    }

    /// Runs in the home directory, so that its files can be named without a path.
    pub(crate) fn run_in_home(&self, arguments: &[&str]) -> CliResult {
        self.command(arguments).current_dir(self.home()).output().unwrap().into()
    }

    /// Runs with further environment variables.
    pub(crate) fn run_with_env(&self, variables: &[(&str, &str)], arguments: &[&str]) -> CliResult {
        self.command(arguments).envs(variables.iter().copied()).output().unwrap().into()
    }

    pub(crate) fn run_with_stdin(&self, arguments: &[&str], input: &str) -> CliResult {
        Self::run_command_with_stdin(self.command(arguments), input)
    }

    /// Runs a command from [`TestEnv::command`] with this input.
    pub(crate) fn run_command_with_stdin(mut command: Command, input: impl AsRef<[u8]>) -> CliResult {
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        // Fails if the program exits before it reads its input.
        let _ = child.stdin.take().unwrap().write_all(input.as_ref());
        child.wait_with_output().unwrap().into()
    }

    /// Writes a file into the home directory and returns its path.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.home().join(name);
        fs::write(&path, content).unwrap();
        path.into_os_string().into_string().unwrap()
    }

    /// Reads a file of the home directory.
    #[track_caller]
    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.home().join(name)).unwrap()
    }

    /// The requests that arrived, one line each: `GET /v1.0/policies`.
    pub(crate) fn request_lines(&self) -> Vec<String> {
        self.tenant.requests().iter().map(Received::line).collect()
    }

    /// The update requests that arrived, in order of arrival.
    pub(crate) fn update_requests(&self) -> Vec<Received> {
        let mut requests = self.tenant.requests();
        requests.retain(|request| request.method == "PUT");
        requests
    }

    /// The updates that arrived, sorted: id and value.
    pub(crate) fn updates(&self) -> Vec<(String, String)> {
        let update = |request: &Received| {
            let body: Value = serde_json::from_str(&request.body).unwrap();
            (request.last_segment().to_owned(), body["policyValue"].as_str().unwrap().to_owned())
        };
        let mut updates: Vec<_> = self.update_requests().iter().map(update).collect();
        updates.sort();
        updates
    }

    /// The ids in the updates that arrived, sorted.
    pub(crate) fn updated_ids(&self) -> Vec<String> {
        self.updates().into_iter().map(|(id, _)| id).collect()
    }

    /// Asserts that no update was sent and none is in the history.
    #[track_caller]
    pub(crate) fn assert_nothing_changed(&self) {
        assert_eq!(self.updated_ids(), Vec::<String>::new());
        assert_eq!(self.history(), Vec::<Value>::new());
    }

    /// The token requests that arrived: tenant and form.
    pub(crate) fn token_requests(&self) -> Vec<(String, BTreeMap<String, String>)> {
        let requests = self.tenant.requests();
        let requests = requests.iter().filter(|request| request.path.ends_with("/oauth2/v2.0/token"));
        requests.map(|request| (request.path.split('/').nth(1).unwrap().to_owned(), request.form())).collect()
    }

    /// The changes that the history file records as made, in the order of their outcomes.
    #[track_caller]
    pub(crate) fn history(&self) -> Vec<Value> {
        self.history_with_outcomes(&["changed"])
    }

    /// The changes in the history file with one of these outcomes, in the order of their last lines.
    #[track_caller]
    pub(crate) fn history_with_outcomes(&self, outcomes: &[&str]) -> Vec<Value> {
        let text = fs::read_to_string(self.history_path()).unwrap_or_default();
        assert!(text.is_empty() || text.ends_with('\n'), "{text:?}");
        let key = |entry: &Value| ["run", "tenantId", "scope", "id"].map(|name| entry[name].to_string());
        let parse = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let lines: Vec<Value> = text.lines().map(parse).collect();
        let last: HashMap<[String; 4], usize> = lines.iter().enumerate().map(|(n, entry)| (key(entry), n)).collect();
        let is_last = |(number, entry): &(usize, Value)| last[&key(entry)] == *number;
        let entries = lines.into_iter().enumerate().filter(is_last).map(|(_, entry)| entry);
        entries.filter(|entry| outcomes.contains(&entry["outcome"].as_str().unwrap())).collect()
    }

    /// The content of the token cache.
    #[track_caller]
    pub(crate) fn cache(&self) -> Value {
        let cache: Value = serde_json::from_slice(&fs::read(self.cache_path()).unwrap()).unwrap();
        #[cfg(windows)]
        if let Some(encrypted) = cache["dpapi"].as_str() {
            use base64::prelude::{BASE64_STANDARD, Engine};
            let decrypted = dpapi::open(&BASE64_STANDARD.decode(encrypted).unwrap()).unwrap();
            return serde_json::from_slice(&decrypted).unwrap();
        }
        cache
    }

    /// Changes the token cache. It is not encrypted afterwards, not even on Windows.
    pub(crate) fn edit_cache(&self, edit: impl FnOnce(&mut Value)) {
        let mut cache = self.cache();
        edit(&mut cache);
        fs::write(self.cache_path(), cache.to_string()).unwrap();
    }

    /// Every token in the cache.
    pub(crate) fn cached_tokens(&self) -> Vec<String> {
        let cache = self.cache();
        let profiles = cache["profiles"].as_object().unwrap().values();
        profiles
            .flat_map(|profile| {
                let access = profile["tenants"].as_object().unwrap().values().map(|token| &token["accessToken"]);
                access.chain(profile.get("refreshToken"))
            })
            .map(|token| token.as_str().unwrap().to_owned())
            .collect()
    }

    /// The files below the home directory that contain this text.
    pub(crate) fn files_containing(&self, text: &str) -> Vec<PathBuf> {
        let (mut directories, mut found) = (vec![self.home().to_owned()], Vec::new());
        while let Some(directory) = directories.pop() {
            for entry in fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    directories.push(path);
                } else if String::from_utf8_lossy(&fs::read(&path).unwrap()).contains(text) {
                    found.push(path);
                }
            }
        }
        found
    }
}
