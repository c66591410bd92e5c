//! What the documents quote, link to and tell to type is there.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::env::Machine;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The files below `directory` whose names end so.
fn files(directory: &Path, ending: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let of = |path: PathBuf| match path {
        path if path.is_dir() => files(&path, ending),
        path => Vec::from_iter(path.to_string_lossy().ends_with(ending).then_some(path)),
    };
    entries.flat_map(of).collect()
}

/// The documents of the repository, with their names: those at its root, and those in docs.
fn documents() -> Vec<(PathBuf, String)> {
    let at_root = fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().path());
    let at_root = at_root.filter(|path| path.extension().is_some_and(|extension| extension == "md"));
    let all = at_root.chain(files(&root().join("docs"), ".md"));
    let all: Vec<_> = all.map(|path| (path.clone(), fs::read_to_string(&path).unwrap())).collect();
    assert!(all.len() > 5, "{} documents", all.len());
    all
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// What stands between backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The parts of a text that are not in braces.
fn literal(text: &str) -> Vec<&str> {
    let parts = text.split('{').map(|part| part.split_once('}').map_or(part, |(_, after)| after));
    parts.map(str::trim).filter(|part| !part.is_empty()).collect()
}

/// A heading of the page is an error's words, with whatever differs from case to case in braces.
#[test]
fn the_words_of_every_error_in_troubleshooting_stand_in_the_source() {
    let page = read("docs/troubleshooting.md");
    let of_row = |line: &str| line.starts_with("| AADSTS").then(|| line.split('|').nth(2).unwrap().to_owned());
    let headings = page.lines().filter(|line| line.starts_with("### `")).map(str::to_owned);
    let told: Vec<String> = headings.chain(page.lines().filter_map(of_row)).collect();
    let own = |path| fs::read_to_string(path).unwrap().split("#[cfg(test)]").next().unwrap().to_owned();
    let source: String = files(&root().join("src"), ".rs").into_iter().map(own).collect();
    let lines: Vec<&str> = source.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let stands = |words: &str| {
        let parts = literal(words);
        lines.iter().any(|line| {
            let mut rest = *line;
            parts.iter().all(|part| rest.split_once(part).map(|(_, after)| rest = after).is_some())
        })
    };
    let missing: Vec<&str> = told.iter().flat_map(|text| quoted(text)).filter(|words| !stands(words)).collect();
    assert!(missing.is_empty(), "not in src: {missing:#?}");
    assert!(told.len() > 80, "{} errors", told.len());
}

#[test]
fn every_refusal_that_has_advice_is_in_troubleshooting() {
    let page = read("docs/troubleshooting.md");
    let known: BTreeSet<&str> =
        page.split("AADSTS").skip(1).map(|after| after.split(not_a_digit).next().unwrap()).collect();
    let advice = read("src/identity/refusal/advice.rs");
    let own = advice.split("#[cfg(test)]").next().unwrap();
    let arms = own.lines().filter_map(|line| line.split_once("=>")).map(|(codes, _)| codes.replace('_', ""));
    let codes: BTreeSet<String> = arms
        .flat_map(|codes| codes.split('|').map(|code| code.trim().to_owned()).collect::<Vec<_>>())
        .filter(|code| !code.is_empty() && !code.contains(not_a_digit))
        .collect();
    assert!(codes.len() > 25, "{codes:?}");
    let missing: Vec<&String> = codes.iter().filter(|code| !known.contains(code.as_str())).collect();
    assert!(missing.is_empty(), "not in docs/troubleshooting.md: {missing:?}");
}

fn not_a_digit(character: char) -> bool {
    !character.is_ascii_digit()
}

/// A heading's address, as GitHub makes it.
fn slug(heading: &str) -> String {
    let kept = heading.trim_start_matches('#').trim().to_lowercase();
    kept.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c)).collect::<String>().replace(' ', "-")
}

#[test]
fn every_link_leads_to_a_file_and_a_heading() {
    for (path, text) in documents() {
        for link in text.split("](").skip(1).map(|after| after.split(')').next().unwrap()) {
            if link.contains("://") {
                continue;
            }
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { path.clone() } else { path.parent().unwrap().join(file) };
            assert!(target.is_file(), "{}: {link} leads nowhere", path.display());
            let has_heading = || {
                fs::read_to_string(&target).unwrap().lines().any(|line| slug(line) == anchor && line.starts_with('#'))
            };
            assert!(anchor.is_empty() || has_heading(), "{}: {link} has no such heading", path.display());
        }
    }
}

/// The words of each call of the tool in a line, up to what ends a command of the shell.
fn calls(line: &str) -> impl Iterator<Item = Vec<String>> {
    let begins = line.match_indices("mscommerce ").map(|(at, _)| at);
    let begins = begins.filter(|at| line[..*at].chars().next_back().is_none_or(|before| " (`|".contains(before)));
    begins.map(|at| {
        let (mut words, mut quote) = (vec![String::new()], None);
        for character in line[at..].chars() {
            match (quote, character) {
                (Some(open), close) if open == close => quote = None,
                (None, '\'' | '"') => quote = Some(character),
                (None, '|' | ';' | '>' | '<' | '#' | ')' | '}' | '&' | '`') => break,
                (None, ' ') => words.push(String::new()),
                _ => words.last_mut().unwrap().push(character),
            }
        }
        words.into_iter().skip(1).filter(|word| !word.is_empty() && word != "\\").collect()
    })
}

#[test]
fn every_command_in_a_block_is_understood() {
    let fenced = |text: &str| text.split("```").skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    let blocks = documents().into_iter().flat_map(|(_, text)| fenced(&text)).collect::<String>();
    let commands: BTreeSet<Vec<String>> = blocks.lines().flat_map(|line| calls(line).collect::<Vec<_>>()).collect();
    assert!(commands.len() > 40, "{} commands", commands.len());
    let machine = Machine::new();
    for command in commands {
        // What the parser does not know is refused before the help is shown.
        let words: Vec<&str> = command.iter().map(String::as_str).chain(["--help"]).collect();
        let ran = machine.run(&words);
        assert_eq!(ran.code, 0, "mscommerce {}\n{}", command.join(" "), ran.stderr);
    }
}
