//! What the README shows is what happens.

use crate::support::Machine;
#[cfg(unix)]
use crate::tenant::{ADMIN, Answer, HOME_TENANT, default_products};

const README: &str = include_str!("../../README.md");
#[cfg(unix)]
const CI: &str = include_str!("../../docs/ci.md");

/// The fenced block of the README that begins with `start`.
#[cfg(unix)]
fn block(start: &str) -> &'static str {
    let from = README.find(start).unwrap_or_else(|| panic!("the README has no block that begins with {start}"));
    README[from..].split("```").next().unwrap()
}

/// Runs a script in which `mscommerce` is the executable under test, in an otherwise empty directory.
#[cfg(unix)]
fn in_a_shell(machine: &Machine, script: &str) -> crate::support::Ran {
    let executable = std::path::Path::new(env!("CARGO_BIN_EXE_mscommerce"));
    let own = machine.home().display();
    let path = format!("{own}:{}:{}", executable.parent().unwrap().display(), std::env::var("PATH").unwrap());
    // The command only lends its environment.
    let environment = machine.command(&["--version"]);
    let variables = environment.get_envs().filter_map(|(name, value)| Some((name, value?)));
    let mut shell = std::process::Command::new("sh");
    shell.args(["-ec", script]).env_clear().envs(variables).env("PATH", path).current_dir(machine.home());
    shell.env("GITHUB_STEP_SUMMARY", machine.home().join("summary.md"));
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

/// The scripts of the workflow steps in docs/ci.md, by the name of their step.
#[cfg(unix)]
fn step(name: &str) -> String {
    let from = CI.find(&format!("- name: {name}\n")).unwrap_or_else(|| panic!("docs/ci.md has no step {name}"));
    let script = CI[from..].split_once("run: |\n").unwrap().1;
    let lines = script.lines().map_while(|line| line.strip_prefix("          "));
    lines.map(|line| format!("{line}\n")).collect()
}

/// A runner on which nobody has signed in: `az` hands out a token.
#[cfg(unix)]
fn runner() -> Machine {
    use std::os::unix::fs::PermissionsExt as _;

    let machine = Machine::new();
    let token = machine.tenant.mint(ADMIN, HOME_TENANT, 3600);
    let az = machine.home().join("az");
    let expected =
        "account get-access-token --resource aeb86249-8ea3-49e2-900b-54cc8e308f85 --query accessToken -o tsv";
    std::fs::write(&az, format!("#!/bin/sh\ntest \"$*\" = '{expected}' && echo {token}\n")).unwrap();
    std::fs::set_permissions(&az, std::fs::Permissions::from_mode(0o755)).unwrap();
    machine
        .run_with(
            &[("MSCOMMERCE_TOKEN", &token)],
            &["baseline", "export", "--file", &in_home(&machine, "baseline.toml")],
        )
        .expect_code(0);
    machine
}

#[cfg(unix)]
fn in_home(machine: &Machine, name: &str) -> String {
    machine.home().join(name).display().to_string()
}

#[cfg(unix)]
fn summary(machine: &Machine) -> String {
    std::fs::read_to_string(machine.home().join("summary.md")).unwrap()
}

#[cfg(unix)]
#[test]
fn the_nightly_check_passes_and_fails_on_drift() {
    let machine = runner();
    let check = step("Compare the tenant with the baseline");
    in_a_shell(&machine, &check).expect_code(0);
    assert_eq!(summary(&machine), format!("The tenant {HOME_TENANT} is as baseline.toml says: 21 checked.\n"));
    machine.tenant.set_value("CFQ7TTC0H9MP", "Disabled");
    in_a_shell(&machine, &check).expect_code(3);
    let summary = summary(&machine);
    assert!(summary.contains("is not as baseline.toml says: 1 different (21 checked)."), "{summary}");
    assert!(summary.contains("| CFQ7TTC0H9MP | Power BI Pro | Disabled | Enabled | different |"), "{summary}");
}

#[cfg(unix)]
#[test]
fn the_gated_apply_plans_first_and_changes_then() {
    let machine = runner();
    machine.tenant.set_value("CFQ7TTC0H9MP", "Disabled");
    in_a_shell(&machine, &step("Show what would be changed")).expect_code(0);
    assert!(summary(&machine).contains("| Power BI Pro | Enabled | Disabled | planned |"), "{}", summary(&machine));
    assert_eq!(machine.tenant.value_of("CFQ7TTC0H9MP"), "Disabled");
    in_a_shell(&machine, &step("Change what differs")).expect_code(0);
    assert!(summary(&machine).contains("| Power BI Pro | Enabled | Disabled | changed |"), "{}", summary(&machine));
    assert_eq!(machine.tenant.value_of("CFQ7TTC0H9MP"), "Enabled");
}
