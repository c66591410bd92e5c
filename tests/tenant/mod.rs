//! A simulated tenant: Microsoft Entra and the commerce policy endpoint, with state, on one local address.
//!
//! The real services cannot be reached from a test, so this world stands in for them and is as strict as the
//! wire contract allows: a request that the real service would refuse is refused here with the same error.
//! Facts carry the name of their public source in brackets: *module* (the `MSCommerce` PowerShell module),
//! *article-2024* (Microsoft's article on it), *ED* (MicrosoftDocs/entra-docs), *RFC 8628*, or the number of a
//! public issue. What no public source shows is marked unverified.
//!
//! The two services never collide: Entra lives under `/{tenant}/oauth2/v2.0/`, commerce under `/v1.0/policies`.

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

mod answer;
mod authorize;
mod browser;
mod catalog;
mod commerce;
mod device;
mod entra;
mod refusal;
mod token;
mod world;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde_json::{Map, Value};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

pub use answer::{Answer, Received};
pub use browser::{AuthorizePage, Form, Reply, authorize, post_form, send};
pub use catalog::{Product, default_offer_types, default_products};
pub use device::DeviceApproval;
pub use token::{claims_of, jwt};
pub use world::Role;

use world::World;

/// The tenant the users belong to.
pub const HOME_TENANT: &str = "11111111-1111-4111-8111-111111111111";
/// A domain of [`HOME_TENANT`].
pub const HOME_DOMAIN: &str = "contoso.example";
/// A customer's tenant, where the same users act as a partner.
pub const CUSTOMER_TENANT: &str = "22222222-2222-4222-8222-222222222222";
/// A domain of [`CUSTOMER_TENANT`].
pub const CUSTOMER_DOMAIN: &str = "fabrikam.example";

/// A Billing Administrator; approves sign-ins unless [`Tenant::sign_in_as`] says otherwise.
pub const ADMIN: &str = "admin@contoso.example";
/// A Global Reader.
pub const READER: &str = "reader@contoso.example";
/// A user without any directory role.
pub const NOBODY: &str = "nobody@contoso.example";
/// A user whose password alone is not enough.
pub const MFA: &str = "mfa@contoso.example";
/// A user whose account is disabled.
pub const DISABLED: &str = "disabled@contoso.example";
/// A user who is locked out.
pub const LOCKED: &str = "locked@contoso.example";
/// A user whose password has expired.
pub const EXPIRED: &str = "expired@contoso.example";
/// The password of every user.
pub const PASSWORD: &str = "correct horse";

/// The public client that may sign in here \[module\].
pub const CLIENT_ID: &str = "3d5cffa9-04da-4657-8cab-c7f074657cad";
/// The resource that tokens are for: M365 License Manager \[module\].
pub const RESOURCE: &str = "aeb86249-8ea3-49e2-900b-54cc8e308f85";
/// The scope to ask for, besides the `OpenID` ones \[module\].
pub const SCOPE: &str = "aeb86249-8ea3-49e2-900b-54cc8e308f85/.default";
/// The only policy there is \[article-2024\].
pub const POLICY: &str = "AllowSelfServicePurchase";

/// A running world; it ends when this is dropped.
pub struct Tenant {
    url: String,
    world: Arc<Mutex<World>>,
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Tenant {
    /// Starts the default world on a free port.
    ///
    /// The server lives on a thread of its own, so tests that drive an executable need no async runtime and
    /// tests that have one may use this from within it.
    pub fn start() -> Self {
        let world = Arc::new(Mutex::new(World::new()));
        let router = Router(Arc::clone(&world));
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
                // The error that ends this wait is the signal: the other end was dropped.
                let _ = stopped.recv();
            }
        });
        let url = started.recv().expect("the simulated tenant starts");
        Self { url, world, stop: Some(stop), thread: Some(thread) }
    }

    /// The address of both services, `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// Every request since the start or the last [`Tenant::forget_requests`], in order of arrival.
    pub fn requests(&self) -> Vec<Received> {
        self.world().requests.clone()
    }

    /// Empties the record of requests.
    pub fn forget_requests(&self) {
        self.world().requests.clear();
    }

    /// The value that a product or an offer type of the home tenant has now.
    pub fn value_of(&self, id: &str) -> String {
        self.value_at(HOME_TENANT, id)
    }

    /// The value that a product or an offer type of the given tenant has now.
    pub fn value_at(&self, tenant_id: &str, id: &str) -> String {
        self.world().entry(tenant_id, id).value.clone()
    }

    /// Gives a product or an offer type of the home tenant any value, known or not.
    pub fn set_value(&self, id: &str, value: &str) {
        value.clone_into(&mut self.world().entry(HOME_TENANT, id).value);
    }

    /// Replaces the products of the home tenant.
    pub fn set_products(&self, products: Vec<Product>) {
        self.world().directory(HOME_TENANT).products = products;
    }

    /// Replaces the offer types of the home tenant.
    pub fn set_offer_types(&self, offer_types: Vec<Product>) {
        self.world().directory(HOME_TENANT).offer_types = offer_types;
    }

    /// Serves further members in the policy; one of a known name replaces the usual one.
    pub fn set_policy_extra(&self, extra: Map<String, Value>) {
        self.world().policy_extra = extra;
    }

    /// Chooses the user who approves sign-ins by browser and by device code.
    pub fn sign_in_as(&self, user: &str) {
        let mut world = self.world();
        world.signing_in = world.user(user).name;
    }

    /// Gives a user another directory role; it holds at once, for tokens issued earlier too.
    pub fn set_role(&self, user: &str, role: Role) {
        self.world().user(user).role = role;
    }

    /// An access token that the commerce endpoint accepts; one with a negative lifetime is expired already.
    pub fn mint(&self, user: &str, tenant_id: &str, lifetime_seconds: i64) -> String {
        let mut world = self.world();
        let user = world.user(user).clone();
        token::access_token(&mut world, &user, tenant_id, lifetime_seconds)
    }

    /// Sets the lifetime of the access tokens issued from now on.
    pub fn set_token_lifetime(&self, seconds: i64) {
        self.world().token_lifetime = seconds;
    }

    /// Makes the commerce endpoint refuse every access token issued so far.
    pub fn revoke_access_tokens(&self) {
        for token in self.world().access_tokens.values_mut() {
            token.revoked = true;
        }
    }

    /// Makes Entra refuse every refresh token issued so far.
    pub fn revoke_refresh_tokens(&self) {
        for token in self.world().refresh_tokens.values_mut() {
            token.revoked = true;
        }
    }

    /// What becomes of device codes from now on.
    pub fn device_approval(&self, approval: DeviceApproval) {
        self.world().device_approval = approval;
    }

    /// The seconds between polls that a device code answer asks for (0 at first), or `None` to leave it out.
    pub fn set_device_interval(&self, seconds: impl Into<Option<u64>>) {
        self.world().device_interval = seconds.into();
    }

    /// Gives the next request whose `METHOD path?query` contains the text this answer, and no other effect.
    ///
    /// Several may be waiting; each serves one request, the earliest that fits first.
    pub fn fail_next(&self, path_contains: &str, answer: Answer) {
        self.world().canned.push_back((path_contains.to_owned(), answer));
    }

    /// Lets every answer take so long, besides what an answer of its own asks for.
    pub fn set_delay(&self, delay: Duration) {
        self.world().delay = delay;
    }

    /// Lets changes be accepted without effect: the answer shows the old value, which stays.
    pub fn misreport_updates(&self, on: bool) {
        self.world().misreport_updates = on;
    }

    fn world(&self) -> MutexGuard<'_, World> {
        lock(&self.world)
    }
}

impl Drop for Tenant {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A failure over there has failed the test already; a second panic while unwinding would abort it.
            let _ = thread.join();
        }
    }
}

/// Sends each request to the service it is for.
struct Router(Arc<Mutex<World>>);

impl Respond for Router {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let received = Received::from(request);
        let mut world = lock(&self.0);
        world.requests.push(received.clone());
        let line = received.line();
        let canned = world
            .canned
            .iter()
            .position(|(wanted, _)| line.contains(wanted.as_str()))
            .and_then(|index| world.canned.remove(index));
        let answer = match canned {
            Some((_, answer)) => answer,
            None => route(&mut world, &received),
        };
        let delay = answer.delay.unwrap_or_default() + world.delay;
        if delay.is_zero() { answer.into() } else { answer.after(delay).into() }
    }
}

fn route(world: &mut World, request: &Received) -> Answer {
    let segments = request.segments();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    match segments.as_slice() {
        ["v1.0", "policies", rest @ ..] => commerce::answer(world, request, rest),
        [tenant, "oauth2", "v2.0", endpoint] => entra::answer(world, request, tenant, endpoint),
        _ => Answer::text(404, "text/plain", ""),
    }
}

/// A test that names something unknown panics before it changes anything, so the world stays usable.
fn lock(world: &Mutex<World>) -> MutexGuard<'_, World> {
    world.lock().unwrap_or_else(PoisonError::into_inner)
}
