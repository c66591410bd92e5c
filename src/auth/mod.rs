//! The access token: the ways of signing in, the saved sign-ins, and which of them serves a command.

mod application;
pub mod browser;
mod cache;
mod certificate;
mod claims;
mod credential;
#[cfg(windows)]
mod dpapi;
mod entra;
mod environment;
mod federated;
mod landing;
mod loopback;
mod metadata;
mod oauth_error;
mod permissions;
mod profile;
#[cfg(any(fuzzing, test))]
pub mod properties;
#[cfg(any(fuzzing, test))]
mod proptests;
mod session;
mod sign_in_command;
mod tenant;
mod transport;

pub use application::{ClientAuth, ClientCredentials};
pub use cache::TokenCache;
pub use certificate::{CertificateFile, PasswordRequired};
pub use claims::{Claims, is_bearer_token};
pub use credential::{CachedCredential, SignInMethod};
pub use entra::{Entra, TokenResponse};
pub use environment::{ClientAuthArgs, EnvApplication};
pub use metadata::metadata;
pub use permissions::{Access, foreign_audience, missing as missing_role};
pub use profile::{ProfileCredential, ProfileStore};
pub use session::{ApplicationCredential, Credential, Session, Source, StaticToken, Status, TOKEN_VARIABLE};
pub use sign_in_command::{DEFAULT_CLIENT_ID, DEFAULT_PROFILE, SignInCommand};
pub use tenant::{ORGANIZATIONS, Tenant};
