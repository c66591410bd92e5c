//! Finds products by ID or name, and adds suggestions to errors.

use futures_util::future::join_all;
use reqwest::StatusCode;

use crate::api::{self, ApiError, ProductPolicy, Scope, Target, is_product_id, replacement};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::text::{comparison_key, truncate};

/// Keeps error messages short.
const MAX_SUGGESTIONS: usize = 5;

/// Minimum Jaro-Winkler similarity of a suggestion.
const MIN_SIMILARITY: f64 = 0.7;

/// For an ID that exists: the service also responds with 404 to internal errors (microsoft-365-docs issue 4387).
const HINT_SERVICE_ERROR: &str =
    "this may be an error of the service. Try again later. If it persists, give Microsoft support the correlation ID.";

/// Lists the products and offer types of the scopes, in the order of `scopes`.
pub async fn list(scopes: &[Scope], api: &api::Client, context: &Context) -> Result<Vec<ProductPolicy>> {
    // Await all lists even if one fails, because another may be refreshing the token.
    let lists = join_all(scopes.iter().map(|scope| api.list(*scope))).await;
    match lists.into_iter().collect::<Result<Vec<_>>>() {
        Ok(lists) => Ok(lists.into_iter().flatten().collect()),
        Err(error) => Err(explain_unknown_policy(api, error, context).await),
    }
}

/// The command that lists the items of a scope.
pub fn list_command(scope: Scope) -> &'static str {
    match scope {
        Scope::Product => "mscommerce product list",
        Scope::OfferType => "mscommerce product list --scope offer-type",
    }
}

/// Describes the searched items, for the error if none matches.
pub struct LookupContext {
    /// What the items are, in the singular.
    pub kind: &'static str,
    /// The command that lists the items.
    pub list: &'static str,
    /// A hint about another place to search.
    pub alternative: Option<&'static str>,
}

/// The plural of a kind of item: `products or offer types`.
pub fn plural(kind: &str) -> String {
    kind.split(" or ").map(|kind| format!("{kind}s")).collect::<Vec<_>>().join(" or ")
}

/// Finds the item whose ID or name is `text`. Fails if none or several match.
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
            Err(Error::failed(format!(
                "'{text}' matches {} {}; nothing was changed",
                several.len(),
                plural(lookup.kind)
            ))
            .with_details(labels)
            .with_hint("specify one of them by its ID"))
        }
    }
}

/// Finds the item of each text. If some are not found, the error names all of them.
pub fn find_all<'i>(
    texts: &[String],
    items: &'i [ProductPolicy],
    lookup: &LookupContext,
    context: &Context,
) -> Result<Vec<&'i ProductPolicy>> {
    let found = texts.iter().map(|text| find_unique(text, items, lookup, context));
    let (found, errors): (Vec<_>, Vec<_>) = found.partition(Result::is_ok);
    let errors = errors.into_iter().filter_map(Result::err).collect();
    combine_errors(errors, texts.len(), lookup.kind)?;
    Ok(found.into_iter().flatten().collect())
}

/// Combines the errors of several texts: a single error unchanged, otherwise one with all messages and hints.
pub fn combine_errors(mut errors: Vec<Error>, total: usize, kind: &str) -> Result<()> {
    if errors.len() <= 1 {
        return errors.pop().map_or(Ok(()), Err);
    }
    let message = format!("{} of {total} IDs or names do not identify one {kind}; nothing was changed", errors.len());
    let (mut combined, mut hints) = (Error::failed(message), Vec::new());
    for error in &errors {
        let message = error.message();
        combined = combined.with_nested(message.trim_end_matches("; nothing was changed"), error);
        for hint in error.hints() {
            if !hints.contains(hint) {
                hints.push(hint.clone());
            }
        }
    }
    Err(combined.with_hints(hints))
}

/// Fails if `text` is several product IDs with commas or semicolons between them. `hint` gets the IDs.
pub fn check_not_joined(text: &str, hint: impl Fn(&[&str]) -> String) -> Result<()> {
    let ids: Vec<&str> = text.split([',', ';']).map(str::trim).filter(|id| !id.is_empty()).collect();
    if text.contains([',', ';']) && !ids.is_empty() && ids.iter().all(|id| is_product_id(id)) {
        let message = format!("'{}' is not an ID: separate IDs with spaces, not commas", truncate(text, 80));
        return Err(Error::usage(message).with_hint(hint(&ids)));
    }
    Ok(())
}

fn not_found(text: &str, items: &[ProductPolicy], lookup: &LookupContext, context: &Context) -> Error {
    let error = Error::failed(format!("no {} has the ID or name '{}'", lookup.kind, truncate(text, 80)));
    if let Some(hint) = renumbered_hint(text, context) {
        return error.with_hint(hint);
    }
    let is_joined = text.split(',').filter(|part| items.iter().any(|item| item.matches_id_or_name(part))).count() > 1;
    with_suggestions(error, text, items, lookup.kind)
        .with_hints(is_joined.then(|| "separate IDs and names with spaces, and quote each name separately".to_owned()))
        .with_hint(context.command(lookup.list))
        .with_hints(lookup.alternative.map(str::to_owned))
}

/// Adds the list of policies to an error that an unknown policy ID may have caused.
pub async fn explain_unknown_policy(api: &api::Client, error: Error, context: &Context) -> Error {
    if !may_be_unknown_id(&error) {
        return error;
    }
    // Report the first error, not a follow-up error.
    let Ok(policies) = api.policies().await else { return error };
    let ids: Vec<String> = policies.into_iter().filter_map(|policy| policy.id).collect();
    let policy_id = api.policy_id();
    if ids.iter().any(|id| id.eq_ignore_ascii_case(policy_id)) {
        return error.with_hint(format!("The policy exists, so {HINT_SERVICE_ERROR}"));
    }
    error
        .with_detail(format!("existing policies: {}", ids.join(", ")))
        .with_hint(context.command_any_policy("mscommerce policy list"))
}

/// Adds similar products or offer types to an error that an unknown ID may have caused.
pub async fn explain_unknown_target(api: &api::Client, target: &Target, error: Error, context: &Context) -> Error {
    if !may_be_unknown_id(&error) {
        return error;
    }
    if let Some(hint) = renumbered_hint(&target.id, context) {
        return error.with_hint(hint);
    }
    let items = match api.list(target.scope).await {
        Ok(items) => items,
        Err(list_error) if may_be_unknown_id(&list_error) => return explain_unknown_policy(api, error, context).await,
        Err(_) => return error,
    };
    if items.iter().any(|item| item.id.as_deref().is_some_and(|id| id.eq_ignore_ascii_case(&target.id))) {
        return error.with_hint(format!("It is in the list, so {HINT_SERVICE_ERROR}"));
    }
    let error = error.with_detail(format!("the tenant has no {target}"));
    with_suggestions(error, &target.id, &items, target.scope.label())
        .with_hint(context.command(list_command(target.scope)))
}

/// Adds the new ID to the error of a change to a renumbered product.
pub fn with_renumbered_hint(error: Error, target: &Target, context: &Context) -> Error {
    match renumbered_hint(&target.id, context).filter(|_| may_be_unknown_id(&error)) {
        Some(hint) => error.with_hint(hint),
        None => error,
    }
}

/// A hint with the new ID of a product that Microsoft renumbered.
pub fn renumbered_hint(id: &str, context: &Context) -> Option<String> {
    let (new, name) = replacement(id)?;
    let command = context.command(&format!("mscommerce product get {new}"));
    Some(format!("use the new ID {new} ({name}) instead of {}: {command}", id.to_uppercase()))
}

/// Adds a generic hint to an API error without hints.
pub fn with_fallback_hint(error: Error, context: &Context) -> Error {
    match fallback_hint(&error, context) {
        Some(hint) => error.with_hint(hint),
        None => error,
    }
}

/// A generic hint for an API error: for any 403, and for other statuses if the error has no hints.
pub fn fallback_hint(error: &Error, context: &Context) -> Option<String> {
    let api_error = error.downcast_ref::<ApiError>()?;
    if api_error.status == StatusCode::FORBIDDEN {
        let status = context.command_any_policy("mscommerce status");
        return Some(format!("check the account and tenant: {status}"));
    }
    let has_no_hint = error.hints().is_empty();
    has_no_hint.then(|| "Try again later. If it persists, give Microsoft support the correlation ID.".to_owned())
}

/// Removes duplicate hints. Keeps the first [`MAX_SUGGESTIONS`] and adds `more` if there are others.
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

/// Adds the items most similar to `text` to an error.
pub fn with_suggestions<'i>(
    error: Error,
    text: &str,
    items: impl IntoIterator<Item = &'i ProductPolicy>,
    kind: &str,
) -> Error {
    match closest_matches(text, items).as_slice() {
        [] => error,
        [only] => error.with_detail(format!("similar {kind}: {only}")),
        several => error
            .with_detail(format!("similar {}:", plural(kind)))
            .with_details(several.iter().map(|label| format!("  {label}"))),
    }
}

/// The labels of the items with the most similar name or ID, best first. Ignores [`MIN_SIMILARITY`] for short lists.
fn closest_matches<'i>(text: &str, items: impl IntoIterator<Item = &'i ProductPolicy>) -> Vec<String> {
    let text = comparison_key(text);
    let similarity = |candidate: &Option<String>| {
        let candidate = comparison_key(candidate.as_deref().unwrap_or_default());
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
