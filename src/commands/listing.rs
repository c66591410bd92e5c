//! Reading what the tenant has, and finding things in it.

use futures_util::future::join_all;

use super::{Context, Endpoint, suggest};
use crate::api::{ProductPolicy, Scope};
use crate::cli::ScopeArg;
use crate::error::{Error, Result};
use crate::text::truncate;

impl ScopeArg {
    /// The scopes to list.
    pub fn scopes(self) -> &'static [Scope] {
        match self {
            Self::Product => &[Scope::Product],
            Self::OfferType => &[Scope::OfferType],
            Self::All => &[Scope::Product, Scope::OfferType],
        }
    }
}

/// Lists these scopes, in their order, with one request for each side by side.
pub async fn read(scopes: &[Scope], endpoint: &Endpoint<'_>, context: &Context<'_>) -> Result<Vec<ProductPolicy>> {
    // Both are read to their end even where one fails, for the other may be just renewing the sign-in.
    let lists = join_all(scopes.iter().map(|scope| endpoint.products(*scope))).await;
    match lists.into_iter().collect::<Result<Vec<_>>>() {
        Ok(lists) => Ok(lists.into_iter().flatten().collect()),
        Err(error) => Err(suggest::policies(endpoint, error, context.settings).await),
    }
}

/// Which things are chosen among, for what is said where one is missing.
pub struct LookupContext {
    /// One of them, in words.
    pub kind: &'static str,
    /// The command that lists them.
    pub list: &'static str,
    /// Where else it may be.
    pub elsewhere: Option<&'static str>,
}

/// The one item whose id or name is `words`.
pub fn only_one<'i>(
    words: &str,
    items: &'i [ProductPolicy],
    among: &LookupContext,
    context: &Context<'_>,
) -> Result<&'i ProductPolicy> {
    let fitting: Vec<&ProductPolicy> = items.iter().filter(|item| item.matches_id_or_name(words)).collect();
    // The service may list a thing twice.
    let is_same = |one: &ProductPolicy, other: &ProductPolicy| match (one.target(), other.target()) {
        (Some(one), Some(other)) => one == other,
        _ => false,
    };
    match fitting.as_slice() {
        [only] => Ok(only),
        [] => Err(suggest::missing(words, items, among, context.settings)),
        [first, others @ ..] if others.iter().all(|other| is_same(first, other)) => Ok(first),
        several => {
            let labels: Vec<String> = several.iter().map(|item| item.label()).collect();
            let words = truncate(words, 80);
            Err(Error::failed(format!("'{words}' fits {} {}s; nothing was done", several.len(), among.kind))
                .with_detail(labels.join("\n"))
                .with_hint("name one of them by its id"))
        }
    }
}
