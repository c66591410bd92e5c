//! The token cache: permissions, profiles, and files that cannot be used.

use std::fs;
use std::path::Path;
#[cfg(unix)]
use std::path::PathBuf;

use serde_json::json;

use crate::support::cli::CliResult;
use crate::support::env::TestEnv;
use crate::support::fixtures::LIST_NOTE;
#[cfg(unix)]
use crate::support::pty::in_shell;
use crate::support::snapshot::Transcript;
use crate::tenant::{ADMIN, HOME_TENANT, PASSWORD, READER};

fn connect(env: &TestEnv, user: &str, profile: &str) -> CliResult {
    let arguments = ["connect", "--username", user, "--password-stdin", "--profile", profile];
    env.run_with_stdin(&arguments, PASSWORD)
}

fn account(env: &TestEnv, variables: &[(&str, &str)], flags: &[&str]) -> String {
    let status = env.run_with_env(variables, &[&["status", "-o", "json"], flags].concat()).assert_code(0).json();
    status["account"].as_str().unwrap().to_owned()
}

/// The files in the state directory other than the cache, its lock and the completion candidates.
fn other_files(env: &TestEnv) -> Vec<String> {
    let entries = fs::read_dir(env.state_dir()).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| !["sign-ins.json", "sign-ins.lock", "products.json"].contains(&&**name));
    names.sort();
    names
}

#[test]
fn cache_is_a_single_file_with_one_profile() {
    let env = TestEnv::signed_in();
    let saved = env.cache();
    assert_eq!(saved["version"], 2);
    let profiles = saved["profiles"].as_object().unwrap();
    assert_eq!(profiles.keys().collect::<Vec<_>>(), ["default"]);
    let tenants = profiles["default"]["tenants"].as_object().unwrap();
    assert_eq!(tenants.keys().collect::<Vec<_>>(), [HOME_TENANT]);
    assert_eq!(other_files(&env), Vec::<String>::new());
}

#[cfg(unix)]
#[test]
fn cache_files_have_private_modes() {
    use std::os::unix::fs::PermissionsExt as _;

    let env = TestEnv::with_expiring_token();
    let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    let check = || {
        assert_eq!(mode(env.cache_path()), 0o600);
        assert_eq!(mode(env.state_dir()), 0o700);
        assert_eq!(mode(env.state_dir().join("sign-ins.lock")), 0o600);
    };
    check();
    // The next write makes a file with a changed mode private again.
    fs::set_permissions(env.cache_path(), fs::Permissions::from_mode(0o644)).unwrap();
    env.run(&["products", "list"]).assert_code(0);
    assert_eq!(env.token_requests().len(), 1);
    check();
}

#[cfg(unix)]
#[test]
fn readable_cache_is_made_private_with_warning() {
    use std::os::unix::fs::PermissionsExt as _;

    for mode in [0o644, 0o640, 0o604, 0o755] {
        let env = TestEnv::signed_in();
        fs::set_permissions(env.cache_path(), fs::Permissions::from_mode(mode)).unwrap();
        let result = env.run(&["products", "list"]).assert_code(0);
        let warning = format!("warning: other users could read {} (mode {mode:o})", env.cache_path().display());
        assert_eq!(result.stderr.matches(&warning).count(), 1, "{}", result.stderr);
        assert_eq!(fs::metadata(env.cache_path()).unwrap().permissions().mode() & 0o7777, 0o600);
        assert_eq!(env.run(&["products", "list"]).assert_code(0).stderr, LIST_NOTE);
    }
}

#[cfg(unix)]
#[test]
fn existing_state_directory_keeps_its_mode() {
    use std::os::unix::fs::PermissionsExt as _;

    let env = TestEnv::new();
    fs::create_dir(env.state_dir()).unwrap();
    fs::set_permissions(env.state_dir(), fs::Permissions::from_mode(0o755)).unwrap();
    env.sign_in(ADMIN);
    assert_eq!(fs::metadata(env.state_dir()).unwrap().permissions().mode() & 0o7777, 0o755);
    assert_eq!(fs::metadata(env.cache_path()).unwrap().permissions().mode() & 0o7777, 0o600);
}

/// Asserts that no command uses the file and that each one states the reason.
#[track_caller]
fn assert_cache_not_used(env: &TestEnv, reason: &str) {
    assert_not_used(env, &env.cache_path(), reason);
}

/// Asserts that no command uses the state directory, because of this file.
#[track_caller]
fn assert_not_used(env: &TestEnv, path: &Path, reason: &str) {
    let texts = [&format!("error: {} is not used: {reason}", path.display()), "hint: ", "MSCOMMERCE_HOME"];
    env.tenant.forget_requests();
    for command in [&["products", "list"][..], &["status"]] {
        env.run(command).assert_code(4).stdout_is_empty().stderr_contains(&texts);
    }
    env.run(&["disconnect"]).assert_code(1).stderr_contains(&texts);
    let connect = ["connect", "--username", ADMIN, "--password-stdin"];
    env.run_with_stdin(&connect, PASSWORD).assert_code(1).stderr_contains(&texts);
    assert!(env.request_lines().is_empty());
}

#[cfg(unix)]
#[test]
fn cache_of_another_owner_is_not_used() {
    let env = TestEnv::signed_in();
    let before = fs::read(env.cache_path()).unwrap();
    // Only root can change the owner; other users have nothing to test.
    if std::os::unix::fs::chown(env.cache_path(), Some(12_345), None).is_err() {
        return;
    }
    assert_cache_not_used(&env, "it belongs to another user (ID 12345)");
    assert_eq!(fs::read(env.cache_path()).unwrap(), before);
}

#[test]
fn cache_has_default_directory() {
    let env = TestEnv::new();
    let mut command = env.command(&["connect", "--username", ADMIN, "--password-stdin"]);
    // On Windows the directory depends on further variables.
    command.env_remove("MSCOMMERCE_HOME").env("APPDATA", env.home()).env("LOCALAPPDATA", env.home());
    TestEnv::run_command_with_stdin(command, PASSWORD).assert_code(0);
    assert!(!env.state_dir().exists());
    let found = env.files_containing(if cfg!(windows) { "dpapi" } else { ADMIN });
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].ends_with("mscommerce/sign-ins.json") || cfg!(windows), "{found:?}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(found[0].parent().unwrap()).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o700);
    }
}

#[test]
fn state_directory_can_be_relative() {
    let env = TestEnv::new();
    let mut command = env.command(&["connect", "--username", ADMIN, "--password-stdin"]);
    command.env("MSCOMMERCE_HOME", "deep/within").current_dir(env.home());
    TestEnv::run_command_with_stdin(command, PASSWORD).assert_code(0);
    assert!(env.home().join("deep/within/sign-ins.json").exists());
}

/// Runs `connect` in an empty directory. Returns the result and the names of the entries there afterwards.
fn connect_in_empty_directory(env: &TestEnv, variables: &[(&str, &str)]) -> (CliResult, Vec<String>) {
    let directory = tempfile::tempdir().unwrap();
    let mut command = env.command(&["connect", "--username", ADMIN, "--password-stdin"]);
    command.env_remove("MSCOMMERCE_HOME").envs(variables.iter().copied()).current_dir(directory.path());
    let result = TestEnv::run_command_with_stdin(command, PASSWORD);
    let entries = fs::read_dir(directory.path()).unwrap();
    (result, entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect())
}

/// From a file of variables, or in quotes: no shell has expanded it.
#[test]
fn tilde_in_state_directory_is_home_directory() {
    for (value, expected) in [("~/.x", ".x"), ("~", "."), ("~/deep/within", "deep/within"), (" ~/.y\r", ".y")] {
        let env = TestEnv::new();
        let (result, entries) = connect_in_empty_directory(&env, &[("MSCOMMERCE_HOME", value)]);
        result.assert_code(0);
        assert_eq!(entries, [] as [String; 0], "{value}");
        assert!(env.home().join(expected).join("sign-ins.json").exists(), "{value}");
    }
    let env = TestEnv::new();
    let mut transcript = Transcript::default();
    for value in ["~ada/.x", "$HOME/.x", "${HOME}/.x", "%USERPROFILE%/x"] {
        let (result, entries) = connect_in_empty_directory(&env, &[("MSCOMMERCE_HOME", value)]);
        transcript.push(value, result);
        assert_eq!(entries, [] as [String; 0], "{value}");
    }
    cli_snapshot!(transcript, @"
    ===== ~ada/.x =====
    exit_code: 2
    ----- stderr -----
    error: MSCOMMERCE_HOME: '~ada/.x': only ~/ is expanded
    hint: use the full path, or ./~ada/.x for a file with this name
    ===== $HOME/.x =====
    exit_code: 2
    ----- stderr -----
    error: MSCOMMERCE_HOME: '$HOME/.x': only ~/ is expanded
    hint: use the full path, or ./$HOME/.x for a file with this name
    ===== ${HOME}/.x =====
    exit_code: 2
    ----- stderr -----
    error: MSCOMMERCE_HOME: '${HOME}/.x': only ~/ is expanded
    hint: use the full path, or ./${HOME}/.x for a file with this name
    ===== %USERPROFILE%/x =====
    exit_code: 2
    ----- stderr -----
    error: MSCOMMERCE_HOME: '%USERPROFILE%/x': only ~/ is expanded
    hint: use the full path, or ./%USERPROFILE%/x for a file with this name
    ");
    // A directory of that name.
    let (result, entries) = connect_in_empty_directory(&env, &[("MSCOMMERCE_HOME", "./~")]);
    result.assert_code(0);
    assert_eq!(entries, ["~"]);
}

#[cfg(unix)]
#[test]
fn unusable_home_directory_is_usage_error() {
    for (variables, message) in [
        (&[("HOME", "relative")][..], "home directory not found"),
        (&[("HOME", "~")], "home directory not found"),
        (&[("HOME", "~"), ("MSCOMMERCE_HOME", "~/.x")], "MSCOMMERCE_HOME: '~/.x': home directory not found"),
    ] {
        let env = TestEnv::new();
        let (result, entries) = connect_in_empty_directory(&env, variables);
        result.assert_code(2).stderr_contains(&[message, "MSCOMMERCE_HOME"]);
        assert_eq!(entries, [] as [String; 0], "{variables:?}");
        assert!(env.request_lines().is_empty());
    }
}

#[test]
fn second_profile_keeps_first() {
    let env = TestEnv::signed_in();
    let first = env.cache()["profiles"]["default"].clone();
    cli_snapshot!(connect(&env, READER, "read.only@contoso_1-x"), @"
    exit_code: 0
    ----- stderr -----
    Signed in as reader@contoso.example to tenant 11111111-1111-4111-8111-111111111111 (profile read.only@contoso_1-x).
    ");
    let saved = env.cache();
    assert_eq!(saved["profiles"]["default"], first);
    assert_eq!(saved["profiles"].as_object().unwrap().len(), 2);

    assert_eq!(account(&env, &[], &[]), ADMIN);
    assert_eq!(account(&env, &[], &["--profile", "read.only@contoso_1-x"]), READER);
    assert_eq!(account(&env, &[("MSCOMMERCE_PROFILE", "read.only@contoso_1-x")], &[]), READER);
    assert_eq!(account(&env, &[("MSCOMMERCE_PROFILE", "read.only@contoso_1-x")], &["--profile", "default"]), ADMIN);
    assert_eq!(account(&env, &[("MSCOMMERCE_PROFILE", "")], &[]), ADMIN, "an empty variable counts as unset");
}

#[test]
fn profile_variable_selects_profile() {
    let env = TestEnv::new();
    let mut command = env.command(&["connect", "--username", ADMIN, "--password-stdin"]);
    command.env("MSCOMMERCE_PROFILE", "lab");
    cli_snapshot!(TestEnv::run_command_with_stdin(command, PASSWORD), @"
    exit_code: 0
    ----- stderr -----
    Signed in as admin@contoso.example to tenant 11111111-1111-4111-8111-111111111111 (profile lab).
    ");
    assert_eq!(env.cache()["profiles"].as_object().unwrap().keys().collect::<Vec<_>>(), ["lab"]);
    // The default profile has no credential, so the error lists the profiles.
    cli_snapshot!(env.run(&["products", "list"]), @"
    exit_code: 4
    ----- stderr -----
    error: profile 'default' is not signed in
      profiles that are signed in: lab
    hint: mscommerce connect
    hint: use another profile with --profile NAME
    ");
}

#[test]
fn unknown_profile_error_lists_profiles() {
    let env = TestEnv::signed_in();
    connect(&env, READER, "lab").assert_code(0);
    env.tenant.forget_requests();
    let mut transcript = Transcript::default();
    for command in [&["products", "list"][..], &["status"]] {
        transcript.push(command.join(" "), env.run(&[command, &["--profile", "lb"]].concat()));
    }
    cli_snapshot!(transcript, @"
    ===== products list =====
    ===== status =====
    exit_code: 4
    ----- stderr -----
    error: profile 'lb' is not signed in
      profiles that are signed in: default, lab
    hint: mscommerce connect --profile lb
    hint: use another profile with --profile NAME
    ");
    assert!(env.request_lines().is_empty());
}

#[test]
fn invalid_profile_name_is_usage_error() {
    let env = TestEnv::new();
    let mut transcript = Transcript::default();
    for name in ["", " ", "a b", "../x", "a/b", "a\nb", "\u{1b}[2J", &"x".repeat(65)] {
        let result = transcript.push(format!("{name:?}"), env.run(&["status", "--profile", name]));
        assert!(!result.stderr.contains('\u{1b}'));
    }
    cli_snapshot!(transcript, @r#"
    ===== "" =====
    exit_code: 2
    ----- stderr -----
    error: --profile: '' is not a valid profile name: use up to 64 letters, digits, dots, hyphens, underscores and @
    ===== " " =====
    exit_code: 2
    ----- stderr -----
    error: --profile: ' ' is not a valid profile name: use up to 64 letters, digits, dots, hyphens, underscores and @
    ===== "a b" =====
    exit_code: 2
    ----- stderr -----
    error: --profile: 'a b' is not a valid profile name: use up to 64 letters, digits, dots, hyphens, underscores and @
    ===== "../x" =====
    exit_code: 2
    ----- stderr -----
    error: --profile: '../x' is not a valid profile name: use up to 64 letters, digits, dots, hyphens, underscores and @
    ===== "a/b" =====
    exit_code: 2
    ----- stderr -----
    error: --profile: 'a/b' is not a valid profile name: use up to 64 letters, digits, dots, hyphens, underscores and @
    ===== "a\nb" =====
    exit_code: 2
    ----- stderr -----
    error: --profile: 'a b' is not a valid profile name: use up to 64 letters, digits, dots, hyphens, underscores and @
    ===== "\u{1b}[2J" =====
    exit_code: 2
    ----- stderr -----
    error: --profile: '�[2J' is not a valid profile name: use up to 64 letters, digits, dots, hyphens, underscores and @
    ===== "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" =====
    exit_code: 2
    ----- stderr -----
    error: --profile: 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' is not a valid profile name: use up to 64 letters, digits, dots, hyphens, underscores and @
    "#);
    cli_snapshot!(env.run_with_env(&[("MSCOMMERCE_PROFILE", "a b")], &["status"]), @"
    exit_code: 2
    ----- stderr -----
    error: MSCOMMERCE_PROFILE: 'a b' is not a valid profile name: use up to 64 letters, digits, dots, hyphens, underscores and @
    ");
}

/// Cache files that cannot be used.
fn invalid_caches() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("empty", Vec::new()),
        ("binary", b"\x00\x01 rubbish".to_vec()),
        ("not UTF-8", b"{\"version\":1,\"profiles\":{\"\xff\":1}}".to_vec()),
        ("not an object", b"[]".to_vec()),
        ("wrong type", json!({"version": 1, "profiles": {"default": {"account": 7}}}).to_string().into_bytes()),
        ("older version", json!({"version": 1, "profiles": {}}).to_string().into_bytes()),
    ]
}

#[test]
fn invalid_cache_is_quarantined() {
    let mut transcript = Transcript::default();
    for (name, content) in invalid_caches() {
        let env = TestEnv::signed_in();
        fs::write(env.cache_path(), &content).unwrap();
        transcript.push(name, env.run(&["products", "list"]));
        assert_eq!(other_files(&env), ["sign-ins.unreadable.json"], "{name}");
        assert_eq!(fs::read(env.state_dir().join("sign-ins.unreadable.json")).unwrap(), content, "{name}");
        // The warning appears once.
        let result = env.run(&["status"]).assert_code(4).stdout_is_empty();
        assert!(!result.stderr.contains("warning"), "{name}: {}", result.stderr);
        assert!(env.request_lines().is_empty());
        // The hint works.
        env.sign_in(ADMIN);
        env.run(&["products", "list"]).assert_code(0);
    }
    cli_snapshot!(transcript, @"
    ===== empty =====
    exit_code: 4
    ----- stderr -----
    warning: the saved sign-ins in [TMP]/state/sign-ins.json cannot be used: it is damaged at line 1, column 0; moved to [TMP]/state/sign-ins.unreadable.json
    error: not signed in
    hint: mscommerce connect
    ===== binary =====
    exit_code: 4
    ----- stderr -----
    warning: the saved sign-ins in [TMP]/state/sign-ins.json cannot be used: it is damaged at line 1, column 1; moved to [TMP]/state/sign-ins.unreadable.json
    error: not signed in
    hint: mscommerce connect
    ===== not UTF-8 =====
    exit_code: 4
    ----- stderr -----
    warning: the saved sign-ins in [TMP]/state/sign-ins.json cannot be used: it was written by another version of mscommerce (format 1; this version reads 2); moved to [TMP]/state/sign-ins.unreadable.json
    error: not signed in
    hint: mscommerce connect
    ===== not an object =====
    exit_code: 4
    ----- stderr -----
    warning: the saved sign-ins in [TMP]/state/sign-ins.json cannot be used: it was written by another version of mscommerce (format 0; this version reads 2); moved to [TMP]/state/sign-ins.unreadable.json
    error: not signed in
    hint: mscommerce connect
    ===== wrong type =====
    ===== older version =====
    exit_code: 4
    ----- stderr -----
    warning: the saved sign-ins in [TMP]/state/sign-ins.json cannot be used: it was written by another version of mscommerce (format 1; this version reads 2); moved to [TMP]/state/sign-ins.unreadable.json
    error: not signed in
    hint: mscommerce connect
    ");
}

#[test]
fn commands_work_with_invalid_cache() {
    for (name, content) in invalid_caches() {
        for (arguments, code) in [
            (&["status"][..], 4),
            (&["policy", "list"], 4),
            (&["product", "update", "CFQ7TTC0H9MP", "--value", "disabled"], 4),
            (&["connect", "--username", ADMIN, "--password-stdin"], 0),
            (&["disconnect"], 0),
            (&["logout", "--all"], 0),
        ] {
            let env = TestEnv::signed_in();
            fs::write(env.cache_path(), &content).unwrap();
            let result = env.run_with_stdin(arguments, PASSWORD);
            assert_eq!(result.code, code, "{name} {arguments:?}\n{}", result.stderr);
            assert_eq!(result.stderr.matches("warning: ").count(), 1, "{name} {arguments:?}\n{}", result.stderr);
        }
    }
}

#[test]
fn truncated_cache_error_shows_no_token() {
    let env = TestEnv::signed_in();
    let (secrets, whole) = (env.cached_tokens(), fs::read(env.cache_path()).unwrap());
    for length in [whole.len() / 4, whole.len() / 2, whole.len() * 3 / 4, whole.len() - 2] {
        fs::write(env.cache_path(), &whole[..length]).unwrap();
        let result = env.run(&["products", "list", "-vvv"]).assert_code(4).stderr_contains(&["warning: "]);
        for secret in &secrets {
            // Not even a part of a token.
            assert!(!result.stderr.contains(&secret[..20]), "{}", result.stderr);
        }
    }
}

#[test]
fn damaged_caches_are_all_kept() {
    let env = TestEnv::new();
    for content in ["first", "second", "third"] {
        env.sign_in(ADMIN);
        fs::write(env.cache_path(), content).unwrap();
        env.run(&["status"]).assert_code(4);
    }
    for (name, content) in [
        ("sign-ins.unreadable.json", "first"),
        ("sign-ins.unreadable-2.json", "second"),
        ("sign-ins.unreadable-3.json", "third"),
    ] {
        assert_eq!(fs::read_to_string(env.state_dir().join(name)).unwrap(), content);
    }
    env.run(&["disconnect"]).assert_code(0);
    assert_eq!(other_files(&env), [] as [String; 0]);
}

#[test]
fn newer_cache_version_is_refused_and_left_in_place() {
    for content in [
        json!({"version": 3, "profiles": {}}),
        json!({"version": 4, "signIns": []}),
        json!({"version": u64::MAX, "profiles": {}}),
    ] {
        let env = TestEnv::signed_in();
        fs::write(env.cache_path(), content.to_string()).unwrap();
        let version = &content["version"];
        let reason =
            format!("it was written by another version of mscommerce (format {version}; this version reads 2)");
        assert_cache_not_used(&env, &reason);
        env.run(&["logout", "--all"]).assert_code(1).stderr_contains(&["update mscommerce"]);
        assert_eq!(fs::read_to_string(env.cache_path()).unwrap(), content.to_string());
        assert_eq!(other_files(&env), [] as [String; 0]);
    }
}

#[test]
fn oversized_cache_is_refused() {
    let env = TestEnv::signed_in();
    let oversized = format!("{{\"version\":2,\"profiles\":{{}}}}{}", " ".repeat(1024 * 1024));
    fs::write(env.cache_path(), &oversized).unwrap();
    assert_cache_not_used(&env, "it is larger than 1024 KiB");
    assert_eq!(fs::read_to_string(env.cache_path()).unwrap(), oversized);
}

/// A partner with many customers: access tokens can be requested again, so the oldest make room.
#[test]
fn cache_keeps_to_its_size_with_many_tenants() {
    let env = TestEnv::with_expiring_token();
    let soon = env.cache()["profiles"]["default"]["tenants"][HOME_TENANT].clone();
    env.edit_cache(|cache| {
        for number in 0..452 {
            let mut token = soon.clone();
            token["accessToken"] = format!("{number:0>2200}").into();
            token["expiresAt"] = format!("2026-01-{:0>2}T00:00:{:0>2}Z", 1 + number / 60, number % 60).into();
            let id = format!("{number:0>8}-0000-4000-8000-000000000000");
            cache["profiles"]["default"]["tenants"][id] = token;
        }
    });
    let size = || fs::metadata(env.cache_path()).unwrap().len();
    assert!((1_000_000..1024 * 1024).contains(&size()), "{}", size());
    env.run(&["products", "list"]).assert_code(0);
    assert!((900_000..=1024 * 1024).contains(&size()), "{}", size());
    let kept = env.cache()["profiles"]["default"]["tenants"].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert!((300..452).contains(&kept.len()), "{}", kept.len());
    assert!(!kept[0].starts_with("00000000-"), "the oldest is removed");
    assert!(kept.iter().any(|id| id == HOME_TENANT) && kept.iter().any(|id| id.starts_with("00000451-")));
    env.run(&["products", "list"]).assert_code(0);
    assert_eq!(env.token_requests().len(), 1);
}

#[test]
fn directory_in_place_of_cache_is_refused() {
    let env = TestEnv::signed_in();
    fs::remove_file(env.cache_path()).unwrap();
    fs::create_dir(env.cache_path()).unwrap();
    fs::write(env.cache_path().join("file"), "mine").unwrap();
    assert_cache_not_used(&env, "it is a directory");
    assert_eq!(fs::read_to_string(env.cache_path().join("file")).unwrap(), "mine");
    assert_eq!(other_files(&env), [] as [String; 0]);
}

/// A failed read says nothing about the content.
#[cfg(unix)]
#[test]
fn cache_survives_every_limit_of_open_files() {
    let env = TestEnv::signed_in();
    let before = fs::read(env.cache_path()).unwrap();
    let mut unreadable = 0;
    for limit in 3..40 {
        let script = format!("ulimit -n {limit}; exec \"$@\"");
        let mut command = in_shell(&script, &env.command(&["products", "list"]));
        let output = command.output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(!stderr.contains("not signed in"), "{limit}: {stderr}");
        assert_eq!(fs::read(env.cache_path()).unwrap(), before, "{limit}: {stderr}");
        if stderr.contains("could not read the saved sign-ins in") {
            assert_eq!(output.status.code(), Some(1), "{stderr}");
            assert!(stderr.contains("hint: close other programs, or raise the limit"), "{stderr}");
            unreadable += 1;
        }
    }
    assert!(unreadable > 0, "no limit made the file unreadable");
    assert_eq!(other_files(&env), [] as [String; 0]);
    env.run(&["products", "list"]).assert_code(0);
}

#[cfg(unix)]
#[test]
fn unsafe_files_in_state_directory_are_refused() {
    use std::os::unix::fs::PermissionsExt as _;

    for file in ["sign-ins.json", "sign-ins.lock"] {
        let env = TestEnv::with_expiring_token();
        let (path, aside) = (env.state_dir().join(file), env.home().join("aside"));
        fs::rename(&path, &aside).unwrap();
        let check = |reason: &str| {
            let texts = [&format!("{} is not used: {reason}", path.display())[..]];
            let connect = ["connect", "--username", ADMIN, "--password-stdin"];
            env.run_with_stdin(&connect, PASSWORD).assert_code(1).stderr_contains(&texts);
            env.run(&["disconnect"]).assert_code(1).stderr_contains(&texts);
            env.run(&["products", "list"]).stderr_contains(&texts);
        };
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        check("it is a named pipe");
        fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink(&aside, &path).unwrap();
        check("it is a symbolic link");
        assert!(path.is_symlink());
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        check("it is a directory");
        fs::remove_dir(&path).unwrap();
        fs::rename(&aside, &path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o622)).unwrap();
        check("other users can write to it (mode 622)");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        env.run(&["disconnect"]).assert_code(0).stderr_contains(&["Signed out: default"]);
    }
}

#[cfg(unix)]
#[test]
fn state_directory_that_others_may_write_is_not_used() {
    use std::os::unix::fs::PermissionsExt as _;

    let env = TestEnv::signed_in();
    let before = fs::read(env.cache_path()).unwrap();
    for mode in [0o777, 0o770, 0o1777, 0o702] {
        fs::set_permissions(env.state_dir(), fs::Permissions::from_mode(mode)).unwrap();
        assert_not_used(&env, &env.state_dir(), &format!("other users can write to it (mode {mode:o})"));
    }
    fs::set_permissions(env.state_dir(), fs::Permissions::from_mode(0o700)).unwrap();
    // A link of this user is followed, one of another user is not.
    let link = env.home().join("link");
    std::os::unix::fs::symlink(env.state_dir(), &link).unwrap();
    env.run_with_env(&[("MSCOMMERCE_HOME", link.to_str().unwrap())], &["status"]).assert_code(0);
    // Only root can change the owner; other users have nothing more to test.
    if std::os::unix::fs::lchown(&link, Some(12_345), None).is_ok() {
        let within = link.join(".");
        for home in [&link, &within] {
            env.run_with_env(&[("MSCOMMERCE_HOME", home.to_str().unwrap())], &["status"])
                .assert_code(4)
                .stderr_contains(&[&format!("{} is not used: it belongs to another user (ID 12345)", link.display())]);
        }
        std::os::unix::fs::chown(env.state_dir(), Some(12_345), None).unwrap();
        assert_not_used(&env, &env.state_dir(), "it belongs to another user (ID 12345)");
    }
    assert_eq!(fs::read(env.cache_path()).unwrap(), before);
}

#[test]
fn temporary_files_of_killed_processes_are_removed_by_next_refresh() {
    let env = TestEnv::with_expiring_token();
    let stale = env.state_dir().join(".sign-ins-Ab12Cd");
    fs::write(&stale, env.cache().to_string()).unwrap();
    fs::create_dir(env.state_dir().join(".sign-ins-directory")).unwrap();
    env.run(&["products", "list"]).assert_code(0);
    assert!(!stale.exists());
    assert_eq!(other_files(&env), [".sign-ins-directory"]);
}

#[cfg(unix)]
#[test]
fn symlinked_cache_is_not_used() {
    let env = TestEnv::signed_in();
    let elsewhere = env.home().join("elsewhere.json");
    fs::rename(env.cache_path(), &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, env.cache_path()).unwrap();
    let before = fs::read(&elsewhere).unwrap();
    assert_cache_not_used(&env, "it is a symbolic link");
    assert_eq!(fs::read(&elsewhere).unwrap(), before);
    assert!(env.cache_path().is_symlink());
    // A dangling link is not used either.
    fs::remove_file(&elsewhere).unwrap();
    assert_cache_not_used(&env, "it is a symbolic link");
}

const ENCRYPTED_ELSEWHERE: &str = r#"{"version":3,"dpapi":"YW5vdGhlciBtYWNoaW5lJ3M="}"#;

#[cfg(not(windows))]
#[test]
fn cache_encrypted_by_windows_is_not_used() {
    let env = TestEnv::signed_in();
    fs::write(env.cache_path(), ENCRYPTED_ELSEWHERE).unwrap();
    assert_cache_not_used(&env, "it was encrypted on Windows");
    assert_eq!(fs::read_to_string(env.cache_path()).unwrap(), ENCRYPTED_ELSEWHERE);
}

#[cfg(windows)]
#[test]
fn cache_is_encrypted_on_windows() {
    let env = TestEnv::signed_in();
    let (secrets, found) = (env.cached_tokens(), fs::read_to_string(env.cache_path()).unwrap());
    assert_eq!(secrets.len(), 2);
    for hidden in secrets.iter().map(String::as_str).chain(["refreshToken", "profiles", ADMIN]) {
        assert!(!found.contains(hidden), "{found}");
    }
    env.run(&["products", "list"]).assert_code(0);
}

#[cfg(windows)]
#[test]
fn unencrypted_cache_is_encrypted_on_next_write() {
    let env = TestEnv::with_expiring_token();
    env.edit_cache(|_| ());
    assert!(fs::read_to_string(env.cache_path()).unwrap().contains("refreshToken"));
    env.run(&["products", "list"]).assert_code(0);
    assert!(!fs::read_to_string(env.cache_path()).unwrap().contains("refreshToken"));
    env.run(&["status"]).assert_code(0);
}

#[cfg(windows)]
#[test]
fn cache_encrypted_elsewhere_is_quarantined() {
    let env = TestEnv::signed_in();
    fs::write(env.cache_path(), ENCRYPTED_ELSEWHERE).unwrap();
    let texts = ["Windows does not open it", "set aside as", "not signed in"];
    env.run(&["products", "list"]).assert_code(4).stdout_is_empty().stderr_contains(&texts);
    env.sign_in(ADMIN);
    env.run(&["products", "list"]).assert_code(0);
}
