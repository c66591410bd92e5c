//! What reads text of others' making, each with what has to hold for any input. The targets below `fuzz/` search for an
//! input for which it does not; the tests of the modules try inputs made after the form of real ones.
//!
//! Every function panics where something does not hold.

use anstyle::Style;

use crate::error::Error;
use crate::text::is_terminal_control;
use crate::ui::format_error;
use crate::{api, auth, history, http, plan};

/// The body of an answer of the policy endpoint.
pub fn response(body: &[u8]) {
    api::proptests::check_response(body);
}

/// An answer that tells of an error: a first line with the status, and the body.
pub fn error_body(input: &[u8]) {
    let answer = http::proptests::parse_response(input);
    api::proptests::check_error(&answer);
    auth::proptests::oauth_error(&answer);
    http::proptests::check_errors(&answer);
}

/// The header `Retry-After`: a first line with its value, and the time in seconds since 1970.
pub fn retry_after(input: &[u8]) {
    http::proptests::check_retry_after(input);
}

/// A baseline file, read as TOML and as JSON.
pub fn baseline(file: &[u8]) {
    plan::proptests::check_baseline(file);
}

/// The files in the state directory: the saved sign-ins, and the record of changes.
pub fn cache(file: &[u8]) {
    auth::proptests::cache_file(file);
    history::proptests::check_history(file);
}

/// What a browser, or whoever else finds the port, sends to the loopback listener.
pub fn loopback(request: &[u8]) {
    auth::proptests::loopback(request);
}

/// An error as it reaches a terminal, which has to be harmless and short there.
pub fn printed(error: &Error) -> String {
    let styled = format_error(Style::new(), "error:", error);
    let printed = anstream::adapter::strip_str(&styled).to_string();
    assert!(!printed.chars().any(|character| character != '\n' && is_terminal_control(character)), "{printed:?}");
    assert!(printed.chars().count() < 4000, "{} characters", printed.chars().count());
    printed
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    type Check = fn(&[u8]);

    #[test]
    fn everything_holds_for_the_committed_corpus() {
        let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
        // The published crate comes without it.
        if !fuzz.exists() {
            return;
        }
        let targets: [(&str, Check); 6] = [
            ("response", super::response),
            ("error_body", super::error_body),
            ("retry_after", super::retry_after),
            ("baseline", super::baseline),
            ("cache", super::cache),
            ("loopback", super::loopback),
        ];
        for (target, check) in targets {
            let seeds = std::fs::read_dir(fuzz.join("corpus").join(target)).expect(target);
            let seeds: Vec<_> = seeds.map(|seed| seed.expect("a file").path()).collect();
            assert!(seeds.len() >= 10, "{target} has {} seeds", seeds.len());
            for seed in seeds {
                check(&std::fs::read(seed).expect("a seed"));
            }
        }
    }
}
