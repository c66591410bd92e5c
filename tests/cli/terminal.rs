//! What a person sees and does at a terminal of 80 columns: tables, colour, prompts, Ctrl-C; and what other
//! programs get at the other end of a pipe.

use std::io::Read as _;
use std::process::{Command, Stdio};
use std::sync::{Mutex, mpsc};
use std::time::{Duration, Instant};

use serde_json::json;
use unicode_width::UnicodeWidthStr as _;

use crate::pty::{COLUMNS, CTRL_C, CTRL_D, Left, Screen, in_shell};
use crate::servers::{Connection, Server};
use crate::support::{Machine, Ran};
use crate::tenant::{
    ADMIN, Answer, CUSTOMER_DOMAIN, DeviceApproval, HOME_TENANT, PASSWORD, Product, default_products, jwt,
};

const POWER_BI: &str = "CFQ7TTC0H9MP";
const LIST: &[&str] = &["products", "list"];
const GET: &[&str] = &["product", "get", POWER_BI];
const DISABLE: &[&str] = &["product", "update", POWER_BI, "--value", "disabled"];
const CONNECT: &[&str] = &["connect", "--username", ADMIN];
const BOLD: &str = "\u{1b}[1m";

/// Names a terminal would act upon: a window title, a clear screen, colours, the same with C1 controls, text that
/// runs backwards, a bell, a backspace.
const STEERING: &str = "A\u{1b}]0;owned\u{7}B\u{1b}[2J\u{1b}[31mC\u{9b}32mD\u{9d}0;owned\u{9c}E\u{202e}F\u{8}G\u{7f}H";

impl Machine {
    /// Runs to the end at a terminal.
    fn at_terminal(&self, arguments: &[&str]) -> Left {
        Screen::run(self.command(arguments)).finish()
    }

    /// Runs at a terminal with further variables.
    fn screen_with(&self, variables: &[(&str, &str)], arguments: &[&str]) -> Screen {
        let mut command = self.command(arguments);
        command.envs(variables.iter().copied());
        Screen::run(command)
    }

    fn changes(&self) -> usize {
        self.requests().iter().filter(|line| line.starts_with("PUT ")).count()
    }
}

impl Left {
    #[track_caller]
    fn expect_lines_that_fit(self) -> Self {
        for line in self.shown.lines() {
            let width = without_colour(line).width();
            assert!(width <= usize::from(COLUMNS), "{width} columns: {line}\n---\n{}", self.shown);
        }
        self
    }

    /// Nothing but colours of the tool's own steers the terminal.
    #[track_caller]
    fn expect_harmless(self) -> Self {
        let shown = without_colour(&self.shown);
        let steers = |character: char| {
            (character.is_control() && !matches!(character, '\n' | '\t'))
                || ('\u{202a}'..='\u{202e}').contains(&character)
        };
        assert!(!shown.contains(steers), "{shown:?}");
        self
    }
}

/// The text without the sequences of the tool's few styles. Its colours come with bold, so that a foreign one stays.
fn without_colour(text: &str) -> String {
    let coloured = ["\u{1b}[1m\u{1b}[31m", "\u{1b}[1m\u{1b}[33m", "\u{1b}[1m\u{1b}[36m"];
    let others = [BOLD, "\u{1b}[2m", "\u{1b}[0m"];
    coloured.iter().chain(&others).fold(text.to_owned(), |text, style| text.replace(style, ""))
}

// Tables.

#[test]
fn a_listing_fits_80_columns() {
    let machine = Machine::signed_in();
    let left = machine.at_terminal(&["products", "list", "--color", "never"]).expect_code(0).expect_lines_that_fit();
    insta::assert_snapshot!("products_list_at_80_columns", left.shown);
    let left = machine.at_terminal(&["products", "list", "--scope", "all", "--color", "never"]).expect_code(0);
    insta::assert_snapshot!("products_list_of_both_scopes_at_80_columns", left.expect_lines_that_fit().shown);
}

#[test]
fn single_records_fit_80_columns() {
    let machine = Machine::signed_in();
    let mut screens = String::new();
    for command in [
        GET,
        &["product", "get", "--offer-type", "SaaS"],
        &[DISABLE, &["--dry-run"]].concat(),
        DISABLE,
        DISABLE,
        &["policy", "list"],
        &["policy", "get"],
    ] {
        let left = Screen::run(machine.command(&[command, &["--color", "never", "-q"]].concat())).finish();
        screens += &format!("$ mscommerce {}\n{}\n", command.join(" "), left.expect_lines_that_fit().shown);
    }
    insta::assert_snapshot!("records_at_80_columns", screens);
}

#[test]
fn the_header_is_bold_unless_colour_is_not_wanted() {
    let machine = Machine::signed_in();
    let coloured = machine.at_terminal(LIST).expect_code(0).shown;
    // The line of field names is the one that begins with the first of them.
    let header = coloured.lines().find(|line| line.contains("id ") && line.contains("policyValue")).unwrap();
    assert!(header.starts_with(BOLD) && header.ends_with("\u{1b}[0m"), "{header:?}");
    assert_eq!(coloured.matches('\u{1b}').count(), 2, "only the header is bold: {coloured:?}");

    let plain = without_colour(&coloured);
    assert_eq!(machine.at_terminal(&["products", "list", "--color", "never"]).shown, plain);
    assert_eq!(machine.screen_with(&[("NO_COLOR", "1")], LIST).finish().shown, plain);
    assert_eq!(machine.screen_with(&[("TERM", "dumb")], LIST).finish().shown, plain);
    // An empty variable counts as unset (no-color.org), and a flag outranks it.
    assert_eq!(machine.screen_with(&[("NO_COLOR", "")], LIST).finish().shown, coloured);
    let always = ["products", "list", "--color", "always"];
    assert_eq!(machine.screen_with(&[("NO_COLOR", "1")], &always).finish().shown, coloured);
}

#[test]
fn error_and_hint_are_coloured_only_where_colour_is_wanted() {
    let machine = Machine::new();
    let coloured = machine.at_terminal(LIST).expect_code(4).shown;
    assert!(coloured.contains('\u{1b}'), "{coloured:?}");
    let plain = machine.at_terminal(&["products", "list", "--color", "never"]).expect_code(4).shown;
    assert_eq!(without_colour(&coloured), plain);
    assert!(plain.starts_with("error: nobody is signed in\nhint: "), "{plain}");
}

#[test]
fn long_names_wrap_and_nothing_is_lost() {
    let machine = Machine::signed_in();
    let words: Vec<String> = (0..40).map(|index| format!("word{index:02}")).collect();
    let unbroken: String = ('a'..='z').cycle().take(200).collect();
    let mut products = default_products();
    products.push(Product::new("CFQ7TTC0LONG", &words.join(" "), "Enabled"));
    products.push(Product::new("CFQ7TTC0SOLI", &unbroken, "Disabled"));
    machine.tenant.set_products(products);

    let left = machine.at_terminal(LIST).expect_code(0).expect_lines_that_fit();
    for word in &words {
        assert!(left.shown.contains(word.as_str()), "{word}\n{}", left.shown);
    }
    // The solid one is found again by joining the parts of its lines.
    let joined: String = left.shown.split_whitespace().collect();
    let rest = &unbroken[unbroken.len() - 20..];
    assert!(joined.contains(&unbroken[..20]) && joined.contains(rest), "{}", left.shown);

    for command in [["product", "get", "CFQ7TTC0LONG"], ["product", "get", "CFQ7TTC0SOLI"]] {
        machine.at_terminal(&command).expect_code(0).expect_lines_that_fit();
    }
}

#[test]
fn wide_characters_keep_the_columns_aligned() {
    let machine = Machine::signed_in();
    let names =
        ["Plain", "表計算ソフトウェア", "ロケット 🚀 プラン", "Café crème", "Cafe\u{301}", "한국어 요금제", "🎉🎉🎉"];
    let products = names.iter().zip(1..).map(|(name, number)| {
        Product::new(&format!("CFQ7TTC0WID{number}"), name, if number % 2 == 0 { "Enabled" } else { "Disabled" })
    });
    machine.tenant.set_products(products.collect());
    let left = machine.at_terminal(&["products", "list", "--color", "never"]).expect_code(0).expect_lines_that_fit();
    let column_of = |line: &str, text: &str| line.find(text).map(|position| line[..position].width());
    let header = left.shown.lines().find(|line| line.contains("policyValue")).unwrap();
    let wanted = column_of(header, "policyValue").unwrap();
    for name in names {
        let line =
            left.shown.lines().find(|line| line.contains(name)).unwrap_or_else(|| panic!("{name}\n{}", left.shown));
        let found = column_of(line, "Enabled").or_else(|| column_of(line, "Disabled"));
        assert_eq!(found, Some(wanted), "{line}\n---\n{}", left.shown);
    }
}

// Text that would steer the terminal.

#[test]
fn names_that_would_steer_the_terminal_come_out_harmless_in_every_format() {
    let machine = Machine::signed_in();
    let hostile = Product::new(POWER_BI, STEERING, STEERING).with("policyId", STEERING).with("added", STEERING);
    machine.tenant.set_products(vec![hostile]);
    for format in ["table", "json", "csv", "tsv", "markdown"] {
        for command in [LIST, GET, &[DISABLE, &["--dry-run"]].concat()] {
            let left = machine.at_terminal(&[command, &["-o", format, "-v"]].concat()).expect_code(0).expect_harmless();
            assert!(left.shown.contains("owned"), "the text itself stays: {}", left.shown);
        }
    }
    // The question, the note afterwards, and the errors name the product as well.
    let mut screen = Screen::run(machine.command(&[DISABLE, &["--confirm"]].concat()));
    screen.expect("[y/N]");
    screen.keys("y\n");
    screen.finish().expect_code(0).expect_shown(&["owned"]).expect_harmless();
    machine.tenant.misreport_updates(true);
    let enable = ["product", "update", POWER_BI, "--value", "enabled"];
    machine.at_terminal(&enable).expect_code(1).expect_shown(&["owned"]).expect_harmless();
    machine.at_terminal(&["product", "get", "owner"]).expect_code(1).expect_shown(&["owned"]).expect_harmless();
}

#[test]
fn what_the_services_say_in_errors_comes_out_harmless() {
    let machine = Machine::signed_in();
    let bodies = [
        Answer::json(403, &json!({ "errorCode": STEERING, "reason": STEERING })),
        Answer::json(429, &json!({ "error": { "code": STEERING, "message": STEERING } })),
        Answer::text(500, "text/plain", STEERING),
        Answer::text(200, "text/html", format!("<html>{STEERING}</html>")),
        Answer::json(200, &json!({ "nextLink": STEERING, "items": [] })),
        Answer::json(200, &json!({ "items": STEERING })),
    ];
    for answer in bodies {
        machine.tenant.fail_next("/products", answer);
        machine.at_terminal(&["products", "list", "-v"]).expect_code(1).expect_shown(&["owned"]).expect_harmless();
    }

    let refusal = json!({ "error": "invalid_grant", "error_description": format!("AADSTS50126: {STEERING} Trace ID: {STEERING}"),
        "error_codes": [50126], "trace_id": STEERING, "correlation_id": STEERING, "suberror": STEERING });
    machine.tenant.fail_next("/token", Answer::json(400, &refusal));
    let mut screen = Screen::run(machine.command(CONNECT));
    type_password(&mut screen);
    screen.finish().expect_code(4).expect_shown(&["owned"]).expect_harmless();
}

#[test]
fn what_a_sign_in_shows_comes_out_harmless() {
    let machine = Machine::new();
    let code = json!({ "device_code": "D", "user_code": STEERING, "verification_uri": "https://example.com/\u{9b}31m",
        "expires_in": 900, "interval": 0, "message": STEERING });
    machine.tenant.fail_next("/devicecode", Answer::json(200, &code));
    let refusal = json!({ "error": "access_denied", "error_description": STEERING });
    machine.tenant.fail_next("/token", Answer::json(400, &refusal));
    machine.at_terminal(&["connect", "--device-code"]).expect_code(4).expect_shown(&["owned"]).expect_harmless();

    // Nothing signs what a token says of itself, so anybody can have written it.
    let token = jwt(&json!({ "upn": STEERING, "tid": STEERING, "appid": STEERING, "roles": [STEERING],
        "aud": STEERING, "exp": 4_000_000_000_i64 }));
    for format in ["table", "csv", "json", "tsv", "markdown"] {
        machine
            .screen_with(&[("MSCOMMERCE_TOKEN", &token)], &["status", "-o", format])
            .finish()
            .expect_code(0)
            .expect_shown(&["owned"])
            .expect_harmless();
    }
    let mut screen = Screen::run(machine.command(&["connect", "--with-token"]));
    screen.expect("Access token: ");
    screen.expect_hidden_input();
    screen.keys(&format!("{token}\n"));
    screen.finish().expect_harmless();
}

// The password prompt.

fn type_password(screen: &mut Screen) {
    screen.expect("Password for admin@contoso.example: ");
    screen.expect_hidden_input();
    screen.keys(&format!("{PASSWORD}\n"));
}

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
    expect_interrupted_prompt(&command, "Password for admin@contoso.example: ", |_, pid| {
        let pid = rustix::process::Pid::from_raw(pid.parse().unwrap()).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    });
    assert!(machine.requests().is_empty());
}

// Questions.

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
fn a_yes_is_not_taken_to_another_tenant_than_the_one_that_was_asked_about() {
    let machine = Machine::signed_in();
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
    screen.finish().expect_code(4).expect_shown(&["anew meanwhile", "nothing more was sent"]);
    assert_eq!(machine.changes(), 0);
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

// Ctrl-C while the network is waited for.

/// Longer than an interrupted program may take to end on a busy machine, shorter than any timeout.
const QUICK: Duration = Duration::from_secs(20);

#[track_caller]
fn expect_quick_end(screen: Screen) -> Left {
    let pressed = Instant::now();
    screen.keys(CTRL_C);
    let left = screen.finish().expect_code(130);
    assert!(pressed.elapsed() < QUICK, "{:?}", pressed.elapsed());
    left
}

#[test]
fn ctrl_c_while_a_browser_is_waited_for_ends_the_sign_in() {
    let machine = Machine::new();
    let mut screen = Screen::run(machine.command(&["connect", "--no-browser", "--color", "never"]));
    screen.expect("Waiting for you to open it");
    expect_quick_end(screen).expect_shown(&["error: interrupted\n"]);
    assert!(!machine.sign_ins().exists());
}

#[test]
fn ctrl_c_while_a_device_code_is_waited_for_ends_the_sign_in() {
    let machine = Machine::new();
    // The first poll comes at once and the next one never.
    machine.tenant.device_approval(DeviceApproval::PendingThenApprove(u32::MAX));
    machine.tenant.set_device_interval(600);
    let mut screen = Screen::run(machine.command(&["connect", "--device-code", "--color", "never"]));
    screen.expect("Waiting …");
    expect_quick_end(screen).expect_shown(&["error: interrupted\n"]);
    assert!(!machine.sign_ins().exists());
}

#[test]
fn ctrl_c_while_a_request_hangs_ends_at_once() {
    let server = Server::start(|mut connection| {
        connection.request();
        connection.wait_for_end();
    });
    let machine = Machine::signed_in();
    let url = server.http();
    for (command, count) in [LIST, GET, DISABLE, &["policy", "list"]].into_iter().zip(1..) {
        let screen = machine.screen_with(&[("MSCOMMERCE_ENDPOINT", &url)], &[command, &["--color", "never"]].concat());
        server.wait_until(|seen| seen.requests.len() == count);
        expect_quick_end(screen).expect_shown(&["error: interrupted\n"]);
    }
    assert!(server.finish().requests.iter().all(|request| request.method == "GET"));
}

/// Answers the reading of a product at once, and a change of it when it is told to.
fn slow_to_change() -> (Server, mpsc::Sender<()>) {
    let (release, released) = mpsc::channel();
    let released = Mutex::new(released);
    let item = |value: &str| {
        json!({ "policyId": "AllowSelfServicePurchase", "policyValue": value, "scope": "Product",
            "productId": POWER_BI, "productName": "Power BI Pro" })
        .to_string()
    };
    let server = Server::start(move |mut connection: Connection| {
        while let Some(request) = connection.request() {
            if request.method == "PUT" {
                // The other end is dropped where no answer is to come.
                if released.lock().unwrap().recv().is_err() {
                    return;
                }
                connection.answer(&item("Disabled"));
            } else {
                connection.answer(&item("Enabled"));
            }
        }
    });
    (server, release)
}

#[test]
fn ctrl_c_while_a_change_is_on_its_way_waits_for_it_and_shows_what_became_of_it() {
    let (server, release) = slow_to_change();
    let machine = Machine::signed_in();
    let command = [DISABLE, &["--color", "never"]].concat();
    let mut screen = machine.screen_with(&[("MSCOMMERCE_ENDPOINT", &server.http())], &command);
    server.wait_until(|seen| seen.requests.iter().any(|request| request.method == "PUT"));
    screen.keys(CTRL_C);
    screen.expect("Waiting for the change that is on its way; press Ctrl-C again to leave it");
    release.send(()).unwrap();
    let left = screen.finish().expect_code(130).expect_shown(&["Changed in the tenant", "outcome", "changed"]);
    let words: Vec<_> = left.shown.split_whitespace().collect();
    assert!(words.windows(2).any(|pair| pair == ["policyValue", "Disabled"]), "{}", left.shown);
    assert_eq!(server.finish().connections, 1);
}

#[test]
fn a_second_ctrl_c_leaves_the_change_at_once_and_says_so() {
    let (server, _never_released) = slow_to_change();
    let machine = Machine::signed_in();
    let command = [DISABLE, &["--color", "never"]].concat();
    let mut screen = machine.screen_with(&[("MSCOMMERCE_ENDPOINT", &server.http())], &command);
    server.wait_until(|seen| seen.requests.iter().any(|request| request.method == "PUT"));
    screen.keys(CTRL_C);
    screen.expect("press Ctrl-C again");
    expect_quick_end(screen)
        .expect_not_shown(&["Changed"])
        // Nobody knows what became of it: the person has to be told how to find out.
        .expect_shown(&[
            "error: interrupted",
            "may have been made",
            "what it is now: mscommerce product get CFQ7TTC0H9MP",
        ]);
}

#[test]
fn a_change_that_fails_after_ctrl_c_is_told_and_the_exit_code_stays_130() {
    let (server, release) = slow_to_change();
    let machine = Machine::signed_in();
    let command = [DISABLE, &["--color", "never"]].concat();
    let mut screen = machine.screen_with(&[("MSCOMMERCE_ENDPOINT", &server.http())], &command);
    server.wait_until(|seen| seen.requests.iter().any(|request| request.method == "PUT"));
    screen.keys(CTRL_C);
    screen.expect("press Ctrl-C again");
    drop(release);
    screen
        .finish()
        .expect_code(130)
        .expect_shown(&["broke off before the answer was complete", "mscommerce product get CFQ7TTC0H9MP"]);
}

// Pipes and files.

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

// Saying less and more.

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
