//! Replaces the values that differ from run to run, so that a transcript holds only the recorded behaviour of the executable
//! that a restructuring must not change.

use std::path::Path;

use regex_lite::{Captures, Regex};

use crate::session::THIRD_TENANT;
use crate::tenant::{APP_ID, APP_SECRET, CLIENT_ID, CUSTOMER_TENANT, HOME_TENANT, RESOURCE};

/// The ids that are the same in every run.
const CONSTANT: [&str; 6] = [HOME_TENANT, CUSTOMER_TENANT, THIRD_TENANT, CLIENT_ID, RESOURCE, APP_ID];

/// The first characters of the ids of users and secrets, which are the same in every run.
const CONSTANT_STARTS: [&str; 3] = ["a0000000-", "c0000000-", "d0000000-"];

pub(crate) struct Filters {
    /// Texts and their replacements, the longest text first.
    texts: Vec<(String, String)>,
    patterns: Vec<(Regex, &'static str)>,
    guid: Regex,
    /// The ids of the runs in the recorded changes, in the order of their first appearance.
    runs: Vec<String>,
}

impl Filters {
    pub(crate) fn new(url: &str, home: &Path) -> Self {
        let mut filters = Self { texts: Vec::new(), patterns: patterns(), guid: pattern(GUID), runs: Vec::new() };
        let host = url.trim_start_matches("http://");
        filters.add(url, "[URL]");
        filters.add(host, "[HOST]");
        filters.add(APP_SECRET, "[SECRET]");
        filters.add(home.to_str().unwrap(), "[HOME]");
        // On macOS the temporary directory is a symbolic link.
        filters.add(home.canonicalize().unwrap().to_str().unwrap(), "[HOME]");
        filters
    }

    fn add(&mut self, text: &str, replacement: &str) {
        if !self.texts.iter().any(|(known, _)| known == text) {
            self.texts.push((text.to_owned(), replacement.to_owned()));
            self.texts.sort_by_key(|(text, _)| std::cmp::Reverse(text.len()));
        }
    }

    /// Replaces these texts by `[SECRET]`, or by `[TOKEN]` if they look like a JWT.
    pub(crate) fn add_secrets(&mut self, secrets: Vec<String>) {
        for secret in secrets {
            let replacement = if secret.starts_with("ey") { "[TOKEN]" } else { "[SECRET]" };
            self.add(&secret, replacement);
        }
    }

    /// Adds the id of a run, which every later text shows by its number.
    pub(crate) fn add_run(&mut self, id: &str) {
        if !self.runs.iter().any(|known| known == id) {
            self.runs.push(id.to_owned());
        }
    }

    pub(crate) fn apply(&self, text: &str) -> String {
        let text = self.texts.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to));
        let text = self.patterns.iter().fold(text, |text, (from, to)| from.replace_all(&text, *to).into_owned());
        let guid = |found: &Captures<'_>| self.named(&found[0]);
        let text = self.guid.replace_all(&text, guid).into_owned();
        // A table shows the start of the id.
        let runs = self.runs.iter().enumerate();
        runs.fold(text, |text, (index, run)| text.replace(&run[..8], &format!("[RUN {}]", index + 1)))
    }

    fn named(&self, guid: &str) -> String {
        if let Some(index) = self.runs.iter().position(|run| run == guid) {
            return format!("[RUN {}]", index + 1);
        }
        let is_constant = CONSTANT.contains(&guid) || CONSTANT_STARTS.iter().any(|start| guid.starts_with(start));
        if is_constant { guid.to_owned() } else { "[GUID]".to_owned() }
    }
}

const GUID: &str = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";

fn pattern(pattern: &str) -> Regex {
    Regex::new(pattern).unwrap()
}

fn patterns() -> Vec<(Regex, &'static str)> {
    [
        (r"\bey[\w-]{10,}\.[\w-]+\.[\w-]*", "[TOKEN]"),
        (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?", "[TIME]"),
        (r"\bin \d+ ms\b", "in [N] ms"),
        (r"the clocks agree|this machine's clock is \d+ s [a-z ]+ the clock of \[HOST\]", "[CLOCK]"),
        (r"\b127\.0\.0\.1:\d+", "[PROXY]"),
        (r"\b127\.0\.0\.1\b", "[IP]"),
        (r"\b([0-9A-F]{40}|[0-9A-F]{64})\b", "[THUMBPRINT]"),
        (concat!("mscommerce ", env!("CARGO_PKG_VERSION")), "mscommerce [VERSION]"),
    ]
    .map(|(from, to)| (pattern(from), to))
    .into()
}

/// The text with the characters that a reader does not see as code points.
pub(crate) fn visible(text: &str) -> String {
    let mut shown = String::new();
    for character in text.chars() {
        match character {
            '\n' => shown.push('\n'),
            '\t' => shown.push_str("<TAB>"),
            ' '..='~' => shown.push(character),
            // Letters are readable; anything else may be invisible or change the direction of the text.
            _ if character.is_alphanumeric() || "…–—’“”→•".contains(character) => shown.push(character),
            _ => shown.push_str(&format!("<U+{:04X}>", u32::from(character))),
        }
    }
    let lines = shown.split_inclusive('\n').map(|line| match line.strip_suffix(" \n") {
        Some(start) => format!("{start}<SPACE>\n"),
        None => line.to_owned(),
    });
    let mut shown: String = lines.collect();
    if !shown.is_empty() && !shown.ends_with('\n') {
        shown += "<no newline at the end>\n";
    }
    shown
}
