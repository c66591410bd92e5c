//! CSV and TSV, for spreadsheets and for `cut` and `awk`.

use super::Output;
use crate::error::{Error, Result};
use crate::text;

/// Comma-separated values. A file gets the text as it is; a terminal gets no control characters.
pub fn csv(output: &Output, for_terminal: bool) -> Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(output.fields.iter().map(|name| name.as_bytes())).map_err(Error::from_source)?;
    for row in output.rows() {
        let row: Vec<String> = if for_terminal { row.iter().map(|cell| text::sanitize(cell)).collect() } else { row };
        writer.write_record(&row).map_err(Error::from_source)?;
    }
    let bytes = writer.into_inner().map_err(|error| Error::from_source(error.into_error()))?;
    String::from_utf8(bytes).map_err(Error::from_source)
}

/// Tab-separated values: one line a record, so that tabs and line ends in a value become spaces.
pub fn tsv(output: &Output) -> String {
    let mut lines = output.fields.join("\t") + "\n";
    for row in output.rows() {
        let cells: Vec<String> = row.iter().map(|cell| text::sanitize_line(cell)).collect();
        lines.push_str(&cells.join("\t"));
        lines.push('\n');
    }
    lines
}
