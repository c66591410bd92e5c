//! `completions` and `man`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

pub const COMPLETIONS_HELP: &str = "\
Examples:
  bash         echo 'source <(mscommerce completions bash)' >> ~/.bashrc
  zsh          echo 'source <(mscommerce completions zsh)' >> ~/.zshrc
  fish         mscommerce completions fish > ~/.config/fish/completions/mscommerce.fish
  powershell   mscommerce completions powershell | Out-String | Invoke-Expression
  elvish       eval (mscommerce completions elvish | slurp)

The script asks mscommerce itself while you type, so make it anew after an update.
Products are offered as the last 'products list' showed them.";

pub const MAN_EXAMPLES: &str = "\
Examples:
  mscommerce man | man -l -
  mscommerce man --directory ~/.local/share/man/man1";

#[derive(Args, Clone, Copy, Debug)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum, value_name = "SHELL")]
    pub shell: Shell,
}

/// A shell that can complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Shell {
    Bash,
    Zsh,
    Fish,
    #[value(alias = "pwsh")]
    Powershell,
    Elvish,
}

#[derive(Args, Clone, Debug)]
pub struct ManArgs {
    /// Write a page for each command to this directory, which is made where it is missing
    #[arg(long, value_name = "DIRECTORY")]
    pub directory: Option<PathBuf>,
}
