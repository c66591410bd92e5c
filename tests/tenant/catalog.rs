//! The catalogs of the simulated tenants.

use serde_json::{Map, Value};

/// A product or an offer type.
#[derive(Debug, Clone)]
pub struct Product {
    pub id: String,
    pub name: String,
    /// Its `policyValue`.
    pub value: String,
    /// Additional fields of the item. They replace known fields of the same name.
    pub extra: Map<String, Value>,
}

impl Product {
    /// A product without additional fields.
    pub fn new(id: &str, name: &str, value: &str) -> Self {
        Self { id: id.to_owned(), name: name.to_owned(), value: value.to_owned(), extra: Map::new() }
    }

    /// Adds a field.
    #[must_use]
    pub fn with(mut self, member: &str, value: impl Into<Value>) -> Self {
        self.extra.insert(member.to_owned(), value.into());
        self
    }
}

const ENABLED: &str = "Enabled";
const DISABLED: &str = "Disabled";
const TRIALS: &str = "OnlyTrialsWithoutPaymentMethod";

/// Id, name, value in the home tenant, value in the customer's tenant \[ids and names: article-2024\].
const PRODUCTS: [[&str; 4]; 17] = [
    ["CFQ7TTC0LH2H", "Power Apps per user", ENABLED, DISABLED],
    ["CFQ7TTC0LH3L", "Power Automate per user", ENABLED, DISABLED],
    ["CFQ7TTC0LSGZ", "Power Automate RPA", DISABLED, DISABLED],
    ["CFQ7TTC0H6RP", "Power BI Premium (standalone)", DISABLED, ENABLED],
    ["CFQ7TTC0H9MP", "Power BI Pro", ENABLED, DISABLED],
    ["CFQ7TTC0HDB1", "Planner Plan 1", TRIALS, ENABLED],
    ["CFQ7TTC0HDB0", "Project Plan 3", ENABLED, ENABLED],
    ["CFQ7TTC0HD33", "Visio Plan 1", DISABLED, TRIALS],
    ["CFQ7TTC0HD32", "Visio Plan 2", DISABLED, ENABLED],
    ["CFQ7TTC0N8SS", "Clipchamp Premium", ENABLED, DISABLED],
    ["CFQ7TTC0MM8R", "Microsoft 365 Copilot", DISABLED, TRIALS],
    ["CFQ7TTC0LH05", "Microsoft 365 F3", ENABLED, DISABLED],
    ["CFQ7TTC0N8SL", "Microsoft Purview Discovery", ENABLED, ENABLED],
    ["CFQ7TTC0S3X1", "Python in Excel", ENABLED, DISABLED],
    ["CFQ7TTC0J1FV", "Teams Exploratory", TRIALS, DISABLED],
    ["CFQ7TTC0RM8K", "Teams Premium Introductory Pricing", ENABLED, DISABLED],
    ["CFQ7TTC0PW0V", "Viva Goals", ENABLED, ENABLED],
];

/// Id, name, value in the home tenant, value in the customer's tenant \[ids and names: article-2024\].
const OFFER_TYPES: [[&str; 4]; 4] = [
    ["SaaS", "Software as a Service", ENABLED, DISABLED],
    ["POWERBIVISUALS", "Power BI Visuals", ENABLED, ENABLED],
    ["DYNAMICSCE", "Dynamics 365 Dataverse Apps", DISABLED, ENABLED],
    ["DYNAMICSBC", "Dynamics 365 Business Central", DISABLED, DISABLED],
];

/// The default products of the home tenant.
pub fn default_products() -> Vec<Product> {
    PRODUCTS.iter().map(|[id, name, home, _]| Product::new(id, name, home)).collect()
}

/// The default offer types of the home tenant.
pub fn default_offer_types() -> Vec<Product> {
    OFFER_TYPES.iter().map(|[id, name, home, _]| Product::new(id, name, home)).collect()
}

/// The products of the customer's tenant.
pub(super) fn customer_products() -> Vec<Product> {
    PRODUCTS.iter().map(|[id, name, _, customer]| Product::new(id, name, customer)).collect()
}

/// The offer types of the customer's tenant.
pub(super) fn customer_offer_types() -> Vec<Product> {
    OFFER_TYPES.iter().map(|[id, name, _, customer]| Product::new(id, name, customer)).collect()
}
