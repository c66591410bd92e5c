//! A baseline file's text, read into keys and values that know their lines: TOML, or JSON of the same shape.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use toml::de::{DeTable, DeValue};

use super::Form;
use crate::text;

/// A key with what it holds.
#[derive(Debug, PartialEq)]
pub struct Member {
    pub key: String,
    pub value: Node,
    /// The line of the file, counted from 1.
    pub line: usize,
}

/// What a key holds.
#[derive(Debug, PartialEq)]
pub enum Node {
    Text(String),
    /// In the order of the file.
    Table(Vec<Member>),
    /// Neither; a baseline has no use for it.
    Other,
}

/// Why a text is no document: the line, where it is known, and what is wrong there.
#[derive(Debug)]
pub struct Malformed {
    pub line: Option<usize>,
    pub message: String,
}

/// A baseline is a table of tables of values.
const LEVELS: usize = 3;

/// The document's top level.
pub fn read(text: &str, form: Form) -> Result<Vec<Member>, Malformed> {
    match form {
        Form::Toml => from_toml(text),
        Form::Json => from_json(text),
    }
}

fn from_toml(text: &str) -> Result<Vec<Member>, Malformed> {
    let lines = Lines::new(text);
    let table = DeTable::parse(text).map_err(|error| {
        let line = error.span().map(|span| lines.number(span.start));
        Malformed { message: with_excerpt(error.message(), text, line), line }
    })?;
    Ok(toml_members(table.get_ref(), &lines))
}

fn toml_members(table: &DeTable<'_>, lines: &Lines) -> Vec<Member> {
    let mut members: Vec<Member> = table
        .iter()
        .map(|(key, value)| Member {
            key: key.get_ref().to_string(),
            line: lines.number(key.span().start),
            value: match value.get_ref() {
                DeValue::String(value) => Node::Text(value.to_string()),
                DeValue::Table(table) => Node::Table(toml_members(table, lines)),
                _ => Node::Other,
            },
        })
        .collect();
    // The parser sorts by key.
    members.sort_by_key(|member| member.line);
    members
}

fn from_json(text: &str) -> Result<Vec<Member>, Malformed> {
    let malformed = |error: serde_json::Error| {
        let (line, message) = (error.line(), error.to_string());
        let message = message.split(" at line ").next().unwrap_or_default();
        Malformed { message: with_excerpt(message, text, Some(line)), line: Some(line) }
    };
    let whole: &RawValue = serde_json::from_str(text).map_err(malformed)?;
    match json_node(whole, text, &Lines::new(text), LEVELS).map_err(malformed)? {
        Node::Table(members) => Ok(members),
        _ => Err(Malformed { line: None, message: "it is not a JSON object".to_owned() }),
    }
}

/// What is deeper than `levels` is of no use to a baseline, and not looked into.
fn json_node(raw: &RawValue, text: &str, lines: &Lines, levels: usize) -> Result<Node, serde_json::Error> {
    let value = raw.get();
    Ok(match value.as_bytes().first() {
        _ if levels == 0 => Node::Other,
        Some(b'"') => Node::Text(serde_json::from_str(value)?),
        Some(b'{') => {
            let Pairs(pairs) = serde_json::from_str(value)?;
            let member = |(key, raw): (String, &RawValue)| {
                // The value is a part of the text, so its address tells where.
                let offset = (raw.get().as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
                Ok(Member { key, line: lines.number(offset), value: json_node(raw, text, lines, levels - 1)? })
            };
            Node::Table(pairs.into_iter().map(member).collect::<Result<_, serde_json::Error>>()?)
        }
        _ => Node::Other,
    })
}

/// The members of an object, those of the same name included, which a map would lose.
struct Pairs<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Pairs<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PairsVisitor;

        impl<'de> Visitor<'de> for PairsVisitor {
            type Value = Pairs<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }

        deserializer.deserialize_map(PairsVisitor)
    }
}

/// Where the lines of a text begin.
struct Lines(Vec<usize>);

impl Lines {
    fn new(text: &str) -> Self {
        Self(std::iter::once(0).chain(text.match_indices('\n').map(|(end, _)| end + 1)).collect())
    }

    /// The number of the line that a place in the text is in, counted from 1.
    fn number(&self, offset: usize) -> usize {
        self.0.partition_point(|start| *start <= offset)
    }
}

/// What is wrong, and the line that it is wrong in.
fn with_excerpt(message: &str, text: &str, line: Option<usize>) -> String {
    let message = text::sanitize_line(message.trim());
    let excerpt = line.and_then(|line| text.lines().nth(line.saturating_sub(1))).map(str::trim).unwrap_or_default();
    if excerpt.is_empty() {
        return message;
    }
    format!("{message}: {}", text::truncate(&text::sanitize_line(excerpt), 80))
}
