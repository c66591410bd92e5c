//! The roles in an application's token are checked before a request is sent.

use serde_json::{Value, json};

use super::*;
use crate::support::snapshot::Transcript;
use crate::tenant::{ADMIN, CHANGE_PERMISSION, READ_PERMISSION, RESOURCE, Response, jwt};

const CHANGE: &[&str] = &["product", "update", "CFQ7TTC0H9MP", "--value", "disabled"];

/// A source of an application token.
struct TokenSource {
    name: &'static str,
    env: TestEnv,
    variables: Variables,
}

impl TokenSource {
    fn all(permissions: &[&str]) -> [Self; 3] {
        let [environment, cache, variable] = [(); 3].map(|()| {
            let env = TestEnv::new();
            env.tenant.grant_app(permissions);
            env
        });
        connect(&cache, &["--client-secret-stdin"], APP_SECRET).assert_code(0);
        cache.tenant.forget_requests();
        let token = variable.tenant.issue_app_token(HOME_TENANT, permissions, 3600);
        [
            Self { name: "environment", env: environment, variables: app_with(&[WITH_SECRET]) },
            Self { name: "cache", env: cache, variables: Vec::new() },
            Self { name: "MSCOMMERCE_TOKEN", env: variable, variables: vec![("MSCOMMERCE_TOKEN", token)] },
        ]
    }

    fn run(&self, arguments: &[&str]) -> CliResult {
        run(&self.env, &self.variables, arguments)
    }

    /// Asserts that the policy endpoint received no request.
    #[track_caller]
    fn assert_no_api_request(&self) {
        let requests = self.env.request_lines();
        assert!(requests.iter().all(|line| !line.contains("/v1.0")), "{requests:?}");
    }
}

#[test]
fn missing_permission_sends_no_request() {
    let mut transcript = Transcript::default();
    for (name, permissions) in [("no role", &[][..]), ("other role", &["Directory.Read.All"])] {
        let sources = TokenSource::all(permissions);
        for command in [
            &["products", "list"][..],
            &["products", "list", "--scope", "all"],
            &["baseline", "export"],
            &["policy", "list"],
            &["policy", "get"],
            &["product", "get", "CFQ7TTC0H9MP"],
            CHANGE,
        ] {
            for source in &sources {
                transcript.push(format!("{name}, {}: {}", source.name, command.join(" ")), source.run(command));
            }
        }
        sources.iter().for_each(TokenSource::assert_no_api_request);
    }
    cli_snapshot!(transcript, @"
    ===== no role, environment: products list =====
    ===== no role, cache: products list =====
    ===== no role, MSCOMMERCE_TOKEN: products list =====
    ===== no role, environment: products list --scope all =====
    ===== no role, cache: products list --scope all =====
    ===== no role, MSCOMMERCE_TOKEN: products list --scope all =====
    ===== no role, environment: baseline export =====
    ===== no role, cache: baseline export =====
    ===== no role, MSCOMMERCE_TOKEN: baseline export =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: application c0000000-0000-4000-8000-000000000001 cannot read self-service purchase settings: its token lacks the role Policy.Read.AllowSelfServicePurchase or Policy.ReadWrite.AllowSelfServicePurchase
      roles in the token: none
      no request was sent to the service
    hint: add the application permission Policy.Read.AllowSelfServicePurchase (5803e913-b904-44a0-9928-864642a45960) of M365 License Manager (aeb86249-8ea3-49e2-900b-54cc8e308f85) to the app registration, under API permissions
    hint: ask a Privileged Role Administrator or Global Administrator of the tenant to grant admin consent, then get a new token; existing tokens do not get the new role
    ===== no role, environment: policy list =====
    ===== no role, cache: policy list =====
    ===== no role, MSCOMMERCE_TOKEN: policy list =====
    exit_code: 1
    ----- stderr -----
    error: could not list the policies: application c0000000-0000-4000-8000-000000000001 cannot read self-service purchase settings: its token lacks the role Policy.Read.AllowSelfServicePurchase or Policy.ReadWrite.AllowSelfServicePurchase
      roles in the token: none
      no request was sent to the service
    hint: add the application permission Policy.Read.AllowSelfServicePurchase (5803e913-b904-44a0-9928-864642a45960) of M365 License Manager (aeb86249-8ea3-49e2-900b-54cc8e308f85) to the app registration, under API permissions
    hint: ask a Privileged Role Administrator or Global Administrator of the tenant to grant admin consent, then get a new token; existing tokens do not get the new role
    ===== no role, environment: policy get =====
    ===== no role, cache: policy get =====
    ===== no role, MSCOMMERCE_TOKEN: policy get =====
    exit_code: 1
    ----- stderr -----
    error: could not read the policy AllowSelfServicePurchase: application c0000000-0000-4000-8000-000000000001 cannot read self-service purchase settings: its token lacks the role Policy.Read.AllowSelfServicePurchase or Policy.ReadWrite.AllowSelfServicePurchase
      roles in the token: none
      no request was sent to the service
    hint: add the application permission Policy.Read.AllowSelfServicePurchase (5803e913-b904-44a0-9928-864642a45960) of M365 License Manager (aeb86249-8ea3-49e2-900b-54cc8e308f85) to the app registration, under API permissions
    hint: ask a Privileged Role Administrator or Global Administrator of the tenant to grant admin consent, then get a new token; existing tokens do not get the new role
    ===== no role, environment: product get CFQ7TTC0H9MP =====
    ===== no role, cache: product get CFQ7TTC0H9MP =====
    ===== no role, MSCOMMERCE_TOKEN: product get CFQ7TTC0H9MP =====
    exit_code: 1
    ----- stderr -----
    error: could not read product CFQ7TTC0H9MP: application c0000000-0000-4000-8000-000000000001 cannot read self-service purchase settings: its token lacks the role Policy.Read.AllowSelfServicePurchase or Policy.ReadWrite.AllowSelfServicePurchase
      roles in the token: none
      no request was sent to the service
    hint: add the application permission Policy.Read.AllowSelfServicePurchase (5803e913-b904-44a0-9928-864642a45960) of M365 License Manager (aeb86249-8ea3-49e2-900b-54cc8e308f85) to the app registration, under API permissions
    hint: ask a Privileged Role Administrator or Global Administrator of the tenant to grant admin consent, then get a new token; existing tokens do not get the new role
    ===== no role, environment: product update CFQ7TTC0H9MP --value disabled =====
    ===== no role, cache: product update CFQ7TTC0H9MP --value disabled =====
    ===== no role, MSCOMMERCE_TOKEN: product update CFQ7TTC0H9MP --value disabled =====
    exit_code: 1
    ----- stderr -----
    error: application c0000000-0000-4000-8000-000000000001 cannot change self-service purchase settings: its token lacks the role Policy.ReadWrite.AllowSelfServicePurchase
      roles in the token: none
      no request was sent to the service
    hint: add the application permission Policy.ReadWrite.AllowSelfServicePurchase (78ff4d1f-611d-4a41-9989-698762b46a0e) of M365 License Manager (aeb86249-8ea3-49e2-900b-54cc8e308f85) to the app registration, under API permissions
    hint: ask a Privileged Role Administrator or Global Administrator of the tenant to grant admin consent, then get a new token; existing tokens do not get the new role
    ===== other role, environment: products list =====
    ===== other role, cache: products list =====
    ===== other role, MSCOMMERCE_TOKEN: products list =====
    ===== other role, environment: products list --scope all =====
    ===== other role, cache: products list --scope all =====
    ===== other role, MSCOMMERCE_TOKEN: products list --scope all =====
    ===== other role, environment: baseline export =====
    ===== other role, cache: baseline export =====
    ===== other role, MSCOMMERCE_TOKEN: baseline export =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: application c0000000-0000-4000-8000-000000000001 cannot read self-service purchase settings: its token lacks the role Policy.Read.AllowSelfServicePurchase or Policy.ReadWrite.AllowSelfServicePurchase
      roles in the token: Directory.Read.All
      no request was sent to the service
    hint: add the application permission Policy.Read.AllowSelfServicePurchase (5803e913-b904-44a0-9928-864642a45960) of M365 License Manager (aeb86249-8ea3-49e2-900b-54cc8e308f85) to the app registration, under API permissions
    hint: ask a Privileged Role Administrator or Global Administrator of the tenant to grant admin consent, then get a new token; existing tokens do not get the new role
    ===== other role, environment: policy list =====
    ===== other role, cache: policy list =====
    ===== other role, MSCOMMERCE_TOKEN: policy list =====
    exit_code: 1
    ----- stderr -----
    error: could not list the policies: application c0000000-0000-4000-8000-000000000001 cannot read self-service purchase settings: its token lacks the role Policy.Read.AllowSelfServicePurchase or Policy.ReadWrite.AllowSelfServicePurchase
      roles in the token: Directory.Read.All
      no request was sent to the service
    hint: add the application permission Policy.Read.AllowSelfServicePurchase (5803e913-b904-44a0-9928-864642a45960) of M365 License Manager (aeb86249-8ea3-49e2-900b-54cc8e308f85) to the app registration, under API permissions
    hint: ask a Privileged Role Administrator or Global Administrator of the tenant to grant admin consent, then get a new token; existing tokens do not get the new role
    ===== other role, environment: policy get =====
    ===== other role, cache: policy get =====
    ===== other role, MSCOMMERCE_TOKEN: policy get =====
    exit_code: 1
    ----- stderr -----
    error: could not read the policy AllowSelfServicePurchase: application c0000000-0000-4000-8000-000000000001 cannot read self-service purchase settings: its token lacks the role Policy.Read.AllowSelfServicePurchase or Policy.ReadWrite.AllowSelfServicePurchase
      roles in the token: Directory.Read.All
      no request was sent to the service
    hint: add the application permission Policy.Read.AllowSelfServicePurchase (5803e913-b904-44a0-9928-864642a45960) of M365 License Manager (aeb86249-8ea3-49e2-900b-54cc8e308f85) to the app registration, under API permissions
    hint: ask a Privileged Role Administrator or Global Administrator of the tenant to grant admin consent, then get a new token; existing tokens do not get the new role
    ===== other role, environment: product get CFQ7TTC0H9MP =====
    ===== other role, cache: product get CFQ7TTC0H9MP =====
    ===== other role, MSCOMMERCE_TOKEN: product get CFQ7TTC0H9MP =====
    exit_code: 1
    ----- stderr -----
    error: could not read product CFQ7TTC0H9MP: application c0000000-0000-4000-8000-000000000001 cannot read self-service purchase settings: its token lacks the role Policy.Read.AllowSelfServicePurchase or Policy.ReadWrite.AllowSelfServicePurchase
      roles in the token: Directory.Read.All
      no request was sent to the service
    hint: add the application permission Policy.Read.AllowSelfServicePurchase (5803e913-b904-44a0-9928-864642a45960) of M365 License Manager (aeb86249-8ea3-49e2-900b-54cc8e308f85) to the app registration, under API permissions
    hint: ask a Privileged Role Administrator or Global Administrator of the tenant to grant admin consent, then get a new token; existing tokens do not get the new role
    ===== other role, environment: product update CFQ7TTC0H9MP --value disabled =====
    ===== other role, cache: product update CFQ7TTC0H9MP --value disabled =====
    ===== other role, MSCOMMERCE_TOKEN: product update CFQ7TTC0H9MP --value disabled =====
    exit_code: 1
    ----- stderr -----
    error: application c0000000-0000-4000-8000-000000000001 cannot change self-service purchase settings: its token lacks the role Policy.ReadWrite.AllowSelfServicePurchase
      roles in the token: Directory.Read.All
      no request was sent to the service
    hint: add the application permission Policy.ReadWrite.AllowSelfServicePurchase (78ff4d1f-611d-4a41-9989-698762b46a0e) of M365 License Manager (aeb86249-8ea3-49e2-900b-54cc8e308f85) to the app registration, under API permissions
    hint: ask a Privileged Role Administrator or Global Administrator of the tenant to grant admin consent, then get a new token; existing tokens do not get the new role
    ");
}

#[test]
fn missing_permission_error_lists_granted_roles() {
    let mut transcript = Transcript::default();
    for source in TokenSource::all(&["Directory.Read.All", "User.Read.All"]) {
        transcript.push(source.name, source.run(&["products", "list"]));
    }
    cli_snapshot!(transcript, @"
    ===== environment =====
    ===== cache =====
    ===== MSCOMMERCE_TOKEN =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: application c0000000-0000-4000-8000-000000000001 cannot read self-service purchase settings: its token lacks the role Policy.Read.AllowSelfServicePurchase or Policy.ReadWrite.AllowSelfServicePurchase
      roles in the token: Directory.Read.All, User.Read.All
      no request was sent to the service
    hint: add the application permission Policy.Read.AllowSelfServicePurchase (5803e913-b904-44a0-9928-864642a45960) of M365 License Manager (aeb86249-8ea3-49e2-900b-54cc8e308f85) to the app registration, under API permissions
    hint: ask a Privileged Role Administrator or Global Administrator of the tenant to grant admin consent, then get a new token; existing tokens do not get the new role
    ");
}

#[test]
fn read_permission_allows_lists_and_dry_runs() {
    for source in TokenSource::all(&[READ_PERMISSION]) {
        for command in [
            &["products", "list"][..],
            &["policy", "list"],
            &["product", "get", "CFQ7TTC0H9MP"],
            &["product", "update", "CFQ7TTC0H9MP", "--value", "disabled", "--dry-run"],
            &["products", "update", "--all", "--value", "disabled", "--dry-run"],
        ] {
            let result = source.run(command).assert_code(0);
            assert!(!result.stderr.contains("warning"), "{}", result.stderr);
        }
    }
}

#[test]
fn update_with_read_permission_sends_no_request() {
    let mut transcript = Transcript::default();
    for source in TokenSource::all(&[READ_PERMISSION]) {
        let content = "policy = \"AllowSelfServicePurchase\"\n[products]\nCFQ7TTC0H9MP = \"Disabled\"\n";
        let baseline = source.env.write("baseline.toml", content);
        for (name, command) in [
            ("product update", CHANGE),
            ("products update", &["products", "update", "--all", "--value", "disabled", "--yes"]),
            ("baseline apply", &["baseline", "apply", &baseline, "--yes"]),
        ] {
            transcript.push(format!("{} {name}", source.name), source.run(command));
        }
        source.assert_no_api_request();
        assert_eq!(source.env.tenant.value("CFQ7TTC0H9MP"), "Enabled");
    }
    cli_snapshot!(transcript, @"
    ===== environment product update =====
    ===== environment products update =====
    ===== environment baseline apply =====
    ===== cache product update =====
    ===== cache products update =====
    ===== cache baseline apply =====
    ===== MSCOMMERCE_TOKEN product update =====
    ===== MSCOMMERCE_TOKEN products update =====
    ===== MSCOMMERCE_TOKEN baseline apply =====
    exit_code: 1
    ----- stderr -----
    error: application c0000000-0000-4000-8000-000000000001 cannot change self-service purchase settings: its token lacks the role Policy.ReadWrite.AllowSelfServicePurchase
      roles in the token: Policy.Read.AllowSelfServicePurchase
      no request was sent to the service
    hint: add the application permission Policy.ReadWrite.AllowSelfServicePurchase (78ff4d1f-611d-4a41-9989-698762b46a0e) of M365 License Manager (aeb86249-8ea3-49e2-900b-54cc8e308f85) to the app registration, under API permissions
    hint: ask a Privileged Role Administrator or Global Administrator of the tenant to grant admin consent, then get a new token; existing tokens do not get the new role
    ");
}

#[test]
fn write_permission_allows_everything() {
    for source in TokenSource::all(&[CHANGE_PERMISSION]) {
        source.run(&["products", "list"]).assert_code(0);
        source.run(CHANGE).assert_code(0);
        assert_eq!(source.env.tenant.value("CFQ7TTC0H9MP"), "Disabled");
    }
}

#[test]
fn user_token_roles_are_not_checked() {
    let env = TestEnv::new();
    let token = env.tenant.issue_token(ADMIN, HOME_TENANT, 3600);
    env.run_with_env(&[("MSCOMMERCE_TOKEN", &token)], CHANGE).assert_code(0);
}

/// An application token with other claims, which Entra has not issued.
fn token_with_claims(changes: &Value) -> String {
    let mut claims = json!({
        "aud": RESOURCE, "tid": HOME_TENANT, "appid": APP_ID, "idtyp": "app", "roles": [CHANGE_PERMISSION],
        "exp": chrono::Utc::now().timestamp() + 3600,
    });
    claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    jwt(&claims)
}

#[test]
fn foreign_audience_error_message() {
    let env = TestEnv::new();
    let token = token_with_claims(&json!({ "aud": "https://graph.example", "roles": [] }));
    cli_snapshot!(env.run_with_env(&[("MSCOMMERCE_TOKEN", &token)], &["products", "list"]), @"
    exit_code: 4
    ----- stderr -----
    error: could not list the products: the service returned 401 Unauthorized
      Unauthorized: The audience is invalid.
      correlation ID: [UUID]
    hint: use a token for aeb86249-8ea3-49e2-900b-54cc8e308f85 (M365 License Manager); this one is for https://graph.example
    hint: set MSCOMMERCE_TOKEN to another token, or unset it and run mscommerce connect
    ");
}

#[test]
fn audience_spellings_are_accepted() {
    let env = TestEnv::new();
    let mut transcript = Transcript::default();
    for audience in [format!("api://{RESOURCE}"), RESOURCE.to_uppercase(), format!("{RESOURCE}/")] {
        let token = token_with_claims(&json!({ "aud": audience, "roles": [] }));
        transcript.push(audience, env.run_with_env(&[("MSCOMMERCE_TOKEN", &token)], &["products", "list"]));
    }
    // The audience is accepted, the role is missing.
    cli_snapshot!(transcript, @"
    ===== api://aeb86249-8ea3-49e2-900b-54cc8e308f85 =====
    ===== AEB86249-8EA3-49E2-900B-54CC8E308F85 =====
    ===== aeb86249-8ea3-49e2-900b-54cc8e308f85/ =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: application c0000000-0000-4000-8000-000000000001 cannot read self-service purchase settings: its token lacks the role Policy.Read.AllowSelfServicePurchase or Policy.ReadWrite.AllowSelfServicePurchase
      roles in the token: none
      no request was sent to the service
    hint: add the application permission Policy.Read.AllowSelfServicePurchase (5803e913-b904-44a0-9928-864642a45960) of M365 License Manager (aeb86249-8ea3-49e2-900b-54cc8e308f85) to the app registration, under API permissions
    hint: ask a Privileged Role Administrator or Global Administrator of the tenant to grant admin consent, then get a new token; existing tokens do not get the new role
    ");
    assert!(env.request_lines().is_empty());
}

#[test]
fn expired_application_token_sends_no_request() {
    let env = TestEnv::new();
    let token = env.tenant.issue_app_token(HOME_TENANT, &[], -60);
    cli_snapshot!(env.run_with_env(&[("MSCOMMERCE_TOKEN", &token)], &["products", "list"]), @"
    exit_code: 4
    ----- stderr -----
    error: the token in MSCOMMERCE_TOKEN expired at [TIME]
      this machine's clock shows [TIME]; if the token is new, the clock may be wrong
    hint: set MSCOMMERCE_TOKEN to a new token, or unset it to use a saved sign-in
    ");
    assert!(env.request_lines().is_empty());
}

#[test]
fn application_401_error_message() {
    let mut transcript = Transcript::default();
    for source in TokenSource::all(&[CHANGE_PERMISSION]) {
        source.env.tenant.set_app_accepted(false);
        transcript.push(source.name, source.run(&["products", "list"]));
    }
    cli_snapshot!(transcript, @"
    ===== environment =====
    exit_code: 4
    ----- stderr -----
    error: could not list the products: the service returned 401 Unauthorized
      Unauthorized: The token type is not supported.
      correlation ID: [UUID]
    hint: sign in as a user if this persists; it is not verified that the service accepts applications
    hint: unset AZURE_CLIENT_ID to sign in as a user: mscommerce connect
    ===== cache =====
    exit_code: 4
    ----- stderr -----
    error: could not list the products: the service returned 401 Unauthorized
      Unauthorized: The token type is not supported.
      correlation ID: [UUID]
    hint: sign in as a user if this persists; it is not verified that the service accepts applications
    hint: mscommerce connect --application --tenant 11111111-1111-4111-8111-111111111111 --client-id c0000000-0000-4000-8000-000000000001 --certificate FILE (or another credential option)
    ===== MSCOMMERCE_TOKEN =====
    exit_code: 4
    ----- stderr -----
    error: could not list the products: the service returned 401 Unauthorized
      Unauthorized: The token type is not supported.
      correlation ID: [UUID]
    hint: sign in as a user if this persists; it is not verified that the service accepts applications
    hint: set MSCOMMERCE_TOKEN to another token, or unset it and run mscommerce connect
    ");
}

#[test]
fn application_403_hints_at_permissions() {
    let mut transcript = Transcript::default();
    for source in TokenSource::all(&[CHANGE_PERMISSION]) {
        source.env.tenant.fail_next("/v1.0", Response::json(403, &json!({ "errorCode": "Forbidden" })));
        let result = transcript.push(source.name, source.run(&["products", "list"]));
        result.stderr_lacks("GDAP").stderr_lacks("Billing Administrator");
    }
    cli_snapshot!(transcript, @"
    ===== environment =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: the service returned 403 Forbidden
      Forbidden
      correlation ID: [UUID]
    hint: the service denied access although the token of application c0000000-0000-4000-8000-000000000001 has the required role (roles in the token: Policy.ReadWrite.AllowSelfServicePurchase)
    hint: sign in as a user if this persists; it is not verified that the service accepts applications
    hint: unset AZURE_CLIENT_ID to sign in as a user: mscommerce connect
    hint: check the account and tenant: mscommerce status
    ===== cache =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: the service returned 403 Forbidden
      Forbidden
      correlation ID: [UUID]
    hint: the service denied access although the token of application c0000000-0000-4000-8000-000000000001 has the required role (roles in the token: Policy.ReadWrite.AllowSelfServicePurchase)
    hint: sign in as a user if this persists; it is not verified that the service accepts applications
    hint: sign in as a user: mscommerce connect
    hint: check the account and tenant: mscommerce status
    ===== MSCOMMERCE_TOKEN =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: the service returned 403 Forbidden
      Forbidden
      correlation ID: [UUID]
    hint: the service denied access although the token of application c0000000-0000-4000-8000-000000000001 has the required role (roles in the token: Policy.ReadWrite.AllowSelfServicePurchase)
    hint: sign in as a user if this persists; it is not verified that the service accepts applications
    hint: check the account and tenant: mscommerce status
    ");
}

#[test]
fn application_hints_repeat_profile() {
    let env = TestEnv::new();
    let lab = ["--profile", "lab"];
    connect(&env, &[&["--client-secret-stdin"][..], &lab].concat(), APP_SECRET).assert_code(0);
    env.tenant.set_app_accepted(false);
    let unauthorized = env.run(&[&["products", "list"][..], &lab].concat()).assert_code(4);
    env.tenant.fail_next("/v1.0", Response::json(403, &json!({ "errorCode": "Forbidden" })));
    let forbidden = env.run(&[&["products", "list"][..], &lab].concat()).assert_code(1);
    for result in [unauthorized, forbidden] {
        let hints =
            result.stderr.lines().filter(|line| line.starts_with("hint: ") && line.contains("mscommerce connect"));
        for hint in hints {
            assert!(hint.contains("--profile lab"), "the hint uses another profile: {hint}");
        }
    }
}
