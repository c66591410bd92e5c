//! JSON, for programs.

use std::borrow::Cow;

use serde::ser::{Serialize, Serializer};

use super::{Output, Row};
use crate::error::Error;
use crate::text::is_terminal_control;

/// Pretty-printed JSON with a line end.
pub fn render(value: &impl Serialize) -> Result<String, Error> {
    let json = serde_json::to_string_pretty(value).map_err(Error::from_source)?;
    Ok(escape_control_characters(&json) + "\n")
}

/// An object for a single record, an array of objects for a list.
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
    /// The name of a member without a field.
    ///
    /// The prefix separates a member of the response from a field that has the same name but another meaning. A member
    /// whose own name looks prefixed gets the prefix, too, so that no two names are equal.
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

/// Escapes the characters that JSON allows in a string but that a terminal acts upon: DEL, C1 controls and bidirectional
/// overrides. Parsers read the same text.
fn escape_control_characters(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for character in json.chars() {
        // The line feeds are those between members. Inside strings they are escaped already.
        if character != '\n' && is_terminal_control(character) {
            escaped.push_str(&format!("\\u{:04x}", u32::from(character)));
        } else {
            escaped.push(character);
        }
    }
    escaped
}
