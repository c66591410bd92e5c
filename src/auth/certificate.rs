//! Reading a certificate and its private key from a file: PEM, or PKCS#12 (PFX).

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use chrono::Utc;
use p12_keystore::Pkcs12Archive;
use pkcs8::{EncryptedPrivateKeyInfoRef, SecretDocument};
use rustls::SignatureAlgorithm;
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::pem::{PemObject, SectionKind};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::SigningKey;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::OnceCell;

use super::application::certificate::ClientCertificate;
use super::application::{ArgSource, decode_text, file_read_error};
use crate::error::{Error, ErrorKind, Result};
use crate::files;
use crate::secret::contains_bytes;
use crate::text::{format_timestamp, sanitize_line, shell_quote};

/// No certificate and key come near this.
const LARGEST: usize = 1024 * 1024;

const ENCRYPTED: [&str; 2] = ["-----BEGIN ENCRYPTED PRIVATE KEY-----", "-----END ENCRYPTED PRIVATE KEY-----"];

/// How a file that holds no pair can be made into one that does.
const MAKE_ONE: &str = "put both into one file: cat key.pem certificate.pem > both.pem";

const RSA_NEEDED: &str = "an RSA key of 2048 bits or more is needed: openssl req -x509 -newkey rsa:2048 -nodes -days 365 -subj /CN=mscommerce -keyout key.pem -out certificate.pem";

/// The file needs a password, and the one there is, if any, does not open it.
#[derive(Debug)]
pub struct PasswordRequired {
    file: String,
    is_given: bool,
}

impl fmt::Display for PasswordRequired {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let why = if self.is_given { "the password does not open it" } else { "it needs a password" };
        write!(formatter, "{}: {why}", self.file)
    }
}

impl std::error::Error for PasswordRequired {}

/// What a file holds.
#[derive(Default)]
struct Content {
    keys: Vec<Zeroizing<PrivateKeyDer<'static>>>,
    certificates: Vec<Vec<u8>>,
}

/// A file that holds a certificate and its private key. It is read once, when it is needed first.
pub struct CertificateFile {
    path: PathBuf,
    password: Option<SecretString>,
    /// What names the file.
    origin: ArgSource,
    content: OnceCell<ClientCertificate>,
}

impl CertificateFile {
    pub fn new(path: PathBuf, password: Option<SecretString>, origin: ArgSource) -> Self {
        Self { path, password, origin, content: OnceCell::new() }
    }

    /// The same file with another password.
    pub fn with_password(self, password: SecretString) -> Self {
        Self::new(self.path, Some(password), self.origin)
    }

    /// The certificate in it, once it is sure that Entra can take it. Fails with [`PasswordRequired`] where a password
    /// is missing or wrong.
    pub async fn read(&self) -> Result<&ClientCertificate> {
        self.content.get_or_try_init(|| self.read_anew()).await
    }

    async fn read_anew(&self) -> Result<ClientCertificate> {
        let file = sanitize_line(&self.path.display().to_string());
        let read =
            files::read_limited(&self.path, LARGEST).await.map_err(|error| read_error(error, &file, self.origin));
        let certificate = read.and_then(|bytes| usable(&bytes, self.password.as_ref(), &file));
        certificate.map_err(|error| error.with_detail(format!("the file is named by {}", self.origin)))
    }
}

/// The certificate in the file, if it can be used now.
fn usable(bytes: &[u8], password: Option<&SecretString>, file: &str) -> Result<ClientCertificate> {
    let wrong = |why: &str| Error::auth(format!("{file}: {why}"));
    if bytes.is_empty() {
        return Err(wrong("it is empty"));
    }
    let bytes = &*decode_text(bytes);
    let content = if has(bytes, "-----BEGIN ") { pem(bytes, password, file)? } else { pfx(bytes, password, file)? };
    if content.keys.is_empty() {
        return Err(wrong("it holds no private key").with_hint(MAKE_ONE));
    }
    if content.certificates.is_empty() {
        return Err(wrong("it holds no certificate").with_hint(MAKE_ONE));
    }
    let keys = rsa_keys(&content.keys).map_err(|why| wrong(&why).with_hint(RSA_NEEDED))?;
    let certificate = ClientCertificate::matching(&keys, &content.certificates, file).ok_or_else(|| {
        wrong("the private key does not belong to the certificate")
            .with_hint("put the two that were made together into it")
    })?;
    let now = Utc::now();
    if certificate.not_after <= now {
        let why = format!("the certificate ended at {}", format_timestamp(certificate.not_after));
        return Err(wrong(&why).with_hint("make a new one, and add it to the application's certificates"));
    }
    if certificate.not_before > now {
        let why = format!("the certificate is not valid before {}", format_timestamp(certificate.not_before));
        return Err(wrong(&why).with_hint("look at this machine's clock, or wait until then"));
    }
    Ok(certificate)
}

fn read_error(error: io::Error, file: &str, origin: ArgSource) -> Error {
    if error.kind() == io::ErrorKind::FileTooLarge {
        return Error::auth(format!("{file} is larger than {} MiB: it is no certificate", LARGEST / 1024 / 1024));
    }
    file_read_error(error, &format!("the certificate {file}"), origin)
}

/// The RSA keys among the private keys: Entra takes PS256 alone for a certificate.
fn rsa_keys(keys: &[Zeroizing<PrivateKeyDer<'static>>]) -> Result<Vec<Arc<dyn SigningKey>>, String> {
    let mut why = String::new();
    let mut rsa = Vec::new();
    for key in keys {
        match any_supported_type(key) {
            Ok(key) if key.algorithm() == SignatureAlgorithm::RSA => rsa.push(key),
            Ok(key) => why = format!("the private key is of the kind {:?}", key.algorithm()),
            // No more than that is known of a key that is damaged, too short or of a kind nobody has heard of.
            Err(_) => "the private key cannot be used".clone_into(&mut why),
        }
    }
    if rsa.is_empty() { Err(why) } else { Ok(rsa) }
}

fn pem(bytes: &[u8], password: Option<&SecretString>, file: &str) -> Result<Content> {
    // Files without a line end at their end, one put behind the other.
    let text = Zeroizing::new(String::from_utf8_lossy(bytes).replace("----------BEGIN", "-----\n-----BEGIN"));
    let bytes = text.as_bytes();
    let mut content = Content::default();
    for section in <(SectionKind, Vec<u8>) as PemObject>::pem_slice_iter(bytes) {
        let (kind, der) = section.map_err(|_| {
            let error = Error::auth(format!("{file}: its PEM cannot be read"));
            if has(bytes, "Proc-Type: 4,ENCRYPTED") {
                return error
                    .with_detail("its private key is encrypted in OpenSSL's old way")
                    .with_hint(write_key_anew(file));
            }
            error.with_hint(write_key_anew(file))
        })?;
        match kind {
            SectionKind::Certificate => content.certificates.push(der),
            kind => content.keys.extend(PrivateKeyDer::from_pem(kind, der).map(Zeroizing::new)),
        }
    }
    if let Some(key) = decrypted(&text, password, file)? {
        content.keys.push(Zeroizing::new(key));
    }
    Ok(content)
}

/// The private key that PEM holds encrypted (PKCS#8), if it does.
fn decrypted(text: &str, password: Option<&SecretString>, file: &str) -> Result<Option<PrivateKeyDer<'static>>> {
    let section = text.find(ENCRYPTED[0]).and_then(|start| {
        let end = text[start..].find(ENCRYPTED[1])?;
        Some(&text[start..start + end + ENCRYPTED[1].len()])
    });
    let Some(section) = section else { return Ok(None) };
    let damaged = || Error::auth(format!("{file}: its encrypted private key cannot be read"));
    let (_, document) = SecretDocument::from_pem(section).map_err(|_| damaged())?;
    let encrypted = EncryptedPrivateKeyInfoRef::try_from(document.as_bytes()).map_err(|_| damaged())?;
    let key = encrypted.decrypt(exposed(password)).map_err(|error| match error {
        // Only then it was the password; else the way of encryption is unknown here.
        pkcs8::Error::EncryptedPrivateKey(pkcs8::pkcs5::Error::DecryptFailed) => password_needed(password, file),
        _ => damaged().with_hint(write_key_anew(file)),
    })?;
    Ok(Some(PrivatePkcs8KeyDer::from(key.as_bytes().to_vec()).into()))
}

fn pfx(bytes: &[u8], password: Option<&SecretString>, file: &str) -> Result<Content> {
    let archive = Pkcs12Archive::from_pkcs12(bytes, exposed(password)).map_err(|error| match error {
        p12_keystore::error::Error::MacError(_)
        | p12_keystore::error::Error::Pkcs5Error(_)
        | p12_keystore::error::Error::UnpadError => password_needed(password, file),
        p12_keystore::error::Error::DerError(_) => {
            Error::auth(format!("{file}: it is neither PEM nor PKCS#12 (PFX), or it is damaged"))
                .with_hint("a certificate alone (.cer, .p7b) does not do: its private key is needed, too")
        }
        other => Error::auth(format!("{file}: its PKCS#12 cannot be read: {other}"))
            .with_hint("export it anew with AES-256 and SHA-256"),
    })?;
    let keys =
        archive.keys.iter().map(|bag| Zeroizing::new(PrivatePkcs8KeyDer::from(bag.key.as_der().to_vec()).into()));
    let certificates = archive.certs.iter().map(|bag| bag.cert.as_der().to_vec());
    Ok(Content { keys: keys.collect(), certificates: certificates.collect() })
}

fn write_key_anew(file: &str) -> String {
    format!(
        "write the key anew, and put the certificate behind it: openssl pkcs8 -topk8 -v2 aes-256-cbc -in {} -out key.pem",
        shell_quote(file)
    )
}

fn password_needed(password: Option<&SecretString>, file: &str) -> Error {
    let needed = PasswordRequired { file: file.to_owned(), is_given: password.is_some() };
    Error::new(ErrorKind::Auth, needed)
        .with_hint("the password of the file goes into AZURE_CLIENT_CERTIFICATE_PASSWORD")
}

fn exposed(password: Option<&SecretString>) -> &str {
    password.map_or("", ExposeSecret::expose_secret)
}

fn has(bytes: &[u8], text: &str) -> bool {
    contains_bytes(bytes, text.as_bytes())
}
