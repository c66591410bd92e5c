//! `product`.

use clap::{ArgGroup, Args, Subcommand};

use super::candidates::{offer_type_candidates, product_candidates, truth_candidates, value_candidates};
use crate::api::PolicyValue;

const GET_EXAMPLES: &str = "\
Examples:
  mscommerce product get CFQ7TTC0H9MP
  mscommerce product get 'power bi pro' -o json
  mscommerce product get --offer-type SaaS";

const UPDATE_EXAMPLES: &str = "\
Examples:
  mscommerce product update CFQ7TTC0H9MP --value disabled
  mscommerce product update 'Power BI Pro' --value trials --dry-run
  mscommerce product update --offer-type SaaS --enabled false --confirm";

#[derive(Debug, Subcommand)]
pub enum ProductCommand {
    /// Show one product or offer type (Get-MSCommerceProductPolicy)
    #[command(after_help = GET_EXAMPLES)]
    Get(TargetArgs),
    /// Change one product or offer type (Update-MSCommerceProductPolicy)
    #[command(after_help = UPDATE_EXAMPLES)]
    Update(UpdateArgs),
}

#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
pub struct TargetArgs {
    /// The product's id, or its exact name; case does not matter
    #[arg(value_name = "PRODUCT", add = product_candidates())]
    pub product: Option<String>,
    /// The offer type's id, such as SaaS, instead of a product
    #[arg(long, value_name = "TYPE", add = offer_type_candidates())]
    pub offer_type: Option<String>,
}

#[derive(Args, Debug)]
#[command(group(ArgGroup::new("setting").required(true)))]
pub struct UpdateArgs {
    #[command(flatten)]
    pub target: TargetArgs,
    /// The value to set: enabled, disabled, only-trials-without-payment-method (trials)
    #[arg(long, value_name = "VALUE", value_parser = PolicyValue::parse, group = "setting", add = value_candidates())]
    pub value: Option<PolicyValue>,
    /// true sets Enabled, false sets Disabled
    #[arg(long, value_name = "BOOL", group = "setting", value_parser = truth, add = truth_candidates())]
    pub enabled: Option<bool>,
    /// Say what would change, change nothing (-WhatIf)
    #[arg(long)]
    pub dry_run: bool,
    /// Ask before the change is made (-Confirm)
    #[arg(long)]
    pub confirm: bool,
}

fn truth(text: &str) -> Result<bool, &'static str> {
    match text.to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err("it is either true or false"),
    }
}
