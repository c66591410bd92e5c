//! Requests of the user's own.

use reqwest::Method;
use url::Url;

use super::Client;
use super::page::resolve_next_link;
use crate::auth::Access;
use crate::decode::Decoded;
use crate::error::{Error, Result};
use crate::http::{Effect, Response, may_have_user_info};
use crate::text::{display_excerpt, truncate};

/// In bytes. Servers accept no longer URLs.
const MAX_URL_LEN: usize = 8192;

/// In characters. Longer than any path of the service.
const MAX_SHOWN_PATH: usize = 300;

/// The response to a request of the user's own, with any status.
pub struct CustomResponse {
    pub response: Response,
    /// The error for a status other than 2xx.
    pub error: Option<Error>,
}

impl Client {
    /// Sends a request of the user's own, with a JSON body. `url` must be below the endpoint.
    pub async fn send_custom(&self, method: Method, url: Url, body: Option<&str>) -> Result<CustomResponse> {
        let _spinner = self.show_spinner("Sending the request…");
        let action = format!("{method} {}", truncate(url.path(), MAX_SHOWN_PATH));
        let access = if method == Method::GET { Access::Read } else { Access::Write };
        let with_effect = |error: Error, effect: Effect| match (effect, access) {
            (Effect::Possible, Access::Write) => {
                error.with_detail("the service may or may not have applied the request")
            }
            _ => error,
        };
        let exchanged = self.exchange(method, url, body, &action, access).await;
        let (response, token) = exchanged.map_err(|failed| with_effect(failed.error, failed.effect))?;
        let error = (!response.status.is_success())
            .then(|| with_effect(self.status_error(&response, &token, &action, access), response.effect()));
        Ok(CustomResponse { response, error })
    }
}

/// Resolves a path below the endpoint, with or without a slash in front, or a URL below the endpoint. Fails with a usage
/// error for everything else: the request contains the token.
pub fn resolve_path(endpoint: &Url, path: &str) -> Result<Url> {
    let invalid = |reason: &str| {
        let shown = if may_have_user_info(path) { "the path" } else { &*format!("'{}'", display_excerpt(path)) };
        let hint = format!("use a path below {endpoint}, such as v1.0/policies");
        Err(Error::usage(format!("{shown} {reason}")).with_hint(hint))
    };
    if path.is_empty() || path.trim() != path || path.contains(|c: char| c.is_control() || c == '\\') {
        return invalid("is not a path");
    }
    // The parser of URLs resolves such segments, so look for them in the text.
    if has_dot_segment(path.split(['?', '#']).next().unwrap_or_default()) {
        return invalid("contains . or .. as a segment");
    }
    let base = endpoint.as_str().trim_end_matches('/');
    let url = match Url::parse(path) {
        Ok(url) => url.into(),
        Err(_) if path.starts_with("//") => return invalid("is not below the endpoint"),
        Err(_) => format!("{base}/{}", path.trim_start_matches('/')),
    };
    match resolve_next_link(endpoint, endpoint, &url) {
        Some(url) if url.fragment().is_some() => invalid("contains a fragment (#), which is not sent"),
        Some(url) if url.as_str().len() > MAX_URL_LEN => invalid("is too long"),
        Some(url) => Ok(url),
        None => invalid("is not below the endpoint"),
    }
}

/// Whether a path contains `.` or `..` as a segment, also if it is encoded, even repeatedly.
fn has_dot_segment(path: &str) -> bool {
    let has_segment = |path: &[u8]| {
        let mut segments = path.split(|byte| matches!(byte, b'/' | b'\\'));
        segments.any(|segment| matches!(segment, b"." | b".."))
    };
    let decoded = std::iter::successors(Decoded::from_text(path.as_bytes()), Decoded::decode_again);
    has_segment(path.as_bytes()) || decoded.into_iter().any(|decoded| has_segment(&decoded.bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(endpoint: &str, path: &str) -> Option<String> {
        resolve_path(&Url::parse(endpoint).expect("a URL"), path).ok().map(String::from)
    }

    #[test]
    fn path_below_endpoint_is_resolved() {
        for (endpoint, base) in
            [("https://x.example", "https://x.example"), ("https://x.example/base/", "https://x.example/base")]
        {
            for path in ["v1.0/policies?scope=a/../b", "/v1.0/policies?scope=a/../b"] {
                assert_eq!(resolve(endpoint, path), Some(format!("{base}/v1.0/policies?scope=a/../b")));
            }
            let url = format!("{base}/v1.0/a%20b");
            assert_eq!(resolve(endpoint, &url), Some(url.clone()));
        }
    }

    #[test]
    fn path_that_leaves_endpoint_is_refused() {
        for path in [
            "",
            " v1.0",
            "//evil.example/v1.0",
            "https://evil.example/base/v1.0",
            "http://x.example/base/v1.0",
            "https://x.example:444/base/v1.0",
            "https://a:b@x.example/base/v1.0",
            "https:x.example/other",
            "https://x.example/based",
            "javascript:alert(1)",
            "C:/Program Files/Git/v1.0",
            "../v1.0",
            "a/../v1.0",
            "a/%2e%2E/v1.0",
            "a/.%2e/v1.0",
            "a/%252e%252e/v1.0",
            "a%2f..%2fv1.0",
            "a%5c..%5cv1.0",
            "a\\..\\v1.0",
            "a/.\t./v1.0",
            "v1.0#fragment",
        ] {
            assert_eq!(resolve("https://x.example/base", path), None, "{path}");
        }
    }
}
