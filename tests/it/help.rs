//! The complete help texts.

use crate::support::env::TestEnv;

const COMMANDS: &[&[&str]] = &[
    &[],
    &["connect"],
    &["disconnect"],
    &["status"],
    &["policy"],
    &["policy", "list"],
    &["policy", "get"],
    &["products"],
    &["products", "list"],
    &["products", "update"],
    &["product"],
    &["product", "get"],
    &["product", "update"],
    &["baseline"],
    &["baseline", "export"],
    &["baseline", "check"],
    &["baseline", "apply"],
    &["history"],
    &["undo"],
    &["doctor"],
    &["completions"],
    &["man"],
];

#[test]
fn help_of_every_command() {
    let env = TestEnv::new();
    for command in COMMANDS {
        let name = if command.is_empty() { "mscommerce".to_owned() } else { command.join("_") };
        let help = env.run(&[command, &["--help"][..]].concat()).assert_code(0);
        assert_eq!(help.stderr, "", "{name}");
        insta::assert_snapshot!(name, help.stdout);
    }
    assert!(env.request_lines().is_empty());
}
