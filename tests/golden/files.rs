//! What each command leaves in the home directory: a part of the recorded behaviour of the executable that a
//! restructuring must not change.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::Value;

use crate::filters::{Filters, visible};

const CHANGES: &str = "state/changes.jsonl";

/// Every file and directory in the home directory, as it was after the last command.
#[derive(Default)]
pub(crate) struct Files(BTreeMap<String, File>);

#[derive(Clone, PartialEq)]
struct File {
    mode: u32,
    /// Without the values that differ from run to run; `None` for a directory.
    content: Option<String>,
}

impl Files {
    /// Reads the directory again, and describes what has changed since the last time.
    pub(crate) fn refresh(&mut self, home: &Path, filters: &mut Filters) -> Vec<String> {
        let mut found = BTreeMap::new();
        read(home, home, filters, &mut found);
        let mut lines = Vec::new();
        for (path, file) in &found {
            let before = self.0.get(path);
            if before != Some(file) {
                let mark = if before.is_some() { "changed" } else { "new" };
                lines.push(format!("{mark}: {} {path}", permissions(file)));
                lines.extend(shown(path, file, before));
            }
        }
        lines.extend(self.0.keys().filter(|path| !found.contains_key(*path)).map(|path| format!("removed: {path}")));
        self.0 = found;
        lines
    }
}

fn read(home: &Path, directory: &Path, filters: &mut Filters, found: &mut BTreeMap<String, File>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.strip_prefix(home).unwrap().to_str().unwrap().to_owned();
        let mode = path.symlink_metadata().unwrap().permissions().mode() & 0o777;
        let content = if path.is_dir() {
            read(home, &path, filters, found);
            None
        } else {
            let content = fs::read_to_string(&path).unwrap();
            if name == CHANGES {
                add_runs(&content, filters);
            }
            Some(filters.apply(&content))
        };
        found.insert(name, File { mode, content });
    }
}

fn add_runs(content: &str, filters: &mut Filters) {
    for line in content.lines() {
        let Ok(entry) = serde_json::from_str::<Value>(line) else { continue };
        if let Some(run) = entry["run"].as_str() {
            filters.add_run(run);
        }
    }
}

fn permissions(file: &File) -> String {
    let kind = if file.content.is_some() { '-' } else { 'd' };
    let bits = (0..9).rev().map(|bit| if file.mode >> bit & 1 == 1 { ['x', 'w', 'r'][bit % 3] } else { '-' });
    std::iter::once(kind).chain(bits).collect()
}

/// The lines of a file that changed. Of the recorded changes only those that were added, sorted: concurrent requests
/// end in any order. Of manual pages nothing but the name.
fn shown(path: &str, file: &File, before: Option<&File>) -> Vec<String> {
    let Some(content) = file.content.as_ref().filter(|_| !path.ends_with(".1")) else { return Vec::new() };
    let old = before.and_then(|before| before.content.as_deref()).unwrap_or_default();
    let added = (path == CHANGES).then(|| content.strip_prefix(old)).flatten();
    let mut lines: Vec<String> = visible(added.unwrap_or(content)).lines().map(|line| format!("    {line}")).collect();
    if added.is_some() {
        lines.sort();
    }
    lines
}
