//! Property checks of the history parser for arbitrary input.

use super::History;

/// Panics unless each line round-trips or is reported as invalid.
pub fn check_history(file: &[u8]) {
    // Fails for a newer version only.
    let Ok(history) = History::parse(file, usize::MAX) else { return };
    let lines = file.split(|byte| *byte == b'\n').count();
    assert!(history.invalid_lines.is_sorted_by(|one, next| one < next));
    assert!(history.invalid_lines.last().is_none_or(|last| (1..=lines).contains(last)));
    assert!(history.entries.len() + history.invalid_lines.len() <= lines);
    let mut written = Vec::new();
    for entry in &history.entries {
        let Ok(line) = serde_json::to_vec(entry) else { panic!("{entry:?} cannot be written") };
        assert!(!line.contains(&b'\n'), "{entry:?}");
        written.extend_from_slice(&line);
        written.push(b'\n');
    }
    let Ok(parsed) = History::parse(&written[..], usize::MAX) else { panic!("bytes in memory can be read") };
    assert_eq!((parsed.entries, parsed.invalid_lines), (history.entries, Vec::new()));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::option;
    use proptest::prelude::*;
    use proptest::sample::select;
    use serde_json::json;

    fn line() -> impl Strategy<Value = String> {
        let times = vec!["2026-01-01T00:00:00Z", "2026-12-31T23:59:60Z", "-0001-01-01T00:00:00-23:59", "yesterday"];
        let time = select(times);
        let entry = (time, any::<String>(), option::of(any::<String>()), option::of(any::<String>())).prop_map(
            |(time, id, name, from)| {
                json!({"version": 2, "outcome": "changed", "time": time, "run": "r", "tenantId": name, "account": from, "policyId": "P", "scope": "product",
                    "id": id, "name": name, "from": from, "to": "Disabled", "correlationId": name, "undoes": from})
                .to_string()
            },
        );
        prop_oneof![4 => entry, 1 => any::<String>(), 1 => Just(String::new())]
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn every_line_round_trips_or_is_invalid(lines in vec(line(), 0..5)) {
            check_history(lines.join("\n").as_bytes());
        }
    }
}
