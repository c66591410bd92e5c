//! Property checks of the baseline parser for arbitrary input.

use serde_json::Map;

use super::{Baseline, FileFormat, ProductPolicy};
use crate::plan::export;
use crate::ui::format_error_checked;

/// Panics unless the file round-trips through export and parsing, or its error contains the file name and the line.
pub fn check_baseline(file: &[u8]) {
    for format in [FileFormat::Toml, FileFormat::Json] {
        match Baseline::from_bytes("the-file", file, format) {
            Ok(baseline) => check_round_trip(&baseline),
            Err(error) => check_error_location(&format_error_checked(&error), file),
        }
    }
}

fn check_round_trip(baseline: &Baseline) {
    let settings = |baseline: &Baseline| {
        let entries = baseline.entries.iter().map(|entry| (format!("{:?}", entry.target), entry.value.clone()));
        let mut entries: Vec<_> = entries.collect();
        entries.sort();
        entries
    };
    let listed = baseline.entries.iter().map(|entry| ProductPolicy {
        policy_id: None,
        scope: entry.target.scope.as_str().to_owned(),
        id: Some(entry.target.id.clone()),
        name: Some(entry.value.clone()),
        value: Some(entry.value.clone()),
        extra: Map::new(),
    });
    let listed: Vec<_> = listed.collect();
    let policy = baseline.policy.as_ref().map_or("P", |(policy, _)| policy);
    for format in [FileFormat::Toml, FileFormat::Json] {
        let Ok(exported) = export(policy, listed.clone(), format) else { panic!("{baseline:?} cannot be exported") };
        assert!(exported.skipped.is_empty(), "{:?}", exported.skipped);
        let parsed = match Baseline::parse("the-file", &exported.text, format) {
            Ok(parsed) => parsed,
            Err(error) => panic!("{error:?}: {}", exported.text),
        };
        assert_eq!(settings(&parsed), settings(baseline), "{}", exported.text);
        assert_eq!(parsed.policy.map(|(policy, _)| policy).as_deref(), Some(policy));
    }
    // The current value of an item is always valid.
    if let Err(error) = baseline.compare(listed) {
        panic!("a tenant fails its own baseline: {error:?}");
    }
}

fn check_error_location(printed: &str, file: &[u8]) {
    let lines = file.split(|byte| *byte == b'\n').count();
    let Some(location) = printed.strip_prefix("error: the-file") else { panic!("no file name: {printed}") };
    let without_line = [" is empty\n", " is not UTF-8 text\n", " contains no products", ": not a JSON object\n"];
    if without_line.iter().any(|message| location.starts_with(message)) {
        return;
    }
    let line = location.strip_prefix(':').and_then(|location| location.split_once(": ")?.0.parse::<usize>().ok());
    assert!(line.is_some_and(|line| (1..=lines).contains(&line)), "no line of {lines}: {printed}");
    assert!(printed.chars().count() < 1500, "{printed}");
}
