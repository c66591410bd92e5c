//! A certificate with its private key, and what an application signs with it.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use rustls::SignatureScheme;
use rustls::sign::SigningKey;
use secrecy::SecretString;
use serde_json::json;
use url::Url;
use uuid::Uuid;
use x509_parser::prelude::{ASN1Time, FromDer, SubjectPublicKeyInfo, X509Certificate};

use super::base64url;
use crate::error::{Error, Result};
use crate::secret;
use crate::text::format_timestamp;

/// For how long an assertion is good (entra-docs, "certificate credentials").
const LIFETIME: chrono::Duration = chrono::Duration::minutes(10);

/// A certificate, and the RSA key that belongs to it.
pub struct ClientCertificate {
    key: Arc<dyn SigningKey>,
    der: Vec<u8>,
    /// Where it was read from.
    file: String,
    pub not_before: DateTime<Utc>,
    pub not_after: DateTime<Utc>,
}

/// Shown where the certificate is refused. The portal shows the SHA-1 thumbprint.
impl fmt::Display for ClientCertificate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "certificate: {}, valid until {}", self.file, format_timestamp(self.not_after))?;
        writeln!(formatter, "SHA-1 thumbprint: {}", hex(digest(&SHA1_FOR_LEGACY_USE_ONLY, &self.der).as_ref()))?;
        write!(formatter, "SHA-256 thumbprint: {}", hex(digest(&SHA256, &self.der).as_ref()))
    }
}

impl ClientCertificate {
    /// Of these certificates the one that belongs to one of these keys; `None` where none does. A renewed one is
    /// preferred to the one before it.
    pub fn matching(keys: &[Arc<dyn SigningKey>], certificates: &[Vec<u8>], file: &str) -> Option<Self> {
        let pairs = keys.iter().flat_map(|key| certificates.iter().map(move |der| (key, der)));
        let fitting = pairs.filter_map(|(key, der)| Self::of_pair(key, der, file));
        let now = Utc::now();
        fitting.max_by_key(|certificate| (certificate.not_before <= now, certificate.not_after))
    }

    /// The certificate with the key, if they belong to each other.
    fn of_pair(key: &Arc<dyn SigningKey>, der: &[u8], file: &str) -> Option<Self> {
        let spki = key.public_key()?;
        let (_, spki) = SubjectPublicKeyInfo::from_der(spki.as_ref()).ok()?;
        let (_, parsed) = X509Certificate::from_der(der).ok()?;
        let time = |time: ASN1Time| DateTime::from_timestamp(time.timestamp(), 0);
        let (not_before, not_after) = (time(parsed.validity().not_before)?, time(parsed.validity().not_after)?);
        let is_same = parsed.public_key().subject_public_key == spki.subject_public_key;
        let (key, file) = (Arc::clone(key), file.to_owned());
        is_same.then(|| Self { key, der: der.to_vec(), file, not_before, not_after })
    }

    /// Signs that whoever holds this certificate is the application, for the token endpoint `audience`: a JWT with
    /// PS256 (RFC 7523; entra-docs, "certificate credentials").
    pub fn assertion(&self, client_id: &str, audience: &Url) -> Result<SecretString> {
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
            "exp": (now + LIFETIME).timestamp(),
        });
        let message = format!("{}.{}", base64url(header.to_string()), base64url(claims.to_string()));
        let cannot = || Error::auth(format!("the private key in {} cannot sign", self.file));
        let signer = self.key.choose_scheme(&[SignatureScheme::RSA_PSS_SHA256]).ok_or_else(cannot)?;
        let signature = signer.sign(message.as_bytes()).map_err(|_| cannot())?;
        Ok(secret::into_secret(format!("{message}.{}", base64url(signature))))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}
