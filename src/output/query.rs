//! `--query`: filters a result with a `JMESPath` expression, like `az`.

mod syntax;

use std::collections::BTreeMap;

use jmespath::{ErrorReason, Expression, JmespathError, Rcvar, RuntimeError, Variable};
use serde_json::{Map, Value};

use self::syntax::{count_operators, inspect, quote_plain_literals};
use super::{Format, Output, RenderOptions, Row, cell_text, json};
use crate::error::{Error, Result};
use crate::text::{sanitize_line, truncate};

const JMESPATH_URL: &str = "https://jmespath.org/tutorial.html";

/// Maximum number of operators and opening brackets in an expression. The crate parses, evaluates and drops expressions
/// recursively, and each of them can add a level. The main thread of Windows has room for twice as many.
const MAX_OPERATORS: usize = 300;

/// A checked `JMESPath` expression.
#[derive(Clone)]
pub struct Query {
    expression: Expression<'static>,
    /// The keys of each multi-select hash, in the order of the expression. The crate sorts the keys of its results.
    hashes: Vec<Vec<String>>,
}

impl Query {
    /// Parses an expression. Fails with a usage error for every mistake that does not depend on the data, so that it
    /// stops the command before any request: syntax, functions and their arguments, depth.
    pub fn parse(expression: &str) -> Result<Self> {
        let hint = format!("see {JMESPATH_URL}");
        let expression = quote_plain_literals(expression);
        if count_operators(&expression) > MAX_OPERATORS {
            let message = format!("--query: the expression has more than {MAX_OPERATORS} operators and brackets");
            return Err(Error::usage(message).with_hint(hint));
        }
        let mut hashes = Vec::new();
        let expression = jmespath::compile(&expression).and_then(|compiled| {
            inspect(compiled.as_ast(), &expression, &mut hashes)?;
            Ok(compiled)
        });
        let expression = expression.map_err(|error| {
            let syntax_hint = match &error.reason {
                ErrorReason::Parse(reason) if reason.contains("literal JSON") => {
                    Some("write text in single quotes: [?policyValue=='Enabled']".to_owned())
                }
                ErrorReason::Runtime(RuntimeError::InvalidType { expected, .. }) if expected == "expref" => {
                    Some("write & before an expression that a function evaluates: sort_by(@, &name)".to_owned())
                }
                _ => None,
            };
            Error::usage(format!("--query: {}", format_error(&error))).with_hints(syntax_hint).with_hint(hint)
        })?;
        Ok(Self { expression, hashes })
    }

    /// Renders the part of the result that the expression selects.
    ///
    /// Renders selected objects as records. Renders other values, and all values in TSV, as plain text without a
    /// header, so that scripts do not have to parse JSON. Fails if the expression cannot be evaluated.
    pub fn apply(&self, output: &Output, format: Format, options: RenderOptions) -> Result<String> {
        let selected = self.select(&serde_json::to_value(output).map_err(Error::from_source)?)?;
        match format {
            Format::Json => json::render(&selected),
            Format::Tsv => Ok(to_plain_lines(&selected)),
            Format::Table | Format::Csv | Format::Markdown => match to_output(&selected) {
                Some(output) => output.render_records(format, options),
                None => Ok(to_plain_lines(&selected)),
            },
        }
    }

    /// The part of the data that the expression selects. Fails if the expression cannot be evaluated.
    pub fn select(&self, data: &Value) -> Result<Value> {
        let selected = self.expression.search(data);
        let selected = selected.map_err(|error| Error::failed(format!("--query: {}", format_error(&error))))?;
        self.restore_order(&selected, &self.key_ranks(data))
    }

    /// The rank of each key: in the order of the data, then in the order of the expression.
    fn key_ranks(&self, data: &Value) -> BTreeMap<String, usize> {
        let mut ranks = BTreeMap::new();
        let mut rest = vec![data];
        while let Some(value) = rest.pop() {
            match value {
                Value::Object(members) => {
                    members.keys().for_each(|name| add_rank(&mut ranks, name));
                    rest.extend(members.values().rev());
                }
                Value::Array(items) => rest.extend(items.iter().rev()),
                _ => {}
            }
        }
        self.hashes.iter().flatten().for_each(|name| add_rank(&mut ranks, name));
        ranks
    }

    /// Converts a value of the crate, which sorts the keys of objects. An object with the keys of a multi-select hash
    /// gets the order of the hash, every other object the order of the data.
    fn restore_order(&self, value: &Variable, ranks: &BTreeMap<String, usize>) -> Result<Value> {
        Ok(match value {
            Variable::Array(items) => {
                items.iter().map(|item| self.restore_order(item, ranks)).collect::<Result<Vec<_>>>()?.into()
            }
            Variable::Object(members) => {
                let has_all_keys = |hash: &&Vec<String>| {
                    hash.len() == members.len() && hash.iter().all(|key| members.contains_key(key))
                };
                let hash = self.hashes.iter().rev().find(has_all_keys);
                let rank = |name: &String| match hash {
                    Some(hash) => hash.iter().position(|key| key == name),
                    None => ranks.get(name).copied(),
                };
                let mut sorted: Vec<(&String, &Rcvar)> = members.iter().collect();
                sorted.sort_by_key(|(name, _)| rank(name).unwrap_or(usize::MAX));
                let convert = |(name, value): (&String, &Rcvar)| Ok((name.clone(), self.restore_order(value, ranks)?));
                Value::Object(sorted.into_iter().map(convert).collect::<Result<Map<_, _>>>()?)
            }
            other => serde_json::to_value(other).map_err(Error::from_source)?,
        })
    }
}

fn add_rank(ranks: &mut BTreeMap<String, usize>, name: &str) {
    if !ranks.contains_key(name) {
        ranks.insert(name.to_owned(), ranks.len());
    }
}

/// Formats an error in one line, with the position as a number.
fn format_error(error: &JmespathError) -> String {
    let reason = error.reason.to_string();
    let reason = reason.trim_start_matches("Runtime error: ").trim();
    // The crate counts bytes.
    let position = error.expression.get(..error.offset).map_or(error.offset, |text| text.chars().count());
    format!("{} (at character {})", truncate(&sanitize_line(reason), 200), position + 1)
}

/// Converts a selected object or list of objects to records. Returns `None` for other values.
fn to_output(selected: &Value) -> Option<Output> {
    let (single, objects): (bool, Vec<&Map<String, Value>>) = match selected {
        Value::Object(object) => (true, vec![object]),
        Value::Array(items) if !items.is_empty() => (false, items.iter().map(Value::as_object).collect::<Option<_>>()?),
        _ => return None,
    };
    let mut names: Vec<&String> = Vec::new();
    for name in objects.iter().flat_map(|object| object.keys()) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let row = |object: &&Map<String, Value>| Row {
        values: names.iter().map(|name| object.get(*name).cloned().unwrap_or_default()).collect(),
        ..Row::default()
    };
    let rows = objects.iter().map(row).collect();
    // The expression defines the names, so they may contain control characters.
    let fields = names.iter().map(|name| sanitize_line(name)).collect();
    Some(Output { single, fields, columns: Vec::new(), rows, caption: None })
}

/// Formats one line per item, with tabs between the values of an item. Null is empty.
fn to_plain_lines(selected: &Value) -> String {
    let plain = |value: &Value| sanitize_line(&cell_text(value));
    let line = |item: &Value| match item {
        Value::Array(values) => values.iter().map(plain).collect::<Vec<_>>().join("\t") + "\n",
        Value::Object(members) => members.values().map(plain).collect::<Vec<_>>().join("\t") + "\n",
        single => plain(single) + "\n",
    };
    match selected {
        Value::Null => String::new(),
        Value::Array(items) => items.iter().map(line).collect(),
        single => line(single),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn to_plain_lines_prints_one_line_per_item() {
        for (selected, lines) in [
            (json!(null), ""),
            (json!("Power\tBI"), "Power BI\n"),
            (json!(3), "3\n"),
            (json!(["a", "b"]), "a\nb\n"),
            (json!([["a", 1], ["b", null]]), "a\t1\nb\t\n"),
            (json!([{"x": "a", "y": true}]), "a\ttrue\n"),
            (json!([]), ""),
        ] {
            assert_eq!(to_plain_lines(&selected), lines);
        }
    }

    #[test]
    fn parse_error_is_usage_error_with_position() {
        let error = Query::parse("[?id==").err().expect("an error");
        assert_eq!(error.kind(), crate::error::ErrorKind::Usage);
        assert!(error.message().contains("at character"), "{error:?}");
        let error = Query::parse("[?name=='Ä'] | abs(").err().expect("an error");
        assert!(error.message().contains("at character 20"), "characters, not bytes: {error:?}");
    }
}
