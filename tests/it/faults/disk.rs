//! A disk that takes nothing more: whoever is signed in stays so.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::support::env::TestEnv;
use crate::support::pty::in_shell;
use crate::tenant::{ADMIN, PASSWORD};

/// The first two renew the sign-in, the third replaces it.
const COMMANDS: [(&[&str], i32); 3] = [
    (&["products", "list"], 0),
    (&["product", "update", "CFQ7TTC0H9MP", "--value", "disabled"], 0),
    (&["connect", "--username", ADMIN, "--password-stdin"], 1),
];

/// Each command says that it could not save, the file stays as it was, and what it holds serves when all is well again.
#[track_caller]
fn expect_no_sign_in_lost(env: &TestEnv, in_trouble: impl Fn(&[&str]) -> Command, passes: impl FnOnce()) {
    let before = fs::read(env.cache_path()).unwrap();
    for (arguments, code) in COMMANDS {
        let result = TestEnv::run_command_with_stdin(in_trouble(arguments), PASSWORD).assert_code(code);
        result.stderr_contains(&[if code == 0 { "warning: " } else { "error: " }, "could not write", "sign-ins.json"]);
        assert_eq!(fs::read(env.cache_path()).unwrap(), before, "{arguments:?}");
    }
    passes();
    env.tenant.forget_requests();
    let result = env.run(&["products", "list", "-q"]).assert_code(0);
    assert_eq!(result.stderr, "");
    assert_eq!(env.token_requests().len(), 1, "the old sign-in is renewed");
    assert_ne!(fs::read(env.cache_path()).unwrap(), before);
}

#[test]
fn a_full_disk_loses_no_sign_in() {
    let env = TestEnv::with_expiring_token();
    let script = r#"trap "" XFSZ; ulimit -f 0; exec "$@""#;
    let in_trouble = |arguments: &[&str]| {
        let mut command = in_shell(script, &env.command(arguments));
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    };
    expect_no_sign_in_lost(&env, in_trouble, || {});
    let output: Vec<String> = fs::read_dir(env.state_dir())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with(".sign-ins-"))
        .collect();
    assert_eq!(output, [] as [String; 0], "nothing half-written lies about");
}

/// Permissions do not hold root back, so somebody else runs the commands then.
struct Somebody {
    program: PathBuf,
    id: Option<u32>,
}

impl Somebody {
    fn at(env: &TestEnv) -> Self {
        let program = PathBuf::from(env.command::<&str>(&[]).get_program());
        if !rustix::process::geteuid().is_root() {
            return Self { program, id: None };
        }
        // A number that is nobody's.
        let id = 54_321;
        let copy = env.home().join("mscommerce");
        fs::copy(program, &copy).unwrap();
        fs::set_permissions(env.home(), Permissions::from_mode(0o755)).unwrap();
        let files = fs::read_dir(env.state_dir()).unwrap().map(|entry| entry.unwrap().path());
        for path in files.chain([env.state_dir()]) {
            chown(path, Some(id), Some(id)).unwrap();
        }
        Self { program: copy, id: Some(id) }
    }

    fn command(&self, env: &TestEnv, arguments: &[&str]) -> Command {
        let usual = env.command(arguments);
        let mut command = Command::new(&self.program);
        command.args(usual.get_args()).env_clear().stdout(Stdio::piped()).stderr(Stdio::piped());
        command.envs(usual.get_envs().filter_map(|(name, value)| Some((name, value?))));
        if let Some(id) = self.id {
            command.uid(id).gid(id);
        }
        command
    }
}

#[test]
fn a_disk_that_cannot_be_written_to_loses_no_sign_in() {
    let env = TestEnv::with_expiring_token();
    let somebody = Somebody::at(&env);
    fs::set_permissions(env.state_dir(), Permissions::from_mode(0o555)).unwrap();
    expect_no_sign_in_lost(
        &env,
        |arguments| somebody.command(&env, arguments),
        || {
            fs::set_permissions(env.state_dir(), Permissions::from_mode(0o700)).unwrap();
            if somebody.id.is_some() {
                let files = fs::read_dir(env.state_dir()).unwrap().map(|entry| entry.unwrap().path());
                files.chain([env.state_dir()]).for_each(|path| chown(path, Some(0), Some(0)).unwrap());
            }
        },
    );
}
