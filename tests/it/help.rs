//! The help texts, whole: a change of the contract shows here.

use crate::support::env::Machine;

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
fn every_command_explains_itself_and_touches_no_network() {
    let machine = Machine::new();
    for command in COMMANDS {
        let name = if command.is_empty() { "mscommerce".to_owned() } else { command.join("_") };
        let help = machine.run(&[command, &["--help"][..]].concat()).expect_code(0);
        assert_eq!(help.stderr, "", "{name}");
        insta::assert_snapshot!(name, help.stdout);
    }
    assert!(machine.requests().is_empty());
}
