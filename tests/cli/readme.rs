//! What the README shows is what happens.

use crate::support::Machine;
use crate::tenant::default_products;

const README: &str = include_str!("../../README.md");

/// The fenced block of the README that begins with `start`.
fn block(start: &str) -> &'static str {
    let from = README.find(start).unwrap_or_else(|| panic!("the README has no block that begins with {start}"));
    README[from..].split("```").next().unwrap()
}

#[cfg(unix)]
#[test]
fn the_script_of_the_article_disables_what_is_enabled() {
    let machine = Machine::signed_in();
    let executable = std::path::Path::new(env!("CARGO_BIN_EXE_mscommerce"));
    let path = format!("{}:{}", executable.parent().unwrap().display(), std::env::var("PATH").unwrap());
    let script = machine.home().join("script.sh");
    std::fs::write(&script, block("#!/bin/sh")).unwrap();
    // The command only lends its environment: the script is what runs.
    let environment = machine.command(&["--version"]);
    let mut shell = std::process::Command::new("sh");
    shell.arg(&script).env_clear();
    for (name, value) in environment.get_envs() {
        shell.env(name, value.unwrap());
    }
    let output = shell.env("PATH", path).output().unwrap();
    let ran: crate::support::Ran = output.into();
    ran.expect_code(0).expect_said(&["Changed Power Automate per user (CFQ7TTC0LH3L): Enabled -> Disabled."]);
    for product in default_products() {
        assert_ne!(machine.tenant.value_of(&product.id), "Enabled", "{}", product.id);
    }
}

#[test]
fn the_commands_of_the_table_are_understood() {
    let machine = Machine::new();
    let rows = README.lines().filter(|line| line.starts_with("| `") && line.contains("-MSCommerce"));
    let mut seen = 0;
    for row in rows {
        let command = row.split("| `").nth(2).unwrap().split('`').next().unwrap();
        let words: Vec<&str> = command.split_whitespace().skip(1).collect();
        let words: Vec<&str> = words.iter().map(|word| if *word == "V" { "disabled" } else { word }).collect();
        // Nobody is signed in, so a command line that is understood ends with 4; a wrong one would with 2.
        let extra: &[&str] = if words == ["connect"] { &["--help"] } else { &[] };
        let expected = if words == ["connect"] { 0 } else { 4 };
        machine.run(&[&words[..], extra].concat()).expect_code(expected);
        seen += 1;
    }
    assert_eq!(seen, 6, "every cmdlet has its row");
}
