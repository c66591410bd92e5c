//! `baseline export`, `check` and `apply`.

mod drift;
mod export;

use std::path::Path;

use super::changing::{self, Manner};
use super::{Context, Ended, listing, suggest};
use crate::cli::{ApplyArgs, BaselineCommand, ScopeChoice};
use crate::error::{Error, Result};
use crate::plan::{Baseline, Comparison, Unknown};
use crate::report::Report;
use crate::settings::Settings;

pub(super) async fn run(command: BaselineCommand, context: &Context<'_>) -> Result<Ended> {
    match command {
        BaselineCommand::Export(args) => export::run(&args, context).await,
        BaselineCommand::Check { file } => drift::check(&file, context).await,
        BaselineCommand::Apply(args) => apply(&args, context).await,
    }
}

async fn apply(args: &ApplyArgs, context: &Context<'_>) -> Result<Ended> {
    let manner = Manner::new(args.change, args.jobs.jobs, context)?;
    let baseline = read(&args.file, context).await?;
    context
        .with_endpoint(&context.settings.policy_id, async |endpoint| {
            let listed = listing::read(ScopeChoice::All.scopes(), endpoint, context).await?;
            let Comparison { plan, unknown } = baseline.compare(listed)?;
            plan.check_namable()?;
            if !unknown.is_empty() {
                if !args.ignore_unknown {
                    return Err(refused(&unknown, context.settings));
                }
                for Unknown { target, place, .. } in &unknown {
                    context.terminal.warn(&format!("{place}: the tenant has no {target}; ignored"));
                }
            }
            changing::run(plan, manner, endpoint, context).await
        })
        .await
}

/// Reads a file that is for the policy in use.
async fn read(file: &Path, context: &Context<'_>) -> Result<Baseline> {
    let baseline = Baseline::read(file).await?;
    baseline.check_policy(&context.settings.policy_id)?;
    Ok(baseline)
}

fn refused(unknown: &[Unknown], settings: &Settings) -> Error {
    let ids = if unknown.len() == 1 { "an id" } else { "ids" };
    let mut error = Error::failed(format!("the file names {ids} that the tenant does not have; nothing was changed"));
    for Unknown { target, place, .. } in unknown {
        error = error.detail(format!("{place}: {target}"));
    }
    let renumbered = unknown.iter().filter_map(|unknown| suggest::renumbered(unknown.target.id(), settings));
    error
        .hints(renumbered)
        .hints(unknown.iter().filter_map(|unknown| unknown.meant.clone()))
        .hint("correct the file, or add --ignore-unknown to go on without them")
        .hint(settings.command("mscommerce products list --scope all"))
}
