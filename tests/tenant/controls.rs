//! How tests inspect and change the simulated tenant.

use std::time::Duration;

use serde_json::{Map, Value};

use super::state::{QueuedResponse, Tenant};
use super::{DeviceApproval, HOME_TENANT, Product, Received, Response, Role, SimulatedTenant, token};

/// The number of attempts of a request that keeps failing.
const TRIES: usize = 5;

impl SimulatedTenant {
    /// Adds a tenant with the default catalog, which the same users and the application can access.
    pub fn add_tenant(&self, id: &str, domain: &str) {
        let mut state = self.state();
        for name in [id, domain] {
            assert!(state.tenant_named(name).is_none(), "there is a simulated tenant {name} already");
        }
        state.tenants.push(Tenant::new(id, domain));
    }

    /// The current value of a product or offer type in the home tenant.
    pub fn value(&self, id: &str) -> String {
        self.value_in(HOME_TENANT, id)
    }

    /// The current value of a product or offer type in this tenant.
    pub fn value_in(&self, tenant_id: &str, id: &str) -> String {
        self.state().entry(tenant_id, id).value.clone()
    }

    /// Sets a product or offer type of the home tenant to any value, known or not.
    pub fn set_value(&self, id: &str, value: &str) {
        self.set_value_in(HOME_TENANT, id, value);
    }

    /// Sets a product or offer type of this tenant to any value.
    pub fn set_value_in(&self, tenant_id: &str, id: &str, value: &str) {
        value.clone_into(&mut self.state().entry(tenant_id, id).value);
    }

    /// Replaces the products of the home tenant.
    pub fn set_products(&self, products: Vec<Product>) {
        self.set_products_in(HOME_TENANT, products);
    }

    /// Replaces the products of this tenant.
    pub fn set_products_in(&self, tenant_id: &str, products: Vec<Product>) {
        self.state().tenant(tenant_id).products = products;
    }

    /// Replaces the offer types of the home tenant.
    pub fn set_offer_types(&self, offer_types: Vec<Product>) {
        self.state().tenant(HOME_TENANT).offer_types = offer_types;
    }

    /// Adds fields to the policy, or replaces them.
    pub fn set_policy_extra(&self, extra: Map<String, Value>) {
        self.state().policy_extra = extra;
    }

    /// Sets the user who approves browser and device code sign-ins.
    pub fn set_approving_user(&self, user: &str) {
        let mut state = self.state();
        state.approving_user = state.user(user).name;
    }

    /// Sets the directory role of a user. It applies to existing tokens as well.
    pub fn set_role(&self, user: &str, role: Role) {
        self.state().user(user).role = role;
    }

    /// Issues a valid access token. A negative lifetime makes it expired.
    pub fn issue_token(&self, user: &str, tenant_id: &str, lifetime_seconds: i64) -> String {
        let mut state = self.state();
        let user = state.user(user).clone();
        token::access_token(&mut state, &user, tenant_id, lifetime_seconds)
    }

    /// Sets the lifetime of new access tokens.
    pub fn set_token_lifetime(&self, seconds: i64) {
        self.state().token_lifetime = seconds;
    }

    /// Makes the policy endpoint reject all existing access tokens.
    pub fn revoke_access_tokens(&self) {
        for token in self.state().access_tokens.values_mut() {
            token.revoked = true;
        }
    }

    /// Makes Entra reject all existing refresh tokens.
    pub fn revoke_refresh_tokens(&self) {
        for token in self.state().refresh_tokens.values_mut() {
            token.revoked = true;
        }
    }

    /// All issued secrets: access and refresh tokens, authorization and device codes.
    pub fn issued_secrets(&self) -> Vec<String> {
        let state = self.state();
        let tokens = state.access_tokens.keys().chain(state.refresh_tokens.keys());
        tokens.chain(state.authorization_codes.keys()).chain(state.device_codes.keys()).cloned().collect()
    }

    /// Sets the result of new device codes.
    pub fn device_approval(&self, approval: DeviceApproval) {
        self.state().device_approval = approval;
    }

    /// Sets the poll interval in a device code response (default 1). `None` omits it.
    pub fn set_device_interval(&self, seconds: impl Into<Option<u64>>) {
        self.state().device_interval = seconds.into();
    }

    /// Responds with this to the next request whose `METHOD path?query` contains the text; the request has no effect. A
    /// transient error without `Retry-After` lasts for all retries of that request.
    ///
    /// Several responses can be queued. The earliest one that matches is used.
    pub fn fail_next(&self, path_contains: &str, response: Response) {
        let asks_to_wait = response.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("retry-after"));
        let times = match response.status {
            _ if asks_to_wait => 1,
            // Only `--timeout` limits the retries.
            429 => usize::MAX,
            408 | 500 | 502 | 503 | 504 => TRIES,
            _ => 1,
        };
        self.fail_times(times, path_contains, response);
    }

    /// Responds with this to the next request whose `METHOD path?query` contains the text, and to its retries, up to this
    /// number of times.
    pub fn fail_times(&self, left: usize, path_contains: &str, response: Response) {
        let path_contains = path_contains.to_owned();
        self.state().queued.push(QueuedResponse { path_contains, response, left, line: None });
    }

    /// Changes every response with this function of the request and the response.
    pub fn rewrite_responses(&self, rewrite: impl Fn(&Received, Response) -> Response + Send + 'static) {
        self.state().rewrite = Some(Box::new(rewrite));
    }

    /// Delays every response, in addition to its own delay.
    pub fn set_delay(&self, delay: Duration) {
        self.state().delay = delay;
    }

    /// Makes updates succeed without effect: the response shows the old value.
    pub fn misreport_updates(&self, on: bool) {
        self.state().misreport_updates = on;
    }
}
