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
    Application, CertificateFile, Federated, GITHUB_TOKEN, GITHUB_URL, Origin, PasswordNeeded, Proof,
};
pub use cache::{Method, SignIn, Store};
pub use claims::{Claims, is_token};
pub use connect_command::{ConnectCommand, DEFAULT_CLIENT_ID, DEFAULT_PROFILE};
pub use entra::{Entra, Grant};
pub use metadata::metadata;
pub use permission::{another_service, missing as missing_permission};
pub use session::{
    ApplicationSignIn, At, EnvironmentToken, Holder, SavedSignIn, Session, SignedIn, Source, Status, TOKEN_VARIABLE,
};
pub use tenant::{ORGANIZATIONS, Tenant};
