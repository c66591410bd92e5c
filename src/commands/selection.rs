//! Selects one product or offer type, or the listed ones that an update changes.

use clap::ValueEnum;

use super::lookup::{self, LookupContext};
use super::tenants::TenantClient;
use crate::api::{ProductPolicy, Scope, Target, is_product_id, is_valid_segment};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::pattern::Pattern;
use crate::plan::{Desired, Wanted, unaddressable};
use crate::text::{comparison_key, display_excerpt, remove_invisible, shell_quote};

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
                alternative: Some("use --offer-type TYPE for an offer type, such as SaaS"),
            },
            Self::OfferType => LookupContext {
                kind: Scope::OfferType.label(),
                list: lookup::list_command(Scope::OfferType),
                alternative: Some("omit --scope to select products, or use --scope all to select both"),
            },
            Self::All => LookupContext {
                kind: "product or offer type",
                list: "mscommerce product list --scope all",
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
                return Err(Error::usage(format!("'{}' is not a valid ID or name", display_excerpt(text))));
            }
        }
        for text in named {
            lookup::check_not_joined(text, |ids| format!("use {}", ids.join(" ")))?;
        }
        for text in &except {
            lookup::check_not_joined(text, |ids| format!("use --except {}", ids.join(" --except ")))?;
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
                    return Err(Error::failed(format!(
                        "no {} match '{pattern}' ({count} checked); nothing was changed",
                        lookup::plural(self.lookup.kind)
                    ))
                    .with_hints(pattern.glob_hint().map(str::to_owned))
                    .with_hint(list()));
                }
                selected
            }
        };
        let selected = self.exclude(selected, context)?;
        if selected.is_empty() {
            return Err(Error::failed("nothing to change: the selection is empty").with_hint(list()));
        }
        let mut desired = Desired::default();
        for item in selected {
            let target = item.target().ok_or_else(|| {
                let name = item.name.as_deref().or(item.id.as_deref()).unwrap_or_default();
                unaddressable(item).with_hint(format!("exclude it: --except {}", shell_quote(name)))
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
                Error::failed(format!("--except '{excerpt}' does not match the selection; nothing was changed"));
            lookup::with_suggestions(error, text, items.iter().copied(), "name")
                .with_hints(lookup::renumbered_hint(text, context))
                .with_hint(context.command(self.lookup.list))
        });
        lookup::combine_errors(errors.collect(), self.except.len(), "exception")?;
        let is_excepted = |item: &ProductPolicy| self.except.iter().any(|text| item.matches_id_or_name(text));
        Ok(items.into_iter().filter(|item| !is_excepted(item)).collect())
    }
}

/// The product or offer type on the command line.
pub enum TargetArg {
    /// An ID in the spelling of the service.
    Id(Target),
    /// A name, or an ID in another spelling. Needs a lookup in the list of the scope.
    Text(String, ScopeArg),
}

impl TargetArg {
    /// An offer type by its ID. `several` is the command that takes several IDs, for a hint.
    pub fn offer_type(text: &str, several: impl Fn(&[&str]) -> String, context: &Context) -> Result<Self> {
        let text = check_target(text, Scope::OfferType, several, context)?;
        Ok(Self::Id(Target::new(Scope::OfferType, text)))
    }

    /// A product by its ID or name, or an item of `scope`.
    pub fn product(
        text: &str,
        scope: ScopeArg,
        several: impl Fn(&[&str]) -> String,
        context: &Context,
    ) -> Result<Self> {
        let text = check_target(text, Scope::Product, several, context)?;
        let is_id = scope == ScopeArg::Product && is_product_id(&text);
        Ok(if is_id { Self::Id(Target::new(Scope::Product, text)) } else { Self::Text(text, scope) })
    }

    /// Fetches the current value with one request.
    pub async fn read(&self, tenant: &TenantClient) -> Result<(Target, ProductPolicy)> {
        let (api, context) = (&tenant.api, &tenant.context);
        match self {
            Self::Id(target) => match api.get(target).await {
                // Use the service's spelling of the ID from here on.
                Ok(item) => Ok((item.target().filter(|own| own == target).unwrap_or_else(|| target.clone()), item)),
                Err(error) => Err(lookup::explain_unknown_target(api, target, error, context).await),
            },
            Self::Text(text, scope) => {
                let items = lookup::list(scope.scopes(), api, context).await?;
                let item = lookup::find_unique(text, &items, &scope.lookup_context(), context)?;
                let target = item.target().ok_or_else(|| unaddressable(item))?;
                Ok((target, item.clone()))
            }
        }
    }
}

/// The text of a target without invisible characters. Fails with a usage error if it cannot be an ID or a name.
fn check_target(text: &str, scope: Scope, several: impl Fn(&[&str]) -> String, context: &Context) -> Result<String> {
    let text = remove_invisible(text).trim().to_owned();
    lookup::check_not_joined(&text, |ids| context.command(&several(ids)))?;
    if !is_valid_segment(&text) {
        let kind = match scope {
            Scope::OfferType => "an offer type",
            Scope::Product => "the ID or name of a product",
        };
        let error = Error::usage(format!("'{}' is not {kind}", display_excerpt(&text)));
        return Err(error.with_hint(context.command(lookup::list_command(scope))));
    }
    Ok(text)
}
