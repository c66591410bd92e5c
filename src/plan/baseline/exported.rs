//! Writing a tenant's settings down as a baseline.

use std::collections::BTreeSet;

use serde::ser::{Serialize, SerializeMap, Serializer};
use toml_writer::{ToTomlKey, ToTomlValue, TomlStringBuilder};

use super::{DEFAULT, Form, OFFER_TYPES, POLICY, PRODUCTS};
use crate::api::{ProductPolicy, Scope};
use crate::error::{Error, Result};
use crate::text::sanitize_line;

/// A baseline's text, and what could not be written into it.
pub struct Exported {
    pub text: String,
    /// Names and ids, and why they are left out.
    pub left_out: Vec<(String, &'static str)>,
}

/// A line of the file.
struct Line {
    id: String,
    value: String,
    name: String,
}

/// Writes down what a tenant shows, sorted by name.
pub fn export(policy_id: &str, mut listed: Vec<ProductPolicy>, form: Form) -> Result<Exported> {
    listed.sort_by_cached_key(|item| (item.name.as_ref().map(|name| name.to_lowercase()), item.id.clone()));
    let (mut products, mut offer_types, mut left_out) = (Vec::new(), Vec::new(), Vec::new());
    let mut seen = BTreeSet::new();
    for item in listed {
        let lines = match item.target().map(|target| target.scope) {
            Some(Scope::Product) => &mut products,
            Some(Scope::OfferType) => &mut offer_types,
            None => {
                let has_id = item.id.is_some();
                let why = if has_id { "it is of a scope that a baseline has no table for" } else { "it has no id" };
                left_out.push((item.label(), why));
                continue;
            }
        };
        let is_new = item.target().is_some_and(|target| seen.insert(target));
        match (&item.id, &item.value) {
            (Some(id), Some(value)) if is_new && !id.trim().is_empty() => {
                let name = sanitize_line(item.name.as_deref().unwrap_or_default());
                lines.push(Line { id: id.clone(), value: value.clone(), name: name.trim().to_owned() });
            }
            (_, None) => left_out.push((item.label(), "it has no value")),
            (Some(id), _) if id.trim().is_empty() => left_out.push((item.label(), "its id is empty")),
            _ => left_out.push((item.label(), "the service lists it twice")),
        }
    }
    let text = match form {
        Form::Toml => toml(policy_id, &products, &offer_types),
        Form::Json => json(policy_id, &products, &offer_types)?,
    };
    Ok(Exported { text, left_out })
}

fn toml(policy_id: &str, products: &[Line], offer_types: &[Line]) -> String {
    let mut text = format!(
        "{POLICY} = {}\n\
         # For whatever is not named below, new products included; remove the # to switch it on:\n\
         # {DEFAULT} = \"Disabled\"\n",
        quoted(policy_id)
    );
    for (table, lines) in [(PRODUCTS, products), (OFFER_TYPES, offer_types)] {
        text.push_str(&format!("\n[{table}]\n"));
        let settings: Vec<String> =
            lines.iter().map(|line| format!("{} = {}", line.id.to_toml_key(), quoted(&line.value))).collect();
        let width = settings.iter().map(|setting| setting.chars().count()).max().unwrap_or_default();
        for (setting, line) in settings.iter().zip(lines) {
            let commented = format!("{setting:width$}  # {}", line.name);
            text.push_str(if line.name.is_empty() { setting } else { &commented });
            text.push('\n');
        }
    }
    text
}

/// A basic string on one line.
fn quoted(value: &str) -> String {
    TomlStringBuilder::new(value).as_basic().to_toml_value()
}

/// JSON has no comments, so names are not in it.
fn json(policy_id: &str, products: &[Line], offer_types: &[Line]) -> Result<String> {
    struct Table<'a>(&'a [Line]);

    impl Serialize for Table<'_> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_map(self.0.iter().map(|line| (&line.id, &line.value)))
        }
    }

    struct File<'a>(&'a str, Table<'a>, Table<'a>);

    impl Serialize for File<'_> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut map = serializer.serialize_map(Some(3))?;
            map.serialize_entry(POLICY, self.0)?;
            map.serialize_entry(PRODUCTS, &self.1)?;
            map.serialize_entry(OFFER_TYPES, &self.2)?;
            map.end()
        }
    }

    let file = File(policy_id, Table(products), Table(offer_types));
    let text = serde_json::to_string_pretty(&file).map_err(Error::from_source)?;
    Ok(text + "\n")
}
