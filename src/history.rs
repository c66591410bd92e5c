//! The record of changes: what this tool changed, a line each, in a file that only this user can read.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::api::{Scope, Target};
use crate::error::{Error, Result};
use crate::private;

const FILE: &str = "changes.jsonl";
/// Held while a line is added or lines are read. On Windows a lock keeps others from the file itself, and the record is
/// for everybody's tools to read.
const LOCK: &str = "changes.lock";

/// One change that was made.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HistoryEntry {
    /// When the service had answered.
    pub time: DateTime<Utc>,
    /// Names the run of the executable; the changes of one command share it.
    pub run: String,
    pub tenant_id: Option<String>,
    pub account: Option<String>,
    pub policy_id: String,
    pub scope: Scope,
    pub id: String,
    pub name: Option<String>,
    /// The value before, in the service's spelling.
    pub from: Option<String>,
    /// The value after, in the service's spelling.
    pub to: String,
    /// The correlation id of the request that made the change.
    pub correlation_id: Option<String>,
    /// The run that this change takes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoes: Option<String>,
}

impl HistoryEntry {
    /// What was changed.
    pub fn target(&self) -> Target {
        Target::new(self.scope, self.id.as_str())
    }
}

/// Where the record of changes is kept.
pub fn path(directory: &Path) -> PathBuf {
    directory.join(FILE)
}

/// The record, open for further changes.
pub struct HistoryWriter {
    file: File,
    path: PathBuf,
    lock: PathBuf,
}

impl HistoryWriter {
    /// Opens the record in the state directory, and creates both where they are missing.
    pub fn open(directory: &Path) -> Result<Self> {
        let path = path(directory);
        let open = || {
            private::create_private_dir(directory)?;
            let file = private::private_open_options().append(true).open(&path)?;
            Ok(Self { file, lock: directory.join(LOCK), path: path.clone() })
        };
        open().map_err(|error| cannot("write to", &path, error))
    }

    /// Adds a change. Other processes may do so at the same time: each holds the lock for its line.
    pub fn append(&self, entry: &HistoryEntry) -> Result<()> {
        let mut line = serde_json::to_vec(entry).map_err(Error::from_source)?;
        line.push(b'\n');
        // Closing it ends the lock. A file system that knows no locks still appends a line as a whole.
        let lock = private::private_open_options().write(true).open(&self.lock);
        let _locked = lock.as_ref().map(File::lock);
        self.write(&line).map_err(|error| cannot("write to", &self.path, error))
    }

    /// A line that another process could not finish, for want of space, is ended first.
    fn write(&self, line: &[u8]) -> io::Result<()> {
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

    /// Makes sure that what was added outlives a loss of power.
    pub fn sync(&self) -> Result<()> {
        self.file.sync_data().map_err(|error| cannot("write to", &self.path, error))
    }
}

/// The record as it was read.
#[derive(Debug, Default)]
pub struct History {
    /// Oldest first.
    pub entries: Vec<HistoryEntry>,
    /// The numbers of lines that could not be understood.
    pub damaged: Vec<usize>,
}

impl History {
    /// Reads the record in the state directory. Where there is none, nothing has been changed yet.
    pub fn read(directory: &Path) -> Result<Self> {
        let path = path(directory);
        let read = || {
            // A pipe would never end.
            if !std::fs::metadata(&path)?.is_file() {
                return Err(io::Error::other("it is no regular file"));
            }
            let file = File::open(&path)?;
            let lock = File::open(directory.join(LOCK));
            // Where there is no lock to be had, the last line may be one that is just being written.
            let _ = lock.as_ref().map(File::lock_shared);
            Self::of_lines(BufReader::new(&file))
        };
        match read() {
            Ok(history) => Ok(history),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(cannot("read", &path, error)),
        }
    }

    fn of_lines(mut reader: impl BufRead) -> io::Result<Self> {
        let mut history = Self::default();
        let (mut line, mut number) = (Vec::new(), 0);
        while reader.read_until(b'\n', &mut line)? > 0 {
            number += 1;
            match serde_json::from_slice(&line) {
                Ok(entry) => history.entries.push(entry),
                Err(_) if line.trim_ascii().is_empty() => {}
                Err(_) => history.damaged.push(number),
            }
            line.clear();
        }
        Ok(history)
    }
}

fn cannot(what: &str, path: &Path, error: io::Error) -> Error {
    Error::from_source(error).context(format!("could not {what} the record of changes in {}", path.display()))
}

#[cfg(any(fuzzing, test))]
pub mod properties;

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
    fn what_is_added_is_read_again_in_order() {
        let directory = tempfile::tempdir().expect("a directory");
        assert!(History::read(directory.path()).expect("no record yet").entries.is_empty());
        for id in ["a", "b"] {
            HistoryWriter::open(directory.path()).expect("a record").append(&entry(id)).expect("a line");
        }
        let history = History::read(directory.path()).expect("the record");
        assert_eq!(history.entries, [entry("a"), entry("b")]);
        assert!(history.damaged.is_empty());
    }

    #[test]
    fn a_broken_line_spoils_no_other() {
        let directory = tempfile::tempdir().expect("a directory");
        std::fs::write(path(directory.path()), b"{\"time\":\n\xff").expect("a file");
        HistoryWriter::open(directory.path()).expect("a record").append(&entry("a")).expect("a line");
        let history = History::read(directory.path()).expect("the record");
        assert_eq!((history.entries, history.damaged), (vec![entry("a")], vec![1, 2]));
    }
}
