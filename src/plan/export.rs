//! Writes the settings of a tenant as a baseline file.

use std::collections::BTreeSet;

use serde::{Serialize, Serializer};
use toml_writer::{ToTomlKey, ToTomlValue, TomlStringBuilder};

use super::baseline::{DEFAULT, FileFormat, OFFER_TYPES, POLICY, PRODUCTS};
use crate::api::{ProductPolicy, Scope};
use crate::error::{Error, Result};
use crate::text::sanitize_line;

/// A baseline file and the items that it cannot contain.
pub struct Export {
    pub text: String,
    /// Skipped items: label and reason.
    pub skipped: Vec<(String, &'static str)>,
}

struct ExportEntry {
    id: String,
    value: String,
    name: String,
}

/// Exports listed items as a baseline, sorted by name.
pub fn export(policy_id: &str, mut listed: Vec<ProductPolicy>, format: FileFormat) -> Result<Export> {
    listed.sort_by_cached_key(|item| (item.name.as_ref().map(|name| name.to_lowercase()), item.id.clone()));
    let (mut products, mut offer_types, mut skipped) = (Vec::new(), Vec::new(), Vec::new());
    let mut seen = BTreeSet::new();
    for item in listed {
        let label = item.label();
        let Some(target) = item.target() else {
            let has_id = item.id.is_some();
            skipped.push((label, if has_id { "a baseline cannot contain its scope" } else { "it has no ID" }));
            continue;
        };
        let is_new = seen.insert(target.clone());
        let Some(value) = item.value else {
            skipped.push((label, "it has no value"));
            continue;
        };
        if target.id.trim().is_empty() {
            skipped.push((label, "its ID is empty"));
        } else if !is_new {
            skipped.push((label, "the service lists it twice"));
        } else {
            let name = sanitize_line(item.name.as_deref().unwrap_or_default()).trim().to_owned();
            let entries = if target.scope == Scope::Product { &mut products } else { &mut offer_types };
            entries.push(ExportEntry { id: target.id, value, name });
        }
    }
    let text = match format {
        FileFormat::Toml => to_toml(policy_id, &products, &offer_types),
        FileFormat::Json => to_json(policy_id, &products, &offer_types)?,
    };
    Ok(Export { text, skipped })
}

fn to_toml(policy_id: &str, products: &[ExportEntry], offer_types: &[ExportEntry]) -> String {
    let mut text = format!(
        "{POLICY} = {}\n\
         # Remove the # below to set everything not listed in this file, including new products:\n\
         # {DEFAULT} = \"Disabled\"\n",
        toml_string(policy_id)
    );
    for (table, entries) in [(PRODUCTS, products), (OFFER_TYPES, offer_types)] {
        text.push_str(&format!("\n[{table}]\n"));
        let settings: Vec<String> =
            entries.iter().map(|entry| format!("{} = {}", entry.id.to_toml_key(), toml_string(&entry.value))).collect();
        let width = settings.iter().map(|setting| setting.chars().count()).max().unwrap_or_default();
        for (setting, ExportEntry { name, .. }) in settings.iter().zip(entries) {
            let line = if name.is_empty() { setting.clone() } else { format!("{setting:width$}  # {name}") };
            text.push_str(&line);
            text.push('\n');
        }
    }
    text
}

/// A TOML string on one line.
fn toml_string(value: &str) -> String {
    TomlStringBuilder::new(value).as_basic().to_toml_value()
}

/// Omits the names, because JSON has no comments.
fn to_json(policy: &str, products: &[ExportEntry], offer_types: &[ExportEntry]) -> Result<String> {
    #[derive(Serialize)]
    #[serde(rename_all = "kebab-case")]
    struct File<'a> {
        policy: &'a str,
        #[serde(serialize_with = "as_map")]
        products: &'a [ExportEntry],
        #[serde(serialize_with = "as_map")]
        offer_types: &'a [ExportEntry],
    }

    fn as_map<S: Serializer>(entries: &[ExportEntry], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(entries.iter().map(|entry| (&entry.id, &entry.value)))
    }

    let text = serde_json::to_string_pretty(&File { policy, products, offer_types }).map_err(Error::from_source)?;
    Ok(text + "\n")
}
