//! Output into pipes and files, and the flags `--quiet` and `--verbose`.

use super::*;

#[test]
fn pipe_gets_no_color_and_full_names() {
    let env = TestEnv::signed_in();
    let long = "A name that is much longer than any terminal is wide ".repeat(5);
    let mut products = default_products();
    products.push(Product::new("CFQ7TTC0LONG", long.trim(), "Enabled"));
    env.tenant.set_products(products);
    // Stderr is still a terminal, and must not decide how stdout is formatted.
    let mut session = PtySession::run_in_shell(r#""$@" | cat >"$HOME/out"; echo done"#, &env.command(LIST));
    session.expect("done");
    session.finish().assert_code(0);
    let piped = std::fs::read_to_string(env.home().join("out")).unwrap();
    assert!(!piped.contains('\u{1b}'), "{piped:?}");
    let row = piped.lines().find(|line| line.contains("CFQ7TTC0LONG")).unwrap();
    assert!(row.contains(long.trim()) && row.ends_with("  Enabled      CFQ7TTC0LONG"), "{row}");
    assert_eq!(piped.lines().count(), default_products().len() + 2, "a row each, and a header:\n{piped}");
    // `COLUMNS` has no effect.
    assert_eq!(env.run_with_env(&[("COLUMNS", "40")], LIST).assert_code(0).stdout, piped);
}

#[test]
fn color_always_applies_to_pipe() {
    let env = TestEnv::signed_in();
    let result = env.run(&["products", "list", "--color", "always"]).assert_code(0);
    assert!(result.stdout.starts_with(BOLD), "{}", result.stdout);
    assert!(!env.run(LIST).stdout.contains('\u{1b}'));
}

#[test]
fn closed_pipe_exits_with_0() {
    let env = TestEnv::signed_in();
    // More than a pipe buffers, so that the writer blocks.
    let products = (0..5000).map(|number| Product::new(&format!("CFQ7TTC{number:05}"), "A product", "Enabled"));
    env.tenant.set_products(products.collect());
    for format in ["json", "table", "csv", "tsv", "markdown"] {
        for bytes in [0, 1] {
            let mut child = env.command(&[LIST, &["-o", format]].concat()).spawn().unwrap();
            let mut reader = child.stdout.take().unwrap();
            reader.read_exact(&mut vec![0; bytes]).unwrap();
            drop(reader);
            let result = CliResult::from(child.wait_with_output().unwrap()).assert_code(0);
            assert_eq!(result.stderr, if format == "table" { "5000 products: 5000 enabled\n" } else { "" });
        }
    }
    for command in [&["--help"][..], &["--version"], &["product", "update", "--help"]] {
        let mut child = env.command(command).spawn().unwrap();
        drop(child.stdout.take());
        CliResult::from(child.wait_with_output().unwrap()).assert_code(0).stderr_is_empty();
    }
}

#[test]
fn closed_stderr_does_not_change_exit_code() {
    let env = TestEnv::signed_in();
    let mut child = env.command(&["products", "list", "-v", "-o", "json"]).spawn().unwrap();
    drop(child.stderr.take());
    let result = CliResult::from(child.wait_with_output().unwrap()).assert_code(0);
    assert_eq!(result.json().as_array().unwrap().len(), default_products().len());
    let mut child = env.command(&["product", "get", "no such product"]).spawn().unwrap();
    drop(child.stderr.take());
    CliResult::from(child.wait_with_output().unwrap()).assert_code(1);
}

#[test]
#[cfg(target_os = "linux")]
fn full_disk_is_an_error() {
    let env = TestEnv::signed_in();
    let mut transcript = Transcript::default();
    for command in [LIST, &["products", "list", "-o", "json"], GET, &["status"], &["--help"], &["--version"]] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let result = CliResult::from(env.command(command).stdout(full).output().unwrap());
        transcript.push(command.join(" "), result).assert_no_panic();
    }
    // A successful update is still reported on stderr.
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let result = CliResult::from(env.command(DISABLE).stdout(full).output().unwrap());
    transcript.push(DISABLE.join(" "), result).assert_no_panic();
    cli_snapshot!(transcript, @"
    ===== products list =====
    exit_code: 1
    ----- stderr -----
    17 products: 10 enabled, 5 disabled, 2 trials only
    error: could not write to standard output: [OS ERROR]
    ===== products list -o json =====
    ===== product get CFQ7TTC0H9MP =====
    ===== status =====
    ===== --help =====
    ===== --version =====
    exit_code: 1
    ----- stderr -----
    error: could not write to standard output: [OS ERROR]
    ===== product update CFQ7TTC0H9MP --value disabled =====
    exit_code: 1
    ----- stderr -----
    Changed in tenant 11111111-1111-4111-8111-111111111111: Power BI Pro (CFQ7TTC0H9MP): Enabled → Disabled
    error: could not write to standard output: [OS ERROR]
    ");
}

#[test]
fn closed_streams_do_not_panic() {
    let env = TestEnv::signed_in();
    for redirection in [">&-", "2>&-", "<&-", "<&- >&- 2>&-"] {
        let script = format!(r#""$@" {redirection}; echo code=$? >"$HOME/code""#);
        let mut shell = in_shell(&script, &env.command(&["products", "list", "-v"]));
        let result = CliResult::from(shell.stdin(Stdio::null()).output().unwrap()).assert_no_panic();
        let code = std::fs::read_to_string(env.home().join("code")).unwrap();
        assert_eq!(code.trim(), "code=0", "{redirection}: {result:?}");
    }
}

impl CliResult {
    #[track_caller]
    fn assert_no_panic(self) -> Self {
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
        self
    }

    #[track_caller]
    fn stderr_is_empty(self) -> Self {
        assert_eq!(self.stderr, "");
        self
    }
}

#[test]
fn quiet_hides_notes_but_not_errors_or_results() {
    let env = TestEnv::new();
    let connect = ["connect", "--username", ADMIN, "--password-stdin"];
    env.run_with_stdin(&[&connect[..], &["-q"]].concat(), PASSWORD).assert_code(0).stderr_is_empty();
    let changed = env.run(&[DISABLE, &["-q", "-o", "json"]].concat()).assert_code(0).stderr_is_empty();
    assert_eq!(changed.json()["outcome"], "changed");
    let unchanged = env.run(&[DISABLE, &["-q", "-o", "json"]].concat()).assert_code(0).stderr_is_empty();
    assert_eq!(unchanged.json()["outcome"], "unchanged");
    cli_snapshot!(env.run(&["product", "get", "no such product", "-q"]), @"
    exit_code: 1
    ----- stderr -----
    error: no product has the ID or name 'no such product'
    hint: mscommerce product list
    hint: use --offer-type TYPE for an offer type, such as SaaS
    ");
    env.run(&["disconnect", "-q"]).assert_code(0).stderr_is_empty();
    cli_snapshot!(env.run(&["products", "list", "-q"]), @"
    exit_code: 4
    ----- stderr -----
    error: not signed in
    hint: mscommerce connect
    ");
}

#[test]
fn quiet_shows_prompts_and_sign_in_url() {
    let env = TestEnv::signed_in();
    let mut session = PtySession::run(env.command(&[DISABLE, &["--confirm", "-q"]].concat()));
    session.expect("Enabled → Disabled");
    session.expect("[y/N]");
    session.type_keys("n\n");
    session.finish().assert_code(1).contains_all(&["Cancelled. Nothing was changed."]);
    let mut session = PtySession::run(env.command(&["connect", "--no-browser", "-q"]));
    session.expect("/oauth2/v2.0/authorize?");
    interrupt(session);
}

#[test]
fn verbose_shows_requests_but_no_secrets() {
    let env = TestEnv::new();
    // The tokens expire immediately, so that every command refreshes them.
    env.tenant.set_token_lifetime(0);
    let connect = ["connect", "--username", ADMIN, "--password-stdin"];
    let mut output = String::new();
    for flag in ["-v", "-vv", "-vvv"] {
        output += &env.run_with_stdin(&[&connect[..], &[flag]].concat(), PASSWORD).assert_code(0).stderr;
        for command in [LIST, GET, DISABLE] {
            let result = env.run(&[command, &[flag]].concat());
            output += &result.stderr;
            output += &result.stdout;
        }
    }
    for request in env.tenant.requests() {
        assert!(output.contains(&request.path), "not shown: {}\n{output}", request.line());
        if let Some(id) = request.header("x-ms-correlation-id") {
            assert!(output.contains(id), "no correlation ID: {}\n{output}", request.line());
        }
        let form = request.form();
        let secrets = ["password", "refresh_token", "code"].into_iter().filter_map(|name| form.get(name).cloned());
        let bearer = request.header("authorization").and_then(|value| value.strip_prefix("Bearer ")).map(str::to_owned);
        for secret in secrets.chain(bearer) {
            assert!(!output.contains(&secret), "shown: {secret}\n{output}");
        }
    }
    // The cached tokens, whether or not they were sent.
    let cache = env.cache().to_string();
    let tokens = cache.split('"').filter(|text| text.len() > 60);
    assert!(tokens.clone().count() >= 2, "{cache}");
    for token in tokens {
        assert!(!output.contains(token), "shown: {token}\n{output}");
    }
}

#[test]
fn verbose_shows_no_device_code_or_env_token() {
    let env = TestEnv::new();
    let result = env.run(&["connect", "--device-code", "-vvv"]).assert_code(0);
    for request in env.tenant.requests() {
        let form = request.form();
        if let Some(code) = form.get("device_code") {
            assert!(!result.stderr.contains(code), "{}", result.stderr);
        }
    }
    let result = env.run_with_env(
        &[("MSCOMMERCE_TOKEN", &env.tenant.issue_token(ADMIN, HOME_TENANT, 3600))],
        &["products", "list", "-vvv"],
    );
    let token = env.tenant.requests().last().unwrap().header("authorization").unwrap().to_owned();
    assert!(!result.assert_code(0).stderr.contains(token.trim_start_matches("Bearer ")));
}
