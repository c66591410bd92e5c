use std::fs;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, chown, lchown, symlink};
use std::path::Path;
use std::time::Duration;

use super::private::*;

fn refusal<T>(result: Result<T, OpenError>) -> String {
    match result {
        Err(OpenError::Refused { reason, .. }) => reason,
        Err(OpenError::Io(error)) => panic!("{error}"),
        Ok(_) => panic!("not refused"),
    }
}

#[track_caller]
fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a mode");
}

#[test]
fn appended_file_is_private_and_readable() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("file");
    assert!(open_private(&path).expect_err("no file").is_not_found());
    for _ in 0..2 {
        open_private_append(&path).expect("a file").file.write_all(b"line\n").expect("written");
    }
    assert_eq!(path.metadata().expect("a file").permissions().mode() & 0o777, 0o600);
    let read = |limit| open_private(&path).expect("a file").read(&path, limit);
    assert_eq!(&*read(10).expect("content"), b"line\nline\n");
    assert_eq!(refusal(read(9)), "it is larger than 0 KiB");
    set_mode(&path, 0o644);
    assert_eq!(open_private(&path).expect("a file").previous_mode, Some(0o644));
    assert_eq!(open_private(&path).expect("a file").previous_mode, None);
}

#[tokio::test]
async fn unsafe_files_are_refused() {
    let directory = tempfile::tempdir().expect("a directory");
    let [regular, link, folder, pipe, socket, shared] =
        ["regular", "link", "folder", "pipe", "socket", "shared"].map(|name| directory.path().join(name));
    fs::write(&regular, "").expect("a file");
    symlink(&regular, &link).expect("a link");
    fs::create_dir(&folder).expect("a directory");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
    let _listener = std::os::unix::net::UnixListener::bind(&socket).expect("a socket");
    fs::write(&shared, "").expect("a file");
    set_mode(&shared, 0o620);
    for (path, reason) in [
        (&link, "it is a symbolic link"),
        (&folder, "it is a directory"),
        (&pipe, "it is a named pipe"),
        (&socket, "it is a device or a socket"),
        (&shared, "other users can write to it (mode 620)"),
    ] {
        assert_eq!(refusal(open_private(path)), reason);
        assert_eq!(refusal(open_private_append(path)), reason);
        match lock(path, Duration::ZERO).await {
            Err(LockError::Open(error)) => assert_eq!(refusal::<()>(Err(error)), reason),
            _ => panic!("locked {}", path.display()),
        }
    }
}

#[test]
fn directory_that_others_may_write_is_refused() {
    let parent = tempfile::tempdir().expect("a directory");
    let directory = parent.path().join("state");
    assert!(check_private_dir(&directory).expect_err("missing").is_not_found());
    create_private_dir(&directory).expect("a directory");
    for (mode, is_safe) in [(0o700, true), (0o755, true), (0o775, false), (0o707, false), (0o1777, false)] {
        set_mode(&directory, mode);
        assert_eq!(check_private_dir(&directory).is_ok(), is_safe, "{mode:o}");
        assert_eq!(open_private_append(&directory.join("file")).is_ok(), is_safe, "{mode:o}");
    }
    let file = parent.path().join("file");
    fs::write(&file, "").expect("a file");
    assert_eq!(refusal(check_private_dir(&file)), "it is not a directory");
}

#[test]
fn directories_and_links_of_another_user_are_refused() {
    let parent = tempfile::tempdir().expect("a directory");
    let [directory, link, chain] = ["state", "link", "chain"].map(|name| parent.path().join(name));
    create_private_dir(&directory).expect("a directory");
    symlink("state", &link).expect("a link");
    symlink(parent.path().join("link"), &chain).expect("a link");
    check_private_dir(&chain).expect("links of this user are followed");
    // Only root can change the owner.
    if lchown(&link, Some(12_345), None).is_err() {
        return;
    }
    for path in [&link, &chain, &chain.join(".")] {
        assert_eq!(refusal(check_private_dir(path)), "it belongs to another user (ID 12345)");
    }
    check_private_dir(&directory).expect("the directory is not affected");
    chown(&directory, Some(12_345), None).expect("another owner");
    assert_eq!(refusal(check_private_dir(&directory)), "it belongs to another user (ID 12345)");
}

#[tokio::test]
async fn lock_excludes_others_until_dropped() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("lock");
    let held = lock(&path, Duration::ZERO).await.expect("a lock");
    assert!(matches!(lock(&path, Duration::ZERO).await, Err(LockError::TimedOut)));
    let release = async { drop(held) };
    let (waited, ()) = tokio::join!(lock(&path, Duration::from_secs(60)), release);
    waited.expect("a lock");
}
