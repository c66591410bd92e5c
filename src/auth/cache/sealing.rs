//! The form in which the sign-ins lie on the disk. On Windows they are sealed by its data protection, as MSAL's own cache
//! is there; elsewhere the file's permissions protect them.

use std::io;

#[cfg(windows)]
use base64::prelude::{BASE64_STANDARD, Engine};
use serde::{Deserialize, Serialize};

#[cfg(windows)]
use crate::auth::dpapi;
use crate::files::OpenError;
use crate::secret::SecretBytes;

/// The layout number of a sealed file: versions that cannot open one must not take it for damaged.
const ENCRYPTED_VERSION: u32 = 3;

#[derive(Deserialize, Serialize)]
struct EncryptedFile {
    version: u32,
    /// What DPAPI made of the content, in base64.
    dpapi: String,
}

/// The content as it is written.
#[cfg(windows)]
pub fn seal(content: &SecretBytes) -> io::Result<SecretBytes> {
    let dpapi = BASE64_STANDARD.encode(&*dpapi::seal(content)?);
    let mut sealed = SecretBytes::default();
    serde_json::to_writer(&mut sealed, &EncryptedFile { version: ENCRYPTED_VERSION, dpapi })?;
    Ok(sealed)
}

/// The content as it is written.
#[cfg(not(windows))]
#[expect(clippy::unnecessary_wraps, reason = "sealing can fail where there is any")]
pub fn seal(content: &SecretBytes) -> io::Result<SecretBytes> {
    Ok(content.clone())
}

/// The content of a file, sealed or not. One that is not sealed is read on Windows, too: the next change seals it. One that
/// Windows sealed is refused elsewhere, and not taken for damaged: the Windows beside this system may still use it.
pub fn open(found: SecretBytes) -> Result<SecretBytes, OpenError> {
    match serde_json::from_slice::<EncryptedFile>(&found) {
        Ok(sealed) if sealed.version == ENCRYPTED_VERSION => open_sealed(&sealed.dpapi),
        _ => Ok(found),
    }
}

#[cfg(windows)]
fn open_sealed(dpapi: &str) -> Result<SecretBytes, OpenError> {
    let sealed = BASE64_STANDARD.decode(dpapi).map_err(|error| OpenError::Io(io::Error::other(error)))?;
    let content = dpapi::open(&sealed).map_err(|error| {
        let why = "Windows does not open it: it was sealed by another user or on another machine, or it is damaged";
        OpenError::Io(io::Error::other(format!("{why} ({error})")))
    })?;
    Ok(SecretBytes::from(content.to_vec()))
}

#[cfg(not(windows))]
fn open_sealed(_: &str) -> Result<SecretBytes, OpenError> {
    Err(OpenError::NotOwned("Windows sealed it for one of its users, and opens it for nobody else".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTENT: &[u8] = br#"{"version":2,"profiles":{}}"#;

    fn opened(found: SecretBytes) -> SecretBytes {
        open(found).unwrap_or_else(|_| panic!("it was not opened"))
    }

    #[test]
    fn what_was_sealed_is_opened_again() {
        let sealed = seal(&CONTENT.to_vec().into()).expect("sealed");
        assert_eq!(sealed.windows(8).any(|part| part == b"profiles"), !cfg!(windows));
        assert_eq!(&*opened(sealed), CONTENT);
    }

    #[test]
    fn what_was_not_sealed_stays_as_it_is() {
        for found in [CONTENT, b"", b"{\"dpapi\":\"YQ==\"}", b"\xff"] {
            assert_eq!(&*opened(found.to_vec().into()), found);
        }
    }

    #[test]
    fn what_another_machine_sealed_is_not_opened() {
        for dpapi in ["", "YQ==", "?"] {
            let found = format!(r#"{{"version":3,"dpapi":"{dpapi}"}}"#);
            assert!(open(found.into_bytes().into()).is_err(), "{dpapi}");
        }
    }
}
