//! What an application's token says that it may do is looked at before the service is asked.

use serde_json::{Value, json};

use super::*;
use crate::tenant::{ADMIN, Answer, CHANGE_PERMISSION, READ_PERMISSION, RESOURCE, jwt};

const READ_ID: &str = "5803e913-b904-44a0-9928-864642a45960";
const CHANGE_ID: &str = "78ff4d1f-611d-4a41-9989-698762b46a0e";
const CHANGE: &[&str] = &["product", "update", "CFQ7TTC0H9MP", "--value", "disabled"];

/// The three sources of a token: the environment's application, a saved one, and a ready one.
struct Source {
    machine: Machine,
    variables: Variables,
}

impl Source {
    fn all(permissions: &[&str]) -> [Self; 3] {
        let [environment, saved, ready] = [(); 3].map(|()| {
            let machine = Machine::new();
            machine.tenant.grant_app(permissions);
            machine
        });
        connect(&saved, &["--client-secret-stdin"], APP_SECRET).expect_code(0);
        saved.tenant.forget_requests();
        let token = ready.tenant.mint_app(HOME_TENANT, permissions, 3600);
        [
            Self { machine: environment, variables: app_with(&[WITH_SECRET]) },
            Self { machine: saved, variables: Vec::new() },
            Self { machine: ready, variables: vec![("MSCOMMERCE_TOKEN", token)] },
        ]
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        run(&self.machine, &self.variables, arguments)
    }

    /// Nothing went to the service.
    #[track_caller]
    fn expect_untouched(&self) {
        let requests = self.machine.requests();
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
                let ran = source.run(command).expect_code(1).expect_no_data();
                ran.expect_said(&[APP_ID, READ_PERMISSION, READ_ID, RESOURCE, "admin consent", "Global Administrator"]);
            }
            let ran = source.run(CHANGE).expect_code(1).expect_no_data();
            ran.expect_said(&[APP_ID, CHANGE_PERMISSION, CHANGE_ID, RESOURCE, "admin consent", "Global Administrator"]);
            source.expect_untouched();
        }
    }
}

#[test]
fn the_permissions_that_there_are_instead_are_shown() {
    for source in Source::all(&["Directory.Read.All", "User.Read.All"]) {
        source.run(&["products", "list"]).expect_code(1).expect_said(&["Directory.Read.All, User.Read.All"]);
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
            let ran = source.run(command).expect_code(0);
            assert!(!ran.stderr.contains("warning"), "{}", ran.stderr);
        }
    }
}

#[test]
fn a_change_with_the_permission_to_read_is_refused_before_anything() {
    for source in Source::all(&[READ_PERMISSION]) {
        let baseline = write(
            &source.machine,
            "baseline.toml",
            "policy = \"AllowSelfServicePurchase\"\n[products]\nCFQ7TTC0H9MP = \"Disabled\"\n",
        );
        for command in [
            CHANGE,
            &["products", "update", "--all", "--value", "disabled", "--yes"],
            &["baseline", "apply", &baseline, "--yes"],
        ] {
            let ran = source.run(command).expect_code(1).expect_no_data();
            ran.expect_said(&[CHANGE_PERMISSION, CHANGE_ID, READ_PERMISSION, "admin consent"]);
        }
        source.expect_untouched();
        assert_eq!(source.machine.tenant.value_of("CFQ7TTC0H9MP"), "Enabled");
    }
}

#[test]
fn to_change_is_enough_for_everything() {
    for source in Source::all(&[CHANGE_PERMISSION]) {
        source.run(&["products", "list"]).expect_code(0);
        source.run(CHANGE).expect_code(0);
        assert_eq!(source.machine.tenant.value_of("CFQ7TTC0H9MP"), "Disabled");
    }
}

#[test]
fn a_persons_roles_are_the_services_affair() {
    let machine = Machine::new();
    let token = machine.tenant.mint(ADMIN, HOME_TENANT, 3600);
    machine.run_with(&[("MSCOMMERCE_TOKEN", &token)], CHANGE).expect_code(0);
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
    let machine = Machine::new();
    let token = token_claiming(&json!({ "aud": "https://graph.example", "roles": [] }));
    machine
        .run_with(&[("MSCOMMERCE_TOKEN", &token)], &["products", "list"])
        .expect_code(4)
        .expect_no_data()
        .expect_said(&["https://graph.example", RESOURCE, "hint: "]);
}

#[test]
fn the_audience_may_be_written_in_several_ways() {
    let machine = Machine::new();
    for audience in [format!("api://{RESOURCE}"), RESOURCE.to_uppercase(), format!("{RESOURCE}/")] {
        let token = token_claiming(&json!({ "aud": audience, "roles": [] }));
        let ran = machine.run_with(&[("MSCOMMERCE_TOKEN", &token)], &["products", "list"]).expect_code(1);
        ran.expect_said(&[READ_PERMISSION]);
    }
    assert!(machine.requests().is_empty());
}

#[test]
fn a_token_that_has_ended_is_reported_without_a_call() {
    let machine = Machine::new();
    let token = machine.tenant.mint_app(HOME_TENANT, &[], -60);
    let ran = machine.run_with(&[("MSCOMMERCE_TOKEN", &token)], &["products", "list"]).expect_code(4).expect_no_data();
    ran.expect_said(&["MSCOMMERCE_TOKEN", "ended at", "hint: "]);
    assert!(machine.requests().is_empty());
}

#[test]
fn an_application_that_the_service_does_not_accept_is_told_what_is_known() {
    for source in Source::all(&[CHANGE_PERMISSION]) {
        source.machine.tenant.set_app_accepted(false);
        let ran = source.run(&["products", "list"]).expect_code(4).expect_no_data();
        ran.expect_said(&["401", "correlation id: ", "no public source shows", "application", "mscommerce connect"]);
    }
}

#[test]
fn an_application_that_is_forbidden_hears_of_permissions_and_not_of_a_persons_roles() {
    for source in Source::all(&[CHANGE_PERMISSION]) {
        source.machine.tenant.fail_next("/v1.0", Answer::json(403, &json!({ "errorCode": "Forbidden" })));
        let ran = source.run(&["products", "list"]).expect_code(1).expect_no_data();
        let ran = ran.expect_said(&["403", APP_ID, CHANGE_PERMISSION, "correlation id: ", "hint: "]);
        assert!(!ran.stderr.contains("GDAP") && !ran.stderr.contains("Billing Administrator"), "{}", ran.stderr);
    }
}

#[test]
fn the_way_out_is_named_for_the_profile_in_use() {
    let machine = Machine::new();
    let lab = ["--profile", "lab"];
    connect(&machine, &[&["--client-secret-stdin"][..], &lab].concat(), APP_SECRET).expect_code(0);
    machine.tenant.set_app_accepted(false);
    let refused = machine.run(&[&["products", "list"][..], &lab].concat()).expect_code(4);
    machine.tenant.fail_next("/v1.0", Answer::json(403, &json!({ "errorCode": "Forbidden" })));
    let forbidden = machine.run(&[&["products", "list"][..], &lab].concat()).expect_code(1);
    for ran in [refused, forbidden] {
        let hints = ran.stderr.lines().filter(|line| line.starts_with("hint: ") && line.contains("mscommerce connect"));
        for hint in hints {
            assert!(hint.contains("--profile lab"), "this signs in to another profile: {hint}");
        }
    }
}
