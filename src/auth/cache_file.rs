//! The content of the credential cache.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::credential::CachedCredential;
use super::encryption::encrypt;
use super::tenant::Tenant;
use crate::error::{Error, Result};
use crate::secret::SecretBytes;

/// The format version of the cache file.
const VERSION: u32 = 2;

/// The field that every format version has.
#[derive(Deserialize)]
struct VersionHeader {
    #[serde(default)]
    version: u64,
}

/// The content of the cache file.
#[derive(Default, Deserialize, Serialize)]
pub struct CacheFile {
    version: u32,
    pub profiles: BTreeMap<String, CachedCredential>,
}

/// Why the content of the cache file is not used.
#[derive(Debug)]
pub enum ParseError {
    /// A newer version wrote it. It must be left alone.
    Newer(String),
    /// It is damaged, or an older version wrote it.
    Damaged(String),
}

impl CacheFile {
    /// Parses the file's JSON. The error message does not quote the text, because it contains tokens.
    pub fn parse(text: &[u8]) -> Result<Self, ParseError> {
        let damaged = |error: serde_json::Error| {
            ParseError::Damaged(format!("it is damaged at line {}, column {}", error.line(), error.column()))
        };
        let VersionHeader { version } = serde_json::from_slice(text).map_err(damaged)?;
        let reason =
            format!("it was written by another version of mscommerce (format {version}; this version reads {VERSION})");
        match version.cmp(&u64::from(VERSION)) {
            Ordering::Less => Err(ParseError::Damaged(reason)),
            Ordering::Equal => serde_json::from_slice(text).map_err(damaged),
            Ordering::Greater => Err(ParseError::Newer(reason)),
        }
    }

    /// The bytes of the file, encrypted on Windows.
    pub fn encode(&mut self) -> Result<SecretBytes> {
        self.version = VERSION;
        let mut text = SecretBytes::default();
        serde_json::to_writer_pretty(&mut text, self).map_err(Error::from_source)?;
        encrypt(&text).map_err(|error| Error::from_source(error).context("Windows could not encrypt the sign-in"))
    }

    /// Removes the access token that expires first, if its profile can get a new one. Returns whether there was one.
    pub fn remove_oldest_token(&mut self) -> bool {
        let renewable = self.profiles.values_mut().filter(|credential| credential.refresh_token.is_some());
        let oldest = renewable
            .filter_map(|credential| {
                let (id, token) = credential.tenants.iter().min_by_key(|(_, token)| token.expiry.expires_at)?;
                Some((token.expiry.expires_at, id.clone(), credential))
            })
            .min_by_key(|(expires_at, ..)| *expires_at);
        oldest.is_some_and(|(_, id, credential)| credential.tenants.remove(&id).is_some())
    }

    /// The ID of a tenant, if a profile has a token for it that was requested under this name.
    pub fn tenant_id(&self, tenant: &Tenant) -> Option<String> {
        self.profiles.values().find_map(|credential| Some(credential.token_for(Some(tenant))?.0.to_owned()))
    }

    /// The names of the profiles, in alphabetical order.
    pub fn profile_names(&self) -> Vec<String> {
        self.profiles.keys().cloned().collect()
    }
}
