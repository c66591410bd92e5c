//! Reads user-specified files, and opens private files.

mod private;
#[cfg(test)]
#[cfg(unix)]
mod tests;

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

pub use private::{
    HINT_UPDATE, LockError, OpenError, PrivateFile, check_private_dir, create_private_dir, hint_remove, is_private,
    lock, open_private, open_private_append,
};

use crate::secret::SecretBytes;
use crate::text::sanitize_line;

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

/// Converts the content of a text file to UTF-8. `None` if it is neither UTF-8 nor UTF-16 with a byte order mark.
pub fn to_text(bytes: &[u8]) -> Option<String> {
    // NUL is valid UTF-8, but only UTF-16 without a byte order mark and binary files have it.
    String::from_utf8(decode_text(bytes).into_owned()).ok().filter(|text| !text.contains('\0'))
}

/// Whether a path is `-`, which stands for standard input or standard output.
pub fn is_stdio(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// The name of standard input in messages.
pub const STDIN_NAME: &str = "standard input";

/// The name of a file to read, for messages.
pub fn input_name(path: &Path) -> String {
    if is_stdio(path) { STDIN_NAME.to_owned() } else { sanitize_line(&path.display().to_string()) }
}
