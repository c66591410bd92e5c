//! The products of the last listing, saved as candidates for shell completion. Commands do not read them.

use std::io::{self, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::api::Scope;
use crate::text::is_terminal_control;

const FILE: &str = "products.json";

/// In bytes. Larger than any realistic listing.
const MAX_FILE_SIZE: u64 = 4 * 1024 * 1024;

/// A product or offer type for shell completion.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct Candidate {
    pub scope: Scope,
    pub id: String,
    #[serde(default)]
    pub name: String,
}

/// Loads the saved candidates. Returns none if the file is missing or invalid.
pub fn load_candidates(directory: &Path) -> Vec<Candidate> {
    let path = directory.join(FILE);
    let is_small = path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.len() <= MAX_FILE_SIZE);
    let text = if is_small { std::fs::read(path).unwrap_or_default() } else { Vec::new() };
    let mut candidates: Vec<Candidate> = serde_json::from_slice(&text).unwrap_or_default();
    // The shell inserts the ID without quotes, and prints the name on the terminal.
    let is_shell_safe = |id: &str| !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    candidates.retain(|item| is_shell_safe(&item.id) && !item.name.chars().any(is_terminal_control));
    candidates
}

/// Saves the candidates of the listed scopes, and keeps those of other scopes. Does not create the directory, so that
/// CI runs without a cached credential leave no files. Ignores errors, because they must not fail a listing.
pub fn save_candidates(directory: &Path, scopes: &[Scope], mut listed: Vec<Candidate>) {
    listed.extend(load_candidates(directory).into_iter().filter(|candidate| !scopes.contains(&candidate.scope)));
    if !listed.is_empty() && directory.is_dir() {
        let _ = write(directory, &listed);
    }
}

fn write(directory: &Path, candidates: &[Candidate]) -> io::Result<()> {
    let mut file = tempfile::Builder::new().prefix(".products-").tempfile_in(directory)?;
    file.write_all(&serde_json::to_vec(candidates)?)?;
    file.persist(directory.join(FILE)).map(drop).map_err(|error| error.error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(scope: Scope, id: &str, name: &str) -> Candidate {
        Candidate { scope, id: id.into(), name: name.into() }
    }

    #[test]
    fn saved_candidates_are_loaded_and_other_scopes_kept() {
        let home = tempfile::tempdir().expect("a directory");
        let products = [candidate(Scope::Product, "CFQ7TTC0H9MP", "Power BI Pro"), candidate(Scope::Product, "X", "")];
        let missing = home.path().join("missing");
        save_candidates(&missing, &[Scope::Product], products.to_vec());
        assert!(!missing.exists());
        save_candidates(home.path(), &[Scope::Product], products.to_vec());
        assert_eq!(load_candidates(home.path()), products);
        let offer_type = candidate(Scope::OfferType, "SaaS", "");
        save_candidates(home.path(), &[Scope::OfferType], vec![offer_type.clone()]);
        assert_eq!(load_candidates(home.path()), [std::slice::from_ref(&offer_type), &products[..]].concat());
        save_candidates(home.path(), &[Scope::Product], Vec::new());
        assert_eq!(load_candidates(home.path()), std::slice::from_ref(&offer_type));
        save_candidates(home.path(), &[Scope::OfferType], Vec::new());
        assert_eq!(load_candidates(home.path()), [offer_type]);
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
