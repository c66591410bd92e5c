//! Ids, tenants, request lines and response bodies that several tests use.

/// Power BI Pro: enabled in the simulated home tenant.
pub(crate) const POWER_BI: &str = "CFQ7TTC0H9MP";
/// The former id of [`POWER_BI`].
pub(crate) const OLD_POWER_BI: &str = "CFQ7TTC0L3PB";
/// Visio Plan 1.
pub(crate) const VISIO: &str = "CFQ7TTC0HD33";
/// Visio Plan 2.
pub(crate) const VISIO_2: &str = "CFQ7TTC0HD32";
/// Planner Plan 1.
pub(crate) const PLANNER: &str = "CFQ7TTC0HDB1";
/// Microsoft 365 Copilot.
pub(crate) const COPILOT: &str = "CFQ7TTC0MM8R";

/// The value that permits trials only.
pub(crate) const TRIALS: &str = "OnlyTrialsWithoutPaymentMethod";

/// A second customer's tenant. Tests add it with [`crate::tenant::SimulatedTenant::add_tenant`].
pub(crate) const THIRD_TENANT: &str = "33333333-3333-4333-8333-333333333333";
/// A domain of [`THIRD_TENANT`].
pub(crate) const THIRD_DOMAIN: &str = "tailspin.example";
/// A tenant that does not exist.
pub(crate) const UNKNOWN_TENANT: &str = "99999999-9999-4999-8999-999999999999";

pub(crate) const FORMATS: [&str; 5] = ["table", "json", "csv", "tsv", "markdown"];

/// The note below the product list of the simulated home tenant.
pub(crate) const LIST_NOTE: &str = "17 products: 10 enabled, 5 disabled, 2 trials only\n";

/// The request line of the product list.
pub(crate) const LIST_PRODUCTS: &str = "GET /v1.0/policies/AllowSelfServicePurchase/products?scope=product";
/// The request line of the list of offer types.
pub(crate) const LIST_OFFER_TYPES: &str = "GET /v1.0/policies/AllowSelfServicePurchase/products?scope=OfferType";
/// The request line of a token request at the home tenant.
pub(crate) const HOME_TOKEN: &str = "POST /11111111-1111-4111-8111-111111111111/oauth2/v2.0/token";
/// The request line of a token request that names no tenant.
pub(crate) const ORGANIZATIONS_TOKEN: &str = "POST /organizations/oauth2/v2.0/token";

/// A product list with one product, enabled.
pub(crate) const PRODUCT_LIST: &str = r#"{"items":[{"policyId":"AllowSelfServicePurchase","policyValue":"Enabled","scope":"Product","productId":"CFQ7TTC0H9MP","productName":"Power BI Pro"}]}"#;
/// An empty product list.
pub(crate) const EMPTY_LIST: &str = r#"{"items":[]}"#;
/// The product of [`PRODUCT_LIST`].
pub(crate) const ENABLED_PRODUCT: &str = r#"{"policyId":"AllowSelfServicePurchase","policyValue":"Enabled","scope":"Product","productId":"CFQ7TTC0H9MP","productName":"Power BI Pro"}"#;
/// The same product, disabled.
pub(crate) const DISABLED_PRODUCT: &str = r#"{"policyId":"AllowSelfServicePurchase","policyValue":"Disabled","scope":"Product","productId":"CFQ7TTC0H9MP","productName":"Power BI Pro"}"#;
/// The page of a captive portal.
pub(crate) const CAPTIVE_PORTAL_PAGE: &str =
    "<!DOCTYPE html>\n<html><head><title>Airport Wi-Fi</title></head><body>Welcome! Accept the terms.</body></html>";

/// The request line that updates a product.
pub(crate) fn put_product(id: &str) -> String {
    format!("PUT /v1.0/policies/AllowSelfServicePurchase/products/{id}")
}

/// The request line that reads a product.
pub(crate) fn get_product(id: &str) -> String {
    format!("GET /v1.0/policies/AllowSelfServicePurchase/products/{id}")
}
