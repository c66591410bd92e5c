//! `--query`: what a `JMESPath` expression picks from a result, as `az` has it.

use std::borrow::Cow;

use jmespath::{Expression, JmespathError};
use serde_json::{Map, Value};

use super::{Format, Output, Record, Shape, json, text_of};
use crate::error::{Error, Result};
use crate::text;
use crate::ui::Ui;

/// Where the language is explained.
const LANGUAGE: &str = "https://jmespath.org/tutorial.html";

/// An expression that was understood.
#[derive(Clone)]
pub struct Query(Expression<'static>);

impl Query {
    /// Reads an expression. Fails with wrong usage, so that a mistake is told before anything is done.
    pub fn parse(expression: &str) -> Result<Self> {
        jmespath::compile(expression).map(Self).map_err(|error| {
            Error::usage(format!("--query: {}", reason(&error)))
                .with_hint(format!("the language is explained at {LANGUAGE}"))
        })
    }

    /// What the expression picks, in this format. Picked records are shown as records are; anything else is shown as
    /// plain values: as TSV without a header, so that scripts get words and not JSON.
    pub fn picked(&self, output: &Output, format: Format, terminal: &Ui) -> Result<String> {
        let whole = json::render(output)?;
        let whole: Value = serde_json::from_str(&whole).map_err(Error::from_source)?;
        let found = self.0.search(&whole).map_err(|error| Error::failed(format!("--query: {}", reason(&error))))?;
        let found = serde_json::to_value(&*found).map_err(Error::from_source)?;
        match format {
            Format::Json => json::text(&found),
            Format::Tsv => Ok(lines(&found)),
            Format::Table | Format::Csv | Format::Markdown => match as_output(&found) {
                Some(picked) => picked.rendered(format, terminal),
                None => Ok(lines(&found)),
            },
        }
    }
}

/// The crate's words in one line, without its drawing of where in the expression it is.
fn reason(error: &JmespathError) -> String {
    let words = error.reason.to_string();
    let place = error.offset + 1;
    format!("{} (at character {place})", text::sanitize_line(words.trim()))
}

/// Records, where that is what was picked.
fn as_output(found: &Value) -> Option<Output> {
    let (shape, objects): (Shape, Vec<&Map<String, Value>>) = match found {
        Value::Object(object) => (Shape::One, vec![object]),
        Value::Array(items) if !items.is_empty() => {
            (Shape::Many, items.iter().map(Value::as_object).collect::<Option<_>>()?)
        }
        _ => return None,
    };
    let mut fields: Vec<Cow<'static, str>> = Vec::new();
    for name in objects.iter().flat_map(|object| object.keys()) {
        if !fields.iter().any(|known| known == name) {
            fields.push(Cow::Owned(name.clone()));
        }
    }
    let record = |object: &&Map<String, Value>| Record {
        values: fields.iter().map(|name| object.get(&**name).cloned().unwrap_or_default()).collect(),
        ..Record::default()
    };
    let records = objects.iter().map(record).collect();
    // A name may be anything that the expression says.
    let fields = fields.iter().map(|name| Cow::Owned(text::sanitize_line(name))).collect();
    Some(Output { shape, fields, records, caption: None })
}

/// One line for each item, with tabs between the values in it; nothing at all for null.
fn lines(found: &Value) -> String {
    let line = |item: &Value| match item {
        Value::Array(values) => values.iter().map(cell).collect::<Vec<_>>().join("\t"),
        Value::Object(members) => members.values().map(cell).collect::<Vec<_>>().join("\t"),
        single => cell(single),
    };
    match found {
        Value::Null => String::new(),
        Value::Array(items) => items.iter().map(|item| line(item) + "\n").collect(),
        single => line(single) + "\n",
    }
}

fn cell(value: &Value) -> String {
    text::sanitize_line(&text_of(value))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_become_words_and_lines() {
        for (found, shown) in [
            (json!(null), ""),
            (json!("Power\tBI"), "Power BI\n"),
            (json!(3), "3\n"),
            (json!(["a", "b"]), "a\nb\n"),
            (json!([["a", 1], ["b", null]]), "a\t1\nb\t\n"),
            (json!([{"x": "a", "y": true}]), "a\ttrue\n"),
            (json!([]), ""),
        ] {
            assert_eq!(lines(&found), shown);
        }
    }

    #[test]
    fn a_mistake_is_wrong_usage_and_says_where() {
        let error = Query::parse("[?id==").err().expect("an error");
        assert_eq!(error.kind(), crate::error::ErrorKind::Usage);
        assert!(error.message().contains("at character"), "{error:?}");
    }
}
