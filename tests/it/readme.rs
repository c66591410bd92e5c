//! What the README shows is what happens.

use crate::support::env::TestEnv;
#[cfg(unix)]
use crate::tenant::{
    ADMIN, APP_ID, FEDERATION_AUDIENCE, GITHUB_ISSUER, GITHUB_SUBJECT, HOME_DOMAIN, HOME_TENANT, Response,
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
fn in_a_shell(env: &TestEnv, script: &str) -> crate::support::cli::CliResult {
    in_a_shell_with(env, &[], script)
}

/// The same with further environment variables.
#[cfg(unix)]
fn in_a_shell_with(env: &TestEnv, further: &[(&str, &str)], script: &str) -> crate::support::cli::CliResult {
    let executable = std::path::Path::new(env!("CARGO_BIN_EXE_mscommerce"));
    let own = env.home().display();
    let path = format!("{own}:{}:{}", executable.parent().unwrap().display(), std::env::var("PATH").unwrap());
    // The command only lends its environment.
    let environment = env.command(&["--version"]);
    let variables = environment.get_envs().filter_map(|(name, value)| Some((name, value?)));
    let mut shell = std::process::Command::new("sh");
    shell.args(["-ec", script]).env_clear().envs(variables).env("PATH", path).current_dir(env.home());
    shell.env("GITHUB_STEP_SUMMARY", env.home().join("summary.md")).envs(further.iter().copied());
    shell.output().unwrap().into()
}

#[cfg(unix)]
#[test]
fn the_script_of_the_article_disables_what_is_enabled() {
    let env = TestEnv::signed_in();
    in_a_shell(&env, block("#!/bin/sh"))
        .assert_code(0)
        .stderr_contains(&["  Power Automate per user (CFQ7TTC0LH3L): Enabled -> Disabled\n"]);
    for product in default_products() {
        assert_ne!(env.tenant.value(&product.id), "Enabled", "{}", product.id);
    }
}

#[cfg(unix)]
#[test]
fn the_script_ends_where_the_list_cannot_be_read() {
    let env = TestEnv::signed_in();
    env.tenant.fail_next("scope=product", Response::text(500, "text/plain", "fault"));
    assert_ne!(in_a_shell(&env, block("#!/bin/sh")).code, 0);
}

#[cfg(unix)]
#[test]
fn the_first_commands_print_what_is_shown() {
    let env = TestEnv::signed_in();
    for shown in block("$ mscommerce").split("$ mscommerce ").skip(1) {
        let (command, output) = shown.split_once('\n').unwrap();
        let result = in_a_shell(&env, &format!("mscommerce {command}")).assert_code(0);
        assert_eq!(result.stdout.trim_end(), output.trim_end(), "{command}");
    }
}

#[test]
fn the_commands_of_the_table_are_understood() {
    let env = TestEnv::new();
    let rows = README.lines().filter(|line| line.starts_with("| `") && line.contains("-MSCommerce"));
    let mut recorded = 0;
    for row in rows {
        let command = row.split("| `").nth(2).unwrap().split('`').next().unwrap();
        let words: Vec<&str> = command.split_whitespace().skip(1).collect();
        let words: Vec<&str> = words.iter().map(|word| if *word == "V" { "disabled" } else { word }).collect();
        // Nobody is signed in, so a command line that is understood ends with 4; a wrong one would with 2.
        let extra: &[&str] = if words == ["connect"] { &["--help"] } else { &[] };
        let expected = if words == ["connect"] { 0 } else { 4 };
        env.run(&[&words[..], extra].concat()).assert_code(expected);
        recorded += 1;
    }
    assert_eq!(recorded, 6, "every cmdlet has its row");
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
fn runner() -> TestEnv {
    let env = TestEnv::new();
    let token = env.tenant.issue_token(ADMIN, HOME_TENANT, 3600);
    let baseline = env.home().join("baseline.toml").display().to_string();
    env.run_with_env(&[("MSCOMMERCE_TOKEN", &token)], &["baseline", "export", "--file", &baseline]).assert_code(0);
    env.tenant.forget_requests();
    env
}

/// Runs a step's script as GitHub would, in a job that may ask for its own token.
#[cfg(unix)]
fn on_github(env: &TestEnv, name: &str) -> crate::support::cli::CliResult {
    env.tenant.federate(GITHUB_ISSUER, GITHUB_SUBJECT, FEDERATION_AUDIENCE);
    let [(url, url_value), (token, token_value)] = env.tenant.github_oidc();
    let variables = [
        (url, url_value.as_str()),
        (token, token_value.as_str()),
        ("AZURE_CLIENT_ID", APP_ID),
        ("AZURE_TENANT_ID", HOME_TENANT),
        ("GITHUB_ACTIONS", "true"),
    ];
    in_a_shell_with(env, &variables, &script(&format!("- name: {name}\n")))
}

#[cfg(unix)]
fn summary(env: &TestEnv) -> String {
    std::fs::read_to_string(env.home().join("summary.md")).unwrap()
}

#[cfg(unix)]
#[test]
fn the_nightly_check_passes_and_fails_on_drift() {
    let env = runner();
    on_github(&env, "Compare the tenant with the baseline").assert_code(0);
    assert_eq!(summary(&env), format!("The tenant {HOME_TENANT} is as baseline.toml says: 21 checked.\n"));
    env.tenant.set_value("CFQ7TTC0H9MP", "Disabled");
    on_github(&env, "Compare the tenant with the baseline").assert_code(3);
    let summary = summary(&env);
    assert!(summary.contains("is not as baseline.toml says: 1 different (21 checked)."), "{summary}");
    assert!(summary.contains("| CFQ7TTC0H9MP | Power BI Pro | Disabled | Enabled | different |"), "{summary}");
}

#[cfg(unix)]
#[test]
fn the_gated_apply_plans_first_and_changes_then() {
    let env = runner();
    env.tenant.set_value("CFQ7TTC0H9MP", "Disabled");
    on_github(&env, "Show what would be changed").assert_code(0);
    assert!(summary(&env).contains("| Power BI Pro | Enabled | Disabled | planned |"), "{}", summary(&env));
    assert_eq!(env.tenant.value("CFQ7TTC0H9MP"), "Disabled");
    on_github(&env, "Change what differs").assert_code(0);
    assert!(summary(&env).contains("| Power BI Pro | Enabled | Disabled | changed |"), "{}", summary(&env));
    assert_eq!(env.tenant.value("CFQ7TTC0H9MP"), "Enabled");
}

/// Another issuer's token, as a pipeline hands it to a script.
#[cfg(unix)]
fn pipeline_token(env: &TestEnv) -> String {
    env.tenant.federate("https://pipelines.example", "the-pipeline", FEDERATION_AUDIENCE);
    federated_token("https://pipelines.example", "the-pipeline", FEDERATION_AUDIENCE, 300)
}

#[cfg(unix)]
#[test]
fn the_script_for_azure_devops_checks_and_leaves_no_token_behind() {
    let env = runner();
    let token = pipeline_token(&env);
    let variables = [("idToken", token.as_str()), ("servicePrincipalId", APP_ID), ("tenantId", HOME_TENANT)];
    let directory = env.home().display().to_string();
    let script = script("task: AzureCLI@2");
    in_a_shell_with(&env, &[&variables[..], &[("TMPDIR", &directory)]].concat(), &script).assert_code(0);
    assert_eq!(env.files_containing(&token), [] as [std::path::PathBuf; 0]);
    env.tenant.set_value("CFQ7TTC0H9MP", "Disabled");
    in_a_shell_with(&env, &variables, &script).assert_code(3);
}

#[cfg(unix)]
#[test]
fn the_script_for_gitlab_checks_and_leaves_no_token_behind() {
    let env = runner();
    let token = pipeline_token(&env);
    let directory = env.home().display().to_string();
    let variables = [
        ("AZURE_ID_TOKEN", token.as_str()),
        ("AZURE_CLIENT_ID", APP_ID),
        ("AZURE_TENANT_ID", HOME_TENANT),
        ("CI_PROJECT_DIR", &directory),
    ];
    let script = script("# .gitlab-ci.yml");
    in_a_shell_with(&env, &variables, &script).assert_code(0);
    assert_eq!(env.files_containing(&token), [] as [std::path::PathBuf; 0]);
    env.tenant.set_value("CFQ7TTC0H9MP", "Disabled");
    in_a_shell_with(&env, &variables, &script).assert_code(3);
}

#[cfg(unix)]
#[test]
fn the_script_for_cron_tells_drift_from_trouble() {
    let env = runner();
    let certificate = TestCertificate::rsa();
    env.tenant.register_certificate(&certificate.certificate_der);
    let file = env.home().join("application.pem");
    std::fs::write(&file, certificate.key_pem() + &certificate.certificate_pem()).unwrap();
    let script = CI[CI.find("# self-service-purchase-check.sh").unwrap()..].split("```").next().unwrap();
    // The only changes are those that the page asks for: the ids, and the place of the files.
    let script = script
        .replace("contoso.onmicrosoft.com", HOME_DOMAIN)
        .replace("00000000-0000-0000-0000-000000000000", APP_ID)
        .replace("/etc/mscommerce", &env.home().display().to_string());
    std::fs::write(env.home().join("check.sh"), script).unwrap();
    let result = in_a_shell(&env, "sh check.sh").assert_code(0);
    assert_eq!(result.stdout, "");
    env.tenant.set_value("CFQ7TTC0H9MP", "Disabled");
    let result = in_a_shell(&env, "sh check.sh").assert_code(3);
    assert!(
        result.stdout.contains("Power BI Pro") && result.stdout.ends_with("as the baseline says.\n"),
        "{}",
        result.stdout
    );
    std::fs::remove_file(&file).unwrap();
    in_a_shell(&env, "sh check.sh").assert_code(4).stderr_contains(&["could not be compared (exit code 4)"]);
}

#[cfg(unix)]
#[test]
fn the_azure_cli_hands_over_a_token() {
    use std::os::unix::fs::PermissionsExt as _;

    let env = TestEnv::new();
    let token = env.tenant.issue_token(ADMIN, HOME_TENANT, 3600);
    let az = env.home().join("az");
    let expected =
        "account get-access-token --resource aeb86249-8ea3-49e2-900b-54cc8e308f85 --query accessToken -o tsv";
    std::fs::write(&az, format!("#!/bin/sh\ntest \"$*\" = '{expected}' && echo {token}\n")).unwrap();
    std::fs::set_permissions(&az, std::fs::Permissions::from_mode(0o755)).unwrap();
    let script = CI[CI.find("MSCOMMERCE_TOKEN=$(az").unwrap()..].split("```").next().unwrap();
    in_a_shell(&env, script).assert_code(0);
}
