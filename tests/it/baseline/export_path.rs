//! `baseline export --file`: where the file goes, and what becomes of one that is there.

use super::*;
use crate::tenant::Response;

const EXPORT: &[&str] = &["baseline", "export", "--file", "b.toml"];
const REPLACE: &[&str] = &["baseline", "export", "--file", "b.toml", "--force"];

#[test]
fn a_file_that_is_there_is_replaced_only_with_force() {
    let env = TestEnv::signed_in();
    for content in ["precious", ""] {
        env.write("b.toml", content);
        env.tenant.forget_requests();
        env.run_in_home(EXPORT).assert_code(1).stdout_is_empty().stderr_contains(&[
            "error: b.toml is there already; nothing was written",
            "hint: ",
            "--force",
        ]);
        assert_eq!(env.read("b.toml"), content);
        assert!(env.request_lines().is_empty(), "nothing was asked of the service in vain");
        env.run_in_home(REPLACE).assert_code(0).stderr_contains(&["Written: b.toml"]);
        assert!(env.read("b.toml").starts_with("policy = "));
    }
    assert_eq!(files(&env), ["b.toml"]);
}

#[test]
fn force_does_no_harm_where_there_is_no_file() {
    let env = TestEnv::signed_in();
    env.run_in_home(REPLACE).assert_code(0);
    env.run_in_home(&["baseline", "check", "b.toml"]).assert_code(0);
    assert_eq!(files(&env), ["b.toml"]);
}

#[test]
fn a_failure_of_the_service_leaves_files_as_they_were() {
    for scope in ["scope=product", "scope=OfferType"] {
        // The other listing may arrive late, when nobody waits for it any more; it must find no answer of these.
        let env = TestEnv::signed_in();
        env.write("b.toml", "precious");
        env.tenant.fail_next(scope, Response::text(500, "text/plain", "out of order"));
        env.run_in_home(REPLACE).assert_code(1).stdout_is_empty().stderr_contains(&["out of order"]);
        env.tenant.fail_next(scope, Response::text(500, "text/plain", "out of order"));
        env.run_in_home(&["baseline", "export", "--file", "new.toml"]).assert_code(1).stdout_is_empty();
        assert_eq!(env.read("b.toml"), "precious");
        assert_eq!(files(&env), ["b.toml"]);
    }
}

#[test]
fn a_directory_is_not_written_over() {
    let env = TestEnv::signed_in();
    fs::create_dir(env.home().join("b.toml")).unwrap();
    for export in [EXPORT, REPLACE] {
        env.run_in_home(export).assert_code(1).stdout_is_empty().stderr_contains(&["error: ", "b.toml"]);
    }
    assert!(env.request_lines().is_empty());
    assert_eq!(files(&env), ["b.toml"]);
    assert_eq!(fs::read_dir(env.home().join("b.toml")).unwrap().count(), 0);
}

#[test]
fn a_directory_that_is_missing_is_not_made() {
    let env = TestEnv::signed_in();
    env.write("file", "");
    for file in ["missing/b.toml", "missing/deep/b.json", "file/b.toml"] {
        for flags in [&[][..], &["--force"]] {
            let export = [&["baseline", "export", "--file", file], flags].concat();
            let written = format!("could not write {file}");
            env.run_in_home(&export).assert_code(1).stdout_is_empty().stderr_contains(&["error: ", &written]);
        }
    }
    assert_eq!(files(&env), ["file"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_directory_that_takes_no_files_is_an_error() {
    let env = TestEnv::signed_in();
    // Not even the superuser can add a file here, as whom tests may run.
    let export = ["baseline", "export", "--file", "/proc/self/b.toml"];
    env.run_in_home(&export).assert_code(1).stdout_is_empty().stderr_contains(&["could not write /proc/self/b.toml"]);
}

#[cfg(unix)]
mod on_unix {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;
    use crate::support::pty::in_shell;

    #[test]
    fn through_a_symbolic_link_the_file_it_leads_to_is_written() {
        let env = TestEnv::signed_in();
        fs::create_dir(env.home().join("elsewhere")).unwrap();
        env.write("elsewhere/real.toml", "precious");
        symlink("elsewhere/real.toml", env.home().join("b.toml")).unwrap();
        env.run_in_home(EXPORT).assert_code(1).stderr_contains(&["b.toml is there already"]);
        assert!(env.request_lines().is_empty());
        assert_eq!(env.read("elsewhere/real.toml"), "precious");

        env.run_in_home(REPLACE).assert_code(0);
        assert!(env.read("elsewhere/real.toml").starts_with("policy = "));
        let link = fs::symlink_metadata(env.home().join("b.toml")).unwrap();
        assert!(link.is_symlink(), "the link is still one");
        assert_eq!(fs::read_dir(env.home().join("elsewhere")).unwrap().count(), 1);
        env.run_in_home(&["baseline", "check", "b.toml"]).assert_code(0);
    }

    #[test]
    fn what_is_no_file_is_not_replaced_by_one() {
        let env = TestEnv::signed_in();
        // It stands for devices: a tool that failed here would take a real one away from everybody.
        let _listener = std::os::unix::net::UnixListener::bind(env.home().join("b.toml")).unwrap();
        for export in [EXPORT, REPLACE] {
            env.run_in_home(export).assert_code(1).stdout_is_empty().stderr_contains(&["error: ", "b.toml"]);
            assert!(!fs::symlink_metadata(env.home().join("b.toml")).unwrap().is_file());
        }
        assert!(env.request_lines().is_empty());
    }

    #[test]
    fn a_link_into_nowhere_stays_a_link() {
        let env = TestEnv::signed_in();
        fs::create_dir(env.home().join("elsewhere")).unwrap();
        symlink("elsewhere/real.toml", env.home().join("b.toml")).unwrap();
        // Whether the file is made or refused, the link is not what is replaced.
        for export in [EXPORT, REPLACE] {
            env.run_in_home(export);
            let link = fs::symlink_metadata(env.home().join("b.toml")).unwrap();
            assert!(link.is_symlink(), "{export:?}");
        }
    }

    #[test]
    fn a_file_to_share_has_the_usual_permissions() {
        let env = TestEnv::signed_in();
        for (umask, wanted) in [("022", 0o644), ("027", 0o640), ("002", 0o664)] {
            let file = format!("{umask}.toml");
            let export = env.command(&["baseline", "export", "--file", &file]);
            let mut shell = in_shell(&format!("umask {umask}; \"$@\""), &export);
            CliResult::from(shell.current_dir(env.home()).output().unwrap()).assert_code(0);
            let mode = fs::metadata(env.home().join(&file)).unwrap().permissions().mode();
            assert_eq!(mode & 0o7777, wanted, "umask {umask}");
        }
    }

    #[test]
    fn a_file_in_a_directory_of_others_is_refused_and_left_alone() {
        if rustix::process::geteuid().is_root() {
            // Permissions do not bind the superuser; the directories under /proc are tested above.
            return;
        }
        let env = TestEnv::signed_in();
        let closed = env.home().join("closed");
        fs::create_dir(&closed).unwrap();
        env.write("closed/b.toml", "precious");
        fs::set_permissions(&closed, fs::Permissions::from_mode(0o555)).unwrap();
        for file in ["closed/b.toml", "closed/new.toml"] {
            let export = ["baseline", "export", "--force", "--file", file];
            env.run_in_home(&export).assert_code(1).stdout_is_empty().stderr_contains(&["could not write", file]);
        }
        assert_eq!(env.read("closed/b.toml"), "precious");
        assert_eq!(fs::read_dir(&closed).unwrap().count(), 1);
    }
}
