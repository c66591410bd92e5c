//! `products update`.

use super::selection::Selection;
use crate::cli::{ScopeChoice, UpdateManyArgs};
use crate::commands::changing::{self, Manner};
use crate::commands::{Context, Ended, listing};
use crate::error::Result;
use crate::plan::{Plan, Wanted};

pub(super) async fn run(mut args: UpdateManyArgs, context: &Context<'_>) -> Result<Ended> {
    if args.scope != ScopeChoice::Product && !args.value.fits_offer_types() {
        return Err(changing::unfit_for_offer_types().hint("leave out --scope to change products alone"));
    }
    let selection = Selection::new(&mut args)?;
    let manner = Manner::new(args.change, args.jobs.jobs, context)?;
    context
        .with_endpoint(&context.settings.policy_id, async |endpoint| {
            let listed = listing::read(args.scope.scopes(), endpoint, context).await?;
            let desired = selection.desired(&listed, Wanted::Value(args.value), context)?;
            changing::run(Plan::new(listed, &desired), manner, endpoint, context).await
        })
        .await
}
