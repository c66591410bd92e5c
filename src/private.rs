//! Files and directories that only this user can read.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

/// Creates a directory and those above it. One that is there already stays as it is.
pub fn create_private_dir(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
    }
    // On Windows what lies in a person's profile is theirs alone already.
    #[cfg(not(unix))]
    std::fs::create_dir_all(path)
}

/// Options to open a file with, which creates it where it is missing.
pub fn private_open_options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Why a file was not opened.
pub enum OpenError {
    /// It is not this user's own file, in words.
    NotOwned(String),
    Io(io::Error),
}

/// A private file, open for reading.
pub struct PrivateFile {
    pub file: File,
    /// The permissions by which others could read it until now.
    pub previous_mode: Option<u32>,
}

/// Opens a file that has to be this user's own: no symbolic link, and no other user's. One that others can read is made
/// private.
#[cfg(unix)]
pub fn open_private(path: &Path) -> Result<PrivateFile, OpenError> {
    use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};

    use rustix::fs::OFlags;

    let mut options = OpenOptions::new();
    // Whoever puts a pipe into its place must not make us wait for a writer.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let opened = options.read(true).custom_flags(flags.bits().cast_signed()).open(path);
    let file = opened.map_err(|error| refused_or_failed(path, error))?;
    let found = file.metadata().map_err(OpenError::Io)?;
    if found.uid() != rustix::process::geteuid().as_raw() {
        return Err(OpenError::NotOwned(format!("it belongs to another user (number {})", found.uid())));
    }
    let mode = found.mode() & 0o7777;
    let for_others = mode & 0o077;
    if for_others == 0 || !found.is_file() {
        return Ok(PrivateFile { file, previous_mode: None });
    }
    let mended = file.set_permissions(std::fs::Permissions::from_mode(0o600));
    mended.map_err(|error| {
        OpenError::NotOwned(format!("others can read it (mode {mode:o}), and it cannot be made private: {error}"))
    })?;
    Ok(PrivateFile { file, previous_mode: Some(mode) })
}

/// On Windows what lies in a person's profile is theirs alone already.
#[cfg(not(unix))]
pub fn open_private(path: &Path) -> Result<PrivateFile, OpenError> {
    if path.is_symlink() {
        return Err(OpenError::NotOwned(IS_A_LINK.to_owned()));
    }
    let file = File::open(path).map_err(|error| refused_or_failed(path, error))?;
    Ok(PrivateFile { file, previous_mode: None })
}

const IS_A_LINK: &str = "it is a symbolic link";

fn refused_or_failed(path: &Path, error: io::Error) -> OpenError {
    if path.is_symlink() {
        OpenError::NotOwned(IS_A_LINK.to_owned())
    } else if error.kind() == io::ErrorKind::PermissionDenied && path.is_file() {
        OpenError::NotOwned(format!("it cannot be read: {error}"))
    } else {
        OpenError::Io(error)
    }
}
