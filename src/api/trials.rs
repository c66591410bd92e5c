//! Products without a trial that needs no payment method (article of 2024-10-10).

use super::{PolicyValue, Target};

/// The products of the article for which it lists no such trial. Nothing is known about products outside the article.
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
