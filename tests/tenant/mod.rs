//! A stateful simulation of Microsoft Entra, the policy endpoint and the OIDC endpoint of GitHub Actions, on one local
//! port.
//!
//! Tests cannot reach the real services. The simulation is as strict as the wire contract allows: it rejects every
//! request that the real service rejects, with the same error.
//! Facts name their public source in brackets: *module* (the `MSCommerce` PowerShell module),
//! *article-2024* (Microsoft's article on it), *ED* (MicrosoftDocs/entra-docs), *permissions* (the public list
//! azure-ad-first-party-apps-permissions), *GitHub's reference* (of the tokens of its Actions), an RFC, or the number
//! of a public issue. What no public source shows is marked unverified.
//!
//! Entra is below `/{tenant}/oauth2/v2.0/`, the policy endpoint below `/v1.0/policies`, GitHub Actions below
//! `/github/oidc/`.

#![allow(
    dead_code,
    unused_imports,
    unreachable_pub,
    reason = "several test crates and an example include this module, and none of them uses all of it"
)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    reason = "a mistake in a test's own set-up should stop the test where it happens"
)]

mod application;
mod assertion;
mod authorize;
mod browser;
mod catalog;
pub mod certificates;
mod commerce;
mod controls;
mod device;
mod entra;
mod github;
mod metadata;
mod oauth_error;
mod response;
mod state;
mod token;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::{self, JoinHandle};

use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

pub use browser::{AuthorizePage, BrowserResponse, Form, authorize, post_form, send};
pub use catalog::{Product, default_offer_types, default_products};
pub use device::DeviceApproval;
pub use github::{GITHUB_ISSUER, GITHUB_SUBJECT};
pub use response::{Received, Response};
pub use state::Role;
pub use token::{claims_of, federated_token, header_of, jwt};

use state::TenantState;

/// The home tenant of the users.
pub const HOME_TENANT: &str = "11111111-1111-4111-8111-111111111111";
/// A domain of [`HOME_TENANT`].
pub const HOME_DOMAIN: &str = "contoso.example";
/// A customer's tenant, which the same users access as a partner.
pub const CUSTOMER_TENANT: &str = "22222222-2222-4222-8222-222222222222";
/// A domain of [`CUSTOMER_TENANT`].
pub const CUSTOMER_DOMAIN: &str = "fabrikam.example";

/// A Billing Administrator, and the default user who approves sign-ins.
pub const ADMIN: &str = "admin@contoso.example";
/// A Global Reader.
pub const READER: &str = "reader@contoso.example";
/// A user without any directory role.
pub const NOBODY: &str = "nobody@contoso.example";
/// A user who needs a second factor.
pub const MFA: &str = "mfa@contoso.example";
/// A user whose account is disabled.
pub const DISABLED: &str = "disabled@contoso.example";
/// A user who is locked out.
pub const LOCKED: &str = "locked@contoso.example";
/// A user whose password has expired.
pub const EXPIRED: &str = "expired@contoso.example";
/// The password of every user.
pub const PASSWORD: &str = "correct horse";

/// The public client \[module\].
pub const CLIENT_ID: &str = "3d5cffa9-04da-4657-8cab-c7f074657cad";
/// The resource: M365 License Manager \[module\].
pub const RESOURCE: &str = "aeb86249-8ea3-49e2-900b-54cc8e308f85";
/// The scope of the resource \[module\].
pub const SCOPE: &str = "aeb86249-8ea3-49e2-900b-54cc8e308f85/.default";

/// The application, which exists in every tenant.
pub const APP_ID: &str = "c0000000-0000-4000-8000-000000000001";
/// Its secret: length and characters of a real one, but secret scanners do not report it.
pub const APP_SECRET: &str = "Sim.u~lated-secret_of-nobody~for-tests.1";
/// The id of that secret, which people confuse with its value.
pub const APP_SECRET_ID: &str = "d1d1d1d1-d1d1-4d1d-8d1d-d1d1d1d1d1d1";
/// The application permission to read \[permissions\].
pub const READ_PERMISSION: &str = "Policy.Read.AllowSelfServicePurchase";
/// The application permission to read and update \[permissions\].
pub const CHANGE_PERMISSION: &str = "Policy.ReadWrite.AllowSelfServicePurchase";
/// The audience of federated tokens.
pub const FEDERATION_AUDIENCE: &str = "api://AzureADTokenExchange";

/// The only policy \[article-2024\].
pub const POLICY: &str = "AllowSelfServicePurchase";

/// A running simulation. It stops on drop.
pub struct SimulatedTenant {
    url: String,
    state: Arc<Mutex<TenantState>>,
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl SimulatedTenant {
    /// Starts the simulation on a free port.
    ///
    /// The server has its own thread: tests of the executable need no async runtime, and tests with one can use it
    /// from within.
    pub fn start() -> Self {
        let state = Arc::new(Mutex::new(TenantState::new()));
        let router = Router(Arc::clone(&state));
        let (ready, started) = mpsc::channel();
        let (stop, stopped) = mpsc::channel::<()>();
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime for the simulated tenant");
            let server = runtime.block_on(async {
                let server = MockServer::builder().disable_request_recording().start().await;
                Mock::given(any()).respond_with(router).mount(&server).await;
                server
            });
            if ready.send(server.uri()).is_ok() {
                // The sender was dropped: stop.
                let _ = stopped.recv();
            }
        });
        let url = started.recv().expect("the simulated tenant starts");
        Self { url, state, stop: Some(stop), thread: Some(thread) }
    }

    /// The URL of all services, `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// The requests since the start or the last [`SimulatedTenant::forget_requests`], in order of arrival.
    pub fn requests(&self) -> Vec<Received> {
        self.state().requests.clone()
    }

    /// Clears the request log.
    pub fn forget_requests(&self) {
        self.state().requests.clear();
    }

    fn state(&self) -> MutexGuard<'_, TenantState> {
        lock(&self.state)
    }
}

impl Drop for SimulatedTenant {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic in the thread has failed the test already; a second one while unwinding would abort.
            let _ = thread.join();
        }
    }
}

/// Routes requests to the services.
struct Router(Arc<Mutex<TenantState>>);

impl Respond for Router {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let received = Received::from(request);
        let mut state = lock(&self.0);
        state.requests.push(received.clone());
        let line = received.line();
        let queued = state.take_queued(&line);
        let response = match queued {
            Some(response) => response,
            None => route(&mut state, &received),
        };
        let response = match &state.rewrite {
            Some(rewrite) => rewrite(&received, response),
            None => response,
        };
        let delay = response.delay.unwrap_or_default() + state.delay;
        if delay.is_zero() { response.into() } else { response.after(delay).into() }
    }
}

fn route(state: &mut TenantState, request: &Received) -> Response {
    let segments = request.segments();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    match segments.as_slice() {
        ["v1.0", "policies", rest @ ..] => commerce::respond(state, request, rest),
        [tenant, "v2.0", ".well-known", "openid-configuration"] => metadata::respond(state, request, tenant),
        [tenant, "oauth2", "v2.0", endpoint] => entra::respond(state, request, tenant, endpoint),
        ["github", "oidc", endpoint] => github::respond(request, endpoint),
        _ => Response::text(404, "text/plain", ""),
    }
}

/// A poisoned lock is usable: panics happen before any change of state.
fn lock(state: &Mutex<TenantState>) -> MutexGuard<'_, TenantState> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
