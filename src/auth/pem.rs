//! Restores PEM and PKCS#12 (PFX) that were changed on the way through a variable, a secret store or an editor.

use base64::prelude::{BASE64_STANDARD, Engine};
use secrecy::zeroize::Zeroizing;

use crate::secret::{SecretBytes, contains_bytes};

const BEGIN: &str = "-----BEGIN ";
const DASHES: &str = "-----";

/// The length of a line of base64 (RFC 7468, section 2). The parser of encrypted keys requires it.
const LINE_LEN: usize = 64;

/// Restores the line breaks of PEM sections, whose line breaks may have become blanks or `\n`, or whose lines are
/// indented or within quotation marks. Leaves out everything between the sections.
pub fn restore_lines(text: &str) -> Zeroizing<String> {
    // Large enough to never reallocate, which would leave a copy of the key in memory.
    let mut restored = Zeroizing::new(String::with_capacity(2 * text.len() + LINE_LEN));
    let mut rest = text;
    while let Some(start) = rest.find(BEGIN) {
        rest = &rest[start..];
        let Some((label, after)) = rest[BEGIN.len()..].split_once(DASHES) else { break };
        let Some((body, after)) = after.split_once(&format!("-----END {label}-----")) else { break };
        restored.push_str(&format!("{BEGIN}{label}{DASHES}\n"));
        // OpenSSL's old encryption has header lines, and an error of its own.
        if body.contains("Proc-Type:") {
            restored.push_str(body.trim_start());
        } else {
            push_lines(&mut restored, body);
        }
        restored.push_str(&format!("\n-----END {label}-----\n"));
        rest = after;
    }
    if rest.contains(BEGIN) {
        // The parser reports the damage.
        restored.push_str(rest);
    }
    restored
}

fn push_lines(restored: &mut String, body: &str) {
    let (mut len, mut characters) = (0, body.chars().peekable());
    while let Some(character) = characters.next() {
        match character {
            '\\' => drop(characters.next_if(|next| matches!(next, 'n' | 'r' | 't'))),
            '"' | '\'' | ',' => {}
            blank if blank.is_whitespace() => {}
            other => {
                if len > 0 && len % LINE_LEN == 0 {
                    restored.push('\n');
                }
                restored.push(other);
                len += 1;
            }
        }
    }
}

/// Decodes the base64 text of a PFX or PEM file, as Azure Key Vault and CI systems keep it. `None` for other content.
pub fn decode_base64(bytes: &[u8]) -> Option<SecretBytes> {
    let text = bytes.iter().copied().filter(|byte| !byte.is_ascii_whitespace() && !matches!(byte, b'"' | b'\''));
    let text = Zeroizing::new(text.collect::<Vec<u8>>());
    let decoded = SecretBytes::from(BASE64_STANDARD.decode(&*text).ok()?);
    (decoded.first() == Some(&0x30) || contains_bytes(&decoded, BEGIN.as_bytes())).then_some(decoded)
}

/// Whether a PFX file is in BER: the outer sequence, or the octet string within it, has an indefinite length, as
/// `BouncyCastle` writes it.
pub fn is_ber(bytes: &[u8]) -> bool {
    // The octet string follows the version and the content type. Further bytes may be random.
    let header = &bytes[..bytes.len().min(32)];
    header.starts_with(&[0x30, 0x80]) || (header.starts_with(&[0x30]) && contains_bytes(header, &[0x24, 0x80]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_ber_looks_for_indefinite_lengths_in_the_header() {
        let header = b"\x30\x82\x01\x00\x02\x01\x03\x30\x82\x01\x00\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01";
        let pfx = |octets: &[u8]| [header, octets, &[0; 40], &[0x24, 0x80]].concat();
        assert!(is_ber(b"\x30\x80\x02\x01\x03") && is_ber(&pfx(b"\xa0\x80\x24\x80\x04\x81")));
        assert!(!is_ber(&pfx(b"\xa0\x81\xa0\x04\x81")) && !is_ber(b"") && !is_ber(b"text \x24\x80"));
    }

    #[test]
    fn restore_lines_restores_line_breaks() {
        let body = "A".repeat(130);
        let lines = [&body[..64], &body[64..128], &body[128..]].join("\n");
        let pem = format!("-----BEGIN KEY-----\n{lines}\n-----END KEY-----\n");
        for changed in [
            pem.clone(),
            pem.replace('\n', " "),
            pem.replace('\n', "\\n"),
            pem.replace('\n', "\\r\\n"),
            pem.replace('\n', ""),
            pem.replace('\n', "\n    "),
            format!("\"{}\"", pem.replace('\n', "\",\n\"")),
            format!("text\n{pem}more text"),
        ] {
            assert_eq!(*restore_lines(&changed), pem, "{changed}");
        }
        for damaged in ["-----BEGIN KEY-----\nAAAA", "-----BEGIN KEY", "-----BEGIN A-----\nAA\n-----END B-----"] {
            assert_eq!(*restore_lines(damaged), damaged);
        }
        assert_eq!(*restore_lines(&"-----BEGIN ".repeat(2)), "-----BEGIN ".repeat(2));
    }
}
