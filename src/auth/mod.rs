//! The access token: the ways of signing in, the saved sign-ins, and which of them serves a command.

mod application;
pub mod browser;
mod cache;
mod claims;
mod connect_command;
mod entra;
mod metadata;
mod permission;
#[cfg(any(fuzzing, test))]
pub mod properties;
mod refusal;
mod session;
mod tenant;
mod transport;

pub use application::{
    ArgSource, CertificateFile, ClientAuth, ClientCredentials, FederatedToken, GITHUB_TOKEN, GITHUB_URL,
    PasswordRequired,
};
pub use cache::{CachedCredential, SignInMethod, TokenCache};
pub use claims::{Claims, is_bearer_token};
pub use connect_command::{DEFAULT_CLIENT_ID, DEFAULT_PROFILE, SignInCommand};
pub use entra::{Entra, TokenResponse};
pub use metadata::metadata;
pub use permission::{Access, foreign_audience, missing as missing_role};
pub use session::{
    ApplicationCredential, Credential, ProfileCredential, ProfileStore, Session, Source, StaticToken, Status,
    TOKEN_VARIABLE,
};
pub use tenant::{ORGANIZATIONS, Tenant};
