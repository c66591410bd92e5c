//! What a shell can offer while a command line is typed.

use std::ffi::OsString;

use clap::CommandFactory;
use clap_complete::CompleteEnv;
use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};

use super::Cli;
use crate::environment::Environment;
use crate::error::{Error, Result};
use crate::known_products::{self, Known};
use crate::settings::state_directory;

/// The variable by which the script of `completions` asks.
pub(crate) const COMPLETE_VARIABLE: &str = "MSCOMMERCE_COMPLETE";

/// Answers a shell that asks, and returns whether one did.
pub(crate) fn offer() -> Result<bool> {
    if std::env::var_os(COMPLETE_VARIABLE).is_none() {
        return Ok(false);
    }
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let here = std::env::current_dir().ok();
    let completion = CompleteEnv::with_factory(Cli::command).bin("mscommerce").var(COMPLETE_VARIABLE);
    let offered = completion.try_complete(arguments, here.as_deref());
    offered.map_err(|error| {
        let why = error.to_string();
        let why = why.trim_start_matches("error: ").trim_end();
        Error::usage(format!("{COMPLETE_VARIABLE}: {why}")).hint("mscommerce completions --help")
    })
}

/// Ids and names of products.
pub(super) fn product_candidates() -> ArgValueCandidates {
    ArgValueCandidates::new(|| named(|known| !known.is_offer_type))
}

/// Ids of offer types.
pub(super) fn offer_type_candidates() -> ArgValueCandidates {
    ArgValueCandidates::new(|| named(|known| known.is_offer_type))
}

/// Ids and names of whatever the tenant lists.
pub(super) fn any_candidates() -> ArgValueCandidates {
    ArgValueCandidates::new(|| named(|_| true))
}

/// The values that a policy takes.
pub(super) fn value_candidates() -> ArgValueCandidates {
    ArgValueCandidates::new(|| words(&["enabled", "disabled", "only-trials-without-payment-method", "trials"]))
}

pub(super) fn truth_candidates() -> ArgValueCandidates {
    ArgValueCandidates::new(|| words(&["true", "false"]))
}

fn words(words: &[&str]) -> Vec<CompletionCandidate> {
    words.iter().copied().map(CompletionCandidate::new).collect()
}

/// What the last listing showed: each by its id, with its name as the explanation, and each product by its name.
fn named(fits: impl Fn(&Known) -> bool) -> Vec<CompletionCandidate> {
    let Ok(directory) = state_directory(&Environment::of_process()) else { return Vec::new() };
    let known: Vec<Known> = known_products::read(&directory).into_iter().filter(fits).collect();
    let by_id = known.iter().map(|item| {
        let help = (!item.name.is_empty()).then(|| item.name.clone().into());
        CompletionCandidate::new(&item.id).help(help)
    });
    let has_name = |item: &&Known| !item.name.is_empty() && !item.is_offer_type;
    let by_name = known.iter().filter(has_name).map(|item| CompletionCandidate::new(as_typed(&item.name)));
    by_id.chain(by_name).collect()
}

/// A name as it has to stand on the command line. Bash puts what is chosen there as it is; the other shells quote it.
fn as_typed(name: &str) -> String {
    let is_bash = std::env::var_os("_CLAP_COMPLETE_COMP_TYPE").is_some();
    if !is_bash {
        return name.to_owned();
    }
    let is_plain = |character: char| character.is_alphanumeric() || "-_.,:/@%+=".contains(character);
    let escaped = |character: char| {
        let escape = (!is_plain(character)).then_some('\\');
        escape.into_iter().chain(std::iter::once(character))
    };
    name.chars().flat_map(escaped).collect()
}
