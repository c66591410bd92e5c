//! Command lines and files that cannot be meant: exit code 2, and nothing is sent.

use super::*;
use crate::support::fixtures::POWER_BI;

#[track_caller]
fn expect_refused(env: &TestEnv, arguments: &[&str], said: &[&str]) {
    env.run_in_home(arguments).assert_code(2).stdout_is_empty().stderr_contains(said);
    assert_eq!(env.request_lines(), Vec::<String>::new(), "{arguments:?}");
}

const COMMANDS: [&[&str]; 4] = [
    &["products", "list"],
    &["products", "update", "--all", "--value", "disabled", "--yes"],
    &["baseline", "check", "b.toml"],
    &["baseline", "apply", "b.toml", "--yes"],
];

/// A machine with a baseline and a file of two tenants.
fn prepared() -> TestEnv {
    let env = TestEnv::signed_in();
    env.write("b.toml", "default = 'Disabled'\n");
    env.write("two.txt", format!("{HOME_DOMAIN}\n{CUSTOMER_DOMAIN}\n"));
    env
}

#[test]
fn a_file_that_names_no_tenants_is_told_by_its_name() {
    let env = prepared();
    env.write("empty.txt", "");
    env.write("comments.txt", "\u{feff}# nobody\r\n\r\n  # here\r\n");
    env.write("latin1.txt", b"contoso.example # M\xfcller\n");
    env.write("utf16.txt", b"\xff\xfec\0.\0d\0");
    env.write("large.txt", "#".repeat(1024 * 1024 + 1));
    fs::create_dir(env.home().join("directory")).unwrap();
    for command in COMMANDS {
        for (file, said) in [
            ("missing.txt", "could not read missing.txt"),
            ("directory", "could not read directory"),
            ("empty.txt", "empty.txt names no tenant"),
            ("comments.txt", "comments.txt names no tenant"),
            ("latin1.txt", "latin1.txt is not UTF-8 text"),
            ("utf16.txt", "utf16.txt is not UTF-8 text"),
            ("large.txt", "large.txt is larger than 1 MiB"),
        ] {
            let arguments = [command, &["--tenants-file", file]].concat();
            expect_refused(&env, &arguments, &["error: --tenants-file: ", said]);
        }
    }
}

#[test]
fn a_line_that_is_no_tenant_is_told_by_its_number() {
    let env = prepared();
    for (line, shown) in [
        ("contoso", "'contoso'"),
        ("common", "'common'"),
        ("contoso.example fabrikam.example", "'contoso.example fabrikam.example'"),
        ("contoso.example, Contoso", "'contoso.example, Contoso'"),
        ("../x.example", "'../x.example'"),
        ("contoso.example\u{1b}[2J", "'contoso.example"),
    ] {
        env.write("c.txt", format!("# customers\r\n\r\nfabrikam.example\r\n{line}\r\n"));
        for command in COMMANDS {
            let arguments = [command, &["--tenants-file", "c.txt"]].concat();
            expect_refused(&env, &arguments, &["error: --tenants-file: c.txt:4: ", shown, "is no tenant"]);
        }
        let result = env.run_in_home(&["products", "list", "--tenants-file", "c.txt"]);
        assert!(!result.stderr.contains('\u{1b}'), "{:?}", result.stderr);
    }
}

#[test]
fn what_is_to_be_written_into_the_file_is_said_to_the_end() {
    let env = prepared();
    env.write("c.txt", "contoso\n");
    let advice = "give its id (a GUID) or one of its domains, such as contoso.onmicrosoft.com";
    expect_refused(&env, &["products", "list", "--tenants-file", "c.txt"], &[advice]);
}

#[test]
fn tenants_are_named_by_flags_or_by_a_file() {
    let env = prepared();
    for command in COMMANDS {
        let behind = [command, &["--tenants-file", "two.txt", "--tenant", CUSTOMER_DOMAIN]].concat();
        let before = [&["--tenant", CUSTOMER_DOMAIN], command, &["--tenants-file", "two.txt"]].concat();
        let twice = [&behind[..], &["--tenant", HOME_DOMAIN]].concat();
        for arguments in [behind, before, twice] {
            expect_refused(&env, &arguments, &["--tenant and --tenants-file are given"]);
        }
    }
}

#[test]
fn no_tenant_gets_lost_between_the_flags_before_and_behind_the_command() {
    let env = prepared();
    for command in COMMANDS {
        for before in [&["--tenant", HOME_DOMAIN][..], &["--tenant=contoso.example"]] {
            for behind in [&["--tenant", CUSTOMER_DOMAIN][..], &["--tenant=fabrikam.example"]] {
                let between = [&command[..1], before, &command[1..], behind].concat();
                for arguments in [[before, command, behind].concat(), between] {
                    expect_refused(&env, &arguments, &["--tenant is given before and after the command"]);
                }
            }
        }
    }
}

#[test]
fn several_may_stand_before_the_command() {
    let env = prepared();
    let flags = ["--tenant", HOME_DOMAIN, "--tenant=fabrikam.example"];
    let result = env.run(&[&flags[..], &["products", "list", "-o", "json"]].concat()).assert_code(0);
    assert_eq!(tenants(&result), [HOME_TENANT, CUSTOMER_TENANT]);
}

#[test]
fn commands_for_one_tenant_take_one() {
    let env = prepared();
    let one: &[&[&str]] = &[
        &["connect", "--device-code"],
        &["disconnect"],
        &["status"],
        &["policy", "list"],
        &["policy", "get"],
        &["product", "get", POWER_BI],
        &["product", "update", POWER_BI, "--value", "disabled"],
        &["baseline", "export"],
        &["history"],
        &["undo", "--yes"],
    ];
    for command in one {
        let arguments = at(&[HOME_DOMAIN, CUSTOMER_DOMAIN], command);
        expect_refused(&env, &arguments, &["--tenant is given more than once", "hint: ", "products list"]);
        let arguments = [command, &["--tenants-file", "two.txt"][..]].concat();
        expect_refused(&env, &arguments, &["unexpected argument '--tenants-file'"]);
    }
    assert!(env.cache_path().exists());
}

#[test]
fn one_of_several_that_is_no_tenant_is_told() {
    let env = prepared();
    for command in COMMANDS {
        expect_refused(&env, &at(&[HOME_DOMAIN, "no tenant"], command), &["--tenant: 'no tenant' is no tenant"]);
    }
}

#[test]
fn a_ready_token_is_for_one_tenant() {
    let env = prepared();
    let token = env.tenant.issue_token(ADMIN, HOME_TENANT, 3600);
    for command in COMMANDS {
        for tenants in [&["--tenants-file", "two.txt"][..], &["--tenant", HOME_TENANT, "--tenant", CUSTOMER_TENANT]] {
            let mut command = env.command(&[command, tenants].concat());
            let result: CliResult =
                command.current_dir(env.home()).env("MSCOMMERCE_TOKEN", &token).output().unwrap().into();
            result
                .assert_code(2)
                .stdout_is_empty()
                .stderr_contains(&["MSCOMMERCE_TOKEN is set", "hint: unset MSCOMMERCE_TOKEN"]);
        }
    }
    assert_eq!(env.request_lines(), Vec::<String>::new());

    // A file may name that one.
    env.write("one.txt", HOME_TENANT);
    let mut list = env.command(&["products", "list", "-o", "json", "--tenants-file", "one.txt"]);
    let result: CliResult = list.current_dir(env.home()).env("MSCOMMERCE_TOKEN", &token).output().unwrap().into();
    assert_eq!(tenants(&result.assert_code(0)), [HOME_TENANT]);
}

#[test]
fn changes_need_to_be_told_not_to_ask() {
    let env = prepared();
    for command in [COMMANDS[1], COMMANDS[3]] {
        let command = &command[..command.len() - 1];
        for tenants in [&["--tenants-file", "two.txt"][..], &["--tenant", HOME_TENANT, "--tenant", CUSTOMER_TENANT]] {
            let arguments = [command, tenants].concat();
            expect_refused(&env, &arguments, &["need --yes", "nothing was changed", "hint: ", "--dry-run"]);
        }
        // One tenant may be so many as well, so the form of the command does not depend on it.
        env.write("one.txt", HOME_TENANT);
        expect_refused(&env, &[command, &["--tenants-file", "one.txt"]].concat(), &["need --yes"]);
    }
}
