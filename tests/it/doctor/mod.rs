//! `doctor` with a working network: settings, authority, clock, credential and policy.

use chrono::{Duration, Utc};
use regex_lite::Regex;
use serde_json::{Value, json};

use crate::support::cli::CliResult;
use crate::support::env::TestEnv;
use crate::support::snapshot::{Render, Transcript, normalize};
use crate::tenant::{ADMIN, APP_ID, APP_SECRET, CUSTOMER_DOMAIN, HOME_TENANT, PASSWORD, READER, Response, Role, jwt};

/// The result of `doctor -o json`. Its snapshot has one line per step that reports something.
pub(crate) struct Steps(pub(crate) CliResult);

impl Steps {
    pub(crate) fn json(&self) -> Vec<Value> {
        self.0.records()
    }

    #[track_caller]
    fn assert_code(self, code: i32) -> Self {
        Self(self.0.assert_code(code))
    }

    /// The last step of this name.
    #[track_caller]
    fn step(&self, name: &str) -> Value {
        let step = self.json().into_iter().rfind(|step| step["step"] == name);
        step.unwrap_or_else(|| panic!("no step {name}: {}", self.0.stdout))
    }

    /// The setting of this name.
    #[track_caller]
    fn setting(&self, name: &str) -> Value {
        let step = self.json().into_iter().find(|step| step["step"] == "setting" && step["target"] == name);
        step.unwrap_or_else(|| panic!("no setting {name}: {}", self.0.stdout))
    }

    #[track_caller]
    fn assert_step(&self, name: &str, outcome: &str) {
        assert_eq!(self.step(name)["outcome"], outcome, "{}", self.0.stdout);
    }
}

impl Render for Steps {
    fn render(&self) -> String {
        let seconds = Regex::new(r"\b\d{2,} s\b").unwrap();
        let mut text = format!("exit_code: {}\n", self.0.code);
        for step in self.json().iter().filter(|step| !is_uneventful(step)) {
            let [name, target, outcome, finding] =
                ["step", "target", "outcome", "finding"].map(|field| step[field].as_str().unwrap());
            text.push_str(&format!("{name} ({target}): {outcome}: {finding}\n"));
            if let Some(hint) = step["hint"].as_str() {
                text.push_str(&format!("    hint: {hint}\n"));
            }
        }
        let error = self.0.stderr.find("error: ").map_or("", |start| &self.0.stderr[start..]);
        seconds.replace_all(&normalize(&format!("{text}{error}")), "[N] s").into_owned()
    }
}

/// Steps that have nothing to report, or whose finding differs between machines.
fn is_uneventful(step: &Value) -> bool {
    let finding = step["finding"].as_str().unwrap();
    let in_sync = finding == "the clocks agree" || Regex::new(r"clock is \d s ").unwrap().is_match(finding);
    match (step["step"].as_str().unwrap(), step["outcome"].as_str().unwrap()) {
        ("setting" | "name" | "tcp", "passed") => true,
        ("proxy" | "tls", "passed" | "skipped") => finding.contains("plain http"),
        ("clock", "passed") => in_sync,
        _ => false,
    }
}

fn doctor(env: &TestEnv, flags: &[&str]) -> Steps {
    Steps(env.run(&[&["doctor", "-o", "json"], flags].concat()))
}

fn doctor_with_env(env: &TestEnv, variables: &[(&str, &str)]) -> Steps {
    Steps(env.run_with_env(variables, &["doctor", "-o", "json"]))
}

#[test]
fn doctor_lists_steps_in_order() {
    let env = TestEnv::signed_in();
    let steps = cli_snapshot!(doctor(&env, &[]), @"
    exit_code: 0
    proxy (127.0.0.1:[PORT]): passed: none: plain HTTP to this machine
    tls (127.0.0.1:[PORT]): skipped: not needed: plain HTTP to this machine
    proxy (127.0.0.1:[PORT]): passed: none: plain HTTP to this machine
    tls (127.0.0.1:[PORT]): skipped: not needed: plain HTTP to this machine
    authority (127.0.0.1:[PORT]): passed: found tenant 11111111-1111-4111-8111-111111111111: https://login.microsoftonline.com/11111111-1111-4111-8111-111111111111/v2.0
    credential (profile default): passed: method password, account admin@contoso.example, tenant 11111111-1111-4111-8111-111111111111, audience aeb86249-8ea3-49e2-900b-54cc8e308f85, valid until [TIME], scopes LicenseManager.AccessAsUser
    policy (AllowSelfServicePurchase): passed: status 200, correlation ID [UUID]
    ");
    assert_eq!(steps.0.stderr, "24 checks: 22 passed, 2 skipped\n");
    let names: Vec<String> = steps.json().iter().map(|step| step["step"].as_str().unwrap().to_owned()).collect();
    let (settings, steps_taken): (Vec<_>, Vec<_>) =
        names.iter().map(String::as_str).partition(|name| *name == "setting");
    assert!(settings.len() >= 7);
    let route = ["proxy", "name", "tcp", "tls"];
    assert_eq!(steps_taken, [&route[..], &route, &["authority", "clock", "credential", "policy", "clock"]].concat());
    for step in steps.json() {
        let fields: Vec<_> = step.as_object().unwrap().keys().cloned().collect();
        assert_eq!(fields, ["step", "target", "outcome", "finding", "hint"]);
        assert!(["passed", "skipped"].contains(&step["outcome"].as_str().unwrap()), "{step}");
        assert_eq!(step["hint"], Value::Null);
    }
}

#[test]
fn doctor_shows_sent_correlation_id() {
    let env = TestEnv::signed_in();
    let steps = doctor(&env, &[]).assert_code(0);
    let requests = env.tenant.requests();
    let id = requests.last().unwrap().header("x-ms-correlation-id").unwrap();
    assert!(steps.step("policy")["finding"].as_str().unwrap().contains(id), "{id}\n{}", steps.0.stdout);
}

#[test]
fn doctor_sends_no_updates() {
    for env in [TestEnv::signed_in(), TestEnv::with_expiring_token()] {
        env.tenant.forget_requests();
        doctor(&env, &[]).assert_code(0);
        for line in env.request_lines() {
            assert!(line.starts_with("GET ") || line.ends_with("/oauth2/v2.0/token"), "{line}");
        }
        assert!(!env.state_dir().join("changes.jsonl").exists());
    }
}

#[cfg(unix)]
#[test]
fn doctor_without_home_directory() {
    let env = TestEnv::new();
    let application =
        [("AZURE_TENANT_ID", HOME_TENANT), ("AZURE_CLIENT_ID", APP_ID), ("AZURE_CLIENT_SECRET", APP_SECRET)];
    let token = env.tenant.issue_token(ADMIN, HOME_TENANT, 3600);
    let run = |variables: &[(&str, &str)]| {
        let mut command = env.command(&["doctor", "-o", "json"]);
        command.env_remove("MSCOMMERCE_HOME").env("HOME", "relative").envs(variables.iter().copied());
        Steps(command.output().unwrap().into())
    };
    for variables in [&application[..], &[("MSCOMMERCE_TOKEN", &token)]] {
        let setting = run(variables).assert_code(0).setting("state-directory");
        assert_eq!(setting["outcome"], "skipped", "{setting}");
        let finding = setting["finding"].as_str().unwrap();
        assert!(finding.starts_with("only required for saved sign-ins and the history: "), "{finding}");
    }
    assert_eq!(run(&[]).assert_code(1).setting("state-directory")["outcome"], "failed");
}

#[test]
fn doctor_settings_have_sources() {
    let env = TestEnv::signed_in();
    let flags = ["--timeout", "7", "--policy-id", "AllowSelfServicePurchase", "--profile", "default"];
    let steps = doctor(&env, &flags).assert_code(0);
    let setting = |name: &str| steps.setting(name)["finding"].as_str().unwrap().to_owned();
    assert_eq!(setting("timeout"), "7 s (--timeout)");
    assert_eq!(setting("policy-id"), "AllowSelfServicePurchase (--policy-id)");
    assert_eq!(setting("profile"), "default (--profile)");
    assert_eq!(setting("endpoint"), format!("{}/ (MSCOMMERCE_ENDPOINT)", env.tenant.url()));
    assert_eq!(setting("authority"), format!("{}/ (AZURE_AUTHORITY_HOST)", env.tenant.url()));
    assert_eq!(setting("state-directory"), format!("{} (MSCOMMERCE_HOME)", env.state_dir().display()));
    assert_eq!(setting("client-id"), "3d5cffa9-04da-4657-8cab-c7f074657cad (default)");
    assert_eq!(setting("output"), "json (--output)");
    assert_eq!(setting("tenant"), "the tenant of the sign-in (default)");
    assert_eq!(setting("trusted certificates"), "system store (default)");
}

#[test]
fn doctor_blank_variable_is_not_a_source() {
    let env = TestEnv::signed_in();
    let variables = [
        ("MSCOMMERCE_PROFILE", " "),
        ("MSCOMMERCE_OUTPUT", "json"),
        ("AZURE_TENANT_ID", CUSTOMER_DOMAIN),
        ("SSL_CERT_FILE", "/nowhere/roots.pem"),
    ];
    let steps = Steps(env.run_with_env(&variables, &["doctor"])).assert_code(0);
    for (name, finding) in [
        ("profile", "default (default)"),
        ("output", "json (MSCOMMERCE_OUTPUT)"),
        ("tenant", "fabrikam.example, for connect and applications (AZURE_TENANT_ID)"),
        ("trusted certificates", "/nowhere/roots.pem (SSL_CERT_FILE)"),
    ] {
        assert_eq!(steps.setting(name)["finding"], finding);
    }
    let steps = doctor(&env, &["--tenant", CUSTOMER_DOMAIN]).assert_code(0);
    assert_eq!(steps.setting("tenant")["finding"], "fabrikam.example (--tenant)");
}

#[test]
fn doctor_invalid_setting_fails_one_step() {
    let env = TestEnv::signed_in();
    let token = env.tenant.issue_token(ADMIN, HOME_TENANT, 3600);
    let mut transcript = Transcript::default();
    for variable in [("AZURE_TENANT_ID", "no/tenant"), ("AZURE_AUTHORITY_HOST", "ftp://x.example")] {
        let steps = doctor_with_env(&env, &[variable, ("MSCOMMERCE_TOKEN", &token)]);
        transcript.push(variable.0, steps).assert_step("policy", "passed");
    }
    let steps = doctor_with_env(&TestEnv::new(), &[("AZURE_AUTHORITY_HOST", "ftp://x.example")]);
    transcript.push("AZURE_AUTHORITY_HOST without token", steps).assert_step("authority", "skipped");
    cli_snapshot!(transcript, @"
    ===== AZURE_TENANT_ID =====
    exit_code: 1
    setting (tenant): failed: AZURE_TENANT_ID: 'no/tenant' is not a tenant: use its ID (a GUID) or one of its domains, such as contoso.onmicrosoft.com
    proxy (127.0.0.1:[PORT]): passed: none: plain HTTP to this machine
    tls (127.0.0.1:[PORT]): skipped: not needed: plain HTTP to this machine
    authority (none): skipped: not needed: the access token is provided
    credential (MSCOMMERCE_TOKEN): passed: method token, account admin@contoso.example, tenant 11111111-1111-4111-8111-111111111111, audience aeb86249-8ea3-49e2-900b-54cc8e308f85, valid until [TIME], scopes LicenseManager.AccessAsUser
    policy (AllowSelfServicePurchase): passed: status 200, correlation ID [UUID]
    error: 19 checks: 16 passed, 1 failed, 2 skipped
    ===== AZURE_AUTHORITY_HOST =====
    exit_code: 1
    setting (authority): failed: AZURE_AUTHORITY_HOST: 'ftp://x.example' is not an https URL
    proxy (127.0.0.1:[PORT]): passed: none: plain HTTP to this machine
    tls (127.0.0.1:[PORT]): skipped: not needed: plain HTTP to this machine
    authority (none): skipped: not needed: the access token is provided
    credential (MSCOMMERCE_TOKEN): passed: method token, account admin@contoso.example, tenant 11111111-1111-4111-8111-111111111111, audience aeb86249-8ea3-49e2-900b-54cc8e308f85, valid until [TIME], scopes LicenseManager.AccessAsUser
    policy (AllowSelfServicePurchase): passed: status 200, correlation ID [UUID]
    error: 19 checks: 16 passed, 1 failed, 2 skipped
    ===== AZURE_AUTHORITY_HOST without token =====
    exit_code: 1
    setting (authority): failed: AZURE_AUTHORITY_HOST: 'ftp://x.example' is not an https URL
    proxy (127.0.0.1:[PORT]): passed: none: plain HTTP to this machine
    tls (127.0.0.1:[PORT]): skipped: not needed: plain HTTP to this machine
    authority (unknown): skipped: the authority setting is invalid
    credential (profile default): failed: not signed in
        hint: mscommerce connect
    policy (AllowSelfServicePurchase): skipped: no credential
    error: 18 checks: 13 passed, 2 failed, 3 skipped
    hint: mscommerce connect
    ");
}

#[test]
fn doctor_formats_have_all_steps() {
    let env = TestEnv::signed_in();
    let count = doctor(&env, &[]).json().len();
    for (format, head) in [("csv", "step,target,outcome,finding,hint"), ("tsv", "step\ttarget\toutcome\tfinding\thint")]
    {
        let result = env.run(&["doctor", "-o", format]).assert_code(0);
        assert_eq!(result.stdout.lines().next(), Some(head));
        assert_eq!(result.stdout.lines().count(), count + 1);
    }
    let markdown = env.run(&["doctor", "-o", "markdown"]).assert_code(0).stdout;
    assert_eq!(markdown.lines().filter(|line| line.starts_with("| ")).count(), count + 2);
    let lines = |flags: &[&str]| env.run(&[&["doctor"], flags].concat()).assert_code(0).stdout.lines().count();
    assert_eq!(lines(&["-v"]), count + 1, "all steps");
    assert_eq!(lines(&[]), 1 + 2, "the two skipped steps");
}

/// Replaces what differs between runs.
fn normalized(env: &TestEnv, text: &str) -> String {
    let address = env.tenant.url().replace("http://", "");
    let text = text.replace(&address, "[HOST]").replace("127.0.0.1", "[IP]");
    let known = [
        // The escaping of a path depends on the system and the format.
        (r#"[^\s"]+ \(MSCOMMERCE(\\?)_HOME\)"#, "[STATE] (MSCOMMERCE${1}_HOME)"),
        (r"in \d+ ms", "in [N] ms"),
        (r"correlation ID: [0-9a-f-]{36}", "correlation ID: [ID]"),
        (r"the clocks agree|this machine's clock is \d+ s [a-z ]+ the clock of \[HOST\]", "[CLOCK]"),
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "[TIME]"),
    ];
    known.iter().fold(text, |text, (pattern, name)| Regex::new(pattern).unwrap().replace_all(&text, *name).into_owned())
}

#[test]
fn doctor_json_and_markdown() {
    let env = TestEnv::signed_in();
    env.tenant.set_role(ADMIN, Role::None);
    for format in ["json", "markdown"] {
        let result = env.run(&["doctor", "-o", format]).assert_code(1);
        insta::assert_snapshot!(format!("doctor_{format}"), normalized(&env, &result.stdout));
    }
}

#[test]
fn doctor_without_credential_tests_connection() {
    let steps = cli_snapshot!(doctor(&TestEnv::new(), &[]), @"
    exit_code: 1
    proxy (127.0.0.1:[PORT]): passed: none: plain HTTP to this machine
    tls (127.0.0.1:[PORT]): skipped: not needed: plain HTTP to this machine
    proxy (127.0.0.1:[PORT]): passed: none: plain HTTP to this machine
    tls (127.0.0.1:[PORT]): skipped: not needed: plain HTTP to this machine
    authority (127.0.0.1:[PORT]): passed: found tenant organizations: https://login.microsoftonline.com/{tenantid}/v2.0
    credential (profile default): failed: not signed in
        hint: mscommerce connect
    policy (AllowSelfServicePurchase): skipped: no credential
    error: 23 checks: 19 passed, 1 failed, 3 skipped
    hint: mscommerce connect
    ");
    steps.assert_step("authority", "passed");
    steps.assert_step("credential", "failed");
    steps.assert_step("policy", "skipped");
}

#[test]
fn doctor_revoked_refresh_token() {
    let env = TestEnv::with_expiring_token();
    env.tenant.revoke_refresh_tokens();
    let steps = cli_snapshot!(doctor(&env, &[]), @"
    exit_code: 1
    proxy (127.0.0.1:[PORT]): passed: none: plain HTTP to this machine
    tls (127.0.0.1:[PORT]): skipped: not needed: plain HTTP to this machine
    proxy (127.0.0.1:[PORT]): passed: none: plain HTTP to this machine
    tls (127.0.0.1:[PORT]): skipped: not needed: plain HTTP to this machine
    authority (127.0.0.1:[PORT]): passed: found tenant 11111111-1111-4111-8111-111111111111: https://login.microsoftonline.com/11111111-1111-4111-8111-111111111111/v2.0
    credential (profile default): failed: could not refresh the saved sign-in for tenant 11111111-1111-4111-8111-111111111111: the saved sign-in has expired or was revoked; AADSTS50173: The provided grant has expired due to it being revoked, a fresh auth token is needed. (invalid_grant, bad_token); correlation ID: [UUID], trace ID: [UUID]
        hint: mscommerce connect
    policy (AllowSelfServicePurchase): skipped: no usable credential
    error: 23 checks: 19 passed, 1 failed, 3 skipped
    hint: mscommerce connect
    ");
    steps.assert_step("credential", "failed");
    steps.assert_step("policy", "skipped");
}

#[test]
fn doctor_unknown_tenant() {
    let steps = cli_snapshot!(doctor(&TestEnv::signed_in(), &["--tenant", "nowhere.example"]), @"
    exit_code: 1
    proxy (127.0.0.1:[PORT]): passed: none: plain HTTP to this machine
    tls (127.0.0.1:[PORT]): skipped: not needed: plain HTTP to this machine
    proxy (127.0.0.1:[PORT]): passed: none: plain HTTP to this machine
    tls (127.0.0.1:[PORT]): skipped: not needed: plain HTTP to this machine
    authority (127.0.0.1:[PORT]): failed: could not read the authority's metadata for tenant nowhere.example: the tenant does not exist in this cloud; AADSTS90002: Tenant 'nowhere.example' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. (invalid_request); correlation ID: [UUID], trace ID: [UUID]
        hint: check the tenant (--tenant, or AZURE_TENANT_ID for connect), and set AZURE_AUTHORITY_HOST for a national cloud
    credential (profile default): failed: could not refresh the saved sign-in for tenant nowhere.example: the tenant does not exist in this cloud; AADSTS90002: Tenant 'nowhere.example' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. (invalid_request); correlation ID: [UUID], trace ID: [UUID]; tenants used with this sign-in: 11111111-1111-4111-8111-111111111111
        hint: check the tenant (--tenant, or AZURE_TENANT_ID for connect), and set AZURE_AUTHORITY_HOST for a national cloud
    policy (AllowSelfServicePurchase): skipped: no usable credential
    error: 23 checks: 18 passed, 2 failed, 3 skipped
    hint: check the tenant (--tenant, or AZURE_TENANT_ID for connect), and set AZURE_AUTHORITY_HOST for a national cloud
    ");
    steps.assert_step("authority", "failed");
    steps.assert_step("credential", "failed");
}

#[test]
fn doctor_clock_skew_over_limit_fails() {
    let mut transcript = Transcript::default();
    for (minutes, outcome) in [(-20, "failed"), (20, "failed"), (-2, "passed"), (2, "passed")] {
        let env = TestEnv::signed_in();
        let date = (Utc::now() + Duration::minutes(minutes)).format("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let body = json!({"id": "AllowSelfServicePurchase", "description": "d", "defaultValue": "Enabled"});
        env.tenant.fail_next("GET /v1.0/policies/", Response::json(200, &body).header("date", &date));
        transcript.push(format!("{minutes} minutes"), doctor(&env, &[])).assert_step("clock", outcome);
    }
    cli_snapshot!(transcript, @"
    ===== -20 minutes =====
    exit_code: 1
    proxy (127.0.0.1:[PORT]): passed: none: plain HTTP to this machine
    tls (127.0.0.1:[PORT]): skipped: not needed: plain HTTP to this machine
    proxy (127.0.0.1:[PORT]): passed: none: plain HTTP to this machine
    tls (127.0.0.1:[PORT]): skipped: not needed: plain HTTP to this machine
    authority (127.0.0.1:[PORT]): passed: found tenant 11111111-1111-4111-8111-111111111111: https://login.microsoftonline.com/11111111-1111-4111-8111-111111111111/v2.0
    credential (profile default): passed: method password, account admin@contoso.example, tenant 11111111-1111-4111-8111-111111111111, audience aeb86249-8ea3-49e2-900b-54cc8e308f85, valid until [TIME], scopes LicenseManager.AccessAsUser
    policy (AllowSelfServicePurchase): passed: status 200, correlation ID [UUID]
    clock (127.0.0.1:[PORT]): failed: this machine's clock is [N] s ahead of the clock of 127.0.0.1:[PORT]
        hint: synchronize this machine's clock with a time server
    error: 24 checks: 21 passed, 1 failed, 2 skipped
    hint: synchronize this machine's clock with a time server
    ===== 20 minutes =====
    exit_code: 1
    proxy (127.0.0.1:[PORT]): passed: none: plain HTTP to this machine
    tls (127.0.0.1:[PORT]): skipped: not needed: plain HTTP to this machine
    proxy (127.0.0.1:[PORT]): passed: none: plain HTTP to this machine
    tls (127.0.0.1:[PORT]): skipped: not needed: plain HTTP to this machine
    authority (127.0.0.1:[PORT]): passed: found tenant 11111111-1111-4111-8111-111111111111: https://login.microsoftonline.com/11111111-1111-4111-8111-111111111111/v2.0
    credential (profile default): passed: method password, account admin@contoso.example, tenant 11111111-1111-4111-8111-111111111111, audience aeb86249-8ea3-49e2-900b-54cc8e308f85, valid until [TIME], scopes LicenseManager.AccessAsUser
    policy (AllowSelfServicePurchase): passed: status 200, correlation ID [UUID]
    clock (127.0.0.1:[PORT]): failed: this machine's clock is [N] s behind the clock of 127.0.0.1:[PORT]
        hint: synchronize this machine's clock with a time server
    error: 24 checks: 21 passed, 1 failed, 2 skipped
    hint: synchronize this machine's clock with a time server
    ===== -2 minutes =====
    exit_code: 0
    proxy (127.0.0.1:[PORT]): passed: none: plain HTTP to this machine
    tls (127.0.0.1:[PORT]): skipped: not needed: plain HTTP to this machine
    proxy (127.0.0.1:[PORT]): passed: none: plain HTTP to this machine
    tls (127.0.0.1:[PORT]): skipped: not needed: plain HTTP to this machine
    authority (127.0.0.1:[PORT]): passed: found tenant 11111111-1111-4111-8111-111111111111: https://login.microsoftonline.com/11111111-1111-4111-8111-111111111111/v2.0
    credential (profile default): passed: method password, account admin@contoso.example, tenant 11111111-1111-4111-8111-111111111111, audience aeb86249-8ea3-49e2-900b-54cc8e308f85, valid until [TIME], scopes LicenseManager.AccessAsUser
    policy (AllowSelfServicePurchase): passed: status 200, correlation ID [UUID]
    clock (127.0.0.1:[PORT]): passed: this machine's clock is [N] s ahead of the clock of 127.0.0.1:[PORT]
    ===== 2 minutes =====
    exit_code: 0
    proxy (127.0.0.1:[PORT]): passed: none: plain HTTP to this machine
    tls (127.0.0.1:[PORT]): skipped: not needed: plain HTTP to this machine
    proxy (127.0.0.1:[PORT]): passed: none: plain HTTP to this machine
    tls (127.0.0.1:[PORT]): skipped: not needed: plain HTTP to this machine
    authority (127.0.0.1:[PORT]): passed: found tenant 11111111-1111-4111-8111-111111111111: https://login.microsoftonline.com/11111111-1111-4111-8111-111111111111/v2.0
    credential (profile default): passed: method password, account admin@contoso.example, tenant 11111111-1111-4111-8111-111111111111, audience aeb86249-8ea3-49e2-900b-54cc8e308f85, valid until [TIME], scopes LicenseManager.AccessAsUser
    policy (AllowSelfServicePurchase): passed: status 200, correlation ID [UUID]
    clock (127.0.0.1:[PORT]): passed: this machine's clock is [N] s behind the clock of 127.0.0.1:[PORT]
    ");
}

#[test]
fn doctor_missing_role_names_required_roles() {
    let env = TestEnv::signed_in();
    env.tenant.set_role(ADMIN, Role::None);
    cli_snapshot!(doctor(&env, &[]), @"
    exit_code: 1
    proxy (127.0.0.1:[PORT]): passed: none: plain HTTP to this machine
    tls (127.0.0.1:[PORT]): skipped: not needed: plain HTTP to this machine
    proxy (127.0.0.1:[PORT]): passed: none: plain HTTP to this machine
    tls (127.0.0.1:[PORT]): skipped: not needed: plain HTTP to this machine
    authority (127.0.0.1:[PORT]): passed: found tenant 11111111-1111-4111-8111-111111111111: https://login.microsoftonline.com/11111111-1111-4111-8111-111111111111/v2.0
    credential (profile default): passed: method password, account admin@contoso.example, tenant 11111111-1111-4111-8111-111111111111, audience aeb86249-8ea3-49e2-900b-54cc8e308f85, valid until [TIME], scopes LicenseManager.AccessAsUser
    policy (AllowSelfServicePurchase): failed: could not read the policy AllowSelfServicePurchase: the service returned 403 Forbidden; Forbidden: User does not have the required role.; correlation ID: [UUID]
        hint: use an account with the role Global Administrator, Billing Administrator or Global Reader in this tenant; as a partner, request the role through GDAP
    error: 24 checks: 21 passed, 1 failed, 2 skipped
    hint: use an account with the role Global Administrator, Billing Administrator or Global Reader in this tenant
    hint: as a partner, request the role through GDAP
    ").assert_step("policy", "failed");
}

#[test]
fn doctor_rejected_token() {
    let env = TestEnv::new();
    let token = env.tenant.issue_token(READER, HOME_TENANT, 3600);
    env.tenant.revoke_access_tokens();
    let steps = cli_snapshot!(doctor_with_env(&env, &[("MSCOMMERCE_TOKEN", &token)]), @"
    exit_code: 1
    proxy (127.0.0.1:[PORT]): passed: none: plain HTTP to this machine
    tls (127.0.0.1:[PORT]): skipped: not needed: plain HTTP to this machine
    authority (none): skipped: not needed: the access token is provided
    credential (MSCOMMERCE_TOKEN): passed: method token, account reader@contoso.example, tenant 11111111-1111-4111-8111-111111111111, audience aeb86249-8ea3-49e2-900b-54cc8e308f85, valid until [TIME], scopes LicenseManager.AccessAsUser
    policy (AllowSelfServicePurchase): failed: could not read the policy AllowSelfServicePurchase: the service returned 401 Unauthorized; Unauthorized: The token has been revoked.; correlation ID: [UUID]
        hint: set MSCOMMERCE_TOKEN to a new token (this one may have been revoked), or unset it and run mscommerce connect
    error: 19 checks: 16 passed, 1 failed, 2 skipped
    hint: set MSCOMMERCE_TOKEN to a new token (this one may have been revoked), or unset it and run mscommerce connect
    ");
    steps.assert_step("authority", "skipped");
    steps.assert_step("credential", "passed");
    steps.assert_step("policy", "failed");
}

#[test]
fn doctor_foreign_audience_token_is_not_sent() {
    let env = TestEnv::new();
    let in_an_hour = Utc::now().timestamp() + 3600;
    let claims = json!({"aud": "https://graph.microsoft.com", "tid": HOME_TENANT, "upn": ADMIN, "exp": in_an_hour});
    let token = jwt(&claims);
    let steps = cli_snapshot!(doctor_with_env(&env, &[("MSCOMMERCE_TOKEN", &token)]), @"
    exit_code: 1
    proxy (127.0.0.1:[PORT]): passed: none: plain HTTP to this machine
    tls (127.0.0.1:[PORT]): skipped: not needed: plain HTTP to this machine
    authority (none): skipped: not needed: the access token is provided
    credential (MSCOMMERCE_TOKEN): failed: the token is for another service; it was not sent; account admin@contoso.example, tenant 11111111-1111-4111-8111-111111111111, audience https://graph.microsoft.com, valid until [TIME], scopes unknown
        hint: use a token for aeb86249-8ea3-49e2-900b-54cc8e308f85 (M365 License Manager); this one is for https://graph.microsoft.com; set MSCOMMERCE_TOKEN to another token, or unset it and run mscommerce connect
    policy (AllowSelfServicePurchase): skipped: no usable credential
    error: 18 checks: 14 passed, 1 failed, 3 skipped
    hint: use a token for aeb86249-8ea3-49e2-900b-54cc8e308f85 (M365 License Manager); this one is for https://graph.microsoft.com
    hint: set MSCOMMERCE_TOKEN to another token, or unset it and run mscommerce connect
    ");
    steps.assert_step("credential", "failed");
    steps.assert_step("policy", "skipped");
    for request in env.tenant.requests() {
        assert_eq!(request.bearer(), None, "{request:?}");
    }
    assert!(!steps.0.stdout.contains(&token));
}

#[test]
fn doctor_compares_clock_on_401() {
    let env = TestEnv::new();
    let token = env.tenant.issue_token(ADMIN, HOME_TENANT, 3600);
    let date = (Utc::now() - Duration::hours(2)).format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let body = json!({"errorCode": "Unauthorized", "reason": "The token is not valid yet."});
    env.tenant.fail_next("GET /v1.0/policies/", Response::json(401, &body).header("date", &date));
    let steps = cli_snapshot!(doctor_with_env(&env, &[("MSCOMMERCE_TOKEN", &token)]), @"
    exit_code: 1
    proxy (127.0.0.1:[PORT]): passed: none: plain HTTP to this machine
    tls (127.0.0.1:[PORT]): skipped: not needed: plain HTTP to this machine
    authority (none): skipped: not needed: the access token is provided
    credential (MSCOMMERCE_TOKEN): passed: method token, account admin@contoso.example, tenant 11111111-1111-4111-8111-111111111111, audience aeb86249-8ea3-49e2-900b-54cc8e308f85, valid until [TIME], scopes LicenseManager.AccessAsUser
    policy (AllowSelfServicePurchase): failed: could not read the policy AllowSelfServicePurchase: the service returned 401 Unauthorized; Unauthorized: The token is not valid yet.; correlation ID: [UUID]
        hint: set MSCOMMERCE_TOKEN to a new token (this one may have been revoked), or unset it and run mscommerce connect
    clock (127.0.0.1:[PORT]): failed: this machine's clock is [N] s ahead of the clock of 127.0.0.1:[PORT]
        hint: synchronize this machine's clock with a time server
    error: 19 checks: 15 passed, 2 failed, 2 skipped
    hint: set MSCOMMERCE_TOKEN to a new token (this one may have been revoked), or unset it and run mscommerce connect
    hint: synchronize this machine's clock with a time server
    ");
    steps.assert_step("policy", "failed");
    steps.assert_step("clock", "failed");
}

#[test]
fn doctor_compares_clock_on_unknown_tenant() {
    let steps = doctor(&TestEnv::new(), &["--tenant", "nowhere.example"]).assert_code(1);
    steps.assert_step("authority", "failed");
    steps.assert_step("clock", "passed");
}

#[test]
fn doctor_says_if_token_was_refreshed() {
    let mut transcript = Transcript::default();
    for (name, env) in [("fresh token", TestEnv::signed_in()), ("expiring token", TestEnv::with_expiring_token())] {
        transcript.push(name, doctor(&env, &[]));
    }
    cli_snapshot!(transcript, @"
    ===== fresh token =====
    exit_code: 0
    proxy (127.0.0.1:[PORT]): passed: none: plain HTTP to this machine
    tls (127.0.0.1:[PORT]): skipped: not needed: plain HTTP to this machine
    proxy (127.0.0.1:[PORT]): passed: none: plain HTTP to this machine
    tls (127.0.0.1:[PORT]): skipped: not needed: plain HTTP to this machine
    authority (127.0.0.1:[PORT]): passed: found tenant 11111111-1111-4111-8111-111111111111: https://login.microsoftonline.com/11111111-1111-4111-8111-111111111111/v2.0
    credential (profile default): passed: method password, account admin@contoso.example, tenant 11111111-1111-4111-8111-111111111111, audience aeb86249-8ea3-49e2-900b-54cc8e308f85, valid until [TIME], scopes LicenseManager.AccessAsUser
    policy (AllowSelfServicePurchase): passed: status 200, correlation ID [UUID]
    ===== expiring token =====
    exit_code: 0
    proxy (127.0.0.1:[PORT]): passed: none: plain HTTP to this machine
    tls (127.0.0.1:[PORT]): skipped: not needed: plain HTTP to this machine
    proxy (127.0.0.1:[PORT]): passed: none: plain HTTP to this machine
    tls (127.0.0.1:[PORT]): skipped: not needed: plain HTTP to this machine
    authority (127.0.0.1:[PORT]): passed: found tenant 11111111-1111-4111-8111-111111111111: https://login.microsoftonline.com/11111111-1111-4111-8111-111111111111/v2.0
    credential (profile default): passed: method password, just refreshed, account admin@contoso.example, tenant 11111111-1111-4111-8111-111111111111, audience aeb86249-8ea3-49e2-900b-54cc8e308f85, valid until [TIME], scopes LicenseManager.AccessAsUser
    policy (AllowSelfServicePurchase): passed: status 200, correlation ID [UUID]
    ");
}

#[test]
fn doctor_expired_token_sends_no_request() {
    let env = TestEnv::new();
    let token = env.tenant.issue_token(ADMIN, HOME_TENANT, -60);
    cli_snapshot!(doctor_with_env(&env, &[("MSCOMMERCE_TOKEN", &token)]), @"
    exit_code: 1
    proxy (127.0.0.1:[PORT]): passed: none: plain HTTP to this machine
    tls (127.0.0.1:[PORT]): skipped: not needed: plain HTTP to this machine
    proxy (127.0.0.1:[PORT]): passed: none: plain HTTP to this machine
    tls (127.0.0.1:[PORT]): skipped: not needed: plain HTTP to this machine
    authority (127.0.0.1:[PORT]): passed: found tenant organizations: https://login.microsoftonline.com/{tenantid}/v2.0
    credential (profile default): failed: the token in MSCOMMERCE_TOKEN expired at [TIME]; this machine's clock shows [TIME]; if the token is new, the clock may be wrong
        hint: set MSCOMMERCE_TOKEN to a new token, or unset it to use a saved sign-in
    policy (AllowSelfServicePurchase): skipped: no credential
    error: 23 checks: 19 passed, 1 failed, 3 skipped
    hint: set MSCOMMERCE_TOKEN to a new token, or unset it to use a saved sign-in
    ").assert_step("credential", "failed");
    assert!(!env.request_lines().iter().any(|line| line.contains("/v1.0/")));
}

#[test]
fn doctor_application_without_roles_sends_no_request() {
    let env = TestEnv::new();
    let variables =
        [("AZURE_TENANT_ID", HOME_TENANT), ("AZURE_CLIENT_ID", APP_ID), ("AZURE_CLIENT_SECRET", APP_SECRET)];
    let steps = cli_snapshot!(doctor_with_env(&env, &variables), @"
    exit_code: 0
    proxy (127.0.0.1:[PORT]): passed: none: plain HTTP to this machine
    tls (127.0.0.1:[PORT]): skipped: not needed: plain HTTP to this machine
    proxy (127.0.0.1:[PORT]): passed: none: plain HTTP to this machine
    tls (127.0.0.1:[PORT]): skipped: not needed: plain HTTP to this machine
    authority (127.0.0.1:[PORT]): passed: found tenant 11111111-1111-4111-8111-111111111111: https://login.microsoftonline.com/11111111-1111-4111-8111-111111111111/v2.0
    credential (the application in the environment): passed: method application, account c0000000-0000-4000-8000-000000000001, tenant 11111111-1111-4111-8111-111111111111, audience aeb86249-8ea3-49e2-900b-54cc8e308f85, valid until [TIME], roles Policy.ReadWrite.AllowSelfServicePurchase
    policy (AllowSelfServicePurchase): passed: status 200, correlation ID [UUID]
    ");
    steps.assert_step("credential", "passed");
    assert!(!steps.0.stdout.contains(APP_SECRET));

    env.tenant.grant_app(&[]);
    env.tenant.forget_requests();
    cli_snapshot!(doctor_with_env(&env, &variables), @"
    exit_code: 1
    proxy (127.0.0.1:[PORT]): passed: none: plain HTTP to this machine
    tls (127.0.0.1:[PORT]): skipped: not needed: plain HTTP to this machine
    proxy (127.0.0.1:[PORT]): passed: none: plain HTTP to this machine
    tls (127.0.0.1:[PORT]): skipped: not needed: plain HTTP to this machine
    authority (127.0.0.1:[PORT]): passed: found tenant 11111111-1111-4111-8111-111111111111: https://login.microsoftonline.com/11111111-1111-4111-8111-111111111111/v2.0
    credential (the application in the environment): failed: application c0000000-0000-4000-8000-000000000001 cannot read self-service purchase settings: its token lacks the role Policy.Read.AllowSelfServicePurchase or Policy.ReadWrite.AllowSelfServicePurchase; roles in the token: none; no request was sent to the service; account c0000000-0000-4000-8000-000000000001, tenant 11111111-1111-4111-8111-111111111111, audience aeb86249-8ea3-49e2-900b-54cc8e308f85, valid until [TIME], roles none
        hint: add the application permission Policy.Read.AllowSelfServicePurchase (5803e913-b904-44a0-9928-864642a45960) of M365 License Manager (aeb86249-8ea3-49e2-900b-54cc8e308f85) to the app registration, under API permissions; ask a Privileged Role Administrator or Global Administrator of the tenant to grant admin consent, then get a new token; existing tokens do not get the new role
    policy (AllowSelfServicePurchase): skipped: no usable credential
    error: 23 checks: 19 passed, 1 failed, 3 skipped
    hint: add the application permission Policy.Read.AllowSelfServicePurchase (5803e913-b904-44a0-9928-864642a45960) of M365 License Manager (aeb86249-8ea3-49e2-900b-54cc8e308f85) to the app registration, under API permissions
    hint: ask a Privileged Role Administrator or Global Administrator of the tenant to grant admin consent, then get a new token; existing tokens do not get the new role
    ").assert_step("credential", "failed");
    assert!(!env.request_lines().iter().any(|line| line.contains("/v1.0/")));
}

#[test]
fn doctor_names_invalid_state_directory() {
    let env = TestEnv::signed_in();
    let file = env.write("file", "");
    let steps = cli_snapshot!(doctor_with_env(&env, &[("MSCOMMERCE_HOME", &file)]), @"
    exit_code: 1
    setting (state-directory): failed: [TMP]/file is not used: it is not a directory
        hint: set MSCOMMERCE_HOME to a directory of your own
    proxy (127.0.0.1:[PORT]): passed: none: plain HTTP to this machine
    tls (127.0.0.1:[PORT]): skipped: not needed: plain HTTP to this machine
    proxy (127.0.0.1:[PORT]): passed: none: plain HTTP to this machine
    tls (127.0.0.1:[PORT]): skipped: not needed: plain HTTP to this machine
    authority (127.0.0.1:[PORT]): passed: found tenant organizations: https://login.microsoftonline.com/{tenantid}/v2.0
    credential (profile default): failed: [TMP]/file is not used: it is not a directory
        hint: set MSCOMMERCE_HOME to a directory of your own
    policy (AllowSelfServicePurchase): skipped: no credential
    error: 23 checks: 18 passed, 2 failed, 3 skipped
    hint: set MSCOMMERCE_HOME to a directory of your own
    ");
    steps.assert_step("credential", "failed");
    steps.assert_step("authority", "passed");
}

#[cfg(unix)]
#[test]
fn doctor_names_unsafe_state_directory() {
    use std::os::unix::fs::PermissionsExt as _;

    let env = TestEnv::signed_in();
    std::fs::set_permissions(env.state_dir(), std::fs::Permissions::from_mode(0o777)).unwrap();
    let setting = doctor(&env, &[]).assert_code(1).setting("state-directory");
    assert_eq!(setting["outcome"], "failed");
    assert!(setting["finding"].as_str().unwrap().contains("other users can write to it (mode 777)"), "{setting}");
    assert!(setting["hint"].as_str().unwrap().contains("chmod go-w"), "{setting}");
}

#[test]
fn doctor_usage_errors_exit_2() {
    let env = TestEnv::signed_in();
    env.run_with_env(&[("MSCOMMERCE_ENDPOINT", "ftp://x.example")], &["doctor"]).assert_code(2).stdout_is_empty();
    env.run(&["doctor", "--tenant", "a.example", "--tenant", "b.example"]).assert_code(2).stdout_is_empty();
    let password = env.run_with_stdin(&["doctor", "--password-stdin"], PASSWORD).assert_code(2);
    assert!(!password.stderr.contains(PASSWORD));
}
