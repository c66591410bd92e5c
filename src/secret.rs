//! Bytes and text that are wiped from memory when they are no longer needed, and that no format prints.

use std::fmt;
use std::io::{self, Read, Write};
use std::ops::Deref;
use std::str::Utf8Error;

use secrecy::SecretString;
use secrecy::zeroize::{Zeroize, Zeroizing};

/// How much is read at a time.
const CHUNK: usize = 8 * 1024;

/// Bytes that may hold a secret. Where they need more room, what they leave behind is wiped, too.
#[derive(Clone, Default)]
pub struct SecretBytes(Zeroizing<Vec<u8>>);

impl SecretBytes {
    /// Reads to the end.
    pub fn read(mut from: impl Read) -> io::Result<Self> {
        let mut all = Self::default();
        let mut chunk = Zeroizing::new([0; CHUNK]);
        loop {
            match from.read(&mut *chunk) {
                Ok(0) => return Ok(all),
                Ok(count) => all.push(&chunk[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Adds bytes at the end.
    pub fn push(&mut self, bytes: &[u8]) {
        let needed = self.0.len() + bytes.len();
        if needed > self.0.capacity() {
            // A vector that grows by itself leaves its old content in freed memory.
            let mut roomier = Zeroizing::new(Vec::with_capacity(needed.max(2 * self.0.capacity())));
            roomier.extend_from_slice(&self.0);
            self.0 = roomier;
        }
        self.0.extend_from_slice(bytes);
    }

    /// The bytes as text.
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

/// What a vector holds becomes the secret: nothing is copied.
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

/// Whether bytes hold this part, which is not empty.
pub fn contains_bytes(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// Takes text over as a secret, and wipes what it was taken from.
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
    fn no_format_prints_it() {
        let secret = SecretBytes::from(b"hush".to_vec());
        assert_eq!(format!("{secret:?}"), "4 bytes (not shown)");
    }

    #[test]
    fn what_is_no_text_stays_bytes() {
        assert!(SecretBytes::from(vec![0xff]).text().is_err());
        assert_eq!(into_secret("hush".to_owned()).expose_secret(), "hush");
    }

    proptest! {
        #[test]
        fn it_holds_what_was_written_and_read(
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
