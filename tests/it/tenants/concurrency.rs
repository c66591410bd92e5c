//! Concurrent requests across all tenants.

use std::sync::Arc;

use super::*;
use crate::support::concurrency::ConcurrencyProbe;

/// The maximum number of concurrent requests of a command for `count` tenants, of which `size` are expected.
fn max_concurrent_requests(
    size: usize,
    count: usize,
    prepare: &dyn Fn(&Server, &TestEnv) -> std::process::Command,
) -> usize {
    let env = TestEnv::new();
    let probe = Arc::new(ConcurrencyProbe::new(size));
    let server = {
        let probe = Arc::clone(&probe);
        start_services(&env, count, 2, move |_, _| {
            probe.join();
            None
        })
    };
    env.write("customers.txt", customer_ids(count).join("\n"));
    env.write("b.toml", "default = 'Disabled'\n");
    let result: CliResult = prepare(&server, &env).output().unwrap().into();
    assert!(matches!(result.code, 0 | 3), "{result:?}");
    let recorded = server.finish();
    let tokens = recorded.requests.iter().filter(|request| request.path.ends_with("/token")).count();
    assert_eq!(tokens, count, "one token request for each tenant");
    probe.max_in_flight()
}

#[track_caller]
fn assert_max_concurrent_requests(size: usize, count: usize, arguments: &[&str]) {
    let arguments = [arguments, &["--tenants-file", "customers.txt"]].concat();
    let max = max_concurrent_requests(size, count, &|server, env| app_command(server, env, &arguments));
    assert_eq!(max, size, "{arguments:?}");
}

#[test]
fn list_limits_concurrency_with_token_requests() {
    for (jobs, count) in [("1", 3), ("3", 9), ("16", 32)] {
        assert_max_concurrent_requests(
            jobs.parse().unwrap(),
            count,
            &["products", "list", "--scope", "all", "--jobs", jobs],
        );
    }
}

#[test]
fn check_limits_concurrency() {
    for (jobs, count) in [("1", 2), ("4", 8)] {
        assert_max_concurrent_requests(jobs.parse().unwrap(), count, &["baseline", "check", "b.toml", "--jobs", jobs]);
    }
}

#[test]
fn update_and_apply_limit_concurrency() {
    for (jobs, count) in [("1", 2), ("4", 8)] {
        let update = ["products", "update", "--all", "--value", "disabled", "--yes", "--jobs", jobs];
        assert_max_concurrent_requests(jobs.parse().unwrap(), count, &update);
        assert_max_concurrent_requests(
            jobs.parse().unwrap(),
            count,
            &["baseline", "apply", "b.toml", "--yes", "--jobs", jobs],
        );
    }
}

#[test]
fn default_concurrency_is_eight() {
    assert_max_concurrent_requests(8, 16, &["products", "list"]);
    assert_max_concurrent_requests(8, 8, &["products", "update", "--all", "--value", "disabled", "--yes"]);
}

#[test]
fn token_refreshes_are_concurrent_within_jobs() {
    for (jobs, count) in [("1", 2), ("4", 8)] {
        let list = ["products", "list", "--jobs", jobs, "--tenants-file", "customers.txt"];
        let max = max_concurrent_requests(jobs.parse().unwrap(), count, &|server, env| {
            env.sign_in(ADMIN);
            env.edit_cache(|cache| cache["profiles"]["default"]["authority"] = server.http().into());
            let mut command = env.command(&list);
            command.env("MSCOMMERCE_ENDPOINT", server.http()).current_dir(env.home());
            command
        });
        assert_eq!(max, jobs.parse::<usize>().unwrap());
    }
}
