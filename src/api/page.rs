//! The pages of a list.

use serde_json::Value;
use url::Url;

use crate::http::{Response, may_have_user_info};
use crate::text::{sanitize_line, truncate};

/// A page of a list, with the link to the next page.
pub struct Page<I> {
    pub items: Vec<I>,
    pub next: Option<String>,
}

impl<I> Page<I> {
    /// Parses a page. Returns `None` if the body is not a list or an item cannot be parsed.
    pub fn parse(response: &Response, parse_item: impl Fn(Value) -> Option<I>) -> Option<Self> {
        let mut body = response.json()?;
        let Some(Value::Array(items)) = body.get_mut("items").map(Value::take) else { return None };
        let items = items.into_iter().map(parse_item).collect::<Option<_>>()?;
        let links = ["nextLink", "@odata.nextLink"];
        let next = links.iter().find_map(|name| body.get(*name)?.as_str()).filter(|link| !link.is_empty());
        Some(Self { items, next: next.map(str::to_owned) })
    }
}

/// Resolves a next link relative to the page at `from`. Returns `None` for a link that is not below the endpoint, or has
/// a user name or password, which would be sent.
pub fn resolve_next_link(endpoint: &Url, from: &Url, link: &str) -> Option<Url> {
    let url = from.join(link).ok()?;
    let has_user = !url.username().is_empty() || url.password().is_some();
    let base = endpoint.path().trim_end_matches('/');
    let is_below = url.path().strip_prefix(base).is_some_and(|rest| rest.starts_with('/'));
    (url.origin() == endpoint.origin() && is_below && !has_user).then_some(url)
}

/// Formats a next link for messages, unless it may contain a password.
pub fn display_link(link: &str) -> String {
    if may_have_user_info(link) {
        return "(not shown: it may contain a password)".to_owned();
    }
    truncate(&sanitize_line(link), 300)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn next_link_outside_endpoint_is_rejected() {
        let parse = |url: &str| Url::parse(url).expect("a URL");
        let (endpoint, from) = (parse("https://service.example/"), parse("https://service.example/v1.0/policies?a=b"));
        let resolve = |link| resolve_next_link(&endpoint, &from, link).map(String::from);
        assert_eq!(resolve("?page=2").as_deref(), Some("https://service.example/v1.0/policies?page=2"));
        let outside = ["//evil.example/", "http://service.example/", "https://a:b@service.example/", "https://[", "a:"];
        for link in outside {
            assert_eq!(resolve(link), None, "{link}");
        }
        let (endpoint, from) = (parse("https://x.example/base"), parse("https://x.example/base/v1.0/policies"));
        let resolve = |link| resolve_next_link(&endpoint, &from, link).map(String::from);
        for link in ["?page=2", "/base/v2.0", "../v1.0/policies?page=2"] {
            assert!(resolve(link).is_some(), "{link}");
        }
        for link in ["/", "/baseline", "/base", "/other/base/", "../../other", "%2e%2e/%2E./other", "/base/../other"] {
            assert_eq!(resolve(link), None, "{link}");
        }
    }
}
