//! Checks of an expression that need no data.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use jmespath::ast::Ast;
use jmespath::{DEFAULT_RUNTIME, ErrorReason, JmespathError, Rcvar, RuntimeError, Variable};
use serde_json::Value;

/// Larger steps of a slice overflow the index of the crate.
const MAX_STEP: u32 = 1 << 30;

/// The parts of an expression: `(text, quote)`, with the quotation mark if the text is within quotation marks.
fn split_quoted(expression: &str) -> Vec<(&str, Option<char>)> {
    let mut parts = Vec::new();
    let mut rest = expression;
    while let Some(start) = rest.find(['\'', '"', '`']) {
        let quote = rest[start..].chars().next();
        parts.push((&rest[..start], None));
        let mut is_escaped = false;
        let end = rest[start + 1..].find(|c| {
            let is_end = Some(c) == quote && !is_escaped;
            is_escaped = c == '\\' && !is_escaped;
            is_end
        });
        let end = end.map_or(rest.len(), |end| start + 1 + end + 1);
        parts.push((&rest[start..end], quote));
        rest = &rest[end..];
    }
    parts.push((rest, None));
    parts
}

/// Replaces the backquotes around text that is not JSON with single quotation marks, as `az` reads it. Keeps the
/// positions of all characters.
pub fn quote_plain_literals(expression: &str) -> String {
    let mut quoted = String::new();
    for (text, quote) in split_quoted(expression) {
        let content = text.strip_prefix('`').and_then(|text| text.strip_suffix('`')).filter(|_| quote == Some('`'));
        match content.map(|content| (content, content.trim_start())) {
            Some((content, plain))
                if !plain.contains(['\\', '\'', '"']) && serde_json::from_str::<Value>(content).is_err() =>
            {
                let _ = write!(quoted, "{}'{plain}'", &content[..content.len() - plain.len()]);
            }
            _ => quoted.push_str(text),
        }
    }
    quoted
}

/// The number of operators and opening brackets outside of quotation marks.
pub fn count_operators(expression: &str) -> usize {
    let unquoted = split_quoted(expression).into_iter().filter(|(_, quote)| quote.is_none());
    unquoted.map(|(text, _)| text.matches(['(', '[', '{', '!', '&', '|', '.', '*', '=', '<', '>']).count()).sum()
}

/// Checks the functions and slices of an expression, and collects the keys of its multi-select hashes.
pub fn inspect(ast: &Ast, expression: &str, hashes: &mut Vec<Vec<String>>) -> Result<(), JmespathError> {
    let children: Vec<&Ast> = match ast {
        Ast::Comparison { lhs, rhs, .. }
        | Ast::Projection { lhs, rhs, .. }
        | Ast::And { lhs, rhs, .. }
        | Ast::Or { lhs, rhs, .. }
        | Ast::Subexpr { lhs, rhs, .. }
        | Ast::Condition { predicate: lhs, then: rhs, .. } => vec![lhs, rhs],
        Ast::Expref { ast: node, .. }
        | Ast::Flatten { node, .. }
        | Ast::Not { node, .. }
        | Ast::ObjectValues { node, .. } => vec![node],
        Ast::Function { offset, name, args } => {
            check_call(name, args, expression, *offset)?;
            args.iter().collect()
        }
        Ast::MultiList { elements, .. } => elements.iter().collect(),
        Ast::MultiHash { elements, .. } => {
            let mut seen = BTreeSet::new();
            let keys = elements.iter().map(|pair| &pair.key).filter(|key| seen.insert(*key));
            hashes.push(keys.cloned().collect());
            elements.iter().map(|pair| &pair.value).collect()
        }
        Ast::Slice { step, offset, .. } if *step == 0 || step.unsigned_abs() > MAX_STEP => {
            let reason = ErrorReason::Runtime(RuntimeError::InvalidSlice);
            return Err(JmespathError::new(expression, *offset, reason));
        }
        Ast::Identity { .. } | Ast::Field { .. } | Ast::Index { .. } | Ast::Literal { .. } | Ast::Slice { .. } => {
            vec![]
        }
    };
    children.into_iter().try_for_each(|child| inspect(child, expression, hashes))
}

/// Fails if a function does not exist, has the wrong number of arguments, or if no data can give an argument the right
/// type. The crate does not publish the signatures, so this calls the function with a sample of each type.
fn check_call(name: &str, args: &[Ast], expression: &str, offset: usize) -> Result<(), JmespathError> {
    let mut context = jmespath::Context::new(expression, &DEFAULT_RUNTIME);
    context.offset = offset;
    let Some(function) = DEFAULT_RUNTIME.get_function(name) else {
        let reason = ErrorReason::Runtime(RuntimeError::UnknownFunction(name.to_owned()));
        return Err(JmespathError::from_ctx(&context, reason));
    };
    let mut values = vec![Rcvar::new(Variable::Null); args.len()];
    let arity_error = function.evaluate(&values, &mut context).err().filter(|error| {
        use RuntimeError::{NotEnoughArguments, TooManyArguments};
        matches!(error.reason, ErrorReason::Runtime(NotEnoughArguments { .. } | TooManyArguments { .. }))
    });
    arity_error.map_or(Ok(()), Err)?;
    for (index, arg) in args.iter().enumerate() {
        let samples = match arg {
            Ast::Literal { value, .. } => vec![Rcvar::clone(value)],
            Ast::Expref { .. } => vec![Rcvar::new(Variable::Expref(Ast::Identity { offset }))],
            _ => any_value(),
        };
        let mut type_error = None;
        for sample in samples {
            values[index] = sample;
            type_error = function.evaluate(&values, &mut context).err().filter(|error| {
                matches!(error.reason, ErrorReason::Runtime(RuntimeError::InvalidType { position, .. }) if position == index)
            });
            if type_error.is_none() {
                break;
            }
        }
        type_error.map_or(Ok(()), Err)?;
    }
    Ok(())
}

/// A value of each type that data can have.
fn any_value() -> Vec<Rcvar> {
    let empty_object = Variable::Object(BTreeMap::new());
    let types = [Variable::Null, Variable::Bool(true), Variable::Number(0.into()), Variable::String(String::new())];
    types.into_iter().chain([Variable::Array(Vec::new()), empty_object]).map(Rcvar::new).collect()
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;
    use crate::output::Query;

    #[test]
    fn parse_checks_functions_and_arguments() {
        for valid in [
            "sort_by(@, &name)[].[name, id]",
            "max_by(@, &length(name)).name",
            "map(&to_string(@), keys([0]))",
            "join(', ', [].name)",
            "merge(@, {a: `1`})",
            "not_null(a, b, `{\"c\": 1}`)",
            "contains('abc', name) || starts_with(name, 'a') || ends_with(name, \"id\")",
            "[avg(@), sum(@), min(@), max(@), abs(@), ceil(@), floor(@), to_number(@), to_array(@), values(@)]",
            "reverse(sort([].name))[1:10:-2]",
            "length(type(@))",
        ] {
            assert!(Query::parse(valid).is_ok(), "{valid}: {:?}", Query::parse(valid).err());
        }
        for invalid in [
            "items(@)",
            "[].Length(name)",
            "length()",
            "length(a, b)",
            "not_null()",
            "[?contains(name)]",
            "{a: [sum(@, @)]}",
            "sort_by(@, &abs())",
            "sort_by(@, name)",
            "map(name, @)",
            "abs('1')",
            "length(&name)",
            "join(`1`, @)",
            "sum(`[\"a\"]`)",
            "[::0]",
            "[1::2147483647]",
            "[1::-2147483647]",
        ] {
            assert!(Query::parse(invalid).is_err(), "{invalid}");
        }
    }

    #[test]
    fn parse_refuses_deep_expressions() {
        for (open, close) in [("(", ")"), ("[", "]"), ("{a:", "}"), ("!", ""), ("&", ""), ("length(", ")"), ("[?", "]")]
        {
            let expression = format!("{}@{}", open.repeat(100_000), close.repeat(100_000));
            assert!(Query::parse(&expression).is_err(), "{open}");
        }
        for operator in ["|@", "||a", "&&a", "==a", "<a", ".a", ".*", "[]", "[*]", "[0]", "[?a]", "[1:2]", ".{a:a}"] {
            assert!(Query::parse(&format!("a{}", operator.repeat(100_000))).is_err(), "{operator}");
            let expression = format!("a{}", operator.repeat(30));
            assert!(Query::parse(&expression).is_ok(), "{expression}");
        }
        let quoted = format!("[?name=='{0}' || \"{0}\" || `\"{0}\"` || name=='\\'{0}']", "(".repeat(400));
        assert!(Query::parse(&quoted).is_ok());
        assert!(Query::parse(&format!("a || '{}", "x|".repeat(400))).is_err());
    }

    #[test]
    fn literal_that_is_not_json_is_text() {
        for (expression, quoted) in [
            ("[?a==`Enabled`]", "[?a=='Enabled']"),
            ("[?a==` Power BI Pro`]", "[?a== 'Power BI Pro']"),
            ("`true` `1` `null` `[1]` `\"a\"`", "`true` `1` `null` `[1]` `\"a\"`"),
            ("'`a`' \"`a`\" '\\'`a`'", "'`a`' \"`a`\" '\\'`a`'"),
            ("`it's` `a\\`b` `a", "`it's` `a\\`b` `a"),
            ("``", "''"),
        ] {
            assert_eq!(quote_plain_literals(expression), quoted);
        }
    }

    const TOKENS: &[&str] = &[
        "[",
        "]",
        "[*]",
        "[]",
        "[?",
        "[0]",
        "[-1]",
        "[::-1]",
        "[1:-3:2]",
        "[-9:9]",
        "[:2147483646]",
        "[2147483646:]",
        "{",
        "}",
        "(",
        ")",
        ".",
        ".*",
        "*",
        "@",
        "&",
        "&&",
        "|",
        "||",
        "!",
        "==",
        "<",
        ">=",
        "!=",
        ",",
        ":",
        "a",
        "b",
        "name",
        "a:",
        "'x'",
        "`1`",
        "`-1.5e300`",
        "`null`",
        "`[3, 1, \"a\"]`",
        "`{\"a\": [1]}`",
        "``",
        "\"name\"",
        "abs(",
        "avg(",
        "ceil(",
        "contains(",
        "ends_with(",
        "floor(",
        "join(",
        "keys(",
        "length(",
        "map(&",
        "max(",
        "max_by(@, &",
        "merge(",
        "min(",
        "min_by(@, &",
        "not_null(",
        "reverse(",
        "sort(",
        "sort_by(@, &",
        "starts_with(",
        "sum(",
        "to_array(",
        "to_number(",
        "to_string(",
        "type(",
        "values(",
    ];

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2048, ..ProptestConfig::default() })]

        /// A panic would lose the result of a change.
        #[test]
        fn any_expression_is_parsed_and_evaluated_without_panic(tokens in vec(select(TOKENS), 1..10)) {
            let expression = tokens.concat();
            if let Ok(query) = Query::parse(&expression) {
                let data = serde_json::json!([
                    {"name": "Power BI Pro", "a": 1, "b": [1, 2.5, -3]},
                    {"name": null, "a": "x", "b": {"a": [[], {}]}},
                    [1, 2, 3],
                    ["x", "y"],
                    "text",
                ]);
                for part in data.as_array().into_iter().flatten().chain([&data]) {
                    let _ = query.select(part);
                }
            }
        }
    }
}
