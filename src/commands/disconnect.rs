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
    let cache = context.token_cache()?;
    let mut removed = Vec::new();
    let mut others = Vec::new();
    let mut had_leftovers = false;
    if cache.exists() {
        let mut lock = cache.lock(context.settings.timeout.value).await?;
        removed = lock.remove(|name| args.all || name == profile)?;
        others = lock.content().profile_names();
        had_leftovers = lock.remove_quarantined()?;
        if had_leftovers {
            ui.info("Removed damaged sign-in files.");
        }
    }
    let error = match removed.as_slice() {
        [] if args.all || had_leftovers => {
            ui.info("Not signed in.");
            None
        }
        [] if others.is_empty() => Some(Error::failed("not signed in")),
        [] => Some(
            Error::failed(format!("profile '{profile}' is not signed in"))
                .with_detail(format!("profiles that are signed in: {}", others.join(", ")))
                .with_hint("choose one with --profile, or sign out of all with --all"),
        ),
        names => {
            ui.info(&format!("Signed out: {}.", names.join(", ")));
            None
        }
    };
    let changes = history::path(&context.settings.state_directory()?);
    if changes.exists() {
        let path = changes.display();
        ui.info(&format!("The history of changes remains in {path}. To see it, run 'mscommerce history'."));
    }
    if let Some(variables) = context.settings.env_application().ok().and_then(|application| application.variables()) {
        ui.warn(&format!(
            "{variables} are still set, so commands still sign in as this application; unset them to stop this"
        ));
    }
    if context.settings.has_env_token() {
        ui.warn(&format!("{TOKEN_VARIABLE} is still set, so commands still use this token; unset it to stop this"));
    }
    Ok(CommandOutput { error, ..CommandOutput::default() })
}
