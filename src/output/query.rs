//! `--query`: filters a result with a `JMESPath` expression, like `az`.

use jmespath::{Expression, JmespathError};
use serde_json::{Map, Value};

use super::{Format, Output, RenderOptions, Row, cell_text, json};
use crate::error::{Error, Result};
use crate::text::sanitize_line;

const JMESPATH_URL: &str = "https://jmespath.org/tutorial.html";

/// A parsed `JMESPath` expression.
#[derive(Clone)]
pub struct Query(Expression<'static>);

impl Query {
    /// Parses an expression. Fails with a usage error, so that a syntax error stops the command before any request.
    pub fn parse(expression: &str) -> Result<Self> {
        jmespath::compile(expression).map(Self).map_err(|error| {
            Error::usage(format!("--query: {}", format_error(&error)))
                .with_hint(format!("the language is explained at {JMESPATH_URL}"))
        })
    }

    /// Renders the part of the result that the expression selects.
    ///
    /// Renders selected objects as records. Renders other values, and all values in TSV, as plain text without a
    /// header, so that scripts do not have to parse JSON. Fails if the expression cannot be evaluated.
    pub fn apply(&self, output: &Output, format: Format, options: RenderOptions) -> Result<String> {
        let result = serde_json::to_value(output).map_err(Error::from_source)?;
        let selected =
            self.0.search(&result).map_err(|error| Error::failed(format!("--query: {}", format_error(&error))))?;
        let selected = serde_json::to_value(&*selected).map_err(Error::from_source)?;
        match format {
            Format::Json => json::render(&selected),
            Format::Tsv => Ok(to_plain_lines(&selected)),
            Format::Table | Format::Csv | Format::Markdown => match to_output(&selected) {
                Some(output) => output.render_records(format, options),
                None => Ok(to_plain_lines(&selected)),
            },
        }
    }
}

/// Formats an error in one line, with the position as a number.
fn format_error(error: &JmespathError) -> String {
    let reason = error.reason.to_string();
    format!("{} (at character {})", sanitize_line(reason.trim()), error.offset + 1)
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
    Some(Output { single, fields, rows, caption: None })
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
    }
}
