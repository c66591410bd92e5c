//! The products of the last listing, saved as candidates for shell completion. Commands do not read them.

use std::io::{self, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::api::Scope;
use crate::error::Result;
use crate::files::{self, OpenError};
use crate::text::is_terminal_control;

pub const FILE: &str = "products.json";

/// In bytes. Larger than any realistic listing.
const MAX_FILE_SIZE: usize = 4 * 1024 * 1024;

/// A product or offer type for shell completion.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct Candidate {
    pub scope: Scope,
    pub id: String,
    #[serde(default)]
    pub name: String,
}

/// Loads the saved candidates. Returns none if the file is missing, invalid or refused: completion must not fail.
pub fn load_candidates(directory: &Path) -> Vec<Candidate> {
    load(directory).unwrap_or_default()
}

/// Loads the saved candidates. Fails if the file cannot be read or another user could have written it.
fn load(directory: &Path) -> Result<Vec<Candidate>, OpenError> {
    let path = directory.join(FILE);
    let text = match files::open_private(&path).and_then(|file| file.read(&path, MAX_FILE_SIZE)) {
        Err(error) if error.is_not_found() => return Ok(Vec::new()),
        text => text?,
    };
    let mut candidates: Vec<Candidate> = serde_json::from_slice(&text).unwrap_or_default();
    // The shell prints the name on the terminal.
    candidates.retain(|item| is_shell_safe(&item.id) && !item.name.chars().any(is_terminal_control));
    Ok(candidates)
}

/// Whether a shell can insert the text without quotes, as one argument that is not a flag.
pub fn is_shell_safe(text: &str) -> bool {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "-_.@".contains(character);
    !text.is_empty() && !text.starts_with(['-', '@']) && text.chars().all(is_plain)
}

/// Saves the candidates of the listed scopes, and keeps those of other scopes. Leaves a file with the same candidates
/// alone: replacing a file can wait for the disk. Does not create the directory, so that CI runs without a cached
/// credential leave no files. Fails if the file is refused or cannot be written.
pub fn save_candidates(directory: &Path, scopes: &[Scope], mut listed: Vec<Candidate>) -> Result<()> {
    if !directory.is_dir() {
        return Ok(());
    }
    let path = directory.join(FILE);
    let saved = load(directory).map_err(|error| error.into_error("read", &path))?;
    listed.extend(saved.iter().filter(|candidate| !scopes.contains(&candidate.scope)).cloned());
    if listed.is_empty() || listed == saved {
        return Ok(());
    }
    write(directory, &listed).map_err(|error| OpenError::Io(error).into_error("write", &path))
}

fn write(directory: &Path, candidates: &[Candidate]) -> io::Result<()> {
    let text = serde_json::to_vec(candidates)?;
    if text.len() > MAX_FILE_SIZE {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    let mut file = tempfile::Builder::new().prefix(".products-").tempfile_in(directory)?;
    file.write_all(&text)?;
    file.persist(directory.join(FILE)).map(drop).map_err(|error| error.error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(scope: Scope, id: &str, name: &str) -> Candidate {
        Candidate { scope, id: id.into(), name: name.into() }
    }

    fn save(directory: &Path, scopes: &[Scope], listed: Vec<Candidate>) {
        save_candidates(directory, scopes, listed).expect("saved");
    }

    #[test]
    fn saved_candidates_are_loaded_and_other_scopes_kept() {
        let home = tempfile::tempdir().expect("a directory");
        let products = [candidate(Scope::Product, "CFQ7TTC0H9MP", "Power BI Pro"), candidate(Scope::Product, "X", "")];
        let missing = home.path().join("missing");
        save(&missing, &[Scope::Product], products.to_vec());
        assert!(!missing.exists());
        save(home.path(), &[Scope::Product], products.to_vec());
        assert_eq!(load_candidates(home.path()), products);
        let offer_type = candidate(Scope::OfferType, "SaaS", "");
        save(home.path(), &[Scope::OfferType], vec![offer_type.clone()]);
        assert_eq!(load_candidates(home.path()), [std::slice::from_ref(&offer_type), &products[..]].concat());
        save(home.path(), &[Scope::Product], Vec::new());
        assert_eq!(load_candidates(home.path()), std::slice::from_ref(&offer_type));
        save(home.path(), &[Scope::OfferType], Vec::new());
        assert_eq!(load_candidates(home.path()), [offer_type]);
    }

    #[test]
    fn unchanged_candidates_do_not_replace_the_file() {
        let home = tempfile::tempdir().expect("a directory");
        let products = [candidate(Scope::Product, "CFQ7TTC0H9MP", "Power BI Pro")];
        save(home.path(), &[Scope::Product], products.to_vec());
        let file = std::fs::OpenOptions::new().write(true).open(home.path().join(FILE)).expect("a file");
        file.set_modified(std::time::SystemTime::UNIX_EPOCH).expect("the time set");
        let modified = || std::fs::metadata(home.path().join(FILE)).and_then(|file| file.modified()).expect("a time");
        save(home.path(), &[Scope::Product], products.to_vec());
        assert_eq!(modified(), std::time::SystemTime::UNIX_EPOCH);
        save(home.path(), &[Scope::Product], vec![candidate(Scope::Product, "CFQ7TTC0H9MP", "Power BI")]);
        assert_ne!(modified(), std::time::SystemTime::UNIX_EPOCH);
    }

    #[test]
    fn invalid_files_and_control_characters_give_no_candidates() {
        let home = tempfile::tempdir().expect("a directory");
        for text in ["", "{", "[{}]", "[{\"id\":1}]", "{\"id\":\"a\"}"] {
            std::fs::write(home.path().join(FILE), text).expect("a file");
            assert!(load_candidates(home.path()).is_empty(), "{text}");
        }
        let text = r#"[{"scope":"product","id":"a\u001b[2J"},{"scope":"product","id":"b"}]"#;
        std::fs::write(home.path().join(FILE), text).expect("a file");
        assert_eq!(load_candidates(home.path()), [candidate(Scope::Product, "b", "")]);
    }
}
