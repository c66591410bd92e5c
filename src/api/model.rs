//! The resources of the endpoint: policies, and the settings of products and offer types under a policy.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::value::PolicyValue;
use crate::text::{comparison_key, sanitize_line, truncate};

/// In characters. Longer than any name that Microsoft uses.
const MAX_SHOWN_NAME: usize = 100;

/// A policy for products and offer types. The only one in public use is `AllowSelfServicePurchase`.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    pub id: Option<String>,
    pub description: Option<String>,
    /// The default value of new products. It is read-only and stays `Enabled` even if every product is disabled
    /// (microsoft-365-docs issue 830).
    pub default_value: Option<String>,
    /// Unknown fields, kept for JSON output.
    pub extra: Map<String, Value>,
}

impl Policy {
    /// Parses the body of `GET /v1.0/policies/P`, or one item of `GET /v1.0/policies`.
    pub fn from_json(body: Value) -> Option<Self> {
        let Value::Object(mut members) = body else { return None };
        Some(Self {
            id: take_string(&mut members, "id"),
            description: take_string(&mut members, "description"),
            default_value: take_string(&mut members, "defaultValue"),
            extra: members,
        })
    }

    /// Whether the object has no field of a policy, and is therefore not a policy.
    pub fn is_empty(&self) -> bool {
        self.id.is_none() && self.default_value.is_none()
    }
}

/// The scope of a policy setting: a Microsoft product, or an offer type of other publishers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Scope {
    Product,
    OfferType,
}

impl Scope {
    /// Every scope, products first.
    pub const ALL: [Self; 2] = [Self::Product, Self::OfferType];

    /// Parses the service's name of a scope, ignoring case. Returns `None` for an unknown scope.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| text.eq_ignore_ascii_case(scope.as_str()))
    }

    /// The name of an item in messages, in the singular.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Product => "product",
            Self::OfferType => "offer type",
        }
    }

    /// The name in output and in state files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Product => "product",
            Self::OfferType => "offerType",
        }
    }

    /// The value of the `scope` query parameter of lists (MSCommerce module: default `product`).
    pub const fn query_value(self) -> &'static str {
        match self {
            Self::Product => "product",
            Self::OfferType => "OfferType",
        }
    }

    /// Whether the service accepts `value` in this scope. Only products support trials (article of 2024-10-10).
    pub fn accepts(self, value: PolicyValue) -> bool {
        self == Self::Product || value != PolicyValue::OnlyTrialsWithoutPaymentMethod
    }
}

/// The setting of one product or offer type under a policy.
#[derive(Clone, Debug, PartialEq)]
pub struct ProductPolicy {
    pub policy_id: Option<String>,
    /// The scope, as in [`Scope::as_str`]. An unknown scope keeps the service's spelling.
    pub scope: String,
    pub id: Option<String>,
    pub name: Option<String>,
    /// The setting, in the service's spelling. Unknown values are kept unchanged.
    pub value: Option<String>,
    /// Unknown fields, kept for JSON output.
    pub extra: Map<String, Value>,
}

impl ProductPolicy {
    /// Parses an item. Products have `productId` and `productName`, other scopes `scopeId` and `scopeValue`
    /// (MSCommerce module, `Get-MSCommerceProductPolicies`).
    pub fn from_json(body: Value) -> Option<Self> {
        let Value::Object(mut members) = body else { return None };
        let scope = match take_string(&mut members, "scope") {
            Some(scope) => Scope::parse(&scope).map_or(scope, |known| known.as_str().to_owned()),
            None if members.contains_key("scopeId") => Scope::OfferType.as_str().to_owned(),
            None => Scope::Product.as_str().to_owned(),
        };
        let is_product = Scope::parse(&scope) == Some(Scope::Product);
        let (id, name) = if is_product { ("productId", "productName") } else { ("scopeId", "scopeValue") };
        Some(Self {
            policy_id: take_string(&mut members, "policyId"),
            id: take_string(&mut members, id),
            name: take_string(&mut members, name),
            value: take_string(&mut members, "policyValue"),
            scope,
            extra: members,
        })
    }

    /// Whether the object has no field of a product policy, and is therefore not one.
    pub fn is_empty(&self) -> bool {
        self.id.is_none() && self.value.is_none()
    }

    /// The scope. `None` if it is unknown.
    pub fn scope(&self) -> Option<Scope> {
        Scope::parse(&self.scope)
    }

    /// The target for requests. `None` if the item has no ID or an unknown scope.
    pub fn target(&self) -> Option<Target> {
        Some(Target::new(self.scope()?, self.id.clone()?))
    }

    /// Whether `text` equals the ID or the name, as [`comparison_key`].
    pub fn matches_id_or_name(&self, text: &str) -> bool {
        let text = comparison_key(text);
        let matches = |field: &Option<String>| field.as_ref().is_some_and(|field| comparison_key(field) == text);
        matches(&self.id) || matches(&self.name)
    }

    /// The name. `None` if there is none, or nothing to see of it.
    pub fn visible_name(&self) -> Option<&str> {
        self.name.as_deref().filter(|name| !comparison_key(name).is_empty())
    }

    /// The key of the order by name, or by ID without one.
    pub fn sort_key(&self) -> String {
        comparison_key(self.visible_name().or(self.id.as_deref()).unwrap_or_default())
    }

    /// The name and the ID in one line, for messages.
    pub fn label(&self) -> String {
        let name = self.visible_name().map(|name| truncate(name, MAX_SHOWN_NAME));
        let label = match (name, self.id.clone()) {
            (Some(name), Some(id)) => format!("{name} ({id})"),
            (Some(only), None) | (None, Some(only)) => only,
            (None, None) => "a product without ID and name".to_owned(),
        };
        sanitize_line(&label)
    }
}

/// Whether `text` is a product ID: twelve letters and digits that begin with `CFQ7`, in any case.
pub fn is_product_id(text: &str) -> bool {
    let has_prefix = text.get(..4).is_some_and(|prefix| prefix.eq_ignore_ascii_case("CFQ7"));
    has_prefix && text.len() == 12 && text.chars().all(|c| c.is_ascii_alphanumeric())
}

/// A product or offer type to request. Comparisons ignore the case of IDs.
#[derive(Clone, Debug)]
pub struct Target {
    pub scope: Scope,
    pub id: String,
}

impl Target {
    pub fn new(scope: Scope, id: impl Into<String>) -> Self {
        Self { scope, id: id.into() }
    }

    fn comparison_key(&self) -> (Scope, String) {
        (self.scope, self.id.to_lowercase())
    }
}

impl PartialEq for Target {
    fn eq(&self, other: &Self) -> bool {
        self.comparison_key() == other.comparison_key()
    }
}

impl Eq for Target {}

impl PartialOrd for Target {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Target {
    fn cmp(&self, other: &Self) -> Ordering {
        self.comparison_key().cmp(&other.comparison_key())
    }
}

impl Hash for Target {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.comparison_key().hash(state);
    }
}

impl fmt::Display for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.scope.label(), crate::text::truncate(&self.id, 80))
    }
}

/// Removes a field, keeps the order of the others, and returns it as text. Other types than strings are converted to
/// JSON, so that no data is lost.
fn take_string(members: &mut Map<String, Value>, name: &str) -> Option<String> {
    match members.shift_remove(name)? {
        Value::Null => None,
        Value::String(text) => Some(text),
        other => Some(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn product_scope_in_any_case_reads_product_id() {
        let item = ProductPolicy::from_json(json!({"policyId": "P", "policyValue": "Enabled", "scope": "pRODUCT",
            "productId": "CFQ7TTC0H9MP", "productName": "Power BI Pro", "newMember": {"a": 1}}))
        .expect("an object");
        assert_eq!((item.scope(), item.scope.as_str()), (Some(Scope::Product), "product"));
        assert_eq!(item.label(), "Power BI Pro (CFQ7TTC0H9MP)");
        assert_eq!(item.extra, json!({"newMember": {"a": 1}}).as_object().expect("object").clone());
    }

    #[test]
    fn other_scopes_read_scope_id() {
        let item = ProductPolicy::from_json(
            json!({"policyValue": "Someday", "scope": "Bundle", "scopeId": "B1", "scopeValue": "A bundle"}),
        )
        .expect("an object");
        assert_eq!((item.scope(), item.scope.as_str()), (None, "Bundle"));
        assert_eq!((item.id.as_deref(), item.name.as_deref()), (Some("B1"), Some("A bundle")));
        assert_eq!(item.value.as_deref(), Some("Someday"));
    }

    #[test]
    fn non_string_member_becomes_json_text() {
        let item =
            ProductPolicy::from_json(json!({"scope": "product", "policyValue": {"until": 2030}})).expect("object");
        assert_eq!(item.value.as_deref(), Some(r#"{"until":2030}"#));
        assert!(ProductPolicy::from_json(json!("text")).is_none());
    }

    #[test]
    fn target_comparison_ignores_case_of_id() {
        let target = Target::new(Scope::Product, "CFQ7");
        assert_eq!(target, Target::new(Scope::Product, "cfq7"));
        assert_ne!(target, Target::new(Scope::OfferType, "CFQ7"));
    }
}
