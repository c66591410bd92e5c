use serde_json::json;

use super::*;

struct Named(&'static str, Option<&'static str>);

impl Row for Named {
    const FIELDS: &'static [&'static str] = &["id", "name"];

    fn record(self) -> Record {
        let extra = json!({"addedLater": {"deep": [1]}, "name": "another meaning", "service.name": "a third"});
        Record { values: vec![self.0.into(), self.1.into()], extra: extra.as_object().cloned().unwrap_or_default() }
    }
}

/// A name that tries everything at once.
const NASTY: &str = "a,\"b\"|c\td\r\ne\u{1b}[31m\u{9b}f\u{202e}`*<img>[x](y)\\";

#[test]
fn json_reads_back_as_the_same_text_and_steers_no_terminal() {
    let text = json::render(&Output::one(Named("1", Some(NASTY)))).expect("json");
    assert!(!text.chars().any(|c| c != '\n' && crate::text::is_terminal_control(c)), "{text:?}");
    let value: Value = serde_json::from_str(&text).expect("json");
    assert_eq!(value["name"], NASTY);
}

#[test]
fn json_keeps_members_without_a_field_under_their_names() {
    let value: Value =
        serde_json::from_str(&json::render(&Output::one(Named("1", None))).expect("json")).expect("json");
    assert_eq!(value["addedLater"], json!({"deep": [1]}));
    assert_eq!((&value["name"], &value["service.name"]), (&Value::Null, &json!("another meaning")));
    assert_eq!(value["service.service.name"], "a third");
}

#[test]
fn csv_keeps_the_text_for_a_file_and_steers_no_terminal() {
    let output = Output::many([Named("1", Some(NASTY))]);
    let text = delimited::csv(&output, false).expect("csv");
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let row = reader.records().next().expect("a row").expect("a row");
    assert_eq!((&row[0], &row[1]), ("1", NASTY));
    let shown = delimited::csv(&output, true).expect("csv");
    assert!(!shown.chars().any(|c| c != '\n' && crate::text::is_terminal_control(c)), "{shown:?}");
}

#[test]
fn tsv_and_markdown_have_one_line_a_record() {
    let output = Output::many([Named("1", Some(NASTY)), Named("2", None)]);
    let tsv = delimited::tsv(&output);
    assert_eq!(tsv.lines().map(|line| line.matches('\t').count()).collect::<Vec<_>>(), [1, 1, 1]);
    let markdown = markdown::render(&output);
    assert_eq!(markdown.lines().count(), 4);
    assert!(markdown.contains(r#"a,"b"\|c d e"#) && markdown.contains(r"\`\*\<img\>\[x\](y)\\"), "{markdown}");
}

#[test]
fn an_empty_list_has_a_header_where_programs_read_it() {
    let output = Output::many(Vec::<Named>::new());
    assert_eq!(json::render(&output).expect("json"), "[]\n");
    assert_eq!(delimited::csv(&output, false).expect("csv"), "id,name\n");
    assert_eq!(delimited::tsv(&output), "id\tname\n");
    assert_eq!(markdown::render(&output), "| id | name |\n| --- | --- |\n");
    assert_eq!(table::render(&output, None, false), "");
}

#[test]
fn a_narrow_table_moves_what_is_the_same_in_every_row_above_it() {
    let output = Output::many([Named("1", Some("same and rather long")), Named("2", Some("same and rather long"))]);
    assert_eq!(table::render(&output, Some(12), false), "name:\nsame and\nrather long\n\nid\n1\n2\n");
    assert!(table::render(&output, Some(80), false).starts_with("id  name\n"));
}

#[test]
fn wide_characters_keep_columns_aligned() {
    let text = table::render(&Output::many([Named("日本", Some("x")), Named("abcd", Some("y"))]), None, false);
    assert_eq!(text, "id    name\n日本  x\nabcd  y\n");
}

#[test]
fn no_width_and_no_name_breaks_a_table() {
    for name in ["日本語製品名プラン", "é ü ö ä é ü ö ä", "", " "] {
        for width in (1..40).chain([u16::MAX]) {
            for color in [false, true] {
                let one = Output::one(Named("", Some(name)));
                let many = Output::many([Named("1", Some(name)), Named("2", None)]);
                for output in [one, many] {
                    table::render(&output, Some(width), color);
                }
            }
        }
    }
}

#[test]
fn only_names_of_fields_are_bold_in_the_table_of_one_record() {
    let text = table::render(&Output::one(Named("", Some("日本語"))), None, true);
    assert_eq!(text, "\u{1b}[1mname\u{1b}[0m  日本語\n");
}

#[test]
fn an_id_to_copy_is_never_broken_by_a_narrow_terminal() {
    let ids = ["05fe0b58-dfdb-4c0a-b52d-c93aa694a301", "4eefb35e-c7fd-44bd-b0d9-925ceaeffe01"];
    let output = Output::many(ids.map(|id| Named(id, Some("some words that are many"))));
    for width in [40, 60, 80] {
        let text = table::render(&output, Some(width), false);
        assert!(ids.iter().all(|id| text.contains(id)), "{width}\n{text}");
        assert!(text.lines().all(|line| line.len() <= usize::from(width)), "{width}\n{text}");
    }
}

#[test]
fn a_long_text_for_which_a_column_would_be_too_narrow_stands_below_its_row() {
    let long = "what was found takes more than a few words to tell, and a name/that/is/long/and/never/broken";
    let output = Output::many([Named("a-rather-long-name.example", Some(long)), Named("b", None)]);
    let text = table::render(&output, Some(50), false);
    assert!(text.starts_with("id\na-rather-long-name.example\n  name  what was found takes"), "{text}");
    assert!(text.contains("name/that/is/long/and/never/broken") && text.ends_with("\nb\n"), "{text}");
    assert!(text.lines().all(|line| line.len() <= 50), "{text}");
    let wide = table::render(&output, Some(80), false);
    assert!(wide.starts_with("id                          name\n"), "{wide}");
}

#[test]
fn without_room_for_two_columns_a_value_stands_behind_its_name_or_below_it() {
    let output = Output::one(Named("1", Some("some words and AWordThatIsLonger")));
    assert_eq!(table::render(&output, Some(10), false), "id: 1\nname:\nsome words\nand\nAWordThatIsLonger\n");
}
