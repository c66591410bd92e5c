//! What the endpoint speaks of: policies, and what a policy says of a product or an offer type.

use std::fmt;

use serde_json::{Map, Value};

/// A policy that products are subject to. The only one in public use is `AllowSelfServicePurchase`.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    pub id: Option<String>,
    pub description: Option<String>,
    /// What a product gets when it is new. Read-only: it stays `Enabled` even where every product is disabled
    /// (microsoft-365-docs issue 830).
    pub default_value: Option<String>,
    /// Members that this version does not know.
    pub extra: Map<String, Value>,
}

impl Policy {
    /// Decodes the body of `GET /v1.0/policies/P`, or one item of `GET /v1.0/policies`.
    pub fn decode(body: Value) -> Option<Self> {
        let Value::Object(mut members) = body else { return None };
        Some(Self {
            id: take(&mut members, "id"),
            description: take(&mut members, "description"),
            default_value: take(&mut members, "defaultValue"),
            extra: members,
        })
    }

    /// Whether this says nothing of a policy: some other object came instead.
    pub fn is_blank(&self) -> bool {
        self.id.is_none() && self.default_value.is_none()
    }
}

/// Whether a setting is for a product of Microsoft's or for a kind of other sellers' offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    Product,
    OfferType,
    /// A scope that this version does not know, in the service's spelling.
    Other(String),
}

impl Scope {
    fn from_wire(scope: String) -> Self {
        if scope.eq_ignore_ascii_case("product") {
            Self::Product
        } else if scope.eq_ignore_ascii_case("offertype") {
            Self::OfferType
        } else {
            Self::Other(scope)
        }
    }

    /// The value of the listing's `scope` parameter (MSCommerce module: `product` is its default).
    pub fn query_value(&self) -> &str {
        match self {
            Self::Product => "product",
            Self::OfferType => "OfferType",
            Self::Other(scope) => scope,
        }
    }
}

impl Scope {
    /// Whether the value can be asked for: trials are for products only (article of 2024-10-10).
    pub fn takes(&self, value: PolicyValue) -> bool {
        *self == Self::Product || value.fits_offer_types()
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Product => "product",
            Self::OfferType => "offerType",
            Self::Other(scope) => scope,
        })
    }
}

/// What the policy says of one product or offer type.
#[derive(Clone, Debug, PartialEq)]
pub struct ProductPolicy {
    pub policy_id: Option<String>,
    pub scope: Scope,
    pub id: Option<String>,
    pub name: Option<String>,
    /// The setting in the service's spelling; values that this version does not know are kept as they are.
    pub value: Option<String>,
    /// Members that this version does not know.
    pub extra: Map<String, Value>,
}

impl ProductPolicy {
    /// Decodes an item. A product is named by `productId` and `productName`, anything else by `scopeId` and
    /// `scopeValue` (MSCommerce module, `Get-MSCommerceProductPolicies`).
    pub fn decode(body: Value) -> Option<Self> {
        let Value::Object(mut members) = body else { return None };
        let scope = match take(&mut members, "scope") {
            Some(scope) => Scope::from_wire(scope),
            None if members.contains_key("scopeId") => Scope::OfferType,
            None => Scope::Product,
        };
        let (id, name) = match scope {
            Scope::Product => ("productId", "productName"),
            _ => ("scopeId", "scopeValue"),
        };
        Some(Self {
            policy_id: take(&mut members, "policyId"),
            id: take(&mut members, id),
            name: take(&mut members, name),
            value: take(&mut members, "policyValue"),
            scope,
            extra: members,
        })
    }

    /// Whether this says nothing of a product or an offer type: some other object came instead.
    pub fn is_blank(&self) -> bool {
        self.id.is_none() && self.value.is_none()
    }

    /// What requests name it by; `None` where the service gave no id, or a scope that no path is known for.
    pub fn target(&self) -> Option<Target> {
        let id = self.id.clone()?;
        match self.scope {
            Scope::Product => Some(Target::Product(id)),
            Scope::OfferType => Some(Target::OfferType(id)),
            Scope::Other(_) => None,
        }
    }

    /// Whether `words` are the id or the whole name, without regard to case.
    pub fn matches_id_or_name(&self, words: &str) -> bool {
        let words = words.trim().to_lowercase();
        let is = |text: &Option<String>| text.as_ref().is_some_and(|text| text.trim().to_lowercase() == words);
        is(&self.id) || is(&self.name)
    }

    /// The name and the id in one line, for messages.
    pub fn label(&self) -> String {
        let label = match (&self.name, &self.id) {
            (Some(name), Some(id)) => format!("{name} ({id})"),
            (Some(only), None) | (None, Some(only)) => only.clone(),
            (None, None) => "a product without id and name".to_owned(),
        };
        crate::text::sanitize_line(&label)
    }
}

/// What a setting can be told to become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyValue {
    /// People may buy and try the product.
    Enabled,
    /// People may neither buy nor try the product.
    Disabled,
    /// People may try the product where the trial needs no payment method. Products only (article of 2024-10-10).
    OnlyTrialsWithoutPaymentMethod,
}

impl PolicyValue {
    const ALL: [(Self, &'static [&'static str]); 3] = [
        (Self::Enabled, &["enabled"]),
        (Self::Disabled, &["disabled"]),
        (
            Self::OnlyTrialsWithoutPaymentMethod,
            &["only-trials-without-payment-method", "trials", "OnlyTrialsWithoutPaymentMethod"],
        ),
    ];

    /// Reads a value as people write it: this tool's words or the service's own, without regard to case.
    pub fn parse(text: &str) -> Result<Self, String> {
        let fits = |(_, words): &&(Self, &[&str])| words.iter().any(|word| word.eq_ignore_ascii_case(text.trim()));
        Self::ALL.iter().find(fits).map(|(value, _)| *value).ok_or_else(|| {
            "the values are enabled, disabled and only-trials-without-payment-method (short: trials)".to_owned()
        })
    }

    /// The service's spelling.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enabled => "Enabled",
            Self::Disabled => "Disabled",
            Self::OnlyTrialsWithoutPaymentMethod => "OnlyTrialsWithoutPaymentMethod",
        }
    }

    /// Whether an offer type can take the value: trials are for products only (article of 2024-10-10).
    pub fn fits_offer_types(self) -> bool {
        self != Self::OnlyTrialsWithoutPaymentMethod
    }

    /// Whether the service's word means this value.
    pub fn is(self, wire: Option<&str>) -> bool {
        wire.is_some_and(|wire| wire.eq_ignore_ascii_case(self.as_str()))
    }
}

/// One product or offer type, as the service's paths name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    Product(String),
    OfferType(String),
}

impl Target {
    /// The id alone.
    pub fn id(&self) -> &str {
        match self {
            Self::Product(id) | Self::OfferType(id) => id,
        }
    }

    /// The scope alone.
    pub fn scope(&self) -> Scope {
        match self {
            Self::Product(_) => Scope::Product,
            Self::OfferType(_) => Scope::OfferType,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Product(id) => write!(formatter, "product {}", crate::text::truncate(id, 80)),
            Self::OfferType(id) => write!(formatter, "offer type {}", crate::text::truncate(id, 80)),
        }
    }
}

/// Takes a member as text. A member that is no string any more is shown as its JSON, so that nothing is lost.
fn take(members: &mut Map<String, Value>, name: &str) -> Option<String> {
    match members.remove(name)? {
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
    fn a_product_is_named_by_its_product_id_whatever_the_case_of_its_scope() {
        let item = ProductPolicy::decode(json!({"policyId": "P", "policyValue": "Enabled", "scope": "pRODUCT",
            "productId": "CFQ7TTC0H9MP", "productName": "Power BI Pro", "newMember": {"a": 1}}))
        .expect("an object");
        assert_eq!(item.scope, Scope::Product);
        assert_eq!(item.label(), "Power BI Pro (CFQ7TTC0H9MP)");
        assert_eq!(item.extra, json!({"newMember": {"a": 1}}).as_object().expect("object").clone());
    }

    #[test]
    fn anything_else_is_named_by_its_scope_id() {
        let item = ProductPolicy::decode(
            json!({"policyValue": "Someday", "scope": "Bundle", "scopeId": "B1", "scopeValue": "A bundle"}),
        )
        .expect("an object");
        assert_eq!(item.scope, Scope::Other("Bundle".into()));
        assert_eq!((item.id.as_deref(), item.name.as_deref()), (Some("B1"), Some("A bundle")));
        assert_eq!(item.value.as_deref(), Some("Someday"));
    }

    #[test]
    fn members_that_change_their_type_are_shown_as_json() {
        let item = ProductPolicy::decode(json!({"scope": "product", "policyValue": {"until": 2030}})).expect("object");
        assert_eq!(item.value.as_deref(), Some(r#"{"until":2030}"#));
        assert!(ProductPolicy::decode(json!("text")).is_none());
    }

    #[test]
    fn values_are_read_in_every_spelling() {
        for word in ["trials", "TRIALS", "only-trials-without-payment-method", "onlytrialswithoutpaymentmethod"] {
            assert_eq!(PolicyValue::parse(word), Ok(PolicyValue::OnlyTrialsWithoutPaymentMethod), "{word}");
        }
        assert_eq!(PolicyValue::parse("eNABLED"), Ok(PolicyValue::Enabled));
        assert!(PolicyValue::parse("off").is_err());
    }
}
