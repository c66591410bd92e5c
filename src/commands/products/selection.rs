//! Choosing what to change from what is listed.

use crate::api::{ProductPolicy, is_valid_segment};
use crate::cli::{ScopeArg, UpdateManyArgs};
use crate::commands::listing::LookupContext;
use crate::commands::{Context, listing, suggest};
use crate::error::{Error, Result};
use crate::pattern::Pattern;
use crate::plan::{Desired, Wanted, unnamable};
use crate::text::{display_excerpt, shell_quote};

impl ScopeArg {
    fn among(self) -> LookupContext {
        match self {
            Self::Product => LookupContext {
                kind: "product",
                list: "mscommerce products list",
                elsewhere: Some("offer types are chosen with --scope offer-type, both with --scope all"),
            },
            Self::OfferType => LookupContext {
                kind: "offer type",
                list: "mscommerce products list --scope offer-type",
                elsewhere: Some("products are chosen without --scope, both with --scope all"),
            },
            Self::All => LookupContext {
                kind: "product or offer type",
                list: "mscommerce products list --scope all",
                elsewhere: None,
            },
        }
    }
}

/// What the command line chooses, and among what.
pub struct Selection {
    chosen: Chosen,
    except: Vec<String>,
    among: LookupContext,
}

enum Chosen {
    Named(Vec<String>),
    All,
    Pattern(Pattern),
}

impl Selection {
    /// What is chosen, as far as the command line alone shows whether it can be.
    pub fn new(args: &mut UpdateManyArgs) -> Result<Self> {
        for words in args.products.iter().chain(&args.except) {
            if !is_valid_segment(words.trim()) {
                return Err(Error::usage(format!("'{}' cannot be an id or a name", display_excerpt(words))));
            }
        }
        let chosen = match args.name.take() {
            Some(pattern) => Chosen::Pattern(pattern),
            None if args.all => Chosen::All,
            None => Chosen::Named(std::mem::take(&mut args.products)),
        };
        Ok(Self { chosen, except: std::mem::take(&mut args.except), among: args.scope.among() })
    }

    /// Wants `wanted` of every item that is chosen, and nothing of the others.
    pub fn desired(&self, listed: &[ProductPolicy], wanted: Wanted, context: &Context<'_>) -> Result<Desired> {
        let list = || context.settings.command(self.among.list);
        let chosen = match &self.chosen {
            Chosen::Named(words) => words
                .iter()
                .map(|words| listing::only_one(words, listed, &self.among, context))
                .collect::<Result<Vec<_>>>()?,
            Chosen::All => listed.iter().collect(),
            Chosen::Pattern(pattern) => {
                let fits = |item: &&ProductPolicy| pattern.is_match(item.name.as_deref().unwrap_or_default());
                let fitting: Vec<_> = listed.iter().filter(fits).collect();
                if fitting.is_empty() {
                    return Err(Error::failed(format!(
                        "no name fits --name; nothing was changed ({} listed)",
                        listed.len()
                    ))
                    .with_hint(list()));
                }
                fitting
            }
        };
        let chosen = self.without_exceptions(chosen, context)?;
        if chosen.is_empty() {
            return Err(Error::failed("nothing is left to change: the selection is empty").with_hint(list()));
        }
        let mut desired = Desired::default();
        for item in chosen {
            let target = item.target().ok_or_else(|| {
                let name = item.name.as_deref().or(item.id.as_deref()).unwrap_or_default();
                unnamable(item).with_hint(format!("leave it out: --except {}", shell_quote(name)))
            })?;
            desired.want(&target, wanted);
        }
        Ok(desired)
    }

    /// The items without the exceptions, each of which has to be one of them: one that is not is a slip of the pen.
    fn without_exceptions<'i>(
        &self,
        items: Vec<&'i ProductPolicy>,
        context: &Context<'_>,
    ) -> Result<Vec<&'i ProductPolicy>> {
        for words in &self.except {
            if !items.iter().any(|item| item.matches_id_or_name(words)) {
                let why =
                    format!("--except '{}' fits nothing that is selected; nothing was changed", display_excerpt(words));
                let error = suggest::with_nearest(Error::failed(why), words, items.iter().copied(), "name");
                return Err(error
                    .with_hints(suggest::renumbered(words, context.settings))
                    .with_hint(context.settings.command(self.among.list)));
            }
        }
        let is_excepted = |item: &ProductPolicy| self.except.iter().any(|words| item.matches_id_or_name(words));
        Ok(items.into_iter().filter(|item| !is_excepted(item)).collect())
    }
}
