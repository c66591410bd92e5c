//! The history of changes: a private file with JSON lines. A run appends each change as planned before it sends the first
//! request, and appends it again with the outcome after the response.

use std::cell::Cell;
use std::collections::{HashMap, VecDeque};
use std::fs::{File, TryLockError};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::api::{Scope, Target};
use crate::error::{Error, Result};
use crate::files::{self, LockError, OpenError, PrivateFile};
use crate::plan::Outcome;

pub const FILE: &str = "changes.jsonl";
/// Locked during reads and writes. Separate from the history, because on Windows other programs cannot read a locked
/// file.
const LOCK: &str = "changes.lock";

/// Locked by every run that makes changes, with a shared lock, until it ends.
const RUN_LOCK: &str = "changes.run.lock";

/// The format version of the lines.
const VERSION: u32 = 2;

/// The maximum length of a line in bytes, far above that of any entry.
const MAX_LINE_LEN: u64 = 64 * 1024;

/// The number of the newest entries that are read, to limit the memory.
const MAX_ENTRIES: usize = 100_000;

/// How long another process may hold the lock: it writes for milliseconds.
const LOCK_TIMEOUT: Duration = Duration::from_secs(1);

/// A change that a run planned or made.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HistoryEntry {
    /// The format version of the line.
    pub version: u32,
    /// The time of the plan, or of the outcome.
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
    /// The wanted value, in the spelling of the service.
    pub to: String,
    /// `Unchanged` in an undo: it left the product as it is.
    pub outcome: Outcome,
    /// The correlation ID of the request.
    pub correlation_id: Option<String>,
    /// The ID of the run that this change undoes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoes: Option<String>,
}

/// Identifies a change: the run, the tenant and the target. A later line replaces an earlier one.
type Key = (String, Option<String>, Target);

impl HistoryEntry {
    /// Creates the entry of a planned change. The caller sets the tenant, the values and the outcome.
    pub fn new(run: &str, policy_id: &str, target: &Target, to: &str) -> Self {
        Self {
            version: VERSION,
            time: Utc::now(),
            run: run.to_owned(),
            tenant_id: None,
            account: None,
            policy_id: policy_id.to_owned(),
            scope: target.scope,
            id: target.id.clone(),
            name: None,
            from: None,
            to: to.to_owned(),
            outcome: Outcome::Planned,
            correlation_id: None,
            undoes: None,
        }
    }

    pub fn target(&self) -> Target {
        Target::new(self.scope, self.id.as_str())
    }

    /// Whether the change was or may have been sent to the service.
    pub fn was_sent(&self) -> bool {
        matches!(self.outcome, Outcome::Changed | Outcome::Failed | Outcome::Unknown)
    }

    /// Whether the ID of the run begins with `prefix`, ignoring case.
    pub fn has_run_prefix(&self, prefix: &str) -> bool {
        self.run.to_lowercase().starts_with(&prefix.to_lowercase())
    }

    fn key(&self) -> Key {
        (self.run.clone(), self.tenant_id.clone(), self.target())
    }
}

/// The path of the history file.
pub fn path(directory: &Path) -> PathBuf {
    directory.join(FILE)
}

/// The history file, open for appending.
pub struct HistoryWriter {
    file: Arc<File>,
    path: PathBuf,
    lock: PathBuf,
    /// Set when another process has held the lock for too long.
    ignores_lock: Cell<bool>,
    _run_lock: File,
}

impl HistoryWriter {
    /// Opens the history in the state directory. Creates the file and the directory if missing.
    pub fn open(directory: &Path) -> Result<Self> {
        let path = path(directory);
        let created = files::create_private_dir(directory).map_err(OpenError::Io);
        let opened = created.and_then(|()| files::open_private_append(&path));
        let PrivateFile { file, .. } = opened.map_err(|error| error.into_error("write to", &path))?;
        let mut first_line = Vec::new();
        let read = read_line(&mut BufReader::new(&file), &mut first_line).and_then(|_| {
            match serde_json::from_slice(&first_line) {
                Ok(VersionHeader { version }) => refuse_newer_version(version),
                Err(_) => Ok(()),
            }
        });
        read.map_err(|error| read_error(error, &path))?;
        let run_lock = run_lock(directory)?;
        // If the file system has no locks, nobody can tell that this run is in progress.
        let _ = run_lock.try_lock_shared();
        let (lock, ignores_lock) = (directory.join(LOCK), Cell::new(false));
        Ok(Self { file: Arc::new(file), path, lock, ignores_lock, _run_lock: run_lock })
    }

    /// Appends entries. A lock prevents concurrent processes from mixing their lines. With `sync`, writes them to disk,
    /// so that they survive a power failure. Returns whether the file was locked: another process may hold the lock for
    /// too long, or the file system may not support it.
    pub async fn append(&self, entries: &[HistoryEntry], sync: bool) -> Result<bool> {
        let mut lines = Vec::new();
        for entry in entries {
            let mut line = serde_json::to_vec(entry).map_err(Error::from_source)?;
            line.push(b'\n');
            if line.len() as u64 > MAX_LINE_LEN {
                return Err(Error::failed(format!("the history entry for {} is too long", entry.target())));
            }
            lines.append(&mut line);
        }
        let lock = if self.ignores_lock.get() { None } else { lock(&self.lock).await? };
        let is_locked = lock.is_some();
        self.ignores_lock.set(!is_locked);
        let file = Arc::clone(&self.file);
        let append = move || {
            append_lines(&file, &lines)?;
            if sync { file.sync_data() } else { Ok(()) }
        };
        let result = tokio::task::spawn_blocking(append).await.unwrap_or_else(|error| Err(io::Error::other(error)));
        result.map_err(|error| OpenError::Io(error).into_error("write to", &self.path))?;
        Ok(is_locked)
    }
}

fn run_lock(directory: &Path) -> Result<File> {
    let path = directory.join(RUN_LOCK);
    files::open_private_append(&path).map(|opened| opened.file).map_err(|error| error.into_error("lock", &path))
}

/// Whether another process is making changes: their outcomes are not recorded yet.
pub fn is_run_in_progress(directory: &Path) -> bool {
    run_lock(directory).is_ok_and(|lock| matches!(lock.try_lock(), Err(TryLockError::WouldBlock)))
}

/// Appends lines in a single write. Terminates an incomplete last line first, which a full disk may have left.
fn append_lines(mut file: &File, lines: &[u8]) -> io::Result<()> {
    let mut last = [b'\n'];
    let length = file.seek(SeekFrom::End(0))?;
    if length > 0 {
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
    }
    let written = if last == [b'\n'] { file.write_all(lines) } else { file.write_all(&[b"\n", lines].concat()) };
    // Without a part of the lines: they would be changes that were never sent.
    written.inspect_err(|_| drop(file.set_len(length)))
}

/// Locks the history. Returns `None` if another process holds the lock until [`LOCK_TIMEOUT`], or the file system does
/// not support locks. Fails if another user could have written the lock file.
async fn lock(path: &Path) -> Result<Option<File>> {
    match files::lock(path, LOCK_TIMEOUT).await {
        Ok(lock) => Ok(Some(lock)),
        Err(LockError::Open(error @ OpenError::Refused { .. })) => Err(error.into_error("lock", path)),
        Err(_) => Ok(None),
    }
}

/// The content of the history file.
#[derive(Debug, Default)]
pub struct History {
    /// The changes in the order of their plans, oldest first.
    pub entries: Vec<HistoryEntry>,
    /// The numbers of lines that cannot be parsed, starting at 1.
    pub invalid_lines: Vec<usize>,
}

impl History {
    /// Reads the history in the state directory. A missing file is an empty history.
    ///
    /// # Errors
    /// Fails if the file cannot be read, or has lines of a newer version.
    pub async fn read(directory: &Path) -> Result<Self> {
        let path = path(directory);
        let file = match files::open_private(&path) {
            Ok(PrivateFile { file, .. }) => file,
            Err(error) if error.is_not_found() => return Ok(Self::default()),
            Err(error) => return Err(error.into_error("read", &path)),
        };
        // Without the lock, the last line may be incomplete.
        let _lock = lock(&directory.join(LOCK)).await?;
        let parse = move || Self::parse(BufReader::new(&file), MAX_ENTRIES);
        let parsed = tokio::task::spawn_blocking(parse).await.unwrap_or_else(|error| Err(io::Error::other(error)));
        parsed.map_err(|error| read_error(error, &path))
    }

    /// Reads the entries for shell completion: none if the file cannot be read. Does not wait for the lock, without which
    /// the last line may be incomplete.
    pub fn peek(directory: &Path) -> Vec<HistoryEntry> {
        let file = files::open_private(&path(directory)).ok();
        let history = file.and_then(|opened| Self::parse(BufReader::new(opened.file), MAX_ENTRIES).ok());
        history.unwrap_or_default().entries
    }

    /// Parses the lines and keeps the newest `limit` entries.
    fn parse(mut reader: impl BufRead, limit: usize) -> io::Result<Self> {
        let mut entries: VecDeque<HistoryEntry> = VecDeque::new();
        // The number of each entry, counted from the start of the file.
        let mut numbers: HashMap<Key, usize> = HashMap::new();
        let (mut removed, mut invalid_lines) = (0, Vec::new());
        let (mut line, mut line_number) = (Vec::new(), 0);
        while read_line(&mut reader, &mut line)? {
            line_number += 1;
            let Ok(entry) = serde_json::from_slice::<HistoryEntry>(&line) else {
                if let Ok(VersionHeader { version }) = serde_json::from_slice(&line) {
                    refuse_newer_version(version)?;
                }
                if !line.trim_ascii().is_empty() {
                    invalid_lines.push(line_number);
                }
                continue;
            };
            refuse_newer_version(entry.version)?;
            let key = entry.key();
            if let Some(planned) = numbers.get(&key).and_then(|number| entries.get_mut(*number - removed)) {
                *planned = entry;
            } else {
                numbers.insert(key, removed + entries.len());
                entries.push_back(entry);
            }
            if entries.len() > limit
                && let Some(oldest) = entries.pop_front()
            {
                numbers.remove(&oldest.key());
                removed += 1;
            }
        }
        let as_known = |entry: HistoryEntry| match entry.outcome {
            // The process ended before it recorded the outcome.
            Outcome::Planned => HistoryEntry { outcome: Outcome::Unknown, ..entry },
            _ => entry,
        };
        Ok(Self { entries: entries.into_iter().map(as_known).collect(), invalid_lines })
    }
}

/// Reads a line into `line`, without the bytes after [`MAX_LINE_LEN`]. Returns whether there was one.
fn read_line(reader: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    if reader.by_ref().take(MAX_LINE_LEN).read_until(b'\n', line)? == 0 {
        return Ok(false);
    }
    if line.last() != Some(&b'\n') {
        reader.skip_until(b'\n')?;
    }
    Ok(true)
}

fn read_error(error: io::Error, path: &Path) -> Error {
    let error = match error.kind() {
        io::ErrorKind::Unsupported => OpenError::refused(path, error.to_string(), files::HINT_UPDATE),
        _ => OpenError::Io(error),
    };
    error.into_error("read", path)
}

/// The field that every format version has.
#[derive(Deserialize)]
struct VersionHeader {
    version: u32,
}

fn refuse_newer_version(version: u32) -> io::Result<()> {
    if version <= VERSION {
        return Ok(());
    }
    let reason =
        format!("it was written by another version of mscommerce (format {version}; this version reads {VERSION})");
    Err(io::Error::new(io::ErrorKind::Unsupported, reason))
}

#[cfg(any(fuzzing, test))]
pub mod proptests;

#[cfg(test)]
mod tests;
