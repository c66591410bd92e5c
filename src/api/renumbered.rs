//! Product ids of Microsoft's article of 2021 that have new numbers since the article of 2024-10-10. A product that was
//! disabled by its old id stays disabled under the new one.

/// The common prefix of product ids.
const PREFIX: &str = "CFQ7TTC0";

/// The suffixes of the old and the new id, and the name of the product.
const RENUMBERED: [(&str, &str, &str); 9] = [
    ("KP0P", "LH2H", "Power Apps per user"),
    ("KP0N", "LH3L", "Power Automate per user"),
    ("KXG6", "LSGZ", "Power Automate RPA"),
    ("KXG7", "H6RP", "Power BI Premium (standalone)"),
    ("L3PB", "H9MP", "Power BI Pro"),
    ("KXND", "HDB1", "Planner Plan 1, once Project Plan 1"),
    ("KXNC", "HDB0", "Project Plan 3"),
    ("KXN9", "HD33", "Visio Plan 1"),
    ("KXN8", "HD32", "Visio Plan 2"),
];

/// The id that replaced `old`, and the name of the product.
pub fn replacement(old: &str) -> Option<(String, &'static str)> {
    let old = old.trim().to_ascii_uppercase();
    let end = old.strip_prefix(PREFIX)?;
    let (_, new, name) = RENUMBERED.iter().find(|(from, _, _)| *from == end)?;
    Some((format!("{PREFIX}{new}"), name))
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
