//! What the README shows is what happens.

use crate::support::Machine;
#[cfg(unix)]
use crate::tenant::{Answer, default_products};

const README: &str = include_str!("../../README.md");

/// The fenced block of the README that begins with `start`.
#[cfg(unix)]
fn block(start: &str) -> &'static str {
    let from = README.find(start).unwrap_or_else(|| panic!("the README has no block that begins with {start}"));
    README[from..].split("```").next().unwrap()
}

/// Runs a script in which `mscommerce` is the executable under test.
#[cfg(unix)]
fn in_a_shell(machine: &Machine, script: &str) -> crate::support::Ran {
    let executable = std::path::Path::new(env!("CARGO_BIN_EXE_mscommerce"));
    let path = format!("{}:{}", executable.parent().unwrap().display(), std::env::var("PATH").unwrap());
    // The command only lends its environment.
    let environment = machine.command(&["--version"]);
    let variables = environment.get_envs().filter_map(|(name, value)| Some((name, value?)));
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", script]).env_clear().envs(variables).env("PATH", path);
    shell.output().unwrap().into()
}

#[cfg(unix)]
#[test]
fn the_script_of_the_article_disables_what_is_enabled() {
    let machine = Machine::signed_in();
    in_a_shell(&machine, block("#!/bin/sh"))
        .expect_code(0)
        .expect_said(&["  Power Automate per user (CFQ7TTC0LH3L): Enabled -> Disabled\n"]);
    for product in default_products() {
        assert_ne!(machine.tenant.value_of(&product.id), "Enabled", "{}", product.id);
    }
}

#[cfg(unix)]
#[test]
fn the_script_ends_where_the_list_cannot_be_read() {
    let machine = Machine::signed_in();
    machine.tenant.fail_next("scope=product", Answer::text(500, "text/plain", "fault"));
    assert_ne!(in_a_shell(&machine, block("#!/bin/sh")).code, 0);
}

#[cfg(unix)]
#[test]
fn the_first_commands_print_what_is_shown() {
    let machine = Machine::signed_in();
    for shown in block("$ mscommerce").split("$ mscommerce ").skip(1) {
        let (command, output) = shown.split_once('\n').unwrap();
        let ran = in_a_shell(&machine, &format!("mscommerce {command}")).expect_code(0);
        assert_eq!(ran.stdout.trim_end(), output.trim_end(), "{command}");
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
