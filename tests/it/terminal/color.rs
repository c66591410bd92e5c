//! Colour that marks what is enabled.

use super::*;

const MARKED: &str = "\u{1b}[1m\u{1b}[32mEnabled\u{1b}[0m";

#[test]
fn what_is_enabled_is_marked_and_nothing_else() {
    let env = TestEnv::signed_in();
    env.tenant.set_products(vec![
        Product::new("CFQ7TTC0WID1", "Enabled", "Disabled"),
        Product::new("CFQ7TTC0WID2", "表計算 Enabled", "Enabled"),
        Product::new("CFQ7TTC0WID3", "Cafe\u{301}", "OnlyTrialsWithoutPaymentMethod"),
        Product::new("CFQ7TTC0WID4", "x", "Enabled"),
    ]);
    let shown = env.at_terminal(LIST).assert_code(0).screen;
    assert_eq!(shown.matches(ENABLED_MARK).count(), 2, "{shown:?}");
    for id in ["CFQ7TTC0WID2", "CFQ7TTC0WID4"] {
        assert!(shown.lines().any(|line| line.contains(id) && line.ends_with(MARKED)), "{shown:?}");
    }
    for command in [&["product", "get", "CFQ7TTC0WID4"][..], &["products", "list", "--value", "enabled"]] {
        env.at_terminal(command).assert_code(0).contains_all(&[MARKED]);
    }
    let dry_run = ["products", "update", "--all", "--value", "disabled", "--dry-run"];
    env.at_terminal(&dry_run).assert_code(0).contains_all(&[MARKED]);
    for format in ["json", "csv", "tsv", "markdown"] {
        env.at_terminal(&[LIST, &["-o", format]].concat()).assert_code(0).contains_none(&["\u{1b}"]);
    }
}
