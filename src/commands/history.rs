//! `history`: what this tool changed from this machine.

use super::{CommandOutput, Context};
use crate::cli::HistoryArgs;
use crate::error::{Error, Result};
use crate::history::{self, Entry, History};
use crate::output::Output;
use crate::report::Report;

pub fn run(args: &HistoryArgs, context: &Context<'_>) -> Result<CommandOutput> {
    let settings = context.settings;
    let tenant_id = match &settings.tenant {
        None => None,
        Some(tenant) => Some(tenant.id().ok_or_else(|| {
            Error::usage(format!("--tenant {tenant}: the record of changes names tenants by their ids"))
                .with_hint("mscommerce history -o json")
        })?),
    };
    let fits = |entry: &Entry| {
        let is_in = |id: &str| entry.tenant_id.as_deref().is_some_and(|tenant| tenant.eq_ignore_ascii_case(id));
        let is_under = |id: &String| entry.policy_id.eq_ignore_ascii_case(id);
        tenant_id.is_none_or(is_in) && settings.policy_id_given.as_ref().is_none_or(is_under)
    };
    let History { entries, damaged } = read(context)?;
    let total = entries.len();
    let mut fitting: Vec<Entry> = entries.into_iter().filter(fits).collect();
    fitting.reverse();
    let mut note = match (total, fitting.len()) {
        (0, _) if !damaged.is_empty() => None,
        (0, _) => Some("Nothing has been changed from here yet.".to_owned()),
        (total, 0) => Some(format!("None of the {total} changes recorded fits.")),
        _ => None,
    };
    let limit = usize::try_from(args.limit).unwrap_or(usize::MAX);
    if fitting.len() > limit {
        note = Some(format!("{limit} of {} changes; --limit N shows more.", fitting.len()));
        fitting.truncate(limit);
    }
    Ok(CommandOutput { note, ..Output::many(fitting).into() })
}

/// Reads the record of changes, and tells of lines that are lost.
pub fn read(context: &Context<'_>) -> Result<History> {
    let directory = context.settings.state_directory()?;
    let history = History::read(&directory)?;
    if let Some(first) = history.damaged.first() {
        let path = history::path(&directory);
        context.terminal.warn(&format!(
            "{} of the lines in {} cannot be understood, the first is line {first}; left out",
            history.damaged.len(),
            path.display()
        ));
    }
    Ok(history)
}
