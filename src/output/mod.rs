//! The result of a command as text in one of five formats. A field has the same name in every format.
//!
//! This module renders; the caller prints.

mod delimited;
mod json;
#[cfg(any(fuzzing, test))]
pub mod proptests;
mod query;
mod records;
mod table;

use clap::ValueEnum;
use serde_json::{Map, Value};

use crate::error::Result;
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

/// Properties of the destination that the text depends on.
#[derive(Clone, Copy, Debug, Default)]
pub struct RenderOptions {
    /// Columns of the terminal. `None` if lines have no limit.
    pub width: Option<u16>,
    /// Whether to add escape sequences for color.
    pub color: bool,
    /// Whether a terminal shows the text. CSV for a file keeps control characters.
    pub for_terminal: bool,
}

/// A type that is printed as a record.
pub trait Record {
    /// The names of the fields, in order.
    const FIELDS: &'static [&'static str];

    fn into_row(self) -> Row;
}

/// The content of one record.
#[derive(Clone, Debug, Default)]
pub struct Row {
    /// One value for each field, in the same order.
    pub values: Vec<Value>,
    /// Members of the response that have no field. Only JSON shows them.
    pub extra: Map<String, Value>,
}

/// The result of a command.
#[derive(Clone, Debug)]
pub struct Output {
    /// Whether the result is one record by its nature: an object in JSON instead of an array.
    single: bool,
    fields: Vec<String>,
    rows: Vec<Row>,
    /// A sentence that describes the records. Only Markdown shows it, because there the table stands among other text.
    caption: Option<String>,
}

impl Output {
    /// A result that is a single record.
    pub fn one<R: Record>(record: R) -> Self {
        Self { single: true, ..Self::list([record]) }
    }

    /// A result that is a list, with any number of records.
    pub fn list<R: Record>(records: impl IntoIterator<Item = R>) -> Self {
        let fields = R::FIELDS.iter().map(ToString::to_string).collect();
        Self { single: false, fields, rows: records.into_iter().map(R::into_row).collect(), caption: None }
    }

    /// A list of records of several tenants. The tenant ID becomes the first field.
    pub fn with_tenants<R: Record>(records: impl IntoIterator<Item = (String, R)>) -> Self {
        let (tenant_ids, records): (Vec<String>, Vec<R>) = records.into_iter().unzip();
        let mut output = Self::list(records);
        output.fields.insert(0, TENANT_ID.to_owned());
        for (row, tenant_id) in output.rows.iter_mut().zip(tenant_ids) {
            row.values.insert(0, Value::from(tenant_id));
        }
        output
    }

    /// Adds a sentence that describes the records.
    pub fn with_caption(self, caption: &str) -> Self {
        Self { caption: Some(caption.to_owned()), ..self }
    }

    /// Renders the result, or what a query selects from it.
    ///
    /// Fails if the query cannot be evaluated on this result.
    pub fn render(&self, format: Format, query: Option<&Query>, options: RenderOptions) -> Result<String> {
        match query {
            Some(query) => query.apply(self, format, options),
            None => self.render_records(format, options),
        }
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

    /// The values of one field as text.
    fn column(&self, index: usize) -> impl Iterator<Item = String> {
        self.rows.iter().map(move |row| row.values.get(index).map(cell_text).unwrap_or_default())
    }

    /// The cells of each row as text.
    fn cells(&self) -> impl Iterator<Item = Vec<String>> {
        self.rows.iter().map(|row| row.values.iter().map(cell_text).collect())
    }
}

/// A value as text: nothing for null, lists separated by commas.
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
