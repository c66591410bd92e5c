//! The products of the benchmark server.

use std::sync::Arc;

use serde_json::json;

/// The values of the products, and the list response.
pub(crate) struct Catalog {
    values: Vec<String>,
    /// Kept until a value changes, so that a list costs the server only the time to send it.
    list: Option<Arc<[u8]>>,
}

impl Catalog {
    pub(crate) fn new(count: usize) -> Self {
        Self { values: vec!["Enabled".to_owned(); count], list: None }
    }

    pub(crate) fn set_all(&mut self, value: &str) {
        self.values.fill(value.to_owned());
        self.list = None;
    }

    pub(crate) fn is_all(&self, value: &str) -> bool {
        self.values.iter().all(|current| current == value)
    }

    /// Updates one product and returns the response body, or `None` if the product does not exist.
    pub(crate) fn update(&mut self, id: &str, value: &str) -> Option<Vec<u8>> {
        let index = id.strip_prefix("CFQ7TTC").and_then(|number| number.parse::<usize>().ok())?;
        value.clone_into(self.values.get_mut(index)?);
        self.list = None;
        Some(product(index, value).to_string().into_bytes())
    }

    /// Returns the body of the list response.
    pub(crate) fn list(&mut self) -> Arc<[u8]> {
        let values = &self.values;
        let list = self.list.get_or_insert_with(|| {
            let items: Vec<_> = values.iter().enumerate().map(|(index, value)| product(index, value)).collect();
            json!({ "items": items }).to_string().into_bytes().into()
        });
        Arc::clone(list)
    }
}

fn product(index: usize, value: &str) -> serde_json::Value {
    json!({
        "policyId": "AllowSelfServicePurchase",
        "policyValue": value,
        "scope": "Product",
        "productId": format!("CFQ7TTC{index:05}"),
        "productName": format!("Product with a name of usual length {index}"),
    })
}
