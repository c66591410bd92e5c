//! Secret bytes and text: wiped from memory on drop, never printed.

use std::fmt;
use std::io::{self, Read, Write};
use std::ops::Deref;
use std::str::Utf8Error;

use secrecy::SecretString;
use secrecy::zeroize::{Zeroize, Zeroizing};

/// Bytes per read.
const CHUNK: usize = 8 * 1024;

/// Bytes that may contain a secret. Wiped on drop and on reallocation.
#[derive(Clone, Default)]
pub struct SecretBytes(Zeroizing<Vec<u8>>);

impl SecretBytes {
    /// Reads to the end of the reader. Fails if the reader fails.
    pub fn read(mut reader: impl Read) -> io::Result<Self> {
        let mut bytes = Self::default();
        let mut chunk = Zeroizing::new([0; CHUNK]);
        loop {
            match reader.read(&mut *chunk) {
                Ok(0) => return Ok(bytes),
                Ok(count) => bytes.push(&chunk[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Appends bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        let needed = self.0.len() + bytes.len();
        if needed > self.0.capacity() {
            // `Vec` does not wipe the old allocation when it reallocates.
            let mut larger = Zeroizing::new(Vec::with_capacity(needed.max(2 * self.0.capacity())));
            larger.extend_from_slice(&self.0);
            self.0 = larger;
        }
        self.0.extend_from_slice(bytes);
    }

    /// Converts the bytes to text. Fails if they are not UTF-8.
    pub fn text(&self) -> Result<SecretString, Utf8Error> {
        std::str::from_utf8(self).map(SecretString::from)
    }
}

impl Deref for SecretBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

/// Reuses the allocation of the vector, so that no copy remains in memory.
impl From<Vec<u8>> for SecretBytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }
}

impl Write for SecretBytes {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.push(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} bytes (not shown)", self.len())
    }
}

/// Whether `bytes` contains `needle`. Panics if `needle` is empty.
pub fn contains_bytes(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}

/// Converts text to a secret and wipes the original.
pub fn into_secret(mut text: String) -> SecretString {
    let secret = SecretString::from(text.as_str());
    text.zeroize();
    secret
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn debug_format_hides_content() {
        let secret = SecretBytes::from(b"hush".to_vec());
        assert_eq!(format!("{secret:?}"), "4 bytes (not shown)");
    }

    #[test]
    fn text_requires_utf8() {
        assert!(SecretBytes::from(vec![0xff]).text().is_err());
        let text = SecretBytes::from(b"hush".to_vec()).text().expect("UTF-8");
        assert_eq!(text.expose_secret(), into_secret("hush".to_owned()).expose_secret());
    }

    proptest! {
        #[test]
        fn write_and_read_keep_all_bytes(
            parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..3 * CHUNK), 0..4)
        ) {
            let mut written = SecretBytes::default();
            for part in &parts {
                written.write_all(part).expect("memory");
            }
            let whole = parts.concat();
            prop_assert_eq!(&*written, &whole[..]);
            prop_assert_eq!(&*SecretBytes::read(&whole[..]).expect("memory"), &whole[..]);
        }
    }
}
