//! Property checks for responses of the policy endpoint. The fuzz targets also run them.

use reqwest::StatusCode;
use serde_json::{Map, Value};
use url::Url;

use super::error::ApiError;
use super::page::{Page, resolve_next_link};
use super::{Policy, ProductPolicy, Scope};
use crate::auth::Access;
use crate::http::Response;
use crate::output::Output;
use crate::output::proptests::assert_json_is_complete;
use crate::ui::format_error_checked;

/// Panics unless the parsed resources and their JSON output have every field of the body.
pub fn check_response(body: &[u8]) {
    let response = Response { status: StatusCode::OK, body: body.to_vec().into(), ..Response::default() };
    let Some(json) = response.json() else { return };
    check_resource(&json);
    if let Some(page) = Page::parse(&response, ProductPolicy::from_json) {
        let items = json["items"].as_array().map(Vec::as_slice).unwrap_or_default();
        assert_eq!(page.items.len(), items.len());
        items.iter().for_each(check_resource);
        if let Some(link) = &page.next {
            check_next_link(link);
        }
        assert_json_is_complete(&Output::list(page.items));
    }
    if let Some(page) = Page::parse(&response, Policy::from_json) {
        assert_json_is_complete(&Output::list(page.items));
    }
}

fn check_resource(resource: &Value) {
    if let Some(product) = ProductPolicy::from_json(resource.clone()) {
        let names = match product.scope() {
            Some(Scope::Product) => ["policyId", "productId", "productName", "policyValue"],
            _ => ["policyId", "scopeId", "scopeValue", "policyValue"],
        };
        let values = [&product.policy_id, &product.id, &product.name, &product.value];
        check_members(resource, &names, &values, &["scope"], &product.extra);
        assert_json_is_complete(&Output::one(product));
    }
    if let Some(policy) = Policy::from_json(resource.clone()) {
        let values = [&policy.id, &policy.description, &policy.default_value];
        check_members(resource, &["id", "description", "defaultValue"], &values, &[], &policy.extra);
        assert_json_is_complete(&Output::one(policy));
    }
}

/// Panics unless every field is either a known value as text or an unchanged extra field.
fn check_members(
    resource: &Value,
    names: &[&str],
    values: &[&Option<String>],
    parsed: &[&str],
    extra: &Map<String, Value>,
) {
    for (name, value) in names.iter().zip(values) {
        let expected = match resource.get(name) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text.clone()),
            Some(other) => Some(other.to_string()),
        };
        assert_eq!(**value, expected, "{name}");
    }
    let Some(members) = resource.as_object() else { panic!("{resource} is not an object") };
    let others = members.iter().filter(|(name, _)| !names.contains(&name.as_str()) && !parsed.contains(&name.as_str()));
    assert_eq!(extra, &others.map(|(name, value)| (name.clone(), value.clone())).collect::<Map<_, _>>());
}

/// Panics if a next link would send the access token to another origin, or outside the endpoint's path.
fn check_next_link(link: &str) {
    let (Ok(endpoint), Ok(from)) = (
        Url::parse("https://service.example/base/"),
        Url::parse("https://service.example/base/v1.0/policies/P/products?scope=product"),
    ) else {
        return;
    };
    if let Some(to) = resolve_next_link(&endpoint, &from, link) {
        assert_eq!((to.scheme(), to.host_str(), to.port()), ("https", Some("service.example"), None), "{to}");
        assert_eq!((to.username(), to.password()), ("", None), "{to}");
        assert!(to.path().starts_with("/base/"), "{to}");
    }
}

/// Panics unless the error contains the status and the correlation ID, and at most 301 characters of a non-JSON body.
pub fn check_error(response: &Response) {
    for access in [Access::Read, Access::Write] {
        let error = ApiError::new("could not do it", response).into_error(access);
        let message = error.details().next().unwrap_or_default();
        assert!(response.json().is_some() || message.chars().count() <= 301, "{message}");
        let printed = format_error_checked(&error);
        assert!(printed.contains(response.status.as_str()), "{printed}");
        assert!(printed.contains("correlation ID: 0-1-2"), "{printed}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::proptests::parse_response;
    use proptest::collection::{btree_map, vec};
    use proptest::prelude::*;
    use serde_json::json;

    /// Generates JSON values of limited depth.
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

    /// Generates items with field names of the service and arbitrary values.
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
        fn decoded_items_keep_every_member(items in vec(item(), 0..4), link in any::<String>()) {
            for item in &items {
                check_response(item.to_string().as_bytes());
            }
            check_response(json!({"items": items, "nextLink": link}).to_string().as_bytes());
        }

        #[test]
        fn arbitrary_document_is_decoded_completely_or_rejected(document in any_json(), bytes in vec(any::<u8>(), 0..64)) {
            check_response(document.to_string().as_bytes());
            check_response(&bytes);
        }

        #[test]
        fn any_error_body_prints_status_and_correlation_id(
            status in 100_u16..1000,
            code in any_json(),
            reason in any::<String>(),
            repeated in 1_usize..5000,
        ) {
            let body = json!({"errorCode": code, "reason": reason.repeat(repeated)});
            check_error(&parse_response(format!("{status}\n{body}").as_bytes()));
            check_error(&parse_response(format!("{status}\n{reason}").as_bytes()));
            check_error(&parse_response(format!("{status}\n{}", json!({"error": body})).as_bytes()));
        }
    }
}
