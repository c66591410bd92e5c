//! What the simulated tenant promises to the tests built on it.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on should stop where it is")]

#[path = "simulated_tenant/commerce.rs"]
mod commerce;
#[path = "simulated_tenant/sign_in.rs"]
mod sign_in;
mod tenant;

use tenant::{Reply, Tenant};

/// Reads from the commerce endpoint.
fn get(tenant: &Tenant, token: &str, path: &str) -> Reply {
    call(tenant, token, "GET", path, &[], "")
}

/// Sends the commerce endpoint a request as the contract wants it.
fn call(tenant: &Tenant, token: &str, method: &str, path: &str, more_headers: &[(&str, &str)], body: &str) -> Reply {
    let bearer = format!("Bearer {token}");
    let mut headers =
        vec![("authorization", bearer.as_str()), ("x-ms-correlation-id", "5f2b8f3e-7c1d-4e7a-9a53-0d4c1b2a3f4e")];
    headers.extend(more_headers);
    tenant::send(method, &format!("{}{path}", tenant.url()), &headers, body)
}
