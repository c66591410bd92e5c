//! Reads user-specified files, and creates and opens private files.

use std::borrow::Cow;
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::path::Path;

use crate::secret::SecretBytes;

/// Reads a file. Fails with [`io::ErrorKind::FileTooLarge`] if it is longer than `limit` bytes.
///
/// Reads on a separate thread, so that Ctrl-C works if the file is a pipe without a writer. Wipes the bytes on drop,
/// because the file may contain a key or a token.
pub async fn read_limited(path: &Path, limit: usize) -> io::Result<SecretBytes> {
    let path = path.to_owned();
    let read = move || SecretBytes::read(File::open(path)?.take(limit as u64 + 1));
    let bytes = tokio::task::spawn_blocking(read).await.map_err(io::Error::other)??;
    if bytes.len() > limit { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(bytes) }
}

/// Removes the UTF-8 byte order mark that Windows editors add.
pub fn strip_bom(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

/// Converts UTF-16 with a byte order mark to UTF-8, and removes a UTF-8 byte order mark. Windows PowerShell writes
/// both. Returns other content unchanged.
pub fn decode_text(bytes: &[u8]) -> Cow<'_, [u8]> {
    let decode = |unit: fn([u8; 2]) -> u16, rest: &[u8]| {
        let units = rest.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
        char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect::<String>()
    };
    match bytes {
        [0xFF, 0xFE, rest @ ..] => Cow::Owned(decode(u16::from_le_bytes, rest).into_bytes()),
        [0xFE, 0xFF, rest @ ..] => Cow::Owned(decode(u16::from_be_bytes, rest).into_bytes()),
        utf8 => Cow::Borrowed(strip_bom(utf8)),
    }
}

/// Creates a directory and its parents, accessible only to the user. Existing directories keep their permissions.
pub fn create_private_dir(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
    }
    // On Windows, only the user can access files in the user profile.
    #[cfg(not(unix))]
    std::fs::create_dir_all(path)
}

/// Options for reading a file that create it as private if missing.
pub fn private_open_options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Why a private file was not opened.
pub enum OpenError {
    /// The file is not a readable private file of this user; contains the reason.
    NotOwned(String),
    Io(io::Error),
}

/// A private file, open for reading.
pub struct PrivateFile {
    pub file: File,
    /// The previous permissions, if they allowed access by other users.
    pub previous_mode: Option<u32>,
}

/// Opens a private file. Fails if it belongs to another user or is a symbolic link. Removes permissions of other users.
#[cfg(unix)]
pub fn open_private(path: &Path) -> Result<PrivateFile, OpenError> {
    use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};

    use rustix::fs::OFlags;

    let mut options = OpenOptions::new();
    // Opening a named pipe must not block until it has a writer.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let opened = options.read(true).custom_flags(flags.bits().cast_signed()).open(path);
    let file = opened.map_err(|error| open_error(path, error))?;
    let metadata = file.metadata().map_err(OpenError::Io)?;
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err(OpenError::NotOwned(format!("it belongs to another user (number {})", metadata.uid())));
    }
    let mode = metadata.mode() & 0o7777;
    let mode_for_others = mode & 0o077;
    if mode_for_others == 0 || !metadata.is_file() {
        return Ok(PrivateFile { file, previous_mode: None });
    }
    file.set_permissions(std::fs::Permissions::from_mode(0o600)).map_err(|error| {
        OpenError::NotOwned(format!("others can read it (mode {mode:o}), and it cannot be made private: {error}"))
    })?;
    Ok(PrivateFile { file, previous_mode: Some(mode) })
}

/// Opens a private file. Fails if it is a symbolic link. On Windows, only the user can access the user profile.
#[cfg(not(unix))]
pub fn open_private(path: &Path) -> Result<PrivateFile, OpenError> {
    if path.is_symlink() {
        return Err(OpenError::NotOwned("it is a symbolic link".to_owned()));
    }
    let file = File::open(path).map_err(|error| open_error(path, error))?;
    Ok(PrivateFile { file, previous_mode: None })
}

fn open_error(path: &Path, error: io::Error) -> OpenError {
    if path.is_symlink() {
        OpenError::NotOwned("it is a symbolic link".to_owned())
    } else if error.kind() == io::ErrorKind::PermissionDenied && path.is_file() {
        OpenError::NotOwned(format!("it cannot be read: {error}"))
    } else {
        OpenError::Io(error)
    }
}
