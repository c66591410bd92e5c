//! Invalid command lines and tenant files: exit code 2, and nothing is sent.

use super::*;
use crate::support::fixtures::POWER_BI;

const COMMANDS: [&[&str]; 4] = [
    &["products", "list"],
    &["products", "update", "--all", "--value", "disabled", "--yes"],
    &["baseline", "check", "b.toml"],
    &["baseline", "apply", "b.toml", "--yes"],
];

const COMMANDS_FOR_ONE_TENANT: [&[&str]; 10] = [
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

/// A sign-in, a baseline and a file of two tenants.
fn prepared() -> TestEnv {
    let env = TestEnv::signed_in();
    env.write("b.toml", "default = 'Disabled'\n");
    env.write("two.txt", format!("{HOME_DOMAIN}\n{CUSTOMER_DOMAIN}\n"));
    env
}

/// Runs a command line that is rejected before a request is sent.
#[track_caller]
fn push_usage_error(transcript: &mut Transcript, env: &TestEnv, case: &str, arguments: &[&str]) {
    let result = transcript.push(case, env.run_in_home(arguments));
    assert_eq!((result.code, result.stdout.as_str()), (2, ""), "{case}: {result:?}");
    assert_eq!(env.request_lines(), Vec::<String>::new(), "{case}");
}

/// The same for each of these commands, with these arguments appended.
#[track_caller]
fn push_usage_errors(transcript: &mut Transcript, env: &TestEnv, case: &str, commands: &[&[&str]], more: &[&str]) {
    for command in commands {
        let name = format!("{case}: {}", command[..2].join(" "));
        push_usage_error(transcript, env, &name, &[command, more].concat());
    }
}

#[test]
fn tenants_file_without_tenants_is_usage_error() {
    let env = prepared();
    env.write("empty.txt", "");
    env.write("comments.txt", "\u{feff}# nobody\r\n\r\n  # here\r\n");
    env.write("latin1.txt", b"contoso.example # M\xfcller\n");
    env.write("utf16.txt", b"c\0.\0d\0");
    env.write("large.txt", "#".repeat(1024 * 1024 + 1));
    fs::create_dir(env.home().join("directory")).unwrap();
    let mut transcript = Transcript::default();
    for file in ["missing.txt", "directory", "empty.txt", "comments.txt", "latin1.txt", "utf16.txt", "large.txt"] {
        push_usage_errors(&mut transcript, &env, file, &COMMANDS, &["--tenants-file", file]);
    }
    cli_snapshot!(transcript, @"
    ===== missing.txt: products list =====
    ===== missing.txt: products update =====
    ===== missing.txt: baseline check =====
    ===== missing.txt: baseline apply =====
    exit_code: 2
    ----- stderr -----
    error: --tenants-file: could not read missing.txt: [OS ERROR]
    ===== directory: products list =====
    ===== directory: products update =====
    ===== directory: baseline check =====
    ===== directory: baseline apply =====
    exit_code: 2
    ----- stderr -----
    error: --tenants-file: could not read directory: [OS ERROR]
    ===== empty.txt: products list =====
    ===== empty.txt: products update =====
    ===== empty.txt: baseline check =====
    ===== empty.txt: baseline apply =====
    exit_code: 2
    ----- stderr -----
    error: --tenants-file: empty.txt contains no tenants
    ===== comments.txt: products list =====
    ===== comments.txt: products update =====
    ===== comments.txt: baseline check =====
    ===== comments.txt: baseline apply =====
    exit_code: 2
    ----- stderr -----
    error: --tenants-file: comments.txt contains no tenants
    ===== latin1.txt: products list =====
    ===== latin1.txt: products update =====
    ===== latin1.txt: baseline check =====
    ===== latin1.txt: baseline apply =====
    exit_code: 2
    ----- stderr -----
    error: --tenants-file: latin1.txt is not UTF-8 text
    hint: save it as UTF-8
    ===== utf16.txt: products list =====
    ===== utf16.txt: products update =====
    ===== utf16.txt: baseline check =====
    ===== utf16.txt: baseline apply =====
    exit_code: 2
    ----- stderr -----
    error: --tenants-file: utf16.txt is not UTF-8 text
    hint: save it as UTF-8
    ===== large.txt: products list =====
    ===== large.txt: products update =====
    ===== large.txt: baseline check =====
    ===== large.txt: baseline apply =====
    exit_code: 2
    ----- stderr -----
    error: --tenants-file: large.txt is larger than 1 MiB
    ");
}

#[test]
fn invalid_line_of_tenants_file_is_usage_error() {
    let env = prepared();
    let mut transcript = Transcript::default();
    for line in [
        "contoso",
        "common",
        "contoso.example fabrikam.example",
        "contoso.example, Contoso",
        "../x.example",
        "contoso.example\u{1b}[2J",
    ] {
        env.write("c.txt", format!("# customers\r\n\r\nfabrikam.example\r\n{line}\r\n"));
        let case = format!("{line:?}");
        push_usage_errors(&mut transcript, &env, &case, &COMMANDS, &["--tenants-file", "c.txt"]);
        let result = env.run_in_home(&["products", "list", "--tenants-file", "c.txt"]);
        assert!(!result.stderr.contains('\u{1b}'), "{:?}", result.stderr);
    }
    cli_snapshot!(transcript, @r#"
    ===== "contoso": products list =====
    ===== "contoso": products update =====
    ===== "contoso": baseline check =====
    ===== "contoso": baseline apply =====
    exit_code: 2
    ----- stderr -----
    error: --tenants-file: c.txt:4: 'contoso' is not a tenant: use its ID (a GUID) or one of its domains, such as contoso.onmicrosoft.com
    ===== "common": products list =====
    ===== "common": products update =====
    ===== "common": baseline check =====
    ===== "common": baseline apply =====
    exit_code: 2
    ----- stderr -----
    error: --tenants-file: c.txt:4: 'common' is not a tenant: use its ID (a GUID) or one of its domains, such as contoso.onmicrosoft.com
    ===== "contoso.example fabrikam.example": products list =====
    ===== "contoso.example fabrikam.example": products update =====
    ===== "contoso.example fabrikam.example": baseline check =====
    ===== "contoso.example fabrikam.example": baseline apply =====
    exit_code: 2
    ----- stderr -----
    error: --tenants-file: c.txt:4: 'contoso.example fabrikam.example' is not a tenant: use its ID (a GUID) or one of its domains, such as contoso.onmicrosoft.com
    ===== "contoso.example, Contoso": products list =====
    ===== "contoso.example, Contoso": products update =====
    ===== "contoso.example, Contoso": baseline check =====
    ===== "contoso.example, Contoso": baseline apply =====
    exit_code: 2
    ----- stderr -----
    error: --tenants-file: c.txt:4: 'contoso.example, Contoso' is not a tenant: use its ID (a GUID) or one of its domains, such as contoso.onmicrosoft.com
    ===== "../x.example": products list =====
    ===== "../x.example": products update =====
    ===== "../x.example": baseline check =====
    ===== "../x.example": baseline apply =====
    exit_code: 2
    ----- stderr -----
    error: --tenants-file: c.txt:4: '../x.example' is not a tenant: use its ID (a GUID) or one of its domains, such as contoso.onmicrosoft.com
    ===== "contoso.example\u{1b}[2J": products list =====
    ===== "contoso.example\u{1b}[2J": products update =====
    ===== "contoso.example\u{1b}[2J": baseline check =====
    ===== "contoso.example\u{1b}[2J": baseline apply =====
    exit_code: 2
    ----- stderr -----
    error: --tenants-file: c.txt:4: 'contoso.example�[2J' is not a tenant: use its ID (a GUID) or one of its domains, such as contoso.onmicrosoft.com
    "#);
}

#[test]
fn tenant_flag_and_tenants_file_are_exclusive() {
    let env = prepared();
    let mut transcript = Transcript::default();
    for command in COMMANDS {
        let after = [command, &["--tenants-file", "two.txt", "--tenant", CUSTOMER_DOMAIN]].concat();
        let before = [&["--tenant", CUSTOMER_DOMAIN], command, &["--tenants-file", "two.txt"]].concat();
        let twice = [&after[..], &["--tenant", HOME_DOMAIN]].concat();
        for arguments in [after, before, twice] {
            push_usage_error(&mut transcript, &env, &arguments.join(" "), &arguments);
        }
    }
    cli_snapshot!(transcript, @"
    ===== products list --tenants-file two.txt --tenant fabrikam.example =====
    ===== --tenant fabrikam.example products list --tenants-file two.txt =====
    ===== products list --tenants-file two.txt --tenant fabrikam.example --tenant contoso.example =====
    ===== products update --all --value disabled --yes --tenants-file two.txt --tenant fabrikam.example =====
    ===== --tenant fabrikam.example products update --all --value disabled --yes --tenants-file two.txt =====
    ===== products update --all --value disabled --yes --tenants-file two.txt --tenant fabrikam.example --tenant contoso.example =====
    ===== baseline check b.toml --tenants-file two.txt --tenant fabrikam.example =====
    ===== --tenant fabrikam.example baseline check b.toml --tenants-file two.txt =====
    ===== baseline check b.toml --tenants-file two.txt --tenant fabrikam.example --tenant contoso.example =====
    ===== baseline apply b.toml --yes --tenants-file two.txt --tenant fabrikam.example =====
    ===== --tenant fabrikam.example baseline apply b.toml --yes --tenants-file two.txt =====
    ===== baseline apply b.toml --yes --tenants-file two.txt --tenant fabrikam.example --tenant contoso.example =====
    exit_code: 2
    ----- stderr -----
    error: --tenant and --tenants-file cannot be used together
    ");
}

#[test]
fn tenant_before_and_after_command_is_usage_error() {
    let env = prepared();
    let mut transcript = Transcript::default();
    for command in COMMANDS {
        for before in [&["--tenant", HOME_DOMAIN][..], &["--tenant=contoso.example"]] {
            for after in [&["--tenant", CUSTOMER_DOMAIN][..], &["--tenant=fabrikam.example"]] {
                let between = [&command[..1], before, &command[1..], after].concat();
                for arguments in [[before, command, after].concat(), between] {
                    push_usage_error(&mut transcript, &env, &arguments.join(" "), &arguments);
                }
            }
        }
    }
    cli_snapshot!(transcript, @"
    ===== --tenant contoso.example products list --tenant fabrikam.example =====
    ===== products --tenant contoso.example list --tenant fabrikam.example =====
    ===== --tenant contoso.example products list --tenant=fabrikam.example =====
    ===== products --tenant contoso.example list --tenant=fabrikam.example =====
    ===== --tenant=contoso.example products list --tenant fabrikam.example =====
    ===== products --tenant=contoso.example list --tenant fabrikam.example =====
    ===== --tenant=contoso.example products list --tenant=fabrikam.example =====
    ===== products --tenant=contoso.example list --tenant=fabrikam.example =====
    ===== --tenant contoso.example products update --all --value disabled --yes --tenant fabrikam.example =====
    ===== products --tenant contoso.example update --all --value disabled --yes --tenant fabrikam.example =====
    ===== --tenant contoso.example products update --all --value disabled --yes --tenant=fabrikam.example =====
    ===== products --tenant contoso.example update --all --value disabled --yes --tenant=fabrikam.example =====
    ===== --tenant=contoso.example products update --all --value disabled --yes --tenant fabrikam.example =====
    ===== products --tenant=contoso.example update --all --value disabled --yes --tenant fabrikam.example =====
    ===== --tenant=contoso.example products update --all --value disabled --yes --tenant=fabrikam.example =====
    ===== products --tenant=contoso.example update --all --value disabled --yes --tenant=fabrikam.example =====
    ===== --tenant contoso.example baseline check b.toml --tenant fabrikam.example =====
    ===== baseline --tenant contoso.example check b.toml --tenant fabrikam.example =====
    ===== --tenant contoso.example baseline check b.toml --tenant=fabrikam.example =====
    ===== baseline --tenant contoso.example check b.toml --tenant=fabrikam.example =====
    ===== --tenant=contoso.example baseline check b.toml --tenant fabrikam.example =====
    ===== baseline --tenant=contoso.example check b.toml --tenant fabrikam.example =====
    ===== --tenant=contoso.example baseline check b.toml --tenant=fabrikam.example =====
    ===== baseline --tenant=contoso.example check b.toml --tenant=fabrikam.example =====
    ===== --tenant contoso.example baseline apply b.toml --yes --tenant fabrikam.example =====
    ===== baseline --tenant contoso.example apply b.toml --yes --tenant fabrikam.example =====
    ===== --tenant contoso.example baseline apply b.toml --yes --tenant=fabrikam.example =====
    ===== baseline --tenant contoso.example apply b.toml --yes --tenant=fabrikam.example =====
    ===== --tenant=contoso.example baseline apply b.toml --yes --tenant fabrikam.example =====
    ===== baseline --tenant=contoso.example apply b.toml --yes --tenant fabrikam.example =====
    ===== --tenant=contoso.example baseline apply b.toml --yes --tenant=fabrikam.example =====
    ===== baseline --tenant=contoso.example apply b.toml --yes --tenant=fabrikam.example =====
    exit_code: 2
    ----- stderr -----
    error: --tenant is set before and after the command: set it after the command only

    Usage: mscommerce <COMMAND> [OPTIONS]

    For more information, try '--help'.
    ");
}

#[test]
fn several_tenants_before_command_are_accepted() {
    let env = prepared();
    let flags = ["--tenant", HOME_DOMAIN, "--tenant=fabrikam.example"];
    let result = env.run(&[&flags[..], &["products", "list", "-o", "json"]].concat()).assert_code(0);
    assert_eq!(tenant_ids(&result), [HOME_TENANT, CUSTOMER_TENANT]);
}

#[test]
fn commands_for_one_tenant_reject_several() {
    let env = prepared();
    let mut transcript = Transcript::default();
    for command in COMMANDS_FOR_ONE_TENANT {
        let arguments = for_tenants(&[HOME_DOMAIN, CUSTOMER_DOMAIN], command);
        push_usage_error(&mut transcript, &env, &command.join(" "), &arguments);
    }
    cli_snapshot!(transcript, @"
    ===== connect --device-code =====
    exit_code: 2
    ----- stderr -----
    error: this command works in one tenant, but --tenant is set several times
    hint: use --tenant once; only product list, product update, baseline check and baseline apply accept several tenants
    ===== disconnect =====
    exit_code: 2
    ----- stderr -----
    error: this command does not use --tenant
    hint: omit --tenant
    ===== status =====
    ===== policy list =====
    ===== policy get =====
    ===== product get CFQ7TTC0H9MP =====
    exit_code: 2
    ----- stderr -----
    error: this command works in one tenant, but --tenant is set several times
    hint: use --tenant once; only product list, product update, baseline check and baseline apply accept several tenants
    ===== product update CFQ7TTC0H9MP --value disabled =====
    exit_code: 2
    ----- stderr -----
    error: changes in several tenants require --yes; nothing was changed
    hint: add --dry-run to preview the changes
    ===== baseline export =====
    ===== history =====
    ===== undo --yes =====
    exit_code: 2
    ----- stderr -----
    error: this command works in one tenant, but --tenant is set several times
    hint: use --tenant once; only product list, product update, baseline check and baseline apply accept several tenants
    ");
    assert!(env.cache_path().exists());
}

#[test]
fn commands_for_one_tenant_reject_tenants_file() {
    let env = prepared();
    let mut transcript = Transcript::default();
    for command in COMMANDS_FOR_ONE_TENANT {
        let arguments = [command, &["--tenants-file", "two.txt"][..]].concat();
        push_usage_error(&mut transcript, &env, &command.join(" "), &arguments);
    }
    cli_snapshot!(transcript, @"
    ===== connect --device-code =====
    exit_code: 2
    ----- stderr -----
    error: unexpected argument '--tenants-file' found

      tip: a similar argument exists: '--tenant'

    Usage: mscommerce connect --device-code --tenant <TENANT>

    For more information, try '--help'.
    ===== disconnect =====
    exit_code: 2
    ----- stderr -----
    error: unexpected argument '--tenants-file' found

      tip: a similar argument exists: '--tenant'

    Usage: mscommerce disconnect --tenant <TENANT>

    For more information, try '--help'.
    ===== status =====
    exit_code: 2
    ----- stderr -----
    error: unexpected argument '--tenants-file' found

      tip: a similar argument exists: '--tenant'

    Usage: mscommerce status --tenant <TENANT>

    For more information, try '--help'.
    ===== policy list =====
    exit_code: 2
    ----- stderr -----
    error: unexpected argument '--tenants-file' found

      tip: a similar argument exists: '--tenant'

    Usage: mscommerce policy list --tenant <TENANT>

    For more information, try '--help'.
    ===== policy get =====
    exit_code: 2
    ----- stderr -----
    error: unexpected argument '--tenants-file' found

      tip: a similar argument exists: '--tenant'

    Usage: mscommerce policy get --tenant <TENANT> [POLICY]

    For more information, try '--help'.
    ===== product get CFQ7TTC0H9MP =====
    exit_code: 2
    ----- stderr -----
    error: unexpected argument '--tenants-file' found

      tip: a similar argument exists: '--tenant'

    Usage: mscommerce product get <PRODUCT|--offer-type <TYPE>> [OPTIONS]

    For more information, try '--help'.
    ===== product update CFQ7TTC0H9MP --value disabled =====
    exit_code: 2
    ----- stderr -----
    error: changes in several tenants require --yes; nothing was changed
    hint: add --dry-run to preview the changes
    ===== baseline export =====
    exit_code: 2
    ----- stderr -----
    error: unexpected argument '--tenants-file' found

      tip: a similar argument exists: '--tenant'

    Usage: mscommerce baseline export --tenant <TENANT>

    For more information, try '--help'.
    ===== history =====
    exit_code: 2
    ----- stderr -----
    error: unexpected argument '--tenants-file' found

      tip: a similar argument exists: '--tenant'

    Usage: mscommerce history --tenant <TENANT>

    For more information, try '--help'.
    ===== undo --yes =====
    exit_code: 2
    ----- stderr -----
    error: unexpected argument '--tenants-file' found

      tip: a similar argument exists: '--tenant'

    Usage: mscommerce undo --yes --tenant <TENANT> [RUN]

    For more information, try '--help'.
    ");
    assert!(env.cache_path().exists());
}

#[test]
fn one_invalid_tenant_is_usage_error() {
    let env = prepared();
    let mut transcript = Transcript::default();
    let flags = for_tenants(&[HOME_DOMAIN, "no tenant"], &[]);
    push_usage_errors(&mut transcript, &env, "invalid tenant", &COMMANDS, &flags);
    cli_snapshot!(transcript, @"
    ===== invalid tenant: products list =====
    ===== invalid tenant: products update =====
    ===== invalid tenant: baseline check =====
    ===== invalid tenant: baseline apply =====
    exit_code: 2
    ----- stderr -----
    error: --tenant: 'no tenant' is not a tenant: use its ID (a GUID) or one of its domains, such as contoso.onmicrosoft.com
    ");
}

#[test]
fn token_variable_rejects_several_tenants() {
    let env = prepared();
    let token = env.tenant.issue_token(ADMIN, HOME_TENANT, 3600);
    let run = |arguments: &[&str]| {
        let mut command = env.command(arguments);
        CliResult::from(command.current_dir(env.home()).env("MSCOMMERCE_TOKEN", &token).output().unwrap())
    };
    let mut transcript = Transcript::default();
    for tenants in [&["--tenants-file", "two.txt"][..], &["--tenant", HOME_TENANT, "--tenant", CUSTOMER_TENANT]] {
        for command in COMMANDS {
            let arguments = [command, tenants].concat();
            transcript.push(arguments.join(" "), run(&arguments));
        }
    }
    cli_snapshot!(transcript, @"
    ===== products list --tenants-file two.txt =====
    ===== products update --all --value disabled --yes --tenants-file two.txt =====
    ===== baseline check b.toml --tenants-file two.txt =====
    ===== baseline apply b.toml --yes --tenants-file two.txt =====
    ===== products list --tenant 11111111-1111-4111-8111-111111111111 --tenant 22222222-2222-4222-8222-222222222222 =====
    ===== products update --all --value disabled --yes --tenant 11111111-1111-4111-8111-111111111111 --tenant 22222222-2222-4222-8222-222222222222 =====
    ===== baseline check b.toml --tenant 11111111-1111-4111-8111-111111111111 --tenant 22222222-2222-4222-8222-222222222222 =====
    ===== baseline apply b.toml --yes --tenant 11111111-1111-4111-8111-111111111111 --tenant 22222222-2222-4222-8222-222222222222 =====
    exit_code: 2
    ----- stderr -----
    error: the token in MSCOMMERCE_TOKEN is for one tenant, but several were specified
    hint: unset MSCOMMERCE_TOKEN to use the application in the environment or a saved sign-in
    ");
    assert_eq!(env.request_lines(), Vec::<String>::new());

    // A file with the tenant of the token is accepted.
    env.write("one.txt", HOME_TENANT);
    let result = run(&["products", "list", "-o", "json", "--tenants-file", "one.txt"]).assert_code(0);
    assert_eq!(tenant_ids(&result), [HOME_TENANT]);
}

#[test]
fn updates_of_several_tenants_need_yes() {
    let env = prepared();
    // The same command line must work for a file with any number of tenants.
    env.write("one.txt", HOME_TENANT);
    let mut transcript = Transcript::default();
    for command in [COMMANDS[1], COMMANDS[3]] {
        let command = &command[..command.len() - 1];
        for tenants in [
            &["--tenants-file", "two.txt"][..],
            &["--tenant", HOME_TENANT, "--tenant", CUSTOMER_TENANT],
            &["--tenants-file", "one.txt"],
        ] {
            let arguments = [command, tenants].concat();
            push_usage_error(&mut transcript, &env, &arguments.join(" "), &arguments);
        }
    }
    cli_snapshot!(transcript, @"
    ===== products update --all --value disabled --tenants-file two.txt =====
    ===== products update --all --value disabled --tenant 11111111-1111-4111-8111-111111111111 --tenant 22222222-2222-4222-8222-222222222222 =====
    ===== products update --all --value disabled --tenants-file one.txt =====
    ===== baseline apply b.toml --tenants-file two.txt =====
    ===== baseline apply b.toml --tenant 11111111-1111-4111-8111-111111111111 --tenant 22222222-2222-4222-8222-222222222222 =====
    ===== baseline apply b.toml --tenants-file one.txt =====
    exit_code: 2
    ----- stderr -----
    error: changes in several tenants require --yes; nothing was changed
    hint: add --dry-run to preview the changes
    ");
}

#[test]
fn tenants_file_may_be_standard_input_and_utf_16() {
    let env = partner_env_with_tokens();
    let text = format!("\u{feff}# customers\r\n{CUSTOMER_DOMAIN}\r\n\u{a0}{HOME_DOMAIN}\u{feff}");
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for content in [text.into_bytes(), wide] {
        env.write("c.txt", &content);
        let list = ["products", "list", "-o", "json", "--tenants-file"];
        let by_file = env.run_in_home(&[&list[..], &["c.txt"]].concat()).assert_code(0);
        assert_eq!(tenant_ids(&by_file), [CUSTOMER_TENANT, HOME_TENANT]);
        let command = env.command(&[&list[..], &["-"]].concat());
        assert_eq!(TestEnv::run_command_with_stdin(command, content).assert_code(0).stdout, by_file.stdout);
    }
    env.run_with_stdin(&["products", "list", "--tenants-file", "-"], "")
        .assert_code(2)
        .stderr_contains(&["standard input contains no tenants"]);
    let needs_yes = ["products", "update", "--all", "--value", "disabled", "--tenants-file", "-"];
    env.run_with_stdin(&needs_yes, CUSTOMER_DOMAIN).assert_code(2);
}
