//! Patterns for product names.

use std::fmt;

use regex_lite::{Regex, RegexBuilder};

use crate::text::{collapse_whitespace, comparison_key, display_excerpt};

/// A case-insensitive substring or regular expression. Runs of white space and invisible characters do not count.
#[derive(Clone, Debug)]
pub struct Pattern {
    /// The pattern as the user spells it.
    text: String,
    matcher: Matcher,
}

#[derive(Clone, Debug)]
enum Matcher {
    /// The substring as [`comparison_key`].
    Contains(String),
    Regex(Regex),
}

impl fmt::Display for Pattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&display_excerpt(&self.text))
    }
}

impl Pattern {
    /// Parses `text` or `/regular expression/`. The error is a message for the user.
    pub fn parse(pattern: &str) -> Result<Self, String> {
        let text = collapse_whitespace(pattern);
        let text = text.trim();
        let matcher = match text.strip_prefix('/') {
            None => Matcher::Contains(comparison_key(text)),
            Some(rest) => match rest.strip_suffix('/') {
                None => return Err("a regular expression must end with /".to_owned()),
                Some("") => return Err("the regular expression is empty and would match everything".to_owned()),
                Some(expression) => RegexBuilder::new(expression)
                    .case_insensitive(true)
                    .build()
                    .map(Matcher::Regex)
                    .map_err(|error| format!("invalid regular expression: {error}"))?,
            },
        };
        if matches!(&matcher, Matcher::Contains(text) if text.is_empty()) {
            return Err("the pattern is empty".to_owned());
        }
        Ok(Self { text: pattern.to_owned(), matcher })
    }

    pub fn is_match(&self, name: &str) -> bool {
        let name = collapse_whitespace(name);
        let name = name.trim();
        match &self.matcher {
            Matcher::Contains(text) => name.to_lowercase().contains(text),
            // regex-lite supports case-insensitive matching only for ASCII letters.
            Matcher::Regex(regex) => {
                [name, &name.to_lowercase(), &name.to_uppercase()].into_iter().any(|name| regex.is_match(name))
            }
        }
    }

    /// A hint if the pattern looks like a glob of a shell.
    pub fn glob_hint(&self) -> Option<&'static str> {
        match &self.matcher {
            Matcher::Contains(text) if text.contains(['*', '?']) => Some(
                "use part of the name, or a regular expression such as '/^Power.*Pro$/'; * and ? are not wildcards in --name",
            ),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pattern_is_substring_or_regex_ignoring_case() {
        let matches = |pattern: &str, name: &str| Pattern::parse(pattern).expect("a pattern").is_match(name);
        assert!(matches("bi PRO", "Power BI Pro"));
        assert!(matches("ÄPFEL", "äpfel"));
        assert!(!matches("power.*pro", "Power BI Pro"));
        assert!(matches("/^power.*pro$/", "Power BI Pro"));
        assert!(matches("/äp.el/", "Äpfel") && matches("/ÄPFEL/", "äpfel"));
        assert!(matches("a/", "a/b"));
        assert!(
            matches(" bi\u{a0} pro\u{200b}", "Power\u{a0}BI\u{a0}Pro")
                && matches("/^visio plan 1$/", "\u{feff}Visio\u{a0} Plan 1 ")
        );
        for unclosed in ["/", "/[", "/visio", " /visio"] {
            assert!(Pattern::parse(unclosed).is_err(), "{unclosed}");
        }
        assert!(Pattern::parse("/(/").is_err() && Pattern::parse(" \u{200b}").is_err());
        assert!(Pattern::parse("").is_err() && Pattern::parse("//").is_err());
    }
}
