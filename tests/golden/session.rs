//! Runs the executable and writes the transcript: the recorded behaviour of the executable that a restructuring must
//! not change.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::files::Files;
use crate::filters::{Filters, visible};
use crate::tenant::{ADMIN, CUSTOMER_TENANT, HOME_TENANT, PASSWORD, Received, SimulatedTenant, claims_of};

/// The third tenant that [`Session::add_third_tenant`] adds.
pub(crate) const THIRD_TENANT: &str = "33333333-3333-4333-8333-333333333333";
pub(crate) const THIRD_DOMAIN: &str = "tailspin.example";

/// A simulated tenant, an empty home directory, and the transcript of the commands that ran in it.
pub(crate) struct Session {
    pub(crate) tenant: SimulatedTenant,
    home: TempDir,
    files: Files,
    filters: Filters,
    transcript: String,
}

/// A command line that is about to run.
pub(crate) struct Call<'s> {
    session: &'s mut Session,
    line: String,
    variables: Vec<(String, String)>,
    input: Option<Vec<u8>>,
    order: Order,
    output: Output,
}

/// In which order requests are recorded.
#[derive(Clone, Copy, PartialEq)]
enum Order {
    AsSent,
    /// Requests of one method that follow each other are sorted.
    WithinMethod,
    Sorted,
}

/// How much of standard output is recorded.
#[derive(Clone, Copy)]
enum Output {
    Whole,
    Length,
}

impl Session {
    pub(crate) fn new() -> Self {
        // The modes of new files depend on it.
        rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
        let home = tempfile::tempdir().unwrap();
        let tenant = SimulatedTenant::start();
        let filters = Filters::new(&tenant.url(), home.path());
        Self { tenant, home, files: Files::default(), filters, transcript: String::new() }
    }

    /// A session in which the administrator has signed in with a password. The sign-in is not recorded.
    pub(crate) fn signed_in() -> Self {
        let mut session = Self::new();
        let transcript = session.transcript.clone();
        session.call(&format!("connect --username {ADMIN} --password-stdin")).input(PASSWORD).run();
        session.transcript = transcript;
        session
    }

    /// Adds a third tenant with the default catalog.
    pub(crate) fn add_third_tenant(&self) {
        self.tenant.add_tenant(THIRD_TENANT, THIRD_DOMAIN);
    }

    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// Adds a comment to the transcript.
    pub(crate) fn note(&mut self, text: &str) {
        self.transcript += &format!("# {text}\n\n");
    }

    /// Writes a file into the home directory, which is the current directory of every command.
    pub(crate) fn write(&mut self, name: &str, content: &str) {
        self.write_secret(name, content);
        self.transcript += &format!("# {name}:\n{}\n", indented(&visible(content)));
    }

    /// Writes a file that is not recorded, because it holds a key or a token.
    pub(crate) fn write_secret(&mut self, name: &str, content: &str) -> String {
        let path = self.home().join(name);
        std::fs::write(&path, content).unwrap();
        self.files.refresh(self.home.path(), &mut self.filters);
        path.into_os_string().into_string().unwrap()
    }

    /// Removes a file, for example to forget the sign-in or the recorded changes.
    pub(crate) fn remove(&mut self, path: &str) {
        std::fs::remove_file(self.home().join(path)).unwrap();
        self.files.refresh(self.home.path(), &mut self.filters);
        self.note(&format!("{path} is removed."));
    }

    /// Makes the only cached access token expire within five minutes.
    pub(crate) fn expire_token_soon(&self) {
        let path = self.state().join("sign-ins.json");
        let content = fs::read_to_string(&path).unwrap();
        let (before, after) = content.split_once("\"expiresAt\": \"").unwrap();
        let soon = (chrono::Utc::now() + chrono::Duration::seconds(299)).to_rfc3339();
        let (_, after) = after.split_once('"').unwrap();
        fs::write(&path, format!("{before}\"expiresAt\": \"{soon}\"{after}")).unwrap();
    }

    /// A command line; single quotes enclose words with spaces.
    pub(crate) fn call(&mut self, line: &str) -> Call<'_> {
        let is_sequential = line.contains("--jobs 1");
        Call {
            session: self,
            line: line.to_owned(),
            variables: Vec::new(),
            input: None,
            // Concurrent requests to one tenant have the same method: one group of reads, then one of changes.
            order: if is_sequential { Order::AsSent } else { Order::WithinMethod },
            output: Output::Whole,
        }
    }

    /// Runs a command line without further variables or input.
    pub(crate) fn run(&mut self, line: &str) {
        self.call(line).run();
    }

    /// Runs the same command line in every output format.
    pub(crate) fn run_in_every_format(&mut self, line: &str) {
        for format in ["table", "json", "csv", "tsv", "markdown"] {
            self.run(&format!("{line} -o {format}"));
        }
    }

    /// Compares the transcript with the snapshot.
    #[track_caller]
    pub(crate) fn assert(self, name: &str) {
        let mut settings = insta::Settings::clone_current();
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!(name, self.transcript));
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mscommerce"));
        command.env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        for name in ["PATH", "TMPDIR"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command
            .current_dir(self.home())
            .env("LC_ALL", "C.UTF-8")
            .env("HOME", self.home())
            .env("MSCOMMERCE_HOME", self.state())
            .env("MSCOMMERCE_ENDPOINT", self.tenant.url())
            .env("AZURE_AUTHORITY_HOST", self.tenant.url());
        command
    }

    fn state(&self) -> PathBuf {
        self.home().join("state")
    }

    /// The requests since the last call, one line each.
    fn requests(&mut self, order: Order) -> Vec<String> {
        let requests = self.tenant.requests();
        self.tenant.forget_requests();
        let lines = requests.iter().map(|request| (request.method.as_str(), self.filters.apply(&described(request))));
        let mut lines: Vec<(&str, String)> = lines.collect();
        match order {
            Order::AsSent => {}
            Order::WithinMethod => lines.chunk_by_mut(|(one, _), (other, _)| one == other).for_each(<[_]>::sort),
            Order::Sorted => lines.sort(),
        }
        lines.into_iter().map(|(_, line)| line).collect()
    }
}

impl Call<'_> {
    /// Sets an environment variable.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Gives the command something on standard input.
    pub(crate) fn input(mut self, input: impl AsRef<[u8]>) -> Self {
        self.input = Some(input.as_ref().to_vec());
        self
    }

    /// Sorts all requests, because those of several tenants arrive in any order.
    pub(crate) fn concurrent(mut self) -> Self {
        self.order = Order::Sorted;
        self
    }

    /// Records only how long standard output is, in powers of two.
    pub(crate) fn length_only(mut self) -> Self {
        self.output = Output::Length;
        self
    }

    /// Runs the command and adds it to the transcript.
    pub(crate) fn run(self) {
        let Self { session, line, variables, input, order, output } = self;
        let mut command = session.command();
        command.args(words(&line)).envs(variables.iter().map(|(name, value)| (name, value)));
        if input.is_some() {
            command.stdin(Stdio::piped());
        }
        let mut child = command.spawn().unwrap();
        if let Some(input) = &input {
            // A command that rejects its arguments does not read its input.
            let _ = child.stdin.take().unwrap().write_all(input);
        }
        let ran = child.wait_with_output().unwrap();
        let stdout = String::from_utf8(ran.stdout).expect("standard output is UTF-8");

        session.filters.add_secrets(session.tenant.issued_secrets());
        let requests = session.requests(order);
        let changed = session.files.refresh(session.home.path(), &mut session.filters);
        let variables: String = variables.iter().map(|(name, value)| format!("{name}={} ", quoted(value))).collect();
        let input = if input.is_some() { " < input" } else { "" };
        let call = session.filters.apply(format!("$ {variables}mscommerce {line}{input}").trim_end());
        let stdout = match output {
            Output::Whole => visible(&session.filters.apply(&stdout)),
            Output::Length => format!("[about {} characters]\n", stdout.chars().count().next_power_of_two()),
        };
        let sections = [("stdout", stdout), ("requests", joined(&requests)), ("files", joined(&changed))];
        let sections = sections.iter().filter(|(_, content)| !content.is_empty());
        let sections: String = sections.map(|(name, content)| format!("{name}:\n{}", indented(content))).collect();
        let code = ran.status.code().map_or("none, ended by a signal".to_owned(), |code| code.to_string());
        session.transcript += &format!("{call}\nexit code: {code}\n{sections}\n");
    }
}

fn joined(lines: &[String]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

fn indented(text: &str) -> String {
    text.lines().map(|line| if line.is_empty() { "  |\n".to_owned() } else { format!("  | {line}\n") }).collect()
}

fn quoted(value: &str) -> String {
    let value = value.replace('\n', "\\n");
    if value.is_empty() || value.contains(' ') { format!("'{value}'") } else { value }
}

/// The words of a command line, as a shell splits it, with single quotes only.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut is_quoted) = (Vec::new(), None::<String>, false);
    for character in line.chars() {
        match character {
            '\'' => {
                is_quoted = !is_quoted;
                word.get_or_insert_default();
            }
            ' ' if !is_quoted => words.extend(word.take()),
            other => word.get_or_insert_default().push(other),
        }
    }
    assert!(!is_quoted, "an open quote: {line}");
    words.extend(word);
    words
}

/// A request without its secrets: what was asked, for which tenant and account, with which body.
fn described(request: &Received) -> String {
    let mut line = request.line();
    if request.path.contains("/oauth2/") && request.method == "POST" {
        let form = request.form();
        for shown in ["grant_type", "client_id", "scope", "username"] {
            if let Some(value) = form.get(shown) {
                line += &format!(" {shown}={value}");
            }
        }
        let names: Vec<&str> = form.keys().map(String::as_str).collect();
        return format!("{line} (form: {})", names.join(", "));
    }
    if let Some(claims) = request.bearer().and_then(claims_of) {
        let tenant = match claims["tid"].as_str() {
            Some(HOME_TENANT) => "home",
            Some(CUSTOMER_TENANT) => "customer",
            Some(THIRD_TENANT) => "third",
            _ => "other",
        };
        let account = claims["upn"].as_str().or(claims["appid"].as_str()).unwrap_or("unknown");
        line += &format!(" [{account} at {tenant}]");
    } else if request.header("authorization").is_some() {
        line += " [a token that is not a JWT]";
    }
    if request.body.is_empty() { line } else { format!("{line} {}", request.body) }
}
