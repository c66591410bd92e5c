//! `product get` and `product update`.

use super::changing::Planned;
use super::listing::LookupContext;
use super::{CommandOutput, Context, Endpoint, changing, listing, suggest};
use crate::api::{Access, PolicyValue, ProductPolicy, Scope, Target, is_valid_segment};
use crate::cli::{ProductCommand, TargetArgs, UpdateArgs};
use crate::error::{Error, ErrorKind, Result};
use crate::output::Output;
use crate::plan::{Change, ChangeResult, Outcome, Plan};
use crate::report::Report;

pub async fn run(command: ProductCommand, context: &Context<'_>) -> Result<CommandOutput> {
    match command {
        ProductCommand::Get(args) => get(&args, context).await,
        ProductCommand::Update(args) => update(&args, context).await,
    }
}

/// What the command line names.
enum Named {
    /// An id that goes to the service as it is.
    Id(Target),
    /// A product's name, or an id in an unusual spelling, to be looked up in the list.
    Words(String),
}

impl Named {
    fn new(args: &TargetArgs, context: &Context<'_>) -> Result<Self> {
        let (text, is_offer_type) = match (&args.product, &args.offer_type) {
            (_, Some(offer_type)) => (offer_type.as_str(), true),
            (Some(product), None) => (product.trim(), false),
            (None, None) => ("", false),
        };
        if !is_valid_segment(text) {
            let (what, hint) = if is_offer_type {
                ("an offer type", "mscommerce products list --scope offer-type")
            } else {
                ("a product's id or name", "mscommerce products list")
            };
            let text = crate::text::display_excerpt(text);
            return Err(Error::usage(format!("'{text}' cannot be {what}")).with_hint(context.settings.command(hint)));
        }
        let is_id = text.len() == 12 && text.starts_with("CFQ7") && text.chars().all(|c| c.is_ascii_alphanumeric());
        Ok(match (is_offer_type, is_id) {
            (true, _) => Self::Id(Target::new(Scope::OfferType, text)),
            (false, true) => Self::Id(Target::new(Scope::Product, text)),
            (false, false) => Self::Words(text.to_owned()),
        })
    }

    /// Reads what the policy says of it now: one request either way.
    async fn read(&self, endpoint: &Endpoint<'_>, context: &Context<'_>) -> Result<(Target, ProductPolicy)> {
        match self {
            Self::Id(target) => match endpoint.product(target).await {
                Ok(item) => Ok((target.clone(), item)),
                Err(error) => Err(suggest::targets(endpoint, target, error, context.settings).await),
            },
            Self::Words(words) => {
                let items = listing::read(&[Scope::Product], endpoint, context).await?;
                let among = LookupContext {
                    kind: "product",
                    list: "mscommerce products list",
                    elsewhere: Some("an offer type, such as SaaS, is named with --offer-type"),
                };
                let item = listing::only_one(words, &items, &among, context)?;
                let id = item
                    .id
                    .clone()
                    .ok_or_else(|| Error::failed(format!("the list gives no id for {}", item.label())))?;
                Ok((Target::new(Scope::Product, id), item.clone()))
            }
        }
    }
}

async fn get(args: &TargetArgs, context: &Context<'_>) -> Result<CommandOutput> {
    let named = Named::new(args, context)?;
    let (_, item) = context
        .with_endpoint(&context.settings.policy_id, async |endpoint| named.read(endpoint, context).await)
        .await?;
    Ok(Output::one(item).into())
}

async fn update(args: &UpdateArgs, context: &Context<'_>) -> Result<CommandOutput> {
    let wanted = wanted(args)?;
    let named = Named::new(&args.target, context)?;
    if args.target.offer_type.is_some() && !Scope::OfferType.accepts(wanted) {
        return Err(changing::offer_type_value_error());
    }
    let may_ask = context.terminal.facts().input_is_terminal;
    if args.confirm && !args.dry_run && !may_ask {
        return Err(Error::usage("--confirm asks a question, and standard input is no terminal to answer it on")
            .with_hint("leave out --confirm, or use --dry-run to see what would change"));
    }
    context
        .with_endpoint(&context.settings.policy_id, async |endpoint| {
            endpoint.prepare(if args.dry_run { Access::Read } else { Access::Write }).await?;
            let (target, before) = named.read(endpoint, context).await?;
            let plan = Plan::of_one(Change { target, before, wanted: Some(wanted) });
            if args.dry_run {
                return Ok(plan
                    .into_records()
                    .into_iter()
                    .next()
                    .map(Output::one)
                    .map(CommandOutput::from)
                    .unwrap_or_default());
            }
            if args.confirm && !plan.is_empty() {
                changing::ask(&plan, endpoint, context).await?;
            }
            carry_out(plan, endpoint, context).await
        })
        .await
}

fn wanted(args: &UpdateArgs) -> Result<PolicyValue> {
    match (args.value, args.enabled) {
        (Some(value), _) => Ok(value),
        (None, Some(true)) => Ok(PolicyValue::Enabled),
        (None, Some(false)) => Ok(PolicyValue::Disabled),
        (None, None) => Err(Error::usage("say what to set: --value VALUE, or --enabled true|false")),
    }
}

/// Carries out a plan of one.
async fn carry_out(plan: Plan, endpoint: &Endpoint<'_>, context: &Context<'_>) -> Result<CommandOutput> {
    let plans = vec![Planned { plan, endpoint, context }];
    let carried = changing::carry_out(plans, 1, None, context).await;
    let Some(ChangeResult { target, record, failure, .. }) = carried.into_iter().flatten().next() else {
        return Ok(CommandOutput::default());
    };
    match record.outcome {
        Outcome::Changed => {
            context.terminal.info(&format!("Changed{}:\n  {}", changing::place(endpoint), record.sentence()));
        }
        Outcome::Unchanged => context.terminal.info(&format!("Nothing to change: {} already.", record.state())),
        Outcome::Planned | Outcome::Failed => {}
    }
    let failure = failure.map(|error| {
        let error = suggest::for_change(error, &target, context.settings);
        suggest::whatever_else(error, context.settings)
    });
    let interrupted = context.interrupt.is_set();
    let failure = match failure {
        Some(failure) if interrupted => Some(failure.with_kind(ErrorKind::Interrupted)),
        None if interrupted => Some(Error::interrupted()),
        failure => failure,
    };
    Ok(CommandOutput { output: Some(Output::one(record)), failure, ..CommandOutput::default() })
}
