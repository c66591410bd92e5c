//! Choosing what to change from what is listed.

use crate::cli::UpdateManyArgs;
use crate::commands::{Context, listing, suggest};
use crate::commerce::{ProductPolicy, is_sendable};
use crate::error::{Error, Result};
use crate::pattern::Pattern;
use crate::plan::{Desired, Wanted, unnamable};
use crate::text::{one_line, shortened};

/// Where else what is not found may be.
const OTHER_SCOPE: &str = "offer types are chosen with --scope offer-type, both with --scope all";

/// What the command line chooses.
pub(super) enum Selection {
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
        Ok(match args.name.take() {
            Some(pattern) => Self::Pattern { pattern, except },
            None if args.all => Self::All { except },
            None => Self::Named(std::mem::take(&mut args.products)),
        })
    }

    /// Wants `wanted` of every item that is chosen, and nothing of the others.
    pub(super) fn desired(&self, listed: &[ProductPolicy], wanted: Wanted, context: &Context<'_>) -> Result<Desired> {
        let chosen = match self {
            Self::Named(words) => words
                .iter()
                .map(|words| listing::only_one(words, listed, OTHER_SCOPE, context))
                .collect::<Result<Vec<_>>>()?,
            Self::All { except } => without(except, listed.iter().collect())?,
            Self::Pattern { pattern, except } => {
                let fits = |item: &&ProductPolicy| pattern.is_match(item.name.as_deref().unwrap_or_default());
                let fitting: Vec<_> = listed.iter().filter(fits).collect();
                if fitting.is_empty() {
                    return Err(Error::failed(format!(
                        "no name fits --name; nothing was changed ({} listed)",
                        listed.len()
                    ))
                    .hint(context.settings.command("mscommerce products list --scope all")));
                }
                without(except, fitting)?
            }
        };
        if chosen.is_empty() {
            return Err(Error::failed("nothing is left to change: the selection is empty")
                .hint(context.settings.command("mscommerce products list --scope all")));
        }
        let mut desired = Desired::default();
        for item in chosen {
            let target = item.target().ok_or_else(|| unnamable(item))?;
            desired.want(&target, wanted);
        }
        Ok(desired)
    }
}

/// The items without the exceptions, each of which has to be one of them: one that is not is a slip of the pen.
fn without<'i>(except: &[String], items: Vec<&'i ProductPolicy>) -> Result<Vec<&'i ProductPolicy>> {
    for words in except {
        if !items.iter().any(|item| listing::is_called(item, words)) {
            let why = format!("--except '{}' fits nothing that is selected; nothing was changed", shown(words));
            return Err(suggest::with_nearest(Error::failed(why), words, items.iter().copied(), "name"));
        }
    }
    let is_excepted = |item: &ProductPolicy| except.iter().any(|words| listing::is_called(item, words));
    Ok(items.into_iter().filter(|item| !is_excepted(item)).collect())
}

fn shown(words: &str) -> String {
    shortened(&one_line(words), 80)
}
