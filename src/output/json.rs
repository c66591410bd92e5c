//! JSON output.

use std::borrow::Cow;

use serde::ser::{Serialize, Serializer};

use super::{Output, Row};
use crate::error::Error;
use crate::text::is_terminal_control;

/// Renders pretty-printed JSON with a trailing newline.
pub fn render(value: &impl Serialize) -> Result<String, Error> {
    let json = serde_json::to_string_pretty(value).map_err(Error::from_source)?;
    Ok(escape_control_characters(&json) + "\n")
}

/// Serializes a single record as an object and a list as an array of objects.
impl Serialize for Output {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.rows.as_slice() {
            [row] if self.single => Object { fields: &self.fields, row }.serialize(serializer),
            rows => serializer.collect_seq(rows.iter().map(|row| Object { fields: &self.fields, row })),
        }
    }
}

struct Object<'a> {
    fields: &'a [String],
    row: &'a Row,
}

impl Object<'_> {
    /// The name of an extra member.
    ///
    /// The prefix `service.` separates a response member from a field with the same name but another meaning. A name
    /// that already has the prefix gets another one, so that all names are unique.
    fn extra_name<'n>(&self, name: &'n str) -> Cow<'n, str> {
        let is_field = self.fields.iter().any(|field| field == name.trim_start_matches("service."));
        if is_field { format!("service.{name}").into() } else { name.into() }
    }
}

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let fields = self.fields.iter().map(Cow::from).zip(&self.row.values);
        let extra = self.row.extra.iter().map(|(name, value)| (self.extra_name(name), value));
        serializer.collect_map(fields.chain(extra))
    }
}

/// Escapes characters that JSON allows in strings but that terminals interpret: DEL, C1 controls and bidirectional
/// overrides. The parsed text is the same.
fn escape_control_characters(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for character in json.chars() {
        // Only line breaks between members are left. Those in strings are already escaped.
        if character != '\n' && is_terminal_control(character) {
            escaped.push_str(&format!("\\u{:04x}", u32::from(character)));
        } else {
            escaped.push(character);
        }
    }
    escaped
}
