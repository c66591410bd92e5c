//! Prompts: the password, and the question before a change.

use super::*;

#[test]
fn a_password_is_asked_for_and_not_shown() {
    for flags in [&[][..], &["--password-stdin"], &["-q"], &["-vvv"]] {
        let machine = Machine::new();
        let mut screen = Screen::run(machine.command(&[CONNECT, flags].concat()));
        type_password(&mut screen);
        screen.finish().expect_code(0).expect_not_shown(&[PASSWORD, "correct"]);
        let requests = machine.tenant.requests();
        assert_eq!(requests.len(), 1);
        assert_eq!(requests[0].form()["password"], PASSWORD);
        machine.run(LIST).expect_code(0);
    }
}

#[test]
fn a_password_is_asked_for_even_where_the_output_goes_elsewhere() {
    let machine = Machine::new();
    let mut screen =
        Screen::run_in_shell(r#"echo before; "$@" >/dev/null 2>/dev/null; echo code=$?"#, &machine.command(CONNECT));
    screen.expect("before");
    type_password(&mut screen);
    screen.finish().expect_code(0).expect_shown(&["code=0"]).expect_not_shown(&[PASSWORD]);
}

#[test]
fn corrections_at_the_prompt_count() {
    let machine = Machine::new();
    let mut screen = Screen::run(machine.command(CONNECT));
    screen.expect("Password for admin@contoso.example: ");
    screen.expect_hidden_input();
    screen.keys(&format!("{PASSWORD}xy\u{7f}\u{7f}\n"));
    screen.finish().expect_code(0).expect_shown(&["Signed in as admin@contoso.example"]);
}

#[test]
fn without_a_password_there_is_no_request() {
    let machine = Machine::new();
    for (keys, code) in [("\n", 2), (CTRL_D, 1)] {
        let mut screen = Screen::run(machine.command(&[CONNECT, &["--color", "never"]].concat()));
        screen.expect("Password for admin@contoso.example: ");
        screen.expect_hidden_input();
        screen.keys(keys);
        // The error has a line of its own, even where no key ended the prompt's line.
        screen.finish().expect_code(code).expect_shown(&["\nerror: "]);
    }
    assert!(machine.requests().is_empty());
}

#[test]
fn a_token_longer_than_a_terminals_line_can_be_pasted() {
    // A line of a terminal holds 4096 bytes, on macOS 1024; tokens with many groups are longer.
    let machine = Machine::new();
    let claims = json!({ "upn": ADMIN, "tid": HOME_TENANT, "exp": 4_000_000_000_i64, "filler": "x".repeat(6000) });
    let mut screen = Screen::run(machine.command(&["connect", "--with-token"]));
    screen.expect("Access token: ");
    screen.expect_hidden_input();
    let token = jwt(&claims);
    screen.keys(&format!("{token}\n"));
    screen
        .finish()
        .expect_code(0)
        .expect_shown(&["Signed in as admin@contoso.example"])
        .expect_not_shown(&[&token[..40]]);
    assert!(machine.requests().is_empty());
}

/// Shows the terminal's modes, runs the command, and shows its exit code and the modes again. Ctrl-C reaches every
/// program in the terminal, so the shell has to be told not to mind it.
const WITH_MODES: &str = r#"
trap : INT
echo before: $(stty -a)
sh -c 'echo pid: $$; exec "$@"' sh "$@"
echo code: $?
echo after: $(stty -a)
"#;

/// The modes that prompts for secrets change, as `stty -a` words them.
fn modes(words: &str) -> Vec<&str> {
    let relevant = ["echo", "icanon", "isig", "iexten", "echonl", "icrnl", "opost"];
    words.split([' ', ';']).filter(|word| relevant.contains(&word.strip_prefix('-').unwrap_or(word))).collect()
}

#[track_caller]
fn expect_interrupted_prompt(command: &Command, prompt: &str, interrupt: impl FnOnce(&Screen, &str)) {
    let mut screen = Screen::run_in_shell(WITH_MODES, command);
    let before = screen.word_after("before: ");
    let pid = screen.word_after("pid: ");
    screen.expect(prompt);
    screen.expect_hidden_input();
    interrupt(&screen, &pid);
    let code = screen.word_after("code: ");
    let after = screen.word_after("after: ");
    assert_eq!(code, "130");
    assert_eq!(modes(&after), modes(&before));
    assert!(modes(&before).len() >= 5, "{before}");
    let left = screen.finish().expect_shown(&["\nerror: interrupted\n"]);
    assert_eq!(left.shown.matches("error:").count(), 1, "{}", left.shown);
}

#[test]
fn ctrl_c_at_a_hidden_prompt_ends_it_and_restores_the_terminal() {
    let machine = Machine::new();
    let with_token = machine.command(&["connect", "--with-token", "--color", "never"]);
    let by_password = machine.command(&[CONNECT, &["--color", "never"]].concat());
    for (command, prompt) in [(by_password, "Password for admin@contoso.example: "), (with_token, "Access token: ")] {
        expect_interrupted_prompt(&command, prompt, |screen, _| screen.keys(CTRL_C));
        // With something typed already.
        expect_interrupted_prompt(&command, prompt, |screen, _| screen.keys(&format!("abc{CTRL_C}")));
    }
    assert!(machine.requests().is_empty());
}

#[test]
fn an_interrupt_from_outside_at_a_hidden_prompt_restores_the_terminal_too() {
    let machine = Machine::new();
    let command = machine.command(&[CONNECT, &["--color", "never"]].concat());
    for signal in [rustix::process::Signal::INT, rustix::process::Signal::TERM] {
        expect_interrupted_prompt(&command, "Password for admin@contoso.example: ", |_, pid| {
            let pid = rustix::process::Pid::from_raw(pid.parse().unwrap()).unwrap();
            rustix::process::kill_process(pid, signal).unwrap();
        });
    }
    assert!(machine.requests().is_empty());
}

#[test]
fn a_change_is_shown_and_made_only_after_a_yes() {
    for yes in ["y\n", "Y\n", "yes\n", " YES \n"] {
        let machine = Machine::signed_in();
        let mut screen = Screen::run(machine.command(&[DISABLE, &["--confirm"]].concat()));
        screen.expect("Power BI Pro (CFQ7TTC0H9MP): Enabled -> Disabled");
        screen.expect("[y/N]");
        assert_eq!(machine.changes(), 0);
        screen.keys(yes);
        screen.finish().expect_code(0).expect_shown(&["Changed in the tenant 11111111-1111-4111-8111-111111111111:"]);
        assert_eq!(machine.tenant.value_of(POWER_BI), "Disabled");
        assert_eq!(machine.changes(), 1);
    }
}

#[test]
fn anything_but_a_yes_changes_nothing() {
    let machine = Machine::signed_in();
    for no in ["n\n", "\n", "yesterday\n", "maybe\n", CTRL_D] {
        let mut screen = Screen::run(machine.command(&[DISABLE, &["--confirm", "--color", "never"]].concat()));
        screen.expect("[y/N]");
        screen.keys(no);
        let left = screen.finish().expect_code(1).expect_not_shown(&["Changed", "policyValue"]);
        // The refusal has a line of its own, even where no key ended the question's line.
        left.expect_shown(&["\nerror: declined; nothing was changed\n"]);
    }
    assert_eq!(machine.changes(), 0);
}

#[test]
fn a_change_that_is_not_needed_asks_nothing() {
    let machine = Machine::signed_in();
    machine.tenant.set_value(POWER_BI, "Disabled");
    machine
        .at_terminal(&[DISABLE, &["--confirm"]].concat())
        .expect_code(0)
        .expect_shown(&["Nothing to change: Power BI Pro (CFQ7TTC0H9MP) is Disabled already."])
        .expect_not_shown(&["[y/N]"]);
    assert_eq!(machine.changes(), 0);
}

#[test]
fn a_yes_is_carried_out_at_the_tenant_that_was_asked_about() {
    let machine = Machine::signed_in();
    let before = machine.tenant.value_at(crate::tenant::CUSTOMER_TENANT, POWER_BI);
    let mut screen = Screen::run(machine.command(&[DISABLE, &["--confirm"]].concat()));
    screen.expect("To be changed in the tenant 11111111-1111-4111-8111-111111111111:");
    screen.expect("[y/N]");
    // Meanwhile the same profile is signed in to elsewhere.
    let elsewhere = ["connect", "--username", ADMIN, "--password-stdin", "--tenant", CUSTOMER_DOMAIN];
    machine
        .run_with_input(&elsewhere, PASSWORD)
        .expect_code(0)
        .expect_said(&["warning: the profile default was signed in"]);
    screen.keys("y\n");
    screen.finish().expect_code(0).expect_shown(&["Changed in the tenant 11111111-1111-4111-8111-111111111111:"]);
    assert_eq!(machine.changes(), 1);
    assert_eq!(machine.tenant.value_of(POWER_BI), "Disabled");
    assert_eq!(machine.tenant.value_at(crate::tenant::CUSTOMER_TENANT, POWER_BI), before);
}

#[test]
fn ctrl_c_at_the_question_changes_nothing() {
    let machine = Machine::signed_in();
    let mut screen = Screen::run(machine.command(&[DISABLE, &["--confirm", "--color", "never"]].concat()));
    screen.expect("[y/N]");
    screen.keys(CTRL_C);
    screen.finish().expect_code(130).expect_shown(&["\nerror: interrupted\n"]);
    assert_eq!(machine.changes(), 0);
}

#[test]
fn the_time_to_think_does_not_count_against_the_timeout() {
    let machine = Machine::signed_in();
    let mut screen = Screen::run(machine.command(&[DISABLE, &["--confirm", "--timeout", "4"]].concat()));
    screen.expect("[y/N]");
    // Here the passing of time itself is what is tested.
    std::thread::sleep(Duration::from_millis(4100));
    screen.keys("y\n");
    screen.finish().expect_code(0).expect_shown(&["Changed"]);
}
