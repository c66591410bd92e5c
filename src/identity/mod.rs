//! The access token: the ways of signing in, the saved sign-ins, and which of them serves a command.

pub(crate) mod browser;
mod cache;
mod claims;
mod connect_command;
mod entra;
mod refusal;
mod session;
mod tenant;
mod transport;

pub(crate) use cache::{Method, SignIn, Store};
pub(crate) use claims::{Claims, is_token};
pub(crate) use connect_command::{ConnectCommand, DEFAULT_CLIENT_ID, DEFAULT_PROFILE};
pub(crate) use entra::{Entra, Grant};
pub(crate) use session::{EnvironmentToken, SavedSignIn, Session, Source, Status, TOKEN_VARIABLE};
pub(crate) use tenant::{ORGANIZATIONS, Tenant};
