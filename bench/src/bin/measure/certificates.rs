//! A certificate authority for one run, and a server's certificate of it.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;

use crate::Result;

/// The authority's certificate, and what its server needs.
pub(crate) struct Authority {
    /// The certificate to trust.
    pub(crate) pem: String,
    pub(crate) server: Arc<ServerConfig>,
}

impl Authority {
    /// An authority with a certificate for `localhost`, both with keys on the curve P-256, as Microsoft's servers have.
    pub(crate) fn new() -> Result<Self> {
        let mut root = CertificateParams::new(Vec::new())?;
        root.distinguished_name.push(DnType::CommonName, "mscommerce benchmark");
        root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // Python refuses an authority that does not say what it is for.
        root.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let root_key = KeyPair::generate()?;
        let pem = root.self_signed(&root_key)?.pem();
        let issuer = Issuer::new(root, root_key);

        let mut leaf = CertificateParams::new(vec!["localhost".to_owned()])?;
        leaf.use_authority_key_identifier_extension = true;
        let leaf_key = KeyPair::generate()?;
        let certificate = leaf.signed_by(&leaf_key, &issuer)?.der().clone();
        let key = PrivateKeyDer::try_from(leaf_key.serialize_der())?;
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)?;
        Ok(Self { pem, server: Arc::new(config) })
    }
}
