//! What programs get at the other end of a pipe, and what is said beside it.

use super::*;

#[test]
fn a_pipe_gets_no_colour_and_every_name_whole() {
    let env = TestEnv::signed_in();
    let long = "A name that is much longer than any terminal is wide ".repeat(5);
    let mut products = default_products();
    products.push(Product::new("CFQ7TTC0LONG", long.trim(), "Enabled"));
    env.tenant.set_products(products);
    // The errors still go to a terminal, which must not be taken for the output's.
    let mut session = PtySession::run_in_shell(r#""$@" | cat >"$HOME/out"; echo done"#, &env.command(LIST));
    session.expect("done");
    session.finish().assert_code(0);
    let piped = std::fs::read_to_string(env.home().join("out")).unwrap();
    assert!(!piped.contains('\u{1b}'), "{piped:?}");
    let row = piped.lines().find(|line| line.contains("CFQ7TTC0LONG")).unwrap();
    assert!(row.contains(long.trim()) && row.ends_with("Enabled"), "{row}");
    assert_eq!(piped.lines().count(), default_products().len() + 2, "a row each, and a header:\n{piped}");
    // A width that only a shell knows of changes nothing.
    assert_eq!(env.run_with_env(&[("COLUMNS", "40")], LIST).assert_code(0).stdout, piped);
}

#[test]
fn colour_in_a_pipe_can_be_asked_for() {
    let env = TestEnv::signed_in();
    let result = env.run(&["products", "list", "--color", "always"]).assert_code(0);
    assert!(result.stdout.starts_with(BOLD), "{}", result.stdout);
    assert!(!env.run(LIST).stdout.contains('\u{1b}'));
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let env = TestEnv::signed_in();
    // More than a pipe holds, so that the writer is stopped half-way.
    let products = (0..5000).map(|number| Product::new(&format!("CFQ7TTC{number:05}"), "A product", "Enabled"));
    env.tenant.set_products(products.collect());
    for format in ["json", "table", "csv", "tsv", "markdown"] {
        for bytes in [0, 1] {
            let mut child = env.command(&[LIST, &["-o", format]].concat()).spawn().unwrap();
            let mut reader = child.stdout.take().unwrap();
            reader.read_exact(&mut vec![0; bytes]).unwrap();
            drop(reader);
            CliResult::from(child.wait_with_output().unwrap()).assert_code(0).expect_said_nothing();
        }
    }
    for command in [&["--help"][..], &["--version"], &["product", "update", "--help"]] {
        let mut child = env.command(command).spawn().unwrap();
        drop(child.stdout.take());
        CliResult::from(child.wait_with_output().unwrap()).assert_code(0).expect_said_nothing();
    }
}

#[test]
fn nobody_listening_to_the_errors_is_no_failure() {
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
fn a_full_disk_is_a_failure() {
    let env = TestEnv::signed_in();
    for command in [LIST, &["products", "list", "-o", "json"], GET, &["status"], &["--help"], &["--version"]] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let result = CliResult::from(env.command(command).stdout(full).output().unwrap()).assert_code(1);
        result
            .stderr_contains(&["error: could not write to standard output", "No space left on device"])
            .expect_no_panic();
    }
    // A change that was made is still told, on the stream that is left.
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let result = CliResult::from(env.command(DISABLE).stdout(full).output().unwrap()).assert_code(1);
    result.stderr_contains(&["Changed in the tenant", "error: could not write to standard output"]).expect_no_panic();
}

#[test]
fn closed_streams_are_no_reason_to_panic() {
    let env = TestEnv::signed_in();
    for redirection in [">&-", "2>&-", "<&-", "<&- >&- 2>&-"] {
        let script = format!(r#""$@" {redirection}; echo code=$? >"$HOME/code""#);
        let mut shell = in_shell(&script, &env.command(&["products", "list", "-v"]));
        let result = CliResult::from(shell.stdin(Stdio::null()).output().unwrap()).expect_no_panic();
        let code = std::fs::read_to_string(env.home().join("code")).unwrap();
        assert_eq!(code.trim(), "code=0", "{redirection}: {result:?}");
    }
}

impl CliResult {
    #[track_caller]
    fn expect_no_panic(self) -> Self {
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
        self
    }

    #[track_caller]
    fn expect_said_nothing(self) -> Self {
        assert_eq!(self.stderr, "");
        self
    }
}

#[test]
fn quiet_leaves_out_notes_but_no_error_and_no_result() {
    let env = TestEnv::new();
    let connect = ["connect", "--username", ADMIN, "--password-stdin"];
    env.run_with_stdin(&[&connect[..], &["-q"]].concat(), PASSWORD).assert_code(0).expect_said_nothing();
    let changed = env.run(&[DISABLE, &["-q", "-o", "json"]].concat()).assert_code(0).expect_said_nothing();
    assert_eq!(changed.json()["outcome"], "changed");
    let unchanged = env.run(&[DISABLE, &["-q", "-o", "json"]].concat()).assert_code(0).expect_said_nothing();
    assert_eq!(unchanged.json()["outcome"], "unchanged");
    env.run(&["product", "get", "no such product", "-q"]).assert_code(1).stderr_contains(&["error: ", "hint: "]);
    env.run(&["disconnect", "-q"]).assert_code(0).expect_said_nothing();
    env.run(&["products", "list", "-q"]).assert_code(4).stderr_contains(&["error: nobody is signed in", "hint: "]);
}

#[test]
fn quiet_leaves_out_neither_a_question_nor_what_a_sign_in_needs() {
    let env = TestEnv::signed_in();
    let mut session = PtySession::run(env.command(&[DISABLE, &["--confirm", "-q"]].concat()));
    session.expect("Enabled -> Disabled");
    session.expect("[y/N]");
    session.type_keys("n\n");
    session.finish().assert_code(1).contains_all(&["nothing was changed"]);
    let mut session = PtySession::run(env.command(&["connect", "--no-browser", "-q"]));
    session.expect("/oauth2/v2.0/authorize?");
    expect_quick_end(session);
}

#[test]
fn verbose_shows_each_request_with_its_correlation_id_and_never_a_token() {
    let env = TestEnv::new();
    // Tokens that end at once, so that every command renews the sign-in as well.
    env.tenant.set_token_lifetime(1);
    let connect = ["connect", "--username", ADMIN, "--password-stdin"];
    let mut said = String::new();
    for flag in ["-v", "-vv", "-vvv"] {
        said += &env.run_with_stdin(&[&connect[..], &[flag]].concat(), PASSWORD).assert_code(0).stderr;
        for command in [LIST, GET, DISABLE] {
            let result = env.run(&[command, &[flag]].concat());
            said += &result.stderr;
            said += &result.stdout;
        }
    }
    for request in env.tenant.requests() {
        assert!(said.contains(&request.path), "not shown: {}\n{said}", request.line());
        if let Some(id) = request.header("x-ms-correlation-id") {
            assert!(said.contains(id), "no correlation id: {}\n{said}", request.line());
        }
        let form = request.form();
        let secrets = ["password", "refresh_token", "code"].into_iter().filter_map(|name| form.get(name).cloned());
        let bearer = request.header("authorization").and_then(|value| value.strip_prefix("Bearer ")).map(str::to_owned);
        for secret in secrets.chain(bearer) {
            assert!(!said.contains(&secret), "shown: {secret}\n{said}");
        }
    }
    // The saved ones as well, whether or not they were sent.
    let saved: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(env.cache_path()).unwrap()).unwrap();
    let saved = saved.to_string();
    let tokens = saved.split('"').filter(|text| text.len() > 60);
    assert!(tokens.clone().count() >= 2, "{saved}");
    for token in tokens {
        assert!(!said.contains(token), "shown: {token}\n{said}");
    }
}

#[test]
fn verbose_shows_no_secret_of_a_browser_or_device_sign_in_either() {
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
