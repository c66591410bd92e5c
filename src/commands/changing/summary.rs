//! What became of a plan, in words.

use super::{Context, suggest};
use crate::error::{Error, ErrorKind};
use crate::plan::{ChangeRecord, ChangeResult, Outcome};
use crate::text::format_counts;

/// So many failures are told in words; the records tell of all.
const MOST_TOLD: usize = 5;

/// How many ended how: `14 changed, 2 unchanged, 1 failed`.
pub fn counted<'r>(records: impl IntoIterator<Item = &'r ChangeRecord>) -> String {
    let outcomes: Vec<Outcome> = records.into_iter().map(|record| record.outcome).collect();
    let count = |outcome| outcomes.iter().filter(|other| **other == outcome).count();
    let all = [Outcome::Changed, Outcome::Planned, Outcome::Unchanged, Outcome::Failed];
    let counts = format_counts(all.map(|outcome| (count(outcome), outcome.name())));
    if counts.is_empty() { "nothing to change".to_owned() } else { counts }
}

/// The failure of a run in which something failed, or that was interrupted.
pub fn failure(
    carried: &[ChangeResult],
    sum: &str,
    place: &str,
    is_interrupted: bool,
    context: &Context<'_>,
) -> Option<Error> {
    let failed = carried.iter().filter(|carried| carried.record.outcome == Outcome::Failed);
    let failures: Vec<&Error> = failed.clone().filter_map(|carried| carried.failure.as_ref()).collect();
    let unsent = failed.clone().count() - failures.len();
    if failed.count() == 0 && !is_interrupted {
        return None;
    }
    let kind = if is_interrupted {
        ErrorKind::Interrupted
    } else if failures.iter().any(|failure| failure.kind() == ErrorKind::Auth) {
        ErrorKind::Auth
    } else {
        ErrorKind::Failed
    };
    let headline = if is_interrupted { format!("interrupted: {sum}") } else { sum.to_owned() };
    let mut error = Error::failed(headline).with_kind(kind);
    if !place.is_empty() {
        error = error.with_detail(place.trim_start());
    }
    for failure in failures.iter().take(MOST_TOLD) {
        error = error.with_detail(failure.summary());
    }
    if failures.len() > MOST_TOLD {
        error = error.with_detail(format!("{} more: see the field error", failures.len() - MOST_TOLD));
    }
    if unsent > 0 {
        error = error.with_detail(format!("not sent: {unsent}"));
    }
    Some(with_hints(error, &failures, context))
}

/// Adds the hints of the failures, each once, and where there are too many the command that shows everything.
fn with_hints(error: Error, failures: &[&Error], context: &Context<'_>) -> Error {
    let general = failures.iter().filter_map(|failure| suggest::general(failure, context.settings));
    let hints = failures.iter().flat_map(|failure| failure.hints()).cloned().chain(general);
    let more = || context.settings.command("mscommerce products list --scope all");
    error.with_hints(suggest::hints_of_several(hints, more))
}
