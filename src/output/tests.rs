use serde_json::json;

use super::*;

struct TestRecord(&'static str, Option<&'static str>);

impl Record for TestRecord {
    const FIELDS: &'static [&'static str] = &["id", "name"];
    const COLUMNS: &'static [(&'static str, Content)] =
        &[("ID", Content::Unbroken("id")), ("NAME", Content::Text("name"))];

    fn into_row(self) -> Row {
        let extra = json!({"addedLater": {"deep": [1]}, "name": "another meaning", "service.name": "a third"});
        Row { values: vec![self.0.into(), self.1.into()], extra: extra.as_object().cloned().unwrap_or_default() }
    }
}

/// Contains the special characters of every format.
const SPECIAL_CHARACTERS: &str = "a,\"b\"|c\td\r\ne\u{1b}[31m\u{9b}f\u{202e}`*<img>[x](y)\\";

#[test]
fn json_round_trips_without_control_characters() {
    let text = json::render(&Output::one(TestRecord("1", Some(SPECIAL_CHARACTERS)))).expect("json");
    assert!(!text.chars().any(|c| c != '\n' && crate::text::is_terminal_control(c)), "{text:?}");
    let value: Value = serde_json::from_str(&text).expect("json");
    assert_eq!(value["name"], SPECIAL_CHARACTERS);
}

#[test]
fn json_prefixes_members_named_like_a_field() {
    let value: Value =
        serde_json::from_str(&json::render(&Output::one(TestRecord("1", None))).expect("json")).expect("json");
    assert_eq!(value["addedLater"], json!({"deep": [1]}));
    assert_eq!((&value["name"], &value["service.name"]), (&Value::Null, &json!("another meaning")));
    assert_eq!(value["service.service.name"], "a third");
}

#[test]
fn csv_keeps_control_characters_only_for_files() {
    let output = Output::list([TestRecord("1", Some(SPECIAL_CHARACTERS))]);
    let text = delimited::csv(&output, false).expect("csv");
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let row = reader.records().next().expect("a row").expect("a row");
    assert_eq!((&row[0], &row[1]), ("1", SPECIAL_CHARACTERS));
    let text = delimited::csv(&output, true).expect("csv");
    assert!(!text.chars().any(|c| c != '\n' && crate::text::is_terminal_control(c)), "{text:?}");
}

#[test]
fn tsv_and_markdown_have_one_line_per_record() {
    let output = Output::list([TestRecord("1", Some(SPECIAL_CHARACTERS)), TestRecord("2", None)]);
    let tsv = delimited::tsv(&output);
    assert_eq!(tsv.lines().map(|line| line.matches('\t').count()).collect::<Vec<_>>(), [1, 1, 1]);
    let markdown = delimited::markdown(&output);
    assert_eq!(markdown.lines().count(), 4);
    assert!(markdown.contains(r#"a,"b"\|c d e"#) && markdown.contains(r"\`\*\<img\>\[x\](y)\\"), "{markdown}");
}

#[test]
fn empty_list_has_header_except_in_tables() {
    let output = Output::list(Vec::<TestRecord>::new());
    assert_eq!(json::render(&output).expect("json"), "[]\n");
    assert_eq!(delimited::csv(&output, false).expect("csv"), "id,name\n");
    assert_eq!(delimited::tsv(&output), "id\tname\n");
    assert_eq!(delimited::markdown(&output), "| id | name |\n| --- | --- |\n");
    assert_eq!(table::render(&output, None, false), "");
}

#[test]
fn table_too_narrow_wraps_text_at_spaces() {
    let output = Output::list([TestRecord("1", Some("some words that need much room")), TestRecord("2", None)]);
    let wrapped = "ID  NAME\n1   some words\n    that need\n    much room\n2\n";
    for width in [16, 15, 1] {
        assert_eq!(table::render(&output, Some(width), false), wrapped, "{width}");
    }
    let output = Output::one(TestRecord("1", Some("some words that need much room")));
    let lines = "id:    1\nname:  some words\n       that need\n       much room\n";
    assert_eq!(table::render(&output, Some(19), false), lines);
}

/// A record with a value, an outcome and an error.
struct Change(&'static str, &'static str, &'static str, Option<&'static str>);

impl Record for Change {
    const FIELDS: &'static [&'static str] = &["id", "name", "from", "to", "outcome", "error"];
    const COLUMNS: &'static [(&'static str, Content)] =
        &[("NAME", Content::SortedName), ("CHANGE", Content::Change("from", "to")), ("RESULT", Content::Outcome)];

    fn into_row(self) -> Row {
        let (name, to, outcome, error) = (self.0, self.1, self.2, self.3);
        let name = if name.is_empty() { Value::Null } else { name.into() };
        Row {
            values: vec!["ID".into(), name, "Enabled".into(), to.into(), outcome.into(), error.into()],
            ..Row::default()
        }
    }
}

#[test]
fn table_is_sorted_by_name_and_shows_id_without_name() {
    let changes = [
        Change("beta", "OnlyTrialsWithoutPaymentMethod", "failed", Some("no answer")),
        Change("", "enabled", "unchanged", None),
        Change("Alpha", "Someday", "changed", None),
    ];
    let text = table::render(&Output::list(changes), None, false);
    let expected = "\
NAME   CHANGE                 RESULT
Alpha  Enabled → Someday      changed
beta   Enabled → Trials only  failed: no answer
ID     Enabled                unchanged
";
    assert_eq!(text, expected);
}

#[test]
fn table_colors_outcomes_only() {
    let (green, red) = ("\u{1b}[1m\u{1b}[32mchanged\u{1b}[0m", "\u{1b}[1m\u{1b}[31mfailed\u{1b}[0m");
    let changes = || {
        [Change("changed", "failed", "changed", None), Change("failed", "Disabled", "failed", Some("it is unknown"))]
    };
    let text = table::render(&Output::list(changes()), None, true);
    assert!(text.contains(&format!("changed  Enabled → failed    {green}\n")), "{text:?}");
    assert!(text.ends_with(&format!("failed   Enabled → Disabled  {red}: it is unknown\n")), "{text:?}");
    let [change, _] = changes();
    let text = table::render(&Output::one(change), None, true);
    assert!(text.ends_with(&format!("{green}\n")) && text.matches("32m").count() == 1, "{text:?}");
}

#[test]
fn table_aligns_wide_characters() {
    let text =
        table::render(&Output::list([TestRecord("日本", Some("x")), TestRecord("abcd", Some("y"))]), None, false);
    assert_eq!(text, "ID    NAME\n日本  x\nabcd  y\n");
}

/// A word longer than any terminal width.
const LONG_WORD: &str = match str::from_utf8(&[b'x'; 500]) {
    Ok(text) => text,
    Err(_) => "",
};

#[test]
fn table_renders_at_any_width() {
    for name in ["日本語製品名プラン", "é ü ö ä é ü ö ä", "", " ", LONG_WORD] {
        for width in (1..40).chain([u16::MAX]) {
            for color in [false, true] {
                table::render(&Output::one(TestRecord("", Some(name))), Some(width), color);
                table::render(&Output::list([TestRecord("1", Some(name)), TestRecord("2", None)]), Some(width), color);
            }
        }
    }
}

#[test]
fn table_wraps_text_without_spaces() {
    let name: &str = "日本語の製品名前".repeat(9).leak();
    let list = Output::list([TestRecord("1", Some(name)), TestRecord("2", None)]);
    for output in [list, Output::one(TestRecord("1", Some(name)))] {
        let text = table::render(&output, Some(60), false);
        assert!(text.lines().all(|line| unicode_width::UnicodeWidthStr::width(line) <= 60), "{text}");
        assert_eq!(text.replace(char::is_whitespace, "").matches('語').count(), 9, "{text}");
    }
}

#[test]
fn table_of_one_record_has_bold_field_names() {
    let text = table::render(&Output::one(TestRecord("", Some("日本語"))), None, true);
    assert_eq!(text, "\u{1b}[1mname:\u{1b}[0m  日本語\n");
}

#[test]
fn table_too_narrow_keeps_ids_whole() {
    let ids = ["05fe0b58-dfdb-4c0a-b52d-c93aa694a301", "4eefb35e-c7fd-44bd-b0d9-925ceaeffe01"];
    let output = Output::list(ids.map(|id| TestRecord(id, Some("some words and https://example.com/path"))));
    for width in 1..100 {
        let text = table::render(&output, Some(width), false);
        assert!(ids.iter().all(|id| text.contains(id)), "{width}\n{text}");
        assert!(text.contains("https://example.com/path"), "{width}\n{text}");
        let limit = usize::from(width).max(36 + 2 + 24);
        assert!(text.lines().all(|line| line.len() <= limit), "{width}\n{text}");
    }
}
