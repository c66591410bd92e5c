//! The baseline: a tenant's settings as they should be, in a file that people keep and review.

mod document;
mod exported;

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use document::{Malformed, Member, Node};

pub use exported::export;

use super::desired::{Desired, Plan, Wanted};
use crate::api::{PolicyValue, ProductPolicy, Scope, Target};
use crate::error::{Error, Result};
use crate::files;
use crate::text::{display_excerpt, sanitize_line};

/// How a baseline is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Toml,
    Json,
}

impl Form {
    /// The form that a file's extension says: JSON for `.json`, else TOML.
    pub fn of(path: &Path) -> Self {
        let is_json = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
        if is_json { Self::Json } else { Self::Toml }
    }
}

/// What to do where there is no baseline yet.
const WRITE_ONE: &str = "write one from the tenant's settings: mscommerce baseline export --file FILE";

/// No tenant has that many products; what is larger was not meant for us.
const LARGEST: usize = 8 * 1024 * 1024;

/// The keys of the top level.
const POLICY: &str = "policy";
const DEFAULT: &str = "default";
const PRODUCTS: &str = "products";
const OFFER_TYPES: &str = "offer-types";

/// What a file says that products and offer types should be set to.
#[derive(Debug, PartialEq)]
pub struct Baseline {
    /// The file's name, for messages.
    file: String,
    policy: Option<(String, usize)>,
    default: Option<PolicyValue>,
    entries: Vec<Entry>,
}

/// A line of the file that names a product or offer type.
#[derive(Clone, Debug, PartialEq)]
struct Entry {
    target: Target,
    value: String,
    line: usize,
}

/// A file compared with what a tenant shows.
pub struct Comparison {
    /// Everything that the file speaks of and the tenant has.
    pub plan: Plan,
    /// What the file names and the tenant does not have, in the order of the file.
    pub unknown: Vec<Unknown>,
}

/// Something that a file names and a tenant does not have.
#[derive(Debug)]
pub struct Unknown {
    pub target: Target,
    /// In the service's spelling, where it is known.
    pub wanted: String,
    /// The file and the line that name it.
    pub place: String,
    /// What has that for a name, or in the other table for an id.
    pub meant: Option<String>,
}

impl Entry {
    /// The key in the file, for messages.
    fn key(&self) -> String {
        let table = if self.target.scope == Scope::Product { PRODUCTS } else { OFFER_TYPES };
        format!("{table}.{}", self.target.id)
    }
}

impl Baseline {
    /// Reads a file.
    pub async fn read(path: &Path) -> Result<Self> {
        let file = sanitize_line(&path.display().to_string());
        let bytes = files::read_limited(path, LARGEST).await.map_err(|error| match error.kind() {
            io::ErrorKind::FileTooLarge => {
                Error::failed(format!("{file} is larger than {} MiB: it is no baseline", LARGEST / 1024 / 1024))
            }
            kind => {
                let error = Error::from_source(error).context(format!("could not read the baseline {file}"));
                if kind == io::ErrorKind::NotFound { error.with_hint(WRITE_ONE) } else { error }
            }
        })?;
        Self::decode(&file, &bytes, Form::of(path))
    }

    /// Reads the bytes of the file called `file`.
    fn decode(file: &str, bytes: &[u8], form: Form) -> Result<Self> {
        let text = std::str::from_utf8(files::strip_bom(bytes)).map_err(|_| {
            Error::failed(format!("{file} is not UTF-8 text"))
                .with_hint("save it as UTF-8; Windows PowerShell's '>' writes UTF-16: use baseline export --file FILE")
        })?;
        Self::parse(file, text, form)
    }

    /// Reads the text of the file called `file`.
    pub fn parse(file: &str, text: &str, form: Form) -> Result<Self> {
        let is_empty = || Error::failed(format!("{file} is empty")).with_hint(WRITE_ONE);
        if text.trim().is_empty() {
            return Err(is_empty());
        }
        let members = document::read(text, form).map_err(|Malformed { line, message }| {
            let place = line.map(|line| format!(":{line}")).unwrap_or_default();
            Error::failed(format!("{file}{place}: {message}"))
        })?;
        if members.is_empty() {
            return Err(is_empty());
        }
        let mut baseline = Self { file: file.to_owned(), policy: None, default: None, entries: Vec::new() };
        let mut seen: Vec<&str> = Vec::new();
        for member in &members {
            if seen.contains(&member.key.as_str()) {
                return Err(baseline.wrong(member.line, &member.key, "the key is there a second time"));
            }
            seen.push(&member.key);
            baseline.take(member)?;
        }
        if seen == [POLICY] {
            return Err(
                Error::failed(format!("{file} names no product, no offer type and no default")).with_hint(WRITE_ONE)
            );
        }
        Ok(baseline)
    }

    fn take(&mut self, member: &Member) -> Result<()> {
        match (member.key.as_str(), &member.value) {
            (POLICY, Node::Text(policy)) => self.policy = Some((policy.clone(), member.line)),
            (DEFAULT, Node::Text(value)) => {
                let value = PolicyValue::parse(value).map_err(|why| {
                    self.wrong(member.line, DEFAULT, format!("'{}' is no value: {why}", display_excerpt(value)))
                })?;
                self.default = Some(value);
            }
            (PRODUCTS, Node::Table(members)) => self.take_entries(PRODUCTS, members, Scope::Product)?,
            (OFFER_TYPES, Node::Table(members)) => self.take_entries(OFFER_TYPES, members, Scope::OfferType)?,
            (POLICY | DEFAULT, _) => return Err(self.wrong(member.line, &member.key, "the value has to be a text")),
            (PRODUCTS | OFFER_TYPES, _) => {
                return Err(self.wrong(member.line, &member.key, "it has to be a table of ids and values"));
            }
            (other, _) => {
                let known =
                    format!("there is no such key; the keys are {POLICY}, {DEFAULT}, {PRODUCTS}, {OFFER_TYPES}");
                return Err(self.wrong(member.line, other, known));
            }
        }
        Ok(())
    }

    fn take_entries(&mut self, table: &str, members: &[Member], scope: Scope) -> Result<()> {
        let mut seen = Desired::default();
        for member in members {
            let key = format!("{table}.{}", member.key);
            let target = Target::new(scope, member.key.clone());
            if member.key.trim().is_empty() {
                return Err(self.wrong(member.line, &key, "the id is empty"));
            }
            if !seen.insert(&target, Wanted::Keep) {
                return Err(self.wrong(member.line, &key, "the id is there a second time; case does not matter"));
            }
            let Node::Text(value) = &member.value else {
                return Err(self.wrong(member.line, &key, "the value has to be a text, such as \"Disabled\""));
            };
            self.entries.push(Entry { target, value: value.clone(), line: member.line });
        }
        Ok(())
    }

    /// Refuses a file that is for another policy.
    pub fn check_policy(&self, policy_id: &str) -> Result<()> {
        match &self.policy {
            Some((policy, line)) if !policy.eq_ignore_ascii_case(policy_id) => {
                let why = format!("the file is for the policy '{}', and not for {policy_id}", display_excerpt(policy));
                let named = crate::text::shell_quote_short(policy);
                Err(self.wrong(*line, POLICY, why).with_hint(format!("to work on that policy: --policy-id {named}")))
            }
            _ => Ok(()),
        }
    }

    /// Compares the file with what a tenant shows. A value that this version does not know is an error unless the
    /// tenant shows that very value.
    pub fn compare(&self, listed: Vec<ProductPolicy>) -> Result<Comparison> {
        let mut desired = Desired::with_default(self.default);
        let mut unknown = Vec::new();
        let known: BTreeMap<Target, &ProductPolicy> =
            listed.iter().filter_map(|item| Some((item.target()?, item))).collect();
        for entry in &self.entries {
            let Some(item) = known.get(&entry.target) else {
                unknown.push(Unknown {
                    meant: named(&entry.target, &listed),
                    target: entry.target.clone(),
                    wanted: self.known(entry)?.map_or_else(|| entry.value.clone(), |value| value.as_str().to_owned()),
                    place: format!("{}:{}", self.file, entry.line),
                });
                continue;
            };
            desired.insert(&entry.target, self.wanted(entry, item)?);
        }
        Ok(Comparison { plan: Plan::diff(listed, &desired), unknown })
    }

    /// What is wanted of a product or offer type that the tenant has. What it shows is accepted, whatever it is.
    fn wanted(&self, entry: &Entry, item: &ProductPolicy) -> Result<Wanted> {
        if item.value.as_ref().is_some_and(|now| now.eq_ignore_ascii_case(&entry.value)) {
            return Ok(Wanted::Keep);
        }
        if let Some(value) = self.known(entry)? {
            return Ok(Wanted::Set(value));
        }
        let now = sanitize_line(item.value.as_deref().unwrap_or("none"));
        let why =
            format!("this version knows no value '{}', and the tenant shows {now}", display_excerpt(&entry.value));
        let values = "the values are Enabled, Disabled and OnlyTrialsWithoutPaymentMethod";
        Err(self.wrong(entry.line, &entry.key(), why).with_hint(values))
    }

    /// The value that an entry names, where this version knows it.
    fn known(&self, entry: &Entry) -> Result<Option<PolicyValue>> {
        match PolicyValue::parse(&entry.value) {
            Ok(value) if !entry.target.scope.accepts(value) => {
                let why = "an offer type takes Enabled or Disabled; trials are for products only";
                Err(self.wrong(entry.line, &entry.key(), why))
            }
            parsed => Ok(parsed.ok()),
        }
    }

    /// The error that names the file, the line and the key.
    fn wrong(&self, line: usize, key: &str, why: impl std::fmt::Display) -> Error {
        Error::failed(format!("{}:{line}: {}: {why}", self.file, display_excerpt(key)))
    }
}

/// Names are easily taken for ids, and one table for the other.
fn named(target: &Target, listed: &[ProductPolicy]) -> Option<String> {
    let item = listed.iter().find(|item| item.matches_id_or_name(&target.id))?;
    let table = if item.scope() == Some(Scope::Product) { PRODUCTS } else { OFFER_TYPES };
    Some(format!("{} belongs into [{table}] by its id", item.label()))
}

#[cfg(any(fuzzing, test))]
pub mod properties;

#[cfg(test)]
mod tests;
