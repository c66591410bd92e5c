//! Both services on one address, with the state of a small tenant and the faults of a schedule.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;

use chrono::Utc;
use serde_json::{Value, json};

use rustix::process::{Pid, Signal, kill_process};

use super::schedule::{Fault, Interruption, Item, RequestPlan, Schedule};
use crate::support::server::{Connection, Server, http_response};
use crate::tenant::{ADMIN, CLIENT_ID, HOME_TENANT, RESOURCE, Received, SCOPE, jwt};

const PRODUCTS: &str = "/v1.0/policies/AllowSelfServicePurchase/products";

/// An access token and the refresh token that was issued with it.
#[derive(Clone, Debug)]
pub(super) struct TokenPair {
    pub(super) access: String,
    pub(super) refresh: String,
    is_revoked: bool,
}

/// The state of the services, and a log of what happened to them.
pub(super) struct TenantState {
    schedule: Arc<Schedule>,
    pub(super) items: Vec<Item>,
    /// The issued tokens, oldest first.
    pub(super) pairs: Vec<TokenPair>,
    /// Every request that was read since the faults began.
    pub(super) requests: Vec<Received>,
    /// The ids of the items whose value changed.
    pub(super) applied: Vec<String>,
    /// Correlation id and item id of each update that got a complete 200 response.
    pub(super) confirmed: BTreeSet<(String, String)>,
    /// The requests with a 429 response, whose number is not limited.
    pub(super) rate_limited: Vec<Received>,
    /// The number of requests whose access token was rejected.
    pub(super) rejected_tokens: usize,
    has_faults: bool,
    /// The process that an interruption signals.
    pub(super) process: Option<Pid>,
    connections: usize,
    arrivals: BTreeMap<String, usize>,
    commerce_requests: usize,
}

pub(super) struct Service {
    server: Option<Server>,
    pub(super) url: String,
    state: Arc<Mutex<TenantState>>,
}

impl Service {
    pub(super) fn start(schedule: &Arc<Schedule>) -> Self {
        let state = TenantState {
            schedule: Arc::clone(schedule),
            items: schedule.items.clone(),
            pairs: vec![issue_pair(0)],
            requests: Vec::new(),
            rate_limited: Vec::new(),
            applied: Vec::new(),
            confirmed: BTreeSet::new(),
            rejected_tokens: 0,
            has_faults: false,
            process: None,
            connections: 0,
            arrivals: BTreeMap::new(),
            commerce_requests: 0,
        };
        let state = Arc::new(Mutex::new(state));
        let server = {
            let state = Arc::clone(&state);
            Server::start(move |connection| serve(connection, &state))
        };
        Self { url: server.http(), server: Some(server), state }
    }

    /// Waits until every request is processed. The clients must have exited.
    pub(super) fn finish(&mut self) {
        self.server.take().map(Server::finish);
    }

    pub(super) fn state(&self) -> MutexGuard<'_, TenantState> {
        self.state.lock().unwrap()
    }

    /// The token cache that the program writes after a sign-in at this service.
    pub(super) fn token_cache(&self, lifetime: i64) -> Value {
        let TokenPair { access, refresh, .. } = self.state().pairs[0].clone();
        let expires_at = Utc::now() + chrono::Duration::seconds(lifetime);
        json!({ "version": 2, "profiles": { "default": {
            "account": ADMIN,
            "tenantId": HOME_TENANT,
            "method": "password",
            "authority": self.url,
            "clientId": CLIENT_ID,
            "scope": SCOPE,
            "refreshToken": refresh,
            "tenants": { HOME_TENANT: { "accessToken": access, "expiresAt": expires_at } },
        } } })
    }
}

fn issue_pair(number: usize) -> TokenPair {
    let now = Utc::now().timestamp();
    let claims = json!({
        "aud": RESOURCE, "tid": HOME_TENANT, "upn": ADMIN, "appid": CLIENT_ID, "iat": now, "nbf": now,
        "exp": now + 3600, "scp": "LicenseManager.AccessAsUser", "uti": number,
    });
    TokenPair { access: jwt(&claims), refresh: format!("refresh-token-of-the-schedule-{number}"), is_revoked: false }
}

impl TenantState {
    /// Starts the faults, with an empty log.
    pub(super) fn enable_faults(&mut self) {
        self.has_faults = true;
        self.clear_log();
    }

    /// Ends the faults, with an empty log.
    pub(super) fn disable_faults(&mut self) {
        self.has_faults = false;
        self.clear_log();
    }

    fn clear_log(&mut self) {
        self.requests.clear();
        self.rate_limited.clear();
        self.applied.clear();
        self.confirmed.clear();
        self.rejected_tokens = 0;
    }

    pub(super) fn set(&mut self, id: &str, value: &str) {
        let item = self.items.iter_mut().find(|item| item.id == id).unwrap();
        value.clone_into(&mut item.value);
    }

    pub(super) fn values(&self) -> BTreeMap<String, String> {
        self.items.iter().map(|item| (item.id.clone(), item.value.clone())).collect()
    }

    fn is_reset(&mut self) -> bool {
        self.connections += 1;
        self.has_faults && self.schedule.is_reset(self.connections)
    }

    fn plan(&mut self, request: &Received) -> RequestPlan {
        self.requests.push(request.clone());
        if !self.has_faults {
            return RequestPlan { is_applied: true, ..RequestPlan::default() };
        }
        let mut signals = Vec::new();
        if let Some((kind, _)) = self.schedule.interruption.filter(|(_, nth)| *nth == self.requests.len()) {
            signals = match kind {
                Interruption::Interrupt => vec![Signal::INT],
                Interruption::InterruptTwice => vec![Signal::INT, Signal::INT],
                Interruption::Kill => vec![Signal::KILL],
            };
        }
        let line = request.line();
        let nth = self.arrivals.entry(line.clone()).or_default();
        *nth += 1;
        let plan = RequestPlan { signals, ..self.schedule.plan_request(&line, *nth) };
        if matches!(plan.fault, Some(Fault::Status(429, _))) {
            self.rate_limited.push(request.clone());
        }
        if request.path.starts_with("/v1.0/") {
            self.commerce_requests += 1;
            if Some(self.commerce_requests) == self.schedule.revoked_at {
                self.pairs.iter_mut().for_each(|pair| pair.is_revoked = true);
            }
        }
        plan
    }

    /// The response without faults.
    fn respond(&mut self, request: &Received) -> (u16, Value) {
        if request.path.ends_with("/oauth2/v2.0/token") {
            return self.refresh(request);
        }
        let bearer = request.header("authorization").unwrap_or_default();
        if !self.pairs.iter().any(|pair| !pair.is_revoked && bearer == format!("Bearer {}", pair.access)) {
            self.rejected_tokens += 1;
            return (401, json!({ "errorCode": "Unauthorized", "reason": "The token was revoked." }));
        }
        if request.path == PRODUCTS {
            let wants_offer_types = request.query.as_deref() == Some("scope=OfferType");
            let listed = self.items.iter().filter(|item| item.is_offer_type == wants_offer_types);
            return (200, json!({ "items": listed.map(item_json).collect::<Vec<_>>() }));
        }
        let id = request.path.rsplit('/').next().unwrap_or_default();
        let Some(item) = self.items.iter_mut().find(|item| item.id == id) else { return (404, json!({})) };
        if request.method == "GET" {
            return (200, item_json(item));
        }
        let body: Value = serde_json::from_str(&request.body).unwrap();
        let value = body["policyValue"].as_str().unwrap();
        if item.value != value {
            value.clone_into(&mut item.value);
            self.applied.push(id.to_owned());
        }
        (200, item_json(item))
    }

    fn refresh(&mut self, request: &Received) -> (u16, Value) {
        let form = request.form();
        if !self.pairs.iter().any(|pair| form.get("refresh_token") == Some(&pair.refresh)) {
            return (400, json!({ "error": "invalid_grant", "error_description": "AADSTS9002313: malformed." }));
        }
        let pair = issue_pair(self.pairs.len());
        self.pairs.push(pair.clone());
        let scope = format!("{RESOURCE}/LicenseManager.AccessAsUser {SCOPE}");
        let response = json!({
            "token_type": "Bearer", "scope": scope, "expires_in": 3600,
            "access_token": pair.access, "refresh_token": pair.refresh,
        });
        (200, response)
    }

    fn confirm(&mut self, status: u16, request: &Received) {
        let correlation_id = request.header("x-ms-correlation-id");
        if let (200, "PUT", Some(correlation_id)) = (status, request.method.as_str(), correlation_id) {
            let id = request.path.rsplit('/').next().unwrap_or_default();
            self.confirmed.insert((correlation_id.to_owned(), id.to_owned()));
        }
    }
}

fn item_json(item: &Item) -> Value {
    let (id, name) = if item.is_offer_type { ("scopeId", "scopeValue") } else { ("productId", "productName") };
    let scope = if item.is_offer_type { "OfferType" } else { "Product" };
    json!({
        "policyId": "AllowSelfServicePurchase", "policyValue": item.value, "scope": scope, id: item.id, name: item.name,
    })
}

/// Signals the process of the run, if it has not exited.
fn send(state: &Mutex<TenantState>, signal: Signal) {
    if let Some(process) = state.lock().unwrap().process {
        let _ = kill_process(process, signal);
    }
}

fn serve(mut connection: Connection, state: &Mutex<TenantState>) {
    if state.lock().unwrap().is_reset() {
        return;
    }
    while let Some(request) = connection.read_request() {
        let plan = state.lock().unwrap().plan(&request);
        let mut signals = plan.signals.iter();
        signals.next().into_iter().for_each(|signal| send(state, *signal));
        // The delay is one of the faults.
        thread::sleep(plan.delay);
        signals.for_each(|signal| send(state, *signal));
        // A request with a complete response was applied; any other may have been.
        let is_applied = plan.is_applied || matches!(plan.fault, None | Some(Fault::TruncatedResponse));
        let (status, body) = if is_applied { state.lock().unwrap().respond(&request) } else { (500, Value::Null) };
        let body = body.to_string();
        match plan.fault {
            Some(Fault::NoResponse) => return,
            Some(Fault::TruncatedResponse) => {
                let response = http_response(status, "application/json", &body);
                connection.send(&response.as_bytes()[..response.len() - 1 - body.len() / 2]);
                return;
            }
            Some(Fault::Status(status, has_retry_after)) => {
                let header = if has_retry_after { "Retry-After: 0\r\n" } else { "" };
                let error = r#"{"errorCode":"Trouble","reason":"Now."}"#;
                let response = http_response(status, "application/json", error);
                connection.send(response.replacen("\r\n", &format!("\r\n{header}"), 1).as_bytes());
            }
            None => {
                state.lock().unwrap().confirm(status, &request);
                connection.send(http_response(status, "application/json", &body).as_bytes());
            }
        }
    }
}
