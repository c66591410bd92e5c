//! A disk that takes nothing more: whoever is signed in stays so.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::support::pty::in_shell;
use crate::support::env::Machine;
use crate::tenant::{ADMIN, PASSWORD};

/// The first two renew the sign-in, the third replaces it.
const COMMANDS: [(&[&str], i32); 3] = [
    (&["products", "list"], 0),
    (&["product", "update", "CFQ7TTC0H9MP", "--value", "disabled"], 0),
    (&["connect", "--username", ADMIN, "--password-stdin"], 1),
];

/// Each command says that it could not save, the file stays as it was, and what it holds serves when all is well again.
#[track_caller]
fn expect_no_sign_in_lost(machine: &Machine, in_trouble: impl Fn(&[&str]) -> Command, passes: impl FnOnce()) {
    let before = fs::read(machine.sign_ins()).unwrap();
    for (arguments, code) in COMMANDS {
        let ran = Machine::run_command_with_input(in_trouble(arguments), PASSWORD).expect_code(code);
        ran.expect_said(&[if code == 0 { "warning: " } else { "error: " }, "could not write", "sign-ins.json"]);
        assert_eq!(fs::read(machine.sign_ins()).unwrap(), before, "{arguments:?}");
    }
    passes();
    machine.tenant.forget_requests();
    let ran = machine.run(&["products", "list", "-q"]).expect_code(0);
    assert_eq!(ran.stderr, "");
    assert_eq!(machine.token_requests().len(), 1, "the old sign-in is renewed");
    assert_ne!(fs::read(machine.sign_ins()).unwrap(), before);
}

#[test]
fn a_full_disk_loses_no_sign_in() {
    let machine = Machine::about_to_renew();
    let script = r#"trap "" XFSZ; ulimit -f 0; exec "$@""#;
    let in_trouble = |arguments: &[&str]| {
        let mut command = in_shell(script, &machine.command(arguments));
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    };
    expect_no_sign_in_lost(&machine, in_trouble, || {});
    let left: Vec<String> = fs::read_dir(machine.state())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with(".sign-ins-"))
        .collect();
    assert_eq!(left, [] as [String; 0], "nothing half-written lies about");
}

/// Permissions do not hold root back, so somebody else runs the commands then.
struct Somebody {
    program: PathBuf,
    id: Option<u32>,
}

impl Somebody {
    fn at(machine: &Machine) -> Self {
        let program = PathBuf::from(machine.command::<&str>(&[]).get_program());
        if !rustix::process::geteuid().is_root() {
            return Self { program, id: None };
        }
        // A number that is nobody's.
        let id = 54_321;
        let copy = machine.home().join("mscommerce");
        fs::copy(program, &copy).unwrap();
        fs::set_permissions(machine.home(), Permissions::from_mode(0o755)).unwrap();
        let files = fs::read_dir(machine.state()).unwrap().map(|entry| entry.unwrap().path());
        for path in files.chain([machine.state()]) {
            chown(path, Some(id), Some(id)).unwrap();
        }
        Self { program: copy, id: Some(id) }
    }

    fn command(&self, machine: &Machine, arguments: &[&str]) -> Command {
        let usual = machine.command(arguments);
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
    let machine = Machine::about_to_renew();
    let somebody = Somebody::at(&machine);
    fs::set_permissions(machine.state(), Permissions::from_mode(0o555)).unwrap();
    expect_no_sign_in_lost(
        &machine,
        |arguments| somebody.command(&machine, arguments),
        || {
            fs::set_permissions(machine.state(), Permissions::from_mode(0o700)).unwrap();
            if somebody.id.is_some() {
                let files = fs::read_dir(machine.state()).unwrap().map(|entry| entry.unwrap().path());
                files.chain([machine.state()]).for_each(|path| chown(path, Some(0), Some(0)).unwrap());
            }
        },
    );
}
