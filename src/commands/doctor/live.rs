//! What no public source shows of the real services, as far as reading can settle it: the first eight points of the
//! README's list "What is unverified", by their numbers. A point that is settled has passed, whichever way it came out.

use super::service::Read;
use super::walk::Walk;
use crate::api::{ApiError, Scope, Target};
use crate::auth::{Claims, DEFAULT_CLIENT_ID, SignInMethod, Status};
use crate::commands::{Context, Endpoint};

const STEP: &str = "live-report";

const REDIRECT: &str = "1 the browser's redirect address";
const DEVICE_CODE: &str = "2 the device code";
const APPLICATION: &str = "3 an application's token";
const BODIES: &str = "4 the bodies of refusals";
const PAGES: &str = "5 the pages of a listing";
const PARTNER: &str = "6 a sign-in at a customer's tenant";
const RENUMBERED: &str = "7 an old product id";
const UNFIT: &str = "8 a value that a product cannot take";

/// An id that was renumbered (article-2024): Power Apps per user.
const OLD_ID: &str = "CFQ7TTC0KP0P";

const NOT_READ: &str = "the policy was not read";

/// What the walk has shown before.
pub struct Seen<'a> {
    pub status: &'a Status,
    /// Of the token that serves, if one does.
    pub claims: Option<&'a Claims>,
    pub read: &'a Read,
    pub is_endpoint_reached: bool,
}

/// Records that nothing could be settled.
pub fn nothing(walk: &mut Walk, why: &str) {
    for target in [REDIRECT, DEVICE_CODE, APPLICATION, BODIES, PAGES, PARTNER, RENUMBERED] {
        walk.skipped(STEP, target, why);
    }
    unfit(walk);
}

/// Records what this sign-in and some reads show.
pub async fn report(walk: &mut Walk, seen: &Seen<'_>, endpoint: &Endpoint<'_>, context: &Context<'_>) {
    way_in(walk, REDIRECT, SignInMethod::Browser, seen);
    way_in(walk, DEVICE_CODE, SignInMethod::DeviceCode, seen);
    application(walk, seen);
    bodies(walk, seen, endpoint).await;
    if matches!(seen.read, Read::Served) {
        pages(walk, endpoint).await;
    } else {
        walk.skipped(STEP, PAGES, NOT_READ);
    }
    partner(walk, seen, context);
    if matches!(seen.read, Read::Served) {
        old_id(walk, endpoint).await;
    } else {
        walk.skipped(STEP, RENUMBERED, NOT_READ);
    }
    unfit(walk);
}

fn unfit(walk: &mut Walk) {
    walk.skipped(STEP, UNFIT, "only a change shows it, and nothing is changed here");
}

/// What became of the token, if the service judged it.
fn judged(read: &Read) -> Option<String> {
    match (read, read.refusal()) {
        (Read::Served, _) => Some("its token was accepted (status 200)".to_owned()),
        (_, Some(refusal)) => Some(format!("its token was answered with status {}", refusal.status.as_u16())),
        _ => None,
    }
}

/// A way of signing in: that there is such a sign-in shows that Entra let it through.
fn way_in(walk: &mut Walk, target: &str, method: SignInMethod, seen: &Seen<'_>) {
    let status = seen.status;
    if status.method != method {
        walk.skipped(STEP, target, format!("this sign-in was made by {}", status.method));
    } else if status.client_id.as_deref() != Some(DEFAULT_CLIENT_ID) {
        walk.skipped(STEP, target, "this sign-in was made with another client id");
    } else {
        let judged = judged(seen.read).unwrap_or_else(|| "its token was not tried".to_owned());
        walk.passed(STEP, target, format!("the sign-in worked; {judged}"));
    }
}

fn application(walk: &mut Walk, seen: &Seen<'_>) {
    if !seen.claims.is_some_and(Claims::is_application) {
        walk.skipped(STEP, APPLICATION, format!("this sign-in was made by {}", seen.status.method));
    } else if let Some(judged) = judged(seen.read) {
        walk.passed(STEP, APPLICATION, judged);
    } else {
        walk.skipped(STEP, APPLICATION, NOT_READ);
    }
}

/// How the service refuses: a request without a token, and the reading of the policy where it was refused.
async fn bodies(walk: &mut Walk, seen: &Seen<'_>, endpoint: &Endpoint<'_>) {
    let told = |refusal: &ApiError| {
        let wait =
            refusal.retry_after.as_ref().map_or("no Retry-After".to_owned(), |wait| format!("Retry-After: {wait}"));
        format!("status {}, {wait}, body: {}", refusal.status.as_u16(), refusal.shape)
    };
    if let Some(refusal) = seen.read.refusal() {
        walk.passed(STEP, BODIES, format!("with a token: {}", told(refusal)));
    }
    if seen.is_endpoint_reached {
        let answered = endpoint.look_without_token().await;
        walk.record(STEP, BODIES, answered, |refusal| format!("without a token: {}", told(refusal)));
    } else {
        walk.skipped(STEP, BODIES, "the endpoint was not reached");
    }
}

/// Whether a listing has anything beside its items, such as a link to a next page.
async fn pages(walk: &mut Walk, endpoint: &Endpoint<'_>) {
    walk.record(STEP, PAGES, endpoint.look_at_listing(Scope::Product).await, |(others, count)| {
        let others = if others.is_empty() { "nothing".to_owned() } else { others.join(", ") };
        format!("{count} items, and beside them {others}")
    });
}

/// Whether a refresh token serves at another tenant than its own.
fn partner(walk: &mut Walk, seen: &Seen<'_>, context: &Context<'_>) {
    let (Some(home), Some(_)) = (&seen.status.home_tenant, &context.settings.tenant) else {
        walk.skipped(STEP, PARTNER, "no customer's tenant is named: with a saved sign-in, name one with --tenant");
        return;
    };
    match seen.claims.map(|claims| claims.tid.as_deref()) {
        None => walk.skipped(STEP, PARTNER, "no token was granted: see the step credential"),
        Some(Some(tid)) if !tid.eq_ignore_ascii_case(home) => {
            let judged = judged(seen.read).unwrap_or_else(|| "its token was not tried".to_owned());
            walk.passed(STEP, PARTNER, format!("a token for {tid} was granted; {judged}"));
        }
        Some(_) => walk.skipped(STEP, PARTNER, "the token is for the tenant that the sign-in was made at"),
    }
}

/// Whether an id from before the renumbering is still answered.
async fn old_id(walk: &mut Walk, endpoint: &Endpoint<'_>) {
    match endpoint.product(&Target::new(Scope::Product, OLD_ID)).await {
        Ok(item) => {
            let id = item.id.unwrap_or_default();
            walk.passed(STEP, RENUMBERED, format!("{OLD_ID} is answered (status 200), as {id}"));
        }
        Err(error) => match error.downcast_ref::<ApiError>() {
            Some(refusal) => {
                let status = refusal.status.as_u16();
                walk.passed(STEP, RENUMBERED, format!("{OLD_ID}: status {status}, body: {}", refusal.shape));
            }
            None => walk.failed(STEP, RENUMBERED, &error),
        },
    }
}
