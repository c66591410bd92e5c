//! `completions`: the script with which a shell asks.

use clap_complete::env::Shells;

use super::Ended;
use crate::cli::{COMPLETE_VARIABLE, CompletionsArgs, Shell};
use crate::error::{Error, Result};

const NAME: &str = "mscommerce";

pub fn run(args: CompletionsArgs) -> Result<Ended> {
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
    completer.write_registration(COMPLETE_VARIABLE, NAME, NAME, NAME, &mut script).map_err(Error::failed_by)?;
    let document = String::from_utf8(script).map_err(Error::failed_by)?;
    Ok(Ended { document: Some(document), ..Ended::default() })
}
