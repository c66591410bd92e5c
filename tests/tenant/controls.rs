//! What tests see of the world, and what they can change in it.

use std::time::Duration;

use serde_json::{Map, Value};

use super::state::{QueuedResponse, Tenant};
use super::{DeviceApproval, HOME_TENANT, Product, Response, Role, SimulatedTenant, token};

/// How often a request is tried that keeps failing.
const TRIES: usize = 5;

impl SimulatedTenant {
    /// Adds a tenant with the default catalog, where the same users and the application act.
    pub fn add_tenant(&self, id: &str, domain: &str) {
        let mut state = self.state();
        for name in [id, domain] {
            assert!(state.tenant_named(name).is_none(), "there is a simulated tenant {name} already");
        }
        state.tenants.push(Tenant::new(id, domain));
    }

    /// The value that a product or an offer type of the home tenant has now.
    pub fn value(&self, id: &str) -> String {
        self.value_in(HOME_TENANT, id)
    }

    /// The value that a product or an offer type of the given tenant has now.
    pub fn value_in(&self, tenant_id: &str, id: &str) -> String {
        self.state().entry(tenant_id, id).value.clone()
    }

    /// Gives a product or an offer type of the home tenant any value, known or not.
    pub fn set_value(&self, id: &str, value: &str) {
        self.set_value_in(HOME_TENANT, id, value);
    }

    /// The same in the given tenant.
    pub fn set_value_in(&self, tenant_id: &str, id: &str, value: &str) {
        value.clone_into(&mut self.state().entry(tenant_id, id).value);
    }

    /// Replaces the products of the home tenant.
    pub fn set_products(&self, products: Vec<Product>) {
        self.set_products_in(HOME_TENANT, products);
    }

    /// Replaces the products of the given tenant.
    pub fn set_products_in(&self, tenant_id: &str, products: Vec<Product>) {
        self.state().tenant(tenant_id).products = products;
    }

    /// Replaces the offer types of the home tenant.
    pub fn set_offer_types(&self, offer_types: Vec<Product>) {
        self.state().tenant(HOME_TENANT).offer_types = offer_types;
    }

    /// Serves further members in the policy; one of a known name replaces the usual one.
    pub fn set_policy_extra(&self, extra: Map<String, Value>) {
        self.state().policy_extra = extra;
    }

    /// Chooses the user who approves sign-ins by browser and by device code.
    pub fn set_approving_user(&self, user: &str) {
        let mut state = self.state();
        state.approving_user = state.user(user).name;
    }

    /// Gives a user another directory role; it holds at once, for tokens issued earlier too.
    pub fn set_role(&self, user: &str, role: Role) {
        self.state().user(user).role = role;
    }

    /// An access token that the commerce endpoint accepts; one with a negative lifetime is expired already.
    pub fn issue_token(&self, user: &str, tenant_id: &str, lifetime_seconds: i64) -> String {
        let mut state = self.state();
        let user = state.user(user).clone();
        token::access_token(&mut state, &user, tenant_id, lifetime_seconds)
    }

    /// Sets the lifetime of the access tokens issued from now on.
    pub fn set_token_lifetime(&self, seconds: i64) {
        self.state().token_lifetime = seconds;
    }

    /// Makes the commerce endpoint refuse every access token issued so far.
    pub fn revoke_access_tokens(&self) {
        for token in self.state().access_tokens.values_mut() {
            token.revoked = true;
        }
    }

    /// Makes Entra refuse every refresh token issued so far.
    pub fn revoke_refresh_tokens(&self) {
        for token in self.state().refresh_tokens.values_mut() {
            token.revoked = true;
        }
    }

    /// Everything secret that was issued so far: access and refresh tokens, authorization and device codes.
    pub fn issued_secrets(&self) -> Vec<String> {
        let state = self.state();
        let tokens = state.access_tokens.keys().chain(state.refresh_tokens.keys());
        tokens.chain(state.authorization_codes.keys()).chain(state.device_codes.keys()).cloned().collect()
    }

    /// What becomes of device codes from now on.
    pub fn device_approval(&self, approval: DeviceApproval) {
        self.state().device_approval = approval;
    }

    /// The seconds between polls that a device code answer asks for (0 at first), or `None` to leave it out.
    pub fn set_device_interval(&self, seconds: impl Into<Option<u64>>) {
        self.state().device_interval = seconds.into();
    }

    /// Gives the next request whose `METHOD path?query` contains the text this answer, and no other effect. A fault that
    /// may pass does not, however often the request is repeated; where it asks to wait, it has passed then.
    ///
    /// Several may be waiting; each serves one request, the earliest that fits first.
    pub fn fail_next(&self, path_contains: &str, response: Response) {
        let asks_to_wait = response.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("retry-after"));
        let may_pass = matches!(response.status, 408 | 429 | 500 | 502 | 503 | 504) && !asks_to_wait;
        self.fail_times(if may_pass { TRIES } else { 1 }, path_contains, response);
    }

    /// Gives the next request whose `METHOD path?query` contains the text this answer, and so often.
    pub fn fail_times(&self, left: usize, path_contains: &str, response: Response) {
        let path_contains = path_contains.to_owned();
        self.state().queued.push(QueuedResponse { path_contains, response, left, line: None });
    }

    /// Lets every answer take so long, besides what an answer of its own asks for.
    pub fn set_delay(&self, delay: Duration) {
        self.state().delay = delay;
    }

    /// Lets changes be accepted without effect: the answer shows the old value, which stays.
    pub fn misreport_updates(&self, on: bool) {
        self.state().misreport_updates = on;
    }
}
