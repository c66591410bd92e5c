//! Color: the style of enabled values, headers, errors and hints.

use super::*;

const STYLED_ENABLED: &str = "\u{1b}[1m\u{1b}[32mEnabled\u{1b}[0m";

#[test]
fn enabled_value_is_green_in_tables_only() {
    let env = TestEnv::signed_in();
    env.tenant.set_products(vec![
        Product::new("CFQ7TTC0WID1", "Enabled", "Disabled"),
        Product::new("CFQ7TTC0WID2", "表計算 Enabled", "Enabled"),
        Product::new("CFQ7TTC0WID3", "Cafe\u{301}", "OnlyTrialsWithoutPaymentMethod"),
        Product::new("CFQ7TTC0WID4", "x", "Enabled"),
    ]);
    let screen = env.run_in_terminal(LIST).assert_code(0).screen;
    assert_eq!(screen.matches(ENABLED_STYLE).count(), 2, "{screen:?}");
    for id in ["CFQ7TTC0WID2", "CFQ7TTC0WID4"] {
        assert!(screen.lines().any(|line| line.contains(id) && line.ends_with(STYLED_ENABLED)), "{screen:?}");
    }
    for command in [&["product", "get", "CFQ7TTC0WID4"][..], &["products", "list", "--value", "enabled"]] {
        env.run_in_terminal(command).assert_code(0).contains_all(&[STYLED_ENABLED]);
    }
    let dry_run = ["products", "update", "--all", "--value", "disabled", "--dry-run"];
    env.run_in_terminal(&dry_run).assert_code(0).contains_all(&[STYLED_ENABLED]);
    for format in ["json", "csv", "tsv", "markdown"] {
        env.run_in_terminal(&[LIST, &["-o", format]].concat()).assert_code(0).contains_none(&["\u{1b}"]);
    }
}
