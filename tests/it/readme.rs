//! What the README shows is what happens.

use crate::support::env::Machine;
#[cfg(unix)]
use crate::tenant::{
    ADMIN, APP_ID, Answer, FEDERATION_AUDIENCE, GITHUB_ISSUER, GITHUB_SUBJECT, HOME_DOMAIN, HOME_TENANT,
    certificates::TestCertificate, default_products, federated_token,
};

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
fn in_a_shell(machine: &Machine, script: &str) -> crate::support::env::Ran {
    in_a_shell_with(machine, &[], script)
}

/// The same with further environment variables.
#[cfg(unix)]
fn in_a_shell_with(machine: &Machine, further: &[(&str, &str)], script: &str) -> crate::support::env::Ran {
    let executable = std::path::Path::new(env!("CARGO_BIN_EXE_mscommerce"));
    let own = machine.home().display();
    let path = format!("{own}:{}:{}", executable.parent().unwrap().display(), std::env::var("PATH").unwrap());
    // The command only lends its environment.
    let environment = machine.command(&["--version"]);
    let variables = environment.get_envs().filter_map(|(name, value)| Some((name, value?)));
    let mut shell = std::process::Command::new("sh");
    shell.args(["-ec", script]).env_clear().envs(variables).env("PATH", path).current_dir(machine.home());
    shell.env("GITHUB_STEP_SUMMARY", machine.home().join("summary.md")).envs(further.iter().copied());
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

/// The script that docs/ci.md has after `start`: the lines that are indented by ten blanks.
#[cfg(unix)]
fn script(start: &str) -> String {
    let from = CI.find(start).unwrap_or_else(|| panic!("docs/ci.md has no {start}"));
    let lines = CI[from..].lines().skip_while(|line| !line.starts_with("          "));
    let lines = lines.map_while(|line| line.strip_prefix("          "));
    lines.map(|line| format!("{line}\n")).collect()
}

/// A machine on which nobody has signed in, with a baseline that the tenant is as.
#[cfg(unix)]
fn runner() -> Machine {
    let machine = Machine::new();
    let token = machine.tenant.mint(ADMIN, HOME_TENANT, 3600);
    let baseline = machine.home().join("baseline.toml").display().to_string();
    machine.run_with(&[("MSCOMMERCE_TOKEN", &token)], &["baseline", "export", "--file", &baseline]).expect_code(0);
    machine.tenant.forget_requests();
    machine
}

/// Runs a step's script as GitHub would, in a job that may ask for its own token.
#[cfg(unix)]
fn on_github(machine: &Machine, name: &str) -> crate::support::env::Ran {
    machine.tenant.federate(GITHUB_ISSUER, GITHUB_SUBJECT, FEDERATION_AUDIENCE);
    let [(url, url_value), (token, token_value)] = machine.tenant.github_oidc();
    let variables = [
        (url, url_value.as_str()),
        (token, token_value.as_str()),
        ("AZURE_CLIENT_ID", APP_ID),
        ("AZURE_TENANT_ID", HOME_TENANT),
        ("GITHUB_ACTIONS", "true"),
    ];
    in_a_shell_with(machine, &variables, &script(&format!("- name: {name}\n")))
}

#[cfg(unix)]
fn summary(machine: &Machine) -> String {
    std::fs::read_to_string(machine.home().join("summary.md")).unwrap()
}

#[cfg(unix)]
#[test]
fn the_nightly_check_passes_and_fails_on_drift() {
    let machine = runner();
    on_github(&machine, "Compare the tenant with the baseline").expect_code(0);
    assert_eq!(summary(&machine), format!("The tenant {HOME_TENANT} is as baseline.toml says: 21 checked.\n"));
    machine.tenant.set_value("CFQ7TTC0H9MP", "Disabled");
    on_github(&machine, "Compare the tenant with the baseline").expect_code(3);
    let summary = summary(&machine);
    assert!(summary.contains("is not as baseline.toml says: 1 different (21 checked)."), "{summary}");
    assert!(summary.contains("| CFQ7TTC0H9MP | Power BI Pro | Disabled | Enabled | different |"), "{summary}");
}

#[cfg(unix)]
#[test]
fn the_gated_apply_plans_first_and_changes_then() {
    let machine = runner();
    machine.tenant.set_value("CFQ7TTC0H9MP", "Disabled");
    on_github(&machine, "Show what would be changed").expect_code(0);
    assert!(summary(&machine).contains("| Power BI Pro | Enabled | Disabled | planned |"), "{}", summary(&machine));
    assert_eq!(machine.tenant.value_of("CFQ7TTC0H9MP"), "Disabled");
    on_github(&machine, "Change what differs").expect_code(0);
    assert!(summary(&machine).contains("| Power BI Pro | Enabled | Disabled | changed |"), "{}", summary(&machine));
    assert_eq!(machine.tenant.value_of("CFQ7TTC0H9MP"), "Enabled");
}

/// Another issuer's token, as a pipeline hands it to a script.
#[cfg(unix)]
fn pipeline_token(machine: &Machine) -> String {
    machine.tenant.federate("https://pipelines.example", "the-pipeline", FEDERATION_AUDIENCE);
    federated_token("https://pipelines.example", "the-pipeline", FEDERATION_AUDIENCE, 300)
}

#[cfg(unix)]
#[test]
fn the_script_for_azure_devops_checks_and_leaves_no_token_behind() {
    let machine = runner();
    let token = pipeline_token(&machine);
    let variables = [("idToken", token.as_str()), ("servicePrincipalId", APP_ID), ("tenantId", HOME_TENANT)];
    let directory = machine.home().display().to_string();
    let script = script("task: AzureCLI@2");
    in_a_shell_with(&machine, &[&variables[..], &[("TMPDIR", &directory)]].concat(), &script).expect_code(0);
    assert_eq!(machine.files_with(&token), [] as [std::path::PathBuf; 0]);
    machine.tenant.set_value("CFQ7TTC0H9MP", "Disabled");
    in_a_shell_with(&machine, &variables, &script).expect_code(3);
}

#[cfg(unix)]
#[test]
fn the_script_for_gitlab_checks_and_leaves_no_token_behind() {
    let machine = runner();
    let token = pipeline_token(&machine);
    let directory = machine.home().display().to_string();
    let variables = [
        ("AZURE_ID_TOKEN", token.as_str()),
        ("AZURE_CLIENT_ID", APP_ID),
        ("AZURE_TENANT_ID", HOME_TENANT),
        ("CI_PROJECT_DIR", &directory),
    ];
    let script = script("# .gitlab-ci.yml");
    in_a_shell_with(&machine, &variables, &script).expect_code(0);
    assert_eq!(machine.files_with(&token), [] as [std::path::PathBuf; 0]);
    machine.tenant.set_value("CFQ7TTC0H9MP", "Disabled");
    in_a_shell_with(&machine, &variables, &script).expect_code(3);
}

#[cfg(unix)]
#[test]
fn the_script_for_cron_tells_drift_from_trouble() {
    let machine = runner();
    let certificate = TestCertificate::rsa();
    machine.tenant.register_certificate(&certificate.certificate_der);
    let file = machine.home().join("application.pem");
    std::fs::write(&file, certificate.key_pem() + &certificate.certificate_pem()).unwrap();
    let script = CI[CI.find("# self-service-purchase-check.sh").unwrap()..].split("```").next().unwrap();
    // The only changes are those that the page asks for: the ids, and the place of the files.
    let script = script
        .replace("contoso.onmicrosoft.com", HOME_DOMAIN)
        .replace("00000000-0000-0000-0000-000000000000", APP_ID)
        .replace("/etc/mscommerce", &machine.home().display().to_string());
    std::fs::write(machine.home().join("check.sh"), script).unwrap();
    let ran = in_a_shell(&machine, "sh check.sh").expect_code(0);
    assert_eq!(ran.stdout, "");
    machine.tenant.set_value("CFQ7TTC0H9MP", "Disabled");
    let ran = in_a_shell(&machine, "sh check.sh").expect_code(3);
    assert!(ran.stdout.contains("Power BI Pro") && ran.stdout.ends_with("as the baseline says.\n"), "{}", ran.stdout);
    std::fs::remove_file(&file).unwrap();
    in_a_shell(&machine, "sh check.sh").expect_code(4).expect_said(&["could not be compared (exit code 4)"]);
}

#[cfg(unix)]
#[test]
fn the_azure_cli_hands_over_a_token() {
    use std::os::unix::fs::PermissionsExt as _;

    let machine = Machine::new();
    let token = machine.tenant.mint(ADMIN, HOME_TENANT, 3600);
    let az = machine.home().join("az");
    let expected =
        "account get-access-token --resource aeb86249-8ea3-49e2-900b-54cc8e308f85 --query accessToken -o tsv";
    std::fs::write(&az, format!("#!/bin/sh\ntest \"$*\" = '{expected}' && echo {token}\n")).unwrap();
    std::fs::set_permissions(&az, std::fs::Permissions::from_mode(0o755)).unwrap();
    let script = CI[CI.find("MSCOMMERCE_TOKEN=$(az").unwrap()..].split("```").next().unwrap();
    in_a_shell(&machine, script).expect_code(0);
}
