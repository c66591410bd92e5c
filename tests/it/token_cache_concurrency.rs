//! Many processes with one file of sign-ins, and processes that are killed while they change it.

use std::fs;
use std::process::Child;
use std::thread;
use std::time::Instant;

use crate::support::cli::CliResult;
use crate::support::env::TestEnv;

/// So many moments of a run are tried out.
const MOMENTS: u32 = 60;

const LIST: &[&str] = &["products", "list", "-o", "json"];

#[test]
fn forty_at_once_on_a_token_that_ends_all_succeed_and_renew_it_once() {
    let env = TestEnv::with_expiring_token();
    let all: Vec<Child> = (0..40).map(|_| env.command(LIST).spawn().unwrap()).collect();
    for one in all {
        let result = CliResult::from(one.wait_with_output().unwrap()).assert_code(0);
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
fn whoever_is_killed_while_renewing_leaves_the_old_sign_in_or_the_new_one() {
    let env = TestEnv::with_expiring_token();
    let old = fs::read_to_string(env.cache_path()).unwrap();
    // Of a file that is not whole nothing can be read.
    let refresh_token = || env.cache()["profiles"]["default"]["refreshToken"].as_str().unwrap().to_owned();
    let before = refresh_token();
    let started = Instant::now();
    env.run(LIST).assert_code(0);
    let whole = started.elapsed();
    let mut unchanged = 0;
    for step in 0..MOMENTS {
        fs::write(env.cache_path(), &old).unwrap();
        let mut child = env.command(LIST).spawn().unwrap();
        // The moment of the kill is what is tried out here, from the start of the process to its end.
        thread::sleep(whole * step / MOMENTS);
        let _ = child.kill();
        child.wait().unwrap();
        let now = fs::read_to_string(env.cache_path()).unwrap();
        if now == old {
            unchanged += 1;
        } else {
            assert_ne!(refresh_token(), before, "a whole new sign-in");
        }
    }
    assert!(unchanged > 0, "the first is killed before it can have done anything");
    // What the killed ones left behind keeps nobody from working.
    env.run(LIST).assert_code(0);
    env.run(&["disconnect"]).assert_code(0);
    assert_eq!(env.files_containing("refreshToken"), [] as [std::path::PathBuf; 0]);
}
