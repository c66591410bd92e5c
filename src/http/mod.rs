//! The HTTP client: bounded responses, retries, one deadline for the whole command, no redirects, and errors with
//! hints.

mod client;
mod diagnostics;
mod dns;
mod error;
#[cfg(any(fuzzing, test))]
pub mod proptests;
mod proxy;
mod request_secrets;
mod reqwest_clients;
mod response;
mod retry;
mod tls;
mod trace;
mod transport_error;

pub use client::{Client, new_correlation_id};
pub use diagnostics::{Route, TcpConnection};
pub use dns::is_loopback;
pub use error::{Delivery, Effect, HttpError, host_and_port, may_have_user_info};
pub use response::Response;
pub use retry::{RetryPolicy, is_transient_status};
pub use tls::describe_roots;

/// The header that identifies a request in the logs of the client and the service (MSCommerce module).
pub const CORRELATION_ID: &str = "x-ms-correlation-id";
