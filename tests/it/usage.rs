//! Usage errors: a clear message, exit code 2 and no request.

use crate::support::env::TestEnv;
use crate::support::snapshot::Transcript;

#[test]
fn usage_errors_send_no_request() {
    let env = TestEnv::signed_in();
    let command_lines: &[&[&str]] = &[
        &["prodcuts"],
        &["products"],
        &["products", "list", "--scope", "everything"],
        &["products", "list", "--value", "off"],
        &["products", "list", "--name", "/(/"],
        &["products", "list", "--name", ""],
        &["products", "list", "-o", "xml"],
        &["products", "list", "--timeout", "0"],
        &["products", "list", "--tenant", "a/b"],
        &["products", "list", "--tenant", "common"],
        &["products", "list", "--profile", "a b"],
        &["products", "list", "-q", "-v"],
        &["product", "get"],
        &["product", "get", "CFQ7TTC0H9MP", "--offer-type", "SaaS"],
        &["product", "update", "CFQ7TTC0H9MP"],
        &["product", "update", "CFQ7TTC0H9MP", "--value", "disabled", "--enabled", "true"],
        &["product", "update", "CFQ7TTC0H9MP", "--enabled", "yes"],
        &["product", "update", "--value", "disabled"],
        &["product", "update", "--offer-type", "SaaS", "--value", "trials"],
        &["policy", "get", "A", "--policy-id", "B"],
        &["connect", "--device-code", "--username", "a"],
        &["connect", "--password-stdin"],
        &["connect", "--redirect-port", "0"],
        &["disconnect", "--all", "--profile", "a"],
    ];
    let mut transcript = Transcript::default();
    for arguments in command_lines {
        transcript.push(arguments.join(" "), env.run(arguments).assert_code(2));
    }
    cli_snapshot!(transcript, @"
    ===== prodcuts =====
    exit_code: 2
    ----- stderr -----
    error: unrecognized subcommand 'prodcuts'

      tip: some similar subcommands exist: 'product', 'products'

    Usage: mscommerce <COMMAND> [OPTIONS]

    For more information, try '--help'.
    ===== products =====
    exit_code: 2
    ----- stderr -----
    List, show and change products and offer types

    Usage: mscommerce product [OPTIONS] <COMMAND>

    Commands:
      list    List products or offer types with their values (Get-MSCommerceProductPolicies)
      get     Show one product or offer type (Get-MSCommerceProductPolicy)
      update  Change products or offer types (Update-MSCommerceProductPolicy)

    Options:
      -h, --help  Print help (see more with '--help')
    ===== products list --scope everything =====
    exit_code: 2
    ----- stderr -----
    error: invalid value 'everything' for '--scope <SCOPE>'
      [possible values: product, offer-type, all]

    For more information, try '--help'.
    ===== products list --value off =====
    exit_code: 2
    ----- stderr -----
    error: invalid value 'off' for '--value <VALUE>': use enabled, disabled or only-trials-without-payment-method (short: trials)

    For more information, try '--help'.
    ===== products list --name /(/ =====
    exit_code: 2
    ----- stderr -----
    error: invalid value '/(/' for '--name <PATTERN>': invalid regular expression: found open group without closing ')'

    For more information, try '--help'.
    ===== products list --name  =====
    exit_code: 2
    ----- stderr -----
    error: invalid value '' for '--name <PATTERN>': the pattern is empty

    For more information, try '--help'.
    ===== products list -o xml =====
    exit_code: 2
    ----- stderr -----
    error: invalid value 'xml' for '--output <FORMAT>'
      [possible values: table, json, csv, tsv, markdown]

    For more information, try '--help'.
    ===== products list --timeout 0 =====
    exit_code: 2
    ----- stderr -----
    error: invalid value '0' for '--timeout <SECONDS>': 0 is not in 1..=86400

    For more information, try '--help'.
    ===== products list --tenant a/b =====
    exit_code: 2
    ----- stderr -----
    error: --tenant: 'a/b' is not a tenant: use its ID (a GUID) or one of its domains, such as contoso.onmicrosoft.com
    ===== products list --tenant common =====
    exit_code: 2
    ----- stderr -----
    error: --tenant: 'common' is not a tenant: use its ID (a GUID) or one of its domains, such as contoso.onmicrosoft.com
    ===== products list --profile a b =====
    exit_code: 2
    ----- stderr -----
    error: --profile: 'a b' is not a valid profile name: use up to 64 letters, digits, dots, hyphens, underscores and @
    ===== products list -q -v =====
    exit_code: 2
    ----- stderr -----
    error: the argument '--quiet' cannot be used with '--verbose...'

    Usage: mscommerce product list --quiet

    For more information, try '--help'.
    ===== product get =====
    exit_code: 2
    ----- stderr -----
    error: the following required arguments were not provided:
      <PRODUCT|--product-id <ID>|--offer-type <TYPE>>

    Usage: mscommerce product get <PRODUCT|--offer-type <TYPE>> [OPTIONS]

    For more information, try '--help'.
    ===== product get CFQ7TTC0H9MP --offer-type SaaS =====
    exit_code: 2
    ----- stderr -----
    error: the argument '[PRODUCT]' cannot be used with '--offer-type <TYPE>'

    Usage: mscommerce product get <PRODUCT|--offer-type <TYPE>> [OPTIONS]

    For more information, try '--help'.
    ===== product update CFQ7TTC0H9MP =====
    exit_code: 2
    ----- stderr -----
    error: the new value is missing: set --value VALUE or --enabled true|false
    ===== product update CFQ7TTC0H9MP --value disabled --enabled true =====
    exit_code: 2
    ----- stderr -----
    error: the argument '--value <VALUE>' cannot be used with '--enabled <BOOL>'

    Usage: mscommerce product update [PRODUCT]... --value <VALUE> [OPTIONS]

    For more information, try '--help'.
    ===== product update CFQ7TTC0H9MP --enabled yes =====
    exit_code: 2
    ----- stderr -----
    error: invalid value 'yes' for '--enabled <BOOL>': use true or false

    For more information, try '--help'.
    ===== product update --value disabled =====
    exit_code: 2
    ----- stderr -----
    error: nothing is selected: name a PRODUCT, or use --offer-type, --name or --all
    hint: mscommerce product list
    ===== product update --offer-type SaaS --value trials =====
    exit_code: 2
    ----- stderr -----
    error: offer types accept enabled and disabled only; trials are for products
    ===== policy get A --policy-id B =====
    exit_code: 2
    ----- stderr -----
    error: the argument '[POLICY]' cannot be used with '--policy-id <ID>'

    Usage: mscommerce policy get <POLICY>

    For more information, try '--help'.
    ===== connect --device-code --username a =====
    exit_code: 2
    ----- stderr -----
    error: the argument '--device-code' cannot be used with '--username <USER>'

    Usage: mscommerce connect --device-code

    For more information, try '--help'.
    ===== connect --password-stdin =====
    exit_code: 2
    ----- stderr -----
    error: the following required arguments were not provided:
      --username <USER>

    Usage: mscommerce connect --username <USER> --password-stdin

    For more information, try '--help'.
    ===== connect --redirect-port 0 =====
    exit_code: 2
    ----- stderr -----
    error: invalid value '0' for '--redirect-port <PORT>': 0 is not in 1..=65535

    For more information, try '--help'.
    ===== disconnect --all --profile a =====
    exit_code: 2
    ----- stderr -----
    error: the argument '--all' cannot be used with '--profile <NAME>'

    Usage: mscommerce disconnect --all

    For more information, try '--help'.
    ");
    assert!(env.request_lines().is_empty());
}

#[test]
fn invalid_variable_error_names_variable() {
    let env = TestEnv::signed_in();
    let mut transcript = Transcript::default();
    for (variable, value) in [
        ("MSCOMMERCE_OUTPUT", "xml"),
        ("MSCOMMERCE_PROFILE", "a b"),
        ("MSCOMMERCE_ENDPOINT", "http://licensing.m365.microsoft.com"),
        ("MSCOMMERCE_ENDPOINT", "not a URL"),
        ("MSCOMMERCE_TOKEN", "two words"),
    ] {
        let result = env.run_with_env(&[(variable, value)], &["products", "list"]);
        transcript.push(format!("{variable}='{value}'"), result.assert_code(2));
    }
    for (variable, value) in [
        ("AZURE_AUTHORITY_HOST", "http://login.example"),
        ("AZURE_AUTHORITY_HOST", "https://login.example/contoso.example"),
        ("AZURE_AUTHORITY_HOST", "login.example/organizations/v2.0"),
        ("AZURE_TENANT_ID", "a b"),
    ] {
        let result = env.run_with_env(&[(variable, value)], &["connect", "--no-browser"]);
        transcript.push(format!("{variable}='{value}'"), result.assert_code(2));
    }
    cli_snapshot!(transcript, @"
    ===== MSCOMMERCE_OUTPUT='xml' =====
    exit_code: 2
    ----- stderr -----
    error: MSCOMMERCE_OUTPUT: unknown format 'xml'; use one of table, json, csv, tsv, markdown
    ===== MSCOMMERCE_PROFILE='a b' =====
    exit_code: 2
    ----- stderr -----
    error: MSCOMMERCE_PROFILE: 'a b' is not a valid profile name: use up to 64 letters, digits, dots, hyphens, underscores and @
    ===== MSCOMMERCE_ENDPOINT='http://licensing.m365.microsoft.com' =====
    exit_code: 2
    ----- stderr -----
    error: MSCOMMERCE_ENDPOINT: 'http://licensing.m365.microsoft.com' uses http; use https, except for an address of this machine
    hint: use https:// instead of http://
    ===== MSCOMMERCE_ENDPOINT='not a URL' =====
    exit_code: 2
    ----- stderr -----
    error: MSCOMMERCE_ENDPOINT: 'not a URL' is not a URL: invalid international domain name
    ===== MSCOMMERCE_TOKEN='two words' =====
    exit_code: 2
    ----- stderr -----
    error: MSCOMMERCE_TOKEN is not an access token: a token is a JWT, without spaces, quotes or 'Bearer'
    hint: export MSCOMMERCE_TOKEN=$(az account get-access-token --resource aeb86249-8ea3-49e2-900b-54cc8e308f85 --query accessToken -o tsv)
    ===== AZURE_AUTHORITY_HOST='http://login.example' =====
    exit_code: 2
    ----- stderr -----
    error: AZURE_AUTHORITY_HOST: 'http://login.example' uses http; use https, except for an address of this machine
    hint: use https:// instead of http://
    ===== AZURE_AUTHORITY_HOST='https://login.example/contoso.example' =====
    exit_code: 2
    ----- stderr -----
    error: AZURE_AUTHORITY_HOST: 'https://login.example/contoso.example' contains a tenant
    hint: set AZURE_AUTHORITY_HOST=https://login.example, and specify the tenant with --tenant or AZURE_TENANT_ID
    ===== AZURE_AUTHORITY_HOST='login.example/organizations/v2.0' =====
    exit_code: 2
    ----- stderr -----
    error: AZURE_AUTHORITY_HOST: 'https://login.example/organizations/v2.0' contains a tenant
    hint: set AZURE_AUTHORITY_HOST=https://login.example, and specify the tenant with --tenant or AZURE_TENANT_ID
    ===== AZURE_TENANT_ID='a b' =====
    exit_code: 2
    ----- stderr -----
    error: AZURE_TENANT_ID: 'a b' is not a tenant: use its ID (a GUID) or one of its domains, such as contoso.onmicrosoft.com
    ");
    assert!(env.request_lines().is_empty());
}

#[test]
fn flag_that_a_command_does_not_use_is_refused() {
    let env = TestEnv::signed_in();
    let command_lines: &[&[&str]] = &[
        &["connect", "-o", "json"],
        &["connect", "--query", "tenantId"],
        &["disconnect", "--policy-id", "A"],
        &["disconnect", "--tenant", "contoso.example"],
        &["status", "--policy-id", "A"],
        &["policy", "list", "--policy-id", "A"],
        &["baseline", "export", "--query", "products"],
        &["history", "--profile", "lab"],
        &["completions", "bash", "-o", "json"],
        &["completions", "bash", "--query", "a"],
        &["man", "-o", "json"],
    ];
    let mut transcript = Transcript::default();
    for arguments in command_lines {
        transcript.push(arguments.join(" "), env.run(arguments).assert_code(2));
    }
    cli_snapshot!(transcript, @"
    ===== connect -o json =====
    exit_code: 2
    ----- stderr -----
    error: this command does not use --output
    hint: omit --output
    ===== connect --query tenantId =====
    exit_code: 2
    ----- stderr -----
    error: this command does not use --query
    hint: omit --query
    ===== disconnect --policy-id A =====
    exit_code: 2
    ----- stderr -----
    error: this command does not use --policy-id
    hint: omit --policy-id
    ===== disconnect --tenant contoso.example =====
    exit_code: 2
    ----- stderr -----
    error: this command does not use --tenant
    hint: omit --tenant
    ===== status --policy-id A =====
    ===== policy list --policy-id A =====
    exit_code: 2
    ----- stderr -----
    error: this command does not use --policy-id
    hint: omit --policy-id
    ===== baseline export --query products =====
    exit_code: 2
    ----- stderr -----
    error: this command does not use --query
    hint: omit --query
    ===== history --profile lab =====
    exit_code: 2
    ----- stderr -----
    error: this command does not use --profile
    hint: omit --profile
    ===== completions bash -o json =====
    exit_code: 2
    ----- stderr -----
    error: this command does not use --output
    hint: omit --output
    ===== completions bash --query a =====
    exit_code: 2
    ----- stderr -----
    error: this command does not use --query
    hint: omit --query
    ===== man -o json =====
    exit_code: 2
    ----- stderr -----
    error: this command does not use --output
    hint: omit --output
    ");
    assert!(env.request_lines().is_empty());
    // The variables are for other commands.
    let variables = [("MSCOMMERCE_OUTPUT", "json"), ("MSCOMMERCE_PROFILE", "lab")];
    for command in [&["completions", "bash"][..], &["man"], &["history"]] {
        env.run_with_env(&variables, command).assert_code(0);
    }
}

#[test]
fn global_flag_before_and_after_the_command_is_refused() {
    let env = TestEnv::signed_in();
    for (before, after, flag) in [
        (&["--profile", "other"][..], &["--profile=default"][..], "--profile"),
        (&["--policy-id", "A"], &["--policy-id", "B"], "--policy-id"),
        (&["-o", "json"], &["--output", "csv"], "--output"),
        (&["-ojson"], &["-vo", "csv"], "--output"),
        (&["--query", "a"], &["--query", "b"], "--query"),
        (&["--timeout", "1"], &["--timeout", "2"], "--timeout"),
        (&["--color", "never"], &["--color=always"], "--color"),
    ] {
        let message = format!("error: {flag} is set before and after the command: set it after the command only\n");
        for words in [[&["product", "list"][..], &[]], [&["product"], &["list"]]] {
            let [first, second] = words;
            let result = env.run(&[before, first, after, second].concat());
            result.assert_code(2).stderr_contains(&[&message]);
        }
    }
    for arguments in [["-q", "status", "-v"], ["-v", "status", "-q"]] {
        env.run(&arguments).assert_code(2).stderr_contains(&["error: --quiet cannot be used with --verbose\n"]);
    }
    assert!(env.request_lines().is_empty());
    // A value of another flag is not a flag. A flag without a value may be repeated.
    env.run(&["-q", "product", "list", "-o", "json", "--query", "[?name=='-o']", "-q"]).assert_code(0);
}

#[test]
fn version_flag_prints_version() {
    let result = TestEnv::new().run(&["--version"]).assert_code(0);
    assert_eq!(result.stdout, format!("mscommerce {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn secret_on_the_command_line_is_not_repeated() {
    const TOKEN: &str = "eyJhbGciOiJub25lIn0.eyJ1cG4iOiJzM2NyZXQifQ.czNjcmV0";
    let env = TestEnv::new();
    let mut transcript = Transcript::default();
    let command_lines: &[&[&str]] = &[
        &["connect", "--with-token", TOKEN],
        &["login", "--with-token", TOKEN, "--tenant", "contoso.example"],
        &["connect", &format!("--with-token={TOKEN}")],
        &["connect", "--username", "a", "--password-stdin", "s3cret"],
        &["connect", "--password-stdin", "--", "s3cret", "--username", "a"],
        &["connect", "--username", "a", "--password-stdin", "--s3cret"],
        &["connect", "--username", "a", "--password-stdin=s3cret"],
        &["connect", "--application", "--client-secret-stdin", "s3cret"],
        &["connect", "--application", "--client-secret-stdin=s3cret"],
        &["connect", "s3cret"],
        &["connect", "--application", "s3cret"],
        &["connect", "--device-code=s3cret"],
        &["connect", "--password", "s3cret"],
        &["connect", "--password=s3cret"],
        &["connect", "--client-secret=s3cret"],
        &["connect", "--token", TOKEN],
        &["--token", TOKEN, "products", "list"],
        &["products", "list", TOKEN],
        &["products", TOKEN],
        &[TOKEN],
        &["products", "list", "Sim.u~lated-s3cret_of-nobody~for-tests.1"],
        &["connect", "--redirect-port", TOKEN],
        &["products", "list", "-o", TOKEN],
        &["products", "list", "--timeout", TOKEN],
        // Misspelt flags and values that are not secret are still named.
        &["connect", "--password-stdin", "--usernam", "a"],
        &["connect", "-o", "xml"],
        &["status", "extra"],
    ];
    for arguments in command_lines {
        let result = env.run(arguments).assert_code(2).stdout_is_empty().stderr_lacks("s3cret").stderr_lacks("eyJ");
        let case = arguments.join(" ").replace(TOKEN, "TOKEN");
        transcript.push(case, result);
    }
    cli_snapshot!(transcript, @"
    ===== connect --with-token TOKEN =====
    ===== login --with-token TOKEN --tenant contoso.example =====
    ===== connect --with-token=TOKEN =====
    exit_code: 2
    ----- stderr -----
    error: --with-token does not take a value: it reads the access token from standard input

      tip: mscommerce connect --with-token < token.txt
    ===== connect --username a --password-stdin s3cret =====
    ===== connect --password-stdin -- s3cret --username a =====
    ===== connect --username a --password-stdin --s3cret =====
    ===== connect --username a --password-stdin=s3cret =====
    exit_code: 2
    ----- stderr -----
    error: --password-stdin does not take a value: it reads the password from standard input

      tip: mscommerce connect --username USER --password-stdin < password.txt
    ===== connect --application --client-secret-stdin s3cret =====
    ===== connect --application --client-secret-stdin=s3cret =====
    exit_code: 2
    ----- stderr -----
    error: --client-secret-stdin does not take a value: it reads the client secret from standard input

      tip: mscommerce connect --application --client-secret-stdin < secret.txt
    ===== connect s3cret =====
    ===== connect --application s3cret =====
    exit_code: 2
    ----- stderr -----
    error: unexpected argument '(not shown: it may be a secret)' found

    Usage: mscommerce connect [OPTIONS]

    For more information, try '--help'.
    ===== connect --device-code=s3cret =====
    exit_code: 2
    ----- stderr -----
    error: unexpected value '(not shown: it may be a secret)' for '--device-code' found; no more were expected

    Usage: mscommerce connect --device-code

    For more information, try '--help'.
    ===== connect --password s3cret =====
    ===== connect --password=s3cret =====
    exit_code: 2
    ----- stderr -----
    error: unexpected argument '--password' found

      tip: a similar argument exists: '--password-stdin'

    Usage: mscommerce connect --password-stdin

    For more information, try '--help'.
    ===== connect --client-secret=s3cret =====
    exit_code: 2
    ----- stderr -----
    error: unexpected argument '--client-secret' found

      tip: a similar argument exists: '--client-secret-stdin'

    Usage: mscommerce connect --client-secret-stdin

    For more information, try '--help'.
    ===== connect --token TOKEN =====
    exit_code: 2
    ----- stderr -----
    error: unexpected argument '--token' found

      tip: a similar argument exists: '--tenant'

    Usage: mscommerce connect --tenant <TENANT>

    For more information, try '--help'.
    ===== --token TOKEN products list =====
    exit_code: 2
    ----- stderr -----
    error: unexpected argument '--token' found

      tip: a similar argument exists: '--tenant'

    Usage: mscommerce <COMMAND> [OPTIONS]

    For more information, try '--help'.
    ===== products list TOKEN =====
    exit_code: 2
    ----- stderr -----
    error: unexpected argument '(not shown: it may be a secret)' found

    Usage: mscommerce product list [OPTIONS]

    For more information, try '--help'.
    ===== products TOKEN =====
    exit_code: 2
    ----- stderr -----
    error: unrecognized subcommand '(not shown: it may be a secret)'

    Usage: mscommerce product [OPTIONS] <COMMAND>

    For more information, try '--help'.
    ===== TOKEN =====
    exit_code: 2
    ----- stderr -----
    error: unrecognized subcommand '(not shown: it may be a secret)'

    Usage: mscommerce <COMMAND> [OPTIONS]

    For more information, try '--help'.
    ===== products list Sim.u~lated-s3cret_of-nobody~for-tests.1 =====
    exit_code: 2
    ----- stderr -----
    error: unexpected argument '(not shown: it may be a secret)' found

    Usage: mscommerce product list [OPTIONS]

    For more information, try '--help'.
    ===== connect --redirect-port TOKEN =====
    exit_code: 2
    ----- stderr -----
    error: invalid value '(not shown: it may be a secret)' for '--redirect-port <PORT>': invalid digit found in string

    For more information, try '--help'.
    ===== products list -o TOKEN =====
    exit_code: 2
    ----- stderr -----
    error: invalid value '(not shown: it may be a secret)' for '--output <FORMAT>'
      [possible values: table, json, csv, tsv, markdown]

    For more information, try '--help'.
    ===== products list --timeout TOKEN =====
    exit_code: 2
    ----- stderr -----
    error: invalid value '(not shown: it may be a secret)' for '--timeout <SECONDS>': invalid digit found in string

    For more information, try '--help'.
    ===== connect --password-stdin --usernam a =====
    exit_code: 2
    ----- stderr -----
    error: unexpected argument '--usernam' found

      tip: a similar argument exists: '--username'

    Usage: mscommerce connect --password-stdin --username <USER>

    For more information, try '--help'.
    ===== connect -o xml =====
    exit_code: 2
    ----- stderr -----
    error: invalid value 'xml' for '--output <FORMAT>'
      [possible values: table, json, csv, tsv, markdown]

    For more information, try '--help'.
    ===== status extra =====
    exit_code: 2
    ----- stderr -----
    error: unexpected argument 'extra' found

    Usage: mscommerce status [OPTIONS]

    For more information, try '--help'.
    ");
    assert!(env.request_lines().is_empty());
}
