//! `baseline export --file`: where the file goes, and what becomes of one that is there.

use super::*;
use crate::tenant::Answer;

const EXPORT: &[&str] = &["baseline", "export", "--file", "b.toml"];
const REPLACE: &[&str] = &["baseline", "export", "--file", "b.toml", "--force"];

#[test]
fn a_file_that_is_there_is_replaced_only_with_force() {
    let machine = Machine::signed_in();
    for content in ["precious", ""] {
        write(&machine, "b.toml", content);
        machine.tenant.forget_requests();
        here(&machine, EXPORT).expect_code(1).expect_no_data().expect_said(&[
            "error: b.toml is there already; nothing was written",
            "hint: ",
            "--force",
        ]);
        assert_eq!(read(&machine, "b.toml"), content);
        assert!(machine.requests().is_empty(), "nothing was asked of the service in vain");
        here(&machine, REPLACE).expect_code(0).expect_said(&["Written: b.toml"]);
        assert!(read(&machine, "b.toml").starts_with("policy = "));
    }
    assert_eq!(files(&machine), ["b.toml"]);
}

#[test]
fn force_does_no_harm_where_there_is_no_file() {
    let machine = Machine::signed_in();
    here(&machine, REPLACE).expect_code(0);
    here(&machine, &["baseline", "check", "b.toml"]).expect_code(0);
    assert_eq!(files(&machine), ["b.toml"]);
}

#[test]
fn a_failure_of_the_service_leaves_files_as_they_were() {
    for scope in ["scope=product", "scope=OfferType"] {
        // The other listing may arrive late, when nobody waits for it any more; it must find no answer of these.
        let machine = Machine::signed_in();
        write(&machine, "b.toml", "precious");
        machine.tenant.fail_next(scope, Answer::text(500, "text/plain", "out of order"));
        here(&machine, REPLACE).expect_code(1).expect_no_data().expect_said(&["out of order"]);
        machine.tenant.fail_next(scope, Answer::text(500, "text/plain", "out of order"));
        here(&machine, &["baseline", "export", "--file", "new.toml"]).expect_code(1).expect_no_data();
        assert_eq!(read(&machine, "b.toml"), "precious");
        assert_eq!(files(&machine), ["b.toml"]);
    }
}

#[test]
fn a_directory_is_not_written_over() {
    let machine = Machine::signed_in();
    fs::create_dir(machine.home().join("b.toml")).unwrap();
    for export in [EXPORT, REPLACE] {
        here(&machine, export).expect_code(1).expect_no_data().expect_said(&["error: ", "b.toml"]);
    }
    assert!(machine.requests().is_empty());
    assert_eq!(files(&machine), ["b.toml"]);
    assert_eq!(fs::read_dir(machine.home().join("b.toml")).unwrap().count(), 0);
}

#[test]
fn a_directory_that_is_missing_is_not_made() {
    let machine = Machine::signed_in();
    write(&machine, "file", "");
    for file in ["missing/b.toml", "missing/deep/b.json", "file/b.toml"] {
        for flags in [&[][..], &["--force"]] {
            let export = [&["baseline", "export", "--file", file], flags].concat();
            let written = format!("could not write {file}");
            here(&machine, &export).expect_code(1).expect_no_data().expect_said(&["error: ", &written]);
        }
    }
    assert_eq!(files(&machine), ["file"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_directory_that_takes_no_files_is_an_error() {
    let machine = Machine::signed_in();
    // Not even the superuser can add a file here, as whom tests may run.
    let export = ["baseline", "export", "--file", "/proc/self/b.toml"];
    here(&machine, &export).expect_code(1).expect_no_data().expect_said(&["could not write /proc/self/b.toml"]);
}

#[cfg(unix)]
mod on_unix {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;
    use crate::support::pty::in_shell;

    #[test]
    fn through_a_symbolic_link_the_file_it_leads_to_is_written() {
        let machine = Machine::signed_in();
        fs::create_dir(machine.home().join("elsewhere")).unwrap();
        write(&machine, "elsewhere/real.toml", "precious");
        symlink("elsewhere/real.toml", machine.home().join("b.toml")).unwrap();
        here(&machine, EXPORT).expect_code(1).expect_said(&["b.toml is there already"]);
        assert!(machine.requests().is_empty());
        assert_eq!(read(&machine, "elsewhere/real.toml"), "precious");

        here(&machine, REPLACE).expect_code(0);
        assert!(read(&machine, "elsewhere/real.toml").starts_with("policy = "));
        let link = fs::symlink_metadata(machine.home().join("b.toml")).unwrap();
        assert!(link.is_symlink(), "the link is still one");
        assert_eq!(fs::read_dir(machine.home().join("elsewhere")).unwrap().count(), 1);
        here(&machine, &["baseline", "check", "b.toml"]).expect_code(0);
    }

    #[test]
    fn what_is_no_file_is_not_replaced_by_one() {
        let machine = Machine::signed_in();
        // It stands for devices: a tool that failed here would take a real one away from everybody.
        let _listener = std::os::unix::net::UnixListener::bind(machine.home().join("b.toml")).unwrap();
        for export in [EXPORT, REPLACE] {
            here(&machine, export).expect_code(1).expect_no_data().expect_said(&["error: ", "b.toml"]);
            assert!(!fs::symlink_metadata(machine.home().join("b.toml")).unwrap().is_file());
        }
        assert!(machine.requests().is_empty());
    }

    #[test]
    fn a_link_into_nowhere_stays_a_link() {
        let machine = Machine::signed_in();
        fs::create_dir(machine.home().join("elsewhere")).unwrap();
        symlink("elsewhere/real.toml", machine.home().join("b.toml")).unwrap();
        // Whether the file is made or refused, the link is not what is replaced.
        for export in [EXPORT, REPLACE] {
            here(&machine, export);
            let link = fs::symlink_metadata(machine.home().join("b.toml")).unwrap();
            assert!(link.is_symlink(), "{export:?}");
        }
    }

    #[test]
    fn a_file_to_share_has_the_usual_permissions() {
        let machine = Machine::signed_in();
        for (umask, wanted) in [("022", 0o644), ("027", 0o640), ("002", 0o664)] {
            let file = format!("{umask}.toml");
            let export = machine.command(&["baseline", "export", "--file", &file]);
            let mut shell = in_shell(&format!("umask {umask}; \"$@\""), &export);
            Ran::from(shell.current_dir(machine.home()).output().unwrap()).expect_code(0);
            let mode = fs::metadata(machine.home().join(&file)).unwrap().permissions().mode();
            assert_eq!(mode & 0o7777, wanted, "umask {umask}");
        }
    }

    #[test]
    fn a_file_in_a_directory_of_others_is_refused_and_left_alone() {
        if rustix::process::geteuid().is_root() {
            // Permissions do not bind the superuser; the directories under /proc are tested above.
            return;
        }
        let machine = Machine::signed_in();
        let closed = machine.home().join("closed");
        fs::create_dir(&closed).unwrap();
        write(&machine, "closed/b.toml", "precious");
        fs::set_permissions(&closed, fs::Permissions::from_mode(0o555)).unwrap();
        for file in ["closed/b.toml", "closed/new.toml"] {
            let export = ["baseline", "export", "--force", "--file", file];
            here(&machine, &export).expect_code(1).expect_no_data().expect_said(&["could not write", file]);
        }
        assert_eq!(read(&machine, "closed/b.toml"), "precious");
        assert_eq!(fs::read_dir(&closed).unwrap().count(), 1);
    }
}
