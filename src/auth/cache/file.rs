//! The file that holds the sign-ins: private, replaced in one step, and locked against other processes of
//! this tool while it is being changed.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tempfile::NamedTempFile;

use crate::error::{Error, Result};
use crate::files::{self, OpenError, PrivateFile};
use crate::secret::SecretBytes;

const CONTENT: &str = "sign-ins.json";
const QUARANTINE_FILE: &str = "sign-ins.unreadable.json";
const LOCK: &str = "sign-ins.lock";
/// How the names of temporary files begin.
const TEMPORARY: &str = ".sign-ins-";

/// How often a lock that another process holds is tried again.
const LOCK_POLL: Duration = Duration::from_millis(20);

/// What to do about a directory that cannot be used.
const NAME_ANOTHER: &str = "make it usable for you, or name another directory in MSCOMMERCE_HOME";

#[derive(Clone)]
pub struct SignInFile {
    directory: PathBuf,
}

/// Held while the file is read and written again; released when dropped.
pub struct Lock(#[expect(dead_code, reason = "the open file is the lock")] File);

impl SignInFile {
    pub fn new(directory: &Path) -> Self {
        Self { directory: directory.to_owned() }
    }

    pub fn path(&self) -> PathBuf {
        self.directory.join(CONTENT)
    }

    /// The content; `None` where there is no file. A file that others could read until now is told of.
    pub fn read(&self, tell: impl Fn(&str)) -> Result<Option<SecretBytes>, OpenError> {
        let PrivateFile { file, previous_mode } = match files::open_private(&self.path()) {
            Ok(opened) => opened,
            Err(OpenError::Io(error)) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(unopened) => return Err(unopened),
        };
        if let Some(mode) = previous_mode {
            let path = self.path();
            tell(&format!(
                "others could read {} (mode {mode:o}); it is private now. If others use this machine, sign in anew",
                path.display()
            ));
        }
        SecretBytes::read(file).map(Some).map_err(OpenError::Io)
    }

    /// Writes a temporary file beside the old one and renames it: whoever reads sees the one or the other.
    pub fn write(&self, content: &[u8]) -> Result<()> {
        let written = self.temporary().and_then(|mut file| {
            file.write_all(content)?;
            file.as_file().sync_all()?;
            self.persist_with_retry(file)
        });
        written.map_err(|error| cannot("write", &self.path(), error))
    }

    /// Finds out whether [`SignInFile::write`] could work.
    pub fn ensure_writable(&self) -> Result<()> {
        self.temporary().map(drop).map_err(|error| cannot("write", &self.path(), error))
    }

    /// A file in the place of the directory deserves its own words.
    fn check_directory(&self) -> Result<()> {
        match fs::metadata(&self.directory) {
            Ok(found) if !found.is_dir() => {
                Err(Error::failed(format!("{} is not a directory", self.directory.display())).with_hint(NAME_ANOTHER))
            }
            _ => Ok(()),
        }
    }

    fn temporary(&self) -> io::Result<NamedTempFile> {
        tempfile::Builder::new().prefix(TEMPORARY).tempfile_in(&self.directory)
    }

    /// On Windows a file that another process is just reading cannot be replaced for that moment.
    fn persist_with_retry(&self, mut file: NamedTempFile) -> io::Result<()> {
        let mut tries = if cfg!(windows) { 25 } else { 1 };
        loop {
            tries -= 1;
            match file.persist(self.path()) {
                Ok(_) => return Ok(()),
                Err(failed) if tries > 0 && failed.error.kind() == io::ErrorKind::PermissionDenied => {
                    std::thread::sleep(LOCK_POLL);
                    file = failed.file;
                }
                Err(failed) => return Err(failed.error),
            }
        }
    }

    pub fn remove(&self) -> Result<()> {
        self.remove_file(CONTENT)
    }

    /// Moves a file that cannot be understood out of the way, and returns its new path.
    pub fn quarantine(&self) -> io::Result<PathBuf> {
        let aside = self.directory.join(QUARANTINE_FILE);
        // What was set aside earlier makes way.
        remove_file(&aside)?;
        fs::rename(self.path(), &aside)?;
        Ok(aside)
    }

    pub fn directory_exists(&self) -> bool {
        self.directory.exists()
    }

    /// Removes a file that was set aside and temporary files; to be called while the lock is held, when no other
    /// process is writing one. Returns whether there was any.
    pub fn remove_stale_files(&self) -> Result<bool> {
        let cannot_look = |error| cannot("look for left files in", &self.directory, error);
        let mut found = false;
        for entry in fs::read_dir(&self.directory).map_err(cannot_look)? {
            let entry = entry.map_err(cannot_look)?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let is_file = entry.file_type().is_ok_and(|kind| !kind.is_dir());
            if is_file && (name == QUARANTINE_FILE || name.starts_with(TEMPORARY)) {
                self.remove_file(&name)?;
                found = true;
            }
        }
        Ok(found)
    }

    /// Waits until no other process is changing the file, and keeps them from it.
    pub async fn lock(&self, patience: Duration) -> Result<Lock> {
        let path = self.directory.join(LOCK);
        let cannot_lock = |error: io::Error| cannot("lock", &path, error);
        self.check_directory()?;
        files::create_private_dir(&self.directory).map_err(|error| cannot("create", &self.directory, error))?;
        let file = files::private_open_options().write(true).open(&path).map_err(cannot_lock)?;
        let deadline = Instant::now() + patience;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Lock(file)),
                Err(TryLockError::Error(error)) => return Err(cannot_lock(error)),
                Err(TryLockError::WouldBlock) if Instant::now() >= deadline => {
                    return Err(Error::failed(format!("another mscommerce holds {} for too long", path.display()))
                        .with_hint("end the other process, or try again with a longer --timeout"));
                }
                Err(TryLockError::WouldBlock) => tokio::time::sleep(LOCK_POLL).await,
            }
        }
    }

    fn remove_file(&self, name: &str) -> Result<()> {
        let path = self.directory.join(name);
        remove_file(&path).map_err(|error| cannot("remove", &path, error))
    }
}

fn cannot(what: &str, path: &Path, error: io::Error) -> Error {
    Error::from_source(error).context(format!("could not {what} {}", path.display())).with_hint(NAME_ANOTHER)
}

/// Removes a file; one that is not there is fine, and so is a directory: no sign-in was ever written to one.
fn remove_file(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => Ok(()),
        Ok(_) => fs::remove_file(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}
