//! Complete runs with random faults. `MSCOMMERCE_SCHEDULES` sets their number; `MSCOMMERCE_SCHEDULE_SEED` repeats the
//! run of one seed.

use std::fs;
use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Child;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use rustix::process::Pid;
use serde_json::Value;

use super::invariants::RunCheck;
use super::schedule::{Command, Scenario, Schedule};
use super::service::Service;
use crate::support::cli::CliResult;
use crate::support::env::TestEnv;

const SCHEDULES: usize = 150;
/// The repetitions of one seed: concurrent requests arrive in a different order each time.
const REPETITIONS: usize = 20;
/// More than the processors: runs mostly wait.
const CONCURRENT_RUNS: usize = 48;
/// The time that a busy machine may need beyond the timeout.
const MARGIN: Duration = Duration::from_secs(60);
/// The failures that are shown with all details.
const MAX_DETAILED: usize = 5;

fn env_number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().unwrap())
}

#[test]
fn random_fault_schedules_keep_invariants() {
    let seed = env_number("MSCOMMERCE_SCHEDULE_SEED");
    let requested = env_number("MSCOMMERCE_SCHEDULES").map_or(SCHEDULES, |count| usize::try_from(count).unwrap());
    let count = if seed.is_some() { REPETITIONS } else { requested };
    let (started, failures) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..CONCURRENT_RUNS.min(count) {
            scope.spawn(|| {
                while started.fetch_add(1, Ordering::SeqCst) < count {
                    let schedule = Arc::new(Schedule::from_seed(seed.unwrap_or_else(|| fastrand::u64(..))));
                    let checked = catch_unwind(AssertUnwindSafe(|| run_schedule(&schedule)));
                    let violations = checked.unwrap_or_else(|_| vec!["the test itself panicked, see above".to_owned()]);
                    if !violations.is_empty() {
                        failures.lock().unwrap().push((schedule, violations));
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    let seeds = failures.iter().map(|(schedule, violations)| format!("{}: {}", schedule.seed, violations[0]));
    let seeds: Vec<String> = seeds.collect();
    let details = failures.iter().take(MAX_DETAILED).map(|(schedule, violations)| {
        format!("MSCOMMERCE_SCHEDULE_SEED={}\n{schedule:#?}\n{}", schedule.seed, violations.join("\n"))
    });
    let details: Vec<String> = details.collect();
    let (failed, seeds, details) = (failures.len(), seeds.join("\n"), details.join("\n\n"));
    assert!(failures.is_empty(), "{failed} of {count} failed\n{seeds}\n\n{details}");
}

/// Runs a schedule and returns the violated invariants.
fn run_schedule(schedule: &Arc<Schedule>) -> Vec<String> {
    let (env, mut service) = (TestEnv::new(), Service::start(schedule));
    fs::create_dir(env.state_dir()).unwrap();
    fs::write(env.cache_path(), service.token_cache(schedule.token_lifetime).to_string()).unwrap();
    match &schedule.command {
        Command::Update(_) => {}
        Command::Apply(file, _) => fs::write(env.home().join("baseline.json"), file).unwrap(),
        Command::Undo(first, others, _) => {
            run(&env, &service, first, schedule.timeout + 60).assert_code(0);
            for (id, value) in others {
                service.state().set(id, value);
            }
        }
    }
    let (before, earlier_history) = (service.state().values(), history(&env));
    service.state().enable_faults();
    let result = run(&env, &service, schedule.scenario(), schedule.timeout);
    if schedule.can_end_early() {
        // Requests that were in flight at the end may still be processed.
        service.finish();
    }
    let all_history = history(&env);
    let cache = env.cache();
    let check = |service: &Service| {
        let (earlier_history, history) = all_history.split_at(earlier_history.len());
        let (state, profile) = (&service.state(), &cache["profiles"]["default"]);
        let check = RunCheck { schedule, state, result: &result, before: &before, history, earlier_history, profile };
        let mut violations = check.violations();
        if !violations.is_empty() {
            violations.extend(state.requests.iter().map(|request| format!("{} {}", request.line(), request.body)));
            violations.push(format!("{result:?}"));
        }
        violations
    };
    let violations = check(&service);
    if !violations.is_empty() || schedule.can_end_early() || result.code == 0 {
        return violations;
    }
    rerun_without_faults(schedule, &env, &service, &result)
}

/// The same command completes a partly failed run after the faults.
fn rerun_without_faults(schedule: &Schedule, env: &TestEnv, service: &Service, first: &CliResult) -> Vec<String> {
    service.state().disable_faults();
    let second = run(env, service, schedule.scenario(), schedule.timeout);
    let values = service.state().values();
    let wanted = schedule.scenario().wanted.iter();
    let is_as_wanted =
        wanted.filter_map(|(id, wanted)| Some((id, wanted.as_ref()?))).all(|(id, wanted)| values[id] == *wanted);
    if second.code == 0 && is_as_wanted {
        return Vec::new();
    }
    vec![
        "a second run does not complete the change".to_owned(),
        format!("{values:?}"),
        format!("{first:?}\n{second:?}"),
    ]
}

/// The changes that the history contains: those that may have been sent.
fn history(env: &TestEnv) -> Vec<Value> {
    env.history_with_outcomes(&["changed", "failed", "unknown", "planned"])
}

fn run(env: &TestEnv, service: &Service, scenario: &Scenario, timeout: u64) -> CliResult {
    let url = &service.url;
    let mut command = env.command(&scenario.arguments);
    command.args(["-o", "json", "--timeout", &timeout.to_string()]).current_dir(env.home());
    command.envs([("MSCOMMERCE_ENDPOINT", url), ("AZURE_AUTHORITY_HOST", url)]);
    let child = {
        // No request is processed before the process is known.
        let mut state = service.state();
        let child = command.spawn().unwrap();
        state.process = Some(Pid::from_child(&child));
        child
    };
    wait_with_limit(child, Duration::from_secs(timeout) + MARGIN, || service.state().process = None)
}

/// The result of a process that must exit within the time limit. Calls `exited` before the process ID can be reused.
fn wait_with_limit(mut child: Child, limit: Duration, exited: impl FnOnce()) -> CliResult {
    let (sender, outputs) = mpsc::channel();
    let streams: [Box<dyn Read + Send>; 2] =
        [Box::new(child.stdout.take().unwrap()), Box::new(child.stderr.take().unwrap())];
    for (index, mut stream) in streams.into_iter().enumerate() {
        let sender = sender.clone();
        thread::spawn(move || {
            let mut text = String::new();
            stream.read_to_string(&mut text).unwrap();
            let _ = sender.send((index, text));
        });
    }
    let mut texts = [String::new(), String::new()];
    for _ in 0..2 {
        let Ok((index, text)) = outputs.recv_timeout(limit) else {
            let _ = child.kill();
            panic!("it hangs: {texts:?}");
        };
        texts[index] = text;
    }
    exited();
    let [stdout, stderr] = texts;
    CliResult { code: child.wait().unwrap().code().unwrap_or(-1), stdout, stderr }
}
