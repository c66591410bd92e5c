//! The policy endpoint \[module\].

use chrono::Utc;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::catalog::Product;
use super::response::{Received, Response};
use super::state::{Bearer, Role, TenantState};
use super::token::claims_of;
use super::{CHANGE_PERMISSION, POLICY, READ_PERMISSION, RESOURCE};

/// The two kinds of items with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Product,
    OfferType,
}

/// The caller of a request.
struct Caller {
    tenant_id: String,
    rights: Rights,
}

/// What authorizes the caller: the role of a user, or the permissions of an application.
enum Rights {
    OfUser(Role),
    OfApplication(Vec<String>),
}

impl Rights {
    fn check(&self, method: &str) -> Result<(), Response> {
        let changes = method == "PUT";
        let (allowed, reason) = match self {
            Self::OfUser(role) => {
                let allowed = if changes { role.can_update() } else { role.can_read() };
                (allowed, "User does not have the required role.")
            }
            Self::OfApplication(roles) => {
                let has = |permission| roles.iter().any(|role| role == permission);
                let allowed = has(CHANGE_PERMISSION) || !changes && has(READ_PERMISSION);
                (allowed, "Application does not have the required permission.")
            }
        };
        if allowed { Ok(()) } else { Err(error(403, "Forbidden", reason)) }
    }
}

/// Responds to a request below `/v1.0/policies`.
pub(super) fn respond(state: &mut TenantState, request: &Received, path: &[&str]) -> Response {
    let response = try_respond(state, request, path).unwrap_or_else(|refusal| refusal);
    match request.header("x-ms-correlation-id") {
        Some(id) => response.header("x-ms-correlation-id", id),
        None => response,
    }
}

fn try_respond(state: &mut TenantState, request: &Received, path: &[&str]) -> Result<Response, Response> {
    let caller = authenticate(state, request)?;
    if !request.header("x-ms-correlation-id").is_some_and(is_guid) {
        return Err(error(400, "BadRequest", "Missing correlation id."));
    }
    caller.rights.check(&request.method)?;
    if path.first().is_some_and(|policy| !policy.eq_ignore_ascii_case(POLICY)) {
        return Err(error(404, "NotFound", "Policy not found."));
    }
    match (request.method.as_str(), path) {
        ("GET", []) => Ok(Response::json(200, &json!({ "items": [policy(state)] }))),
        ("GET", [_]) => Ok(Response::json(200, &policy(state))),
        ("GET", [_, "products"]) => list(state, &caller, request),
        (_, [_, "products", id]) => one(state, &caller, request, Kind::Product, id),
        (_, [_, "offerTypes", id]) => one(state, &caller, request, Kind::OfferType, id),
        _ => Err(no_such_route()),
    }
}

/// The caller, if the token is valid.
///
/// The body of a 401 response is unverified; this one has the format of the known errors.
fn authenticate(state: &mut TenantState, request: &Received) -> Result<Caller, Response> {
    let refused = |reason| error(401, "Unauthorized", reason);
    let token = request.bearer().ok_or_else(|| refused("Missing bearer token."))?;
    let Some(known) = state.access_tokens.get(token) else {
        let foreign = claims_of(token).is_some_and(|claims| claims["aud"] != RESOURCE);
        return Err(refused(if foreign { "The audience is invalid." } else { "The token is invalid." }));
    };
    if known.revoked {
        return Err(refused("The token has been revoked."));
    }
    if known.expires_at <= Utc::now().timestamp() {
        return Err(refused("The token is expired."));
    }
    let (tenant_id, bearer) = (known.tenant_id.clone(), known.bearer.clone());
    let rights = match bearer {
        Bearer::User(name) => Rights::OfUser(state.user(name).role),
        Bearer::Application { roles } if state.application.is_accepted => Rights::OfApplication(roles),
        Bearer::Application { .. } => return Err(refused("The token type is not supported.")),
    };
    Ok(Caller { tenant_id, rights })
}

fn policy(state: &TenantState) -> Value {
    let mut members = Map::new();
    members.insert("id".to_owned(), POLICY.into());
    members.insert(
        "description".to_owned(),
        "Allows users in this organization to purchase products and start trials by themselves.".into(),
    );
    members.insert("defaultValue".to_owned(), "Enabled".into());
    members.extend(state.policy_extra.clone());
    Value::Object(members)
}

fn list(state: &mut TenantState, caller: &Caller, request: &Received) -> Result<Response, Response> {
    let parameters = request.parameters();
    let scope = parameters.get("scope").map_or("product", String::as_str);
    let kind = if scope.eq_ignore_ascii_case("product") {
        Kind::Product
    } else if scope.eq_ignore_ascii_case("OfferType") {
        Kind::OfferType
    } else {
        return Err(error(400, "BadRequest", "Invalid scope."));
    };
    let items: Vec<Value> = entries(state, &caller.tenant_id, kind).iter().map(|entry| item(kind, entry)).collect();
    Ok(Response::json(200, &json!({ "items": items })))
}

fn one(
    state: &mut TenantState,
    caller: &Caller,
    request: &Received,
    kind: Kind,
    id: &str,
) -> Result<Response, Response> {
    let misreport = state.misreport_updates;
    let entry = entries(state, &caller.tenant_id, kind)
        .iter_mut()
        .find(|entry| entry.id.eq_ignore_ascii_case(id))
        .ok_or_else(|| {
            let reason = match kind {
                Kind::Product => "Product not found.",
                Kind::OfferType => "Offer type not found.",
            };
            error(404, "NotFound", reason)
        })?;
    match request.method.as_str() {
        "GET" => {}
        "PUT" => {
            let value = wanted_value(request, kind)?;
            if !misreport {
                entry.value = value;
            }
        }
        _ => return Err(no_such_route()),
    }
    Ok(Response::json(200, &item(kind, entry)))
}

/// The value in a `PUT` request. The error messages of the real service are unverified.
fn wanted_value(request: &Received, kind: Kind) -> Result<String, Response> {
    if !request.is_of_type("application/json") {
        return Err(error(415, "UnsupportedMediaType", "The body must be application/json."));
    }
    let refused = |reason| error(400, "BadRequest", reason);
    let body: Value = serde_json::from_str(&request.body).map_err(|_| refused("The body is not JSON."))?;
    let value = body
        .as_object()
        .filter(|members| members.len() == 1)
        .and_then(|members| members.get("policyValue"))
        .and_then(Value::as_str)
        .ok_or_else(|| refused("The body must consist of policyValue."))?;
    match (value, kind) {
        ("Enabled" | "Disabled", _) | ("OnlyTrialsWithoutPaymentMethod", Kind::Product) => Ok(value.to_owned()),
        ("OnlyTrialsWithoutPaymentMethod", Kind::OfferType) => Err(refused("Invalid policy value for an offer type.")),
        _ => Err(refused("Invalid policy value.")),
    }
}

fn entries<'a>(state: &'a mut TenantState, tenant_id: &str, kind: Kind) -> &'a mut Vec<Product> {
    let tenant = state.tenant(tenant_id);
    match kind {
        Kind::Product => &mut tenant.products,
        Kind::OfferType => &mut tenant.offer_types,
    }
}

fn item(kind: Kind, entry: &Product) -> Value {
    let (scope, id, name) = match kind {
        Kind::Product => ("Product", "productId", "productName"),
        Kind::OfferType => ("OfferType", "scopeId", "scopeValue"),
    };
    let mut members = Map::new();
    members.insert("policyId".to_owned(), POLICY.into());
    members.insert("policyValue".to_owned(), entry.value.as_str().into());
    members.insert("scope".to_owned(), scope.into());
    members.insert(id.to_owned(), entry.id.as_str().into());
    members.insert(name.to_owned(), entry.name.as_str().into());
    members.extend(entry.extra.clone());
    Value::Object(members)
}

fn error(status: u16, code: &str, reason: &str) -> Response {
    Response::json(status, &json!({ "errorCode": code, "reason": reason }))
}

fn no_such_route() -> Response {
    error(404, "NotFound", "No such resource.")
}

/// Whether this is a GUID of 36 characters with hyphens.
fn is_guid(text: &str) -> bool {
    text.len() == 36 && Uuid::parse_str(text).is_ok()
}
