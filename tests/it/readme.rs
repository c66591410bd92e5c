//! The README and the pages in docs: scripts work, and commands print the shown output.

use crate::support::env::TestEnv;
#[cfg(unix)]
use crate::tenant::{
    ADMIN, APP_ID, FEDERATION_AUDIENCE, GITHUB_ISSUER, GITHUB_SUBJECT, HOME_DOMAIN, HOME_TENANT, Response,
    certificates::TestCertificate, default_products, federated_token,
};

const README: &str = include_str!("../../README.md");
#[cfg(unix)]
const FROM_POWERSHELL: &str = include_str!("../../docs/from-powershell.md");
#[cfg(unix)]
const OUTPUT: &str = include_str!("../../docs/output.md");
#[cfg(unix)]
const AUTHENTICATION: &str = include_str!("../../docs/authentication.md");
#[cfg(unix)]
const GITHUB: &str = include_str!("../../docs/ci/github-actions.md");
#[cfg(unix)]
const AZURE_DEVOPS: &str = include_str!("../../docs/ci/azure-devops.md");
#[cfg(unix)]
const GITLAB: &str = include_str!("../../docs/ci/gitlab.md");
#[cfg(unix)]
const CRON: &str = include_str!("../../docs/ci/cron.md");

/// The rest of the fenced block of a page, from this text.
#[cfg(unix)]
fn block(page: &'static str, start: &str) -> &'static str {
    let from = page.find(start).unwrap_or_else(|| panic!("no block has {start}"));
    page[from..].split("```").next().unwrap()
}

/// Runs a shell script in the home directory, with the executable under test in `PATH`.
#[cfg(unix)]
fn run_script(env: &TestEnv, script: &str) -> crate::support::cli::CliResult {
    run_script_with_env(env, &[], script)
}

/// Runs a shell script with further environment variables.
#[cfg(unix)]
fn run_script_with_env(env: &TestEnv, further: &[(&str, &str)], script: &str) -> crate::support::cli::CliResult {
    let executable = std::path::Path::new(env!("CARGO_BIN_EXE_mscommerce"));
    let own = env.home().display();
    let path = format!("{own}:{}:{}", executable.parent().unwrap().display(), std::env::var("PATH").unwrap());
    // Only the environment of this command is used.
    let environment = env.command(&["--version"]);
    let variables = environment.get_envs().filter_map(|(name, value)| Some((name, value?)));
    let mut shell = std::process::Command::new("sh");
    shell.args(["-ec", script]).env_clear().envs(variables).env("PATH", path).current_dir(env.home());
    shell.env("GITHUB_STEP_SUMMARY", env.home().join("summary.md")).envs(further.iter().copied());
    shell.output().unwrap().into()
}

/// Writes a shell script to the home directory, which is first in `PATH`.
#[cfg(unix)]
fn write_program(env: &TestEnv, name: &str, script: &str) {
    use std::os::unix::fs::PermissionsExt as _;

    let path = env.home().join(name);
    std::fs::write(&path, format!("#!/bin/sh\n{script}")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[cfg(unix)]
#[test]
fn article_script_disables_enabled_products() {
    let env = TestEnv::signed_in();
    cli_snapshot!(run_script(&env, block(FROM_POWERSHELL, "#!/bin/sh")), @"
    exit_code: 0
    ----- stdout -----
    NAME                     VALUE    ID
    Power Automate per user  Enabled  CFQ7TTC0LH3L
    policyId:       AllowSelfServicePurchase
    scope:          product
    id:             CFQ7TTC0LH3L
    name:           Power Automate per user
    policyValue:    Disabled
    wantedValue:    Disabled
    previousValue:  Enabled
    outcome:        changed
    NAME                                CHANGE                  RESULT
    Clipchamp Premium                   Enabled → Disabled      changed
    Microsoft 365 Copilot               Disabled                unchanged
    Microsoft 365 F3                    Enabled → Disabled      changed
    Microsoft Purview Discovery         Enabled → Disabled      changed
    Planner Plan 1                      Trials only → Disabled  changed
    Power Apps per user                 Enabled → Disabled      changed
    Power Automate per user             Disabled                unchanged
    Power Automate RPA                  Disabled                unchanged
    Power BI Premium (standalone)       Disabled                unchanged
    Power BI Pro                        Enabled → Disabled      changed
    Project Plan 3                      Enabled → Disabled      changed
    Python in Excel                     Enabled → Disabled      changed
    Teams Exploratory                   Trials only → Disabled  changed
    Teams Premium Introductory Pricing  Enabled → Disabled      changed
    Visio Plan 1                        Disabled                unchanged
    Visio Plan 2                        Disabled                unchanged
    Viva Goals                          Enabled → Disabled      changed
    ----- stderr -----
    1 product: 1 enabled
    11 changed, 6 unchanged in tenant 11111111-1111-4111-8111-111111111111
    ");
    for product in default_products() {
        assert_ne!(env.tenant.value(&product.id), "Enabled", "{}", product.id);
    }
}

#[cfg(unix)]
#[test]
fn article_script_fails_if_list_fails() {
    let env = TestEnv::signed_in();
    env.tenant.fail_next("scope=product", Response::text(500, "text/plain", "fault"));
    assert_ne!(run_script(&env, block(FROM_POWERSHELL, "#!/bin/sh")).code, 0);
}

#[cfg(unix)]
#[test]
fn output_page_commands_print_shown_output() {
    let env = TestEnv::signed_in();
    for shown in block(OUTPUT, "$ mscommerce").split("$ mscommerce ").skip(1) {
        let (command, output) = shown.split_once('\n').unwrap();
        let result = run_script(&env, &format!("mscommerce {command}")).assert_code(0);
        assert_eq!((result.stdout + &result.stderr).trim_end(), output.trim_end(), "{command}");
    }
}

#[test]
fn readme_cmdlet_table_commands_parse() {
    let env = TestEnv::new();
    let rows = README.lines().filter(|line| line.starts_with("| `") && line.contains("-MSCommerce"));
    let mut count = 0;
    for row in rows {
        let command = row.split("| `").nth(2).unwrap().split('`').next().unwrap();
        let arguments: Vec<&str> = command.split_whitespace().skip(1).collect();
        let arguments: Vec<&str> = arguments.iter().map(|word| if *word == "V" { "disabled" } else { word }).collect();
        // Without a credential, a valid command line exits with 4, an invalid one with 2.
        let extra: &[&str] = if arguments == ["connect"] { &["--help"] } else { &[] };
        let expected = if arguments == ["connect"] { 0 } else { 4 };
        env.run(&[&arguments[..], extra].concat()).assert_code(expected);
        count += 1;
    }
    assert_eq!(count, 6, "one row per cmdlet");
}

/// The script after this text of a page: the lines with an indentation of ten.
#[cfg(unix)]
fn script(page: &str, start: &str) -> String {
    let from = page.find(start).unwrap_or_else(|| panic!("no script after {start}"));
    let lines = page[from..].lines().skip_while(|line| !line.starts_with("          "));
    let lines = lines.map_while(|line| line.strip_prefix("          "));
    lines.map(|line| format!("{line}\n")).collect()
}

/// An environment without a credential, with a baseline that matches the tenant.
#[cfg(unix)]
fn ci_env() -> TestEnv {
    let env = TestEnv::new();
    let token = env.tenant.issue_token(ADMIN, HOME_TENANT, 3600);
    let baseline = env.home().join("baseline.toml").display().to_string();
    env.run_with_env(&[("MSCOMMERCE_TOKEN", &token)], &["baseline", "export", "--file", &baseline]).assert_code(0);
    env.tenant.forget_requests();
    env
}

/// Runs the script of a workflow step in a GitHub job with the `id-token` permission.
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
    run_script_with_env(env, &variables, &script(GITHUB, &format!("- name: {name}\n")))
}

#[cfg(unix)]
fn summary(env: &TestEnv) -> String {
    std::fs::read_to_string(env.home().join("summary.md")).unwrap()
}

#[cfg(unix)]
#[test]
fn github_check_workflow_fails_on_drift() {
    let env = ci_env();
    on_github(&env, "Compare the tenant with the baseline").assert_code(0);
    assert_eq!(summary(&env), format!("Tenant {HOME_TENANT} matches baseline.toml (21 checked).\n"));
    env.tenant.set_value("CFQ7TTC0H9MP", "Disabled");
    on_github(&env, "Compare the tenant with the baseline").assert_code(3);
    let summary = summary(&env);
    assert!(summary.contains("does not match baseline.toml: 1 setting differs (21 checked)."), "{summary}");
    assert!(summary.contains("| CFQ7TTC0H9MP | Power BI Pro | Disabled | Enabled | different |"), "{summary}");
}

#[cfg(unix)]
#[test]
fn github_apply_workflow_plans_then_applies() {
    let env = ci_env();
    env.tenant.set_value("CFQ7TTC0H9MP", "Disabled");
    on_github(&env, "Show the plan").assert_code(0);
    assert!(summary(&env).contains("| Power BI Pro | Disabled | Enabled | Disabled | planned |"), "{}", summary(&env));
    assert_eq!(env.tenant.value("CFQ7TTC0H9MP"), "Disabled");
    on_github(&env, "Apply the baseline").assert_code(0);
    assert!(summary(&env).contains("| Power BI Pro | Enabled | Enabled | Disabled | changed |"), "{}", summary(&env));
    assert_eq!(env.tenant.value("CFQ7TTC0H9MP"), "Enabled");
}

/// A federated token of a pipeline.
#[cfg(unix)]
fn pipeline_token(env: &TestEnv) -> String {
    env.tenant.federate("https://pipelines.example", "the-pipeline", FEDERATION_AUDIENCE);
    federated_token("https://pipelines.example", "the-pipeline", FEDERATION_AUDIENCE, 300)
}

#[cfg(unix)]
#[test]
fn azure_devops_script_leaves_no_token() {
    let env = ci_env();
    let token = pipeline_token(&env);
    let variables = [("idToken", token.as_str()), ("servicePrincipalId", APP_ID), ("tenantId", HOME_TENANT)];
    let directory = env.home().display().to_string();
    let script = script(AZURE_DEVOPS, "task: AzureCLI@2");
    run_script_with_env(&env, &[&variables[..], &[("TMPDIR", &directory)]].concat(), &script).assert_code(0);
    assert_eq!(env.files_containing(&token), [] as [std::path::PathBuf; 0]);
    env.tenant.set_value("CFQ7TTC0H9MP", "Disabled");
    run_script_with_env(&env, &variables, &script).assert_code(3);
}

#[cfg(unix)]
#[test]
fn gitlab_script_leaves_no_token() {
    let env = ci_env();
    let token = pipeline_token(&env);
    let directory = env.home().display().to_string();
    let variables = [
        ("AZURE_ID_TOKEN", token.as_str()),
        ("AZURE_CLIENT_ID", APP_ID),
        ("AZURE_TENANT_ID", HOME_TENANT),
        ("CI_PROJECT_DIR", &directory),
    ];
    let script = script(GITLAB, "# Compare the tenant");
    run_script_with_env(&env, &variables, &script).assert_code(0);
    assert_eq!(env.files_containing(&token), [] as [std::path::PathBuf; 0]);
    env.tenant.set_value("CFQ7TTC0H9MP", "Disabled");
    run_script_with_env(&env, &variables, &script).assert_code(3);
}

#[cfg(unix)]
#[test]
fn cron_script_distinguishes_drift_from_errors() {
    let env = ci_env();
    let certificate = TestCertificate::rsa();
    env.tenant.register_certificate(&certificate.certificate_der);
    let file = env.home().join("application.pem");
    std::fs::write(&file, certificate.key_pem() + &certificate.certificate_pem()).unwrap();
    let script = block(CRON, "#!/bin/sh");
    // Only the IDs and the directory are replaced.
    let script = script
        .replace("contoso.onmicrosoft.com", HOME_DOMAIN)
        .replace("00000000-0000-0000-0000-000000000000", APP_ID)
        .replace("/etc/mscommerce", &env.home().display().to_string());
    std::fs::write(env.home().join("check.sh"), script).unwrap();
    let result = run_script(&env, "sh check.sh").assert_code(0);
    assert_eq!(result.stdout, "");
    env.tenant.set_value("CFQ7TTC0H9MP", "Disabled");
    let result = run_script(&env, "sh check.sh").assert_code(3);
    assert!(result.stdout.contains("Power BI Pro"), "{}", result.stdout);
    assert!(result.stdout.ends_with("The tenant differs from the baseline.\n"), "{}", result.stdout);
    std::fs::remove_file(&file).unwrap();
    cli_snapshot!(run_script(&env, "sh check.sh"), @"
    exit_code: 4
    ----- stderr -----
    error: could not read the certificate [TMP]/application.pem: [OS ERROR]
      the path comes from AZURE_CLIENT_CERTIFICATE_PATH
    hint: check AZURE_CLIENT_CERTIFICATE_PATH
    The tenant could not be compared with the baseline (exit code 4).
    ");
}

#[cfg(unix)]
#[test]
fn azure_cli_token_is_accepted() {
    let env = TestEnv::new();
    let token = env.tenant.issue_token(ADMIN, HOME_TENANT, 3600);
    let expected =
        "account get-access-token --resource aeb86249-8ea3-49e2-900b-54cc8e308f85 --query accessToken -o tsv";
    write_program(&env, "az", &format!("test \"$*\" = '{expected}' && echo {token}\n"));
    run_script(&env, block(AUTHENTICATION, "MSCOMMERCE_TOKEN=$(az")).assert_code(0);
}

/// The download of a page, from the line that names the archive to the one that unpacks it.
#[cfg(target_os = "linux")]
fn download_script(page: &str) -> String {
    let lines = page.lines().map(|line| line.trim_start().trim_start_matches("- "));
    let lines = lines.skip_while(|line| !line.starts_with("file=mscommerce-"));
    let (mut script, mut is_complete) = ("VERSION=0.1.0 version=0.1.0\n".to_owned(), false);
    for line in lines {
        script += &format!("{line}\n");
        is_complete = line.starts_with("tar ");
        if is_complete {
            break;
        }
    }
    assert!(is_complete, "{script}");
    script
}

#[cfg(target_os = "linux")]
#[test]
fn download_scripts_install_only_verified_executable() {
    const STEM: &str = "mscommerce-0.1.0-x86_64-unknown-linux-musl";
    let release = format!(
        "url=https://github.com/OWNER/mscommerce/releases/download/v0.1.0; file={STEM}.tar.gz; test \"$*\" = \"-fsSLO $url/$file -O $url/SHA256SUMS\"
         mkdir {STEM} && echo echo installed > {STEM}/mscommerce && chmod +x {STEM}/mscommerce && tar -czf $file {STEM} && rm -r {STEM}\n"
    );
    for page in [GITHUB, AZURE_DEVOPS, GITLAB] {
        let env = TestEnv::new();
        write_program(&env, "curl", &format!("set -e; {release}sha256sum $file > SHA256SUMS\n"));
        let variables = [("HOME", env.home().to_str().unwrap())];
        let script = download_script(page);
        run_script_with_env(&env, &variables, &script).assert_code(0);
        let result = run_script_with_env(&env, &variables, ".local/bin/mscommerce").assert_code(0);
        assert_eq!(result.stdout, "installed\n");
        std::fs::remove_dir_all(env.home().join(".local")).unwrap();
        write_program(&env, "curl", &format!("set -e; {release}sha256sum curl | sed \"s/curl/$file/\" > SHA256SUMS\n"));
        assert_ne!(run_script_with_env(&env, &variables, &script).code, 0);
        assert!(!env.home().join(".local").exists());
    }
}
