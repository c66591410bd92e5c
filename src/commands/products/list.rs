//! `products list`.

use crate::cli::ListArgs;
use crate::commands::{Context, Ended, listing};
use crate::commerce::ProductPolicy;
use crate::error::Result;
use crate::output::Output;
use crate::report::Report;

pub(super) async fn run(args: &ListArgs, context: &Context<'_>) -> Result<Ended> {
    let found = context
        .with_endpoint(&context.settings.policy_id, async |endpoint| {
            listing::read(args.scope.scopes(), endpoint, context).await
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

fn is_wanted(item: &ProductPolicy, args: &ListArgs) -> bool {
    let name_fits = args.name.as_ref().is_none_or(|pattern| pattern.is_match(item.name.as_deref().unwrap_or_default()));
    name_fits && args.value.is_none_or(|value| value.is(item.value.as_deref()))
}
