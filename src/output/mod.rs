//! Renders the result of a command in one of five formats. Field names are the same in every format.
//!
//! This module returns text; the caller prints it.

mod delimited;
mod json;
#[cfg(any(fuzzing, test))]
pub mod proptests;
mod query;
mod records;
mod table;

use clap::ValueEnum;
use serde_json::{Map, Value};

use crate::error::{Error, Result};
pub use json::render as render_json;
pub use query::Query;

/// The first field of a list that covers several tenants.
const TENANT_ID: &str = "tenantId";

/// Output format.
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

/// Properties of the output destination.
#[derive(Clone, Copy, Debug, Default)]
pub struct RenderOptions {
    /// Width of the terminal in columns. `None` for unlimited width.
    pub width: Option<u16>,
    /// Whether to add ANSI color sequences.
    pub color: bool,
    /// Whether the destination is a terminal. CSV keeps control characters otherwise.
    pub for_terminal: bool,
}

/// A type that is printed as a record.
pub trait Record {
    /// The field names, in output order.
    const FIELDS: &'static [&'static str];
    /// The columns of a list in a table, with their headers. They depend neither on the data nor on the terminal. If
    /// empty, the fields are the columns.
    const COLUMNS: &'static [(&'static str, Content)] = &[];

    fn into_row(self) -> Row;
}

/// What a table column shows of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// A field as it is; wraps at spaces.
    Text(&'static str),
    /// A field that never wraps: IDs and times.
    Unbroken(&'static str),
    /// The name of the item, or its ID without one.
    Name,
    /// As `Name`, and the rows are sorted by it, ignoring case.
    SortedName,
    /// The scope of the item.
    Scope,
    /// A field with a policy value.
    Value(&'static str),
    /// The fields with the values before and after a change.
    Change(&'static str, &'static str),
    /// The outcome, followed by the error if there is one.
    Outcome,
    /// The kind of drift.
    Drift,
    /// The start of the ID of a run, which is enough to name it.
    Run,
}

/// The content of one record.
#[derive(Clone, Debug, Default)]
pub struct Row {
    /// One value per field, in the same order.
    pub values: Vec<Value>,
    /// Response members without a field. Only JSON contains them.
    pub extra: Map<String, Value>,
}

/// A rendered result.
#[derive(Debug)]
pub struct Rendered {
    pub text: String,
    /// Why the query could not be evaluated. If set, `text` is the whole result as JSON.
    pub query_error: Option<Error>,
}

/// The result of a command.
#[derive(Clone, Debug)]
pub struct Output {
    /// Whether the result is a single record, not a list: JSON prints an object instead of an array.
    single: bool,
    fields: Vec<String>,
    /// The columns of a list in a table. If empty, the fields are the columns.
    columns: Vec<(&'static str, Content)>,
    rows: Vec<Row>,
    /// A sentence that describes the records. Only for Markdown, where the table is part of a document.
    caption: Option<String>,
}

impl Output {
    /// Creates a result with a single record.
    pub fn one<R: Record>(record: R) -> Self {
        Self { single: true, ..Self::list([record]) }
    }

    /// Creates a result with a list of records.
    pub fn list<R: Record>(records: impl IntoIterator<Item = R>) -> Self {
        let fields = R::FIELDS.iter().map(ToString::to_string).collect();
        let rows = records.into_iter().map(R::into_row).collect();
        Self { single: false, fields, columns: R::COLUMNS.to_vec(), rows, caption: None }
    }

    /// Creates a list of records of several tenants, with the tenant ID as the first field.
    pub fn with_tenants<R: Record>(records: impl IntoIterator<Item = (String, R)>) -> Self {
        let (tenant_ids, records): (Vec<String>, Vec<R>) = records.into_iter().unzip();
        let mut output = Self::list(records);
        output.fields.insert(0, TENANT_ID.to_owned());
        output.columns.insert(0, ("TENANT", Content::Unbroken(TENANT_ID)));
        for (row, tenant_id) in output.rows.iter_mut().zip(tenant_ids) {
            row.values.insert(0, Value::from(tenant_id));
        }
        output
    }

    /// Adds a table column with the scope of each item, before its ID.
    pub fn with_scope_column(mut self) -> Self {
        let position = self.columns.iter().position(|(_, content)| *content == Content::Unbroken("id"));
        self.columns.insert(position.unwrap_or(self.columns.len()), ("TYPE", Content::Scope));
        self
    }

    /// Sets the sentence that describes the records.
    pub fn with_caption(self, caption: &str) -> Self {
        Self { caption: Some(caption.to_owned()), ..self }
    }

    /// Renders the result, or the part that a query selects.
    ///
    /// If the query cannot be evaluated on this result, renders the whole result as JSON, because it may report changes
    /// that were made.
    pub fn render(&self, format: Format, query: Option<&Query>, options: RenderOptions) -> Result<Rendered> {
        let (text, query_error) = match query.map(|query| query.apply(self, format, options)) {
            None => (self.render_records(format, options)?, None),
            Some(Ok(text)) => (text, None),
            Some(Err(error)) => (self.render_records(Format::Json, options)?, Some(error)),
        };
        Ok(Rendered { text, query_error })
    }

    fn render_records(&self, format: Format, options: RenderOptions) -> Result<String> {
        Ok(match format {
            Format::Table => table::render(self, options.width, options.color),
            Format::Json => json::render(self)?,
            Format::Csv => delimited::csv(self, options.for_terminal)?,
            Format::Tsv => delimited::tsv(self),
            Format::Markdown => delimited::markdown(self),
        })
    }

    /// The cells of each row as text.
    fn cells(&self) -> impl Iterator<Item = Vec<String>> {
        self.rows.iter().map(|row| row.values.iter().map(cell_text).collect())
    }
}

/// Formats a value as text: null as an empty string, a list separated by commas.
fn cell_text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(cell_text).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests;
