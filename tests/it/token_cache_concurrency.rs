//! Many processes that share one token cache, and processes that are killed while they write it.

use std::fs;
use std::process::Child;
use std::thread;
use std::time::Instant;

use crate::support::cli::CliResult;
use crate::support::env::TestEnv;

/// The number of kill times, spread over one run.
const KILL_TIMES: u32 = 60;

const LIST: &[&str] = &["products", "list", "-o", "json"];

#[test]
fn forty_processes_refresh_expired_token_once() {
    let env = TestEnv::with_expiring_token();
    let children: Vec<Child> = (0..40).map(|_| env.command(LIST).spawn().unwrap()).collect();
    for child in children {
        let result = CliResult::from(child.wait_with_output().unwrap()).assert_code(0);
        assert_eq!(result.stderr, "");
        assert_eq!(result.json().as_array().unwrap().len(), 17);
    }
    assert_eq!(env.token_requests().len(), 1);
    let saved = &env.cache()["profiles"]["default"];
    assert_eq!(saved["tenants"].as_object().unwrap().len(), 1);
    assert!(saved["refreshToken"].is_string());
    env.tenant.forget_requests();
    env.run(LIST).assert_code(0);
    assert_eq!(env.request_lines().len(), 1);
}

#[test]
fn kill_during_refresh_keeps_cache_valid() {
    let env = TestEnv::with_expiring_token();
    let old = fs::read_to_string(env.cache_path()).unwrap();
    // This panics if the file is incomplete.
    let refresh_token = || env.cache()["profiles"]["default"]["refreshToken"].as_str().unwrap().to_owned();
    let before = refresh_token();
    let started = Instant::now();
    env.run(LIST).assert_code(0);
    let duration = started.elapsed();
    let mut unchanged = 0;
    for step in 0..KILL_TIMES {
        fs::write(env.cache_path(), &old).unwrap();
        let mut child = env.command(LIST).spawn().unwrap();
        // Not a synchronization: the time of the kill is what varies here.
        thread::sleep(duration * step / KILL_TIMES);
        let _ = child.kill();
        child.wait().unwrap();
        let now = fs::read_to_string(env.cache_path()).unwrap();
        if now == old {
            unchanged += 1;
        } else {
            assert_ne!(refresh_token(), before, "a complete new credential");
        }
    }
    assert!(unchanged > 0, "the first process is killed before it does anything");
    // Files that killed processes left behind do no harm.
    env.run(LIST).assert_code(0);
    env.run(&["disconnect"]).assert_code(0);
    assert_eq!(env.files_containing("refreshToken"), [] as [std::path::PathBuf; 0]);
}
