//! `products list`.

use regex_lite::{Regex, RegexBuilder};

use super::{Context, Endpoint, Outcome, suggest};
use crate::cli::{ListArgs, ProductsCommand, ScopeChoice};
use crate::commerce::{ProductPolicy, Scope};
use crate::error::Result;
use crate::output::Output;

/// Which names are meant: those that contain a text, or that fit a regular expression; case does not matter.
#[derive(Clone, Debug)]
pub(crate) enum Pattern {
    /// In lower case.
    Contains(String),
    Fits(Regex),
}

impl Pattern {
    /// Reads `text` or `/regular expression/`.
    pub(crate) fn parse(pattern: &str) -> std::result::Result<Self, String> {
        let expression = pattern.strip_prefix('/').and_then(|rest| rest.strip_suffix('/'));
        match expression {
            Some(expression) => RegexBuilder::new(expression)
                .case_insensitive(true)
                .build()
                .map(Self::Fits)
                .map_err(|error| format!("no regular expression: {error}")),
            None if pattern.is_empty() => Err("the pattern is empty".to_owned()),
            None => Ok(Self::Contains(pattern.to_lowercase())),
        }
    }

    fn is_match(&self, name: &str) -> bool {
        match self {
            Self::Contains(text) => name.to_lowercase().contains(text),
            Self::Fits(expression) => expression.is_match(name),
        }
    }
}

impl ScopeChoice {
    fn scopes(self) -> &'static [Scope] {
        match self {
            Self::Product => &[Scope::Product],
            Self::OfferType => &[Scope::OfferType],
            Self::All => &[Scope::Product, Scope::OfferType],
        }
    }
}

pub(super) async fn run(command: ProductsCommand, context: &Context<'_>) -> Result<Outcome> {
    match command {
        ProductsCommand::List(args) => list(&args, context).await,
    }
}

async fn list(args: &ListArgs, context: &Context<'_>) -> Result<Outcome> {
    let found = context
        .with_endpoint(&context.settings.policy_id, async |endpoint| match read(endpoint, args.scope.scopes()).await {
            Ok(items) => Ok(items),
            Err(error) => Err(suggest::policies(endpoint, error).await),
        })
        .await?;
    let total = found.len();
    let items: Vec<ProductPolicy> = found.into_iter().filter(|item| is_wanted(item, args)).collect();
    if items.is_empty() {
        context.terminal.note(&match total {
            0 => "The service lists nothing here.".to_owned(),
            total => format!("None of the {total} listed fits."),
        });
    }
    Ok(Output::many(items).into())
}

async fn read(endpoint: &Endpoint<'_>, scopes: &[Scope]) -> Result<Vec<ProductPolicy>> {
    let mut items = Vec::new();
    for scope in scopes {
        items.extend(endpoint.products(scope).await?);
    }
    Ok(items)
}

fn is_wanted(item: &ProductPolicy, args: &ListArgs) -> bool {
    let name_fits = args.name.as_ref().is_none_or(|pattern| pattern.is_match(item.name.as_deref().unwrap_or_default()));
    name_fits && args.value.is_none_or(|value| value.is(item.value.as_deref()))
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
        assert!(fits("/", "a/b"));
        assert!(Pattern::parse("/(/").is_err());
        assert!(Pattern::parse("").is_err());
    }
}
