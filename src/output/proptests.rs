//! Property checks of the output for arbitrary input.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Output, json};
use crate::text::is_terminal_control;

/// Panics unless the JSON has one object per record with all members, and no terminal control characters.
pub fn assert_json_is_complete(output: &Output) {
    let Ok(text) = json::render(output) else { panic!("{output:?}") };
    assert!(!text.chars().any(|character| character != '\n' && is_terminal_control(character)), "{text}");
    let Ok(parsed) = serde_json::from_str::<Value>(&text) else { panic!("{text}") };
    let objects = if parsed.is_object() { vec![parsed] } else { parsed.as_array().cloned().unwrap_or_default() };
    assert_eq!(objects.len(), output.rows.len(), "{text}");
    for (object, row) in objects.iter().zip(&output.rows) {
        let Some(members) = object.as_object() else { panic!("{text}") };
        assert_eq!(members.len(), row.values.len() + row.extra.len(), "a member is missing: {text}");
        let printed: BTreeSet<String> = members.values().map(Value::to_string).collect();
        for value in row.values.iter().chain(row.extra.values()) {
            assert!(printed.contains(&value.to_string()), "{value} is missing: {text}");
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::{btree_map, vec};
    use proptest::prelude::*;
    use serde_json::Map;

    use super::*;
    use crate::output::{Content, Row, table};

    fn any_value() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
            vec(any::<String>(), 0..3).prop_map(Value::from),
        ]
    }

    /// Response members, some with the name of a field.
    fn any_extra() -> impl Strategy<Value = Map<String, Value>> {
        let name = prop_oneof!["(service\\.){0,3}(id|name)", any::<String>()];
        btree_map(name, any_value(), 0..6).prop_map(|members| members.into_iter().collect())
    }

    fn any_row() -> impl Strategy<Value = Row> {
        (vec(any_value(), 2), any_extra()).prop_map(|(values, extra)| Row { values, extra })
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 128, ..ProptestConfig::default() })]

        #[test]
        fn json_of_any_records_is_complete(rows in vec(any_row(), 0..4)) {
            let fields = vec!["id".to_owned(), "name".to_owned()];
            let single = rows.len() == 1;
            assert_json_is_complete(&Output { single, fields, columns: Vec::new(), rows, caption: None });
        }

        #[test]
        fn table_of_any_records_renders_at_any_width(rows in vec(any_row(), 0..4), width in 1_u16..120) {
            let fields = vec!["id".to_owned(), "name".to_owned()];
            for single in [false, rows.len() == 1] {
                for columns in [Vec::new(), vec![("NAME", Content::SortedName), ("ID", Content::Unbroken("id"))]] {
                    let (fields, rows) = (fields.clone(), rows.clone());
                    let output = Output { single, fields, columns, rows, caption: None };
                    table::render(&output, Some(width), true);
                }
            }
        }
    }
}
