//! Naming what would have fitted, when something asked for is not there.

use super::Endpoint;
use crate::commerce::{ProductPolicy, Refusal, Scope, Target};
use crate::error::Error;

/// So many suggestions help; more would have to be read.
const MOST: usize = 5;

/// Names less like each other than this have nothing to do with each other.
const LEAST_LIKENESS: f64 = 0.7;

/// Adds the policies that there are to a failure that may come from the policy's id.
pub(super) async fn policies(endpoint: &Endpoint<'_>, error: Error) -> Error {
    if !doubts_the_id(&error) {
        return error;
    }
    // A listing that fails, too, would only hide what failed first.
    let Ok(policies) = endpoint.policies().await else { return error };
    let ids: Vec<String> = policies.into_iter().filter_map(|policy| policy.id).collect();
    if ids.iter().any(|id| id.eq_ignore_ascii_case(endpoint.policy_id())) {
        return error.hint("the policy is there, so this may be a fault of the service: try again later; support asks for the correlation id");
    }
    error
        .detail(format!("there is no policy '{}'; policies: {}", endpoint.policy_id(), ids.join(", ")))
        .hint("mscommerce policy list")
}

/// Adds the products or offer types most like the target to a failure that may come from its id.
pub(super) async fn targets(endpoint: &Endpoint<'_>, target: &Target, error: Error) -> Error {
    if !doubts_the_id(&error) {
        return error;
    }
    let (scope, kind, command) = match target {
        Target::Product(_) => (Scope::Product, "product", "mscommerce products list"),
        Target::OfferType(_) => (Scope::OfferType, "offer type", "mscommerce products list --scope offer-type"),
    };
    let items = match endpoint.products(&scope).await {
        Ok(items) => items,
        Err(listing) if doubts_the_id(&listing) => return policies(endpoint, error).await,
        Err(_) => return error,
    };
    let is_asked_for = |item: &ProductPolicy| item.id.as_deref().is_some_and(|id| id.eq_ignore_ascii_case(target.id()));
    if items.iter().any(is_asked_for) {
        return error.hint("the list has it, so this may be a fault of the service: try again later; support asks for the correlation id");
    }
    with_nearest(error.detail(format!("the tenant has no {target}")), target.id(), &items, kind).hint(command)
}

/// Adds the items most like `asked` to an error.
pub(super) fn with_nearest(error: Error, asked: &str, items: &[ProductPolicy], kind: &str) -> Error {
    let nearest = nearest(asked, items);
    match nearest.as_slice() {
        [] => error,
        [only] => error.detail(format!("the nearest {kind}: {only}")),
        several => error.detail(format!("the nearest {kind}s: {}", several.join(", "))),
    }
}

/// The labels of the items whose name or id is most like `asked`, best first; all of them where there are few.
fn nearest(asked: &str, items: &[ProductPolicy]) -> Vec<String> {
    let asked = asked.to_lowercase();
    let likeness = |text: &Option<String>| {
        let text = text.as_deref().unwrap_or_default().to_lowercase();
        if text.contains(&asked) { 1.0 } else { strsim::jaro_winkler(&asked, &text) }
    };
    let mut scored: Vec<(f64, String)> =
        items.iter().map(|item| (likeness(&item.name).max(likeness(&item.id)), item.label())).collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    let few = scored.len() <= MOST;
    scored.into_iter().filter(|(score, _)| few || *score >= LEAST_LIKENESS).take(MOST).map(|(_, label)| label).collect()
}

fn doubts_the_id(error: &Error) -> bool {
    error.downcast_ref::<Refusal>().is_some_and(Refusal::doubts_the_id)
}
