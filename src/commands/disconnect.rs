//! `disconnect`: forgetting saved sign-ins.

use super::{CommandOutput, Context};
use crate::auth::TOKEN_VARIABLE;
use crate::cli::DisconnectArgs;
use crate::error::{Error, Result};
use crate::history;
use crate::report::Report;

pub async fn run(args: &DisconnectArgs, context: &Context<'_>) -> Result<CommandOutput> {
    let (profile, terminal) = (&context.settings.profile, context.terminal);
    if context.settings.tenant.is_some() {
        return Err(
            Error::usage("a sign-in is forgotten as a whole, for all of its tenants").with_hint("leave out --tenant")
        );
    }
    let store = context.store()?;
    let mut removed = Vec::new();
    let mut others = Vec::new();
    if store.exists() {
        let mut locked = store.lock(context.settings.timeout).await?;
        removed = locked.remove(|name| args.all || name == profile)?;
        others = locked.profiles();
        if locked.remove_stale_files()? {
            terminal.info("Removed files of sign-ins that could not be understood or were left half written.");
        }
    }
    match removed.as_slice() {
        [] if others.is_empty() => terminal.info("Nobody was signed in."),
        [] => {
            return Err(Error::failed(format!("nobody is signed in under the profile '{profile}'"))
                .with_detail(format!("signed in: {}", others.join(", ")))
                .with_hint("name one of these with --profile, or forget all with --all"));
        }
        names => terminal.info(&format!("Signed out: {}", names.join(", "))),
    }
    let changes = history::path(&context.settings.state_directory()?);
    if changes.exists() {
        let path = changes.display();
        terminal.info(&format!("The record of changes stays in {path}; 'mscommerce history' shows it."));
    }
    if let Ok(Some(variables)) = context.settings.env_application_variables() {
        terminal
            .warn(&format!("{variables} are still set, and their application still serves every command; unset them"));
    }
    if context.settings.has_env_token() {
        terminal.warn(&format!("{TOKEN_VARIABLE} is still set, and still serves every command; unset it"));
    }
    Ok(CommandOutput::default())
}
