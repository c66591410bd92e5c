//! Completion in the real shells, in a terminal. A shell that is not installed is not tested.

use std::path::Path;
use std::process::Command;

use crate::support::env::TestEnv;
use crate::support::is_installed;
use crate::support::pty::PtySession;

/// A sign-in and a listing, so that there is something to offer.
fn env_with_products() -> TestEnv {
    let env = TestEnv::signed_in();
    env.run(&["product", "list"]).assert_code(0);
    env.tenant.forget_requests();
    env
}

/// A shell that finds the executable, with an environment like that of a new user.
fn shell(program: &str, arguments: &[&str], env: &TestEnv) -> Command {
    let executable = Path::new(env!("CARGO_BIN_EXE_mscommerce")).parent().unwrap();
    let path = format!("{}:{}", executable.display(), std::env::var("PATH").unwrap());
    let mut shell = Command::new(program);
    shell.args(arguments).env_clear().envs([("LC_ALL", "C.UTF-8"), ("TERM", "dumb")]);
    shell.env("PATH", path).env("HOME", env.home()).env("MSCOMMERCE_HOME", env.state_dir()).current_dir(env.home());
    shell
}

/// The line that the help shows for a shell.
fn instruction(env: &TestEnv, shell: &str) -> String {
    let help = env.run(&["completions", "--help"]).assert_code(0).stdout;
    let line = help.lines().find_map(|line| line.trim_start().strip_prefix(shell)).unwrap();
    line.trim().to_owned()
}

/// Follows the instruction of the help, then types words and a tab, and expects what the shell adds.
fn assert_completes(program: &str, arguments: &[&str], env: &TestEnv, cases: &[(&str, &str)]) {
    env.write(&format!(".{program}rc"), "PS1='ready> '\n");
    let configure = shell("bash", &["-c", &instruction(env, program)], env).status().unwrap();
    assert!(configure.success());
    for (typed, expected) in cases {
        let mut session = PtySession::run(shell(program, arguments, env));
        session.expect("ready> ");
        session.type_keys(&format!("mscommerce {typed}\t"));
        session.expect(expected);
        session.type_keys("\u{3}exit\n");
    }
    assert!(env.request_lines().is_empty());
}

#[test]
fn bash_completes_ids_names_in_quotes_and_profiles() {
    // macOS has bash 3.2, which knows less of completion.
    if cfg!(target_os = "macos") || !is_installed("bash") {
        return;
    }
    assert_completes(
        "bash",
        &["-i"],
        &env_with_products(),
        &[
            ("product get 'power bi pro", "Power BI Pro' "),
            ("product get \"power bi pro", "Power BI Pro\" "),
            ("product get cfq7ttc0h9m", "CFQ7TTC0H9MP "),
            ("status --profile DEF", "default "),
            ("help ex", "exit-codes "),
        ],
    );
}

#[test]
fn zsh_completes_ids_names_in_quotes_and_profiles() {
    if !is_installed("zsh") {
        return;
    }
    assert_completes(
        "zsh",
        &["-i"],
        &env_with_products(),
        &[
            ("product get 'power bi pro", "Power BI Pro' "),
            ("product get \"power bi pro", "Power BI Pro\" "),
            ("product get power\\ bi\\ pro", "Power\\ BI\\ Pro "),
            ("product get cfq7ttc0h9m", "CFQ7TTC0H9MP "),
            ("status --profile DEF", "default "),
            ("help ex", "exit-codes "),
        ],
    );
}

/// zsh runs a file of its search path at the first completion.
#[test]
fn zsh_completes_with_installed_script() {
    if !is_installed("zsh") {
        return;
    }
    let env = env_with_products();
    env.write("_mscommerce", env.run(&["completions", "zsh"]).assert_code(0).stdout);
    env.write(".zshrc", "PS1='ready> '; fpath=(~ $fpath); autoload -Uz compinit; compinit -u\n");
    let mut session = PtySession::run(shell("zsh", &["-i"], &env));
    session.expect("ready> ");
    session.type_keys("mscommerce product get 'power bi pro\t");
    session.expect("Power BI Pro' ");
    session.type_keys("\u{3}exit\n");
}

#[test]
fn fish_completes_ids_names_in_quotes_and_profiles() {
    if !is_installed("fish") {
        return;
    }
    let env = env_with_products();
    std::fs::create_dir_all(env.home().join(".config/fish/completions")).unwrap();
    let configure = shell("bash", &["-c", &instruction(&env, "fish")], &env).status().unwrap();
    assert!(configure.success());
    for (typed, expected) in [
        ("product get 'power bi pro", "Power BI Pro\tCFQ7TTC0H9MP\n"),
        ("product get power\\ bi\\ pro", "Power BI Pro\tCFQ7TTC0H9MP\n"),
        ("product get cfq7ttc0h9m", "CFQ7TTC0H9MP\tPower BI Pro\n"),
        ("help ex", "exit-codes\n"),
    ] {
        let mut fish = shell("fish", &["-c", "complete --do-complete \"$LINE\""], &env);
        let output = fish.env("LINE", format!("mscommerce {typed}")).output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), expected, "{typed}");
    }
    assert!(env.request_lines().is_empty());
}
