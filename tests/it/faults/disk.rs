//! A disk that is full or read-only: the cached sign-in is kept.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::support::cli::CliResult;
use crate::support::env::TestEnv;
use crate::support::pty::in_shell;
use crate::support::snapshot::{Transcript, without_temporary_names};
use crate::tenant::{ADMIN, PASSWORD};

/// The first two refresh the token, the third replaces the sign-in.
const COMMANDS: [&[&str]; 3] = [
    &["products", "list"],
    &["product", "update", "CFQ7TTC0H9MP", "--value", "disabled"],
    &["connect", "--username", ADMIN, "--password-stdin"],
];

/// Asserts that each command of `failing_command` reports that it cannot save and keeps the cache file, and that the
/// cached sign-in works after `repair`. Returns the output of the commands.
#[track_caller]
fn cache_survives(env: &TestEnv, failing_command: impl Fn(&[&str]) -> Command, repair: impl FnOnce()) -> Transcript {
    let before = fs::read(env.cache_path()).unwrap();
    let mut transcript = Transcript::default();
    for arguments in COMMANDS {
        let result = TestEnv::run_command_with_stdin(failing_command(arguments), PASSWORD);
        transcript.push(arguments.join(" "), CliResult { stdout: String::new(), ..without_temporary_names(result) });
        assert_eq!(fs::read(env.cache_path()).unwrap(), before, "{arguments:?}");
    }
    repair();
    env.tenant.forget_requests();
    let result = env.run(&["products", "list", "-q"]).assert_code(0);
    assert_eq!(result.stderr, "");
    assert_eq!(env.token_requests().len(), 1, "the cached token is refreshed");
    assert_ne!(fs::read(env.cache_path()).unwrap(), before);
    transcript
}

#[test]
fn full_disk_keeps_cached_credential() {
    let env = TestEnv::with_expiring_token();
    let script = r#"trap "" XFSZ; ulimit -f 0; exec "$@""#;
    let failing_command = |arguments: &[&str]| {
        let mut command = in_shell(script, &env.command(arguments));
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    };
    cli_snapshot!(cache_survives(&env, failing_command, || {}), @r#"
    ===== products list =====
    exit_code: 0
    ----- stderr -----
    warning: the refreshed sign-in was not saved: could not write [TMP]/state/sign-ins.json: [OS ERROR] at path "[TMP]/state/.sign-ins-[RANDOM]"
    17 products: 10 enabled, 5 disabled, 2 trials only
    ===== product update CFQ7TTC0H9MP --value disabled =====
    exit_code: 1
    ----- stderr -----
    warning: the refreshed sign-in was not saved: could not write [TMP]/state/sign-ins.json: [OS ERROR] at path "[TMP]/state/.sign-ins-[RANDOM]"
    error: the changes cannot be recorded, so nothing was changed: could not write to [TMP]/state/changes.jsonl: [OS ERROR]
    hint: check its permissions and the free disk space, or set MSCOMMERCE_HOME to another directory
    hint: add --no-history to make the changes without a record; undo cannot revert them
    ===== connect --username admin@contoso.example --password-stdin =====
    exit_code: 1
    ----- stderr -----
    error: could not write [TMP]/state/sign-ins.json: [OS ERROR] at path "[TMP]/state/.sign-ins-[RANDOM]"
    hint: check its permissions and the free disk space, or set MSCOMMERCE_HOME to another directory
    "#);
    let temporary_files: Vec<String> = fs::read_dir(env.state_dir())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with(".sign-ins-"))
        .collect();
    assert_eq!(temporary_files, [] as [String; 0]);
}

/// A user whom file permissions restrict: another one if the tests run as root.
struct RestrictedUser {
    program: PathBuf,
    id: Option<u32>,
}

impl RestrictedUser {
    fn new(env: &TestEnv) -> Self {
        let program = PathBuf::from(env.command::<&str>(&[]).get_program());
        if !rustix::process::geteuid().is_root() {
            return Self { program, id: None };
        }
        // An id that no user has.
        let id = 54_321;
        let copy = env.home().join("mscommerce");
        // In another process: a program that a parallel test starts would inherit the file open for writing, and the
        // copy could not be executed meanwhile (ETXTBSY).
        assert!(Command::new("cp").args([&program, &copy]).status().unwrap().success());
        fs::set_permissions(env.home(), Permissions::from_mode(0o755)).unwrap();
        let files = fs::read_dir(env.state_dir()).unwrap().map(|entry| entry.unwrap().path());
        for path in files.chain([env.state_dir()]) {
            chown(path, Some(id), Some(id)).unwrap();
        }
        Self { program: copy, id: Some(id) }
    }

    fn command(&self, env: &TestEnv, arguments: &[&str]) -> Command {
        let template = env.command(arguments);
        let mut command = Command::new(&self.program);
        command.args(template.get_args()).env_clear().stdout(Stdio::piped()).stderr(Stdio::piped());
        command.envs(template.get_envs().filter_map(|(name, value)| Some((name, value?))));
        if let Some(id) = self.id {
            command.uid(id).gid(id);
        }
        command
    }
}

#[test]
fn read_only_state_dir_keeps_cached_credential() {
    let env = TestEnv::with_expiring_token();
    let user = RestrictedUser::new(&env);
    fs::set_permissions(env.state_dir(), Permissions::from_mode(0o555)).unwrap();
    let transcript = cache_survives(
        &env,
        |arguments| user.command(&env, arguments),
        || {
            fs::set_permissions(env.state_dir(), Permissions::from_mode(0o700)).unwrap();
            if user.id.is_some() {
                let files = fs::read_dir(env.state_dir()).unwrap().map(|entry| entry.unwrap().path());
                files.chain([env.state_dir()]).for_each(|path| chown(path, Some(0), Some(0)).unwrap());
            }
        },
    );
    cli_snapshot!(transcript, @r#"
    ===== products list =====
    exit_code: 0
    ----- stderr -----
    warning: the refreshed sign-in was not saved: could not write [TMP]/state/sign-ins.json: [OS ERROR] at path "[TMP]/state/.sign-ins-[RANDOM]"
    17 products: 10 enabled, 5 disabled, 2 trials only
    ===== product update CFQ7TTC0H9MP --value disabled =====
    exit_code: 1
    ----- stderr -----
    warning: the refreshed sign-in was not saved: could not write [TMP]/state/sign-ins.json: [OS ERROR] at path "[TMP]/state/.sign-ins-[RANDOM]"
    error: the changes cannot be recorded, so nothing was changed: could not write to [TMP]/state/changes.jsonl: [OS ERROR]
    hint: check its permissions and the free disk space, or set MSCOMMERCE_HOME to another directory
    hint: add --no-history to make the changes without a record; undo cannot revert them
    ===== connect --username admin@contoso.example --password-stdin =====
    exit_code: 1
    ----- stderr -----
    error: could not write [TMP]/state/sign-ins.json: [OS ERROR] at path "[TMP]/state/.sign-ins-[RANDOM]"
    hint: check its permissions and the free disk space, or set MSCOMMERCE_HOME to another directory
    "#);
}
