//! `products list`.

use super::{Context, Ended, Endpoint, suggest};
use crate::cli::{ListArgs, ProductsCommand, ScopeChoice};
use crate::commerce::{ProductPolicy, Scope};
use crate::error::Result;
use crate::output::Output;

impl ScopeChoice {
    fn scopes(self) -> &'static [Scope] {
        match self {
            Self::Product => &[Scope::Product],
            Self::OfferType => &[Scope::OfferType],
            Self::All => &[Scope::Product, Scope::OfferType],
        }
    }
}

pub(super) async fn run(command: ProductsCommand, context: &Context<'_>) -> Result<Ended> {
    match command {
        ProductsCommand::List(args) => list(&args, context).await,
    }
}

async fn list(args: &ListArgs, context: &Context<'_>) -> Result<Ended> {
    let found = context
        .with_endpoint(&context.settings.policy_id, async |endpoint| match read(endpoint, args.scope.scopes()).await {
            Ok(items) => Ok(items),
            Err(error) => Err(suggest::policies(endpoint, error, context.settings).await),
        })
        .await?;
    let total = found.len();
    let items: Vec<ProductPolicy> = found.into_iter().filter(|item| is_wanted(item, args)).collect();
    if items.is_empty() {
        context.terminal.note(&match total {
            0 => "The service lists nothing here.".to_owned(),
            total => format!("None of the {total} listed fits."),
        });
    }
    Ok(Output::many(items).into())
}

async fn read(endpoint: &Endpoint<'_>, scopes: &[Scope]) -> Result<Vec<ProductPolicy>> {
    let mut items = Vec::new();
    for scope in scopes {
        items.extend(endpoint.products(scope).await?);
    }
    Ok(items)
}

fn is_wanted(item: &ProductPolicy, args: &ListArgs) -> bool {
    let name_fits = args.name.as_ref().is_none_or(|pattern| pattern.is_match(item.name.as_deref().unwrap_or_default()));
    name_fits && args.value.is_none_or(|value| value.is(item.value.as_deref()))
}
