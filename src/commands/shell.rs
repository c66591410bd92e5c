//! `completions`: the completion scripts, and the requests that they send.

use std::ffi::OsString;

use clap::{Args, ValueEnum};
use clap_complete::CompleteEnv;
use clap_complete::env::Shells;

use super::{CommandOutput, completion};
use crate::error::{Error, Result};

const NAME: &str = "mscommerce";

/// The environment variable that the completion script sets.
const COMPLETE_VARIABLE: &str = "MSCOMMERCE_COMPLETE";

/// The position of the word to complete, counted from the program name. Only some scripts set it.
const INDEX_VARIABLE: &str = "_CLAP_COMPLETE_INDEX";

pub const COMPLETIONS_HELP: &str = "\
Examples:
  bash         echo 'eval \"$(mscommerce completions bash)\"' >> ~/.bashrc
  zsh          echo 'source <(mscommerce completions zsh)' >> ~/.zshrc
  fish         mscommerce completions fish > ~/.config/fish/completions/mscommerce.fish
  powershell   mscommerce completions powershell | Out-String | Invoke-Expression
  elvish       eval (mscommerce completions elvish | slurp)

Generate the script again after an update. Products come from the last 'product list', \
profiles and tenants from saved sign-ins, and runs from the history. bash offers names of \
products only after a quotation mark.";

/// Changes to clap's scripts: the shell, a text of its script, and the replacement.
const SCRIPT_CHANGES: [(Shell, &str, &str); 5] = [
    // `$2` lacks the open quotation mark, without which names cannot be offered.
    (Shell::Bash, r#"words[COMP_CWORD]="$2""#, r#"[[ ${words[COMP_CWORD]} == [\"\']* ]] || words[COMP_CWORD]="$2""#),
    // Without regard to case, as the other shells.
    (Shell::Zsh, "'values' dirs", "'values' dirs -M 'm:{a-zA-Z}={A-Za-z}'"),
    (Shell::Zsh, "'values' other", "'values' other -M 'm:{a-zA-Z}={A-Za-z}'"),
    // zsh runs a file `_mscommerce` of its search path at the first completion. A new user's .zshrc lacks compinit.
    (
        Shell::Zsh,
        "\ncompdef _clap_dynamic_completer_mscommerce mscommerce",
        r#"
if [[ $funcstack[1] == _mscommerce ]]; then
    _clap_dynamic_completer_mscommerce "$@"
else
    (( $+functions[compdef] )) || { autoload -Uz compinit && compinit -i }
    compdef _clap_dynamic_completer_mscommerce mscommerce
fi"#,
    ),
    // The arguments are evaluated, so an open quotation mark must be closed.
    (
        Shell::Powershell,
        "    $results = Invoke-Expression",
        r#"    if ($args -match '\s(["''])[^"'']*$') { $args += $Matches[1] }

    $results = Invoke-Expression"#,
    ),
];

#[derive(Args, Clone, Copy, Debug)]
pub struct CompletionsArgs {
    /// Shell
    #[arg(value_enum, value_name = "SHELL")]
    pub shell: Shell,
}

/// A shell with completion support.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Shell {
    Bash,
    Zsh,
    Fish,
    #[value(alias = "pwsh")]
    Powershell,
    Elvish,
}

/// Generates the completion script of a shell.
pub fn completions(args: CompletionsArgs) -> Result<CommandOutput> {
    let shell = match args.shell {
        Shell::Bash => "bash",
        Shell::Zsh => "zsh",
        Shell::Fish => "fish",
        Shell::Powershell => "powershell",
        Shell::Elvish => "elvish",
    };
    let shells = Shells::builtins();
    let completer =
        shells.completer(shell).ok_or_else(|| Error::failed(format!("{shell} has no completion script")))?;
    let mut script = Vec::new();
    completer.write_registration(COMPLETE_VARIABLE, NAME, NAME, NAME, &mut script).map_err(Error::from_source)?;
    let mut text = String::from_utf8(script).map_err(Error::from_source)?;
    for (_, from, to) in SCRIPT_CHANGES.iter().filter(|(shell, ..)| *shell == args.shell) {
        text = text.replace(from, to);
    }
    Ok(CommandOutput { text: Some(text), ..CommandOutput::default() })
}

/// Prints completion candidates if a completion script started this process. Returns whether it did.
pub fn handle_completion_request(command: impl Fn() -> clap::Command) -> Result<bool> {
    let Some(shell) = std::env::var_os(COMPLETE_VARIABLE) else { return Ok(false) };
    let mut arguments: Vec<OsString> = std::env::args_os().collect();
    let start = arguments.iter().position(|argument| argument == "--").map_or(0, |separator| separator + 1);
    let index = std::env::var(INDEX_VARIABLE).ok().and_then(|index| index.parse::<usize>().ok());
    let index = index.map_or(arguments.len() - 1, |index| start.saturating_add(index));
    completion::begin(&shell, &mut arguments, index);
    let directory = std::env::current_dir().ok();
    let completion = CompleteEnv::with_factory(|| completion::prepare(command())).bin(NAME).var(COMPLETE_VARIABLE);
    completion.try_complete(arguments, directory.as_deref()).map_err(|error| {
        let reason = error.to_string();
        let reason = reason.trim_start_matches("error: ").trim_end();
        Error::usage(format!("{COMPLETE_VARIABLE}: {reason}")).with_hint("mscommerce completions --help")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_contain_each_change() {
        for (shell, _, to) in SCRIPT_CHANGES {
            let script = completions(CompletionsArgs { shell }).expect("a script").text.unwrap_or_default();
            assert!(script.contains(to), "{shell:?}: {to}");
        }
    }
}
