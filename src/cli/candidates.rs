//! What a shell can offer while a command line is typed.

use std::ffi::{OsStr, OsString};
use std::sync::atomic::{AtomicBool, Ordering};

use clap::CommandFactory;
use clap_complete::CompleteEnv;
use clap_complete::engine::{ArgValueCandidates, ArgValueCompleter, CompletionCandidate};

use super::Cli;
use crate::environment::Environment;
use crate::error::{Error, Result};
use crate::known_products::{self, Known};
use crate::settings::state_directory;

/// The variable by which the script of `completions` asks.
pub const COMPLETE_VARIABLE: &str = "MSCOMMERCE_COMPLETE";

/// Whether it is PowerShell that asks: the library takes the variable away before it looks for candidates.
static FOR_POWERSHELL: AtomicBool = AtomicBool::new(false);

/// Answers a shell that asks, and returns whether one did.
pub fn offer() -> Result<bool> {
    let Some(shell) = std::env::var_os(COMPLETE_VARIABLE) else { return Ok(false) };
    FOR_POWERSHELL.store(shell == "powershell", Ordering::Relaxed);
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let here = std::env::current_dir().ok();
    let completion = CompleteEnv::with_factory(Cli::command).bin("mscommerce").var(COMPLETE_VARIABLE);
    let offered = completion.try_complete(arguments, here.as_deref());
    offered.map_err(|error| {
        let why = error.to_string();
        let why = why.trim_start_matches("error: ").trim_end();
        Error::usage(format!("{COMPLETE_VARIABLE}: {why}")).with_hint("mscommerce completions --help")
    })
}

/// Ids and names of products.
pub fn product_candidates() -> ArgValueCompleter {
    ArgValueCompleter::new(|typed: &OsStr| named(typed, |known| !known.is_offer_type))
}

/// Ids of offer types.
pub fn offer_type_candidates() -> ArgValueCompleter {
    ArgValueCompleter::new(|typed: &OsStr| named(typed, |known| known.is_offer_type))
}

/// Ids and names of whatever the tenant lists.
pub fn any_candidates() -> ArgValueCompleter {
    ArgValueCompleter::new(|typed: &OsStr| named(typed, |_| true))
}

/// The values that a policy takes.
pub fn value_candidates() -> ArgValueCandidates {
    ArgValueCandidates::new(|| words(&["enabled", "disabled", "only-trials-without-payment-method", "trials"]))
}

pub fn truth_candidates() -> ArgValueCandidates {
    ArgValueCandidates::new(|| words(&["true", "false"]))
}

fn words(words: &[&str]) -> Vec<CompletionCandidate> {
    words.iter().copied().map(CompletionCandidate::new).collect()
}

/// What the last listing showed: each by its id, with its name as the explanation, and each product by its name.
fn named(typed: &OsStr, fits: impl Fn(&Known) -> bool) -> Vec<CompletionCandidate> {
    let Ok(directory) = state_directory(&Environment::from_process()) else { return Vec::new() };
    let known: Vec<Known> = known_products::read(&directory).into_iter().filter(fits).collect();
    let typed = typed.to_string_lossy();
    // PowerShell has read the quotes of what was typed, the other shells have not.
    let candidate = |word: &str| {
        let offered = as_typed(word);
        let is_begun = offered.starts_with(&*typed) || word.starts_with(&*typed);
        is_begun.then(|| CompletionCandidate::new(offered))
    };
    let by_id = known.iter().filter_map(|item| {
        let help = (!item.name.is_empty()).then(|| item.name.clone().into());
        Some(candidate(&item.id)?.help(help))
    });
    let has_name = |item: &&Known| !item.name.is_empty() && !item.is_offer_type;
    let by_name = known.iter().filter(has_name).filter_map(|item| candidate(&item.name));
    by_id.chain(by_name).collect()
}

/// A word as it has to stand on the command line. Bash and PowerShell put what is chosen there as it is; the other
/// shells quote it.
fn as_typed(word: &str) -> String {
    let is_plain = |character: char| character.is_alphanumeric() || "-_.,:/@%+=".contains(character);
    if std::env::var_os("_CLAP_COMPLETE_COMP_TYPE").is_some() {
        let escaped = |character: char| {
            let escape = (!is_plain(character)).then_some('\\');
            escape.into_iter().chain(std::iter::once(character))
        };
        return word.chars().flat_map(escaped).collect();
    }
    if FOR_POWERSHELL.load(Ordering::Relaxed) {
        return for_powershell(word);
    }
    word.to_owned()
}

/// In single quotes PowerShell reads nothing but the end, which each of its five single quotes is.
fn for_powershell(word: &str) -> String {
    if word.chars().all(|character| character.is_ascii_alphanumeric() || "-_.".contains(character)) {
        return word.to_owned();
    }
    let doubled = word.chars().flat_map(|character| {
        let is_quote = matches!(character, '\'' | '\u{2018}'..='\u{201B}');
        std::iter::repeat_n(character, if is_quote { 2 } else { 1 })
    });
    format!("'{}'", doubled.collect::<String>())
}
