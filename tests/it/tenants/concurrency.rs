//! How many requests are on their way at the same time, over all tenants.

use std::sync::Arc;

use super::*;
use crate::support::concurrency::ConcurrencyProbe;

/// How many requests a command at so many tenants has on its way at most, where as many as `size` have to be.
fn most_side_by_side(size: usize, count: usize, prepare: &dyn Fn(&Server, &TestEnv) -> std::process::Command) -> usize {
    let env = TestEnv::new();
    let probe = Arc::new(ConcurrencyProbe::new(size));
    let server = {
        let probe = Arc::clone(&probe);
        service(&env, count, 2, move |_, _| {
            probe.join();
            None
        })
    };
    env.write("customers.txt", customers(count).join("\n"));
    env.write("b.toml", "default = 'Disabled'\n");
    let result: CliResult = prepare(&server, &env).output().unwrap().into();
    assert!(matches!(result.code, 0 | 3), "{result:?}");
    let recorded = server.finish();
    let tokens = recorded.requests.iter().filter(|request| request.path.ends_with("/token")).count();
    assert_eq!(tokens, count, "one for each tenant");
    probe.max_in_flight()
}

#[track_caller]
fn expect_most(size: usize, count: usize, arguments: &[&str]) {
    let arguments = [arguments, &["--tenants-file", "customers.txt"]].concat();
    let most = most_side_by_side(size, count, &|server, env| command_at(server, env, &arguments));
    assert_eq!(most, size, "{arguments:?}");
}

#[test]
fn listing_keeps_to_the_number_of_jobs_with_the_requests_for_tokens() {
    for (jobs, count) in [("1", 3), ("3", 9), ("16", 32)] {
        expect_most(jobs.parse().unwrap(), count, &["products", "list", "--scope", "all", "--jobs", jobs]);
    }
}

#[test]
fn comparing_with_a_baseline_does_too() {
    for (jobs, count) in [("1", 2), ("4", 8)] {
        expect_most(jobs.parse().unwrap(), count, &["baseline", "check", "b.toml", "--jobs", jobs]);
    }
}

#[test]
fn changing_does_too() {
    for (jobs, count) in [("1", 2), ("4", 8)] {
        let update = ["products", "update", "--all", "--value", "disabled", "--yes", "--jobs", jobs];
        expect_most(jobs.parse().unwrap(), count, &update);
        expect_most(jobs.parse().unwrap(), count, &["baseline", "apply", "b.toml", "--yes", "--jobs", jobs]);
    }
}

#[test]
fn eight_requests_are_on_their_way_unless_told_otherwise() {
    expect_most(8, 16, &["products", "list"]);
    expect_most(8, 8, &["products", "update", "--all", "--value", "disabled", "--yes"]);
}

#[test]
fn the_renewals_of_a_saved_sign_in_go_side_by_side_within_the_number_of_jobs() {
    for (jobs, count) in [("1", 2), ("4", 8)] {
        let list = ["products", "list", "--jobs", jobs, "--tenants-file", "customers.txt"];
        let most = most_side_by_side(jobs.parse().unwrap(), count, &|server, env| {
            env.sign_in(ADMIN);
            env.edit_cache(|saved| saved["profiles"]["default"]["authority"] = server.http().into());
            let mut command = env.command(&list);
            command.env("MSCOMMERCE_ENDPOINT", server.http()).current_dir(env.home());
            command
        });
        assert_eq!(most, jobs.parse::<usize>().unwrap());
    }
}
