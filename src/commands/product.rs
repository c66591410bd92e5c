//! `product list` and `product get`. For `product update`, see [`super::update`].

use clap::{Args, Subcommand};

use super::completion::{complete_offer_type, complete_product, complete_value, save_candidates};
use super::selection::{ScopeArg, TargetArg};
use super::summary::{describe_empty_list, summarize_items};
use super::tenants::{TenantClient, Tenants};
use super::update::UpdateArgs;
use super::{CommandOutput, JobsArgs, TenantsArgs, apply, lookup};
use crate::api::{PolicyValue, ProductPolicy};
use crate::context::Context;
use crate::error::Result;
use crate::output::Output;
use crate::pattern::Pattern;

const LIST_EXAMPLES: &str = "\
Examples:
  mscommerce product list --scope all
  mscommerce product list --name 'power bi'
  mscommerce product list --name '/^(Visio|Project) /' --value enabled -o tsv
  mscommerce product list --tenants-file customers.txt -o csv";

/// Without the hidden `--product-id`.
const GET_USAGE: &str = "mscommerce product get <PRODUCT|--offer-type <TYPE>> [OPTIONS]";

const GET_EXAMPLES: &str = "\
Examples:
  mscommerce product get CFQ7TTC0H9MP
  mscommerce product get 'power bi pro' -o json
  mscommerce product get --offer-type SaaS";

#[derive(Debug, Subcommand)]
pub enum ProductCommand {
    /// List products or offer types with their values (Get-MSCommerceProductPolicies)
    #[command(after_long_help = LIST_EXAMPLES)]
    List(ListArgs),
    /// Show one product or offer type (Get-MSCommerceProductPolicy)
    #[command(after_long_help = GET_EXAMPLES, override_usage = GET_USAGE)]
    Get(TargetArgs),
    /// Change products or offer types (Update-MSCommerceProductPolicy)
    #[command(after_long_help = super::update::EXAMPLES)]
    Update(UpdateArgs),
}

#[derive(Args, Debug)]
pub struct ListArgs {
    /// List product (default), offer-type or all
    #[arg(
        long,
        value_enum,
        default_value_t,
        ignore_case = true,
        hide_possible_values = true,
        hide_default_value = true
    )]
    pub scope: ScopeArg,
    /// Match part of the name, or a /regular expression/
    #[arg(long, value_name = "PATTERN", value_parser = Pattern::parse)]
    pub name: Option<Pattern>,
    /// Filter by value: enabled, disabled or trials
    #[arg(long, value_name = "VALUE", value_parser = PolicyValue::parse, add = complete_value())]
    pub value: Option<PolicyValue>,
    #[command(flatten)]
    pub jobs: JobsArgs,
    #[command(flatten)]
    pub tenants: TenantsArgs,
}

#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
pub struct TargetArgs {
    /// ID or exact name of a product, in any case
    #[arg(value_name = "PRODUCT", add = complete_product())]
    pub product: Option<String>,
    /// The cmdlet's name for PRODUCT
    #[arg(long, value_name = "ID", hide = true)]
    pub product_id: Option<String>,
    /// ID of an offer type, instead of a product
    #[arg(long, value_name = "TYPE", add = complete_offer_type())]
    pub offer_type: Option<String>,
}

pub async fn list(args: ListArgs, context: &Context) -> Result<CommandOutput> {
    let tenant_list = args.tenants.read(context).await?;
    let tenants = Tenants::resolve(tenant_list, context).await?;
    let scopes = args.scope.scopes();
    let list = async |tenant: TenantClient| lookup::list(scopes, &tenant.api, &tenant.context).await;
    let listed = tenants.for_each(list).await?;
    let (is_many, has_failures) = (listed.is_many, !listed.failures.is_empty());
    if let ([(_, items)], false) = (listed.succeeded.as_slice(), is_many) {
        save_candidates(items, scopes, context);
    }
    let total: usize = listed.succeeded.iter().map(|(_, items)| items.len()).sum();
    let matching =
        |items: Vec<ProductPolicy>| items.into_iter().filter(|item| matches(item, &args)).collect::<Vec<_>>();
    let items: Vec<_> = listed.succeeded.into_iter().map(|(tenant, items)| (tenant, matching(items))).collect();
    let shown: Vec<&ProductPolicy> = items.iter().flat_map(|(_, items)| items).collect();
    let is_table = context.settings.prints_table();
    let note = (is_table && !shown.is_empty()).then(|| summarize_items(&shown, is_many.then_some(items.len())));
    if shown.is_empty() && !has_failures {
        context.ui.info(&describe_empty_list(total, scopes, args.name.as_ref(), args.value));
        if let Some(hint) = args.name.as_ref().and_then(Pattern::glob_hint) {
            context.ui.info(&format!("hint: {hint}"));
        }
    }
    let output = apply::to_output(items, is_many);
    let output = if args.scope == ScopeArg::All { output.with_scope_column() } else { output };
    Ok(CommandOutput { note, error: listed.failures.into_error(), ..output.into() })
}

fn matches(item: &ProductPolicy, args: &ListArgs) -> bool {
    let name = item.name.as_deref().unwrap_or_default();
    let matches_name = args.name.as_ref().is_none_or(|pattern| pattern.is_match(name));
    matches_name && args.value.is_none_or(|value| value.matches(item.value.as_deref()))
}

pub async fn get(args: TargetArgs, context: &Context) -> Result<CommandOutput> {
    let several = |ids: &[&str]| format!("mscommerce product get {}", ids[0]);
    let target = match (args.offer_type, args.product.or(args.product_id)) {
        (Some(offer_type), _) => TargetArg::offer_type(&offer_type, several, context),
        (None, product) => TargetArg::product(&product.unwrap_or_default(), ScopeArg::Product, several, context),
    }?;
    let tenant = TenantClient::new(context)?;
    let (_, item) = target.read(&tenant).await?;
    Ok(Output::one(item).into())
}
