//! Both services on one address, with the state of a small tenant, and with the faults of a schedule.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;

use chrono::Utc;
use serde_json::{Value, json};

use super::schedule::{Fault, Item, Schedule, Turn};
use crate::support::server::{Connection, Server, http_response};
use crate::tenant::{ADMIN, CLIENT_ID, HOME_TENANT, RESOURCE, Received, SCOPE, jwt};

const PRODUCTS: &str = "/v1.0/policies/AllowSelfServicePurchase/products";

/// An access token with the refresh token that came with it.
#[derive(Clone, Debug)]
pub(super) struct Pair {
    pub(super) access: String,
    pub(super) refresh: String,
    is_revoked: bool,
}

/// What the services know, and what happened to them.
pub(super) struct World {
    schedule: Arc<Schedule>,
    pub(super) items: Vec<Item>,
    /// Oldest first.
    pub(super) pairs: Vec<Pair>,
    /// Everything that was read since the faults began.
    pub(super) requests: Vec<Received>,
    /// The ids of what was really changed.
    pub(super) made: Vec<String>,
    /// The correlation ids of the changes that were answered as they should be, with what was changed.
    pub(super) confirmed: BTreeSet<(String, String)>,
    /// How often a token was refused.
    pub(super) refusals: usize,
    is_troubled: bool,
    connections: usize,
    arrivals: BTreeMap<String, usize>,
    at_commerce: usize,
}

pub(super) struct Service {
    server: Option<Server>,
    pub(super) url: String,
    world: Arc<Mutex<World>>,
}

impl Service {
    pub(super) fn start(schedule: &Arc<Schedule>) -> Self {
        let world = World {
            schedule: Arc::clone(schedule),
            items: schedule.items.clone(),
            pairs: vec![pair(0)],
            requests: Vec::new(),
            made: Vec::new(),
            confirmed: BTreeSet::new(),
            refusals: 0,
            is_troubled: false,
            connections: 0,
            arrivals: BTreeMap::new(),
            at_commerce: 0,
        };
        let world = Arc::new(Mutex::new(world));
        let server = {
            let world = Arc::clone(&world);
            Server::start(move |connection| serve(connection, &world))
        };
        Self { url: server.http(), server: Some(server), world }
    }

    /// Waits for what is still being served; clients must have ended.
    pub(super) fn finish(&mut self) {
        self.server.take().map(Server::finish);
    }

    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    /// The file of sign-ins that the tool would have written after signing in here.
    pub(super) fn sign_ins(&self, lifetime: i64) -> Value {
        let Pair { access, refresh, .. } = self.world().pairs[0].clone();
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

fn pair(number: usize) -> Pair {
    let now = Utc::now().timestamp();
    let claims = json!({
        "aud": RESOURCE, "tid": HOME_TENANT, "upn": ADMIN, "appid": CLIENT_ID, "iat": now, "nbf": now,
        "exp": now + 3600, "scp": "LicenseManager.AccessAsUser", "uti": number,
    });
    Pair { access: jwt(&claims), refresh: format!("refresh-token-of-the-schedule-{number}"), is_revoked: false }
}

impl World {
    /// From here on faults happen, and what happens is remembered.
    pub(super) fn begin_trouble(&mut self) {
        self.is_troubled = true;
        self.forget();
    }

    /// From here on no faults happen.
    pub(super) fn end_trouble(&mut self) {
        self.is_troubled = false;
        self.forget();
    }

    fn forget(&mut self) {
        self.requests.clear();
        self.made.clear();
        self.confirmed.clear();
        self.refusals = 0;
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
        self.is_troubled && self.schedule.is_reset(self.connections)
    }

    fn turn(&mut self, request: &Received) -> Turn {
        self.requests.push(request.clone());
        if !self.is_troubled {
            return Turn { is_made: true, ..Turn::default() };
        }
        let line = request.line();
        let nth = self.arrivals.entry(line.clone()).or_default();
        *nth += 1;
        let turn = self.schedule.turn(&line, *nth);
        if request.path.starts_with("/v1.0/") {
            self.at_commerce += 1;
            if Some(self.at_commerce) == self.schedule.revoked_at {
                self.pairs.iter_mut().for_each(|pair| pair.is_revoked = true);
            }
        }
        turn
    }

    /// What a service without faults answers.
    fn respond(&mut self, request: &Received) -> (u16, Value) {
        if request.path.ends_with("/oauth2/v2.0/token") {
            return self.renew(request);
        }
        let bearer = request.header("authorization").unwrap_or_default();
        if !self.pairs.iter().any(|pair| !pair.is_revoked && bearer == format!("Bearer {}", pair.access)) {
            self.refusals += 1;
            return (401, json!({ "errorCode": "Unauthorized", "reason": "The token was revoked." }));
        }
        if request.path == PRODUCTS {
            let wants_offer_types = request.query.as_deref() == Some("scope=OfferType");
            let listed = self.items.iter().filter(|item| item.is_offer_type == wants_offer_types);
            return (200, json!({ "items": listed.map(shown).collect::<Vec<_>>() }));
        }
        let id = request.path.rsplit('/').next().unwrap_or_default();
        let Some(item) = self.items.iter_mut().find(|item| item.id == id) else { return (404, json!({})) };
        let body: Value = serde_json::from_str(&request.body).unwrap();
        let value = body["policyValue"].as_str().unwrap();
        if item.value != value {
            value.clone_into(&mut item.value);
            self.made.push(id.to_owned());
        }
        (200, shown(item))
    }

    fn renew(&mut self, request: &Received) -> (u16, Value) {
        let form = request.form();
        if !self.pairs.iter().any(|pair| form.get("refresh_token") == Some(&pair.refresh)) {
            return (400, json!({ "error": "invalid_grant", "error_description": "AADSTS9002313: malformed." }));
        }
        let pair = pair(self.pairs.len());
        self.pairs.push(pair.clone());
        let scope = format!("{RESOURCE}/LicenseManager.AccessAsUser {SCOPE}");
        let granted = json!({
            "token_type": "Bearer", "scope": scope, "expires_in": 3600,
            "access_token": pair.access, "refresh_token": pair.refresh,
        });
        (200, granted)
    }

    fn confirm(&mut self, status: u16, request: &Received) {
        let correlation_id = request.header("x-ms-correlation-id");
        if let (200, "PUT", Some(correlation_id)) = (status, request.method.as_str(), correlation_id) {
            let id = request.path.rsplit('/').next().unwrap_or_default();
            self.confirmed.insert((correlation_id.to_owned(), id.to_owned()));
        }
    }
}

fn shown(item: &Item) -> Value {
    let (id, name) = if item.is_offer_type { ("scopeId", "scopeValue") } else { ("productId", "productName") };
    let scope = if item.is_offer_type { "OfferType" } else { "Product" };
    json!({
        "policyId": "AllowSelfServicePurchase", "policyValue": item.value, "scope": scope, id: item.id, name: item.name,
    })
}

fn serve(mut connection: Connection, world: &Mutex<World>) {
    if world.lock().unwrap().is_reset() {
        return;
    }
    while let Some(request) = connection.read_request() {
        let turn = world.lock().unwrap().turn(&request);
        // The delay is one of the faults.
        thread::sleep(turn.delay);
        // What is answered whole was done; what is not may have been.
        let is_done = turn.is_made || matches!(turn.fault, None | Some(Fault::HalfAnswer));
        let (status, body) = if is_done { world.lock().unwrap().respond(&request) } else { (500, Value::Null) };
        let body = body.to_string();
        match turn.fault {
            Some(Fault::NoAnswer) => return,
            Some(Fault::HalfAnswer) => {
                let whole = http_response(status, "application/json", &body);
                connection.send(&whole.as_bytes()[..whole.len() - 1 - body.len() / 2]);
                return;
            }
            Some(Fault::Status(status, asks_to_wait)) => {
                let wait = if asks_to_wait { "Retry-After: 0\r\n" } else { "" };
                let told = r#"{"errorCode":"Trouble","reason":"Now."}"#;
                let whole = http_response(status, "application/json", told);
                connection.send(whole.replacen("\r\n", &format!("\r\n{wait}"), 1).as_bytes());
            }
            None => {
                world.lock().unwrap().confirm(status, &request);
                connection.send(http_response(status, "application/json", &body).as_bytes());
            }
        }
    }
}
