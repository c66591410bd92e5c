//! `product get` and `product update`.

use super::{Context, Ended, Endpoint, suggest};
use crate::cli::{ProductCommand, TargetArgs, UpdateArgs};
use crate::commerce::{PolicyValue, ProductPolicy, Scope, Target, is_sendable};
use crate::error::{Error, Kind, Result};
use crate::output::Output;
use crate::plan::{self, Change};

pub(super) async fn run(command: ProductCommand, context: &Context<'_>) -> Result<Ended> {
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
        if !is_sendable(text) {
            let (what, hint) = if is_offer_type {
                ("an offer type", "mscommerce products list --scope offer-type")
            } else {
                ("a product's id or name", "mscommerce products list")
            };
            let text = crate::text::shortened(&crate::text::one_line(text), 80);
            return Err(Error::usage(format!("'{text}' cannot be {what}")).hint(context.settings.command(hint)));
        }
        let is_id = text.len() == 12 && text.starts_with("CFQ7") && text.chars().all(|c| c.is_ascii_alphanumeric());
        Ok(match (is_offer_type, is_id) {
            (true, _) => Self::Id(Target::OfferType(text.to_owned())),
            (false, true) => Self::Id(Target::Product(text.to_owned())),
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
                let items = match endpoint.products(&Scope::Product).await {
                    Ok(items) => items,
                    Err(error) => return Err(suggest::policies(endpoint, error, context.settings).await),
                };
                let item = only_one(words, items, context)?;
                let id = item
                    .id
                    .clone()
                    .ok_or_else(|| Error::failed(format!("the list gives no id for {}", item.label())))?;
                Ok((Target::Product(id), item))
            }
        }
    }
}

/// The one product whose id or name is `words`, without regard to case.
fn only_one(words: &str, items: Vec<ProductPolicy>, context: &Context<'_>) -> Result<ProductPolicy> {
    let asked = words.to_lowercase();
    let is = |text: &Option<String>| text.as_ref().is_some_and(|text| text.trim().to_lowercase() == asked);
    let (mut fitting, others): (Vec<_>, Vec<_>) = items.into_iter().partition(|item| is(&item.id) || is(&item.name));
    match fitting.len() {
        1 => Ok(fitting.remove(0)),
        0 => Err(suggest::products(words, &others, context.settings)),
        several => {
            let labels: Vec<String> = fitting.iter().map(ProductPolicy::label).collect();
            let words = crate::text::shortened(words, 80);
            Err(Error::failed(format!("'{words}' fits {several} products; nothing was done"))
                .detail(labels.join("\n"))
                .hint("name one of them by its id"))
        }
    }
}

async fn get(args: &TargetArgs, context: &Context<'_>) -> Result<Ended> {
    let named = Named::new(args, context)?;
    let (_, item) = context
        .with_endpoint(&context.settings.policy_id, async |endpoint| named.read(endpoint, context).await)
        .await?;
    Ok(Output::one(item).into())
}

async fn update(args: &UpdateArgs, context: &Context<'_>) -> Result<Ended> {
    let wanted = wanted(args)?;
    let named = Named::new(&args.target, context)?;
    if args.target.offer_type.is_some() && !wanted.fits_offer_types() {
        return Err(Error::usage("an offer type takes enabled or disabled; trials are for products only"));
    }
    let may_ask = context.terminal.facts().input_is_terminal;
    if args.confirm && !args.dry_run && !may_ask {
        return Err(Error::usage("--confirm asks a question, and standard input is no terminal to answer it on")
            .hint("leave out --confirm, or use --dry-run to see what would change"));
    }
    context
        .with_endpoint(&context.settings.policy_id, async |endpoint| {
            let (target, before) = named.read(endpoint, context).await?;
            let command_to_see = command_to_see(&target, context);
            let change = Change { target, before, wanted, command_to_see };
            if args.dry_run {
                return Ok(Output::one(change.planned()).into());
            }
            if args.confirm && change.is_needed() {
                confirm(&change, endpoint, context).await?;
            }
            carry_out(change, endpoint, context).await
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

async fn confirm(change: &Change, endpoint: &Endpoint<'_>, context: &Context<'_>) -> Result<()> {
    let question = format!("To be changed{}:\n  {}\nMake this change?", place(endpoint), change.sentence());
    if context.terminal.confirm(&question).await? {
        context.http.restart_clock();
        return Ok(());
    }
    Err(Error::failed("declined; nothing was changed"))
}

/// Where a change is made, in words.
fn place(endpoint: &Endpoint<'_>) -> String {
    endpoint.tokens().tenant_id().map(|tenant| format!(" in the tenant {tenant}")).unwrap_or_default()
}

fn command_to_see(target: &Target, context: &Context<'_>) -> String {
    let option = if matches!(target, Target::OfferType(_)) { "--offer-type " } else { "" };
    context.settings.command(&format!("mscommerce product get {option}{}", crate::text::quoted(target.id())))
}

/// A change that is on its way is not cut short by Ctrl-C, for then nobody would know what became of it.
async fn carry_out(change: Change, endpoint: &Endpoint<'_>, context: &Context<'_>) -> Result<Ended> {
    let (sentence, look, target) = (change.sentence(), change.command_to_see.clone(), change.target.clone());
    let (record, failure) = context.interrupt.held_off(look, change.carry_out(endpoint)).await;
    match record.outcome {
        plan::Outcome::Changed => context.terminal.note(&format!("Changed{}:\n  {sentence}", place(endpoint))),
        plan::Outcome::Unchanged => context.terminal.note(&format!("Nothing to change: {} already.", record.state())),
        plan::Outcome::Planned | plan::Outcome::Failed => {}
    }
    let failure = failure.map(|error| {
        let error = suggest::for_change(error, &target, context.settings);
        suggest::whatever_else(error, context.settings)
    });
    let interrupted = context.interrupt.is_pressed();
    let failure = match failure {
        Some(failure) if interrupted => Some(failure.of_kind(Kind::Interrupted)),
        None if interrupted => Some(Error::interrupted()),
        failure => failure,
    };
    Ok(Ended { output: Some(Output::one(record)), failure })
}
