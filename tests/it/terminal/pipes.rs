//! What programs get at the other end of a pipe, and what is said beside it.

use super::*;

#[test]
fn a_pipe_gets_no_colour_and_every_name_whole() {
    let machine = Machine::signed_in();
    let long = "A name that is much longer than any terminal is wide ".repeat(5);
    let mut products = default_products();
    products.push(Product::new("CFQ7TTC0LONG", long.trim(), "Enabled"));
    machine.tenant.set_products(products);
    // The errors still go to a terminal, which must not be taken for the output's.
    let mut screen = Screen::run_in_shell(r#""$@" | cat >"$HOME/out"; echo done"#, &machine.command(LIST));
    screen.expect("done");
    screen.finish().expect_code(0);
    let piped = std::fs::read_to_string(machine.home().join("out")).unwrap();
    assert!(!piped.contains('\u{1b}'), "{piped:?}");
    let row = piped.lines().find(|line| line.contains("CFQ7TTC0LONG")).unwrap();
    assert!(row.contains(long.trim()) && row.ends_with("Enabled"), "{row}");
    assert_eq!(piped.lines().count(), default_products().len() + 2, "a row each, and a header:\n{piped}");
    // A width that only a shell knows of changes nothing.
    assert_eq!(machine.run_with(&[("COLUMNS", "40")], LIST).expect_code(0).stdout, piped);
}

#[test]
fn colour_in_a_pipe_can_be_asked_for() {
    let machine = Machine::signed_in();
    let ran = machine.run(&["products", "list", "--color", "always"]).expect_code(0);
    assert!(ran.stdout.starts_with(BOLD), "{}", ran.stdout);
    assert!(!machine.run(LIST).stdout.contains('\u{1b}'));
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let machine = Machine::signed_in();
    // More than a pipe holds, so that the writer is stopped half-way.
    let products = (0..5000).map(|number| Product::new(&format!("CFQ7TTC{number:05}"), "A product", "Enabled"));
    machine.tenant.set_products(products.collect());
    for format in ["json", "table", "csv", "tsv", "markdown"] {
        for bytes in [0, 1] {
            let mut child = machine.command(&[LIST, &["-o", format]].concat()).spawn().unwrap();
            let mut reader = child.stdout.take().unwrap();
            reader.read_exact(&mut vec![0; bytes]).unwrap();
            drop(reader);
            Ran::from(child.wait_with_output().unwrap()).expect_code(0).expect_said_nothing();
        }
    }
    for command in [&["--help"][..], &["--version"], &["product", "update", "--help"]] {
        let mut child = machine.command(command).spawn().unwrap();
        drop(child.stdout.take());
        Ran::from(child.wait_with_output().unwrap()).expect_code(0).expect_said_nothing();
    }
}

#[test]
fn nobody_listening_to_the_errors_is_no_failure() {
    let machine = Machine::signed_in();
    let mut child = machine.command(&["products", "list", "-v", "-o", "json"]).spawn().unwrap();
    drop(child.stderr.take());
    let ran = Ran::from(child.wait_with_output().unwrap()).expect_code(0);
    assert_eq!(ran.json().as_array().unwrap().len(), default_products().len());
    let mut child = machine.command(&["product", "get", "no such product"]).spawn().unwrap();
    drop(child.stderr.take());
    Ran::from(child.wait_with_output().unwrap()).expect_code(1);
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_a_failure() {
    let machine = Machine::signed_in();
    for command in [LIST, &["products", "list", "-o", "json"], GET, &["status"], &["--help"], &["--version"]] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let ran = Ran::from(machine.command(command).stdout(full).output().unwrap()).expect_code(1);
        ran.expect_said(&["error: could not write to standard output", "No space left on device"]).expect_no_panic();
    }
    // A change that was made is still told, on the stream that is left.
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let ran = Ran::from(machine.command(DISABLE).stdout(full).output().unwrap()).expect_code(1);
    ran.expect_said(&["Changed in the tenant", "error: could not write to standard output"]).expect_no_panic();
}

#[test]
fn closed_streams_are_no_reason_to_panic() {
    let machine = Machine::signed_in();
    for redirection in [">&-", "2>&-", "<&-", "<&- >&- 2>&-"] {
        let script = format!(r#""$@" {redirection}; echo code=$? >"$HOME/code""#);
        let mut shell = in_shell(&script, &machine.command(&["products", "list", "-v"]));
        let ran = Ran::from(shell.stdin(Stdio::null()).output().unwrap()).expect_no_panic();
        let code = std::fs::read_to_string(machine.home().join("code")).unwrap();
        assert_eq!(code.trim(), "code=0", "{redirection}: {ran:?}");
    }
}

impl Ran {
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
    let machine = Machine::new();
    let connect = ["connect", "--username", ADMIN, "--password-stdin"];
    machine.run_with_input(&[&connect[..], &["-q"]].concat(), PASSWORD).expect_code(0).expect_said_nothing();
    let changed = machine.run(&[DISABLE, &["-q", "-o", "json"]].concat()).expect_code(0).expect_said_nothing();
    assert_eq!(changed.json()["outcome"], "changed");
    let unchanged = machine.run(&[DISABLE, &["-q", "-o", "json"]].concat()).expect_code(0).expect_said_nothing();
    assert_eq!(unchanged.json()["outcome"], "unchanged");
    machine.run(&["product", "get", "no such product", "-q"]).expect_code(1).expect_said(&["error: ", "hint: "]);
    machine.run(&["disconnect", "-q"]).expect_code(0).expect_said_nothing();
    machine.run(&["products", "list", "-q"]).expect_code(4).expect_said(&["error: nobody is signed in", "hint: "]);
}

#[test]
fn quiet_leaves_out_neither_a_question_nor_what_a_sign_in_needs() {
    let machine = Machine::signed_in();
    let mut screen = Screen::run(machine.command(&[DISABLE, &["--confirm", "-q"]].concat()));
    screen.expect("Enabled -> Disabled");
    screen.expect("[y/N]");
    screen.keys("n\n");
    screen.finish().expect_code(1).expect_shown(&["nothing was changed"]);
    let mut screen = Screen::run(machine.command(&["connect", "--no-browser", "-q"]));
    screen.expect("/oauth2/v2.0/authorize?");
    expect_quick_end(screen);
}

#[test]
fn verbose_shows_each_request_with_its_correlation_id_and_never_a_token() {
    let machine = Machine::new();
    // Tokens that end at once, so that every command renews the sign-in as well.
    machine.tenant.set_token_lifetime(1);
    let connect = ["connect", "--username", ADMIN, "--password-stdin"];
    let mut said = String::new();
    for flag in ["-v", "-vv", "-vvv"] {
        said += &machine.run_with_input(&[&connect[..], &[flag]].concat(), PASSWORD).expect_code(0).stderr;
        for command in [LIST, GET, DISABLE] {
            let ran = machine.run(&[command, &[flag]].concat());
            said += &ran.stderr;
            said += &ran.stdout;
        }
    }
    for request in machine.tenant.requests() {
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
    let saved: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(machine.sign_ins()).unwrap()).unwrap();
    let saved = saved.to_string();
    let tokens = saved.split('"').filter(|text| text.len() > 60);
    assert!(tokens.clone().count() >= 2, "{saved}");
    for token in tokens {
        assert!(!said.contains(token), "shown: {token}\n{said}");
    }
}

#[test]
fn verbose_shows_no_secret_of_a_browser_or_device_sign_in_either() {
    let machine = Machine::new();
    let ran = machine.run(&["connect", "--device-code", "-vvv"]).expect_code(0);
    for request in machine.tenant.requests() {
        let form = request.form();
        if let Some(code) = form.get("device_code") {
            assert!(!ran.stderr.contains(code), "{}", ran.stderr);
        }
    }
    let ran = machine.run_with(
        &[("MSCOMMERCE_TOKEN", &machine.tenant.mint(ADMIN, HOME_TENANT, 3600))],
        &["products", "list", "-vvv"],
    );
    let token = machine.tenant.requests().last().unwrap().header("authorization").unwrap().to_owned();
    assert!(!ran.expect_code(0).stderr.contains(token.trim_start_matches("Bearer ")));
}
