//! `doctor`: walks the way that a request takes, and says where it stops. Changes nothing but what any command changes: a
//! token that has ended is renewed.

mod live;
mod network;
mod service;
mod walk;

use chrono::{Duration, Utc};
use url::Url;

use super::{Context, Ended};
use crate::cli::DoctorArgs;
use crate::commerce;
use crate::error::Result;
use crate::http::host;
use crate::identity::{Session, Status};
use crate::output::Output;
use walk::Walk;

pub(super) async fn run(args: &DoctorArgs, context: &Context<'_>) -> Result<Ended> {
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
    Ok(Ended { output: Some(Output::many(steps)), failure, ..Ended::default() })
}

async fn go(walk: &mut Walk, session: Result<&Session<'_>>, args: &DoctorArgs, context: &Context<'_>) {
    let signed_in = match session {
        Ok(session) => session.status().await.map(|status| (session, status)),
        Err(error) => Err(error),
    };
    let status = signed_in.as_ref().ok().map(|(_, status)| status);
    let is_endpoint_reached = network::walk(walk, &context.settings.endpoint, context).await;
    let is_authority_reached = go_to_authority(walk, status, context).await;
    let (session, status) = match signed_in {
        Ok(found) => found,
        Err(error) => {
            walk.failed("credential", &format!("the profile {}", context.settings.profile), &error);
            walk.skipped("policy", &context.settings.policy_id, "there is no credential");
            return;
        }
    };
    let settings = context.settings;
    let endpoint = commerce::Client::new(context.http, &settings.endpoint, &settings.policy_id, session);
    if !is_authority_reached && needs_authority(&status) {
        walk.skipped("credential", &format!("the profile {}", settings.profile), "the authority was not reached");
        walk.skipped("policy", &settings.policy_id, "there is no credential");
        return;
    }
    if service::credential(walk, &status, &endpoint, context).await.is_none() {
        walk.skipped("policy", &settings.policy_id, "there is no usable credential");
        return;
    }
    if !is_endpoint_reached {
        walk.skipped("policy", &settings.policy_id, "the endpoint was not reached");
        return;
    }
    let read = service::policy(walk, &endpoint).await;
    if let Ok(date) = &read {
        service::clock(walk, &host(&settings.endpoint), *date);
    }
    if args.live_report {
        live::report(walk, &status, read.err().as_ref(), &endpoint, context).await;
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
    // Why the setting is of no use is told above.
    let Ok(url): Result<Url> = url else { return false };
    let is_reached = network::walk(walk, &url, context).await;
    if is_reached {
        service::authority(walk, &url, status, context).await;
    } else {
        walk.skipped("authority", &host(&url), "it was not reached");
    }
    is_reached
}

/// Whether a token has to be asked for before anything can be read.
fn needs_authority(status: &Status) -> bool {
    let is_fresh = status.expires_at.is_some_and(|end| end > Utc::now() + Duration::minutes(5));
    status.authority.is_some() && !is_fresh
}
