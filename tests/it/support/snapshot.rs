//! Inline snapshots of whole runs.

use std::sync::LazyLock;

use regex_lite::{Captures, Regex};

use super::cli::CliResult;
#[cfg(unix)]
use super::pty::PtyOutput;
use crate::tenant::{CLIENT_ID, RESOURCE};

/// Compares exit code, stdout and stderr with an inline snapshot, and returns the result.
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
        let Self { code, stdout, stderr } = self;
        normalize(&format!("exit_code: {code}\n----- stdout -----\n{stdout}----- stderr -----\n{stderr}"))
    }
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

/// The results of a table of cases, for one snapshot.
#[derive(Default)]
pub(crate) struct Transcript(String);

impl Transcript {
    /// Adds the result of a case.
    pub(crate) fn push(&mut self, case: &str, result: &impl Render) {
        self.0.push_str(&format!("===== {case} =====\n{}\n", result.render().trim_end()));
    }
}

impl Render for Transcript {
    fn render(&self) -> String {
        self.0.clone()
    }
}

/// Replaces ports, generated ids, times, durations and temporary paths.
pub(crate) fn normalize(text: &str) -> String {
    static PATH: LazyLock<Regex> =
        LazyLock::new(|| regex(r#"(?:[A-Za-z]:\\|/)[^\s'"`=]*?[/\\]\.tmp\w{6}([^\s'"`:;,]*)"#));
    static OS_ERROR: LazyLock<Regex> = LazyLock::new(|| regex(r"[^:\n(]+ \(os error \d+\)"));
    static PORT: LazyLock<Regex> = LazyLock::new(|| regex(r"(127\.0\.0\.1|localhost|\[::1\]):\d+"));
    static ID: LazyLock<Regex> =
        LazyLock::new(|| regex(r"(?i)[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"));
    static TIME: LazyLock<Regex> =
        LazyLock::new(|| regex(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?(?:\.\d+)?(?:Z| UTC| ?[+-]\d\d:?\d\d)?"));
    static DURATION: LazyLock<Regex> = LazyLock::new(|| regex(r"\b\d+(?:\.\d+)? ms\b"));

    let text = PATH.replace_all(text, |path: &Captures<'_>| format!("[TMP]{}", path[1].replace('\\', "/")));
    let text = OS_ERROR.replace_all(&text, " [OS ERROR]");
    let text = PORT.replace_all(&text, "$1:[PORT]");
    let text = ID.replace_all(
        &text,
        |id: &Captures<'_>| if is_fixture(&id[0]) { id[0].to_owned() } else { "[UUID]".to_owned() },
    );
    let text = TIME.replace_all(&text, "[TIME]");
    DURATION.replace_all(&text, "[DURATION]").into_owned()
}

/// Fixture ids repeat a few digits, generated ids never do.
fn is_fixture(id: &str) -> bool {
    let mut digits: Vec<u8> = id.bytes().filter(|byte| *byte != b'-').collect();
    digits.sort_unstable();
    digits.dedup();
    digits.len() <= 5 || [CLIENT_ID, RESOURCE].contains(&id)
}

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).unwrap()
}
