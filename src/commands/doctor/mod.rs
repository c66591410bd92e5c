//! `doctor`: walks the way that a request takes, and says where it stops. Changes nothing but what any command changes: a
//! token that has ended is renewed.

mod live;
mod network;
mod service;
mod walk;

use url::Url;

use super::{CommandOutput, Context};
use crate::api;
use crate::auth::{Session, Status};
use crate::cli::DoctorArgs;
use crate::error::Result;
use crate::http::host;
use crate::output::Output;
use service::Read;
use walk::Walk;

const NO_CREDENTIAL: &str = "there is no credential";

pub async fn run(args: &DoctorArgs, context: &Context<'_>) -> Result<CommandOutput> {
    let mut walk = Walk::default();
    for setting in context.settings.described() {
        walk.record("setting", setting.name, setting.value, |value| format!("{value} ({})", setting.origin));
    }
    // The walk goes on where there is no credential, so its want must not end the command.
    let walked = context
        .with_session(async |session| {
            let mut walk = Walk::default();
            go(&mut walk, Ok(session), args, context).await;
            Ok(walk)
        })
        .await;
    match walked {
        Ok(further) => walk.append(further),
        Err(error) => go(&mut walk, Err(error), args, context).await,
    }
    let (steps, failure) = walk.end();
    Ok(CommandOutput { output: Some(Output::many(steps)), failure, ..CommandOutput::default() })
}

async fn go(walk: &mut Walk, session: Result<&Session<'_>>, args: &DoctorArgs, context: &Context<'_>) {
    let signed_in = match session {
        Ok(session) => session.status().await.map(|status| (session, status)),
        Err(error) => Err(error),
    };
    let status = signed_in.as_ref().ok().map(|(_, status)| status);
    let is_endpoint_reached = network::walk(walk, &context.settings.endpoint, context).await;
    let is_authority_reached = go_to_authority(walk, status, context).await;
    let settings = context.settings;
    let (session, status) = match signed_in {
        Ok(found) => found,
        Err(error) => {
            walk.failed("credential", &format!("the profile {}", settings.profile), &error);
            walk.skipped("policy", &settings.policy_id, NO_CREDENTIAL);
            if args.live_report {
                live::nothing(walk, NO_CREDENTIAL);
            }
            return;
        }
    };
    let endpoint = api::Client::new(context.http, &settings.endpoint, &settings.policy_id, session);
    let claims = if !is_authority_reached && service::needs_authority(&status) {
        walk.skipped("credential", &service::source(&status, context), "the authority was not reached");
        None
    } else {
        service::credential(walk, &status, &endpoint, context).await
    };
    let read = match claims {
        None => Read::NotTried("there is no usable credential"),
        Some(_) if !is_endpoint_reached => Read::NotTried("the endpoint was not reached"),
        Some(_) => service::policy(walk, &endpoint, &host(&settings.endpoint)).await,
    };
    if let Read::NotTried(why) = read {
        walk.skipped("policy", &settings.policy_id, why);
    }
    if args.live_report {
        let seen = live::Seen { status: &status, claims: claims.as_ref(), read: &read, is_endpoint_reached };
        live::report(walk, &seen, &endpoint, context).await;
    }
}

/// Walks to the authority that grants the credential. Returns whether it can be reached.
async fn go_to_authority(walk: &mut Walk, status: Option<&Status>, context: &Context<'_>) -> bool {
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
        walk.skipped("authority", &host(&url), "it was not reached");
    }
    is_reached
}
