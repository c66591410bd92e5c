//! The complete help texts.

use crate::support::env::TestEnv;

pub(crate) const COMMANDS: &[&[&str]] = &[
    &[],
    &["connect"],
    &["disconnect"],
    &["status"],
    &["policy"],
    &["policy", "list"],
    &["policy", "get"],
    &["product"],
    &["product", "list"],
    &["product", "get"],
    &["product", "update"],
    &["baseline"],
    &["baseline", "export"],
    &["baseline", "check"],
    &["baseline", "apply"],
    &["history"],
    &["undo"],
    &["doctor"],
    &["api"],
    &["completions"],
    &["man"],
];

const TOPICS: [&str; 5] = ["options", "environment", "exit-codes", "output", "authentication"];

/// The size of a small terminal.
const LINES: usize = 24;
const COLUMNS: usize = 80;

#[track_caller]
fn help(env: &TestEnv, arguments: &[&str]) -> String {
    let result = env.run_with_env(&[("COLUMNS", "80")], arguments).assert_code(0);
    assert_eq!(result.stderr, "", "{arguments:?}");
    result.stdout
}

#[test]
fn help_of_every_command() {
    let env = TestEnv::new();
    for command in COMMANDS {
        let name = if command.is_empty() { "mscommerce".to_owned() } else { command.join("_") };
        let long = help(&env, &[command, &["--help"][..]].concat());
        insta::assert_snapshot!(name, long);
        let words: Vec<&str> = std::iter::once("help").chain(command.iter().copied()).collect();
        if !command.is_empty() {
            assert_eq!(help(&env, &words).trim_end(), long.trim_end(), "{words:?}");
        }
    }
    assert!(env.request_lines().is_empty());
}

#[test]
fn short_help_fits_a_small_terminal() {
    let env = TestEnv::new();
    for command in COMMANDS {
        let short = help(&env, &[command, &["-h"][..]].concat());
        insta::assert_snapshot!(format!("short_{}", command.join("_")), short);
        assert!(short.lines().count() <= LINES, "{} lines:\n{short}", short.lines().count());
        assert!(short.lines().all(|line| line.chars().count() <= COLUMNS), "{short}");
    }
}

#[test]
fn overview_lists_every_command_once() {
    let env = TestEnv::new();
    let overview = help(&env, &[]);
    assert_eq!(overview, help(&env, &["help"]));
    assert_eq!(overview, help(&env, &["-h"]));
    for command in COMMANDS.iter().filter(|command| command.len() == 1) {
        let entries = overview.lines().filter(|line| line.starts_with(&format!("  {} ", command[0])));
        assert_eq!(entries.count(), 1, "{command:?}\n{overview}");
    }
}

#[test]
fn help_topics() {
    let env = TestEnv::new();
    for topic in TOPICS {
        let text = help(&env, &["help", topic]);
        assert!(text.lines().all(|line| line.chars().count() <= COLUMNS), "{text}");
        insta::assert_snapshot!(format!("topic_{topic}"), text);
    }
    let error = env.run(&["help", "nope"]).assert_code(2);
    error.stderr_contains(&["error: 'nope' is not a command or a help topic"]);
}

#[test]
fn unknown_command_suggests_the_command_to_type() {
    let env = TestEnv::new();
    for (words, command) in [
        (&["list"][..], "mscommerce product list"),
        (&["get"], "mscommerce product get PRODUCT"),
        (&["set"], "mscommerce product update PRODUCT --value VALUE"),
        (&["enable", "Visio"], "mscommerce product update PRODUCT --value enabled"),
        (&["disable"], "mscommerce product update PRODUCT --value disabled"),
        (&["whoami"], "mscommerce status"),
        (&["account"], "mscommerce status"),
        (&["policies"], "mscommerce policy list"),
        (&["completion", "bash"], "mscommerce completions SHELL"),
        (&["product", "disable"], "mscommerce product update PRODUCT --value disabled"),
        (&["products", "show"], "mscommerce product get PRODUCT"),
        (&["baseline", "diff"], "mscommerce baseline check FILE"),
    ] {
        let result = env.run(words).assert_code(2).stdout_is_empty();
        result.stderr_contains(&[&format!("tip: use '{command}'\n")]);
    }
}

#[test]
fn cmdlet_names_and_parameters_are_commands() {
    let env = TestEnv::signed_in();
    for (cmdlet, command) in [
        (&["Get-MSCommercePolicies"][..], &["policy", "list"][..]),
        (&["get-mscommercepolicy", "-PolicyId", "AllowSelfServicePurchase"], &["policy", "get"]),
        (&["Get-MSCommerceProductPolicies", "-Scope", "OfferType"], &["product", "list", "--scope", "offer-type"]),
        (
            &["GET-MSCOMMERCEPRODUCTPOLICY", "-policyid", "AllowSelfServicePurchase", "-productid", "CFQ7TTC0H9MP"],
            &["product", "get", "CFQ7TTC0H9MP"],
        ),
        (
            &["Update-MSCommerceProductPolicy", "-ProductId", "CFQ7TTC0H9MP", "-Enabled", "False", "-WhatIf"],
            &["product", "update", "CFQ7TTC0H9MP", "--enabled", "false", "--dry-run"],
        ),
    ] {
        assert_eq!(env.run(cmdlet).assert_code(0).stdout, env.run(command).assert_code(0).stdout, "{cmdlet:?}");
    }
    // A flag would show the token in the process list.
    env.run(&["Get-MSCommercePolicies", "-Token", "secret"]).assert_code(2);
    // Parameters of cmdlets are accepted only after their name.
    env.run(&["product", "list", "-Scope", "OfferType"]).assert_code(2);
}

#[test]
fn help_of_help_and_help_after_noun_lead_to_help() {
    let env = TestEnv::new();
    for arguments in [["help", "-h"], ["help", "--help"], ["help", "help"]] {
        assert!(help(&env, &arguments).starts_with("Show help for a command or a topic\n"), "{arguments:?}");
    }
    for noun in ["product", "policy", "baseline"] {
        let result = env.run(&[noun, "help"]).assert_code(2);
        result.stderr_contains(&[&format!("tip: use 'mscommerce help {noun}'\n")]);
    }
}
