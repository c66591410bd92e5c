//! `products update`.

use super::selection::Selection;
use crate::api::Scope;
use crate::cli::{ScopeArg, UpdateManyArgs};
use crate::commands::at_tenant::TenantClient;
use crate::commands::changing::{self, ApplyOptions};
use crate::commands::{CommandOutput, Context, Endpoint, listing, tenants};
use crate::error::Result;
use crate::plan::{Plan, Wanted};

pub async fn run(mut args: UpdateManyArgs, context: &Context<'_>) -> Result<CommandOutput> {
    if args.scope != ScopeArg::Product && !Scope::OfferType.accepts(args.value) {
        return Err(changing::offer_type_value_error().with_hint("leave out --scope to change products alone"));
    }
    let selection = Selection::new(&mut args)?;
    let plan = async |endpoint: &Endpoint<'_>, context: &Context<'_>, manner: &ApplyOptions| {
        endpoint.prepare(manner.purpose()).await?;
        let listed = listing::read(args.scope.scopes(), endpoint, context).await?;
        let desired = selection.desired(&listed, Wanted::Value(args.value), context)?;
        Ok(Plan::new(listed, &desired))
    };
    if let Some(tenants) = tenants::several(&args.tenants, context).await? {
        let manner = ApplyOptions::over_tenants(args.change, args.jobs.jobs, context)?;
        return context
            .with_places(tenants, async |places| {
                let read = async |place: &TenantClient<'_>| plan(&place.endpoint, &place.context, &manner).await;
                let found = tenants::read_all(places, context, read).await;
                changing::run_over_tenants(found, manner, context).await
            })
            .await;
    }
    let manner = ApplyOptions::new(args.change, args.jobs.jobs, context)?;
    context
        .with_endpoint(&context.settings.policy_id, async |endpoint| {
            let plan = plan(endpoint, context, &manner).await?;
            changing::run(plan, manner, endpoint, context).await
        })
        .await
}
