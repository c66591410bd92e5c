//! Whole runs under faults that are drawn from a seed. `MSCOMMERCE_SCHEDULES` says how many;
//! `MSCOMMERCE_SCHEDULE_SEED` runs a single one again.

use std::fs;
use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Child;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use super::invariants::RunCheck;
use super::schedule::{Command, Scenario, Schedule};
use super::service::Service;
use crate::support::cli::CliResult;
use crate::support::env::TestEnv;

const SCHEDULES: usize = 150;
/// So often a single one is run again: requests side by side arrive in another order each time.
const ONE_AGAIN: usize = 20;
/// Most of a run is waiting.
const SIDE_BY_SIDE: usize = 48;
/// What a busy machine may need beyond the time for the network.
const MARGIN: Duration = Duration::from_secs(60);
/// So many failures are told whole.
const TOLD: usize = 5;

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().unwrap())
}

#[test]
fn whatever_befalls_a_run_nothing_is_changed_told_or_recorded_wrongly() {
    let seed = variable("MSCOMMERCE_SCHEDULE_SEED");
    let asked = variable("MSCOMMERCE_SCHEDULES").map_or(SCHEDULES, |count| usize::try_from(count).unwrap());
    let count = if seed.is_some() { ONE_AGAIN } else { asked };
    let (begun, failures) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..SIDE_BY_SIDE.min(count) {
            scope.spawn(|| {
                while begun.fetch_add(1, Ordering::SeqCst) < count {
                    let schedule = Arc::new(Schedule::of(seed.unwrap_or_else(|| fastrand::u64(..))));
                    let told = catch_unwind(AssertUnwindSafe(|| carry_out(&schedule)));
                    let violations = told.unwrap_or_else(|_| vec!["the test itself panicked, see above".to_owned()]);
                    if !violations.is_empty() {
                        failures.lock().unwrap().push((schedule, violations));
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    let each = failures.iter().map(|(schedule, violations)| format!("{}: {}", schedule.seed, violations[0]));
    let each: Vec<String> = each.collect();
    let whole = failures.iter().take(TOLD).map(|(schedule, violations)| {
        format!("MSCOMMERCE_SCHEDULE_SEED={}\n{schedule:#?}\n{}", schedule.seed, violations.join("\n"))
    });
    let whole: Vec<String> = whole.collect();
    let (count_failed, each, whole) = (failures.len(), each.join("\n"), whole.join("\n\n"));
    assert!(failures.is_empty(), "{count_failed} of {count} failed\n{each}\n\n{whole}");
}

/// Carries a schedule out, and returns what came of it that should not have.
fn carry_out(schedule: &Arc<Schedule>) -> Vec<String> {
    let (env, mut service) = (TestEnv::new(), Service::start(schedule));
    fs::create_dir(env.state_dir()).unwrap();
    fs::write(env.cache_path(), service.sign_ins(schedule.token_lifetime).to_string()).unwrap();
    match &schedule.command {
        Command::Update(_) => {}
        Command::Apply(file, _) => fs::write(env.home().join("baseline.json"), file).unwrap(),
        Command::Undo(first, others, _) => {
            run(&env, &service, first, schedule.timeout + 60).assert_code(0);
            for (id, value) in others {
                service.world().set(id, value);
            }
        }
    }
    let (before, older) = (service.world().values(), env.history());
    service.world().begin_trouble();
    let result = run(&env, &service, schedule.act(), schedule.timeout);
    if schedule.is_hurried() {
        // What was on its way when the time was up may still be served.
        service.finish();
    }
    let all = env.history();
    let saved = env.cache();
    let judged = |service: &Service| {
        let (journal, sign_in) = (&all[older.len()..], &saved["profiles"]["default"]);
        let world = &service.world();
        let judged = RunCheck { schedule, world, result: &result, before: &before, journal, older: &older, sign_in };
        let mut violations = judged.violations();
        if !violations.is_empty() {
            violations.extend(world.requests.iter().map(|request| format!("{} {}", request.line(), request.body)));
            violations.push(format!("{result:?}"));
        }
        violations
    };
    let violations = judged(&service);
    if !violations.is_empty() || schedule.is_hurried() || result.code == 0 {
        return violations;
    }
    again(schedule, &env, &service, &result)
}

/// What failed in part is finished by the same command, once the faults have passed.
fn again(schedule: &Schedule, env: &TestEnv, service: &Service, first: &CliResult) -> Vec<String> {
    service.world().end_trouble();
    let second = run(env, service, schedule.act(), schedule.timeout);
    let values = service.world().values();
    let wanted = schedule.act().wanted.iter();
    let is_as_wanted =
        wanted.filter_map(|(id, wanted)| Some((id, wanted.as_ref()?))).all(|(id, wanted)| values[id] == *wanted);
    if second.code == 0 && is_as_wanted {
        return Vec::new();
    }
    vec!["a second run does not finish it".to_owned(), format!("{values:?}"), format!("{first:?}\n{second:?}")]
}

fn run(env: &TestEnv, service: &Service, act: &Scenario, timeout: u64) -> CliResult {
    let url = &service.url;
    let mut command = env.command(&act.arguments);
    command.args(["-o", "json", "--timeout", &timeout.to_string()]).current_dir(env.home());
    command.envs([("MSCOMMERCE_ENDPOINT", url), ("AZURE_AUTHORITY_HOST", url)]);
    ended(command.spawn().unwrap(), Duration::from_secs(timeout) + MARGIN)
}

/// What a process left behind, which has to end within the time.
fn ended(mut child: Child, limit: Duration) -> CliResult {
    let (sender, texts) = mpsc::channel();
    let streams: [Box<dyn Read + Send>; 2] =
        [Box::new(child.stdout.take().unwrap()), Box::new(child.stderr.take().unwrap())];
    for (at, mut stream) in streams.into_iter().enumerate() {
        let sender = sender.clone();
        thread::spawn(move || {
            let mut text = String::new();
            stream.read_to_string(&mut text).unwrap();
            let _ = sender.send((at, text));
        });
    }
    let mut both = [String::new(), String::new()];
    for _ in 0..2 {
        let Ok((at, text)) = texts.recv_timeout(limit) else {
            let _ = child.kill();
            panic!("it hangs, {both:?}");
        };
        both[at] = text;
    }
    let [stdout, stderr] = both;
    CliResult { code: child.wait().unwrap().code().unwrap_or(-1), stdout, stderr }
}
