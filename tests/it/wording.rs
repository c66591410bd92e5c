//! Texts that users read do not contain the words that the glossary in CONTRIBUTING.md replaces.

use std::fs;
use std::path::{Path, PathBuf};

use crate::help::COMMANDS;
use crate::support::env::TestEnv;

/// Words and phrases in lower case. They match as whole words, in any case, and across line breaks.
const BANNED: &[&str] = &[
    "a fault of its own",
    "anew",
    "asked about",
    "becomes of",
    "by blanks",
    "fellows",
    "go ahead",
    "gives up on",
    "hand over",
    "handed over",
    "hands out",
    "haste",
    "in vain",
    "is no",
    "leads",
    "nobody",
    "on its way",
    "on the way",
    "on their way",
    "outranks",
    "prove itself",
    "proves itself",
    "ready token",
    "ready access token",
    "serve",
    "served",
    "serves",
    "somebody",
    "speaks",
    "spoken",
    "stands in for",
    "takes the place of",
    "told",
    "whatever",
    "whoever",
];

/// Plain English that contains a banned phrase.
const ALLOWED: &[&str] = &["there is no", "is no longer"];

/// A text, and where it comes from.
struct UserText {
    place: String,
    text: String,
}

impl UserText {
    fn new(place: impl Into<String>, text: impl Into<String>) -> Self {
        Self { place: place.into(), text: text.into() }
    }

    /// The banned words in the text, with the words around them.
    fn banned_words(&self) -> Vec<String> {
        let text = self.text.split_whitespace().collect::<Vec<_>>().join(" ");
        let lower = ALLOWED.iter().fold(text.to_ascii_lowercase(), |text, phrase| text.replace(phrase, ""));
        let is_boundary = |c: Option<char>| !c.is_some_and(|c| c.is_alphanumeric() || "-_@".contains(c));
        let find = |word: &&&str| {
            lower.match_indices(**word).find_map(|(start, _)| {
                let (before, after) = (&lower[..start], &lower[start + word.len()..]);
                let is_word = is_boundary(before.chars().next_back()) && is_boundary(after.chars().next());
                let context = |text: &str| text.chars().take(40).collect::<String>();
                let before: String = before.chars().rev().take(40).collect::<Vec<_>>().into_iter().rev().collect();
                is_word.then(|| format!("{}: '{word}' in: {before}{word}{}", self.place, context(after)))
            })
        };
        BANNED.iter().filter_map(|word| find(&word)).collect()
    }
}

#[test]
fn user_texts_contain_no_banned_words() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut texts = help();
    for path in files_below(root) {
        let place = path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/");
        // Images and fuzzing input are not UTF-8.
        let Ok(text) = fs::read_to_string(&path) else { continue };
        texts.extend(user_texts(&place, &text));
    }
    let found: Vec<String> = texts.iter().flat_map(UserText::banned_words).collect();
    assert!(found.is_empty(), "{} banned words:\n{}", found.len(), found.join("\n"));
    for expected in ["mscommerce --help", "README.md", "docs/", ".github/", "packaging/", "src/auth/landing.html"] {
        assert!(texts.iter().any(|text| text.place.starts_with(expected)), "{expected}");
    }
}

#[test]
fn banned_words_match_whole_words_across_lines() {
    let found = |text| UserText::new("text", text).banned_words().len();
    assert_eq!(found("You were Told so: this is\n  no file."), 2);
    assert_eq!(found("There is no file, and it is no longer foretold, pleading or newly-told."), 0);
}

/// The short and the long help of every command.
fn help() -> Vec<UserText> {
    let env = TestEnv::new();
    let flags = COMMANDS.iter().flat_map(|command| ["--help", "-h"].map(|flag| [command, &[flag][..]].concat()));
    flags
        .map(|args| UserText::new(format!("mscommerce {}", args.join(" ")), env.run(&args).assert_code(0).stdout))
        .collect()
}

/// The files of the repository. Skips build output and dependencies.
fn files_below(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let is_skipped = |path: &PathBuf| [".git", "target", "node_modules"].iter().any(|name| path.ends_with(name));
    entries
        .filter(|path| !is_skipped(path))
        .flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] })
        .collect()
}

/// The parts of a file that users read: whole documents, snapshots, workflows and packaging, and the string literals of
/// the program and its inline snapshots.
fn user_texts(place: &str, text: &str) -> Vec<UserText> {
    let is_in = |directories: &[&str]| directories.iter().any(|directory| place.starts_with(directory));
    let extension = Path::new(place).extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    let texts: Vec<String> = match extension {
        "rs" if is_in(&["src/", "examples/"]) => {
            let program = text.split("#[cfg(test)]").next().unwrap_or_default();
            string_literals(program).into_iter().map(|(_, literal)| literal).collect()
        }
        "rs" if is_in(&["tests/"]) => {
            let is_snapshot = |(before, _): &(&str, String)| before.trim_end().ends_with('@');
            string_literals(text).into_iter().filter(is_snapshot).map(|(_, literal)| literal).collect()
        }
        "md" => vec![without_glossary(text)],
        "snap" | "html" => vec![text.to_owned()],
        _ if is_in(&[".github/", "packaging/", "docs/"]) => vec![text.to_owned()],
        _ => Vec::new(),
    };
    texts.into_iter().map(|text| UserText::new(place, text)).collect()
}

/// A document without the last column of its glossary, which lists the words to avoid.
fn without_glossary(document: &str) -> String {
    let Some((before, rest)) = document.split_once("\n## Glossary\n") else { return document.to_owned() };
    let (glossary, after) = rest.split_once("\n## ").unwrap_or((rest, ""));
    let without_last_column = |line: &str| match line.trim_end().trim_end_matches('|').rsplit_once('|') {
        Some((columns, _)) => columns.to_owned(),
        None => line.to_owned(),
    };
    let glossary: Vec<String> = glossary.lines().map(without_last_column).collect();
    format!("{before}\n{}\n{after}", glossary.join("\n"))
}

/// The string literals of Rust code, each with the code before it.
fn string_literals(code: &str) -> Vec<(&str, String)> {
    let (mut literals, mut position) = (Vec::new(), 0);
    while let Some(offset) = code[position..].find(['"', '/', '\'']) {
        let start = position + offset;
        let rest = &code[start..];
        let before = &code[..start];
        let hashes = before.len() - before.trim_end_matches('#').len();
        let prefix = before[..before.len() - hashes].strip_suffix('r').filter(|_| rest.starts_with('"'));
        position = start
            + if rest.starts_with("//") {
                rest.find('\n').unwrap_or(rest.len())
            } else if let Some(before) = prefix {
                let end = format!("\"{}", "#".repeat(hashes));
                let length = rest[1..].find(&end).unwrap_or(rest.len() - 1);
                literals.push((before, rest[1..=length].to_owned()));
                1 + length + end.len()
            } else if let Some(body) = rest.strip_prefix('"') {
                let mut escaped = false;
                let length = body.find(|c| {
                    let is_end = c == '"' && !escaped;
                    escaped = c == '\\' && !escaped;
                    is_end
                });
                let length = length.unwrap_or(body.len());
                literals.push((before, body[..length].replace("\\n", "\n").replace("\\\n", " ")));
                length + 2
            } else if rest.starts_with("'\"'") {
                3
            } else {
                1
            };
    }
    literals
}
