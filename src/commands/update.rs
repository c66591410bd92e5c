//! `product update`: changes one product, or those that a selection names.

use clap::{ArgGroup, Args};

use super::apply::{self, ApplyOptions};
use super::completion::{complete_any, complete_bool, complete_offer_type, complete_value};
use super::selection::{ScopeArg, Selection, SelectionKind, TargetArg};
use super::summary::warn_about_missing_trials;
use super::tenants::{TenantClient, TenantPlan, TenantResults, Tenants};
use super::{ChangeArgs, CommandOutput, JobsArgs, TenantsArgs, lookup};
use crate::api::{PolicyValue, ProductPolicy, Scope, Target, value_label};
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::output::Output;
use crate::pattern::Pattern;
use crate::plan::{Change, ChangeResult, Desired, Outcome, Plan, Wanted};
use crate::text::sanitize_line;

const USAGE: &str = "mscommerce product update [PRODUCT]... --value <VALUE> [OPTIONS]";

pub const EXAMPLES: &str = "\
A single PRODUCT or --offer-type is changed at once. Every other selection shows
the changes and asks for confirmation; without a terminal, it needs --yes.
Without a selection, a terminal shows a checklist of the products.

Examples:
  mscommerce product update CFQ7TTC0H9MP --value disabled
  mscommerce product update 'Power BI Pro' --value trials --dry-run
  mscommerce product update --all --except 'Power BI Pro' --value disabled
  mscommerce product update --name visio --value trials --yes
  mscommerce product update --all --value disabled --yes \\
    --tenants-file customers.txt";

#[derive(Args, Debug)]
#[command(override_usage = USAGE, group(ArgGroup::new("selection")), group(ArgGroup::new("new_value")))]
pub struct UpdateArgs {
    /// IDs or exact names of products, in any case
    #[arg(value_name = "PRODUCT", group = "selection", add = complete_any())]
    pub products: Vec<String>,
    /// The cmdlet's name for PRODUCT
    #[arg(long, value_name = "ID", group = "selection", hide = true)]
    pub product_id: Option<String>,
    /// ID of an offer type, instead of a product
    #[arg(long, value_name = "TYPE", group = "selection", add = complete_offer_type())]
    pub offer_type: Option<String>,
    /// Change all products
    #[arg(long, group = "selection")]
    pub all: bool,
    /// Match part of the name, or a /regular expression/
    #[arg(long, value_name = "PATTERN", value_parser = Pattern::parse, group = "selection")]
    pub name: Option<Pattern>,
    /// Exclude a product by ID or name (repeatable)
    #[arg(
        long,
        value_name = "PRODUCT",
        conflicts_with_all = ["products", "product_id", "offer_type"],
        add = complete_any()
    )]
    pub except: Vec<String>,
    /// Select from product (default), offer-type or all
    #[arg(
        long,
        value_enum,
        default_value_t,
        ignore_case = true,
        hide_possible_values = true,
        hide_default_value = true,
        conflicts_with = "offer_type"
    )]
    pub scope: ScopeArg,
    /// Set enabled, disabled or trials
    #[arg(long, value_name = "VALUE", value_parser = PolicyValue::parse, group = "new_value", add = complete_value())]
    pub value: Option<PolicyValue>,
    /// Set Enabled (true) or Disabled (false)
    #[arg(long, value_name = "BOOL", group = "new_value", value_parser = parse_bool, add = complete_bool())]
    pub enabled: Option<bool>,
    #[command(flatten)]
    pub change: ChangeArgs,
    #[command(flatten)]
    pub jobs: JobsArgs,
    #[command(flatten)]
    pub tenants: TenantsArgs,
}

fn parse_bool(text: &str) -> Result<bool, &'static str> {
    match text.to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err("use true or false"),
    }
}

/// What the command line selects.
enum UpdateSelection {
    /// One product or offer type, which changes without confirmation.
    Single(TargetArg),
    Listed(Selection, ScopeArg),
}

pub async fn run(args: UpdateArgs, context: &Context) -> Result<CommandOutput> {
    let is_one_tenant = args.tenants.tenants_file.is_none() && context.settings.tenants.len() <= 1;
    if args.is_without_selection() && is_one_tenant && context.ui.can_select() {
        return run_checklist(args, context).await;
    }
    let value = args
        .new_value()
        .ok_or_else(|| Error::usage("the new value is missing: set --value VALUE or --enabled true|false"))?;
    let selection = select(&args, value, context)?;
    let is_single = matches!(selection, UpdateSelection::Single(_));
    let tenant_list = args.tenants.read(context).await?;
    let options = ApplyOptions::new(args.change, args.jobs.jobs, tenant_list.is_some(), !is_single, context)?;
    let tenants = Tenants::resolve(tenant_list, context).await?;
    let plan = async |tenant: TenantClient| {
        tenant.api.prepare(options.access()).await?;
        match &selection {
            UpdateSelection::Single(target) => {
                let (target, before) = target.read(&tenant).await?;
                Ok(Plan::single(Change { target, before, wanted: Some(value) }))
            }
            UpdateSelection::Listed(selection, scope) => {
                let listed = lookup::list(scope.scopes(), &tenant.api, &tenant.context).await?;
                let desired = selection.to_desired(&listed, Wanted::Set(value), &tenant.context)?;
                Ok(Plan::diff(listed, &desired))
            }
        }
    };
    let plans = tenants.for_each(plan).await?;
    if is_single && !plans.is_many {
        apply_single(plans, options, context).await
    } else {
        apply::run(plans, options, context).await
    }
}

/// Lets the user tick products and pick the value, then shows the plan and asks for confirmation.
async fn run_checklist(args: UpdateArgs, context: &Context) -> Result<CommandOutput> {
    let options = ApplyOptions::new(args.change, args.jobs.jobs, false, true, context)?;
    let tenant = TenantClient::new(context)?;
    tenant.api.prepare(options.access()).await?;
    let mut listed = lookup::list(args.scope.scopes(), &tenant.api, context).await?;
    listed.retain(|item| item.target().is_some());
    listed.sort_by_cached_key(ProductPolicy::sort_key);
    let labels = listed.iter().map(|item| {
        sanitize_line(&format!("{}: {}", item.label(), item.value.as_deref().map_or("no value", value_label)))
    });
    let ticked = context.ui.tick("Products to change:", labels.collect()).await?;
    if ticked.is_empty() {
        return Err(Error::cancelled());
    }
    let targets: Vec<Target> = ticked.into_iter().filter_map(|index| listed[index].target()).collect();
    let value = match args.new_value() {
        Some(value) => value,
        None => pick_value(&targets, context).await?,
    };
    if targets.iter().any(|target| !target.scope.accepts(value)) {
        return Err(apply::offer_type_value_error());
    }
    context.http.reset_deadline();
    let mut desired = Desired::default();
    for target in targets {
        desired.insert(target, Wanted::Set(value));
    }
    apply::run(TenantResults::single(tenant, Plan::diff(listed, &desired)), options, context).await
}

/// Lets the user pick a value that all targets accept.
async fn pick_value(targets: &[Target], context: &Context) -> Result<PolicyValue> {
    let accepted = |value: &PolicyValue| targets.iter().all(|target| target.scope.accepts(*value));
    let values: Vec<PolicyValue> = PolicyValue::all().filter(accepted).collect();
    let labels = values.iter().map(|value| value.as_str().to_owned()).collect();
    let picked = context.ui.pick("New value:", labels).await?;
    picked.map(|index| values[index]).ok_or_else(Error::cancelled)
}

impl UpdateArgs {
    fn new_value(&self) -> Option<PolicyValue> {
        self.value.or(self.enabled.map(|enabled| if enabled { PolicyValue::Enabled } else { PolicyValue::Disabled }))
    }

    /// Whether no products are selected.
    fn is_without_selection(&self) -> bool {
        let has_products = !self.products.is_empty() || self.product_id.is_some() || self.offer_type.is_some();
        !has_products && !self.all && self.name.is_none() && self.except.is_empty()
    }
}

/// Fails with a usage error if nothing is selected, an ID or name is invalid, or offer types do not take the value.
fn select(args: &UpdateArgs, value: PolicyValue, context: &Context) -> Result<UpdateSelection> {
    let offer_types = args.offer_type.is_some() || args.scope != ScopeArg::Product;
    if offer_types && !Scope::OfferType.accepts(value) {
        let hint = args.offer_type.is_none().then(|| "omit --scope to change products only".to_owned());
        return Err(apply::offer_type_value_error().with_hints(hint));
    }
    let several = |ids: &[&str]| format!("mscommerce product update {} --value {}", ids.join(" "), value.as_str());
    if let Some(offer_type) = &args.offer_type {
        return Ok(UpdateSelection::Single(TargetArg::offer_type(offer_type, several, context)?));
    }
    let products: Vec<String> = args.products.iter().chain(&args.product_id).cloned().collect();
    let kind = match (&args.name, products.as_slice()) {
        (Some(pattern), _) => SelectionKind::Pattern(pattern.clone()),
        (None, _) if args.all => SelectionKind::All,
        (None, [product]) => {
            return Ok(UpdateSelection::Single(TargetArg::product(product, args.scope, several, context)?));
        }
        (None, []) => {
            return Err(Error::usage("nothing is selected: name a PRODUCT, or use --offer-type, --name or --all")
                .with_hint(context.command("mscommerce product list")));
        }
        (None, _) => SelectionKind::Named(products),
    };
    Ok(UpdateSelection::Listed(Selection::new(kind, args.except.clone(), args.scope)?, args.scope))
}

/// Confirms, if required, and applies a plan with one change. Prints the result as a single record.
async fn apply_single(plans: TenantResults<Plan>, options: ApplyOptions, context: &Context) -> Result<CommandOutput> {
    let Some((tenant, plan)) = plans.succeeded.into_iter().next() else { return Ok(CommandOutput::default()) };
    warn_about_missing_trials([&plan], &context.ui);
    if options.dry_run {
        return Ok(plan.into_planned_records().pop().map(|record| Output::one(record).into()).unwrap_or_default());
    }
    if options.confirm && !plan.is_empty() {
        apply::confirm_plan(&plan, &tenant).await?;
    }
    let location = tenant.location();
    let results = apply::apply_plans(vec![TenantPlan { tenant, plan }], &options, context).await?;
    let Some(ChangeResult { target, record, error, .. }) = results.into_iter().flat_map(|(_, results)| results).next()
    else {
        return Ok(CommandOutput::default());
    };
    let note = match record.outcome {
        Outcome::Changed => Some(format!("Changed{location}: {}", record.summary())),
        Outcome::Unchanged => Some(format!("Nothing to change: {} already.", record.current_state())),
        Outcome::Planned | Outcome::Failed | Outcome::Unknown | Outcome::Skipped => None,
    };
    let error =
        error.map(|error| lookup::with_fallback_hint(lookup::with_renumbered_hint(error, &target, context), context));
    let error = match error {
        Some(error) if context.interrupt.is_set() => Some(error.with_kind(ErrorKind::Interrupted)),
        None if record.outcome == Outcome::Skipped => Some(Error::interrupted().with_detail("nothing was sent")),
        error => error,
    };
    Ok(CommandOutput { note, note_repeats_data: true, error, ..Output::one(record).into() })
}
