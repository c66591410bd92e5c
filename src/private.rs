//! Files and directories that only this user can read.

use std::fs::OpenOptions;
use std::io;
use std::path::Path;

/// Creates a directory and those above it. One that is there already stays as it is.
pub(crate) fn create_directory(path: &Path) -> io::Result<()> {
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
pub(crate) fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}
