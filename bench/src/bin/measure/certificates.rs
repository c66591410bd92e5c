//! A root certificate and a server certificate for one run.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;

use crate::Result;

/// The test root and the TLS configuration of the server.
pub(crate) struct TestCa {
    /// The root certificate, in PEM.
    pub(crate) root_pem: String,
    pub(crate) server_config: Arc<ServerConfig>,
}

impl TestCa {
    /// Creates a root and a certificate for `localhost`, with P-256 keys like those of Microsoft's servers.
    pub(crate) fn new() -> Result<Self> {
        let mut root = CertificateParams::new(Vec::new())?;
        root.distinguished_name.push(DnType::CommonName, "mscommerce benchmark");
        root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // Python rejects a root without key usages.
        root.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let root_key = KeyPair::generate()?;
        let root_pem = root.self_signed(&root_key)?.pem();
        let issuer = Issuer::new(root, root_key);

        let mut leaf = CertificateParams::new(vec!["localhost".to_owned()])?;
        leaf.use_authority_key_identifier_extension = true;
        let leaf_key = KeyPair::generate()?;
        let certificate = leaf.signed_by(&leaf_key, &issuer)?.der().clone();
        let key = PrivateKeyDer::try_from(leaf_key.serialize_der())?;
        let server_config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)?;
        Ok(Self { root_pem, server_config: Arc::new(server_config) })
    }
}
