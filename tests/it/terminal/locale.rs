//! A terminal that shows ASCII alone, as the locale says.

use super::*;

fn with_wide_names() -> Machine {
    let machine = Machine::signed_in();
    machine.tenant.set_products(vec![
        Product::new("CFQ7TTC0WID1", "Café 表計算", "Enabled"),
        Product::new("CFQ7TTC0WID2", "Plain", "Disabled"),
    ]);
    machine
}

const ASCII: &[&[(&str, &str)]] =
    &[&[("LC_ALL", "C")], &[("LC_ALL", ""), ("LC_CTYPE", "POSIX"), ("LANG", "en_US.UTF-8")], &[("LC_ALL", "")]];
const UTF_8: &[&[(&str, &str)]] = &[&[("LC_ALL", "C.UTF-8"), ("LANG", "C")], &[("LC_ALL", ""), ("LANG", "de_DE.utf8")]];

#[test]
fn without_utf_8_a_terminal_gets_ascii_in_aligned_columns() {
    let machine = with_wide_names();
    for locale in ASCII {
        let left = machine.screen_with(locale, &[LIST, &["--color", "never"]].concat()).finish().expect_code(0);
        assert!(left.shown.is_ascii(), "{}", left.shown);
        left.expect_shown(&["CFQ7TTC0WID1  Caf? ??????  Enabled\n", "CFQ7TTC0WID2  Plain        Disabled\n"]);
        let error = machine.screen_with(locale, &["product", "get", "表計算"]).finish().expect_code(1);
        assert!(error.shown.is_ascii(), "{}", error.shown);
        let help = machine.screen_with(locale, &["--help"]).finish().expect_code(0);
        assert!(help.shown.is_ascii() && help.shown.contains("(and ..._PASSWORD)"), "{}", help.shown);
        machine.screen_with(locale, &[LIST, &["-o", "json"]].concat()).finish().expect_shown(&["Café 表計算"]);
    }
    for locale in UTF_8 {
        machine.screen_with(locale, LIST).finish().expect_code(0).expect_shown(&["Café 表計算"]);
    }
}

#[test]
fn without_utf_8_a_pipe_gets_names_as_they_are() {
    let machine = with_wide_names();
    for format in ["table", "csv", "tsv", "markdown", "json"] {
        let ran = machine.run_with(&[("LC_ALL", "C")], &[LIST, &["-o", format]].concat()).expect_code(0);
        assert!(ran.stdout.contains("Café 表計算"), "{}", ran.stdout);
    }
}
