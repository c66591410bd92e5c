//! Checks the file names in documents for contributors.

use std::fs;
use std::path::Path;

/// Returns the paths below `src`, `tests`, `examples`, `fuzz` and `bench` in a text.
fn repository_paths(text: &str) -> Vec<&str> {
    let is_path_character = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    let words = text.split(|c: char| !is_path_character(c)).map(|word| word.trim_end_matches('.'));
    let directories = ["src/", "tests/", "examples/", "fuzz/", "bench/"];
    words.filter(|word| directories.iter().any(|directory| word.starts_with(directory))).collect()
}

#[test]
fn architecture_page_names_existing_files() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("docs/architecture.md")).unwrap();
    let paths = repository_paths(&page);
    assert!(paths.len() > 50, "found only {} paths", paths.len());
    let missing: Vec<_> = paths.into_iter().filter(|path| !root.join(path).exists()).collect();
    assert!(missing.is_empty(), "docs/architecture.md names missing files: {missing:#?}");
}
