//! Certificate credentials: reads a certificate and its private key from PEM or PKCS#12 (PFX), and signs client
//! assertions.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use chrono::{DateTime, Utc};
use p12_keystore::Pkcs12Archive;
use p12_keystore::error::Error as Pkcs12Error;
use pkcs8::{EncryptedPrivateKeyInfoRef, SecretDocument};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::pem::{PemObject, SectionKind};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::SigningKey;
use rustls::{SignatureAlgorithm, SignatureScheme};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use tokio::sync::OnceCell;
use url::Url;
use uuid::Uuid;
use x509_parser::prelude::{ASN1Time, FromDer, SubjectPublicKeyInfo, X509Certificate};

use super::arg_source::ArgSource;
use super::pem;
use super::work_factor::is_affordable;
use crate::environment::is_quoted;
use crate::error::{Error, ErrorKind, Result};
use crate::files;
use crate::secret::{contains_bytes, into_secret};
use crate::text::{format_timestamp, shell_quote};

/// The maximum size of a certificate file, in bytes.
const MAX_FILE_SIZE: usize = 1024 * 1024;

/// The lifetime of a client assertion (entra-docs, "certificate credentials").
const ASSERTION_LIFETIME: chrono::Duration = chrono::Duration::minutes(10);

const ENCRYPTED_KEY_BEGIN: &str = "-----BEGIN ENCRYPTED PRIVATE KEY-----";
const ENCRYPTED_KEY_END: &str = "-----END ENCRYPTED PRIVATE KEY-----";

const HINT_COMBINE_FILES: &str = "combine both in one file: cat key.pem certificate.pem > both.pem";
const HINT_RSA_KEY: &str = "use an RSA key of at least 2048 bits: openssl req -x509 -newkey rsa:2048 -nodes -days 365 -subj /CN=mscommerce -keyout key.pem -out certificate.pem";

/// The error for a file whose password is missing or wrong.
#[derive(Debug)]
pub struct PasswordRequired {
    file: String,
    is_given: bool,
}

impl PasswordRequired {
    fn error(password: Option<&SecretString>, file: &str) -> Error {
        Error::new(ErrorKind::Auth, Self { file: file.to_owned(), is_given: password.is_some() })
            .with_hint("set AZURE_CLIENT_CERTIFICATE_PASSWORD to the file's password")
    }
}

impl fmt::Display for PasswordRequired {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = if self.is_given { "wrong password" } else { "a password is required" };
        write!(formatter, "{}: {reason}", self.file)
    }
}

impl std::error::Error for PasswordRequired {}

/// A file that contains a certificate and its private key. It is read once, on first use.
pub struct CertificateFile {
    path: PathBuf,
    password: Option<SecretString>,
    source: ArgSource,
    certificate: OnceCell<ClientCertificate>,
}

impl CertificateFile {
    pub fn new(path: PathBuf, password: Option<SecretString>, source: ArgSource) -> Self {
        Self { path, password, source, certificate: OnceCell::new() }
    }

    /// Returns the file with `password` in place of its password.
    pub fn with_password(self, password: SecretString) -> Self {
        Self::new(self.path, Some(password), self.source)
    }

    /// Reads the certificate, or returns the one that was read before.
    ///
    /// # Errors
    /// Fails with [`PasswordRequired`] if the password is missing or wrong. Fails if the file has no RSA key with a
    /// matching certificate that is valid now.
    pub async fn load(&self) -> Result<&ClientCertificate> {
        self.certificate.get_or_try_init(|| self.read()).await
    }

    async fn read(&self) -> Result<ClientCertificate> {
        let file = files::input_name(&self.path);
        let bytes = self.source.read(&self.path, MAX_FILE_SIZE).await;
        let bytes = bytes.map_err(|error| read_error(error, &file, self.source));
        let certificate = bytes.and_then(|bytes| validate_with_password(&bytes, self.password.as_ref(), &file));
        certificate.map_err(|error| error.with_detail(format!("the path comes from {}", self.source)))
    }
}

fn read_error(error: io::Error, file: &str, source: ArgSource) -> Error {
    if error.kind() == io::ErrorKind::FileTooLarge {
        return Error::auth(format!(
            "{file} is not a certificate: it is larger than {} MiB",
            MAX_FILE_SIZE / 1024 / 1024
        ));
    }
    source.read_error(error, &format!("the certificate {file}"))
}

/// A certificate and its private RSA key.
pub struct ClientCertificate {
    key: Arc<dyn SigningKey>,
    der: Vec<u8>,
    file: String,
    not_before: DateTime<Utc>,
    not_after: DateTime<Utc>,
}

/// The details of a certificate that Entra rejected. They include SHA-1, because the Azure portal shows that
/// thumbprint.
impl fmt::Display for ClientCertificate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02X}")).collect::<String>();
        writeln!(formatter, "certificate: {}, valid until {}", self.file, format_timestamp(self.not_after))?;
        writeln!(formatter, "SHA-1 thumbprint: {}", hex(digest(&SHA1_FOR_LEGACY_USE_ONLY, &self.der).as_ref()))?;
        write!(formatter, "SHA-256 thumbprint: {}", hex(digest(&SHA256, &self.der).as_ref()))
    }
}

impl ClientCertificate {
    /// Finds a certificate that matches one of the keys. Prefers a certificate that is valid now and expires last.
    fn find_pair(keys: &[Arc<dyn SigningKey>], certificates: &[Vec<u8>], file: &str) -> Option<Self> {
        let combinations = keys.iter().flat_map(|key| certificates.iter().map(move |der| (key, der)));
        let pairs = combinations.filter_map(|(key, der)| Self::pair(key, der, file));
        let now = Utc::now();
        pairs.max_by_key(|certificate| (certificate.not_before <= now, certificate.not_after))
    }

    /// Combines the key and the certificate if their public keys are equal.
    fn pair(key: &Arc<dyn SigningKey>, der: &[u8], file: &str) -> Option<Self> {
        let spki = key.public_key()?;
        let (_, spki) = SubjectPublicKeyInfo::from_der(spki.as_ref()).ok()?;
        let (_, parsed) = X509Certificate::from_der(der).ok()?;
        let time = |time: ASN1Time| DateTime::from_timestamp(time.timestamp(), 0);
        let (not_before, not_after) = (time(parsed.validity().not_before)?, time(parsed.validity().not_after)?);
        let is_pair = parsed.public_key().subject_public_key == spki.subject_public_key;
        is_pair.then(|| Self { key: Arc::clone(key), der: der.to_vec(), file: file.to_owned(), not_before, not_after })
    }

    /// Signs a client assertion for the token endpoint `audience`: a PS256 JWT (RFC 7523; entra-docs, "certificate
    /// credentials").
    pub fn sign_assertion(&self, client_id: &str, audience: &Url) -> Result<SecretString> {
        let now = Utc::now();
        let header = json!({
            "alg": "PS256",
            "typ": "JWT",
            "x5t#S256": base64url(digest(&SHA256, &self.der)),
        });
        let claims = json!({
            "aud": audience.as_str(),
            "iss": client_id,
            "sub": client_id,
            "jti": Uuid::new_v4().to_string(),
            "nbf": now.timestamp(),
            "exp": (now + ASSERTION_LIFETIME).timestamp(),
        });
        let message = format!("{}.{}", base64url(header.to_string()), base64url(claims.to_string()));
        let sign_error = || Error::auth(format!("the private key in {} cannot create signatures", self.file));
        let signer = self.key.choose_scheme(&[SignatureScheme::RSA_PSS_SHA256]).ok_or_else(sign_error)?;
        let signature = signer.sign(message.as_bytes()).map_err(|_| sign_error())?;
        Ok(into_secret(format!("{message}.{}", base64url(signature))))
    }
}

fn base64url(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// The keys and certificates in a file.
#[derive(Default)]
struct PemContents {
    keys: Vec<Zeroizing<PrivateKeyDer<'static>>>,
    certificates: Vec<Vec<u8>>,
}

/// Parses a certificate file. If the password does not open it, tries the password without the line end that a file or a
/// secret store added.
fn validate_with_password(bytes: &[u8], password: Option<&SecretString>, file: &str) -> Result<ClientCertificate> {
    let needs_password = |error: &Error| error.downcast_ref::<PasswordRequired>().is_some();
    let given = expose_or_empty(password);
    let trimmed = given.trim_start_matches('\u{FEFF}').trim_end_matches(['\r', '\n']);
    let mut result = validate(bytes, password, file);
    if trimmed != given && result.as_ref().is_err_and(needs_password) {
        result = validate(bytes, Some(&SecretString::from(trimmed)), file);
    }
    result.map_err(|error| {
        let is_quoted = needs_password(&error) && is_quoted(trimmed);
        if is_quoted { error.with_detail("the password begins and ends with a quotation mark") } else { error }
    })
}

/// Parses a certificate file. Fails if it has no RSA key with a matching certificate that is valid now.
fn validate(bytes: &[u8], password: Option<&SecretString>, file: &str) -> Result<ClientCertificate> {
    let invalid = |reason: &str| Error::auth(format!("{file}: {reason}"));
    if bytes.is_empty() {
        return Err(invalid("the file is empty"));
    }
    let bytes = &*files::decode_text(bytes);
    let decoded = pem::decode_base64(bytes);
    let bytes = decoded.as_deref().unwrap_or(bytes);
    let is_pem = contains_bytes(bytes, b"-----BEGIN ");
    let contents = if is_pem { parse_pem(bytes, password, file)? } else { parse_pfx(bytes, password, file)? };
    if contents.keys.is_empty() {
        return Err(invalid("the file does not contain a private key").with_hint(HINT_COMBINE_FILES));
    }
    if contents.certificates.is_empty() {
        return Err(invalid("the file does not contain a certificate").with_hint(HINT_COMBINE_FILES));
    }
    let keys = rsa_keys(&contents.keys).map_err(|reason| invalid(&reason).with_hint(HINT_RSA_KEY))?;
    let certificate = ClientCertificate::find_pair(&keys, &contents.certificates, file).ok_or_else(|| {
        invalid("the private key does not match the certificate")
            .with_hint("combine a certificate and its own private key in one file")
    })?;
    let now = Utc::now();
    if certificate.not_after <= now {
        let reason = format!("the certificate expired at {}", format_timestamp(certificate.not_after));
        return Err(invalid(&reason).with_hint("create a new certificate, and add it to the app registration"));
    }
    if certificate.not_before > now {
        let reason = format!("the certificate is not valid before {}", format_timestamp(certificate.not_before));
        return Err(invalid(&reason).with_hint("check this machine's clock, or wait until then"));
    }
    Ok(certificate)
}

/// Returns the RSA keys, because Entra accepts only PS256. Fails with the reason if no key is usable.
fn rsa_keys(keys: &[Zeroizing<PrivateKeyDer<'static>>]) -> Result<Vec<Arc<dyn SigningKey>>, String> {
    let mut reason = String::new();
    let mut rsa = Vec::new();
    for key in keys {
        match any_supported_type(key) {
            Ok(key) if key.algorithm() == SignatureAlgorithm::RSA => rsa.push(key),
            Ok(key) => reason = format!("the private key has the unsupported type {:?}", key.algorithm()),
            // The key may be damaged, too short or of an unknown type.
            Err(_) => "the private key is damaged, too short, or of an unsupported type".clone_into(&mut reason),
        }
    }
    if rsa.is_empty() { Err(reason) } else { Ok(rsa) }
}

fn parse_pem(bytes: &[u8], password: Option<&SecretString>, file: &str) -> Result<PemContents> {
    let text = pem::restore_lines(&String::from_utf8_lossy(bytes));
    let mut contents = PemContents::default();
    for section in <(SectionKind, Vec<u8>) as PemObject>::pem_slice_iter(text.as_bytes()) {
        let (kind, der) = section.map_err(|_| {
            let error = Error::auth(format!("{file}: invalid PEM")).with_hint(hint_convert_key(file));
            if text.contains("Proc-Type: 4,ENCRYPTED") {
                return error.with_detail("the private key uses OpenSSL's legacy encryption");
            }
            error
        })?;
        match kind {
            SectionKind::Certificate => contents.certificates.push(der),
            kind => contents.keys.extend(PrivateKeyDer::from_pem(kind, der).map(Zeroizing::new)),
        }
    }
    if let Some(key) = decrypt_key(&text, password, file)? {
        contents.keys.push(Zeroizing::new(key));
    }
    Ok(contents)
}

/// Decrypts the first encrypted private key (PKCS#8) in a PEM file. Returns `None` if there is none.
fn decrypt_key(text: &str, password: Option<&SecretString>, file: &str) -> Result<Option<PrivateKeyDer<'static>>> {
    let section = text.find(ENCRYPTED_KEY_BEGIN).and_then(|start| {
        let end = text[start..].find(ENCRYPTED_KEY_END)?;
        Some(&text[start..start + end + ENCRYPTED_KEY_END.len()])
    });
    let Some(section) = section else { return Ok(None) };
    let damaged = || Error::auth(format!("{file}: the encrypted private key cannot be read"));
    let (_, document) = SecretDocument::from_pem(section).map_err(|_| damaged())?;
    let encrypted = EncryptedPrivateKeyInfoRef::try_from(document.as_bytes()).map_err(|_| damaged())?;
    if !is_affordable(&encrypted.encryption_algorithm) {
        let error = Error::auth(format!("{file}: the private key is encrypted with an excessive work factor"));
        return Err(error.with_hint(hint_convert_key(file)));
    }
    let key = encrypted.decrypt(expose_or_empty(password)).map_err(|error| match error {
        pkcs8::Error::EncryptedPrivateKey(pkcs8::pkcs5::Error::DecryptFailed) => {
            PasswordRequired::error(password, file)
        }
        // The cipher is not supported.
        _ => damaged().with_hint(hint_convert_key(file)),
    })?;
    Ok(Some(PrivatePkcs8KeyDer::from(key.as_bytes().to_vec()).into()))
}

fn parse_pfx(bytes: &[u8], password: Option<&SecretString>, file: &str) -> Result<PemContents> {
    let archive = Pkcs12Archive::from_pkcs12(bytes, expose_or_empty(password)).map_err(|error| match error {
        Pkcs12Error::MacError(_) | Pkcs12Error::Pkcs5Error(_) | Pkcs12Error::UnpadError => {
            PasswordRequired::error(password, file)
        }
        Pkcs12Error::DerError(_) if pem::is_ber(bytes) => {
            let command = format!("openssl pkcs12 -in {} -out app.pem", file_argument(file));
            Error::auth(format!("{file}: the PKCS#12 (PFX) file uses BER; only DER is supported"))
                .with_hint(format!("convert it to PEM: {command}"))
        }
        Pkcs12Error::DerError(_) => Error::auth(format!("{file}: not a PEM or PKCS#12 (PFX) file, or damaged"))
            .with_hint("use a file that also contains the private key; a certificate alone (.cer, .p7b) is not enough"),
        Pkcs12Error::InvalidParameters => Error::auth(format!(
            "{file}: the PKCS#12 file is encrypted with an excessive work factor or without parameters"
        ))
        .with_hint("export it again with AES-256 and SHA-256"),
        other => Error::auth(format!("{file}: the PKCS#12 file cannot be read: {other}"))
            .with_hint("export it again with AES-256 and SHA-256"),
    })?;
    let keys =
        archive.keys.iter().map(|bag| Zeroizing::new(PrivatePkcs8KeyDer::from(bag.key.as_der().to_vec()).into()));
    let certificates = archive.certs.iter().map(|bag| bag.cert.as_der().to_vec());
    Ok(PemContents { keys: keys.collect(), certificates: certificates.collect() })
}

fn hint_convert_key(file: &str) -> String {
    format!(
        "convert the private key, then append the certificate: openssl pkcs8 -topk8 -v2 aes-256-cbc -in {} -out key.pem",
        file_argument(file)
    )
}

/// The file as an argument of a command to type.
fn file_argument(file: &str) -> String {
    if file == files::STDIN_NAME { "FILE".to_owned() } else { shell_quote(file) }
}

fn expose_or_empty(password: Option<&SecretString>) -> &str {
    password.map_or("", ExposeSecret::expose_secret)
}
