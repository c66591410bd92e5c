//! Decodes escapes in untrusted text, and keeps the position of each byte in the original text.

use std::ops::Range;

use crate::secret::SecretBytes;

/// The maximum length of the digits of an HTML entity.
const MAX_ENTITY_LEN: usize = 10;

/// Escapes with a name, in HTML and in JSON.
const NAMED_ESCAPES: [(&[u8], u8); 9] = [
    (b"&amp;", b'&'),
    (b"&lt;", b'<'),
    (b"&gt;", b'>'),
    (b"&quot;", b'"'),
    (b"&apos;", b'\''),
    (b"\\\\", b'\\'),
    (b"\\/", b'/'),
    (b"\\\"", b'"'),
    (b"\\&", b'&'),
];

/// Decoded text. Control characters, such as line breaks in base64, are omitted.
pub struct Decoded {
    pub bytes: SecretBytes,
    /// The position of each byte in the original text, followed by its length.
    positions: Vec<usize>,
}

impl Decoded {
    /// Decodes percent encoding, JSON escapes and HTML entities. Returns `None` if there are none.
    pub fn from_text(text: &[u8]) -> Option<Self> {
        let is_plain = |byte: &u8| !matches!(byte, b'%' | b'\\' | b'&') && !byte.is_ascii_control();
        let (mut decoded, mut copied, mut index) = (None, 0, 0);
        while let Some(length) = text[index..].iter().position(|byte| !is_plain(byte)) {
            index += length;
            let mut buffer = [0; 4];
            let Some((unescaped, length)) = unescape(&text[index..], &mut buffer) else {
                index += 1;
                continue;
            };
            let Self { bytes, positions } = decoded.get_or_insert_with(|| Self::with_capacity(text.len()));
            bytes.push(&text[copied..index]);
            positions.extend(copied..index);
            bytes.push(unescaped);
            positions.resize(bytes.len(), index);
            index += length;
            copied = index;
        }
        let mut decoded = decoded?;
        decoded.bytes.push(&text[copied..]);
        decoded.positions.extend(copied..=text.len());
        Some(decoded)
    }

    fn with_capacity(capacity: usize) -> Self {
        Self { bytes: Vec::with_capacity(capacity).into(), positions: Vec::with_capacity(capacity + 1) }
    }

    /// Decodes the text again, because encodings may be nested.
    pub fn decode_again(&self) -> Option<Self> {
        let decoded = Self::from_text(&self.bytes)?;
        let positions = decoded.positions.iter().map(|position| self.positions[*position]).collect();
        Some(Self { bytes: decoded.bytes, positions })
    }

    /// The range of the original text from which this range was decoded.
    pub fn original_range(&self, range: &Range<usize>) -> Range<usize> {
        self.positions[range.start]..self.positions[range.end]
    }
}

/// Decodes the escape at the start of a text into `buffer`, and returns its length. A control character decodes to nothing.
fn unescape<'b>(text: &[u8], buffer: &'b mut [u8; 4]) -> Option<(&'b [u8], usize)> {
    let number = |digits: &[u8], radix| u32::from_str_radix(std::str::from_utf8(digits).ok()?, radix).ok();
    let (code, length) = match text {
        [first, ..] if first.is_ascii_control() => return Some((&[], 1)),
        [b'%', high, low, ..] => {
            buffer[0] = u8::try_from(number(&[*high, *low], 16)?).ok()?;
            return Some((&buffer[..1], 3));
        }
        [b'\\', b'u', digits @ ..] => (number(digits.get(..4)?, 16)?, 6),
        [b'\\', b'x', digits @ ..] => (number(digits.get(..2)?, 16)?, 4),
        [b'&', b'#', rest @ ..] => {
            let end = rest.iter().take(MAX_ENTITY_LEN).position(|byte| *byte == b';')?;
            let code = match &rest[..end] {
                [b'x' | b'X', digits @ ..] => number(digits, 16)?,
                digits => number(digits, 10)?,
            };
            (code, end + 3)
        }
        _ => {
            let (escape, byte) = NAMED_ESCAPES.iter().find(|(escape, _)| text.starts_with(escape))?;
            (u32::from(*byte), escape.len())
        }
    };
    Some((char::from_u32(code)?.encode_utf8(buffer).as_bytes(), length))
}
