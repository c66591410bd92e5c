//! `completions`: the script with which a shell asks.

use clap_complete::env::Shells;

use super::CommandOutput;
use crate::cli::{COMPLETE_VARIABLE, CompletionsArgs, Shell};
use crate::error::{Error, Result};

const NAME: &str = "mscommerce";

pub fn run(args: CompletionsArgs) -> Result<CommandOutput> {
    let shell = match args.shell {
        Shell::Bash => "bash",
        Shell::Zsh => "zsh",
        Shell::Fish => "fish",
        Shell::Powershell => "powershell",
        Shell::Elvish => "elvish",
    };
    let shells = Shells::builtins();
    let completer = shells.completer(shell).ok_or_else(|| Error::failed(format!("there is no script for {shell}")))?;
    let mut script = Vec::new();
    completer.write_registration(COMPLETE_VARIABLE, NAME, NAME, NAME, &mut script).map_err(Error::from_source)?;
    let document = String::from_utf8(script).map_err(Error::from_source)?;
    Ok(CommandOutput { document: Some(document), ..CommandOutput::default() })
}
