//! What no public source shows of the real services, as far as reading can settle it: the numbered list of the README,
//! "What is unverified".

use reqwest::header::RETRY_AFTER;

use super::walk::Walk;
use crate::commands::{Context, Endpoint};
use crate::commerce::{Refusal, Scope, Target};
use crate::error::Error;
use crate::identity::{DEFAULT_CLIENT_ID, Method, Status};

const STEP: &str = "live-report";

/// An id that was renumbered (article-2024): Power Apps per user.
const OLD_ID: &str = "CFQ7TTC0KP0P";

/// Records what this sign-in and some reads show; `refused` is why the policy could not be read, if it could not.
pub(super) async fn report(
    walk: &mut Walk,
    status: &Status,
    refused: Option<&Error>,
    endpoint: &Endpoint<'_>,
    context: &Context<'_>,
) {
    sign_in(walk, status, refused);
    no_token(walk, endpoint).await;
    paging(walk, endpoint).await;
    other_tenant(walk, status, refused, context);
    old_id(walk, endpoint).await;
    walk.skipped(STEP, "a value that a product cannot take", "a read does not show it");
}

/// By what way this sign-in was made, and whether its token is accepted.
fn sign_in(walk: &mut Walk, status: &Status, refused: Option<&Error>) {
    let outcome = match refused {
        None => "its token was accepted".to_owned(),
        Some(error) => format!("its token was not accepted: {}", error.headline()),
    };
    let ways = [
        ("the browser's redirect address", Method::Browser),
        ("the device code", Method::DeviceCode),
        ("an application's token", Method::Application),
    ];
    for (target, method) in ways {
        let is_own_client = status.client_id.as_deref() == Some(DEFAULT_CLIENT_ID) || method == Method::Application;
        if status.method != method {
            walk.skipped(STEP, target, format!("this sign-in was made by {}", status.method));
        } else if is_own_client {
            walk.passed(STEP, target, format!("the sign-in worked, and {outcome}"));
        } else {
            walk.skipped(STEP, target, "this sign-in was made with another client id");
        }
    }
}

/// The body of a 401, and whether anything says when to come back.
async fn no_token(walk: &mut Walk, endpoint: &Endpoint<'_>) {
    let target = "a request without a token";
    walk.record(STEP, target, endpoint.look_without_token().await, |answer| {
        let asks_to_wait = if answer.headers.contains_key(RETRY_AFTER) { "with" } else { "without" };
        let body = answer.excerpt(300);
        let body = if body.is_empty() { "no body".to_owned() } else { body };
        format!("status {}, {asks_to_wait} Retry-After: {body}", answer.status.as_u16())
    });
}

/// Whether a listing has anything beside its items, such as a link to a next page.
async fn paging(walk: &mut Walk, endpoint: &Endpoint<'_>) {
    walk.record(STEP, "pages of a listing", endpoint.look_at_listing(&Scope::Product).await, |(others, count)| {
        let others = if others.is_empty() { "nothing".to_owned() } else { others.join(", ") };
        format!("{count} items, and beside them {others}")
    });
}

/// Whether a refresh token serves at another tenant than its own.
fn other_tenant(walk: &mut Walk, status: &Status, refused: Option<&Error>, context: &Context<'_>) {
    let target = "a sign-in at a customer's tenant";
    match (&status.home_tenant, &status.tenant_id, &context.settings.tenant) {
        (Some(home), here, Some(asked)) if here.as_ref() != Some(home) => {
            let accepted = if refused.is_none() { "was accepted there" } else { "was not accepted there" };
            walk.passed(STEP, target, format!("a token for {asked} was granted, and {accepted}"));
        }
        _ => walk.skipped(STEP, target, "this sign-in is used at its own tenant: name a customer's with --tenant"),
    }
}

/// Whether an id from before the renumbering is still answered.
async fn old_id(walk: &mut Walk, endpoint: &Endpoint<'_>) {
    let target = format!("the old product id {OLD_ID}");
    match endpoint.product(&Target::Product(OLD_ID.to_owned())).await {
        Ok(item) => walk.passed(STEP, &target, format!("it is known, as {}", item.name.unwrap_or_default())),
        Err(error) => match error.downcast_ref::<Refusal>() {
            Some(refusal) => walk.passed(STEP, &target, format!("status {}", refusal.status.as_u16())),
            None => walk.failed(STEP, &target, &error),
        },
    }
}
