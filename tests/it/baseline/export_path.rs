//! `baseline export --file`: paths, existing files and permissions.

use super::*;
use crate::support::snapshot::Transcript;
use crate::tenant::Response;

const EXPORT: &[&str] = &["baseline", "export", "--file", "b.toml"];
const REPLACE: &[&str] = &["baseline", "export", "--file", "b.toml", "--force"];

#[test]
fn export_replaces_file_only_with_force() {
    let env = TestEnv::signed_in();
    let mut transcript = Transcript::default();
    for content in ["precious", ""] {
        env.write("b.toml", content);
        env.tenant.forget_requests();
        transcript.push(format_args!("content {content:?}"), env.run_in_home(EXPORT));
        assert_eq!(env.read("b.toml"), content);
        assert!(env.request_lines().is_empty(), "the check precedes all requests");
        transcript.push(format_args!("content {content:?}, --force"), env.run_in_home(REPLACE));
        assert!(env.read("b.toml").starts_with("policy = "));
    }
    cli_snapshot!(transcript, @r#"
    ===== content "precious" =====
    exit_code: 2
    ----- stderr -----
    error: b.toml already exists; nothing was written
    hint: use another file, or add --force to replace this one
    ===== content "precious", --force =====
    exit_code: 0
    ----- stderr -----
    Wrote b.toml.
    To check the tenant against this file: mscommerce baseline check b.toml
    ===== content "" =====
    exit_code: 2
    ----- stderr -----
    error: b.toml already exists; nothing was written
    hint: use another file, or add --force to replace this one
    ===== content "", --force =====
    exit_code: 0
    ----- stderr -----
    Wrote b.toml.
    To check the tenant against this file: mscommerce baseline check b.toml
    "#);
    assert_eq!(files(&env), ["b.toml"]);
}

#[test]
fn export_force_creates_file() {
    let env = TestEnv::signed_in();
    env.run_in_home(REPLACE).assert_code(0);
    env.run_in_home(&["baseline", "check", "b.toml"]).assert_code(0);
    assert_eq!(files(&env), ["b.toml"]);
}

#[test]
fn export_failure_keeps_existing_file() {
    let mut transcript = Transcript::default();
    for scope in ["scope=product", "scope=OfferType"] {
        // Each case has its own tenant: the other list request may arrive late and must not get this response.
        let env = TestEnv::signed_in();
        env.write("b.toml", "precious");
        env.tenant.fail_next(scope, Response::text(500, "text/plain", "out of order"));
        transcript.push(scope, env.run_in_home(REPLACE));
        env.tenant.fail_next(scope, Response::text(500, "text/plain", "out of order"));
        env.run_in_home(&["baseline", "export", "--file", "new.toml"]).assert_code(1).stdout_is_empty();
        assert_eq!(env.read("b.toml"), "precious");
        assert_eq!(files(&env), ["b.toml"]);
    }
    cli_snapshot!(transcript, @"
    ===== scope=product =====
    exit_code: 1
    ----- stderr -----
    error: could not list the products: the service returned 500 Internal Server Error
      out of order
      correlation ID: [UUID]
    hint: Try again later. If it persists, give Microsoft support the correlation ID.
    ===== scope=OfferType =====
    exit_code: 1
    ----- stderr -----
    error: could not list the offer types: the service returned 500 Internal Server Error
      out of order
      correlation ID: [UUID]
    hint: Try again later. If it persists, give Microsoft support the correlation ID.
    ");
}

#[test]
fn export_does_not_replace_directory() {
    let env = TestEnv::signed_in();
    fs::create_dir(env.home().join("b.toml")).unwrap();
    let mut transcript = Transcript::default();
    for export in [EXPORT, REPLACE] {
        transcript.push(export.join(" "), env.run_in_home(export));
    }
    cli_snapshot!(transcript, @"
    ===== baseline export --file b.toml =====
    ===== baseline export --file b.toml --force =====
    exit_code: 2
    ----- stderr -----
    error: b.toml is a directory
    ");
    assert!(env.request_lines().is_empty());
    assert_eq!(files(&env), ["b.toml"]);
    assert_eq!(fs::read_dir(env.home().join("b.toml")).unwrap().count(), 0);
}

#[test]
fn export_does_not_create_directories() {
    let env = TestEnv::signed_in();
    env.write("file", "");
    let mut transcript = Transcript::default();
    for file in ["missing/b.toml", "missing/deep/b.json"] {
        for flags in [&[][..], &["--force"]] {
            let export = [&["baseline", "export", "--file", file], flags].concat();
            transcript.push(export.join(" "), env.run_in_home(&export));
        }
    }
    cli_snapshot!(transcript, @"
    ===== baseline export --file missing/b.toml =====
    ===== baseline export --file missing/b.toml --force =====
    exit_code: 2
    ----- stderr -----
    error: could not write missing/b.toml: directory missing does not exist
    ===== baseline export --file missing/deep/b.json =====
    ===== baseline export --file missing/deep/b.json --force =====
    exit_code: 2
    ----- stderr -----
    error: could not write missing/deep/b.json: directory missing/deep does not exist
    ");
    for flags in [&[][..], &["--force"]] {
        let export = [&["baseline", "export", "--file", "file/b.toml"], flags].concat();
        let result = env.run_in_home(&export).assert_code(2).stdout_is_empty();
        // The cause differs between systems.
        assert!(result.stderr.starts_with("error: could not write file/b.toml: "), "{}", result.stderr);
    }
    assert_eq!(files(&env), ["file"]);
}

#[cfg(target_os = "linux")]
#[test]
fn export_to_read_only_directory_error() {
    let env = TestEnv::signed_in();
    // Not even root can create a file in this directory, and tests may run as root.
    let export = ["baseline", "export", "--file", "/proc/self/b.toml"];
    // The message ends with the random name of the temporary file.
    let result = env.run_in_home(&export).assert_code(1).stdout_is_empty();
    assert!(result.stderr.starts_with("error: could not write /proc/self/b.toml: "), "{}", result.stderr);
}

#[cfg(unix)]
mod on_unix {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;
    use crate::support::pty::in_shell;

    #[test]
    fn export_writes_through_symbolic_link() {
        let env = TestEnv::signed_in();
        fs::create_dir(env.home().join("elsewhere")).unwrap();
        env.write("elsewhere/real.toml", "precious");
        symlink("elsewhere/real.toml", env.home().join("b.toml")).unwrap();
        env.run_in_home(EXPORT).assert_code(2);
        assert!(env.request_lines().is_empty());
        assert_eq!(env.read("elsewhere/real.toml"), "precious");

        env.run_in_home(REPLACE).assert_code(0);
        assert!(env.read("elsewhere/real.toml").starts_with("policy = "));
        let link = fs::symlink_metadata(env.home().join("b.toml")).unwrap();
        assert!(link.is_symlink(), "the link is kept");
        assert_eq!(fs::read_dir(env.home().join("elsewhere")).unwrap().count(), 1);
        env.run_in_home(&["baseline", "check", "b.toml"]).assert_code(0);
    }

    #[test]
    fn export_does_not_replace_special_file() {
        let env = TestEnv::signed_in();
        // The socket represents device files, which a replacement would destroy.
        let _listener = std::os::unix::net::UnixListener::bind(env.home().join("b.toml")).unwrap();
        let mut transcript = Transcript::default();
        for export in [EXPORT, REPLACE] {
            transcript.push(export.join(" "), env.run_in_home(export));
            assert!(!fs::symlink_metadata(env.home().join("b.toml")).unwrap().is_file());
        }
        cli_snapshot!(transcript, @"
        ===== baseline export --file b.toml =====
        ===== baseline export --file b.toml --force =====
        exit_code: 2
        ----- stderr -----
        error: b.toml is not a regular file
        ");
        assert!(env.request_lines().is_empty());
    }

    #[test]
    fn export_keeps_dangling_link() {
        let env = TestEnv::signed_in();
        fs::create_dir(env.home().join("elsewhere")).unwrap();
        symlink("elsewhere/real.toml", env.home().join("b.toml")).unwrap();
        // The export may succeed or fail, but it must not replace the link.
        for export in [EXPORT, REPLACE] {
            env.run_in_home(export);
            let link = fs::symlink_metadata(env.home().join("b.toml")).unwrap();
            assert!(link.is_symlink(), "{export:?}");
        }
    }

    #[test]
    fn export_file_mode_follows_umask() {
        let env = TestEnv::signed_in();
        for (umask, expected) in [("022", 0o644), ("027", 0o640), ("002", 0o664)] {
            let file = format!("{umask}.toml");
            let export = env.command(&["baseline", "export", "--file", &file]);
            let mut shell = in_shell(&format!("umask {umask}; \"$@\""), &export);
            CliResult::from(shell.current_dir(env.home()).output().unwrap()).assert_code(0);
            let mode = fs::metadata(env.home().join(&file)).unwrap().permissions().mode();
            assert_eq!(mode & 0o7777, expected, "umask {umask}");
        }
    }

    #[test]
    fn export_to_directory_without_permission_error() {
        if rustix::process::geteuid().is_root() {
            // Permissions do not apply to root. The test with /proc covers that user.
            return;
        }
        let env = TestEnv::signed_in();
        let closed = env.home().join("closed");
        fs::create_dir(&closed).unwrap();
        env.write("closed/b.toml", "precious");
        fs::set_permissions(&closed, fs::Permissions::from_mode(0o555)).unwrap();
        for file in ["closed/b.toml", "closed/new.toml"] {
            let export = ["baseline", "export", "--force", "--file", file];
            // The message ends with the random name of the temporary file.
            let result = env.run_in_home(&export).assert_code(1).stdout_is_empty();
            assert!(result.stderr.starts_with(&format!("error: could not write {file}: ")), "{}", result.stderr);
        }
        assert_eq!(env.read("closed/b.toml"), "precious");
        assert_eq!(fs::read_dir(&closed).unwrap().count(), 1);
    }
}
