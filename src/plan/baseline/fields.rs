//! Parses TOML or JSON into fields with line numbers, which error messages need and serde does not keep.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use toml::de::{DeTable, DeValue};

use super::FileFormat;
use crate::error::{Error, Result};
use crate::text::{sanitize_line, truncate};

#[derive(Debug, PartialEq)]
pub struct Field {
    pub key: String,
    pub value: FieldValue,
    /// Starts at 1.
    pub line: usize,
}

#[derive(Debug, PartialEq)]
pub enum FieldValue {
    Text(String),
    /// In file order.
    Table(Vec<Field>),
    /// A type that baselines do not support.
    Other,
}

/// Parses the top-level fields. Syntax errors contain `file` as the file name, and the line.
pub fn parse(file: &str, text: &str, format: FileFormat) -> Result<Vec<Field>> {
    match format {
        FileFormat::Toml => parse_toml(file, text),
        FileFormat::Json => parse_json(file, text),
    }
}

/// An error with the parser's message and an excerpt of the line.
fn syntax_error(file: &str, text: &str, line: usize, message: &str) -> Error {
    let message = sanitize_line(message.trim());
    let excerpt = sanitize_line(text.lines().nth(line.saturating_sub(1)).unwrap_or_default().trim());
    let excerpt = if excerpt.is_empty() { excerpt } else { format!(": {}", truncate(&excerpt, 80)) };
    Error::usage(format!("{file}:{line}: {message}{excerpt}"))
}

fn parse_toml(file: &str, text: &str) -> Result<Vec<Field>> {
    let line_starts: Vec<usize> = text.match_indices('\n').map(|(newline, _)| newline + 1).collect();
    let line_at = |offset: usize| 1 + line_starts.partition_point(|start| *start <= offset);
    let table = DeTable::parse(text).map_err(|error| {
        let line = error.span().map_or(1, |span| line_at(span.start));
        syntax_error(file, text, line, error.message())
    })?;
    Ok(toml_fields(table.get_ref(), &line_at))
}

fn toml_fields(table: &DeTable<'_>, line_at: &impl Fn(usize) -> usize) -> Vec<Field> {
    let mut fields: Vec<Field> = table
        .iter()
        .map(|(key, value)| Field {
            key: key.get_ref().to_string(),
            line: line_at(key.span().start),
            value: match value.get_ref() {
                DeValue::String(value) => FieldValue::Text(value.to_string()),
                DeValue::Table(table) => FieldValue::Table(toml_fields(table, line_at)),
                _ => FieldValue::Other,
            },
        })
        .collect();
    // Restore the file order: the parser sorts by key.
    fields.sort_by_key(|field| field.line);
    fields
}

/// Limits recursion. A valid baseline has no deeper values.
const MAX_JSON_DEPTH: usize = 3;

fn parse_json(file: &str, text: &str) -> Result<Vec<Field>> {
    let parse = || {
        let root: &RawValue = serde_json::from_str(text)?;
        let line = Cursor { rest: text, line: 1 }.skip(root.get());
        json_value(root, line, MAX_JSON_DEPTH)
    };
    match parse() {
        Ok(FieldValue::Table(fields)) => Ok(fields),
        Ok(_) => Err(Error::usage(format!("{file}: not a JSON object"))),
        Err(error) => {
            let message = error.to_string();
            let message = message.split(" at line ").next().unwrap_or_default();
            Err(syntax_error(file, text, error.line(), message))
        }
    }
}

fn json_value(raw: &RawValue, line: usize, depth: usize) -> serde_json::Result<FieldValue> {
    let text = raw.get();
    Ok(match text.as_bytes().first() {
        Some(b'"') if depth > 0 => FieldValue::Text(serde_json::from_str(text)?),
        Some(b'{') if depth > 0 => {
            let mut cursor = Cursor { rest: text, line };
            let mut fields = Vec::new();
            for (key, value) in serde_json::from_str::<Members<'_>>(text)?.0 {
                cursor.skip(key.get());
                let line = cursor.skip(value.get());
                let key = serde_json::from_str(key.get())?;
                fields.push(Field { key, line, value: json_value(value, line, depth - 1)? });
            }
            FieldValue::Table(fields)
        }
        _ => FieldValue::Other,
    })
}

/// Tracks the line number while skipping from token to token.
struct Cursor<'a> {
    rest: &'a str,
    line: usize,
}

impl Cursor<'_> {
    /// Skips to the end of a token. Returns the line where the token starts.
    fn skip(&mut self, token: &str) -> usize {
        let (before, after) = self.rest.split_once(token).unwrap_or_default();
        let newlines = |text: &str| text.matches('\n').count();
        let line = self.line + newlines(before);
        *self = Cursor { rest: after, line: line + newlines(token) };
        line
    }
}

/// The members of a JSON object in order. Keeps duplicate keys, which a map drops.
struct Members<'a>(Vec<(&'a RawValue, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MembersVisitor;

        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = Members<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(MembersVisitor)
    }
}
