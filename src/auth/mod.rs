//! Authentication: sign-in methods, the credential cache, and the session that supplies access tokens.

mod advice;
mod application;
mod arg_source;
mod browser;
mod cache;
mod cache_file;
mod certificate;
mod claims;
mod credential;
mod device_code;
#[cfg(windows)]
mod dpapi;
mod encryption;
mod entra;
mod environment;
mod expiry;
mod federated;
mod landing;
mod loopback;
mod oauth_error;
mod pem;
mod permissions;
mod profile;
mod profile_store;
#[cfg(any(fuzzing, test))]
pub mod proptests;
mod session;
mod sign_in_command;
mod tenant;
mod token_response;
mod work_factor;

pub use application::{ApplicationCredential, ClientAuth, ClientCredentials};
pub use browser::{can_open_browser, is_ssh_session, open_browser};
pub use cache::{CACHE_FILE, TokenCache};
pub use certificate::{CertificateFile, PasswordRequired};
pub use claims::Claims;
pub use credential::{CachedCredential, SignInMethod, Source, Status};
pub use entra::{AuthorizationRequest, Entra, TokenResponse};
pub use environment::{
    ClientAuthArgs, EnvApplication, TENANT_VARIABLE, client_auth_for_connect, client_id_for_connect, env_application,
};
pub use expiry::{Expiry, clock_detail};
pub use landing::Page;
pub use loopback::{RedirectListener, RedirectResult};
pub use oauth_error::OAuthError;
pub use permissions::{Access, check_roles, foreign_audience};
pub use profile::ProfileCredential;
pub use profile_store::ProfileStore;
pub use session::{Credential, Session, StaticToken, TOKEN_VARIABLE};
pub use sign_in_command::{DEFAULT_CLIENT_ID, DEFAULT_PROFILE, SignInCommand};
pub use tenant::{ORGANIZATIONS, Tenant};
