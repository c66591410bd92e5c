//! `products`, and what every change of many products takes.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand, ValueEnum};

use super::candidates::{any_candidates, value_candidates};
use crate::api::PolicyValue;
use crate::pattern::Pattern;

const LIST_EXAMPLES: &str = "\
Examples:
  mscommerce products list --scope all
  mscommerce products list --name 'power bi'
  mscommerce products list --name '/^(Visio|Project) /' --value enabled -o tsv
  mscommerce products list --tenants-file customers.txt -o csv";

#[derive(Debug, Subcommand)]
pub enum ProductsCommand {
    /// List products and what the policy says of each (Get-MSCommerceProductPolicies)
    #[command(after_help = LIST_EXAMPLES)]
    List(ListArgs),
    /// Change many products at once
    #[command(after_help = UPDATE_MANY_EXAMPLES)]
    Update(UpdateManyArgs),
}

/// What every command that may change many products takes.
#[derive(Args, Clone, Copy, Debug)]
pub struct ChangeArgs {
    /// Say what would change, change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask; needed where there is no terminal to ask on
    #[arg(long)]
    pub yes: bool,
}

/// Several tenants at once.
#[derive(Args, Debug)]
pub struct TenantsArgs {
    /// A file of tenants, one a line (# begins a comment); --tenant may be given several times, too
    #[arg(long, value_name = "FILE")]
    pub tenants_file: Option<PathBuf>,
}

/// How many requests are sent side by side.
#[derive(Args, Clone, Copy, Debug)]
pub struct JobsArgs {
    /// How many requests may be on their way at the same time
    #[arg(long, value_name = "N", default_value_t = DEFAULT_JOBS, value_parser = clap::value_parser!(u8).range(1..=64))]
    pub jobs: u8,
}

/// The number of requests on their way at the same time where `--jobs` does not say.
pub const DEFAULT_JOBS: u8 = 8;

#[derive(Args, Debug)]
#[command(group(ArgGroup::new("selection").required(true)))]
pub struct UpdateManyArgs {
    /// Ids or exact names; case does not matter
    #[arg(value_name = "ID_OR_NAME", group = "selection", add = any_candidates())]
    pub products: Vec<String>,
    /// Everything that the service lists
    #[arg(long, group = "selection")]
    pub all: bool,
    /// Names that contain this text, or that fit a /regular expression/; case does not matter
    #[arg(long, value_name = "PATTERN", value_parser = Pattern::parse, group = "selection")]
    pub name: Option<Pattern>,
    /// All but this one, by its id or exact name; may be given several times
    #[arg(long, value_name = "ID_OR_NAME", conflicts_with = "products", add = any_candidates())]
    pub except: Vec<String>,
    /// What to choose from: product, offer-type or all
    #[arg(long, value_enum, default_value_t, ignore_case = true, hide_possible_values = true)]
    pub scope: ScopeArg,
    /// The value to set: enabled, disabled, only-trials-without-payment-method (trials)
    #[arg(long, value_name = "VALUE", value_parser = PolicyValue::parse, add = value_candidates())]
    pub value: PolicyValue,
    #[command(flatten)]
    pub change: ChangeArgs,
    #[command(flatten)]
    pub jobs: JobsArgs,
    #[command(flatten)]
    pub tenants: TenantsArgs,
}

const UPDATE_MANY_EXAMPLES: &str = "\
Examples:
  mscommerce products update --all --value disabled
  mscommerce products update --all --except 'Power BI Pro' --value disabled
  mscommerce products update --name visio --value trials --dry-run
  mscommerce products update CFQ7TTC0HD33 'Visio Plan 2' --value trials --yes
  mscommerce products update --all --value disabled --tenants-file customers.txt --yes";

#[derive(Args, Debug)]
pub struct ListArgs {
    /// What to list: product, offer-type or all
    #[arg(long, value_enum, default_value_t, ignore_case = true, hide_possible_values = true)]
    pub scope: ScopeArg,
    /// Only names that contain this text, or that fit a /regular expression/; case does not matter
    #[arg(long, value_name = "PATTERN", value_parser = Pattern::parse)]
    pub name: Option<Pattern>,
    /// Only products with this value: enabled, disabled, only-trials-without-payment-method (trials)
    #[arg(long, value_name = "VALUE", value_parser = PolicyValue::parse, add = value_candidates())]
    pub value: Option<PolicyValue>,
    #[command(flatten)]
    pub jobs: JobsArgs,
    #[command(flatten)]
    pub tenants: TenantsArgs,
}

/// Products, offer types, or both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ScopeArg {
    /// Microsoft's products.
    #[default]
    Product,
    /// Kinds of offers of other sellers.
    #[value(alias = "offertype")]
    OfferType,
    /// Both.
    All,
}
