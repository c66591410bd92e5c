//! What has to hold of the policy endpoint's answers, whatever they hold.

use reqwest::StatusCode;
use serde_json::{Map, Value};
use url::Url;

use super::client::{Page, within};
use super::error::ApiError;
use super::{Policy, ProductPolicy, Scope};
use crate::auth::Access;
use crate::fuzzing::printed;
use crate::http::Response;
use crate::output::Output;
use crate::output::proptests::assert_json_is_complete;

/// What is decoded keeps every member that came, and is printed as JSON that holds the same.
pub fn response(body: &[u8]) {
    let answer = Response { status: StatusCode::OK, body: body.to_vec().into(), ..Response::default() };
    let Some(json) = answer.json() else { return };
    one(&json);
    if let Some(page) = Page::decode(&answer, ProductPolicy::from_json) {
        let came = json["items"].as_array().map(Vec::as_slice).unwrap_or_default();
        assert_eq!(page.items.len(), came.len());
        came.iter().for_each(one);
        if let Some(link) = &page.next {
            stays_at_the_endpoint(link);
        }
        assert_json_is_complete(&Output::list(page.items));
    }
    if let Some(page) = Page::decode(&answer, Policy::from_json) {
        assert_json_is_complete(&Output::list(page.items));
    }
}

fn one(came: &Value) {
    if let Some(product) = ProductPolicy::from_json(came.clone()) {
        let names = match product.scope() {
            Some(Scope::Product) => ["policyId", "productId", "productName", "policyValue"],
            _ => ["policyId", "scopeId", "scopeValue", "policyValue"],
        };
        let values = [&product.policy_id, &product.id, &product.name, &product.value];
        is_whole(came, &names, &values, &["scope"], &product.extra);
        assert_json_is_complete(&Output::one(product));
    }
    if let Some(policy) = Policy::from_json(came.clone()) {
        let values = [&policy.id, &policy.description, &policy.default_value];
        is_whole(came, &["id", "description", "defaultValue"], &values, &[], &policy.extra);
        assert_json_is_complete(&Output::one(policy));
    }
}

/// Every member is either among the known values, as text, or unchanged among the others.
fn is_whole(came: &Value, names: &[&str], values: &[&Option<String>], read: &[&str], extra: &Map<String, Value>) {
    for (name, value) in names.iter().zip(values) {
        let expected = match came.get(name) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text.clone()),
            Some(other) => Some(other.to_string()),
        };
        assert_eq!(**value, expected, "{name}");
    }
    let Some(came) = came.as_object() else { panic!("{came} was decoded") };
    let others = came.iter().filter(|(name, _)| !names.contains(&name.as_str()) && !read.contains(&name.as_str()));
    assert_eq!(extra, &others.map(|(name, value)| (name.clone(), value.clone())).collect::<Map<_, _>>());
}

/// The access token goes to wherever a link leads.
fn stays_at_the_endpoint(link: &str) {
    let (Ok(endpoint), Ok(from)) = (
        Url::parse("https://service.example/base/"),
        Url::parse("https://service.example/base/v1.0/policies/P/products?scope=product"),
    ) else {
        return;
    };
    if let Some(to) = within(&endpoint, &from, link) {
        assert_eq!((to.scheme(), to.host_str(), to.port()), ("https", Some("service.example"), None), "{to}");
        assert_eq!((to.username(), to.password()), ("", None), "{to}");
    }
}

/// A refusal always tells the status and the correlation id, and never much of a body that is not the service's.
pub fn refusal(answer: &Response) {
    for purpose in [Access::Read, Access::Write] {
        let error = ApiError::new("could not do it", answer, "0-1-2").into_error(purpose);
        let words = error.details().next().unwrap_or_default();
        assert!(answer.json().is_some() || words.chars().count() <= 301, "{words}");
        let printed = printed(&error);
        assert!(printed.contains(answer.status.as_str()), "{printed}");
        assert!(printed.contains("correlation id: 0-1-2"), "{printed}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::properties::answer;
    use proptest::collection::{btree_map, vec};
    use proptest::prelude::*;
    use serde_json::json;

    /// Any JSON value, of little depth.
    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(2, 8, 3, |inner| {
            let objects = btree_map("[a-zA-Z.]{0,8}", inner.clone(), 0..3);
            prop_oneof![vec(inner, 0..3).prop_map(Value::from), objects.prop_map(|members| json!(members))]
        })
    }

    /// An item with members of the service's names, in any spelling of today and of some other day.
    fn item() -> impl Strategy<Value = Value> {
        let name = prop_oneof![
            Just("policyId"),
            Just("policyValue"),
            Just("scope"),
            Just("productId"),
            Just("productName"),
            Just("scopeId"),
            Just("scopeValue"),
            Just("id"),
            Just("name"),
            Just("service.id"),
            Just("defaultValue"),
        ]
        .prop_map(str::to_owned);
        let value = prop_oneof![Just(json!("product")), Just(json!("OfferType")), Just(json!("Enabled")), any_json()];
        btree_map(prop_oneof![4 => name, 1 => any::<String>()], value, 0..8).prop_map(|members| json!(members))
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 128, ..ProptestConfig::default() })]

        #[test]
        fn nothing_that_the_service_says_is_lost(items in vec(item(), 0..4), link in any::<String>()) {
            for item in &items {
                response(item.to_string().as_bytes());
            }
            response(json!({"items": items, "nextLink": link}).to_string().as_bytes());
        }

        #[test]
        fn any_document_is_decoded_whole_or_not_at_all(document in any_json(), bytes in vec(any::<u8>(), 0..64)) {
            response(document.to_string().as_bytes());
            response(&bytes);
        }

        #[test]
        fn any_refusal_of_the_service_is_told_harmlessly(
            status in 100_u16..1000,
            code in any_json(),
            reason in any::<String>(),
            repeated in 1_usize..5000,
        ) {
            let body = json!({"errorCode": code, "reason": reason.repeat(repeated)});
            refusal(&answer(format!("{status}\n{body}").as_bytes()));
            refusal(&answer(format!("{status}\n{reason}").as_bytes()));
            refusal(&answer(format!("{status}\n{}", json!({"error": body})).as_bytes()));
        }
    }
}
