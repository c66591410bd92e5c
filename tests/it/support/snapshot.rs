//! Inline snapshots of whole runs.

use std::fmt::Display;
use std::sync::LazyLock;

use regex_lite::{Captures, Regex};

use super::cli::CliResult;
#[cfg(unix)]
use super::pty::PtyOutput;
use crate::tenant::{CLIENT_ID, RESOURCE};

/// Compares exit code, stdout and stderr with an inline snapshot, and returns the result. An empty stream has no section.
///
/// `INSTA_UPDATE=always cargo test --test it`, then `cargo insta accept`, rewrites the snapshots after a change of wording.
macro_rules! cli_snapshot {
    ($result:expr, @$snapshot:literal) => {{
        let result = $result;
        insta::assert_snapshot!($crate::support::snapshot::Render::render(&result), @$snapshot);
        result
    }};
}

/// Anything that [`cli_snapshot!`] accepts.
pub(crate) trait Render {
    /// The text of the snapshot, with everything that differs from run to run replaced.
    fn render(&self) -> String;
}

impl Render for CliResult {
    fn render(&self) -> String {
        let mut text = format!("exit_code: {}\n", self.code);
        for (name, stream) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if !stream.is_empty() {
                text.push_str(&format!("----- {name} -----\n{stream}"));
            }
        }
        normalize(&text)
    }
}

/// The result without stdout, for runs with a long output that other tests cover or the test compares by record.
pub(crate) fn stderr_only(result: &CliResult) -> CliResult {
    CliResult { code: result.code, stdout: String::new(), stderr: result.stderr.clone() }
}

#[cfg(unix)]
impl Render for PtyOutput {
    fn render(&self) -> String {
        let Self { code, screen } = self;
        normalize(&format!("exit_code: {code}\n----- screen -----\n{screen}"))
    }
}

impl<R: Render> Render for &R {
    fn render(&self) -> String {
        (*self).render()
    }
}

/// The results of a table of cases, for one snapshot. Consecutive cases with the same result share its text.
#[derive(Default)]
pub(crate) struct Transcript(Vec<(String, String)>);

impl Transcript {
    /// Adds the result of a case and returns it.
    pub(crate) fn push<R: Render>(&mut self, case: impl Display, result: R) -> R {
        self.0.push((case.to_string(), result.render()));
        result
    }
}

impl Render for Transcript {
    fn render(&self) -> String {
        let mut text = String::new();
        for group in self.0.chunk_by(|(_, one), (_, other)| one == other) {
            for (case, _) in group {
                text.push_str(&format!("===== {case} =====\n"));
            }
            text.push_str(&format!("{}\n", group[0].1.trim_end()));
        }
        text
    }
}

/// Replaces ports, generated ids and codes, certificate thumbprints, times, durations and temporary paths. Times before 2026 stay: tests choose them.
pub(crate) fn normalize(text: &str) -> String {
    static PATH: LazyLock<Regex> =
        LazyLock::new(|| regex(r#"(?:[A-Za-z]:\\|/)[^\s'"`=]*?[/\\]\.tmp\w{6}([^\s'"`:;,]*)"#));
    static OS_ERROR: LazyLock<Regex> =
        LazyLock::new(|| regex(r"[^:;\n(]+ \(os error \d+\)|failed to lookup address information: [^;\n]*"));
    static UNIX_TIME: LazyLock<Regex> = LazyLock::new(|| regex(r"\b1\d{9}\b|\b\d+ seconds\b"));
    static PORT: LazyLock<Regex> = LazyLock::new(|| regex(r"(127\.0\.0\.1|localhost|\[::1\]):\d+"));
    static AUTHORIZE: LazyLock<Regex> = LazyLock::new(|| regex(r"/oauth2/v2\.0/authorize\?\S+"));
    static USER_CODE: LazyLock<Regex> = LazyLock::new(|| regex(r"(?m)^( *)[A-Z0-9]{9}$"));
    static ID: LazyLock<Regex> =
        LazyLock::new(|| regex(r"(?i)[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"));
    static TIME: LazyLock<Regex> = LazyLock::new(|| {
        regex(r"20(?:2[6-9]|[3-9]\d)-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?(?:\.\d+)?(?:Z| UTC| ?[+-]\d\d:?\d\d)?")
    });
    static THUMBPRINT: LazyLock<Regex> = LazyLock::new(|| regex(r"\b[0-9A-F]{64}\b|\b[0-9A-F]{40}\b"));
    static DURATION: LazyLock<Regex> = LazyLock::new(|| regex(r"\b\d+(?:\.\d+)? ms\b"));

    let text = PATH.replace_all(text, |path: &Captures<'_>| format!("[TMP]{}", path[1].replace('\\', "/")));
    let text = OS_ERROR.replace_all(&text, " [OS ERROR]");
    let text = PORT.replace_all(&text, "$1:[PORT]");
    let text = ID.replace_all(
        &text,
        |id: &Captures<'_>| if is_fixture(&id[0]) { id[0].to_owned() } else { "[UUID]".to_owned() },
    );
    let text = TIME.replace_all(&text, "[TIME]");
    let text = AUTHORIZE.replace_all(&text, "/oauth2/v2.0/authorize?[PARAMETERS]");
    let text = USER_CODE.replace_all(&text, "$1[USER CODE]");
    let text = UNIX_TIME.replace_all(&text, "[SECONDS]");
    let text = THUMBPRINT.replace_all(&text, "[THUMBPRINT]");
    DURATION.replace_all(&text, "[DURATION]").into_owned()
}

/// Ids of Microsoft: the public client, the resource, and the roles to read and to write the policy.
const KNOWN_IDS: [&str; 4] =
    [CLIENT_ID, RESOURCE, "5803e913-b904-44a0-9928-864642a45960", "78ff4d1f-611d-4a41-9989-698762b46a0e"];

/// Fixture ids consist of few digits, generated ids do not.
fn is_fixture(id: &str) -> bool {
    let mut digits: Vec<u8> = id.bytes().filter(|byte| *byte != b'-').collect();
    digits.sort_unstable();
    digits.dedup();
    digits.len() <= 5 || KNOWN_IDS.contains(&id)
}

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).unwrap()
}

/// Replaces the random names of temporary files of the token cache.
pub(crate) fn without_temporary_names(mut result: CliResult) -> CliResult {
    static NAME: LazyLock<Regex> = LazyLock::new(|| regex(r"\.sign-ins-\w{6}\b"));
    result.stderr = NAME.replace_all(&result.stderr, ".sign-ins-[RANDOM]").into_owned();
    result
}

#[test]
fn normalize_replaces_what_varies_between_runs() {
    let text = "see http://127.0.0.1:4711/x, /tmp/.tmpA1b2C3/state/sign-ins.json and \
                2026-03-01T09:05:07.123Z for 16a3ad7b-9d4e-4f1c-8a52-0c6d1b2f3e4d at \
                11111111-1111-4111-8111-111111111111: No such file or directory (os error 2), after 12 ms";
    assert_eq!(
        normalize(text),
        "see http://127.0.0.1:[PORT]/x, [TMP]/state/sign-ins.json and [TIME] for [UUID] at \
         11111111-1111-4111-8111-111111111111: [OS ERROR], after [DURATION]"
    );
}
