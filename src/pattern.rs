//! Choosing products by their names.

use regex_lite::{Regex, RegexBuilder};

/// Which names are meant: those that contain a text, or that fit a regular expression; case does not matter.
#[derive(Clone, Debug)]
pub enum Pattern {
    /// In lower case.
    Contains(String),
    Fits(Regex),
}

impl Pattern {
    /// Reads `text` or `/regular expression/`.
    pub fn parse(pattern: &str) -> Result<Self, String> {
        let expression = pattern.strip_prefix('/').and_then(|rest| rest.strip_suffix('/'));
        match expression {
            Some("") => Err("the expression is empty, so everything would fit it".to_owned()),
            Some(expression) => RegexBuilder::new(expression)
                .case_insensitive(true)
                .build()
                .map(Self::Fits)
                .map_err(|error| format!("no regular expression: {error}")),
            None if pattern.is_empty() => Err("the pattern is empty".to_owned()),
            None => Ok(Self::Contains(pattern.to_lowercase())),
        }
    }

    /// Whether a name is meant.
    pub fn is_match(&self, name: &str) -> bool {
        match self {
            Self::Contains(text) => name.to_lowercase().contains(text),
            // The library folds the case of ASCII letters alone.
            Self::Fits(expression) => {
                [name, &name.to_lowercase(), &name.to_uppercase()].into_iter().any(|name| expression.is_match(name))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_a_text_or_a_regular_expression_without_regard_to_case() {
        let fits = |pattern: &str, name: &str| Pattern::parse(pattern).expect("a pattern").is_match(name);
        assert!(fits("bi PRO", "Power BI Pro"));
        assert!(fits("ÄPFEL", "äpfel"));
        assert!(!fits("power.*pro", "Power BI Pro"));
        assert!(fits("/^power.*pro$/", "Power BI Pro"));
        assert!(fits("/äp.el/", "Äpfel") && fits("/ÄPFEL/", "äpfel"));
        assert!(fits("/", "a/b"));
        assert!(Pattern::parse("/(/").is_err());
        assert!(Pattern::parse("").is_err() && Pattern::parse("//").is_err());
    }
}
