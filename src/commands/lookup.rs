//! Finds products by id or name, and adds to an error what the user may have meant.

use futures_util::future::join_all;
use reqwest::StatusCode;

use crate::api::{self, ApiError, ProductPolicy, Scope, Target, replacement};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::text::truncate;

/// More suggestions would not be read.
const MAX_SUGGESTIONS: usize = 5;

/// Jaro-Winkler similarity below which two names are unrelated.
const MIN_SIMILARITY: f64 = 0.7;

/// For an id that exists: the service reports its own faults with a 404, too (microsoft-365-docs issue 4387).
const HINT_SERVICE_FAULT: &str =
    "this may be a fault of the service: try again later; support asks for the correlation id";

/// Lists the products or offer types of these scopes, in their order.
pub async fn list(scopes: &[Scope], api: &api::Client, context: &Context) -> Result<Vec<ProductPolicy>> {
    // All are read to their end even if one fails, because another may be refreshing the token.
    let lists = join_all(scopes.iter().map(|scope| api.list(*scope))).await;
    match lists.into_iter().collect::<Result<Vec<_>>>() {
        Ok(lists) => Ok(lists.into_iter().flatten().collect()),
        Err(error) => Err(explain_unknown_policy(api, error, context).await),
    }
}

/// What is searched, for the error if it has no match.
pub struct LookupContext {
    /// The items, in words.
    pub kind: &'static str,
    /// The command that lists them.
    pub list: &'static str,
    /// A hint where else the item may be.
    pub alternative: Option<&'static str>,
}

/// The one item whose id or name is `text`.
pub fn find_unique<'i>(
    text: &str,
    items: &'i [ProductPolicy],
    lookup: &LookupContext,
    context: &Context,
) -> Result<&'i ProductPolicy> {
    let matches: Vec<&ProductPolicy> = items.iter().filter(|item| item.matches_id_or_name(text)).collect();
    // The service may list a product twice.
    let is_same = |a: &ProductPolicy, b: &ProductPolicy| a.target().is_some() && a.target() == b.target();
    match matches.as_slice() {
        [only] => Ok(only),
        [] => Err(not_found(text, items, lookup, context)),
        [first, others @ ..] if others.iter().all(|other| is_same(first, other)) => Ok(first),
        several => {
            let labels: Vec<String> = several.iter().map(|item| item.label()).collect();
            let text = truncate(text, 80);
            Err(Error::failed(format!("'{text}' fits {} {}s; nothing was done", several.len(), lookup.kind))
                .with_detail(labels.join("\n"))
                .with_hint("name one of them by its id"))
        }
    }
}

fn not_found(text: &str, items: &[ProductPolicy], lookup: &LookupContext, context: &Context) -> Error {
    let error = Error::failed(format!("no {} has the id or the name '{}'", lookup.kind, truncate(text, 80)));
    if let Some(hint) = renumbered_hint(text, context) {
        return error.with_hint(hint);
    }
    with_suggestions(error, text, items, lookup.kind)
        .with_hint(context.command(lookup.list))
        .with_hints(lookup.alternative.map(str::to_owned))
}

/// Adds the policies that exist to an error that an unknown policy id may have caused.
pub async fn explain_unknown_policy(api: &api::Client, error: Error, context: &Context) -> Error {
    if !may_be_unknown_id(&error) {
        return error;
    }
    // A second error would only hide the first one.
    let Ok(policies) = api.policies().await else { return error };
    let ids: Vec<String> = policies.into_iter().filter_map(|policy| policy.id).collect();
    let policy_id = api.policy_id();
    if ids.iter().any(|id| id.eq_ignore_ascii_case(policy_id)) {
        return error.with_hint(format!("the policy is there, so {HINT_SERVICE_FAULT}"));
    }
    error
        .with_detail(format!("there is no policy '{}'; policies: {}", truncate(policy_id, 80), ids.join(", ")))
        .with_hint(context.command_any_policy("mscommerce policy list"))
}

/// Adds the closest products or offer types to an error that an unknown id may have caused.
pub async fn explain_unknown_target(api: &api::Client, target: &Target, error: Error, context: &Context) -> Error {
    if !may_be_unknown_id(&error) {
        return error;
    }
    if let Some(hint) = renumbered_hint(&target.id, context) {
        return error.with_hint(hint);
    }
    let (kind, list) = match target.scope {
        Scope::Product => ("product", "mscommerce products list"),
        Scope::OfferType => ("offer type", "mscommerce products list --scope offer-type"),
    };
    let items = match api.list(target.scope).await {
        Ok(items) => items,
        Err(list_error) if may_be_unknown_id(&list_error) => return explain_unknown_policy(api, error, context).await,
        Err(_) => return error,
    };
    if items.iter().any(|item| item.id.as_deref().is_some_and(|id| id.eq_ignore_ascii_case(&target.id))) {
        return error.with_hint(format!("the list has it, so {HINT_SERVICE_FAULT}"));
    }
    let error = error.with_detail(format!("the tenant has no {target}"));
    with_suggestions(error, &target.id, &items, kind).with_hint(context.command(list))
}

/// Adds the new id to the error of a change of a renumbered product.
pub fn with_renumbered_hint(error: Error, target: &Target, context: &Context) -> Error {
    match renumbered_hint(&target.id, context).filter(|_| may_be_unknown_id(&error)) {
        Some(hint) => error.with_hint(hint),
        None => error,
    }
}

/// Names the product that replaced one whose id Microsoft changed.
pub fn renumbered_hint(id: &str, context: &Context) -> Option<String> {
    let (new, name) = replacement(id)?;
    let command = context.command(&format!("mscommerce product get {new}"));
    Some(format!("{} has been renumbered, {name} is {new} now: {command}", id.to_uppercase()))
}

/// Adds a general hint to an error of the service that has no better one.
pub fn with_fallback_hint(error: Error, context: &Context) -> Error {
    match fallback_hint(&error, context) {
        Some(hint) => error.with_hint(hint),
        None => error,
    }
}

/// A general hint for an error of the service that has no better one.
pub fn fallback_hint(error: &Error, context: &Context) -> Option<String> {
    let api_error = error.downcast_ref::<ApiError>()?;
    if api_error.status == StatusCode::FORBIDDEN {
        let status = context.command_any_policy("mscommerce status");
        return Some(format!("see which account and tenant served: {status}"));
    }
    let has_no_hint = error.hints().is_empty();
    has_no_hint.then(|| "try again later; if it stays so, Microsoft's support asks for the correlation id".to_owned())
}

/// The distinct hints of several errors; if there are too many, the first ones and `more`.
pub fn dedup_hints(hints: impl IntoIterator<Item = String>, more: impl FnOnce() -> String) -> Vec<String> {
    let mut distinct: Vec<String> = Vec::new();
    for hint in hints {
        if !distinct.contains(&hint) && distinct.len() <= MAX_SUGGESTIONS {
            distinct.push(hint);
        }
    }
    if distinct.len() > MAX_SUGGESTIONS {
        distinct.truncate(MAX_SUGGESTIONS);
        distinct.push(more());
    }
    distinct
}

/// Adds the items closest to `text` to an error.
pub fn with_suggestions<'i>(
    error: Error,
    text: &str,
    items: impl IntoIterator<Item = &'i ProductPolicy>,
    kind: &str,
) -> Error {
    match closest_matches(text, items).as_slice() {
        [] => error,
        [only] => error.with_detail(format!("the nearest {kind}: {only}")),
        several => error.with_detail(format!("the nearest {kind}s:\n  {}", several.join("\n  "))),
    }
}

/// The labels of the items whose name or id is closest to `text`, best first; all of them if they are few.
fn closest_matches<'i>(text: &str, items: impl IntoIterator<Item = &'i ProductPolicy>) -> Vec<String> {
    let text = text.to_lowercase();
    let similarity = |candidate: &Option<String>| {
        let candidate = candidate.as_deref().unwrap_or_default().to_lowercase();
        if candidate.contains(&text) { 1.0 } else { strsim::jaro_winkler(&text, &candidate) }
    };
    let mut scored: Vec<(f64, String)> =
        items.into_iter().map(|item| (similarity(&item.name).max(similarity(&item.id)), item.label())).collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    let are_few = scored.len() <= MAX_SUGGESTIONS;
    let close = scored.into_iter().filter(|(score, _)| are_few || *score >= MIN_SIMILARITY);
    close.take(MAX_SUGGESTIONS).map(|(_, label)| label).collect()
}

fn may_be_unknown_id(error: &Error) -> bool {
    error.downcast_ref::<ApiError>().is_some_and(ApiError::may_be_unknown_id)
}
