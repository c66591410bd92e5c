//! Choosing what to change from what is listed.

use crate::cli::{ScopeChoice, UpdateManyArgs};
use crate::commands::listing::Among;
use crate::commands::{Context, listing, suggest};
use crate::commerce::{ProductPolicy, is_sendable};
use crate::error::{Error, Result};
use crate::pattern::Pattern;
use crate::plan::{Desired, Wanted, unnamable};
use crate::text::{one_line, quoted_whole, shortened};

impl ScopeChoice {
    fn among(self) -> Among {
        match self {
            Self::Product => Among {
                kind: "product",
                list: "mscommerce products list",
                elsewhere: Some("offer types are chosen with --scope offer-type, both with --scope all"),
            },
            Self::OfferType => Among {
                kind: "offer type",
                list: "mscommerce products list --scope offer-type",
                elsewhere: Some("products are chosen without --scope, both with --scope all"),
            },
            Self::All => {
                Among { kind: "product or offer type", list: "mscommerce products list --scope all", elsewhere: None }
            }
        }
    }
}

/// What the command line chooses, and among what.
pub(super) struct Selection {
    chosen: Chosen,
    among: Among,
}

enum Chosen {
    Named(Vec<String>),
    All { except: Vec<String> },
    Pattern { pattern: Pattern, except: Vec<String> },
}

impl Selection {
    /// What is chosen, as far as the command line alone shows whether it can be.
    pub(super) fn new(args: &mut UpdateManyArgs) -> Result<Self> {
        for words in args.products.iter().chain(&args.except) {
            if !is_sendable(words.trim()) {
                return Err(Error::usage(format!("'{}' cannot be an id or a name", shown(words))));
            }
        }
        let except = std::mem::take(&mut args.except);
        let chosen = match args.name.take() {
            Some(pattern) => Chosen::Pattern { pattern, except },
            None if args.all => Chosen::All { except },
            None => Chosen::Named(std::mem::take(&mut args.products)),
        };
        Ok(Self { chosen, among: args.scope.among() })
    }

    /// Wants `wanted` of every item that is chosen, and nothing of the others.
    pub(super) fn desired(&self, listed: &[ProductPolicy], wanted: Wanted, context: &Context<'_>) -> Result<Desired> {
        let list = || context.settings.command(self.among.list);
        let chosen = match &self.chosen {
            Chosen::Named(words) => words
                .iter()
                .map(|words| listing::only_one(words, listed, &self.among, context))
                .collect::<Result<Vec<_>>>()?,
            Chosen::All { except } => self.without(except, listed.iter().collect(), context)?,
            Chosen::Pattern { pattern, except } => {
                let fits = |item: &&ProductPolicy| pattern.is_match(item.name.as_deref().unwrap_or_default());
                let fitting: Vec<_> = listed.iter().filter(fits).collect();
                if fitting.is_empty() {
                    return Err(Error::failed(format!(
                        "no name fits --name; nothing was changed ({} listed)",
                        listed.len()
                    ))
                    .hint(list()));
                }
                self.without(except, fitting, context)?
            }
        };
        if chosen.is_empty() {
            return Err(Error::failed("nothing is left to change: the selection is empty").hint(list()));
        }
        let mut desired = Desired::default();
        for item in chosen {
            let target = item.target().ok_or_else(|| {
                let name = item.name.as_deref().or(item.id.as_deref()).unwrap_or_default();
                unnamable(item).hint(format!("leave it out: --except {}", quoted_whole(name)))
            })?;
            desired.want(&target, wanted);
        }
        Ok(desired)
    }

    /// The items without the exceptions, each of which has to be one of them: one that is not is a slip of the pen.
    fn without<'i>(
        &self,
        except: &[String],
        items: Vec<&'i ProductPolicy>,
        context: &Context<'_>,
    ) -> Result<Vec<&'i ProductPolicy>> {
        for words in except {
            if !items.iter().any(|item| item.is_called(words)) {
                let why = format!("--except '{}' fits nothing that is selected; nothing was changed", shown(words));
                let error = suggest::with_nearest(Error::failed(why), words, items.iter().copied(), "name");
                return Err(error
                    .hints(suggest::renumbered(words, context.settings))
                    .hint(context.settings.command(self.among.list)));
            }
        }
        let is_excepted = |item: &ProductPolicy| except.iter().any(|words| item.is_called(words));
        Ok(items.into_iter().filter(|item| !is_excepted(item)).collect())
    }
}

fn shown(words: &str) -> String {
    shortened(&one_line(words), 80)
}
