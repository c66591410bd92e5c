//! `disconnect`: removes cached credentials.

use clap::Args;

use super::CommandOutput;
use crate::auth::TOKEN_VARIABLE;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::history;

pub const EXAMPLES: &str = "\
Examples:
  mscommerce disconnect
  mscommerce disconnect --profile contoso";

#[derive(Args, Debug)]
pub struct DisconnectArgs {
    /// Sign out of all profiles
    #[arg(long, conflicts_with = "profile")]
    pub all: bool,
}

pub async fn run(args: &DisconnectArgs, context: &Context) -> Result<CommandOutput> {
    let (profile, ui) = (&context.settings.profile.value, &context.ui);
    if context.settings.tenant().is_some() {
        return Err(
            Error::usage("a sign-in is forgotten as a whole, for all of its tenants").with_hint("leave out --tenant")
        );
    }
    let cache = context.token_cache()?;
    let mut removed = Vec::new();
    let mut others = Vec::new();
    if cache.exists() {
        let mut lock = cache.lock(context.settings.timeout.value).await?;
        removed = lock.remove(|name| args.all || name == profile)?;
        others = lock.content().profile_names();
        if lock.remove_quarantined()? {
            ui.info("Removed damaged files of sign-ins that had been set aside.");
        }
    }
    match removed.as_slice() {
        [] if others.is_empty() => ui.info("Nobody was signed in."),
        [] => {
            return Err(Error::failed(format!("nobody is signed in under the profile '{profile}'"))
                .with_detail(format!("signed in: {}", others.join(", ")))
                .with_hint("name one of these with --profile, or forget all with --all"));
        }
        names => ui.info(&format!("Signed out: {}", names.join(", "))),
    }
    let changes = history::path(&context.settings.state_directory()?);
    if changes.exists() {
        let path = changes.display();
        ui.info(&format!("The record of changes stays in {path}; 'mscommerce history' shows it."));
    }
    if let Some(variables) = context.settings.env_application().ok().and_then(|application| application.variables()) {
        ui.warn(&format!("{variables} are still set, and their application still serves every command; unset them"));
    }
    if context.settings.has_env_token() {
        ui.warn(&format!("{TOKEN_VARIABLE} is still set, and still serves every command; unset it"));
    }
    Ok(CommandOutput::default())
}
