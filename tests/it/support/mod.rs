//! Shared by all tests of the executable.

pub(crate) mod cli;
pub(crate) mod concurrency;
pub(crate) mod env;
pub(crate) mod fixtures;
#[cfg(unix)]
pub(crate) mod pty;
pub(crate) mod server;
#[macro_use]
pub(crate) mod snapshot;

/// Runs each case on a thread of its own, and returns the results in order: most of them wait for retries or timeouts.
#[track_caller]
pub(crate) fn in_parallel<T: Send, R: Send>(cases: impl IntoIterator<Item = T>, run: impl Fn(T) -> R + Sync) -> Vec<R> {
    std::thread::scope(|scope| {
        let run = &run;
        let threads: Vec<_> = cases.into_iter().map(|case| scope.spawn(move || run(case))).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}

/// Whether a program of the system can be run. If not, the test that needs it is skipped, and says so.
#[cfg(unix)]
pub(crate) fn is_installed(program: &str) -> bool {
    let found = std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|directory| directory.join(program).is_file()));
    if !found {
        use std::io::Write as _;

        let _ = writeln!(std::io::stderr(), "skipped: {program} is not installed");
    }
    found
}
