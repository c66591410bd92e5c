//! The history of changes: a private file with one JSON line per change.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::api::{Scope, Target};
use crate::error::{Error, Result};
use crate::files;

const FILE: &str = "changes.jsonl";
/// Locked during reads and writes. Separate from the history, because on Windows other programs cannot read a locked
/// file.
const LOCK: &str = "changes.lock";

/// A change that was applied.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HistoryEntry {
    /// The time of the response.
    pub time: DateTime<Utc>,
    /// The ID of the run. All changes of one command have the same ID.
    pub run: String,
    pub tenant_id: Option<String>,
    pub account: Option<String>,
    pub policy_id: String,
    pub scope: Scope,
    pub id: String,
    pub name: Option<String>,
    /// The value before the change, in the spelling of the service.
    pub from: Option<String>,
    /// The value after the change, in the spelling of the service.
    pub to: String,
    /// The correlation ID of the request.
    pub correlation_id: Option<String>,
    /// The ID of the run that this change undoes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoes: Option<String>,
}

impl HistoryEntry {
    pub fn target(&self) -> Target {
        Target::new(self.scope, self.id.as_str())
    }
}

/// The path of the history file.
pub fn path(directory: &Path) -> PathBuf {
    directory.join(FILE)
}

/// The history file, open for appending.
pub struct HistoryWriter {
    file: File,
    path: PathBuf,
    lock: PathBuf,
}

impl HistoryWriter {
    /// Opens the history in the state directory. Creates the file and the directory if missing.
    pub fn open(directory: &Path) -> Result<Self> {
        let path = path(directory);
        let open = || {
            files::create_private_dir(directory)?;
            let file = files::private_open_options().append(true).open(&path)?;
            Ok(Self { file, lock: directory.join(LOCK), path: path.clone() })
        };
        open().map_err(|error| io_error("write to", &path, error))
    }

    /// Appends an entry. A lock prevents concurrent processes from mixing their lines.
    pub fn append(&self, entry: &HistoryEntry) -> Result<()> {
        let mut line = serde_json::to_vec(entry).map_err(Error::from_source)?;
        line.push(b'\n');
        // Closing the file releases the lock. If locking is not supported, a single write is still appended as a whole.
        let lock = files::private_open_options().write(true).open(&self.lock);
        let _locked = lock.as_ref().map(File::lock);
        self.append_line(&line).map_err(|error| io_error("write to", &self.path, error))
    }

    /// Appends a line. Terminates an incomplete last line first, which a full disk may have left.
    fn append_line(&self, line: &[u8]) -> io::Result<()> {
        let mut file = &self.file;
        let mut last = [b'\n'];
        if file.seek(SeekFrom::End(0))? > 0 {
            file.seek(SeekFrom::End(-1))?;
            file.read_exact(&mut last)?;
        }
        if last == [b'\n'] {
            return file.write_all(line);
        }
        file.write_all(&[b"\n", line].concat())
    }

    /// Writes the appended entries to disk, so that they survive a power failure.
    pub fn sync(&self) -> Result<()> {
        self.file.sync_data().map_err(|error| io_error("write to", &self.path, error))
    }
}

/// The content of the history file.
#[derive(Debug, Default)]
pub struct History {
    /// Oldest first.
    pub entries: Vec<HistoryEntry>,
    /// The numbers of lines that cannot be parsed, starting at 1.
    pub invalid_lines: Vec<usize>,
}

impl History {
    /// Reads the history in the state directory. A missing file is an empty history.
    pub fn read(directory: &Path) -> Result<Self> {
        let path = path(directory);
        let read = || {
            // Reading from a named pipe could block forever.
            if !std::fs::metadata(&path)?.is_file() {
                return Err(io::Error::other("it is no regular file"));
            }
            let file = File::open(&path)?;
            let lock = File::open(directory.join(LOCK));
            // Without a lock, the last line may be incomplete.
            let _ = lock.as_ref().map(File::lock_shared);
            Self::parse(BufReader::new(&file))
        };
        match read() {
            Ok(history) => Ok(history),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(io_error("read", &path, error)),
        }
    }

    fn parse(mut reader: impl BufRead) -> io::Result<Self> {
        let mut history = Self::default();
        let (mut line, mut number) = (Vec::new(), 0);
        while reader.read_until(b'\n', &mut line)? > 0 {
            number += 1;
            match serde_json::from_slice(&line) {
                Ok(entry) => history.entries.push(entry),
                Err(_) if line.trim_ascii().is_empty() => {}
                Err(_) => history.invalid_lines.push(number),
            }
            line.clear();
        }
        Ok(history)
    }
}

fn io_error(action: &str, path: &Path, error: io::Error) -> Error {
    Error::from_source(error).context(format!("could not {action} the record of changes in {}", path.display()))
}

#[cfg(any(fuzzing, test))]
pub mod proptests;

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(id: &str) -> HistoryEntry {
        HistoryEntry {
            time: DateTime::UNIX_EPOCH,
            run: "r".into(),
            tenant_id: Some("t".into()),
            account: None,
            policy_id: "P".into(),
            scope: Scope::OfferType,
            id: id.into(),
            name: Some("line\nend".into()),
            from: None,
            to: "Disabled".into(),
            correlation_id: None,
            undoes: None,
        }
    }

    #[test]
    fn read_returns_appended_entries_in_order() {
        let directory = tempfile::tempdir().expect("a directory");
        assert!(History::read(directory.path()).expect("an empty history").entries.is_empty());
        for id in ["a", "b"] {
            HistoryWriter::open(directory.path()).expect("a writer").append(&entry(id)).expect("a line");
        }
        let history = History::read(directory.path()).expect("a history");
        assert_eq!(history.entries, [entry("a"), entry("b")]);
        assert!(history.invalid_lines.is_empty());
    }

    #[test]
    fn invalid_line_does_not_affect_others() {
        let directory = tempfile::tempdir().expect("a directory");
        std::fs::write(path(directory.path()), b"{\"time\":\n\xff").expect("a file");
        HistoryWriter::open(directory.path()).expect("a writer").append(&entry("a")).expect("a line");
        let history = History::read(directory.path()).expect("a history");
        assert_eq!((history.entries, history.invalid_lines), (vec![entry("a")], vec![1, 2]));
    }
}
