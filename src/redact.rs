//! Finds the secrets of a request in what was received for it, in any usual encoding, and replaces them.

use std::borrow::Cow;
use std::ops::Range;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};

use crate::decode::Decoded;
use crate::secret::SecretBytes;

/// The text that replaces a secret.
pub const REDACTED: &str = "[redacted]";

/// The minimum length of a secret to search for, in bytes: shorter values occur in responses by coincidence.
const MIN_SECRET_LEN: usize = 6;

/// The minimum length of a part of a secret to search for, in bytes.
const MIN_PART_LEN: usize = 20;

/// The length of the indexed parts of a secret. Every secret has at least one.
const WINDOW: usize = MIN_SECRET_LEN;

/// The distance of the indexed parts. Each part of [`MIN_PART_LEN`] bytes contains an indexed one.
const STRIDE: usize = MIN_PART_LEN - WINDOW + 1;

/// The bits of a window in an integer.
const WINDOW_MASK: u64 = (1 << (8 * WINDOW)) - 1;

/// How often a text is decoded, because encodings may be nested.
const MAX_DECODINGS: usize = 4;

const HEX_DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Replaces a set of secrets, and parts of them, in text.
///
/// Each secret is indexed as it is, as a form field, and in hexadecimal and base64, in which its encoding depends on its
/// position. The text is searched as it is and after decoding percent encoding, JSON escapes and HTML entities.
/// Comparisons ignore the case and the alphabet of base64.
pub struct Redactor {
    needles: Vec<SecretBytes>,
    /// The windows of the needles, sorted: content, needle, position.
    windows: Vec<(u64, usize, usize)>,
    /// A Bloom filter of the windows with one hash: almost all text is not even compared.
    filter: Box<[u64; 1024]>,
}

impl Redactor {
    /// Indexes the secrets. Ignores those that are too short.
    pub fn new<'s>(secrets: impl IntoIterator<Item = &'s SecretString>) -> Self {
        let mut redactor = Self { needles: Vec::new(), windows: Vec::new(), filter: Box::new([0; 1024]) };
        for secret in secrets {
            let secret = secret.expose_secret();
            let form = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect::<String>();
            let form = SecretBytes::from(form.into_bytes());
            redactor.add_encodings(secret.as_bytes());
            if *form != *secret.as_bytes() {
                redactor.add_encodings(&form);
            }
        }
        redactor.windows.sort_unstable();
        redactor
    }

    fn add_encodings(&mut self, secret: &[u8]) {
        if secret.len() < MIN_SECRET_LEN {
            return;
        }
        self.add(secret);
        let mut hexadecimal = SecretBytes::from(Vec::with_capacity(2 * secret.len()));
        for byte in secret {
            hexadecimal.push(&[HEX_DIGITS[usize::from(byte >> 4)], HEX_DIGITS[usize::from(byte & 15)]]);
        }
        self.add(&hexadecimal);
        for offset in 0..3 {
            let mut padded = SecretBytes::from(vec![0; offset]);
            padded.push(secret);
            let encoded = SecretBytes::from(STANDARD.encode(&*padded).into_bytes());
            // The first and last characters also depend on the text around the secret.
            let start = [0, 2, 3][offset];
            let end = (padded.len() * 4) / 3;
            self.add(&encoded[start..end]);
        }
    }

    fn add(&mut self, needle: &[u8]) {
        let needle = SecretBytes::from(needle.iter().map(|byte| normalize(*byte)).collect::<Vec<_>>());
        if needle.len() < MIN_SECRET_LEN {
            return;
        }
        let starts = (0..=needle.len() - WINDOW).step_by(STRIDE);
        for start in starts {
            let window = needle[start..start + WINDOW].iter().fold(0, |window, byte| window << 8 | u64::from(*byte));
            self.windows.push((window, self.needles.len(), start));
            let (word, bit) = filter_position(window);
            self.filter[word] |= bit;
        }
        self.needles.push(needle);
    }

    /// Whether the text contains a secret or a part of one.
    pub fn matches(&self, text: &[u8]) -> bool {
        !self.find(text).is_empty()
    }

    /// The text with all secrets replaced. `None` if it contains none.
    pub fn redact(&self, text: &[u8]) -> Option<SecretBytes> {
        let ranges = self.find(text);
        let mut redacted = SecretBytes::default();
        let mut end = 0;
        for range in &ranges {
            redacted.push(&text[end..range.start]);
            redacted.push(REDACTED.as_bytes());
            end = range.end;
        }
        redacted.push(&text[end..]);
        (!ranges.is_empty()).then_some(redacted)
    }

    /// The text with all secrets replaced.
    pub fn redact_text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match self.redact(text.as_bytes()) {
            Some(redacted) => Cow::Owned(String::from_utf8_lossy(&redacted).into_owned()),
            None => Cow::Borrowed(text),
        }
    }

    /// The ranges of the text that contain secrets, sorted and separate.
    fn find(&self, text: &[u8]) -> Vec<Range<usize>> {
        if self.needles.is_empty() {
            return Vec::new();
        }
        let mut ranges = self.find_literal(text);
        let mut decoded = Decoded::from_text(text);
        for _ in 0..MAX_DECODINGS {
            let Some(next) = &decoded else { break };
            ranges.extend(self.find_literal(&next.bytes).into_iter().map(|range| next.original_range(&range)));
            decoded = next.decode_again();
        }
        ranges.sort_unstable_by_key(|range| range.start);
        let mut merged: Vec<Range<usize>> = Vec::new();
        for range in ranges {
            let range = whole_characters(text, range);
            match merged.last_mut() {
                Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
                _ => merged.push(range),
            }
        }
        merged
    }

    fn find_literal(&self, text: &[u8]) -> Vec<Range<usize>> {
        let (mut ranges, mut window, mut end) = (Vec::new(), 0, 0);
        for (index, byte) in text.iter().enumerate() {
            window = (window << 8 | u64::from(normalize(*byte))) & WINDOW_MASK;
            let (word, bit) = filter_position(window);
            if self.filter[word] & bit == 0 || index + 1 < WINDOW + end {
                continue;
            }
            if let Some(range) = self.match_at(text, index + 1 - WINDOW, window) {
                end = range.end;
                ranges.push(range);
            }
        }
        ranges
    }

    /// The longest part of a needle around a window of the text.
    fn match_at(&self, text: &[u8], start: usize, window: u64) -> Option<Range<usize>> {
        let first = self.windows.partition_point(|(known, ..)| *known < window);
        let candidates = self.windows[first..].iter().take_while(|(known, ..)| *known == window);
        let ranges = candidates.filter_map(|(_, needle, position)| {
            let needle = &*self.needles[*needle];
            let is_equal = |(a, b): &(&u8, &u8)| normalize(**a) == **b;
            let before = text[..start].iter().rev().zip(needle[..*position].iter().rev()).take_while(is_equal).count();
            let after = text[start..].iter().zip(&needle[*position..]).take_while(is_equal).count();
            (before + after >= needle.len().min(MIN_PART_LEN)).then_some(start - before..start + after)
        });
        ranges.max_by_key(Range::len)
    }
}

/// The word and bit of a window in the filter.
fn filter_position(window: u64) -> (usize, u64) {
    let hash = window.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 48;
    ((hash >> 6) as usize & 1023, 1 << (hash & 63))
}

/// Maps both alphabets of base64, and both cases of hexadecimal digits, to one.
fn normalize(byte: u8) -> u8 {
    match byte {
        b'-' => b'+',
        b'_' => b'/',
        other => other.to_ascii_lowercase(),
    }
}

/// Extends a range so that it does not split UTF-8 characters.
fn whole_characters(text: &[u8], range: Range<usize>) -> Range<usize> {
    let is_continuation = |index: usize| text.get(index).is_some_and(|byte| byte & 0b1100_0000 == 0b1000_0000);
    let Range { mut start, mut end } = range;
    while start > 0 && is_continuation(start) {
        start -= 1;
    }
    while is_continuation(end) {
        end += 1;
    }
    start..end
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TOKEN: &str = "eyJ0eXAiOiJKV1QifQ.eyJ1cG4iOiJhZG1pbkBjb250b3NvLmV4YW1wbGUi_fQ.c2lnbmF0dXJl-b2Y_dGVzdHM";

    fn redactor(secrets: &[&str]) -> Redactor {
        let secrets: Vec<SecretString> = secrets.iter().map(|secret| SecretString::from(*secret)).collect();
        Redactor::new(&secrets)
    }

    /// All encodings of a secret.
    fn encodings(secret: &str) -> Vec<String> {
        let every = |format: &dyn Fn(u32) -> String| secret.chars().map(|c| format(c.into())).collect::<String>();
        let percent = every(&|c| format!("%{c:02x}"));
        vec![
            secret.to_owned(),
            every(&|c| format!("\\u{c:04x}")),
            every(&|c| format!("\\\\u{c:04X}")),
            percent.to_uppercase(),
            percent.replace('%', "%25"),
            every(&|c| format!("&#{c};")),
            every(&|c| format!("&#x{c:X};")),
            every(&|c| format!("{c:02X}")),
            url::form_urlencoded::byte_serialize(secret.as_bytes()).collect(),
            percent,
        ]
    }

    #[test]
    fn secrets_are_found_in_every_encoding() {
        for secret in [TOKEN, "correct horse", "p\"ss\\w/rd", "Sim.u~lated-secret_of"] {
            let redactor = redactor(&[secret]);
            for encoded in encodings(secret) {
                let text = format!("<{encoded}>");
                assert_eq!(redactor.redact_text(&text), "<[redacted]>", "{text}");
            }
            for before in ["", "x", "xy", "Bearer ", "user:"] {
                let standard = STANDARD.encode(format!("{before}{secret} and more"));
                for encoded in [standard.replace('+', "-").replace('/', "_"), standard] {
                    let text = redactor.redact_text(&encoded).into_owned();
                    let rest = text.replace(REDACTED, "");
                    let expected = STANDARD.encode(before).len() + STANDARD.encode(" and more").len() + 4;
                    assert!(text.contains(REDACTED) && rest.len() <= expected, "{text}");
                }
            }
        }
    }

    #[test]
    fn parts_of_twenty_characters_are_found() {
        let redactor = redactor(&[TOKEN]);
        for start in 0..=TOKEN.len() - MIN_PART_LEN {
            let part = &TOKEN[start..start + MIN_PART_LEN];
            assert_eq!(redactor.redact_text(&format!("({part})")), "([redacted])");
            let short = format!("({})", &part[1..]);
            assert_eq!(redactor.redact_text(&short), short);
        }
        let wrapped: String = TOKEN.as_bytes().chunks(7).map(|line| String::from_utf8_lossy(line) + "\r\n").collect();
        assert_eq!(redactor.redact_text(&wrapped), REDACTED);
    }

    #[test]
    fn other_text_is_unchanged() {
        let redactor = redactor(&[TOKEN, "short", "hunter22"]);
        for text in
            ["", "hunter2", "short", "Product &amp; more %20 \\u0041\n", "%", "%zz", "\\u00", "&#;", "&#x110000;"]
        {
            assert_eq!(redactor.redact(text.as_bytes()).map(|_| ()), None, "{text}");
        }
        assert!(Redactor::new([]).redact(b"text").is_none());
    }

    proptest! {
        #[test]
        fn no_part_of_a_secret_remains(
            secret in "[!-~]{6,60}",
            before in "[ -~é\\n]{0,40}",
            after in "[ -~é\\n]{0,40}",
            encoding in 0_usize..10,
        ) {
            let redactor = redactor(&[&secret]);
            let encoded = &encodings(&secret)[encoding];
            let redacted = redactor.redact_text(&format!("{before}{encoded}{after}")).into_owned();
            prop_assert!(redacted.contains(REDACTED), "{redacted}");
            prop_assert_eq!(redactor.redact(redacted.as_bytes()).map(|_| ()), None, "{}", redacted);
        }

        #[test]
        fn text_without_secrets_is_unchanged(text in "[ -~é\\n\\\\%&]{0,200}") {
            prop_assert!(redactor(&[TOKEN, "~~hunter22~~"]).redact(text.as_bytes()).is_none());
        }
    }

    #[test]
    fn text_around_secrets_is_kept() {
        let redactor = redactor(&[TOKEN, "hunter22", "sécret"]);
        let text =
            format!("{{\"a\":\"{TOKEN}\",\n\"hunter22\":\"%68unter22\",\"c\":\"hunter22hunter22 s\\u00e9cret é\"}}");
        let expected = "{\"a\":\"[redacted]\",\n\"[redacted]\":\"[redacted]\",\"c\":\"[redacted] [redacted] é\"}";
        assert_eq!(redactor.redact_text(&text), expected);
    }
}
