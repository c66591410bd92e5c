//! The credential cache: one private file for all profiles, replaced atomically and protected by a lock file.

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use super::credential::CachedCredential;
use super::encryption::{decrypt, encrypt};
use crate::error::{Error, ErrorKind, Result};
use crate::files::{self, OpenError, PrivateFile};
use crate::secret::SecretBytes;
use crate::ui::Ui;

const CACHE_FILE: &str = "sign-ins.json";
const QUARANTINE_FILE: &str = "sign-ins.unreadable.json";
const LOCK_FILE: &str = "sign-ins.lock";
const TEMPORARY_PREFIX: &str = ".sign-ins-";

/// The format version of the cache file.
const VERSION: u32 = 2;

/// The delay between attempts to acquire the lock.
const LOCK_POLL: Duration = Duration::from_millis(20);

const HINT_DIRECTORY: &str = "make it usable for you, or name another directory in MSCOMMERCE_HOME";

/// The field that every format version has.
#[derive(Deserialize)]
struct VersionHeader {
    #[serde(default)]
    version: u32,
}

/// The content of the cache file.
#[derive(Default, Deserialize, Serialize)]
pub struct CacheFile {
    version: u32,
    pub profiles: BTreeMap<String, CachedCredential>,
}

impl CacheFile {
    /// Parses the file's JSON. The error message does not quote the text, because it contains tokens.
    pub fn parse(text: &[u8]) -> Result<Self, String> {
        let damaged =
            |error: serde_json::Error| format!("it is damaged at line {}, column {}", error.line(), error.column());
        let header: VersionHeader = serde_json::from_slice(text).map_err(damaged)?;
        if header.version != VERSION {
            return Err(format!("its layout is number {}, and this version knows {VERSION}", header.version));
        }
        serde_json::from_slice(text).map_err(damaged)
    }

    /// The names of the profiles, in alphabetical order.
    pub fn profile_names(&self) -> Vec<String> {
        self.profiles.keys().cloned().collect()
    }
}

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
    /// An unreadable file is moved aside. This needs the lock, for which `load` waits up to `timeout`.
    pub async fn load(&self, timeout: Duration) -> Result<CacheFile> {
        let reason = match self.read().map_err(|error| error.with_kind(ErrorKind::Auth))? {
            Ok(content) => return Ok(content),
            Err(reason) => reason,
        };
        if let Ok(lock) = self.lock(timeout).await {
            return Ok(lock.content);
        }
        self.warn_unreadable(&reason);
        Ok(CacheFile::default())
    }

    /// Locks the cache and reads it. Moves an unreadable file aside.
    ///
    /// # Errors
    /// Fails if another process holds the lock for longer than `timeout`, or another user owns the file.
    pub async fn lock(&self, timeout: Duration) -> Result<CacheLock> {
        let lock = self.lock_file(timeout).await?;
        let content = self.read()?.unwrap_or_else(|reason| {
            let moved = match self.quarantine() {
                Ok(path) => format!("it was set aside as {}", path.display()),
                Err(error) => format!("it could not be moved aside: {error}"),
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
        let path = self.directory.join(LOCK_FILE);
        let lock_error = |error| io_error("lock", &path, error);
        if fs::metadata(&self.directory).is_ok_and(|found| !found.is_dir()) {
            let message = format!("{} is not a directory", self.directory.display());
            return Err(Error::failed(message).with_hint(HINT_DIRECTORY));
        }
        files::create_private_dir(&self.directory).map_err(|error| io_error("create", &self.directory, error))?;
        let file = files::private_open_options().write(true).open(&path).map_err(lock_error)?;
        let deadline = Instant::now() + timeout;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::Error(error)) => return Err(lock_error(error)),
                Err(TryLockError::WouldBlock) if Instant::now() >= deadline => {
                    return Err(Error::failed(format!("another mscommerce holds {} for too long", path.display()))
                        .with_hint("end the other process, or try again with a longer --timeout"));
                }
                Err(TryLockError::WouldBlock) => tokio::time::sleep(LOCK_POLL).await,
            }
        }
    }

    /// Reads the content, or the reason why it is unreadable. A file that another user owns is an error and is not
    /// moved.
    fn read(&self) -> Result<Result<CacheFile, String>> {
        match self.read_bytes().and_then(|found| found.map(decrypt).transpose()) {
            Ok(Some(text)) => Ok(CacheFile::parse(&text)),
            Ok(None) => Ok(Ok(CacheFile::default())),
            Err(OpenError::Io(error)) => Ok(Err(error.to_string())),
            Err(OpenError::NotOwned(reason)) => {
                let path = self.path();
                Err(Error::failed(format!("the saved sign-ins in {} are not used: {reason}", path.display()))
                    .with_hint("look at how it came there and remove it, or name another directory in MSCOMMERCE_HOME"))
            }
        }
    }

    fn read_bytes(&self) -> Result<Option<SecretBytes>, OpenError> {
        let path = self.path();
        let PrivateFile { file, previous_mode } = match files::open_private(&path) {
            Ok(opened) => opened,
            Err(OpenError::Io(error)) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        if let Some(mode) = previous_mode {
            self.ui.warn(&format!(
                "others could read {} (mode {mode:o}); it is private now. If others use this machine, sign in anew",
                path.display()
            ));
        }
        SecretBytes::read(file).map(Some).map_err(OpenError::Io)
    }

    fn warn_unreadable(&self, reason: &str) {
        self.ui.warn(&format!("the saved sign-ins in {} cannot be used: {reason}", self.path().display()));
    }

    /// Moves an unreadable file aside and returns its new path. Replaces a file that was moved aside earlier.
    fn quarantine(&self) -> io::Result<PathBuf> {
        let path = self.directory.join(QUARANTINE_FILE);
        remove_file(&path)?;
        fs::rename(self.path(), &path)?;
        Ok(path)
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
                    std::thread::sleep(LOCK_POLL);
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
        self.cache.temporary_file().map(drop).map_err(|error| io_error("write", &self.cache.path(), error))
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
            let path = self.cache.path();
            remove_file(&path).map_err(|error| io_error("remove", &path, error))?;
        } else if !removed.is_empty() {
            self.write()?;
        }
        Ok(removed)
    }

    /// Removes unreadable files that were moved aside and temporary files of killed processes: they may contain tokens
    /// of any profile. Returns whether any file was removed.
    pub fn remove_stale_files(&self) -> Result<bool> {
        let directory = &self.cache.directory;
        let list_error = |error| io_error("look for left files in", directory, error);
        let mut found = false;
        for entry in fs::read_dir(directory).map_err(list_error)? {
            let entry = entry.map_err(list_error)?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let is_file = entry.file_type().is_ok_and(|kind| !kind.is_dir());
            if is_file && (name == QUARANTINE_FILE || name.starts_with(TEMPORARY_PREFIX)) {
                let path = entry.path();
                remove_file(&path).map_err(|error| io_error("remove", &path, error))?;
                found = true;
            }
        }
        Ok(found)
    }

    fn write(&mut self) -> Result<()> {
        self.content.version = VERSION;
        let mut text = SecretBytes::default();
        serde_json::to_writer_pretty(&mut text, &self.content).map_err(Error::from_source)?;
        let bytes =
            encrypt(&text).map_err(|error| Error::from_source(error).context("Windows could not seal the sign-in"))?;
        let written = self.cache.temporary_file().and_then(|mut file| {
            file.write_all(&bytes)?;
            file.as_file().sync_all()?;
            self.cache.persist_with_retry(file)
        });
        written.map_err(|error| io_error("write", &self.cache.path(), error))
    }
}

fn io_error(action: &str, path: &Path, error: io::Error) -> Error {
    Error::from_source(error).context(format!("could not {action} {}", path.display())).with_hint(HINT_DIRECTORY)
}

/// Removes a file if it exists. Ignores directories, which cannot contain a credential that this tool wrote.
fn remove_file(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => Ok(()),
        Ok(_) => fs::remove_file(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}
