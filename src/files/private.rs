//! Private files of the state directory: opened only if no other user could have written them, and locked without
//! blocking.

use std::fs::{DirBuilder, File, FileType, Metadata, OpenOptions, TryLockError};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::secret::SecretBytes;
use crate::text::shell_quote;

/// The delay between attempts to acquire a lock.
const LOCK_POLL: Duration = Duration::from_millis(20);

/// For a file of a newer version.
pub const HINT_UPDATE: &str = "update mscommerce, or set MSCOMMERCE_HOME to another directory";

const HINT_HOME: &str = "set MSCOMMERCE_HOME to a directory of your own";

/// Creates a directory and its parents, accessible only to the user. What exists already keeps its permissions and is
/// not checked: opening a file in it does that.
pub fn create_private_dir(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    // On Windows, only the user can access files in the user profile.
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.recursive(true).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Why a private file or directory was not opened.
#[derive(Debug)]
pub enum OpenError {
    /// Another user could have written it, or it is not a regular file. It must be left alone.
    Refused {
        /// The file, or the directory that contains it.
        path: PathBuf,
        /// The reason, as a clause: "it is a symbolic link".
        reason: String,
        hint: String,
    },
    /// The operating system failed. The content of the file is unknown.
    Io(io::Error),
}

impl OpenError {
    /// A file at `path` that must be left alone.
    pub fn refused(path: &Path, reason: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Refused { path: path.to_owned(), reason: reason.into(), hint: hint.into() }
    }

    /// Whether the file or its directory does not exist.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Io(error) if error.kind() == io::ErrorKind::NotFound)
    }

    /// The error to show. `action` is a verb, such as "read"; `path` is the file that was opened.
    pub fn into_error(self, action: &str, path: &Path) -> Error {
        match self {
            Self::Refused { path, reason, hint } => {
                Error::failed(format!("{} is not used: {reason}", path.display())).with_hint(hint)
            }
            Self::Io(error) => {
                let hint = io_hint(&error);
                Error::from_source(error).context(format!("could not {action} {}", path.display())).with_hint(hint)
            }
        }
    }
}

impl From<io::Error> for OpenError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

fn io_hint(error: &io::Error) -> &'static str {
    #[cfg(unix)]
    let (too_many_files, hint) = (
        [rustix::io::Errno::MFILE, rustix::io::Errno::NFILE].map(rustix::io::Errno::raw_os_error),
        "close other programs, or raise the limit of open files: ulimit -n 1024",
    );
    #[cfg(not(unix))]
    let (too_many_files, hint) = ([4], "close other programs"); // ERROR_TOO_MANY_OPEN_FILES
    if error.raw_os_error().is_some_and(|code| too_many_files.contains(&code)) {
        hint
    } else {
        "check its permissions and the free disk space, or set MSCOMMERCE_HOME to another directory"
    }
}

/// A private file, open for reading.
#[derive(Debug)]
pub struct PrivateFile {
    pub file: File,
    /// The previous permissions, if they allowed other users to read the file.
    pub previous_mode: Option<u32>,
}

impl PrivateFile {
    /// Reads the file, which was opened at `path`. Refuses it if it is longer than `limit` bytes.
    pub fn read(self, path: &Path, limit: usize) -> Result<SecretBytes, OpenError> {
        let bytes = SecretBytes::read(self.file.take(limit as u64 + 1))?;
        if bytes.len() <= limit {
            return Ok(bytes);
        }
        Err(OpenError::refused(path, format!("it is larger than {} KiB", limit / 1024), hint_remove(path, "rm")))
    }
}

/// Whether [`open_private`] would leave the permissions of a file as they are.
pub fn is_private(path: &Path) -> bool {
    #[cfg(unix)]
    let is_private = |metadata: Metadata| std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o055 == 0;
    #[cfg(not(unix))]
    let is_private = |_: Metadata| true;
    path.symlink_metadata().is_ok_and(is_private)
}

/// Opens a private file for reading. Removes permissions of other users to read it.
///
/// # Errors
/// Refuses a file that is not a regular file, belongs to another user or can be written by others, and every file in a
/// directory that [`check_private_dir`] refuses. Never blocks, and follows no link in the file's place.
pub fn open_private(path: &Path) -> Result<PrivateFile, OpenError> {
    open_checked(path, OpenOptions::new().read(true))
}

/// Opens a private file for reading and appending, and creates it if missing. The directory must exist. Checks the same
/// as [`open_private`].
pub fn open_private_append(path: &Path) -> Result<PrivateFile, OpenError> {
    open_checked(path, OpenOptions::new().read(true).append(true).create(true))
}

fn open_checked(path: &Path, options: &mut OpenOptions) -> Result<PrivateFile, OpenError> {
    check_private_dir(path.parent().unwrap_or(path))?;
    // Opening a device may have an effect, so check before.
    match path.symlink_metadata() {
        Ok(metadata) => check_regular(path, metadata.file_type())?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error.into()),
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;

        use rustix::fs::OFlags;
        // Opening a named pipe must not block until it has a writer.
        options.mode(0o600).custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed());
    }
    let file = options.open(path)?;
    let metadata = file.metadata()?;
    // The file may have been replaced since the first check.
    check_regular(path, metadata.file_type())?;
    let previous_mode = make_private(path, &file, &metadata)?;
    Ok(PrivateFile { file, previous_mode })
}

/// Fails unless the owner is this user and nobody else can write to the file. Removes other permissions of other users,
/// and returns the previous ones.
#[cfg(unix)]
fn make_private(path: &Path, file: &File, metadata: &Metadata) -> Result<Option<u32>, OpenError> {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};

    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err(belongs_to_other(path, metadata));
    }
    let mode = metadata.mode() & 0o7777;
    if mode & 0o022 != 0 {
        return Err(writable_by_others(path, mode));
    }
    if mode & 0o055 == 0 {
        return Ok(None);
    }
    file.set_permissions(std::fs::Permissions::from_mode(0o600)).map_err(|error| {
        let reason = format!("other users can read it (mode {mode:o}), and it cannot be made private: {error}");
        OpenError::refused(path, reason, HINT_HOME)
    })?;
    Ok(Some(mode))
}

/// On Windows, only the user can access files in the user profile.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "the check fails only on Unix")]
fn make_private(_: &Path, _: &File, _: &Metadata) -> Result<Option<u32>, OpenError> {
    Ok(None)
}

#[cfg(unix)]
fn writable_by_others(path: &Path, mode: u32) -> OpenError {
    let hint = format!("if you trust its content: chmod go-w {}; or {HINT_HOME}", quoted(path));
    OpenError::refused(path, format!("other users can write to it (mode {mode:o})"), hint)
}

fn check_regular(path: &Path, kind: FileType) -> Result<(), OpenError> {
    if kind.is_file() {
        return Ok(());
    }
    #[cfg(unix)]
    let is_pipe = std::os::unix::fs::FileTypeExt::is_fifo(&kind);
    #[cfg(not(unix))]
    let is_pipe = false;
    let reason = match kind {
        kind if kind.is_symlink() => "it is a symbolic link",
        kind if kind.is_dir() => "it is a directory",
        _ if is_pipe => "it is a named pipe",
        _ => "it is a device or a socket",
    };
    let command = if kind.is_dir() { "rmdir" } else { "rm" };
    Err(OpenError::refused(path, reason, hint_remove(path, command)))
}

/// Checks that only this user, and root, could have written to a directory: it belongs to one of them, others cannot
/// write to it, and no symbolic link of another user leads to it.
///
/// # Errors
/// Fails with [`io::ErrorKind::NotFound`] if it does not exist. On Windows, checks only that it is a directory.
pub fn check_private_dir(path: &Path) -> Result<(), OpenError> {
    let metadata = path.metadata()?;
    if !metadata.is_dir() {
        return Err(OpenError::refused(path, "it is not a directory", HINT_HOME));
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        check_owner_or_root(path, &metadata)?;
        let mode = metadata.mode() & 0o7777;
        if mode & 0o022 != 0 {
            return Err(writable_by_others(path, mode));
        }
        check_links(path)?;
    }
    Ok(())
}

/// Fails unless the owner is this user or root.
#[cfg(unix)]
fn check_owner_or_root(path: &Path, metadata: &Metadata) -> Result<(), OpenError> {
    use std::os::unix::fs::MetadataExt;

    let is_trusted = [0, rustix::process::geteuid().as_raw()].contains(&metadata.uid());
    if is_trusted { Ok(()) } else { Err(belongs_to_other(path, metadata)) }
}

#[cfg(unix)]
fn belongs_to_other(path: &Path, metadata: &Metadata) -> OpenError {
    use std::os::unix::fs::MetadataExt;

    OpenError::refused(path, format!("it belongs to another user (ID {})", metadata.uid()), HINT_HOME)
}

/// Fails if a symbolic link of another user leads to the path: it may lead to files that this user owns, but whose
/// content comes from others, such as downloads. The path must exist.
#[cfg(unix)]
fn check_links(path: &Path) -> Result<(), OpenError> {
    // Without a final `/` or `.`, which would follow a link in the last component.
    let path: PathBuf = path.components().collect();
    for ancestor in path.ancestors() {
        let Ok(metadata) = ancestor.symlink_metadata() else { continue };
        if metadata.is_symlink() {
            check_owner_or_root(ancestor, &metadata)?;
            check_links(&ancestor.parent().unwrap_or(ancestor).join(ancestor.read_link()?))?;
        }
    }
    Ok(())
}

/// A hint with the command that removes a file that was refused.
pub fn hint_remove(path: &Path, command: &str) -> String {
    let command = if cfg!(windows) && command == "rm" { "del" } else { command };
    format!("remove it ({command} {}), or {HINT_HOME}", quoted(path))
}

fn quoted(path: &Path) -> String {
    shell_quote(&path.to_string_lossy())
}

/// Why a lock was not acquired.
#[derive(Debug)]
pub enum LockError {
    /// Another process held the lock until the timeout.
    TimedOut,
    Open(OpenError),
}

impl LockError {
    /// The error to show. `path` is the lock file.
    pub fn into_error(self, path: &Path) -> Error {
        match self {
            Self::TimedOut => {
                Error::failed(format!("timed out waiting for another mscommerce process to release {}", path.display()))
                    .with_hint("end the other process, or try again with a longer --timeout")
            }
            Self::Open(error) => error.into_error("lock", path),
        }
    }
}

/// Locks a private file exclusively, and creates it if missing. The directory must exist. Dropping the file releases the
/// lock.
///
/// Polls until `timeout`, so that signals are handled meanwhile; with [`Duration::ZERO`], tries once. Checks the same as
/// [`open_private`].
pub async fn lock(path: &Path, timeout: Duration) -> Result<File, LockError> {
    let opened = open_checked(path, OpenOptions::new().read(true).write(true).create(true));
    let file = opened.map_err(LockError::Open)?.file;
    let deadline = Instant::now() + timeout;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::Error(error)) => return Err(LockError::Open(error.into())),
            Err(TryLockError::WouldBlock) if Instant::now() >= deadline => return Err(LockError::TimedOut),
            Err(TryLockError::WouldBlock) => tokio::time::sleep(LOCK_POLL).await,
        }
    }
}
