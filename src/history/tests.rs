//! Unit tests of the history file.

use super::*;

fn entry(id: &str) -> HistoryEntry {
    let entry = HistoryEntry::new("r", "P", &Target::new(Scope::OfferType, id), "Disabled");
    HistoryEntry { tenant_id: Some("t".into()), name: Some("line\nend".into()), ..entry }
}

fn with_outcome(id: &str, outcome: Outcome) -> HistoryEntry {
    HistoryEntry { outcome, time: DateTime::UNIX_EPOCH, ..entry(id) }
}

fn parse(lines: &[&[HistoryEntry]]) -> History {
    let lines: Vec<Vec<u8>> = lines.concat().iter().map(|entry| serde_json::to_vec(entry).expect("JSON")).collect();
    History::parse(&*lines.join(&b'\n'), 10).expect("a history")
}

#[test]
fn later_line_replaces_planned_entry() {
    let changed = with_outcome("a", Outcome::Changed);
    let history = parse(&[&[entry("a"), entry("b")], std::slice::from_ref(&changed)]);
    assert_eq!(history.entries[0], changed);
    assert_eq!((history.entries[1].id.as_str(), history.entries[1].outcome), ("b", Outcome::Unknown));
    assert_eq!(history.entries.len(), 2);
}

#[test]
fn oldest_entries_are_left_out() {
    let entries: Vec<HistoryEntry> = (0..12).map(|id| entry(&id.to_string())).collect();
    let history = parse(&[&entries, &[with_outcome("2", Outcome::Changed)]]);
    assert_eq!(history.entries.len(), 10);
    assert_eq!((history.entries[0].id.as_str(), history.entries[0].outcome), ("2", Outcome::Changed));
}

#[test]
fn long_line_is_invalid_and_does_not_affect_others() {
    let mut file = vec![b'x'; 3 * usize::try_from(MAX_LINE_LEN).expect("a length")];
    file.extend_from_slice(b"x\n");
    file.extend(serde_json::to_vec(&entry("a")).expect("JSON"));
    let history = History::parse(&*file, 10).expect("a history");
    assert_eq!((history.entries.len(), history.invalid_lines), (1, vec![1]));
}

#[tokio::test]
async fn invalid_line_does_not_affect_others() {
    let directory = tempfile::tempdir().expect("a directory");
    assert!(History::read(directory.path()).await.expect("an empty history").entries.is_empty());
    std::fs::write(path(directory.path()), b"{\"time\":\n\xff").expect("a file");
    let changed = with_outcome("a", Outcome::Changed);
    let writer = HistoryWriter::open(directory.path()).expect("a writer");
    assert!(writer.append(std::slice::from_ref(&changed), true).await.expect("a line"));
    let history = History::read(directory.path()).await.expect("a history");
    assert_eq!((history.entries, history.invalid_lines), (vec![changed], vec![1, 2]));
}

#[test]
fn newer_version_is_refused() {
    let line = serde_json::to_string(&entry("a")).expect("JSON").replace("\"version\":2", "\"version\":3");
    assert!(History::parse(line.as_bytes(), 10).is_err());
    assert!(History::parse(&b"{\"version\":3,\"unknown\":1}"[..], 10).is_err());
}
