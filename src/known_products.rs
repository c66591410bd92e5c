//! Ids and names of the last listing, for shells to offer. Nothing is decided by them.

use std::io::{self, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::api::Scope;
use crate::text::is_terminal_control;

const FILE: &str = "products.json";

/// More than any listing needs.
const LARGEST: u64 = 4 * 1024 * 1024;

/// A product or an offer type that was listed.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Known {
    pub id: String,
    #[serde(default)]
    pub name: String,
    pub scope: Scope,
}

/// What was listed last; nothing where that is not known.
pub fn read(directory: &Path) -> Vec<Known> {
    let path = directory.join(FILE);
    let is_small = path.metadata().is_ok_and(|found| found.is_file() && found.len() <= LARGEST);
    let text = if is_small { std::fs::read(path).unwrap_or_default() } else { Vec::new() };
    let known: Vec<Known> = serde_json::from_slice(&text).unwrap_or_default();
    // What a terminal would act upon is no word to offer.
    let is_harmless = |text: &str| !text.chars().any(is_terminal_control);
    known.into_iter().filter(|item| !item.id.is_empty() && is_harmless(&item.id) && is_harmless(&item.name)).collect()
}

/// Keeps what was listed, beside what is kept already and `was_listed` does not hold for. A run that keeps nothing else, such
/// as one in CI with a credential in the environment, leaves no directory behind. That it cannot be kept is no failure of
/// a listing.
pub fn keep(directory: &Path, mut listed: Vec<Known>, was_listed: impl Fn(&Known) -> bool) {
    let kept = read(directory);
    listed.extend(kept.iter().filter(|known| !was_listed(known)).cloned());
    if !listed.is_empty() && listed != kept && directory.is_dir() {
        let _ = write(directory, &listed);
    }
}

fn write(directory: &Path, listed: &[Known]) -> io::Result<()> {
    let mut file = tempfile::Builder::new().prefix(".products-").tempfile_in(directory)?;
    file.write_all(&serde_json::to_vec(listed)?)?;
    file.persist(directory.join(FILE)).map(drop).map_err(|error| error.error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_is_read_again_and_anything_else_is_nothing() {
        let home = tempfile::tempdir().expect("a directory");
        let known = |id: &str, name: &str| Known { id: id.into(), name: name.into(), scope: Scope::Product };
        let listed = [known("CFQ7TTC0H9MP", "Power BI Pro"), known("X", "")];
        let nowhere = home.path().join("nowhere");
        keep(&nowhere, listed.to_vec(), |_| true);
        assert!(!nowhere.exists());
        keep(home.path(), listed.to_vec(), |_| true);
        assert_eq!(read(home.path()), listed);
        keep(home.path(), Vec::new(), |_| true);
        assert_eq!(read(home.path()), listed);
        keep(home.path(), vec![known("Y", "")], |kept| kept.id == "X");
        assert_eq!(read(home.path()), [known("Y", ""), known("CFQ7TTC0H9MP", "Power BI Pro")]);
        for other in ["", "{", "[{}]", "[{\"id\":1}]", "{\"id\":\"a\"}"] {
            std::fs::write(home.path().join(FILE), other).expect("written");
            assert!(read(home.path()).is_empty(), "{other}");
        }
        std::fs::write(
            home.path().join(FILE),
            r#"[{"id":"a\u001b[2J","scope":"product"},{"id":"b","scope":"product"}]"#,
        )
        .expect("written");
        assert_eq!(read(home.path()), [known("b", "")]);
    }
}
