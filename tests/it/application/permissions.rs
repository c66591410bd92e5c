//! What an application's token says that it may do is looked at before the service is asked.

use serde_json::{Value, json};

use super::*;
use crate::tenant::{ADMIN, CHANGE_PERMISSION, READ_PERMISSION, RESOURCE, Response, jwt};

const READ_ID: &str = "5803e913-b904-44a0-9928-864642a45960";
const CHANGE_ID: &str = "78ff4d1f-611d-4a41-9989-698762b46a0e";
const CHANGE: &[&str] = &["product", "update", "CFQ7TTC0H9MP", "--value", "disabled"];

/// The three sources of a token: the environment's application, a saved one, and a ready one.
struct Source {
    env: TestEnv,
    variables: Variables,
}

impl Source {
    fn all(permissions: &[&str]) -> [Self; 3] {
        let [environment, saved, ready] = [(); 3].map(|()| {
            let env = TestEnv::new();
            env.tenant.grant_app(permissions);
            env
        });
        connect(&saved, &["--client-secret-stdin"], APP_SECRET).assert_code(0);
        saved.tenant.forget_requests();
        let token = ready.tenant.issue_app_token(HOME_TENANT, permissions, 3600);
        [
            Self { env: environment, variables: app_with(&[WITH_SECRET]) },
            Self { env: saved, variables: Vec::new() },
            Self { env: ready, variables: vec![("MSCOMMERCE_TOKEN", token)] },
        ]
    }

    fn run(&self, arguments: &[&str]) -> CliResult {
        run(&self.env, &self.variables, arguments)
    }

    /// Nothing went to the service.
    #[track_caller]
    fn expect_untouched(&self) {
        let requests = self.env.request_lines();
        assert!(requests.iter().all(|line| !line.contains("/v1.0")), "{requests:?}");
    }
}

#[test]
fn without_any_permission_nothing_is_asked_and_the_permission_is_named() {
    for permissions in [&[][..], &["Directory.Read.All"]] {
        for source in Source::all(permissions) {
            for command in [
                &["products", "list"][..],
                &["products", "list", "--scope", "all"],
                &["policy", "list"],
                &["policy", "get"],
                &["product", "get", "CFQ7TTC0H9MP"],
                &["baseline", "export"],
            ] {
                let result = source.run(command).assert_code(1).stdout_is_empty();
                result.stderr_contains(&[
                    APP_ID,
                    READ_PERMISSION,
                    READ_ID,
                    RESOURCE,
                    "admin consent",
                    "Global Administrator",
                ]);
            }
            let result = source.run(CHANGE).assert_code(1).stdout_is_empty();
            result.stderr_contains(&[
                APP_ID,
                CHANGE_PERMISSION,
                CHANGE_ID,
                RESOURCE,
                "admin consent",
                "Global Administrator",
            ]);
            source.expect_untouched();
        }
    }
}

#[test]
fn the_permissions_that_there_are_instead_are_shown() {
    for source in Source::all(&["Directory.Read.All", "User.Read.All"]) {
        source.run(&["products", "list"]).assert_code(1).stderr_contains(&["Directory.Read.All, User.Read.All"]);
    }
}

#[test]
fn to_read_is_enough_for_lists_and_for_rehearsals() {
    for source in Source::all(&[READ_PERMISSION]) {
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
fn a_change_with_the_permission_to_read_is_refused_before_anything() {
    for source in Source::all(&[READ_PERMISSION]) {
        let baseline = source
            .env
            .write("baseline.toml", "policy = \"AllowSelfServicePurchase\"\n[products]\nCFQ7TTC0H9MP = \"Disabled\"\n");
        for command in [
            CHANGE,
            &["products", "update", "--all", "--value", "disabled", "--yes"],
            &["baseline", "apply", &baseline, "--yes"],
        ] {
            let result = source.run(command).assert_code(1).stdout_is_empty();
            result.stderr_contains(&[CHANGE_PERMISSION, CHANGE_ID, READ_PERMISSION, "admin consent"]);
        }
        source.expect_untouched();
        assert_eq!(source.env.tenant.value("CFQ7TTC0H9MP"), "Enabled");
    }
}

#[test]
fn to_change_is_enough_for_everything() {
    for source in Source::all(&[CHANGE_PERMISSION]) {
        source.run(&["products", "list"]).assert_code(0);
        source.run(CHANGE).assert_code(0);
        assert_eq!(source.env.tenant.value("CFQ7TTC0H9MP"), "Disabled");
    }
}

#[test]
fn a_persons_roles_are_the_services_affair() {
    let env = TestEnv::new();
    let token = env.tenant.issue_token(ADMIN, HOME_TENANT, 3600);
    env.run_with_env(&[("MSCOMMERCE_TOKEN", &token)], CHANGE).assert_code(0);
}

/// A token of the application that claims something else; nobody issued it.
fn token_claiming(changes: &Value) -> String {
    let mut claims = json!({
        "aud": RESOURCE, "tid": HOME_TENANT, "appid": APP_ID, "idtyp": "app", "roles": [CHANGE_PERMISSION],
        "exp": chrono::Utc::now().timestamp() + 3600,
    });
    claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    jwt(&claims)
}

#[test]
fn a_token_for_another_service_is_told_to_be_that() {
    let env = TestEnv::new();
    let token = token_claiming(&json!({ "aud": "https://graph.example", "roles": [] }));
    env.run_with_env(&[("MSCOMMERCE_TOKEN", &token)], &["products", "list"])
        .assert_code(4)
        .stdout_is_empty()
        .stderr_contains(&["https://graph.example", RESOURCE, "hint: "]);
}

#[test]
fn the_audience_may_be_written_in_several_ways() {
    let env = TestEnv::new();
    for audience in [format!("api://{RESOURCE}"), RESOURCE.to_uppercase(), format!("{RESOURCE}/")] {
        let token = token_claiming(&json!({ "aud": audience, "roles": [] }));
        let result = env.run_with_env(&[("MSCOMMERCE_TOKEN", &token)], &["products", "list"]).assert_code(1);
        result.stderr_contains(&[READ_PERMISSION]);
    }
    assert!(env.request_lines().is_empty());
}

#[test]
fn a_token_that_has_ended_is_reported_without_a_call() {
    let env = TestEnv::new();
    let token = env.tenant.issue_app_token(HOME_TENANT, &[], -60);
    let result =
        env.run_with_env(&[("MSCOMMERCE_TOKEN", &token)], &["products", "list"]).assert_code(4).stdout_is_empty();
    result.stderr_contains(&["MSCOMMERCE_TOKEN", "ended at", "hint: "]);
    assert!(env.request_lines().is_empty());
}

#[test]
fn an_application_that_the_service_does_not_accept_is_told_what_is_known() {
    for source in Source::all(&[CHANGE_PERMISSION]) {
        source.env.tenant.set_app_accepted(false);
        let result = source.run(&["products", "list"]).assert_code(4).stdout_is_empty();
        result.stderr_contains(&[
            "401",
            "correlation id: ",
            "no public source shows",
            "application",
            "mscommerce connect",
        ]);
    }
}

#[test]
fn an_application_that_is_forbidden_hears_of_permissions_and_not_of_a_persons_roles() {
    for source in Source::all(&[CHANGE_PERMISSION]) {
        source.env.tenant.fail_next("/v1.0", Response::json(403, &json!({ "errorCode": "Forbidden" })));
        let result = source.run(&["products", "list"]).assert_code(1).stdout_is_empty();
        let result = result.stderr_contains(&["403", APP_ID, CHANGE_PERMISSION, "correlation id: ", "hint: "]);
        assert!(
            !result.stderr.contains("GDAP") && !result.stderr.contains("Billing Administrator"),
            "{}",
            result.stderr
        );
    }
}

#[test]
fn the_way_out_is_named_for_the_profile_in_use() {
    let env = TestEnv::new();
    let lab = ["--profile", "lab"];
    connect(&env, &[&["--client-secret-stdin"][..], &lab].concat(), APP_SECRET).assert_code(0);
    env.tenant.set_app_accepted(false);
    let refused = env.run(&[&["products", "list"][..], &lab].concat()).assert_code(4);
    env.tenant.fail_next("/v1.0", Response::json(403, &json!({ "errorCode": "Forbidden" })));
    let forbidden = env.run(&[&["products", "list"][..], &lab].concat()).assert_code(1);
    for result in [refused, forbidden] {
        let hints =
            result.stderr.lines().filter(|line| line.starts_with("hint: ") && line.contains("mscommerce connect"));
        for hint in hints {
            assert!(hint.contains("--profile lab"), "this signs in to another profile: {hint}");
        }
    }
}
