//! `policy list` and `policy get`.

use clap::Subcommand;

use super::{CommandOutput, lookup};
use crate::api::is_valid_segment;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::output::Output;

const LIST_EXAMPLES: &str = "\
Examples:
  mscommerce policy list
  mscommerce policy list -o json";

const GET_EXAMPLES: &str = "\
Examples:
  mscommerce policy get
  mscommerce policy get AllowSelfServicePurchase --query defaultValue -o tsv";

#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// List the policies (Get-MSCommercePolicies)
    #[command(after_long_help = LIST_EXAMPLES)]
    List,
    /// Show one policy (Get-MSCommercePolicy)
    #[command(after_long_help = GET_EXAMPLES)]
    Get {
        /// Policy ID [default: AllowSelfServicePurchase]
        #[arg(value_name = "POLICY", conflicts_with = "policy_id")]
        policy: Option<String>,
    },
}

pub async fn list(context: &Context) -> Result<CommandOutput> {
    let policies = context.api()?.policies().await?;
    if policies.is_empty() {
        context.ui.info("The tenant has no policies.");
    }
    Ok(Output::list(policies).into())
}

pub async fn get(policy: Option<String>, context: &Context) -> Result<CommandOutput> {
    let id = policy.as_deref().unwrap_or(&context.settings.policy_id.value);
    if !is_valid_segment(id) {
        return Err(Error::usage(format!("'{id}' is not a valid policy ID"))
            .with_hint(context.command_any_policy("mscommerce policy list")));
    }
    let api = context.api_for_policy(id)?;
    match api.policy().await {
        Ok(policy) => Ok(Output::one(policy).into()),
        Err(error) => Err(lookup::explain_unknown_policy(&api, error, context).await),
    }
}
