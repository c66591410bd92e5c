//! A terminal that shows ASCII alone, as the locale says.

use super::*;

fn with_wide_names() -> TestEnv {
    let env = TestEnv::signed_in();
    env.tenant.set_products(vec![
        Product::new("CFQ7TTC0WID1", "Café 表計算", "Enabled"),
        Product::new("CFQ7TTC0WID2", "Plain", "Disabled"),
    ]);
    env
}

const ASCII: &[&[(&str, &str)]] =
    &[&[("LC_ALL", "C")], &[("LC_ALL", ""), ("LC_CTYPE", "POSIX"), ("LANG", "en_US.UTF-8")], &[("LC_ALL", "")]];
const UTF_8: &[&[(&str, &str)]] = &[&[("LC_ALL", "C.UTF-8"), ("LANG", "C")], &[("LC_ALL", ""), ("LANG", "de_DE.utf8")]];

#[test]
fn without_utf_8_a_terminal_gets_ascii_in_aligned_columns() {
    let env = with_wide_names();
    for locale in ASCII {
        let output = env.screen_with(locale, &[LIST, &["--color", "never"]].concat()).finish().assert_code(0);
        assert!(output.screen.is_ascii(), "{}", output.screen);
        output.contains_all(&["CFQ7TTC0WID1  Caf? ??????  Enabled\n", "CFQ7TTC0WID2  Plain        Disabled\n"]);
        let error = env.screen_with(locale, &["product", "get", "表計算"]).finish().assert_code(1);
        assert!(error.screen.is_ascii(), "{}", error.screen);
        let help = env.screen_with(locale, &["--help"]).finish().assert_code(0);
        assert!(help.screen.is_ascii() && help.screen.contains("(and ..._PASSWORD)"), "{}", help.screen);
        env.screen_with(locale, &[LIST, &["-o", "json"]].concat()).finish().contains_all(&["Café 表計算"]);
    }
    for locale in UTF_8 {
        env.screen_with(locale, LIST).finish().assert_code(0).contains_all(&["Café 表計算"]);
    }
}

#[test]
fn without_utf_8_a_pipe_gets_names_as_they_are() {
    let env = with_wide_names();
    for format in ["table", "csv", "tsv", "markdown", "json"] {
        let result = env.run_with_env(&[("LC_ALL", "C")], &[LIST, &["-o", format]].concat()).assert_code(0);
        assert!(result.stdout.contains("Café 表計算"), "{}", result.stdout);
    }
}
