//! Files and directories that only this user can read.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

/// Creates a directory and those above it. One that is there already stays as it is.
pub fn create_directory(path: &Path) -> io::Result<()> {
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
pub fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Why a file was not opened.
pub enum Unopened {
    /// It is not this user's own file, in words.
    Refused(String),
    Failed(io::Error),
}

/// A private file, open for reading.
pub struct Opened {
    pub file: File,
    /// The permissions by which others could read it until now.
    pub was_open_to_others: Option<u32>,
}

/// Opens a file that has to be this user's own: no symbolic link, and no other user's. One that others can read is made
/// private.
#[cfg(unix)]
pub fn open(path: &Path) -> Result<Opened, Unopened> {
    use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};

    use rustix::fs::OFlags;

    let mut options = OpenOptions::new();
    // Whoever puts a pipe into its place must not make us wait for a writer.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let opened = options.read(true).custom_flags(flags.bits().cast_signed()).open(path);
    let file = opened.map_err(|error| refused_or_failed(path, error))?;
    let found = file.metadata().map_err(Unopened::Failed)?;
    if found.uid() != rustix::process::geteuid().as_raw() {
        return Err(Unopened::Refused(format!("it belongs to another user (number {})", found.uid())));
    }
    let mode = found.mode() & 0o7777;
    let for_others = mode & 0o077;
    if for_others == 0 || !found.is_file() {
        return Ok(Opened { file, was_open_to_others: None });
    }
    let mended = file.set_permissions(std::fs::Permissions::from_mode(0o600));
    mended.map_err(|error| {
        Unopened::Refused(format!("others can read it (mode {mode:o}), and it cannot be made private: {error}"))
    })?;
    Ok(Opened { file, was_open_to_others: Some(mode) })
}

/// On Windows what lies in a person's profile is theirs alone already.
#[cfg(not(unix))]
pub fn open(path: &Path) -> Result<Opened, Unopened> {
    if path.is_symlink() {
        return Err(Unopened::Refused(IS_A_LINK.to_owned()));
    }
    let file = File::open(path).map_err(|error| refused_or_failed(path, error))?;
    Ok(Opened { file, was_open_to_others: None })
}

const IS_A_LINK: &str = "it is a symbolic link";

fn refused_or_failed(path: &Path, error: io::Error) -> Unopened {
    if path.is_symlink() {
        Unopened::Refused(IS_A_LINK.to_owned())
    } else if error.kind() == io::ErrorKind::PermissionDenied && path.is_file() {
        Unopened::Refused(format!("it cannot be read: {error}"))
    } else {
        Unopened::Failed(error)
    }
}
