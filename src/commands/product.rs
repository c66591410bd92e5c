//! `products list`, `products update`, `product get` and `product update`.

use clap::{ArgGroup, Args, Subcommand};

use super::apply::{self, ApplyOptions};
use super::lookup::{self, LookupContext};
use super::selection::{ScopeArg, Selection, SelectionKind};
use super::shell::{
    complete_any, complete_bool, complete_offer_type, complete_product, complete_value, save_candidates,
};
use super::tenants::{TenantClient, TenantPlan, Tenants};
use super::{ChangeArgs, CommandOutput, JobsArgs, TenantsArgs};
use crate::api::{PolicyValue, ProductPolicy, Scope, Target, is_product_id, is_valid_segment};
use crate::auth::Access;
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::output::Output;
use crate::pattern::Pattern;
use crate::plan::{Change, ChangeResult, Outcome, Plan, Wanted};
use crate::text::{display_excerpt, remove_invisible};

const LIST_EXAMPLES: &str = "\
Examples:
  mscommerce products list --scope all
  mscommerce products list --name 'power bi'
  mscommerce products list --name '/^(Visio|Project) /' --value enabled -o tsv
  mscommerce products list --tenants-file customers.txt -o csv";

const UPDATE_MANY_EXAMPLES: &str = "\
Examples:
  mscommerce products update --all --value disabled
  mscommerce products update --all --except 'Power BI Pro' --value disabled
  mscommerce products update --name visio --value trials --dry-run
  mscommerce products update CFQ7TTC0HD33 'Visio Plan 2' --value trials --yes
  mscommerce products update --all --value disabled --tenants-file customers.txt --yes";

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
pub enum ProductsCommand {
    /// List products and what the policy says of each (Get-MSCommerceProductPolicies)
    #[command(after_help = LIST_EXAMPLES)]
    List(ListArgs),
    /// Change many products at once
    #[command(after_help = UPDATE_MANY_EXAMPLES)]
    Update(UpdateManyArgs),
}

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
pub struct ListArgs {
    /// What to list: product, offer-type or all
    #[arg(long, value_enum, default_value_t, ignore_case = true, hide_possible_values = true)]
    pub scope: ScopeArg,
    /// Only names that contain this text, or that fit a /regular expression/; case does not matter
    #[arg(long, value_name = "PATTERN", value_parser = Pattern::parse)]
    pub name: Option<Pattern>,
    /// Only products with this value: enabled, disabled, only-trials-without-payment-method (trials)
    #[arg(long, value_name = "VALUE", value_parser = PolicyValue::parse, add = complete_value())]
    pub value: Option<PolicyValue>,
    #[command(flatten)]
    pub jobs: JobsArgs,
    #[command(flatten)]
    pub tenants: TenantsArgs,
}

#[derive(Args, Debug)]
#[command(group(ArgGroup::new("selection").required(true)))]
pub struct UpdateManyArgs {
    /// Ids or exact names; case does not matter
    #[arg(value_name = "ID_OR_NAME", group = "selection", add = complete_any())]
    pub products: Vec<String>,
    /// Everything that the service lists
    #[arg(long, group = "selection")]
    pub all: bool,
    /// Names that contain this text, or that fit a /regular expression/; case does not matter
    #[arg(long, value_name = "PATTERN", value_parser = Pattern::parse, group = "selection")]
    pub name: Option<Pattern>,
    /// All but this one, by its id or exact name; may be given several times
    #[arg(long, value_name = "ID_OR_NAME", conflicts_with = "products", add = complete_any())]
    pub except: Vec<String>,
    /// What to choose from: product, offer-type or all
    #[arg(long, value_enum, default_value_t, ignore_case = true, hide_possible_values = true)]
    pub scope: ScopeArg,
    /// The value to set: enabled, disabled, only-trials-without-payment-method (trials)
    #[arg(long, value_name = "VALUE", value_parser = PolicyValue::parse, add = complete_value())]
    pub value: PolicyValue,
    #[command(flatten)]
    pub change: ChangeArgs,
    #[command(flatten)]
    pub jobs: JobsArgs,
    #[command(flatten)]
    pub tenants: TenantsArgs,
}

#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
pub struct TargetArgs {
    /// The product's id, or its exact name; case does not matter
    #[arg(value_name = "PRODUCT", add = complete_product())]
    pub product: Option<String>,
    /// The offer type's id, such as SaaS, instead of a product
    #[arg(long, value_name = "TYPE", add = complete_offer_type())]
    pub offer_type: Option<String>,
}

#[derive(Args, Debug)]
#[command(group(ArgGroup::new("new_value").required(true)))]
pub struct UpdateArgs {
    #[command(flatten)]
    pub target: TargetArgs,
    /// The value to set: enabled, disabled, only-trials-without-payment-method (trials)
    #[arg(long, value_name = "VALUE", value_parser = PolicyValue::parse, group = "new_value", add = complete_value())]
    pub value: Option<PolicyValue>,
    /// true sets Enabled, false sets Disabled
    #[arg(long, value_name = "BOOL", group = "new_value", value_parser = parse_bool, add = complete_bool())]
    pub enabled: Option<bool>,
    /// Say what would change, change nothing (-WhatIf)
    #[arg(long)]
    pub dry_run: bool,
    /// Ask before the change is made (-Confirm)
    #[arg(long)]
    pub confirm: bool,
    /// Do not record the change in the history
    #[arg(long)]
    pub no_history: bool,
}

fn parse_bool(text: &str) -> Result<bool, &'static str> {
    match text.to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err("it is either true or false"),
    }
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
    if items.iter().all(|(_, items)| items.is_empty()) && !has_failures {
        context.ui.info(&empty_list_note(total));
        if let Some(hint) = args.name.as_ref().and_then(Pattern::glob_hint) {
            context.ui.info(&format!("hint: {hint}"));
        }
    }
    Ok(CommandOutput { error: listed.failures.into_error(), ..apply::to_output(items, is_many).into() })
}

fn matches(item: &ProductPolicy, args: &ListArgs) -> bool {
    let name = item.name.as_deref().unwrap_or_default();
    let matches_name = args.name.as_ref().is_none_or(|pattern| pattern.is_match(name));
    matches_name && args.value.is_none_or(|value| value.matches(item.value.as_deref()))
}

/// The message if no item is printed. `total` counts the listed items.
fn empty_list_note(total: usize) -> String {
    match total {
        0 => "The service lists nothing here.".to_owned(),
        total => format!("None of the {total} listed fits."),
    }
}

pub async fn update_many(args: UpdateManyArgs, context: &Context) -> Result<CommandOutput> {
    if args.scope != ScopeArg::Product && !Scope::OfferType.accepts(args.value) {
        return Err(apply::offer_type_value_error().with_hint("leave out --scope to change products alone"));
    }
    let kind = match args.name {
        Some(pattern) => SelectionKind::Pattern(pattern),
        None if args.all => SelectionKind::All,
        None => SelectionKind::Named(args.products),
    };
    let selection = Selection::new(kind, args.except, args.scope)?;
    let tenant_list = args.tenants.read(context).await?;
    let options = ApplyOptions::new(args.change, args.jobs.jobs, tenant_list.is_some(), context)?;
    let tenants = Tenants::resolve(tenant_list, context).await?;
    let plan = async |tenant: TenantClient| {
        tenant.api.prepare(options.access()).await?;
        let listed = lookup::list(args.scope.scopes(), &tenant.api, &tenant.context).await?;
        let desired = selection.to_desired(&listed, Wanted::Set(args.value), &tenant.context)?;
        Ok(Plan::diff(listed, &desired))
    };
    let plans = tenants.for_each(plan).await?;
    apply::run(plans, options, context).await
}

/// The product or offer type on the command line.
enum TargetArg {
    /// An ID in the spelling of the service.
    Id(Target),
    /// A product name, or an ID in another spelling. Needs a lookup in the list.
    Text(String),
}

impl TargetArg {
    /// `several` is the command that takes several products, for a hint, or that takes one.
    fn new(args: &TargetArgs, several: impl Fn(&[&str]) -> String, context: &Context) -> Result<Self> {
        let (text, scope) = match &args.offer_type {
            Some(offer_type) => (offer_type.as_str(), Scope::OfferType),
            None => (args.product.as_deref().unwrap_or_default(), Scope::Product),
        };
        let text = remove_invisible(text).trim().to_owned();
        lookup::check_not_joined(&text, |ids| context.command(&several(ids)))?;
        if !is_valid_segment(&text) {
            let kind = match scope {
                Scope::OfferType => "an offer type",
                Scope::Product => "a product's id or name",
            };
            let error = Error::usage(format!("'{}' cannot be {kind}", display_excerpt(&text)));
            return Err(error.with_hint(context.command(lookup::list_command(scope))));
        }
        Ok(match scope {
            Scope::Product if !is_product_id(&text) => Self::Text(text),
            scope => Self::Id(Target::new(scope, text)),
        })
    }

    /// Fetches the current value with one request.
    async fn read(&self, tenant: &TenantClient) -> Result<(Target, ProductPolicy)> {
        let (api, context) = (&tenant.api, &tenant.context);
        match self {
            Self::Id(target) => match api.get(target).await {
                // Use the service's spelling of the ID from here on.
                Ok(item) => Ok((item.target().filter(|own| own == target).unwrap_or_else(|| target.clone()), item)),
                Err(error) => Err(lookup::explain_unknown_target(api, target, error, context).await),
            },
            Self::Text(text) => {
                let items = lookup::list(&[Scope::Product], api, context).await?;
                let lookup = LookupContext {
                    kind: Scope::Product.label(),
                    list: lookup::list_command(Scope::Product),
                    alternative: Some("an offer type, such as SaaS, is named with --offer-type"),
                };
                let item = lookup::find_unique(text, &items, &lookup, context)?;
                let no_id = || Error::failed(format!("the list gives no id for {}", item.label()));
                let id = item.id.clone().ok_or_else(no_id)?;
                Ok((Target::new(Scope::Product, id), item.clone()))
            }
        }
    }
}

pub async fn get(args: TargetArgs, context: &Context) -> Result<CommandOutput> {
    let target = TargetArg::new(&args, |ids| format!("mscommerce product get {}", ids[0]), context)?;
    let tenant = TenantClient::new(context)?;
    let (_, item) = target.read(&tenant).await?;
    Ok(Output::one(item).into())
}

pub async fn update(args: UpdateArgs, context: &Context) -> Result<CommandOutput> {
    let value = new_value(&args)?;
    let several = |ids: &[&str]| format!("mscommerce products update {} --value {}", ids.join(" "), value.as_str());
    let target = TargetArg::new(&args.target, several, context)?;
    if args.target.offer_type.is_some() && !Scope::OfferType.accepts(value) {
        return Err(apply::offer_type_value_error());
    }
    if args.confirm && !args.dry_run && !context.ui.tty().stdin {
        return Err(Error::usage("--confirm asks a question, and standard input is no terminal to answer it on")
            .with_hint("leave out --confirm, or use --dry-run to see what would change"));
    }
    let tenant = TenantClient::new(context)?;
    tenant.api.prepare(if args.dry_run { Access::Read } else { Access::Write }).await?;
    let (target, before) = target.read(&tenant).await?;
    let change = Change { target, before, wanted: Some(value) };
    if args.dry_run {
        return Ok(Output::one(change.into_planned_record()).into());
    }
    let plan = Plan::single(change);
    if args.confirm && !plan.is_empty() {
        apply::confirm_plan(&plan, &tenant).await?;
    }
    apply_single(plan, tenant, args.no_history, context).await
}

fn new_value(args: &UpdateArgs) -> Result<PolicyValue> {
    match (args.value, args.enabled) {
        (Some(value), _) => Ok(value),
        (None, Some(true)) => Ok(PolicyValue::Enabled),
        (None, Some(false)) => Ok(PolicyValue::Disabled),
        (None, None) => Err(Error::usage("say what to set: --value VALUE, or --enabled true|false")),
    }
}

/// Applies a plan with one change, and prints the result as a single record.
async fn apply_single(plan: Plan, tenant: TenantClient, no_history: bool, context: &Context) -> Result<CommandOutput> {
    let options = ApplyOptions { no_history, jobs: 1, ..ApplyOptions::default() };
    let location = tenant.location();
    let results = apply::apply_plans(vec![TenantPlan { tenant, plan }], &options, context).await?;
    let Some(ChangeResult { target, record, error, .. }) = results.into_iter().flat_map(|(_, results)| results).next()
    else {
        return Ok(CommandOutput::default());
    };
    match record.outcome {
        Outcome::Changed => {
            context.ui.info(&format!("Changed{location}:"));
            context.ui.info(&format!("  {}", record.summary()));
        }
        Outcome::Unchanged => context.ui.info(&format!("Nothing to change: {} already.", record.current_state())),
        Outcome::Planned | Outcome::Failed | Outcome::Unknown | Outcome::Skipped => {}
    }
    let error =
        error.map(|error| lookup::with_fallback_hint(lookup::with_renumbered_hint(error, &target, context), context));
    let error = match error {
        Some(error) if context.interrupt.is_set() => Some(error.with_kind(ErrorKind::Interrupted)),
        None if context.interrupt.is_set() => Some(Error::interrupted().with_detail(match record.outcome {
            Outcome::Changed => "the change was made",
            Outcome::Unchanged => "there was nothing to change",
            _ => "nothing was sent",
        })),
        error => error,
    };
    Ok(CommandOutput { output: Some(Output::one(record)), error, ..CommandOutput::default() })
}
