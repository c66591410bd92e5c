//! Summarizes lists, and the changes of a run.

use std::collections::BTreeSet;

use super::lookup;
use crate::api::{PolicyValue, ProductPolicy, Scope, value_label};
use crate::context::Context;
use crate::error::{Error, ErrorKind};
use crate::pattern::Pattern;
use crate::plan::{ChangeRecord, ChangeResult, Outcome, Plan};
use crate::text::{count_noun, format_counts};
use crate::ui::Ui;

/// Limits the errors in the message. The records contain every error.
const MAX_SHOWN_ERRORS: usize = 5;

/// Counts the listed items by value: `17 products: 9 enabled, 6 disabled, 2 trials only`. `tenants` is the number of
/// tenants if the list covers several.
pub fn summarize_items(items: &[&ProductPolicy], tenants: Option<usize>) -> String {
    let count_scope = |scope| items.iter().filter(|item| item.scope() == scope).count();
    let kinds = [(Some(Scope::Product), "product"), (Some(Scope::OfferType), "offer type"), (None, "other item")];
    let kinds = kinds.map(|(scope, label)| (count_scope(scope), label)).into_iter().filter(|(count, _)| *count > 0);
    let kinds = kinds.map(|(count, label)| count_noun(count, label)).collect::<Vec<_>>().join(" and ");
    let tenants = tenants.map(|count| format!(" in {}", count_noun(count, "tenant"))).unwrap_or_default();

    let count_value = |value: PolicyValue| items.iter().filter(|item| value.matches(item.value.as_deref())).count();
    let mut counts: Vec<(usize, &str)> = [
        (PolicyValue::Enabled, "enabled"),
        (PolicyValue::Disabled, "disabled"),
        (PolicyValue::OnlyTrialsWithoutPaymentMethod, "trials only"),
    ]
    .map(|(value, label)| (count_value(value), label))
    .into();
    counts.push((items.len() - counts.iter().map(|(count, _)| count).sum::<usize>(), "with another value"));
    format!("{kinds}{tenants}: {}", format_counts(counts))
}

/// The message for a list without items. `total` counts the items before the filters.
pub fn describe_empty_list(
    total: usize,
    scopes: &[Scope],
    name: Option<&Pattern>,
    value: Option<PolicyValue>,
) -> String {
    let kinds = lookup::plural(&scopes.iter().map(|scope| scope.label()).collect::<Vec<_>>().join(" or "));
    if total == 0 {
        return format!("The service lists no {kinds}.");
    }
    let name = name.map(|name| format!(" match \"{name}\""));
    let value = value.map(|value| format!(" have the value {}", value_label(value.as_str())));
    let filters: Vec<String> = name.into_iter().chain(value).collect();
    format!("No {kinds}{} ({total} checked).", filters.join(" and"))
}

/// The maximum number of products that a warning names.
const MAX_SHOWN_PRODUCTS: usize = 3;

/// Warns about products that the plans set to trials although they have none.
pub fn warn_about_missing_trials<'p>(plans: impl IntoIterator<Item = &'p Plan>, ui: &Ui) {
    let labels: BTreeSet<String> =
        plans.into_iter().flat_map(Plan::changes_without_trial).map(|change| change.before.label()).collect();
    if labels.is_empty() {
        return;
    }
    let shown: Vec<&str> = labels.iter().take(MAX_SHOWN_PRODUCTS).map(String::as_str).collect();
    let more = labels.len() - shown.len();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    ui.warn(&format!(
        "Microsoft does not list a trial without a payment method for {}{more}; OnlyTrialsWithoutPaymentMethod is probably the same as Disabled",
        shown.join(", ")
    ));
}

/// Counts the changes by outcome: `14 changed, 2 unchanged, 1 failed`.
pub fn summarize<'r>(records: impl IntoIterator<Item = &'r ChangeRecord>) -> String {
    let outcomes: Vec<Outcome> = records.into_iter().map(|record| record.outcome).collect();
    let count = |outcome| outcomes.iter().filter(|other| **other == outcome).count();
    let all =
        [Outcome::Changed, Outcome::Planned, Outcome::Unchanged, Outcome::Failed, Outcome::Unknown, Outcome::Skipped];
    let counts = format_counts(all.map(|outcome| (count(outcome), outcome.as_str())));
    if counts.is_empty() { "nothing to change".to_owned() } else { counts }
}

/// The error of a run in one tenant, or `None` if all changes were made.
pub fn summary_error(
    results: &[ChangeResult],
    location: &str,
    is_interrupted: bool,
    context: &Context,
) -> Option<Error> {
    let is_done = |result: &ChangeResult| matches!(result.record.outcome, Outcome::Changed | Outcome::Unchanged);
    if results.iter().all(is_done) {
        return None;
    }
    let errors: Vec<&Error> = results.iter().filter_map(|result| result.error.as_ref()).collect();
    let kind = if is_interrupted {
        ErrorKind::Interrupted
    } else if errors.iter().any(|error| error.kind() == ErrorKind::Auth) {
        ErrorKind::Auth
    } else {
        ErrorKind::Failed
    };
    let summary = summarize(results.iter().map(|result| &result.record));
    let message = if is_interrupted { format!("interrupted: {summary}") } else { summary };
    let mut error = Error::failed(message).with_kind(kind);
    if !location.is_empty() {
        error = error.with_detail(location.trim_start());
    }
    for failure in errors.iter().take(MAX_SHOWN_ERRORS) {
        error = error.with_detail(failure.summary());
    }
    if errors.len() > MAX_SHOWN_ERRORS {
        error = error.with_detail(format!("{} more in the error field", errors.len() - MAX_SHOWN_ERRORS));
    }
    let fallback_hints = errors.iter().filter_map(|error| lookup::fallback_hint(error, context));
    let hints = errors.iter().flat_map(|error| error.hints()).cloned().chain(fallback_hints);
    let list = || context.command("mscommerce product list --scope all");
    Some(error.with_hints(lookup::dedup_hints(hints, list)))
}
