//! Naming what would have fitted, when something asked for is not there.

use reqwest::StatusCode;

use super::Endpoint;
use super::listing::LookupContext;
use crate::api::{ApiError, ProductPolicy, Scope, Target, replacement};
use crate::error::Error;
use crate::settings::Settings;
use crate::text::truncate;

/// So many suggestions help; more would have to be read.
const MOST: usize = 5;

/// Names less like each other than this have nothing to do with each other.
const LEAST_LIKENESS: f64 = 0.7;

/// For an id that is not unknown after all. The service answers inner failures of its own with a 404, too
/// (microsoft-365-docs issue 4387).
const FAULT: &str = "this may be a fault of the service: try again later; support asks for the correlation id";

/// The hints of several failures, each once; where there are too many, the first ones and `more`.
pub fn hints_of_several(hints: impl IntoIterator<Item = String>, more: impl FnOnce() -> String) -> Vec<String> {
    let mut distinct: Vec<String> = Vec::new();
    for hint in hints {
        if !distinct.contains(&hint) && distinct.len() <= MOST {
            distinct.push(hint);
        }
    }
    if distinct.len() > MOST {
        distinct.truncate(MOST);
        distinct.push(more());
    }
    distinct
}

/// Adds the policies that there are to a failure that may come from the policy's id.
pub async fn policies(endpoint: &Endpoint<'_>, error: Error, settings: &Settings) -> Error {
    if !may_be_unknown_id(&error) {
        return error;
    }
    // A listing that fails, too, would only hide what failed first.
    let Ok(policies) = endpoint.policies().await else { return error };
    let ids: Vec<String> = policies.into_iter().filter_map(|policy| policy.id).collect();
    let asked = endpoint.policy_id();
    if ids.iter().any(|id| id.eq_ignore_ascii_case(asked)) {
        return error.with_hint(format!("the policy is there, so {FAULT}"));
    }
    error
        .with_detail(format!("there is no policy '{}'; policies: {}", truncate(asked, 80), ids.join(", ")))
        .with_hint(settings.command_for_default_policy("mscommerce policy list"))
}

/// Adds the products or offer types most like the target to a failure that may come from its id.
pub async fn targets(endpoint: &Endpoint<'_>, target: &Target, error: Error, settings: &Settings) -> Error {
    if !may_be_unknown_id(&error) {
        return error;
    }
    if let Some(hint) = renumbered(&target.id, settings) {
        return error.with_hint(hint);
    }
    let (kind, list) = match target.scope {
        Scope::Product => ("product", "mscommerce products list"),
        Scope::OfferType => ("offer type", "mscommerce products list --scope offer-type"),
    };
    let items = match endpoint.products(target.scope).await {
        Ok(items) => items,
        Err(listing) if may_be_unknown_id(&listing) => return policies(endpoint, error, settings).await,
        Err(_) => return error,
    };
    let is_asked_for = |item: &ProductPolicy| item.id.as_deref().is_some_and(|id| id.eq_ignore_ascii_case(&target.id));
    if items.iter().any(is_asked_for) {
        return error.with_hint(format!("the list has it, so {FAULT}"));
    }
    let error = error.with_detail(format!("the tenant has no {target}"));
    with_nearest(error, &target.id, &items, kind).with_hint(settings.command(list))
}

/// The failure to find something by its id or name among `items`.
pub fn missing(words: &str, items: &[ProductPolicy], among: &LookupContext, settings: &Settings) -> Error {
    let error = Error::failed(format!("no {} has the id or the name '{}'", among.kind, truncate(words, 80)));
    if let Some(hint) = renumbered(words, settings) {
        return error.with_hint(hint);
    }
    with_nearest(error, words, items, among.kind)
        .with_hint(settings.command(among.list))
        .with_hints(among.elsewhere.map(str::to_owned))
}

/// Adds the new id to a failed change of a product that has been renumbered.
pub fn for_change(error: Error, target: &Target, settings: &Settings) -> Error {
    match renumbered(&target.id, settings).filter(|_| may_be_unknown_id(&error)) {
        Some(hint) => error.with_hint(hint),
        None => error,
    }
}

/// Adds what to type next to a refusal that nothing better is known of.
pub fn whatever_else(error: Error, settings: &Settings) -> Error {
    match general(&error, settings) {
        Some(hint) => error.with_hint(hint),
        None => error,
    }
}

/// What to type next after a refusal that nothing better is known of.
pub fn general(error: &Error, settings: &Settings) -> Option<String> {
    let refusal = error.downcast_ref::<ApiError>()?;
    if refusal.status == StatusCode::FORBIDDEN {
        let status = settings.command_for_default_policy("mscommerce status");
        return Some(format!("see which account and tenant served: {status}"));
    }
    let is_silent = error.hints().is_empty();
    is_silent.then(|| "try again later; if it stays so, Microsoft's support asks for the correlation id".to_owned())
}

/// Where to find a product whose id has been renumbered.
pub fn renumbered(id: &str, settings: &Settings) -> Option<String> {
    let (new, name) = replacement(id)?;
    let command = settings.command(&format!("mscommerce product get {new}"));
    Some(format!("{} has been renumbered, {name} is {new} now: {command}", id.to_uppercase()))
}

/// Adds the items most like `asked` to an error.
pub fn with_nearest<'i>(
    error: Error,
    asked: &str,
    items: impl IntoIterator<Item = &'i ProductPolicy>,
    kind: &str,
) -> Error {
    let nearest = nearest(asked, items);
    match nearest.as_slice() {
        [] => error,
        [only] => error.with_detail(format!("the nearest {kind}: {only}")),
        several => error.with_detail(format!("the nearest {kind}s:\n  {}", several.join("\n  "))),
    }
}

/// The labels of the items whose name or id is most like `asked`, best first; all of them where there are few.
fn nearest<'i>(asked: &str, items: impl IntoIterator<Item = &'i ProductPolicy>) -> Vec<String> {
    let asked = asked.to_lowercase();
    let likeness = |text: &Option<String>| {
        let text = text.as_deref().unwrap_or_default().to_lowercase();
        if text.contains(&asked) { 1.0 } else { strsim::jaro_winkler(&asked, &text) }
    };
    let mut scored: Vec<(f64, String)> =
        items.into_iter().map(|item| (likeness(&item.name).max(likeness(&item.id)), item.label())).collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    let few = scored.len() <= MOST;
    scored.into_iter().filter(|(score, _)| few || *score >= LEAST_LIKENESS).take(MOST).map(|(_, label)| label).collect()
}

fn may_be_unknown_id(error: &Error) -> bool {
    error.downcast_ref::<ApiError>().is_some_and(ApiError::may_be_unknown_id)
}
