//! Entry points of the fuzz targets in `fuzz/`, which check all parsers of untrusted input. Each function panics if a
//! check fails.

use crate::{api, auth, history, http, plan};

/// Checks a response body of the policy endpoint.
pub fn response(body: &[u8]) {
    api::proptests::check_response(body);
}

/// Checks an error response. The input is a line with the status, then the body.
pub fn error_body(input: &[u8]) {
    let response = http::proptests::parse_response(input);
    api::proptests::check_error(&response);
    auth::proptests::check_oauth_error(&response);
    http::proptests::check_errors(&response);
}

/// Checks a `Retry-After` header. The input is a line with its value, then the current time in seconds since 1970.
pub fn retry_after(input: &[u8]) {
    http::proptests::check_retry_after(input);
}

/// Checks a baseline file, parsed as TOML and as JSON.
pub fn baseline(file: &[u8]) {
    plan::proptests::check_baseline(file);
}

/// Checks a file in the state directory, parsed as token cache and as history.
pub fn cache(file: &[u8]) {
    auth::proptests::check_cache_file(file);
    history::proptests::check_history(file);
}

/// Checks a request to the redirect listener.
pub fn loopback(request: &[u8]) {
    auth::proptests::check_loopback(request);
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    type Check = fn(&[u8]);

    #[test]
    fn committed_corpus_passes_all_checks() {
        let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
        // The published crate does not contain `fuzz/`.
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
