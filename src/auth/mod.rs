//! The access token: the ways of signing in, the saved sign-ins, and which of them serves a command.

mod application;
pub(crate) mod browser;
mod cache;
mod claims;
mod connect_command;
mod entra;
mod metadata;
mod permission;
#[cfg(any(fuzzing, test))]
pub(crate) mod properties;
mod refusal;
mod session;
mod tenant;
mod transport;

pub(crate) use application::{
    Application, CertificateFile, Federated, GITHUB_TOKEN, GITHUB_URL, Origin, PasswordNeeded, Proof,
};
pub(crate) use cache::{Method, SignIn, Store};
pub(crate) use claims::{Claims, is_token};
pub(crate) use connect_command::{ConnectCommand, DEFAULT_CLIENT_ID, DEFAULT_PROFILE};
pub(crate) use entra::{Entra, Grant};
pub(crate) use metadata::metadata;
pub(crate) use permission::{another_service, missing as missing_permission};
pub(crate) use session::{
    ApplicationSignIn, At, EnvironmentToken, Holder, SavedSignIn, Session, SignedIn, Source, Status, TOKEN_VARIABLE,
};
pub(crate) use tenant::{ORGANIZATIONS, Tenant};
