//! The certificates that tests sign in with, and the files that they come in.

use p12_keystore::{KeyStore, Pkcs12Archive, Pkcs12ImportPolicy};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::tenant::certificates::{RsaKey, TestCertificate};

#[test]
fn certificates_are_valid_when_they_say() {
    for (certificate, valid) in [
        (TestCertificate::rsa(), true),
        (TestCertificate::rsa_with(RsaKey::Other), true),
        (TestCertificate::elliptic(), true),
        (TestCertificate::rsa_expired(), false),
        (TestCertificate::rsa_not_yet_valid(), false),
    ] {
        let (rest, parsed) = X509Certificate::from_der(&certificate.certificate_der).unwrap();
        assert!(rest.is_empty());
        assert_eq!(parsed.validity().is_valid(), valid);
    }
}

#[test]
fn two_rsa_keys_serve_all_tests() {
    let [usual, again, other] = [RsaKey::Default, RsaKey::Default, RsaKey::Other].map(TestCertificate::rsa_with);
    assert_eq!(usual.key_pkcs8_der, again.key_pkcs8_der);
    assert_eq!(usual.key_pkcs8_der, TestCertificate::rsa_expired().key_pkcs8_der);
    assert_ne!(usual.key_pkcs8_der, other.key_pkcs8_der);
}

#[test]
fn pem_files_hold_what_they_say() {
    let rsa = TestCertificate::rsa();
    let elliptic = TestCertificate::elliptic();
    for certificate in [&rsa, &elliptic] {
        let read = CertificateDer::from_pem_slice(certificate.certificate_pem().as_bytes()).unwrap();
        assert_eq!(read.as_ref(), certificate.certificate_der);
        let read = PrivatePkcs8KeyDer::from_pem_slice(certificate.key_pem().as_bytes()).unwrap();
        assert_eq!(read.secret_pkcs8_der(), certificate.key_pkcs8_der);
    }
    let pkcs1 = PrivatePkcs1KeyDer::from_pem_slice(rsa.key_pkcs1_pem().as_bytes()).unwrap();
    assert!(rsa.key_pkcs8_der.ends_with(pkcs1.secret_pkcs1_der()));
    let provider = rustls::crypto::ring::default_provider();
    let key = provider.key_provider.load_private_key(PrivateKeyDer::Pkcs1(pkcs1)).unwrap();
    assert_eq!(key.algorithm(), rustls::SignatureAlgorithm::RSA);
}

#[test]
fn thumbprints_are_those_of_the_certificate() {
    let certificate = TestCertificate::rsa();
    assert_eq!((certificate.sha1().len(), certificate.sha256().len()), (40, 64));
    let digest = ring::digest::digest(&ring::digest::SHA256, &certificate.certificate_der);
    let hex: String = digest.as_ref().iter().map(|byte| format!("{byte:02X}")).collect();
    assert_eq!(certificate.sha256(), hex);
}

#[test]
fn pfx_files_open_with_their_password() {
    for certificate in [TestCertificate::rsa(), TestCertificate::elliptic()] {
        for modern in [true, false] {
            let pfx = certificate.pfx("a password", modern);
            let store = KeyStore::from_pkcs12(&pfx, "a password", Pkcs12ImportPolicy::Strict).unwrap();
            let (_, chain) = store.private_key_chain().unwrap();
            assert_eq!(chain.key().as_der(), certificate.key_pkcs8_der);
            assert_eq!(chain.certs()[0].as_der(), certificate.certificate_der);
            assert!(Pkcs12Archive::from_pkcs12(&pfx, "another").is_err());
        }
    }
}
