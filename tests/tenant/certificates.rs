//! Client certificates, each made by the test that uses it.

use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use p12_keystore::{
    Certificate, EncryptionAlgorithm, KeyStore, KeyStoreEntry, MacAlgorithm, PrivateKey, PrivateKeyChain,
};
use rcgen::{CertificateParams, DnType, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, SignatureAlgorithm};
use ring::digest;
use x509_parser::der_parser::der::parse_der;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The iteration count of PFX files: that of Windows.
const PFX_ITERATIONS: u32 = 2000;

/// PKCS#8 keys for tests only. They are committed because generating one takes seconds.
static RSA_KEYS: [LazyLock<Vec<u8>>; 2] = [
    LazyLock::new(|| pkcs8_der(include_str!("rsa_key_1.pem"))),
    LazyLock::new(|| pkcs8_der(include_str!("rsa_key_2.pem"))),
];

fn pkcs8_der(pem: &str) -> Vec<u8> {
    let base64: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    STANDARD.decode(base64).expect("a test key in PEM")
}

/// One of the two RSA keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RsaKey {
    /// The default key of a certificate.
    Default,
    /// A different key.
    Other,
}

impl RsaKey {
    fn pkcs8_der(self) -> &'static [u8] {
        match self {
            Self::Default => &RSA_KEYS[0],
            Self::Other => &RSA_KEYS[1],
        }
    }
}

/// A self-signed certificate and its private key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestCertificate {
    pub certificate_der: Vec<u8>,
    pub key_pkcs8_der: Vec<u8>,
}

impl TestCertificate {
    /// A valid certificate with an RSA key of 2048 bits.
    pub fn rsa() -> Self {
        Self::rsa_with(RsaKey::Default)
    }

    /// A valid certificate with this RSA key.
    pub fn rsa_with(key: RsaKey) -> Self {
        let now = SystemTime::now();
        Self::of_rsa(key, now - DAY, now + 30 * DAY)
    }

    /// A certificate that expired yesterday.
    pub fn rsa_expired() -> Self {
        let now = SystemTime::now();
        Self::of_rsa(RsaKey::Default, now - 30 * DAY, now - DAY)
    }

    /// A certificate that is valid from tomorrow on.
    pub fn rsa_not_yet_valid() -> Self {
        let now = SystemTime::now();
        Self::of_rsa(RsaKey::Default, now + DAY, now + 30 * DAY)
    }

    /// A valid certificate with a new P-256 key.
    pub fn elliptic() -> Self {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("a new key");
        let now = SystemTime::now();
        Self::self_signed(key.serialized_der(), &PKCS_ECDSA_P256_SHA256, now - DAY, now + 30 * DAY)
    }

    fn of_rsa(key: RsaKey, from: SystemTime, until: SystemTime) -> Self {
        Self::self_signed(key.pkcs8_der(), &PKCS_RSA_SHA256, from, until)
    }

    fn self_signed(
        pkcs8_der: &[u8],
        algorithm: &'static SignatureAlgorithm,
        from: SystemTime,
        until: SystemTime,
    ) -> Self {
        let key = KeyPair::from_pkcs8_der_and_sign_algo(&pkcs8_der.into(), algorithm).expect("a well-formed key");
        let mut parameters = CertificateParams::default();
        parameters.distinguished_name.push(DnType::CommonName, "mscommerce in CI");
        (parameters.not_before, parameters.not_after) = (from.into(), until.into());
        let certificate = parameters.self_signed(&key).expect("a certificate");
        Self { certificate_der: certificate.der().to_vec(), key_pkcs8_der: pkcs8_der.to_vec() }
    }

    /// The certificate in PEM.
    pub fn certificate_pem(&self) -> String {
        pem("CERTIFICATE", &self.certificate_der)
    }

    /// The key in PEM, as PKCS#8.
    pub fn key_pem(&self) -> String {
        pem("PRIVATE KEY", &self.key_pkcs8_der)
    }

    /// The key in PEM, as PKCS#1; RSA only.
    pub fn key_pkcs1_pem(&self) -> String {
        let (_, pkcs8) = parse_der(&self.key_pkcs8_der).expect("a well-formed key");
        let parts = pkcs8.as_sequence().expect("PKCS#8 is a sequence");
        let pkcs1 = parts[2].as_slice().expect("the key stands third, as a string of bytes");
        assert!(parse_der(pkcs1).is_ok_and(|(_, inner)| inner.as_sequence().is_ok_and(|it| it.len() == 9)), "RSA only");
        pem("RSA PRIVATE KEY", pkcs1)
    }

    /// The SHA-1 thumbprint in upper case, as Microsoft's tools show it.
    pub fn sha1(&self) -> String {
        self.thumbprint(&digest::SHA1_FOR_LEGACY_USE_ONLY)
    }

    /// The SHA-256 thumbprint in upper case.
    pub fn sha256(&self) -> String {
        self.thumbprint(&digest::SHA256)
    }

    fn thumbprint(&self, algorithm: &'static digest::Algorithm) -> String {
        let digest = digest::digest(algorithm, &self.certificate_der);
        digest.as_ref().iter().map(|byte| format!("{byte:02X}")).collect()
    }

    /// Certificate and key in a PFX file, encrypted with AES-256 and SHA-256 (modern) or 3DES and SHA-1.
    pub fn pfx(&self, password: &str, modern: bool) -> Vec<u8> {
        let key = PrivateKey::from_der(&self.key_pkcs8_der).expect("a well-formed key");
        let certificate = Certificate::from_der(&self.certificate_der).expect("a well-formed certificate");
        let mut store = KeyStore::new();
        let chain = PrivateKeyChain::new([1, 0, 0, 0].as_slice(), key, [certificate]);
        store.add_entry("mscommerce in CI", KeyStoreEntry::PrivateKeyChain(chain));
        let (encryption, mac) = if modern {
            (EncryptionAlgorithm::PbeWithHmacSha256AndAes256, MacAlgorithm::HmacSha256)
        } else {
            (EncryptionAlgorithm::PbeWithShaAnd3KeyTripleDesCbc, MacAlgorithm::HmacSha1)
        };
        let writer = store.writer(password).encryption_algorithm(encryption).encryption_iterations(PFX_ITERATIONS);
        writer.mac_algorithm(mac).mac_iterations(PFX_ITERATIONS).write().expect("a PFX file")
    }
}

fn pem(label: &str, der: &[u8]) -> String {
    let encoded = STANDARD.encode(der);
    let lines: Vec<&str> = (0..encoded.len()).step_by(64).map(|at| &encoded[at..encoded.len().min(at + 64)]).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}
