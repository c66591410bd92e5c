//! The baseline: the desired settings of a tenant, in a TOML or JSON file.

mod fields;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::io;
use std::path::Path;

use self::fields::{Field, FieldValue};
use super::{Desired, Plan, Wanted};
use crate::api::{PolicyValue, ProductPolicy, Scope, Target};
use crate::error::{Error, ErrorKind, Result};
use crate::files;
use crate::secret::SecretBytes;
use crate::text::{display_excerpt, sanitize_line, shell_quote_short};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileFormat {
    Toml,
    Json,
}

impl FileFormat {
    /// The format by file extension: JSON for `.json`, otherwise TOML.
    pub fn from_path(path: &Path) -> Self {
        let is_json = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
        if is_json { Self::Json } else { Self::Toml }
    }
}

const HINT_EXPORT: &str = "export the tenant's settings: mscommerce baseline export --file FILE";

/// In bytes. Larger than any realistic baseline.
pub const MAX_FILE_SIZE: usize = 8 * 1024 * 1024;

/// The top-level keys of the file.
pub const POLICY: &str = "policy";
pub const DEFAULT: &str = "default";
pub const PRODUCTS: &str = "products";
pub const OFFER_TYPES: &str = "offer-types";

/// A parsed baseline file.
#[derive(Debug, PartialEq)]
pub struct Baseline {
    /// The file name, for messages.
    file: String,
    /// The policy ID and its line.
    policy: Option<(String, usize)>,
    default: Option<PolicyValue>,
    /// What the file speaks of, products first. A default speaks of both.
    pub scopes: Vec<Scope>,
    entries: Vec<BaselineEntry>,
}

/// The wanted value of one product or offer type.
#[derive(Clone, Debug, PartialEq)]
struct BaselineEntry {
    target: Target,
    /// As spelled in the file.
    value: String,
    line: usize,
}

/// The result of comparing a baseline with a listing.
pub struct Comparison {
    /// The changes for all listed items of the baseline.
    pub plan: Plan,
    /// The entries that the tenant does not list, in file order.
    pub unknown: Vec<UnknownEntry>,
}

/// An entry that the tenant does not list.
#[derive(Debug)]
pub struct UnknownEntry {
    pub target: Target,
    /// In the spelling of the service if this version supports the value.
    pub wanted: String,
    /// File and line: `base.toml:3`.
    pub location: String,
    /// A hint with the listed item that the entry may refer to.
    pub suggestion: Option<String>,
}

impl BaselineEntry {
    fn key(&self) -> String {
        format!("{}.{}", table_name(Some(self.target.scope)), self.target.id)
    }
}

fn table_name(scope: Option<Scope>) -> &'static str {
    if scope == Some(Scope::Product) { PRODUCTS } else { OFFER_TYPES }
}

impl Baseline {
    /// Parses the content of a file, or the error of reading it. Fails if it is unreadable, too large or invalid.
    pub fn from_file(path: &Path, content: io::Result<SecretBytes>) -> Result<Self> {
        let file = files::input_name(path);
        let bytes = content.map_err(|error| match error.kind() {
            io::ErrorKind::FileTooLarge => {
                Error::usage(format!("{file} is not a baseline: it is larger than {} MiB", MAX_FILE_SIZE / 1024 / 1024))
            }
            kind => {
                let error = Error::usage(error).context(format!("could not read the baseline {file}"));
                if kind == io::ErrorKind::NotFound { error.with_hint(HINT_EXPORT) } else { error }
            }
        })?;
        let is_json = files::is_stdio(path) && files::decode_text(&bytes).trim_ascii_start().starts_with(b"{");
        let format = if is_json { FileFormat::Json } else { FileFormat::from_path(path) };
        Self::from_bytes(&file, &bytes, format)
    }

    /// Parses the content of a file. Errors contain `file` as its name.
    pub fn from_bytes(file: &str, bytes: &[u8], format: FileFormat) -> Result<Self> {
        let text = files::to_text(bytes)
            .ok_or_else(|| Error::usage(format!("{file} is not UTF-8 text")).with_hint("save it as UTF-8"))?;
        Self::parse(file, &text, format)
    }

    /// Parses the text of a file. Errors contain `file` as its name, and the line.
    pub fn parse(file: &str, text: &str, format: FileFormat) -> Result<Self> {
        let fields = if text.trim().is_empty() { Vec::new() } else { fields::parse(file, text, format)? };
        if fields.is_empty() {
            return Err(Error::usage(format!("{file} is empty")).with_hint(HINT_EXPORT));
        }
        Self::from_fields(file, &fields)
    }

    fn from_fields(file: &str, fields: &[Field]) -> Result<Self> {
        let (file, entries, scopes) = (file.to_owned(), Vec::new(), Vec::new());
        let mut baseline = Self { file, policy: None, default: None, scopes, entries };
        let mut keys = BTreeSet::new();
        for Field { key, line, value } in fields {
            let error = |reason: &str| Err(baseline.error_at(*line, key, reason));
            if !keys.insert(key.as_str()) {
                return error("duplicate key");
            }
            match (key.as_str(), value) {
                (POLICY, FieldValue::Text(policy)) => baseline.policy = Some((policy.clone(), *line)),
                (DEFAULT, FieldValue::Text(value)) => match PolicyValue::parse(value) {
                    Ok(value) => baseline.default = Some(value),
                    Err(reason) => {
                        return error(&format!("'{}' is not a valid value: {reason}", display_excerpt(value)));
                    }
                },
                (PRODUCTS, FieldValue::Table(fields)) => baseline.add_entries(Scope::Product, fields)?,
                (OFFER_TYPES, FieldValue::Table(fields)) => baseline.add_entries(Scope::OfferType, fields)?,
                (POLICY | DEFAULT, _) => return error("the value must be a string"),
                (PRODUCTS | OFFER_TYPES, _) => return error("the value must be a table of IDs and values"),
                _ => {
                    let known = [POLICY, DEFAULT, PRODUCTS, OFFER_TYPES].join(", ");
                    return error(&format!("unknown key; use one of {known}"));
                }
            }
        }
        if keys.iter().eq([&POLICY]) {
            let message = format!("{} contains no products, offer types or default", baseline.file);
            return Err(Error::usage(message).with_hint(HINT_EXPORT));
        }
        let is_mentioned = |scope: &Scope| baseline.default.is_some() || keys.contains(table_name(Some(*scope)));
        baseline.scopes = Scope::ALL.into_iter().filter(is_mentioned).collect();
        Ok(baseline)
    }

    fn add_entries(&mut self, scope: Scope, fields: &[Field]) -> Result<()> {
        let mut seen = BTreeSet::new();
        for Field { key, line, value } in fields {
            let target = Target::new(scope, key.as_str());
            let error = |reason| Err(self.error_at(*line, &format!("{}.{key}", table_name(Some(scope))), reason));
            if key.trim().is_empty() {
                return error("the ID is empty");
            }
            if !seen.insert(target.clone()) {
                return error("duplicate ID; IDs are not case-sensitive");
            }
            let FieldValue::Text(value) = value else {
                return error("the value must be a string, such as \"Disabled\"");
            };
            self.entries.push(BaselineEntry { target, value: value.clone(), line: *line });
        }
        Ok(())
    }

    /// Fails if the file is for another policy.
    pub fn check_policy(&self, policy_id: &str) -> Result<()> {
        match &self.policy {
            Some((policy, line)) if !policy.eq_ignore_ascii_case(policy_id) => {
                let reason = format!("the file is for policy '{}', not for {policy_id}", display_excerpt(policy));
                let hint = format!("add --policy-id {} to use that policy", shell_quote_short(policy));
                Err(self.error_at(*line, POLICY, reason).with_hint(hint))
            }
            _ => Ok(()),
        }
    }

    /// Compares the file with the listing of a tenant. Fails if the file contains an unsupported value for a listed
    /// item, unless the item has that value.
    pub fn compare(&self, listed: Vec<ProductPolicy>) -> Result<Comparison> {
        let mut desired = Desired::with_default(self.default);
        let mut unknown = Vec::new();
        let items: BTreeMap<Target, &ProductPolicy> =
            listed.iter().filter_map(|item| Some((item.target()?, item))).collect();
        for entry in &self.entries {
            if let Some(item) = items.get(&entry.target) {
                desired.insert(entry.target.clone(), self.resolve_value(entry, item)?);
                continue;
            }
            let value = self.parse_value(entry)?;
            unknown.push(UnknownEntry {
                suggestion: suggest_table(&entry.target, &listed),
                target: entry.target.clone(),
                wanted: value.map_or_else(|| entry.value.clone(), |value| value.as_str().to_owned()),
                location: format!("{}:{}", self.file, entry.line),
            });
        }
        Ok(Comparison { plan: Plan::diff(listed, &desired), unknown })
    }

    /// The wanted value of a listed item. The current value of the item is always valid.
    fn resolve_value(&self, entry: &BaselineEntry, item: &ProductPolicy) -> Result<Wanted> {
        if item.value.as_ref().is_some_and(|current| current.eq_ignore_ascii_case(&entry.value)) {
            return Ok(Wanted::Keep);
        }
        if let Some(value) = self.parse_value(entry)? {
            return Ok(Wanted::Set(value));
        }
        let current = sanitize_line(item.value.as_deref().unwrap_or("none"));
        let value = display_excerpt(&entry.value);
        let reason = format!("unknown value '{value}'; the tenant has {current}");
        let hint = "use Enabled, Disabled or OnlyTrialsWithoutPaymentMethod";
        // Not a usage error: the tenant was read.
        Err(self.error_at(entry.line, &entry.key(), reason).with_kind(ErrorKind::Failed).with_hint(hint))
    }

    /// The value of an entry, or `None` if this version does not support it. Fails if the scope does not accept it.
    fn parse_value(&self, entry: &BaselineEntry) -> Result<Option<PolicyValue>> {
        match PolicyValue::parse(&entry.value) {
            Ok(value) if !entry.target.scope.accepts(value) => {
                let reason = "an offer type accepts only Enabled or Disabled; trials are for products";
                Err(self.error_at(entry.line, &entry.key(), reason).with_kind(ErrorKind::Failed))
            }
            parsed => Ok(parsed.ok()),
        }
    }

    /// An error with the file, the line and the key.
    fn error_at(&self, line: usize, key: &str, reason: impl Display) -> Error {
        Error::usage(format!("{}:{line}: {}: {reason}", self.file, display_excerpt(key)))
    }
}

/// A hint if the ID of a target is the name of a listed item, or is in the wrong table.
fn suggest_table(target: &Target, listed: &[ProductPolicy]) -> Option<String> {
    let item = listed.iter().find(|item| item.matches_id_or_name(&target.id))?;
    Some(format!("specify {} by its ID in [{}]", item.label(), table_name(item.scope())))
}

#[cfg(any(fuzzing, test))]
pub mod proptests;

#[cfg(test)]
mod tests;
