//! One tenant that is given twice.

use super::*;
use crate::support::fixtures::POWER_BI;

const LIST: &[&str] = &["products", "list", "-o", "json"];
const UPDATE: &[&str] = &["products", "update", "--all", "--value", "disabled", "--yes", "-o", "json"];

#[test]
fn duplicate_name_is_listed_once() {
    let env = partner_env_with_tokens();
    env.write("c.txt", format!("{CUSTOMER_DOMAIN}\n{HOME_DOMAIN}\n{}\n", CUSTOMER_DOMAIN.to_uppercase()));
    let flags = for_tenants(&[CUSTOMER_DOMAIN, HOME_DOMAIN, "Fabrikam.Example"], LIST);
    for arguments in [[LIST, &["--tenants-file", "c.txt"]].concat(), flags] {
        env.tenant.forget_requests();
        let result = env.run_in_home(&arguments).assert_code(0);
        assert_eq!(tenant_ids(&result), [CUSTOMER_TENANT, HOME_TENANT]);
        assert_eq!(env.request_lines().len(), 2, "{arguments:?}: {:?}", env.request_lines());
    }
}

#[test]
fn duplicate_name_fails_once() {
    let env = partner_env();
    env.write("c.txt", "nowhere.example\ncontoso.example\nNowhere.example\n");
    let flags = for_tenants(&["nowhere.example", HOME_DOMAIN, "Nowhere.example"], LIST);
    let mut transcript = Transcript::default();
    for (name, arguments) in [("file", [LIST, &["--tenants-file", "c.txt"]].concat()), ("flags", flags)] {
        let result = env.run_in_home(&arguments);
        transcript.push(name, stderr_only(&result));
        assert_eq!(result.stderr.matches("\n  nowhere.example: ").count(), 1, "{name}: {}", result.stderr);
    }
    cli_snapshot!(transcript, @"
    ===== file =====
    ===== flags =====
    exit_code: 4
    ----- stderr -----
    error: 1 of 2 tenants failed
      nowhere.example: could not refresh the saved sign-in for tenant nowhere.example: the tenant does not exist in this cloud
        AADSTS90002: Tenant 'nowhere.example' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. (invalid_request)
        correlation ID: [UUID], trace ID: [UUID]
    hint: check the tenant (--tenant, or AZURE_TENANT_ID for connect), and set AZURE_AUTHORITY_HOST for a national cloud
    ");
}

#[test]
fn id_and_domain_of_one_tenant_are_listed_once() {
    let mut transcript = Transcript::default();
    for names in [[CUSTOMER_TENANT, CUSTOMER_DOMAIN], [CUSTOMER_DOMAIN, CUSTOMER_TENANT]] {
        // With the tenant ids unknown and known.
        for env in [partner_env(), partner_env_with_tokens()] {
            let result = env.run(&for_tenants(&[names[0], HOME_DOMAIN, names[1]], LIST)).assert_code(0);
            assert_eq!(tenant_ids(&result), [CUSTOMER_TENANT, HOME_TENANT]);
            assert_eq!(result.json().as_array().unwrap().len(), 34);
            transcript.push(names.join(", "), stderr_only(&result));
        }
    }
    cli_snapshot!(transcript, @"
    ===== 22222222-2222-4222-8222-222222222222, fabrikam.example =====
    ===== 22222222-2222-4222-8222-222222222222, fabrikam.example =====
    exit_code: 0
    ----- stderr -----
    warning: 22222222-2222-4222-8222-222222222222 and fabrikam.example are the same tenant, which is processed once
    ===== fabrikam.example, 22222222-2222-4222-8222-222222222222 =====
    ===== fabrikam.example, 22222222-2222-4222-8222-222222222222 =====
    exit_code: 0
    ----- stderr -----
    warning: fabrikam.example and 22222222-2222-4222-8222-222222222222 are the same tenant, which is processed once
    ");
}

#[test]
fn duplicate_warning_names_both_forms() {
    let env = partner_env_with_tokens();
    let mut transcript = Transcript::default();
    for names in [[CUSTOMER_TENANT, CUSTOMER_DOMAIN], [CUSTOMER_DOMAIN, CUSTOMER_TENANT]] {
        transcript.push(names.join(", "), stderr_only(&env.run(&for_tenants(&names, LIST))));
    }
    cli_snapshot!(transcript, @"
    ===== 22222222-2222-4222-8222-222222222222, fabrikam.example =====
    exit_code: 0
    ----- stderr -----
    warning: 22222222-2222-4222-8222-222222222222 and fabrikam.example are the same tenant, which is processed once
    ===== fabrikam.example, 22222222-2222-4222-8222-222222222222 =====
    exit_code: 0
    ----- stderr -----
    warning: fabrikam.example and 22222222-2222-4222-8222-222222222222 are the same tenant, which is processed once
    ");
}

#[test]
fn duplicate_tenant_is_updated_once() {
    let mut transcript = Transcript::default();
    for (name, variables) in [("user", &[][..]), ("application", &app_variables())] {
        let env = partner_env();
        let names = [CUSTOMER_TENANT, HOME_DOMAIN, CUSTOMER_DOMAIN, HOME_TENANT];
        let result = env.run_with_env(variables, &for_tenants(&names, UPDATE)).assert_code(0);
        assert_eq!(tenant_ids(&result), [CUSTOMER_TENANT, HOME_TENANT]);
        let sent = sent_updates(&env.tenant.requests());
        let mut once = sent.clone();
        once.dedup();
        assert_eq!(sent, once);
        assert_eq!(
            sent.len(),
            ids_with_outcome(&result, HOME_TENANT, "changed").len()
                + ids_with_outcome(&result, CUSTOMER_TENANT, "changed").len()
        );
        assert_eq!(env.history().len(), sent.len());
        transcript.push(name, stderr_only(&result));
    }
    cli_snapshot!(transcript, @"
    ===== user =====
    ===== application =====
    exit_code: 0
    ----- stderr -----
    warning: 22222222-2222-4222-8222-222222222222 and fabrikam.example are the same tenant, which is processed once
    warning: contoso.example and 11111111-1111-4111-8111-111111111111 are the same tenant, which is processed once
    20 changed, 14 unchanged in 2 tenants
    ");
}

#[test]
fn duplicate_tenant_is_checked_once() {
    let env = partner_env();
    env.write("b.toml", format!("[products]\n{POWER_BI} = 'Trials'\n"));
    env.write("c.txt", format!("{HOME_TENANT}\n{CUSTOMER_DOMAIN}\n{HOME_DOMAIN}"));
    let check = ["baseline", "check", "b.toml", "--tenants-file", "c.txt", "-o", "json"];
    let result = env.run_in_home(&check);
    assert_eq!(result.column("tenantId"), [HOME_TENANT, CUSTOMER_TENANT]);
    cli_snapshot!(stderr_only(&result), @"
    exit_code: 3
    ----- stderr -----
    warning: 11111111-1111-4111-8111-111111111111 and contoso.example are the same tenant, which is processed once
    drift: 2 of 2 tenants differ from b.toml.
      Tenant 11111111-1111-4111-8111-111111111111 does not match b.toml: 1 setting differs (1 checked).
      Tenant fabrikam.example (22222222-2222-4222-8222-222222222222) does not match b.toml: 1 setting differs (1 checked).
    hint: preview the changes: mscommerce baseline apply b.toml --tenants-file c.txt --dry-run
    ");
}

#[test]
fn duplicate_tenant_is_read_once() {
    for env in [partner_env(), partner_env_with_tokens()] {
        for names in [[CUSTOMER_TENANT, HOME_DOMAIN, CUSTOMER_DOMAIN], [CUSTOMER_DOMAIN, HOME_DOMAIN, CUSTOMER_TENANT]]
        {
            env.tenant.forget_requests();
            let result = env.run(&for_tenants(&names, LIST)).assert_code(0);
            assert_eq!(tenant_ids(&result), [CUSTOMER_TENANT, HOME_TENANT]);
            let lists = env.request_lines().into_iter().filter(|line| line.starts_with("GET ")).count();
            assert_eq!(lists, 2, "{names:?}: {:?}", env.request_lines());
        }
    }
}

#[test]
fn duplicate_tenant_fails_once() {
    let env = partner_env_with_tokens();
    for _ in 0..2 {
        env.tenant.fail_next("GET ", error_response(403, "Forbidden", "No."));
    }
    let result =
        env.run(&for_tenants(&[CUSTOMER_DOMAIN, HOME_DOMAIN, CUSTOMER_TENANT, HOME_TENANT], LIST)).assert_code(1);
    result.stderr_contains(&["error: 2 of 2 tenants failed\n"]);
}
