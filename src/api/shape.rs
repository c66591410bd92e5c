//! What a body looks like, for reports that strangers may read: its members and their types, rather than their values.

use serde_json::Value;

use crate::http::Response;
use crate::text::display_excerpt;

/// The service's own words in its refusals (microsoft-365-docs issues 4387 and 11065): their values may be told.
const WORDS: [&str; 2] = ["errorCode", "reason"];

/// Deeper members are not looked into.
const DEEPEST: usize = 3;

/// So many members of an object are told.
const MOST_MEMBERS: usize = 20;

/// The body's members and their types: `{errorCode: "Forbidden", reason: "…", traceId: string}`.
pub fn shape(answer: &Response) -> String {
    if answer.body.is_empty() {
        return "no body".to_owned();
    }
    match answer.json() {
        Some(body) => of_value(&body, 0),
        None => format!("{} bytes that are no JSON", answer.body.len()),
    }
}

fn of_value(value: &Value, depth: usize) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) => "boolean".to_owned(),
        Value::Number(_) => "number".to_owned(),
        Value::String(_) => "string".to_owned(),
        Value::Array(items) => match items.first() {
            Some(first) if depth < DEEPEST => {
                format!("array of {} such as {}", items.len(), of_value(first, depth + 1))
            }
            _ => format!("array of {}", items.len()),
        },
        Value::Object(members) if depth >= DEEPEST => format!("object of {}", members.len()),
        Value::Object(members) => {
            let told = members.iter().take(MOST_MEMBERS).map(|(name, value)| match value {
                Value::String(words) if WORDS.contains(&name.as_str()) => {
                    format!("{name}: \"{}\"", display_excerpt(words))
                }
                _ => format!("{}: {}", display_excerpt(name), of_value(value, depth + 1)),
            });
            let more = (members.len() > MOST_MEMBERS).then(|| "…".to_owned());
            format!("{{{}}}", told.chain(more).collect::<Vec<_>>().join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(body: &str) -> String {
        shape(&Response { body: body.as_bytes().to_vec().into(), ..Response::default() })
    }

    #[test]
    fn members_and_types_are_told_and_of_values_the_services_words_alone() {
        assert_eq!(
            of(r#"{"errorCode":"Forbidden","reason":"No role.","user":"admin@contoso.example","n":7,"ok":true}"#),
            r#"{errorCode: "Forbidden", n: number, ok: boolean, reason: "No role.", user: string}"#
        );
        assert_eq!(
            of(r#"{"error":{"code":"x","innerError":{"id":"y","deeper":{"z":"w"}}},"items":[{"id":"a"},{}]}"#),
            "{error: {code: string, innerError: {deeper: object of 1, id: string}}, items: array of 2 such as {id: string}}"
        );
    }

    #[test]
    fn other_bodies_are_told_by_their_size() {
        assert_eq!(of(""), "no body");
        assert_eq!(of("<html>secret</html>"), "19 bytes that are no JSON");
        assert_eq!(of("[]"), "array of 0");
        assert_eq!(of("\"words\""), "string");
    }

    #[test]
    fn an_odd_body_does_not_fill_the_report() {
        let many: Vec<String> = (0..99).map(|index| format!("\"m{index}\":1")).collect();
        assert_eq!(of(&format!("{{{}}}", many.join(","))).matches("number").count(), MOST_MEMBERS);
        assert!(of(&format!(r#"{{"reason":"{}","{}":1}}"#, "x".repeat(999), "y".repeat(999))).len() < 300);
        assert!(!of("{\"a\\u001b[2J\":1,\"reason\":\"\\u001b[2J\"}").contains('\u{1b}'));
    }
}
