//! The page that the browser shows after the sign-in. It loads no resources, runs no scripts and is not cached.

use crate::error::Error;
use crate::text::sanitize_line;

/// The HTML template, with the placeholders `{title}`, `{class}`, `{mark}` and `{content}`.
const TEMPLATE: &str = include_str!("landing.html");

/// The content of the landing page.
#[derive(Debug)]
pub struct Page {
    is_success: bool,
    title: &'static str,
    facts: Vec<(&'static str, String)>,
    paragraphs: Vec<String>,
}

impl Page {
    /// The page for a successful sign-in.
    pub fn success(account: &str, tenant: &str) -> Self {
        Self {
            is_success: true,
            title: "You are signed in",
            facts: vec![("Account", account.to_owned()), ("Tenant", tenant.to_owned())],
            paragraphs: vec!["You can close this window and return to the terminal.".to_owned()],
        }
    }

    /// The page for a failed sign-in, after which nothing was saved.
    pub fn failure(error: &Error) -> Self {
        let mut paragraphs = vec![error.message()];
        paragraphs.extend(error.details().map(str::to_owned));
        paragraphs.push("Nothing was saved. See the terminal for the next steps.".to_owned());
        Self { is_success: false, title: "Sign-in failed", facts: Vec::new(), paragraphs }
    }

    /// The page for a request that does not belong to this sign-in. The sign-in continues.
    pub fn unexpected() -> Self {
        Self {
            is_success: false,
            title: "This response does not belong to the current sign-in",
            facts: Vec::new(),
            paragraphs: vec![
                "It was ignored. mscommerce is still waiting.".to_owned(),
                "Open the URL shown in the terminal and sign in there.".to_owned(),
            ],
        }
    }

    /// Renders the page, with all values escaped.
    pub fn html(&self) -> String {
        let (class, mark) = if self.is_success { ("good", "M5 13l4 4L19 7") } else { ("bad", "M7 7l10 10M17 7L7 17") };
        let facts: String =
            self.facts.iter().map(|(name, value)| format!("<dt>{name}</dt><dd>{}</dd>\n", escape(value))).collect();
        let facts = if facts.is_empty() { facts } else { format!("<dl>\n{facts}</dl>\n") };
        let paragraphs: String = self.paragraphs.iter().map(|text| format!("<p>{}</p>\n", escape(text))).collect();
        TEMPLATE
            .replace("{title}", self.title)
            .replace("{class}", class)
            .replace("{mark}", mark)
            .replace("{content}", &(facts + &paragraphs))
    }
}

/// Escapes untrusted text for HTML.
fn escape(value: &str) -> String {
    let mut html = String::new();
    for character in sanitize_line(value).chars() {
        match character {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            other => html.push(other),
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_escaped() {
        let html = Page::success("<script>alert(1)</script>", "\"t\" & 'u'").html();
        assert!(!html.contains("<script>"), "{html}");
        assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "{html}");
        assert!(html.contains("&quot;t&quot; &amp; &#39;u&#39;"), "{html}");
    }

    #[test]
    fn placeholders_in_values_are_not_replaced() {
        let html = Page::success("{mark}{content}", "{title}").html();
        assert!(html.contains("<dd>{mark}{content}</dd>") && html.contains("<dd>{title}</dd>"), "{html}");
    }
}
