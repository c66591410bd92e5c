//! Colour that marks what is enabled.

use super::*;

const MARKED: &str = "\u{1b}[1m\u{1b}[32mEnabled\u{1b}[0m";

#[test]
fn what_is_enabled_is_marked_and_nothing_else() {
    let machine = Machine::signed_in();
    machine.tenant.set_products(vec![
        Product::new("CFQ7TTC0WID1", "Enabled", "Disabled"),
        Product::new("CFQ7TTC0WID2", "表計算 Enabled", "Enabled"),
        Product::new("CFQ7TTC0WID3", "Cafe\u{301}", "OnlyTrialsWithoutPaymentMethod"),
        Product::new("CFQ7TTC0WID4", "x", "Enabled"),
    ]);
    let shown = machine.at_terminal(LIST).expect_code(0).shown;
    assert_eq!(shown.matches(ENABLED_MARK).count(), 2, "{shown:?}");
    for id in ["CFQ7TTC0WID2", "CFQ7TTC0WID4"] {
        assert!(shown.lines().any(|line| line.contains(id) && line.ends_with(MARKED)), "{shown:?}");
    }
    for command in [&["product", "get", "CFQ7TTC0WID4"][..], &["products", "list", "--value", "enabled"]] {
        machine.at_terminal(command).expect_code(0).expect_shown(&[MARKED]);
    }
    let dry_run = ["products", "update", "--all", "--value", "disabled", "--dry-run"];
    machine.at_terminal(&dry_run).expect_code(0).expect_shown(&[MARKED]);
    for format in ["json", "csv", "tsv", "markdown"] {
        machine.at_terminal(&[LIST, &["-o", format]].concat()).expect_code(0).expect_not_shown(&["\u{1b}"]);
    }
}
