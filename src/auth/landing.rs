//! The page that the browser shows when the sign-in has ended: what happened, and what to do next. It loads
//! nothing, runs nothing, and is not kept.

use crate::error::Error;
use crate::text;

/// What a landing page tells.
#[derive(Debug)]
pub struct Page {
    is_good: bool,
    title: String,
    paragraphs: Vec<String>,
    facts: Vec<(&'static str, String)>,
}

impl Page {
    /// The sign-in succeeded.
    pub fn success(account: &str, tenant: &str) -> Self {
        Self {
            is_good: true,
            title: "You are signed in".into(),
            paragraphs: vec!["You can close this window and go back to the terminal.".into()],
            facts: vec![("Account", account.into()), ("Tenant", tenant.into())],
        }
    }

    /// The sign-in failed; nothing was saved.
    pub fn failure(error: &Error) -> Self {
        let details = error.details().map(str::to_owned);
        Self {
            is_good: false,
            title: "You are not signed in".into(),
            paragraphs: std::iter::once(error.message())
                .chain(details)
                .chain(["Nothing was saved. The terminal says what to do next.".into()])
                .collect(),
            facts: Vec::new(),
        }
    }

    /// A request that does not belong to this sign-in, which goes on.
    pub fn unexpected() -> Self {
        Self {
            is_good: false,
            title: "This answer does not belong to the sign-in".into(),
            paragraphs: vec![
                "It was ignored, and mscommerce is still waiting.".into(),
                "Open the address that the terminal shows, and sign in there.".into(),
            ],
            facts: Vec::new(),
        }
    }

    pub fn html(&self) -> String {
        let (tint, mark) = if self.is_good { ("good", "M5 13l4 4L19 7") } else { ("bad", "M7 7l10 10M17 7L7 17") };
        let title = escaped(&self.title);
        let paragraphs: String = self.paragraphs.iter().map(|text| format!("<p>{}</p>\n", escaped(text))).collect();
        let facts: String =
            self.facts.iter().map(|(name, value)| format!("<dt>{name}</dt><dd>{}</dd>\n", escaped(value))).collect();
        let facts = if facts.is_empty() { facts } else { format!("<dl>\n{facts}</dl>\n") };
        format!(
            r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} – mscommerce</title>
<style>{STYLE}</style>
</head>
<body>
<main class="{tint}">
<svg viewBox="0 0 24 24" width="40" height="40" fill="none" stroke="currentColor" stroke-width="2.5" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><path d="{mark}"/></svg>
<h1>{title}</h1>
{facts}{paragraphs}<footer>mscommerce</footer>
</main>
</body>
</html>
"#
        )
    }
}

const STYLE: &str = "
:root{color-scheme:light dark;--ground:#f3f5f8;--card:#fff;--ink:#1b1f24;--soft:#59636e;--line:#dde2e8;--good:#1a7f37;--bad:#b42318}
@media (prefers-color-scheme:dark){:root{--ground:#0d1117;--card:#161b22;--ink:#e6edf3;--soft:#9198a1;--line:#30363d;--good:#3fb950;--bad:#ff7b72}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1.5rem;background:var(--ground);color:var(--ink);font:1rem/1.55 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif}
main{width:100%;max-width:30rem;padding:2.25rem;background:var(--card);border:1px solid var(--line);border-radius:14px;overflow-wrap:anywhere}
.good svg{color:var(--good)}.bad svg{color:var(--bad)}
h1{margin:.75rem 0 1rem;font-size:1.4rem;line-height:1.25}
p{margin:.5rem 0}
dl{display:grid;grid-template-columns:auto 1fr;gap:.25rem 1rem;margin:0 0 1rem;padding:.75rem 0;border-block:1px solid var(--line)}
dt{color:var(--soft)}dd{margin:0}
footer{margin-top:1.5rem;color:var(--soft);font-size:.875rem}
";

/// Every value on the page comes from elsewhere and is shown as text.
fn escaped(value: &str) -> String {
    let mut html = String::new();
    for character in text::sanitize_line(value).chars() {
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
    fn values_are_shown_as_text() {
        let html = Page::success("<script>alert(1)</script>", "\"t\" & 'u'").html();
        assert!(!html.contains("<script>"), "{html}");
        assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "{html}");
        assert!(html.contains("&quot;t&quot; &amp; &#39;u&#39;"), "{html}");
    }
}
