//! Summarizes the changes of a run.

use super::lookup;
use crate::context::Context;
use crate::error::{Error, ErrorKind};
use crate::plan::{ChangeRecord, ChangeResult, Outcome};
use crate::text::format_counts;

/// Limits the errors in the message. The records contain every error.
const MAX_SHOWN_ERRORS: usize = 5;

/// Counts the changes by outcome: `14 changed, 2 unchanged, 1 failed`.
pub fn summarize<'r>(records: impl IntoIterator<Item = &'r ChangeRecord>) -> String {
    let outcomes: Vec<Outcome> = records.into_iter().map(|record| record.outcome).collect();
    let count = |outcome| outcomes.iter().filter(|other| **other == outcome).count();
    let all =
        [Outcome::Changed, Outcome::Planned, Outcome::Unchanged, Outcome::Failed, Outcome::Unknown, Outcome::Skipped];
    let counts = format_counts(all.map(|outcome| (count(outcome), outcome.as_str())));
    if counts.is_empty() { "nothing to change".to_owned() } else { counts }
}

/// The error of a run in one tenant, or `None` if all changes were made and the run was not interrupted.
pub fn summary_error(
    results: &[ChangeResult],
    location: &str,
    is_interrupted: bool,
    context: &Context,
) -> Option<Error> {
    let is_done = |result: &ChangeResult| matches!(result.record.outcome, Outcome::Changed | Outcome::Unchanged);
    if results.iter().all(is_done) && !is_interrupted {
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
