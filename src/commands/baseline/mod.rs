//! `baseline export`, `check` and `apply`.

mod drift;
mod export;

use std::path::Path;

use super::at_tenant::TenantClient;
use super::changing::{self, ApplyOptions};
use super::{CommandOutput, Context, Endpoint, listing, suggest, tenants};
use crate::cli::{ApplyArgs, BaselineCommand, ScopeArg};
use crate::error::{Error, Result};
use crate::plan::{Baseline, Comparison, Plan, Unknown};
use crate::report::Report;
use crate::settings::Settings;

pub async fn run(command: BaselineCommand, context: &Context<'_>) -> Result<CommandOutput> {
    match command {
        BaselineCommand::Export(args) => export::run(&args, context).await,
        BaselineCommand::Check(args) => drift::run(&args, context).await,
        BaselineCommand::Apply(args) => apply(&args, context).await,
    }
}

async fn apply(args: &ApplyArgs, context: &Context<'_>) -> Result<CommandOutput> {
    if let Some(tenants) = tenants::several(&args.tenants, context).await? {
        let manner = ApplyOptions::over_tenants(args.change, args.jobs.jobs, context)?;
        let baseline = read(&args.file, context).await?;
        return context
            .with_places(tenants, async |places| {
                let read = async |place: &TenantClient<'_>| {
                    plan(&baseline, args, &manner, &place.endpoint, &place.context).await
                };
                let found = tenants::read_all(places, context, read).await;
                changing::run_over_tenants(found, manner, context).await
            })
            .await;
    }
    let manner = ApplyOptions::new(args.change, args.jobs.jobs, context)?;
    let baseline = read(&args.file, context).await?;
    context
        .with_endpoint(&context.settings.policy_id, async |endpoint| {
            let plan = plan(&baseline, args, &manner, endpoint, context).await?;
            changing::run(plan, manner, endpoint, context).await
        })
        .await
}

/// What has to be changed at a tenant.
async fn plan(
    baseline: &Baseline,
    args: &ApplyArgs,
    manner: &ApplyOptions,
    endpoint: &Endpoint<'_>,
    context: &Context<'_>,
) -> Result<Plan> {
    endpoint.prepare(manner.purpose()).await?;
    let listed = listing::read(ScopeArg::All.scopes(), endpoint, context).await?;
    let Comparison { plan, unknown } = baseline.compare(listed)?;
    plan.check_namable()?;
    if !unknown.is_empty() {
        if !args.ignore_unknown {
            return Err(refused(&unknown, context.settings));
        }
        for Unknown { target, place, .. } in &unknown {
            context.terminal.warn(&format!("{place}: {} has no {target}; ignored", the_tenant(context.settings)));
        }
    }
    Ok(plan)
}

/// The tenant, by the name that the person gave it.
fn the_tenant(settings: &Settings) -> String {
    settings.tenant.as_ref().map_or_else(|| "the tenant".to_owned(), |tenant| format!("the tenant {tenant}"))
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
        error = error.with_detail(format!("{place}: {target}"));
    }
    let renumbered = unknown.iter().filter_map(|unknown| suggest::renumbered(&unknown.target.id, settings));
    error
        .with_hints(renumbered)
        .with_hints(unknown.iter().filter_map(|unknown| unknown.meant.clone()))
        .with_hint("correct the file, or add --ignore-unknown to go on without them")
        .with_hint(settings.command("mscommerce products list --scope all"))
}
