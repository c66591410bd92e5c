//! `products list`.

use crate::api::{ProductPolicy, Scope};
use crate::cli::ListArgs;
use crate::commands::at_tenant::TenantClient;
use crate::commands::tenants::{self, Found};
use crate::commands::{CommandOutput, Context, listing};
use crate::error::Result;
use crate::known_products::{self, Known};
use crate::output::Output;
use crate::report::Report;

pub async fn run(args: &ListArgs, context: &Context<'_>) -> Result<CommandOutput> {
    let scopes = args.scope.scopes();
    let tenants = tenants::several(&args.tenants, context).await?;
    context.http.limit(args.jobs.jobs);
    if let Some(tenants) = tenants {
        return context
            .with_places(tenants, async |places| {
                let read =
                    async |place: &TenantClient<'_>| listing::read(scopes, &place.endpoint, &place.context).await;
                Ok(of_tenants(tenants::read_all(places, context, read).await, args, context))
            })
            .await;
    }
    let found = context
        .with_endpoint(&context.settings.policy_id, async |endpoint| listing::read(scopes, endpoint, context).await)
        .await?;
    keep_for_completion(&found, scopes, context);
    let total = found.len();
    let items: Vec<ProductPolicy> = found.into_iter().filter(|item| is_wanted(item, args)).collect();
    if items.is_empty() {
        context.terminal.info(&nothing(total));
    }
    Ok(Output::many(items).into())
}

fn of_tenants(found: Found<'_, Vec<ProductPolicy>>, args: &ListArgs, context: &Context<'_>) -> CommandOutput {
    let total: usize = found.read.iter().map(|(_, items)| items.len()).sum();
    let of_tenant = |(place, items): (&TenantClient<'_>, Vec<ProductPolicy>)| {
        let id = place.id();
        items.into_iter().filter(|item| is_wanted(item, args)).map(move |item| (id.clone(), item))
    };
    let items: Vec<(String, ProductPolicy)> = found.read.into_iter().flat_map(of_tenant).collect();
    if items.is_empty() && found.failures.is_empty() {
        context.terminal.info(&nothing(total));
    }
    CommandOutput { failure: found.failures.into_error(), ..Output::over_tenants(items).into() }
}

/// Keeps what shells can offer, beside what is kept of scopes that were not listed.
fn keep_for_completion(listed: &[ProductPolicy], scopes: &[Scope], context: &Context<'_>) {
    let Ok(directory) = context.settings.state_directory() else { return };
    let was_listed =
        |known: &Known| scopes.contains(if known.is_offer_type { &Scope::OfferType } else { &Scope::Product });
    let known = |item: &ProductPolicy| {
        let (id, name) = (item.id.clone()?, item.name.clone().unwrap_or_default());
        Some(Known { id, name, is_offer_type: item.scope() != Some(Scope::Product) })
    };
    known_products::keep(&directory, listed.iter().filter_map(known).collect(), was_listed);
}

/// Why a list of so many has nothing to show.
fn nothing(total: usize) -> String {
    match total {
        0 => "The service lists nothing here.".to_owned(),
        total => format!("None of the {total} listed fits."),
    }
}

fn is_wanted(item: &ProductPolicy, args: &ListArgs) -> bool {
    let name_fits = args.name.as_ref().is_none_or(|pattern| pattern.is_match(item.name.as_deref().unwrap_or_default()));
    name_fits && args.value.is_none_or(|value| value.matches(item.value.as_deref()))
}
