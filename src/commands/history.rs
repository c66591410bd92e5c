//! `history`: lists the changes made from this machine.

use clap::Args;

use super::CommandOutput;
use super::completion::complete_run;
use crate::auth::Tenant;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::history::{self, History, HistoryEntry};
use crate::output::Output;
use crate::text::count_noun;

#[derive(Args, Debug)]
pub struct HistoryArgs {
    /// Maximum number of changes, newest first
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: u32,
    /// Show one run: its ID, or the start of it
    #[arg(long, value_name = "RUN", add = complete_run())]
    pub run: Option<String>,
}

pub const HELP: &str = "\
With --tenant or --policy-id, shows only the changes there.

Examples:
  mscommerce history --limit 5
  mscommerce history -o csv > changes.csv";

pub async fn run(args: &HistoryArgs, context: &Context) -> Result<CommandOutput> {
    let settings = &context.settings;
    let tenant_id = match settings.tenant() {
        None => None,
        Some(tenant) => Some(resolve_id(tenant, context).await?),
    };
    let matches = |entry: &HistoryEntry| {
        let has_tenant = |id: &str| entry.tenant_id.as_deref().is_some_and(|tenant| tenant.eq_ignore_ascii_case(id));
        let has_policy = |id: &String| entry.policy_id.eq_ignore_ascii_case(id);
        let has_run = |run: &String| entry.has_run_prefix(run.trim());
        tenant_id.as_deref().is_none_or(has_tenant)
            && settings.policy_id.flag().is_none_or(has_policy)
            && args.run.as_ref().is_none_or(has_run)
    };
    let History { mut entries, invalid_lines } = read(context).await?;
    entries.retain(HistoryEntry::was_sent);
    let total = entries.len();
    let mut entries_shown: Vec<HistoryEntry> = entries.into_iter().filter(matches).collect();
    entries_shown.reverse();
    let mut note = match (total, entries_shown.len()) {
        (0, _) if !invalid_lines.is_empty() => None,
        (0, _) => Some("No changes are recorded on this machine.".to_owned()),
        (total, 0) => Some(format!("No recorded changes match ({total} checked).")),
        _ => None,
    };
    let limit = usize::try_from(args.limit).unwrap_or(usize::MAX);
    if entries_shown.len() > limit {
        note = Some(format!("{limit} of {} changes. Use --limit N to show more.", entries_shown.len()));
        entries_shown.truncate(limit);
    }
    Ok(CommandOutput { note, ..Output::list(entries_shown).into() })
}

/// The ID of a tenant, because the history contains IDs. Sends no request: a saved sign-in has the ID of each domain
/// that was used with it.
async fn resolve_id(tenant: &Tenant, context: &Context) -> Result<String> {
    if let Some(id) = tenant.id() {
        return Ok(id.to_owned());
    }
    let saved = context.token_cache()?.load(context.http.remaining()).await?;
    saved.tenant_id(tenant).ok_or_else(|| {
        Error::usage(format!("--tenant {tenant}: no saved sign-in has the ID of this tenant"))
            .with_hint("use the tenant's ID: mscommerce history -o json")
    })
}

/// Reads the history. Warns about invalid lines.
pub async fn read(context: &Context) -> Result<History> {
    let directory = context.settings.state_directory()?;
    let history = History::read(&directory).await?;
    if let Some(first) = history.invalid_lines.first() {
        let path = history::path(&directory);
        let lines = count_noun(history.invalid_lines.len(), "invalid line");
        context.ui.warn(&format!("skipped {lines} in {}, starting at line {first}", path.display()));
    }
    Ok(history)
}
