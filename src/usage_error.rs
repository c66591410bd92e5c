//! Usage errors that do not repeat a secret of the command line.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, Error};
use uuid::Uuid;

/// The flags that read a secret from standard input, with what they read and a command to type.
const STDIN_FLAGS: [(&str, &str, &str); 3] = [
    ("--with-token", "access token", "--with-token < token.txt"),
    ("--password-stdin", "password", "--username USER --password-stdin < password.txt"),
    ("--client-secret-stdin", "client secret", "--application --client-secret-stdin < secret.txt"),
];

/// The commands that read secrets, and take no positional arguments.
const SIGN_IN_COMMANDS: [&str; 2] = ["connect", "login"];

/// The minimum length of a word that may be a token or a client secret.
const MIN_SECRET_LEN: usize = 32;

/// Words that people type after a command, or after none, with the command to type. The first entry that fits is used.
const SUGGESTIONS: [(&str, &str, &str); 22] = [
    ("product", "help", "mscommerce help product"),
    ("policy", "help", "mscommerce help policy"),
    ("baseline", "help", "mscommerce help baseline"),
    ("product", "show", "mscommerce product get PRODUCT"),
    ("product", "set", "mscommerce product update PRODUCT --value VALUE"),
    ("product", "enable", "mscommerce product update PRODUCT --value enabled"),
    ("product", "disable", "mscommerce product update PRODUCT --value disabled"),
    ("policy", "show", "mscommerce policy get"),
    ("baseline", "diff", "mscommerce baseline check FILE"),
    ("baseline", "import", "mscommerce baseline apply FILE"),
    ("", "list", "mscommerce product list"),
    ("", "get", "mscommerce product get PRODUCT"),
    ("", "set", "mscommerce product update PRODUCT --value VALUE"),
    ("", "update", "mscommerce product update PRODUCT --value VALUE"),
    ("", "enable", "mscommerce product update PRODUCT --value enabled"),
    ("", "disable", "mscommerce product update PRODUCT --value disabled"),
    ("", "whoami", "mscommerce status"),
    ("", "account", "mscommerce status"),
    ("", "auth", "mscommerce connect"),
    ("", "signin", "mscommerce connect"),
    ("", "policies", "mscommerce policy list"),
    ("", "completion", "mscommerce completions SHELL"),
];

/// Hides secrets in an error, and suggests a command for words that are not one.
pub fn improve(error: Error, arguments: &[OsString], command: &Command) -> Error {
    let mut error = hide_secret(error, arguments, command);
    if let (ErrorKind::InvalidSubcommand, Some(ContextValue::String(word))) =
        (error.kind(), error.get(ContextKind::InvalidSubcommand))
    {
        let usage = match error.get(ContextKind::Usage) {
            Some(ContextValue::StyledStr(usage)) => usage.to_string(),
            _ => String::new(),
        };
        let is_after = |command: &str| usage.contains(&format!("mscommerce {command}"));
        let suggestion =
            SUGGESTIONS.iter().find(|(command, known, _)| word.eq_ignore_ascii_case(known) && is_after(command));
        if let Some((_, _, suggestion)) = suggestion {
            error.remove(ContextKind::SuggestedSubcommand);
            error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![format!("use '{suggestion}'").into()]));
        }
    }
    error
}

/// Replaces a value that may be a secret: that of a flag that reads it from standard input, of another flag without value
/// or a positional argument of `connect`, or a word that looks like a token.
fn hide_secret(mut error: Error, arguments: &[OsString], command: &Command) -> Error {
    let arguments: Vec<_> = arguments.iter().map(|argument| argument.to_string_lossy()).collect();
    let is_sign_in = arguments.iter().any(|argument| SIGN_IN_COMMANDS.contains(&&**argument));
    // A misspelt flag is not a value.
    let is_similar_to_flag = error.get(ContextKind::SuggestedArg).is_some();
    let value_kind = match error.kind() {
        ErrorKind::UnknownArgument => ContextKind::InvalidArg,
        ErrorKind::InvalidSubcommand => ContextKind::InvalidSubcommand,
        _ => ContextKind::InvalidValue,
    };
    let Some(ContextValue::String(value)) = error.get(value_kind) else { return error };
    if let Some((flag, secret, example)) = stdin_flag_before(value, &arguments)
        && !is_similar_to_flag
    {
        let message = format!(
            "{flag} does not take a value: it reads the {secret} from standard input\n\n  tip: mscommerce connect {example}\n"
        );
        return Error::raw(ErrorKind::TooManyValues, message).with_cmd(command);
    }
    let is_unexpected =
        !value.starts_with('-') && matches!(error.kind(), ErrorKind::UnknownArgument | ErrorKind::TooManyValues);
    if (is_sign_in && is_unexpected) || may_be_secret(value) {
        error.insert(value_kind, ContextValue::String("(not shown: it may be a secret)".to_owned()));
        // Suggestions repeat the value.
        error.remove(ContextKind::Suggested);
    }
    error
}

/// The flag for standard input that a value follows, as in `--with-token VALUE` or `--with-token=VALUE`.
fn stdin_flag_before(value: &str, arguments: &[impl AsRef<str>]) -> Option<(&'static str, &'static str, &'static str)> {
    STDIN_FLAGS.into_iter().find(|(flag, ..)| {
        let is_flag = |argument: &str| argument == *flag;
        let with_value = |argument: &str| argument.strip_prefix(flag).is_some_and(|rest| rest.starts_with('='));
        let mut previous = "";
        arguments.iter().map(AsRef::as_ref).any(|argument| {
            // clap reports only the first letter of an unknown short flag.
            let is_value =
                argument == value || (value.len() == 2 && value.starts_with('-') && argument.starts_with(value));
            let found = (is_value && is_flag(previous)) || (with_value(argument) && argument.ends_with(value));
            if argument != "--" {
                previous = argument;
            }
            found
        })
    })
}

/// Whether a word may be a token or a client secret.
fn may_be_secret(word: &str) -> bool {
    let is_long = word.len() >= MIN_SECRET_LEN && !word.contains(char::is_whitespace);
    word.contains("eyJ") || (is_long && Uuid::try_parse(word).is_err())
}
