//! `policy list` and `policy get`.

use super::{CommandOutput, Context, suggest};
use crate::api::is_valid_segment;
use crate::cli::PolicyCommand;
use crate::error::{Error, Result};
use crate::output::Output;
use crate::report::Report;

pub async fn run(command: PolicyCommand, context: &Context<'_>) -> Result<CommandOutput> {
    match command {
        PolicyCommand::List => list(context).await,
        PolicyCommand::Get { policy } => get(policy.as_deref().unwrap_or(&context.settings.policy_id), context).await,
    }
}

async fn list(context: &Context<'_>) -> Result<CommandOutput> {
    let policies =
        context.with_endpoint(&context.settings.policy_id, async |endpoint| endpoint.policies().await).await?;
    if policies.is_empty() {
        context.terminal.info("The tenant has no policies.");
    }
    Ok(Output::many(policies).into())
}

async fn get(id: &str, context: &Context<'_>) -> Result<CommandOutput> {
    if !is_valid_segment(id) {
        return Err(Error::usage(format!("'{id}' cannot be a policy's id"))
            .with_hint(context.settings.command_for_default_policy("mscommerce policy list")));
    }
    let policy = context
        .with_endpoint(id, async |endpoint| match endpoint.policy().await {
            Ok(policy) => Ok(policy),
            Err(error) => Err(suggest::policies(endpoint, error, context.settings).await),
        })
        .await?;
    Ok(Output::one(policy).into())
}
