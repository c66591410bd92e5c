//! The credential cache: one private file for all profiles, replaced atomically and protected by a lock file.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::NamedTempFile;

use super::cache_file::{CacheFile, ParseError};
use super::credential::CachedCredential;
use super::encryption::{DecryptError, decrypt};
use crate::error::{Error, ErrorKind, Result};
use crate::files::{self, LockError, OpenError};
use crate::ui::Ui;

pub const CACHE_FILE: &str = "sign-ins.json";
/// The names of damaged files that were set aside: `sign-ins.unreadable.json`, `sign-ins.unreadable-2.json`.
const QUARANTINE_PREFIX: &str = "sign-ins.unreadable";
const LOCK_FILE: &str = "sign-ins.lock";
const TEMPORARY_PREFIX: &str = ".sign-ins-";

/// The maximum size of the cache file, in bytes.
const MAX_FILE_SIZE: usize = 1024 * 1024;

/// The delay between attempts to replace the file on Windows.
const PERSIST_POLL: Duration = Duration::from_millis(20);

/// The credential cache in a state directory.
#[derive(Clone)]
pub struct TokenCache {
    directory: PathBuf,
    ui: Ui,
}

/// An exclusive lock on the cache, and the cache's content. Dropping it releases the lock.
pub struct CacheLock {
    cache: TokenCache,
    content: CacheFile,
    _lock: File,
}

impl TokenCache {
    pub fn new(directory: &Path, ui: Ui) -> Self {
        Self { directory: directory.to_owned(), ui }
    }

    /// Whether the cache directory exists.
    pub fn exists(&self) -> bool {
        self.directory.exists()
    }

    /// Reads the cache. Needs no lock, because writers replace the file atomically.
    ///
    /// A damaged file is set aside. This needs the lock, for which `load` waits up to `timeout`.
    ///
    /// # Errors
    /// Fails if the file cannot be read, another user could have written it, or a newer version wrote it. These are
    /// left in place.
    pub async fn load(&self, timeout: Duration) -> Result<CacheFile> {
        let reason = match self.read() {
            Ok(Ok(content)) => return Ok(content),
            Ok(Err(reason)) => reason,
            Err(error @ OpenError::Refused { .. }) => return Err(self.read_error(error).with_kind(ErrorKind::Auth)),
            Err(error @ OpenError::Io(_)) => return Err(self.read_error(error)),
        };
        if let Ok(lock) = self.lock(timeout).await {
            return Ok(lock.content);
        }
        self.warn_unreadable(&reason);
        Ok(CacheFile::default())
    }

    /// Reads the cache for shell completion: nothing if it cannot be used as it is. Prints and changes nothing, so it
    /// leaves a file that other users can read to a command, which warns.
    pub fn peek(directory: &Path) -> CacheFile {
        let path = directory.join(CACHE_FILE);
        let read = || {
            let file = files::is_private(&path).then(|| files::open_private(&path))?.ok()?;
            CacheFile::parse(&decrypt(file.read(&path, MAX_FILE_SIZE).ok()?).ok()?).ok()
        };
        read().unwrap_or_default()
    }

    /// Locks the cache and reads it. Sets a damaged file aside, and removes temporary files of killed processes.
    ///
    /// # Errors
    /// Fails if another process holds the lock for longer than `timeout`, and in the same cases as [`Self::load`].
    pub async fn lock(&self, timeout: Duration) -> Result<CacheLock> {
        let lock = self.lock_file(timeout).await?;
        // This is not important enough to fail the command.
        let _ = self.remove_files(|name| name.starts_with(TEMPORARY_PREFIX));
        let content = self.read().map_err(|error| self.read_error(error))?.unwrap_or_else(|reason| {
            let moved = match self.quarantine() {
                Ok(path) => format!("moved to {}", path.display()),
                Err(error) => format!("could not move it: {error}"),
            };
            self.warn_unreadable(&format!("{reason}; {moved}"));
            CacheFile::default()
        });
        Ok(CacheLock { cache: self.clone(), content, _lock: lock })
    }

    fn path(&self) -> PathBuf {
        self.directory.join(CACHE_FILE)
    }

    async fn lock_file(&self, timeout: Duration) -> Result<File> {
        files::create_private_dir(&self.directory)
            .map_err(|error| OpenError::Io(error).into_error("create", &self.directory))?;
        let path = self.directory.join(LOCK_FILE);
        let locked = match files::lock(&path, Duration::ZERO).await {
            Err(LockError::TimedOut) => {
                self.ui.debug(&format!("waiting for another mscommerce process to release {}", path.display()));
                files::lock(&path, timeout).await
            }
            locked => locked,
        };
        locked.map_err(|error| error.into_error(&path))
    }

    fn read_error(&self, error: OpenError) -> Error {
        error.into_error("read the saved sign-ins in", &self.path())
    }

    /// Reads the content, or the reason why it is damaged. Other errors say nothing about the content: the file must be
    /// left alone.
    fn read(&self) -> Result<Result<CacheFile, String>, OpenError> {
        let path = self.path();
        let file = match files::open_private(&path) {
            Err(error) if error.is_not_found() => return Ok(Ok(CacheFile::default())),
            opened => opened?,
        };
        if let Some(mode) = file.previous_mode {
            self.ui.warn(&format!(
                "other users could read {} (mode {mode:o}); it is now private. If you share this machine, sign in again",
                path.display()
            ));
        }
        let refused = |reason| OpenError::refused(&path, reason, files::hint_remove(&path, "rm"));
        let text = match decrypt(file.read(&path, MAX_FILE_SIZE)?) {
            Ok(text) => text,
            Err(DecryptError::Unavailable(reason)) => return Err(refused(reason)),
            Err(DecryptError::Damaged(reason)) => return Ok(Err(reason)),
        };
        match CacheFile::parse(&text) {
            Ok(content) => Ok(Ok(content)),
            Err(ParseError::Damaged(reason)) => Ok(Err(reason)),
            Err(ParseError::Newer(reason)) => Err(OpenError::refused(&path, reason, files::HINT_UPDATE)),
        }
    }

    fn warn_unreadable(&self, reason: &str) {
        self.ui.warn(&format!("the saved sign-ins in {} cannot be used: {reason}", self.path().display()));
    }

    /// Moves a damaged file aside and returns its new path. Keeps files that were moved aside earlier.
    fn quarantine(&self) -> io::Result<PathBuf> {
        let name = |number: usize| match number {
            1 => format!("{QUARANTINE_PREFIX}.json"),
            _ => format!("{QUARANTINE_PREFIX}-{number}.json"),
        };
        let mut paths = (1..).map(|number| self.directory.join(name(number)));
        let is_free =
            |path: &PathBuf| path.symlink_metadata().is_err_and(|error| error.kind() == io::ErrorKind::NotFound);
        let path = paths.find(is_free).ok_or(io::ErrorKind::AlreadyExists)?;
        fs::rename(self.path(), &path)?;
        Ok(path)
    }

    /// Removes the files of the directory with matching names, but no directories. Returns whether there were any.
    fn remove_files(&self, matches: impl Fn(&str) -> bool) -> Result<bool> {
        let error = |error| OpenError::Io(error).into_error("remove files in", &self.directory);
        let mut found = false;
        for entry in fs::read_dir(&self.directory).map_err(error)? {
            let entry = entry.map_err(error)?;
            let is_file = entry.file_type().is_ok_and(|kind| !kind.is_dir());
            if is_file && matches(&entry.file_name().to_string_lossy()) {
                remove_file(&entry.path())?;
                found = true;
            }
        }
        Ok(found)
    }

    fn temporary_file(&self) -> io::Result<NamedTempFile> {
        tempfile::Builder::new().prefix(TEMPORARY_PREFIX).tempfile_in(&self.directory)
    }

    /// Replaces the cache file atomically. Retries on Windows, where this fails while another process reads the file.
    fn persist_with_retry(&self, mut file: NamedTempFile) -> io::Result<()> {
        let mut attempts = if cfg!(windows) { 25 } else { 1 };
        loop {
            attempts -= 1;
            match file.persist(self.path()) {
                Ok(_) => return Ok(()),
                Err(failed) if attempts > 0 && failed.error.kind() == io::ErrorKind::PermissionDenied => {
                    std::thread::sleep(PERSIST_POLL);
                    file = failed.file;
                }
                Err(failed) => return Err(failed.error),
            }
        }
    }
}

impl CacheLock {
    /// The content of the cache as of the lock, with the changes made through it.
    pub fn content(&self) -> &CacheFile {
        &self.content
    }

    /// Fails if the cache directory is not writable.
    pub fn ensure_writable(&self) -> Result<()> {
        self.cache.temporary_file().map(drop).map_err(|error| self.write_error(error))
    }

    /// Saves a profile's credential.
    pub fn save(&mut self, profile: &str, credential: CachedCredential) -> Result<()> {
        self.content.profiles.insert(profile.to_owned(), credential);
        self.write()
    }

    /// Removes the credentials of matching profiles and returns the profile names.
    pub fn remove(&mut self, matches: impl Fn(&str) -> bool) -> Result<Vec<String>> {
        let removed: Vec<String> = self.content.profiles.keys().filter(|name| matches(name)).cloned().collect();
        self.content.profiles.retain(|name, _| !removed.contains(name));
        if self.content.profiles.is_empty() {
            remove_file(&self.cache.path())?;
        } else if !removed.is_empty() {
            self.write()?;
        }
        Ok(removed)
    }

    /// Removes damaged files that were set aside: they may contain tokens of any profile. Returns whether there were
    /// any.
    pub fn remove_quarantined(&self) -> Result<bool> {
        self.cache.remove_files(|name| name.starts_with(QUARANTINE_PREFIX))
    }

    fn write(&mut self) -> Result<()> {
        let bytes = loop {
            let bytes = self.content.encode()?;
            if bytes.len() <= MAX_FILE_SIZE {
                break bytes;
            }
            if !self.content.remove_oldest_token() {
                let message = format!("the saved sign-ins would exceed {} KiB", MAX_FILE_SIZE / 1024);
                return Err(Error::failed(message).with_hint("mscommerce disconnect --profile NAME"));
            }
        };
        let written = self.cache.temporary_file().and_then(|mut file| {
            file.write_all(&bytes)?;
            file.as_file().sync_all()?;
            self.cache.persist_with_retry(file)
        });
        written.map_err(|error| self.write_error(error))
    }

    fn write_error(&self, error: io::Error) -> Error {
        OpenError::Io(error).into_error("write", &self.cache.path())
    }
}

/// Removes a file if it exists.
fn remove_file(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(OpenError::Io(error).into_error("remove", path)),
        _ => Ok(()),
    }
}
