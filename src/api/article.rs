//! Facts about products in Microsoft's articles of 2021 and 2024-10-10.

use super::{PolicyValue, Target};
use crate::text::collapse_whitespace;

/// The common prefix of product IDs.
const PREFIX: &str = "CFQ7TTC0";

/// The IDs of 2021 that the article of 2024-10-10 replaces: the suffixes of the old and the new ID, and the product name.
/// A product that was disabled under its old ID stays disabled under the new one.
const RENUMBERED: [(&str, &str, &str); 9] = [
    ("KP0P", "LH2H", "Power Apps per user"),
    ("KP0N", "LH3L", "Power Automate per user"),
    ("KXG6", "LSGZ", "Power Automate RPA"),
    ("KXG7", "H6RP", "Power BI Premium (standalone)"),
    ("L3PB", "H9MP", "Power BI Pro"),
    ("KXND", "HDB1", "Planner Plan 1 (formerly Project Plan 1)"),
    ("KXNC", "HDB0", "Project Plan 3"),
    ("KXN9", "HD33", "Visio Plan 1"),
    ("KXN8", "HD32", "Visio Plan 2"),
];

/// The ID that replaced `old`, and the product name. `None` if `old` was not replaced.
pub fn replacement(old: &str) -> Option<(String, &'static str)> {
    let old = collapse_whitespace(old).trim().to_ascii_uppercase();
    let suffix = old.strip_prefix(PREFIX)?;
    let (_, new, name) = RENUMBERED.iter().find(|(old, _, _)| *old == suffix)?;
    Some((format!("{PREFIX}{new}"), name))
}

/// The products for which the article of 2024-10-10 lists no trial without a payment method. Nothing is known about
/// products outside the article.
const WITHOUT_TRIAL: [&str; 11] = [
    "CFQ7TTC0LH2H", // Power Apps per user
    "CFQ7TTC0LH3L", // Power Automate per user
    "CFQ7TTC0LSGZ", // Power Automate RPA
    "CFQ7TTC0H6RP", // Power BI Premium (standalone)
    "CFQ7TTC0H9MP", // Power BI Pro
    "CFQ7TTC0HDB0", // Project Plan 3
    "CFQ7TTC0HD32", // Visio Plan 2
    "CFQ7TTC0N8SS", // Clipchamp Premium
    "CFQ7TTC0MM8R", // Microsoft 365 Copilot
    "CFQ7TTC0LH05", // Microsoft 365 F3
    "CFQ7TTC0S3X1", // Python in Excel
];

/// Whether the value allows only trials, and the product is known not to have any.
pub fn allows_missing_trial(target: &Target, value: PolicyValue) -> bool {
    let is_listed = || WITHOUT_TRIAL.iter().any(|id| target.id.eq_ignore_ascii_case(id));
    value == PolicyValue::OnlyTrialsWithoutPaymentMethod && is_listed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replacement_ignores_case() {
        assert_eq!(replacement("cfq7ttc0l3pb"), Some(("CFQ7TTC0H9MP".to_owned(), "Power BI Pro")));
        assert_eq!(replacement("CFQ7TTC0H9MP"), None);
    }
}
