//! The result of a command, and its five forms. One record has the same field names in every form.

mod delimited;
mod json;
mod markdown;
mod marks;
mod narrow;
#[cfg(any(fuzzing, test))]
pub mod properties;
mod query;
mod records;
mod table;

use std::borrow::Cow;

use clap::ValueEnum;
use serde_json::{Map, Value};

use crate::error::Result;
use crate::ui::Ui;
pub use query::Query;

/// The field that records of several tenants begin with.
const TENANT_ID: &str = "tenantId";

/// The form in which a result is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people: aligned columns.
    #[default]
    Table,
    /// An object, or an array of objects.
    Json,
    /// Comma-separated values with a header row; text as it is.
    Csv,
    /// Tab-separated values with a header row, one line a record.
    Tsv,
    /// A table for a job summary or an issue.
    Markdown,
}

/// One record: the values of the result's fields, in order, and members of the service that have no field.
#[derive(Clone, Debug, Default)]
pub struct Record {
    pub values: Vec<Value>,
    pub extra: Map<String, Value>,
}

/// Something that can be shown as a record.
pub trait Row {
    /// The names of the fields, in order.
    const FIELDS: &'static [&'static str];

    fn record(self) -> Record;
}

/// Whether a command's result is by its nature one record or a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    One,
    Many,
}

/// The result of a command.
#[derive(Clone, Debug)]
pub struct Output {
    shape: Shape,
    fields: Vec<Cow<'static, str>>,
    records: Vec<Record>,
    /// A sentence that says what the records are; Markdown shows it, for there it stands among other texts.
    caption: Option<String>,
}

impl Output {
    /// A result that is one record: an object in JSON.
    pub fn one<R: Row>(row: R) -> Self {
        Self { shape: Shape::One, fields: named(R::FIELDS), records: vec![row.record()], caption: None }
    }

    /// A result that is a list, be it of one record or none: an array in JSON.
    pub fn many<R: Row>(rows: impl IntoIterator<Item = R>) -> Self {
        let records = rows.into_iter().map(R::record).collect();
        Self { shape: Shape::Many, fields: named(R::FIELDS), records, caption: None }
    }

    /// A list of records of several tenants, each beginning with the id of its own.
    pub fn over_tenants<R: Row>(rows: impl IntoIterator<Item = (String, R)>) -> Self {
        let records = rows.into_iter().map(|(tenant_id, row)| {
            let mut record = row.record();
            record.values.insert(0, Value::from(tenant_id));
            record
        });
        let (records, mut fields) = (records.collect(), named(R::FIELDS));
        fields.insert(0, Cow::Borrowed(TENANT_ID));
        Self { shape: Shape::Many, fields, records, caption: None }
    }

    /// The same with a sentence that says what the records are.
    pub fn with_caption(mut self, caption: &str) -> Self {
        self.caption = Some(caption.to_owned());
        self
    }

    /// Prints the result, or what a query picks from it, on standard output.
    pub fn print(&self, format: Format, query: Option<&Query>, terminal: &Ui) -> Result<()> {
        let text = match query {
            Some(query) => query.picked(self, format, terminal)?,
            None => self.rendered(format, terminal)?,
        };
        terminal.print(&text)
    }

    fn rendered(&self, format: Format, terminal: &Ui) -> Result<String> {
        let facts = terminal.tty();
        Ok(match format {
            Format::Table => table::render(self, facts.width, terminal.colors_stdout()),
            Format::Json => json::render(self)?,
            Format::Csv => delimited::csv(self, facts.stdout)?,
            Format::Tsv => delimited::tsv(self),
            Format::Markdown => markdown::render(self),
        })
    }

    /// The values of one field as text.
    fn column(&self, index: usize) -> impl Iterator<Item = String> {
        self.records.iter().map(move |record| record.values.get(index).map(text_of).unwrap_or_default())
    }

    /// The records as rows of text.
    fn rows(&self) -> impl Iterator<Item = Vec<String>> {
        self.records.iter().map(|record| record.values.iter().map(text_of).collect())
    }
}

fn named(fields: &[&'static str]) -> Vec<Cow<'static, str>> {
    fields.iter().map(|name| Cow::Borrowed(*name)).collect()
}

/// A value as text: nothing for null, lists separated by commas.
fn text_of(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(text_of).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests;
