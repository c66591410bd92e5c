//! `completions`, `man` and shell completion.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use clap_complete::CompleteEnv;
use clap_complete::engine::{ArgValueCandidates, ArgValueCompleter, CompletionCandidate};
use clap_complete::env::Shells;
use clap_mangen::Man;

use super::CommandOutput;
use crate::api::{ProductPolicy, Scope, Target};
use crate::context::Context;
use crate::environment::Environment;
use crate::error::{Error, Result};
use crate::known_products::{self, Candidate};
use crate::settings::state_directory;
use crate::text::comparison_key;

const NAME: &str = "mscommerce";

/// The environment variable that the completion script sets.
const COMPLETE_VARIABLE: &str = "MSCOMMERCE_COMPLETE";

pub const COMPLETIONS_HELP: &str = "\
Examples:
  bash         echo 'source <(mscommerce completions bash)' >> ~/.bashrc
  zsh          echo 'source <(mscommerce completions zsh)' >> ~/.zshrc
  fish         mscommerce completions fish > ~/.config/fish/completions/mscommerce.fish
  powershell   mscommerce completions powershell | Out-String | Invoke-Expression
  elvish       eval (mscommerce completions elvish | slurp)

Generate the script again after an update. Product IDs come from the last 'product list'.";

pub const MAN_EXAMPLES: &str = "\
Examples:
  mscommerce man | man -l -
  mscommerce man --directory ~/.local/share/man/man1";

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

#[derive(Args, Clone, Debug)]
pub struct ManArgs {
    /// Write a page for each command to this directory
    #[arg(long, value_name = "DIRECTORY")]
    pub directory: Option<PathBuf>,
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
    let text = String::from_utf8(script).map_err(Error::from_source)?;
    Ok(CommandOutput { text: Some(text), ..CommandOutput::default() })
}

/// Prints completion candidates if a completion script started this process. Returns whether it did.
pub fn handle_completion_request(command: impl Fn() -> clap::Command) -> Result<bool> {
    if std::env::var_os(COMPLETE_VARIABLE).is_none() {
        return Ok(false);
    }
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let directory = std::env::current_dir().ok();
    let completion = CompleteEnv::with_factory(command).bin(NAME).var(COMPLETE_VARIABLE);
    completion.try_complete(arguments, directory.as_deref()).map_err(|error| {
        let reason = error.to_string();
        let reason = reason.trim_start_matches("error: ").trim_end();
        Error::usage(format!("{COMPLETE_VARIABLE}: {reason}")).with_hint("mscommerce completions --help")
    })
}

/// Completes product IDs, with the product name as description.
pub fn complete_product() -> ArgValueCompleter {
    ArgValueCompleter::new(|typed: &OsStr| matching_candidates(typed, &[Scope::Product]))
}

/// Completes offer type IDs.
pub fn complete_offer_type() -> ArgValueCompleter {
    ArgValueCompleter::new(|typed: &OsStr| matching_candidates(typed, &[Scope::OfferType]))
}

/// Completes product and offer type IDs.
pub fn complete_any() -> ArgValueCompleter {
    ArgValueCompleter::new(|typed: &OsStr| matching_candidates(typed, &Scope::ALL))
}

/// Completes policy values.
pub fn complete_value() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        ["enabled", "disabled", "only-trials-without-payment-method", "trials"].map(CompletionCandidate::new).into()
    })
}

pub fn complete_bool() -> ArgValueCandidates {
    ArgValueCandidates::new(|| ["true", "false"].map(CompletionCandidate::new).into())
}

/// The products of the last listing whose IDs start with the typed text, in any case.
fn matching_candidates(typed: &OsStr, scopes: &[Scope]) -> Vec<CompletionCandidate> {
    let Ok(directory) = state_directory(&Environment::from_process()) else { return Vec::new() };
    let typed = comparison_key(&typed.to_string_lossy());
    let candidates = known_products::load_candidates(&directory).into_iter();
    let candidates =
        candidates.filter(|item| scopes.contains(&item.scope) && item.id.to_lowercase().starts_with(&typed));
    candidates
        .map(|item| CompletionCandidate::new(item.id).help((!item.name.is_empty()).then(|| item.name.into())))
        .collect()
}

/// Saves the listed items as completion candidates of their scopes. A failure must not fail the listing.
pub fn save_candidates(listed: &[ProductPolicy], scopes: &[Scope], context: &Context) {
    let Ok(directory) = context.settings.state_directory() else { return };
    let candidate = |item: &ProductPolicy| {
        let Target { scope, id } = item.target()?;
        Some(Candidate { scope, id, name: item.name.clone().unwrap_or_default() })
    };
    let listed = listed.iter().filter_map(candidate).collect();
    if let Err(error) = known_products::save_candidates(&directory, scopes, listed) {
        context.ui.debug(&format!("the products are not saved for completion: {}", error.summary()));
    }
}

/// Renders the man pages. `root` is the command tree.
pub fn man(args: &ManArgs, mut root: clap::Command) -> Result<CommandOutput> {
    root.build();
    let Some(directory) = &args.directory else {
        return Ok(CommandOutput { text: Some(render_page(root)?), ..CommandOutput::default() });
    };
    let pages = write_pages(&root, directory)?;
    let note = Some(format!("Wrote {pages} pages to {}.", directory.display()));
    Ok(CommandOutput { note, ..CommandOutput::default() })
}

/// Writes the man pages of a command and its subcommands. Returns the number of pages.
fn write_pages(command: &clap::Command, directory: &Path) -> Result<usize> {
    let write_error = |error: std::io::Error| {
        Error::from_source(error).context(format!("could not write to {}", directory.display()))
    };
    fs::create_dir_all(directory).map_err(write_error)?;
    let name = command.get_display_name().unwrap_or_else(|| command.get_name());
    fs::write(directory.join(format!("{name}.1")), render_page(command.clone())?).map_err(write_error)?;
    let mut pages = 1;
    for subcommand in command.get_subcommands().filter(|subcommand| subcommand.get_name() != "help") {
        pages += write_pages(subcommand, directory)?;
    }
    Ok(pages)
}

fn render_page(command: clap::Command) -> Result<String> {
    let mut page = Vec::new();
    // `\&` is an empty roff argument. Without a date, roff would use the next argument as the date.
    let source = concat!("mscommerce ", env!("CARGO_PKG_VERSION"));
    Man::new(command).date("\\&").source(source).render(&mut page).map_err(Error::from_source)?;
    String::from_utf8(page).map_err(Error::from_source)
}
