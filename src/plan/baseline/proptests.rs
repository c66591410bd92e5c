//! What has to hold of baseline files, whatever they hold.

use serde_json::Map;

use super::{Baseline, FileFormat, ProductPolicy};
use crate::fuzzing::printed;
use crate::plan::export;

/// A file is refused with its name and, where one is wrong, the line; or it can be written down and reads the same.
pub fn baseline(file: &[u8]) {
    for format in [FileFormat::Toml, FileFormat::Json] {
        match Baseline::from_bytes("the-file", file, format) {
            Ok(baseline) => survives_being_written(&baseline),
            Err(error) => names_the_place(&printed(&error), file),
        }
    }
}

fn survives_being_written(baseline: &Baseline) {
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
        let Ok(exported) = export(policy, listed.clone(), format) else { panic!("{baseline:?} cannot be written") };
        assert!(exported.skipped.is_empty(), "{:?}", exported.skipped);
        let again = match Baseline::parse("the-file", &exported.text, format) {
            Ok(again) => again,
            Err(error) => panic!("{error:?}: {}", exported.text),
        };
        assert_eq!(settings(&again), settings(baseline), "{}", exported.text);
        assert_eq!(again.policy.map(|(policy, _)| policy).as_deref(), Some(policy));
    }
    // Comparing may find a value wrong, and then says where.
    if let Err(error) = baseline.compare(listed) {
        panic!("a tenant is not as its own baseline says: {error:?}");
    }
}

fn names_the_place(printed: &str, file: &[u8]) {
    let lines = file.split(|byte| *byte == b'\n').count();
    let Some(place) = printed.strip_prefix("error: the-file") else { panic!("the file is not named: {printed}") };
    let whole = [" is empty\n", " is not UTF-8 text\n", " names no product", ": it is not a JSON object\n"];
    if whole.iter().any(|words| place.starts_with(words)) {
        return;
    }
    let line = place.strip_prefix(':').and_then(|place| place.split_once(": ")?.0.parse::<usize>().ok());
    assert!(line.is_some_and(|line| (1..=lines).contains(&line)), "no line of {lines} is named: {printed}");
    assert!(printed.chars().count() < 1500, "{printed}");
}
