//! What has to hold of a printed result, whatever it holds.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Output, json};
use crate::text::is_terminal_control;

/// What is printed as JSON reads back as so many objects with every member, and would do nothing to a terminal.
pub fn printed_whole(output: &Output) {
    let Ok(text) = json::render(output) else { panic!("{output:?}") };
    assert!(!text.chars().any(|character| character != '\n' && is_terminal_control(character)), "{text}");
    let Ok(read) = serde_json::from_str::<Value>(&text) else { panic!("{text}") };
    let read = if read.is_object() { vec![read] } else { read.as_array().cloned().unwrap_or_default() };
    assert_eq!(read.len(), output.records.len(), "{text}");
    for (read, record) in read.iter().zip(&output.records) {
        let Some(read) = read.as_object() else { panic!("{text}") };
        assert_eq!(read.len(), record.values.len() + record.extra.len(), "a member is missing: {text}");
        let known: BTreeSet<String> = read.values().map(Value::to_string).collect();
        for value in record.values.iter().chain(record.extra.values()) {
            assert!(known.contains(&value.to_string()), "{value} is missing: {text}");
        }
    }
}
