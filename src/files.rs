//! Reading the files that a person names.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::secret::SecretBytes;

/// Reads a whole file of at most `limit` bytes; a longer one is [`io::ErrorKind::FileTooLarge`]. A file may be a pipe
/// that waits for its writer, so it is read aside: Ctrl-C is noticed meanwhile. It may hold a key or a token, and is wiped
/// when dropped.
pub async fn read_limited(path: &Path, limit: usize) -> io::Result<SecretBytes> {
    let path = path.to_owned();
    let read = move || SecretBytes::read(File::open(path)?.take(limit as u64 + 1));
    let bytes = tokio::task::spawn_blocking(read).await.map_err(io::Error::other)??;
    if bytes.len() > limit { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(bytes) }
}

/// What a file holds behind the mark with which editors on Windows begin UTF-8.
pub fn strip_bom(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}
