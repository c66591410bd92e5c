//! The candidates of shell completion: products, values, profiles, tenants and runs that were used before. Sends no
//! request, prints nothing and never fails.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use clap::Command;
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};

use crate::api::{ProductPolicy, Scope, Target};
use crate::auth::TokenCache;
use crate::context::Context;
use crate::environment::Environment;
use crate::help;
use crate::history::{History, HistoryEntry};
use crate::known_products::{self, Candidate};
use crate::settings::state_directory;
use crate::text::{comparison_key, format_timestamp, sanitize_line};

/// The number of runs to offer, newest first.
const MAX_RUNS: usize = 20;

/// The request of the shell. clap's engine calls completers with the typed text only.
static REQUEST: OnceLock<Request> = OnceLock::new();

/// What a completer must know beside the typed text.
#[derive(Debug, Default, PartialEq)]
struct Request {
    /// `bash`, for example.
    shell: String,
    /// The open quotation mark at the start of the typed word.
    quote: Option<char>,
}

/// Removes the quoting of the typed word, which shells pass on, and keeps it for the completers. `index` is the
/// position of the word.
pub fn begin(shell: &OsStr, arguments: &mut [OsString], index: usize) {
    let shell = Path::new(shell).file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let mut quote = None;
    if let Some(word) = arguments.get_mut(index)
        && let Some(typed) = word.to_str()
    {
        let (open, text) = unquote(&shell, typed);
        quote = open;
        *word = text.into();
    }
    // One process answers one request.
    let _ = REQUEST.set(Request { shell, quote });
}

/// The open quotation mark of a word, and its text.
fn unquote(shell: &str, word: &str) -> (Option<char>, String) {
    let quote = word.chars().next().filter(|first| matches!(first, '\'' | '"'));
    let text = word.trim_start_matches(|first| Some(first) == quote);
    let has_escapes = quote != Some('\'') && matches!(shell, "bash" | "zsh" | "fish");
    let mut unquoted = String::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        let escaped = if has_escapes && character == '\\' { characters.next() } else { Some(character) };
        unquoted.extend(escaped);
    }
    (quote, unquoted)
}

/// Removes the hidden flags from the command tree, and adds completers to the global flags and words to `help`.
pub fn prepare(root: Command) -> Command {
    let root = remove_hidden_flags(root);
    let root =
        root.mut_arg("profile", |arg| arg.add(complete_profile())).mut_arg("tenant", |arg| arg.add(complete_tenant()));
    let commands: Vec<Command> = root.get_subcommands().filter(|command| !command.is_hide_set()).cloned().collect();
    let topics = help::TOPICS.map(Command::new);
    root.mut_subcommand("help", |help| help.hide(false).subcommands(commands).subcommands(topics))
}

/// clap offers a hidden flag if nothing else matches. A flag without a name matches nothing.
fn remove_hidden_flags(command: Command) -> Command {
    let remove = |arg: clap::Arg| if arg.is_hide_set() { arg.long("") } else { arg.alias(None) };
    command.mut_args(remove).mut_subcommands(remove_hidden_flags)
}

/// Completes IDs and names of products.
pub fn complete_product() -> ArgValueCompleter {
    ArgValueCompleter::new(|typed: &OsStr| find_products(typed, &[Scope::Product]))
}

/// Completes IDs of offer types.
pub fn complete_offer_type() -> ArgValueCompleter {
    ArgValueCompleter::new(|typed: &OsStr| find_products(typed, &[Scope::OfferType]))
}

/// Completes IDs and names of products, and IDs of offer types.
pub fn complete_any() -> ArgValueCompleter {
    ArgValueCompleter::new(|typed: &OsStr| find_products(typed, &Scope::ALL))
}

/// Completes policy values.
pub fn complete_value() -> ArgValueCompleter {
    complete_words(&["enabled", "disabled", "only-trials-without-payment-method", "trials"])
}

pub fn complete_bool() -> ArgValueCompleter {
    complete_words(&["true", "false"])
}

/// Completes the profiles that are signed in.
fn complete_profile() -> ArgValueCompleter {
    ArgValueCompleter::new(|typed: &OsStr| {
        let profiles = state().map(|directory| TokenCache::peek(&directory).profiles).unwrap_or_default();
        let profiles = profiles.into_iter().map(|(name, credential)| (name, credential.account.unwrap_or_default()));
        keep_matches(typed, profiles)
    })
}

/// Completes the tenants of the saved sign-ins and of the history.
fn complete_tenant() -> ArgValueCompleter {
    ArgValueCompleter::new(|typed: &OsStr| {
        let Some(directory) = state() else { return Vec::new() };
        let mut tenants: Vec<(String, String)> = Vec::new();
        for credential in TokenCache::peek(&directory).profiles.into_values() {
            let account = credential.account.unwrap_or_default();
            tenants.push((credential.tenant_id, account.clone()));
            for (id, token) in credential.tenants {
                tenants.extend(token.domains.into_iter().map(|domain| (domain, id.clone())));
                tenants.push((id, account.clone()));
            }
        }
        let changes = History::peek(&directory).into_iter().rev();
        tenants.extend(changes.filter_map(|change| Some((change.tenant_id?, change.account.unwrap_or_default()))));
        keep_matches(typed, tenants)
    })
}

/// Completes the IDs of the latest runs.
pub fn complete_run() -> ArgValueCompleter {
    ArgValueCompleter::new(|typed: &OsStr| {
        let changes = state().map(|directory| History::peek(&directory)).unwrap_or_default();
        let changes = changes.into_iter().rev().filter(HistoryEntry::was_sent);
        let mut runs = keep_matches(typed, changes.map(|change| (change.run, format_timestamp(change.time))));
        runs.truncate(MAX_RUNS);
        runs
    })
}

fn complete_words(words: &'static [&str]) -> ArgValueCompleter {
    ArgValueCompleter::new(move |typed: &OsStr| {
        keep_matches(typed, words.iter().map(|word| ((*word).to_owned(), String::new())))
    })
}

fn state() -> Option<PathBuf> {
    state_directory(&Environment::from_process()).ok()
}

/// The candidates that start with the typed text, in any case, without duplicates. A candidate is a text and its
/// description. The shell inserts the text without quotes.
fn keep_matches(typed: &OsStr, candidates: impl IntoIterator<Item = (String, String)>) -> Vec<CompletionCandidate> {
    let typed = comparison_key(&typed.to_string_lossy());
    let mut matches: Vec<(String, String)> = Vec::new();
    for (text, description) in candidates {
        let is_new = !matches.iter().any(|(known, _)| *known == text);
        if is_new && known_products::is_shell_safe(&text) && text.to_lowercase().starts_with(&typed) {
            matches.push((text, description));
        }
    }
    matches.into_iter().map(|(text, description)| describe(text, &description)).collect()
}

fn describe(text: impl Into<OsString>, description: &str) -> CompletionCandidate {
    CompletionCandidate::new(text).help((!description.is_empty()).then(|| sanitize_line(description).into()))
}

/// The products of the last listing whose IDs or names start with the typed text, in any case.
fn find_products(typed: &OsStr, scopes: &[Scope]) -> Vec<CompletionCandidate> {
    let Some(directory) = state() else { return Vec::new() };
    let items = known_products::load_candidates(&directory).into_iter().filter(|item| scopes.contains(&item.scope));
    let items: Vec<Candidate> = items.collect();
    let mut candidates = keep_matches(typed, items.iter().map(|item| (item.id.clone(), item.name.clone())));
    let request = REQUEST.get_or_init(Request::default);
    let key = comparison_key(&typed.to_string_lossy());
    // The descriptions of all IDs already show all names.
    if !key.is_empty() || request.quote.is_some() {
        let products = items.iter().filter(|item| item.scope == Scope::Product);
        let named = products.filter(|item| comparison_key(&item.name).starts_with(&key));
        candidates.extend(named.filter_map(|item| Some(describe(request.insertable(&item.name)?, &item.id))));
    }
    candidates
}

impl Request {
    /// The text that inserts a name as one argument. None if the shell would not quote it.
    fn insertable(&self, name: &str) -> Option<String> {
        if name.is_empty() || name.starts_with('-') {
            return None;
        }
        let is_excluded = |special: &str| name.contains(|character| special.contains(character));
        match (self.shell.as_str(), self.quote) {
            // bash only closes the quotation mark.
            ("bash", Some('\'')) if !is_excluded("'") => Some(name.to_owned()),
            ("bash", Some('"')) if !is_excluded("\"$`\\!") => Some(name.to_owned()),
            // PowerShell replaces the whole word, and knows more than one apostrophe.
            ("powershell" | "pwsh", _) if !is_excluded("'‘’‚‛") => Some(format!("'{name}'")),
            ("zsh" | "fish" | "elvish", _) => Some(name.to_owned()),
            _ => None,
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unquote_removes_open_quotes_and_escapes() {
        for (shell, word, expected) in [
            ("bash", "'Power B", (Some('\''), "Power B")),
            ("zsh", "\"visio", (Some('"'), "visio")),
            ("fish", r"Power\ B", (None, "Power B")),
            ("zsh", r"'a\b", (Some('\''), r"a\b")),
            ("powershell", r"C:\a", (None, r"C:\a")),
            ("fish", "'", (Some('\''), "")),
            ("bash", r"a\", (None, "a")),
        ] {
            assert_eq!(unquote(shell, word), (expected.0, expected.1.to_owned()), "{shell} {word}");
        }
    }

    #[test]
    fn insertable_names_are_one_argument() {
        let insert = |shell: &str, quote, name: &str| Request { shell: shell.to_owned(), quote }.insertable(name);
        assert_eq!(insert("bash", None, "Power BI"), None);
        assert_eq!(insert("bash", Some('\''), "it's"), None);
        assert_eq!(insert("bash", Some('"'), "$(ls)"), None);
        assert_eq!(insert("powershell", None, "Power BI"), Some("'Power BI'".to_owned()));
        assert_eq!(insert("powershell", Some('"'), "it’s"), None);
        assert_eq!(insert("zsh", None, "--all"), None);
    }
}
