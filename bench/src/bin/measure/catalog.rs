//! What the server lists, and what changes of it do.

use std::sync::Arc;

use serde_json::json;

/// So many products, and the list of them as it is sent.
pub(crate) struct Catalog {
    values: Vec<String>,
    /// Kept until a change, so that a listing costs the server nothing but sending it.
    list: Option<Arc<[u8]>>,
}

impl Catalog {
    pub(crate) fn new(count: usize) -> Self {
        Self { values: vec!["Enabled".to_owned(); count], list: None }
    }

    /// Gives every product this value.
    pub(crate) fn set_all(&mut self, value: &str) {
        self.values.fill(value.to_owned());
        self.list = None;
    }

    /// Whether every product has this value.
    pub(crate) fn is_all(&self, value: &str) -> bool {
        self.values.iter().all(|held| held == value)
    }

    /// Changes one product; the answer is the product as it is now.
    pub(crate) fn change(&mut self, id: &str, value: &str) -> Option<Vec<u8>> {
        let at = id.strip_prefix("CFQ7TTC").and_then(|number| number.parse::<usize>().ok())?;
        value.clone_into(self.values.get_mut(at)?);
        self.list = None;
        Some(item(at, value).to_string().into_bytes())
    }

    pub(crate) fn list(&mut self) -> Arc<[u8]> {
        let values = &self.values;
        let list = self.list.get_or_insert_with(|| {
            let items: Vec<_> = values.iter().enumerate().map(|(at, value)| item(at, value)).collect();
            json!({ "items": items }).to_string().into_bytes().into()
        });
        Arc::clone(list)
    }
}

fn item(at: usize, value: &str) -> serde_json::Value {
    json!({
        "policyId": "AllowSelfServicePurchase",
        "policyValue": value,
        "scope": "Product",
        "productId": format!("CFQ7TTC{at:05}"),
        "productName": format!("Product with a name of usual length {at}"),
    })
}
