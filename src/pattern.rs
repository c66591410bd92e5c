//! Patterns for product names.

use regex_lite::{Regex, RegexBuilder};

/// A case-insensitive substring or regular expression.
#[derive(Clone, Debug)]
pub enum Pattern {
    /// The substring in lower case.
    Contains(String),
    Regex(Regex),
}

impl Pattern {
    /// Parses `text` or `/regular expression/`. The error is a message for the user.
    pub fn parse(pattern: &str) -> Result<Self, String> {
        let expression = pattern.strip_prefix('/').and_then(|rest| rest.strip_suffix('/'));
        match expression {
            Some("") => Err("the expression is empty, so everything would fit it".to_owned()),
            Some(expression) => RegexBuilder::new(expression)
                .case_insensitive(true)
                .build()
                .map(Self::Regex)
                .map_err(|error| format!("no regular expression: {error}")),
            None if pattern.is_empty() => Err("the pattern is empty".to_owned()),
            None => Ok(Self::Contains(pattern.to_lowercase())),
        }
    }

    pub fn is_match(&self, name: &str) -> bool {
        match self {
            Self::Contains(text) => name.to_lowercase().contains(text),
            // regex-lite supports case-insensitive matching only for ASCII letters.
            Self::Regex(regex) => {
                [name, &name.to_lowercase(), &name.to_uppercase()].into_iter().any(|name| regex.is_match(name))
            }
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
        assert!(matches("/", "a/b"));
        assert!(Pattern::parse("/(/").is_err());
        assert!(Pattern::parse("").is_err() && Pattern::parse("//").is_err());
    }
}
