//! Selects the listed products that an update changes.

use clap::ValueEnum;

use super::lookup::{self, LookupContext};
use crate::api::{ProductPolicy, Scope, is_valid_segment};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::pattern::Pattern;
use crate::plan::{Desired, Wanted, unaddressable};
use crate::text::{comparison_key, display_excerpt, shell_quote};

/// Products, offer types, or both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ScopeArg {
    /// Microsoft's products.
    #[default]
    Product,
    /// Kinds of offers of other sellers.
    #[value(alias = "offertype")]
    OfferType,
    /// Both.
    All,
}

impl ScopeArg {
    /// The scopes to list.
    pub fn scopes(self) -> &'static [Scope] {
        match self {
            Self::Product => &[Scope::Product],
            Self::OfferType => &[Scope::OfferType],
            Self::All => &Scope::ALL,
        }
    }

    fn lookup_context(self) -> LookupContext {
        match self {
            Self::Product => LookupContext {
                kind: Scope::Product.label(),
                list: lookup::list_command(Scope::Product),
                alternative: Some("offer types are chosen with --scope offer-type, both with --scope all"),
            },
            Self::OfferType => LookupContext {
                kind: Scope::OfferType.label(),
                list: lookup::list_command(Scope::OfferType),
                alternative: Some("products are chosen without --scope, both with --scope all"),
            },
            Self::All => LookupContext {
                kind: "product or offer type",
                list: "mscommerce products list --scope all",
                alternative: None,
            },
        }
    }
}

/// The products that the command line selects.
pub struct Selection {
    kind: SelectionKind,
    except: Vec<String>,
    lookup: LookupContext,
}

/// How products are selected.
pub enum SelectionKind {
    /// By IDs or exact names.
    Named(Vec<String>),
    All,
    /// By a name pattern.
    Pattern(Pattern),
}

impl Selection {
    /// Fails with a usage error if an ID or name is invalid.
    pub fn new(kind: SelectionKind, except: Vec<String>, scope: ScopeArg) -> Result<Self> {
        let named = if let SelectionKind::Named(texts) = &kind { texts.as_slice() } else { &[] };
        for text in named.iter().chain(&except) {
            if !is_valid_segment(text.trim()) || comparison_key(text).is_empty() {
                return Err(Error::usage(format!("'{}' cannot be an id or a name", display_excerpt(text))));
            }
        }
        for text in named {
            lookup::check_not_joined(text, |ids| format!("write {}", ids.join(" ")))?;
        }
        for text in &except {
            lookup::check_not_joined(text, |ids| format!("write --except {}", ids.join(" --except ")))?;
        }
        Ok(Self { kind, except, lookup: scope.lookup_context() })
    }

    /// The desired state: `wanted` for every selected item, no change for the others.
    pub fn to_desired(&self, listed: &[ProductPolicy], wanted: Wanted, context: &Context) -> Result<Desired> {
        let list = || context.command(self.lookup.list);
        let selected = match &self.kind {
            SelectionKind::Named(texts) => lookup::find_all(texts, listed, &self.lookup, context)?,
            SelectionKind::All => listed.iter().collect(),
            SelectionKind::Pattern(pattern) => {
                let matches = |item: &&ProductPolicy| pattern.is_match(item.name.as_deref().unwrap_or_default());
                let selected: Vec<_> = listed.iter().filter(matches).collect();
                if selected.is_empty() {
                    let count = listed.len();
                    return Err(Error::failed(format!("no name fits --name; nothing was changed ({count} listed)"))
                        .with_hints(pattern.glob_hint().map(str::to_owned))
                        .with_hint(list()));
                }
                selected
            }
        };
        let selected = self.exclude(selected, context)?;
        if selected.is_empty() {
            return Err(Error::failed("nothing is left to change: the selection is empty").with_hint(list()));
        }
        let mut desired = Desired::default();
        for item in selected {
            let target = item.target().ok_or_else(|| {
                let name = item.name.as_deref().or(item.id.as_deref()).unwrap_or_default();
                unaddressable(item).with_hint(format!("leave it out: --except {}", shell_quote(name)))
            })?;
            desired.insert(target, wanted);
        }
        Ok(desired)
    }

    /// Removes the items of `--except`. Fails if an exception matches no item.
    fn exclude<'i>(&self, items: Vec<&'i ProductPolicy>, context: &Context) -> Result<Vec<&'i ProductPolicy>> {
        let unmatched = self.except.iter().filter(|text| !items.iter().any(|item| item.matches_id_or_name(text)));
        let errors = unmatched.map(|text| {
            let excerpt = display_excerpt(text);
            let error =
                Error::failed(format!("--except '{excerpt}' fits nothing that is selected; nothing was changed"));
            lookup::with_suggestions(error, text, items.iter().copied(), "name")
                .with_hints(lookup::renumbered_hint(text, context))
                .with_hint(context.command(self.lookup.list))
        });
        lookup::combine_errors(errors.collect(), self.except.len(), "exception")?;
        let is_excepted = |item: &ProductPolicy| self.except.iter().any(|text| item.matches_id_or_name(text));
        Ok(items.into_iter().filter(|item| !is_excepted(item)).collect())
    }
}
