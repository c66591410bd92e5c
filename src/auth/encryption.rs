//! Encryption of the cache file. On Windows, DPAPI encrypts it for the user, as in MSAL. On other platforms, file
//! permissions protect it.

use std::io;

#[cfg(windows)]
use base64::prelude::{BASE64_STANDARD, Engine};
use serde::{Deserialize, Serialize};
#[cfg(windows)]
use windows_sys::Win32::Foundation::ERROR_INVALID_DATA;

#[cfg(windows)]
use super::dpapi;
use crate::secret::SecretBytes;

/// The format version of an encrypted file. It differs from the plain format, so that versions without decryption do
/// not report the file as damaged.
const ENCRYPTED_VERSION: u32 = 3;

#[derive(Deserialize, Serialize)]
struct EncryptedFile {
    version: u32,
    /// The DPAPI output, encoded as base64.
    dpapi: String,
}

/// Why the content of the cache file was not decrypted.
#[derive(Debug)]
pub enum DecryptError {
    /// The file may be usable elsewhere or later. It must be left alone.
    Unavailable(String),
    /// The file is damaged.
    #[cfg_attr(not(windows), expect(dead_code, reason = "only Windows looks at the encrypted content"))]
    Damaged(String),
}

/// Encrypts the content of the cache file.
#[cfg(windows)]
pub fn encrypt(text: &SecretBytes) -> io::Result<SecretBytes> {
    let dpapi = BASE64_STANDARD.encode(&*dpapi::encrypt(text)?);
    let mut encrypted = SecretBytes::default();
    serde_json::to_writer(&mut encrypted, &EncryptedFile { version: ENCRYPTED_VERSION, dpapi })?;
    Ok(encrypted)
}

/// Returns the content of the cache file unchanged: this platform has no encryption.
#[cfg(not(windows))]
#[expect(clippy::unnecessary_wraps, reason = "encryption fails only on Windows")]
pub fn encrypt(text: &SecretBytes) -> io::Result<SecretBytes> {
    Ok(text.clone())
}

/// Decrypts the content of the cache file. Returns a plain file unchanged; on Windows, the next write encrypts it.
///
/// # Errors
/// On platforms other than Windows, an encrypted file is [`DecryptError::Unavailable`]: Windows on the same machine may
/// still use it.
pub fn decrypt(bytes: SecretBytes) -> Result<SecretBytes, DecryptError> {
    match serde_json::from_slice::<EncryptedFile>(&bytes) {
        Ok(file) if file.version == ENCRYPTED_VERSION => decrypt_dpapi(&file.dpapi),
        _ => Ok(bytes),
    }
}

#[cfg(windows)]
fn decrypt_dpapi(dpapi: &str) -> Result<SecretBytes, DecryptError> {
    let damaged = |error: &dyn std::fmt::Display| {
        DecryptError::Damaged(format!("Windows cannot decrypt it: it is damaged ({error})"))
    };
    let encrypted = BASE64_STANDARD.decode(dpapi).map_err(|error| damaged(&error))?;
    match dpapi::decrypt(&encrypted) {
        Ok(text) => Ok(SecretBytes::from(text.to_vec())),
        Err(error) if error.raw_os_error() == Some(ERROR_INVALID_DATA.cast_signed()) => Err(damaged(&error)),
        // The key is missing: another user or machine, or the user's profile is not loaded.
        Err(error) => Err(DecryptError::Unavailable(format!(
            "Windows cannot decrypt it: it was encrypted by another user or on another machine ({error})"
        ))),
    }
}

#[cfg(not(windows))]
fn decrypt_dpapi(_: &str) -> Result<SecretBytes, DecryptError> {
    Err(DecryptError::Unavailable(
        "it was encrypted on Windows, and only the same Windows user can decrypt it".to_owned(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &[u8] = br#"{"version":2,"profiles":{}}"#;

    fn decrypted(bytes: SecretBytes) -> SecretBytes {
        decrypt(bytes).unwrap_or_else(|_| panic!("not decrypted"))
    }

    #[test]
    fn encrypted_text_is_decrypted() {
        let encrypted = encrypt(&TEXT.to_vec().into()).expect("encrypted");
        assert_eq!(encrypted.windows(8).any(|part| part == b"profiles"), !cfg!(windows));
        assert_eq!(&*decrypted(encrypted), TEXT);
    }

    #[test]
    fn plain_text_is_returned_unchanged() {
        for bytes in [TEXT, b"", b"{\"dpapi\":\"YQ==\"}", b"\xff"] {
            assert_eq!(&*decrypted(bytes.to_vec().into()), bytes);
        }
    }

    #[test]
    fn text_of_another_machine_is_not_decrypted() {
        for dpapi in ["", "YQ==", "?"] {
            let bytes = format!(r#"{{"version":3,"dpapi":"{dpapi}"}}"#);
            assert!(decrypt(bytes.into_bytes().into()).is_err(), "{dpapi}");
        }
    }
}
