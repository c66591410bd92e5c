//! Command lines and files that cannot be meant: exit code 2, and nothing is sent.

use super::*;

#[track_caller]
fn expect_refused(machine: &Machine, arguments: &[&str], said: &[&str]) {
    here(machine, arguments).expect_code(2).expect_no_data().expect_said(said);
    assert_eq!(machine.requests(), Vec::<String>::new(), "{arguments:?}");
}

const COMMANDS: [&[&str]; 4] = [
    &["products", "list"],
    &["products", "update", "--all", "--value", "disabled", "--yes"],
    &["baseline", "check", "b.toml"],
    &["baseline", "apply", "b.toml", "--yes"],
];

/// A machine with a baseline and a file of two tenants.
fn prepared() -> Machine {
    let machine = Machine::signed_in();
    write(&machine, "b.toml", "default = 'Disabled'\n");
    write(&machine, "two.txt", format!("{HOME_DOMAIN}\n{CUSTOMER_DOMAIN}\n"));
    machine
}

#[test]
fn a_file_that_names_no_tenants_is_told_by_its_name() {
    let machine = prepared();
    write(&machine, "empty.txt", "");
    write(&machine, "comments.txt", "\u{feff}# nobody\r\n\r\n  # here\r\n");
    write(&machine, "latin1.txt", b"contoso.example # M\xfcller\n");
    write(&machine, "utf16.txt", b"\xff\xfec\0.\0d\0");
    write(&machine, "large.txt", "#".repeat(1024 * 1024 + 1));
    fs::create_dir(machine.home().join("directory")).unwrap();
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
            expect_refused(&machine, &arguments, &["error: --tenants-file: ", said]);
        }
    }
}

#[test]
fn a_line_that_is_no_tenant_is_told_by_its_number() {
    let machine = prepared();
    for (line, shown) in [
        ("contoso", "'contoso'"),
        ("common", "'common'"),
        ("contoso.example fabrikam.example", "'contoso.example fabrikam.example'"),
        ("contoso.example, Contoso", "'contoso.example, Contoso'"),
        ("../x.example", "'../x.example'"),
        ("contoso.example\u{1b}[2J", "'contoso.example"),
    ] {
        write(&machine, "c.txt", format!("# customers\r\n\r\nfabrikam.example\r\n{line}\r\n"));
        for command in COMMANDS {
            let arguments = [command, &["--tenants-file", "c.txt"]].concat();
            expect_refused(&machine, &arguments, &["error: --tenants-file: c.txt:4: ", shown, "is no tenant"]);
        }
        let ran = here(&machine, &["products", "list", "--tenants-file", "c.txt"]);
        assert!(!ran.stderr.contains('\u{1b}'), "{:?}", ran.stderr);
    }
}

#[test]
fn what_is_to_be_written_into_the_file_is_said_to_the_end() {
    let machine = prepared();
    write(&machine, "c.txt", "contoso\n");
    let advice = "give its id (a GUID) or one of its domains, such as contoso.onmicrosoft.com";
    expect_refused(&machine, &["products", "list", "--tenants-file", "c.txt"], &[advice]);
}

#[test]
fn tenants_are_named_by_flags_or_by_a_file() {
    let machine = prepared();
    for command in COMMANDS {
        let behind = [command, &["--tenants-file", "two.txt", "--tenant", CUSTOMER_DOMAIN]].concat();
        let before = [&["--tenant", CUSTOMER_DOMAIN], command, &["--tenants-file", "two.txt"]].concat();
        let twice = [&behind[..], &["--tenant", HOME_DOMAIN]].concat();
        for arguments in [behind, before, twice] {
            expect_refused(&machine, &arguments, &["--tenant and --tenants-file are given"]);
        }
    }
}

#[test]
fn no_tenant_gets_lost_between_the_flags_before_and_behind_the_command() {
    let machine = prepared();
    for command in COMMANDS {
        for before in [&["--tenant", HOME_DOMAIN][..], &["--tenant=contoso.example"]] {
            for behind in [&["--tenant", CUSTOMER_DOMAIN][..], &["--tenant=fabrikam.example"]] {
                let between = [&command[..1], before, &command[1..], behind].concat();
                for arguments in [[before, command, behind].concat(), between] {
                    expect_refused(&machine, &arguments, &["--tenant is given before and after the command"]);
                }
            }
        }
    }
}

#[test]
fn several_may_stand_before_the_command() {
    let machine = prepared();
    let flags = ["--tenant", HOME_DOMAIN, "--tenant=fabrikam.example"];
    let ran = machine.run(&[&flags[..], &["products", "list", "-o", "json"]].concat()).expect_code(0);
    assert_eq!(tenants(&ran), [HOME_TENANT, CUSTOMER_TENANT]);
}

#[test]
fn commands_for_one_tenant_take_one() {
    let machine = prepared();
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
        expect_refused(&machine, &arguments, &["--tenant is given more than once", "hint: ", "products list"]);
        let arguments = [command, &["--tenants-file", "two.txt"][..]].concat();
        expect_refused(&machine, &arguments, &["unexpected argument '--tenants-file'"]);
    }
    assert!(machine.sign_ins().exists());
}

#[test]
fn one_of_several_that_is_no_tenant_is_told() {
    let machine = prepared();
    for command in COMMANDS {
        expect_refused(&machine, &at(&[HOME_DOMAIN, "no tenant"], command), &["--tenant: 'no tenant' is no tenant"]);
    }
}

#[test]
fn a_ready_token_is_for_one_tenant() {
    let machine = prepared();
    let token = machine.tenant.mint(ADMIN, HOME_TENANT, 3600);
    for command in COMMANDS {
        for tenants in [&["--tenants-file", "two.txt"][..], &["--tenant", HOME_TENANT, "--tenant", CUSTOMER_TENANT]] {
            let mut command = machine.command(&[command, tenants].concat());
            let ran: Ran = command.current_dir(machine.home()).env("MSCOMMERCE_TOKEN", &token).output().unwrap().into();
            ran.expect_code(2)
                .expect_no_data()
                .expect_said(&["MSCOMMERCE_TOKEN is set", "hint: unset MSCOMMERCE_TOKEN"]);
        }
    }
    assert_eq!(machine.requests(), Vec::<String>::new());

    // A file may name that one.
    write(&machine, "one.txt", HOME_TENANT);
    let mut list = machine.command(&["products", "list", "-o", "json", "--tenants-file", "one.txt"]);
    let ran: Ran = list.current_dir(machine.home()).env("MSCOMMERCE_TOKEN", &token).output().unwrap().into();
    assert_eq!(tenants(&ran.expect_code(0)), [HOME_TENANT]);
}

#[test]
fn changes_need_to_be_told_not_to_ask() {
    let machine = prepared();
    for command in [COMMANDS[1], COMMANDS[3]] {
        let command = &command[..command.len() - 1];
        for tenants in [&["--tenants-file", "two.txt"][..], &["--tenant", HOME_TENANT, "--tenant", CUSTOMER_TENANT]] {
            let arguments = [command, tenants].concat();
            expect_refused(&machine, &arguments, &["need --yes", "nothing was changed", "hint: ", "--dry-run"]);
        }
        // One tenant may be so many as well, so the form of the command does not depend on it.
        write(&machine, "one.txt", HOME_TENANT);
        expect_refused(&machine, &[command, &["--tenants-file", "one.txt"]].concat(), &["need --yes"]);
    }
}
