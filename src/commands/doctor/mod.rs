//! `doctor`: checks each hop of a request, from the settings to the policy. It changes nothing but what any command
//! changes: an expired token is refreshed.

mod network;
mod service;
mod walk;

use url::Url;

use super::CommandOutput;
use crate::auth::{Session, Status};
use crate::context::Context;
use crate::error::Result;
use crate::http::host_and_port;
use crate::output::Output;
use service::Read;
use walk::Walk;

const NO_CREDENTIAL: &str = "there is no credential";

pub const EXAMPLES: &str = "\
Examples:
  mscommerce doctor                      where does it stop, and what helps?
  mscommerce doctor -o markdown          for a ticket: it holds no secret
  mscommerce doctor --tenant customer.example

Each step is passed, failed or skipped; exit code 1 where one failed.";

pub async fn run(context: &Context) -> Result<CommandOutput> {
    let mut walk = Walk::default();
    for setting in context.settings.describe() {
        walk.record("setting", setting.name, setting.value, |value| format!("{value} ({})", setting.source));
    }
    run_checks(&mut walk, context).await;
    let (steps, error) = walk.end();
    Ok(CommandOutput { output: Some(Output::list(steps)), error, ..CommandOutput::default() })
}

async fn run_checks(walk: &mut Walk, context: &Context) {
    let settings = &context.settings;
    // The checks go on without a credential.
    let signed_in = match context.session() {
        Ok(session) => session.status().await.map(|status| (session, status)),
        Err(error) => Err(error),
    };
    let status = signed_in.as_ref().ok().map(|(_, status): &(Session, Status)| status);
    let is_endpoint_reached = network::walk(walk, &settings.endpoint.value, context).await;
    let is_authority_reached = check_authority(walk, status, context).await;
    let (session, status) = match signed_in {
        Ok(found) => found,
        Err(error) => {
            walk.failed("credential", &format!("the profile {}", settings.profile.value), &error);
            walk.skipped("policy", &settings.policy_id.value, NO_CREDENTIAL);
            return;
        }
    };
    let api = context.api_with(session, &settings.policy_id.value);
    let claims = if !is_authority_reached && service::needs_authority(&status) {
        walk.skipped("credential", &service::source(&status, context), "the authority was not reached");
        None
    } else {
        service::credential(walk, &status, &api, context).await
    };
    let read = match claims {
        None => Read::NotTried("there is no usable credential"),
        Some(_) if !is_endpoint_reached => Read::NotTried("the endpoint was not reached"),
        Some(_) => service::policy(walk, &api, &host_and_port(&settings.endpoint.value)).await,
    };
    if let Read::NotTried(why) = read {
        walk.skipped("policy", &settings.policy_id.value, why);
    }
}

/// Checks the authority that issues the tokens of the credential. Returns whether it can be reached.
async fn check_authority(walk: &mut Walk, status: Option<&Status>, context: &Context) -> bool {
    let url = match status {
        Some(Status { authority: None, .. }) => {
            walk.skipped("authority", "none", "a ready token serves, which nobody is asked for");
            return false;
        }
        Some(Status { authority: Some(url), .. }) => Ok(url.clone()),
        None => context.settings.authority(),
    };
    let Ok(url): Result<Url> = url else {
        walk.skipped("authority", "unknown", "the setting authority is of no use");
        return false;
    };
    let is_reached = network::walk(walk, &url, context).await;
    if is_reached {
        service::authority(walk, &url, status, context).await;
    } else {
        walk.skipped("authority", &host_and_port(&url), "it was not reached");
    }
    is_reached
}
