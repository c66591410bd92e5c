//! On what machine, with what versions, and how busy it was.

use std::fs;
use std::process::Command;
use std::thread;

use crate::options::Options;

/// A share of the processors' time, taken by others, above which results are not to be relied on.
const BUSY: f64 = 0.1;

/// Names and what they are.
pub(crate) struct Facts {
    pub(crate) lines: Vec<(&'static str, String)>,
    began: Ticks,
}

/// Time that the processors have spent, in the kernel's ticks.
#[derive(Clone, Copy)]
struct Ticks {
    all: f64,
    idle: f64,
    own: f64,
}

impl Facts {
    pub(crate) fn before(options: &Options) -> Self {
        let tool = options.tool.to_string_lossy();
        let lines = vec![
            ("date", said("date", &["-u", "+%F"])),
            ("processor", processor()),
            ("system", format!("{}, Linux {}", distribution(), read("/proc/sys/kernel/osrelease"))),
            ("commit", commit()),
            ("mscommerce", said(&tool, &["--version"])),
            ("rustc", said("rustc", &["--version"])),
            ("curl", first_words(&said("curl", &["--version"]))),
            ("openssl", first_words(&said("openssl", &["version"]))),
            ("load average at the start", first_words(&read("/proc/loadavg"))),
        ];
        Self { lines, began: Ticks::now() }
    }

    /// Adds what can only be told at the end.
    pub(crate) fn after(&mut self) {
        let now = Ticks::now();
        let (all, idle) = (now.all - self.began.all, now.idle - self.began.idle);
        let others = ((all - idle - (now.own - self.began.own)) / all).max(0.0);
        let verdict = if others > BUSY { "busy: the times are not to be relied on" } else { "quiet" };
        self.lines.push(("processor time of others meanwhile", format!("{:.0} %, {verdict}", others * 100.0)));
    }
}

impl Ticks {
    fn now() -> Self {
        let whole = read("/proc/stat");
        let line = whole.lines().next().unwrap_or_default();
        let all: Vec<f64> = numbers(line.trim_start_matches("cpu")).into_iter().take(8).collect();
        // Idle, and waiting for a disk.
        let idle = all.iter().skip(3).take(2).sum();
        let own = read("/proc/self/stat");
        // The name of the program, which may hold blanks, ends with a bracket; then this process's times and its children's.
        let own = own.rsplit_once(") ").map_or("", |(_, rest)| rest).split(' ').skip(11).take(4);
        let own = own.filter_map(|number| number.parse::<f64>().ok()).sum();
        Self { all: all.iter().sum(), idle, own }
    }
}

fn numbers(text: &str) -> Vec<f64> {
    text.split_whitespace().filter_map(|number| number.parse().ok()).collect()
}

fn processor() -> String {
    let whole = read("/proc/cpuinfo");
    let model = whole.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("unknown", |(_, model)| model);
    let count = thread::available_parallelism().map_or(0, usize::from);
    format!("{model}, {count} to run on")
}

fn distribution() -> String {
    let whole = read("/etc/os-release");
    let name = whole.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="));
    name.unwrap_or("unknown").trim_matches('"').to_owned()
}

fn commit() -> String {
    let id = said("git", &["rev-parse", "--short", "HEAD"]);
    let mut status = Command::new("git");
    status.args(["status", "--porcelain", "--untracked-files=no", "--", "src", "Cargo.lock"]);
    let is_changed = said_by(&mut status).is_some_and(|text| !text.is_empty());
    if is_changed { format!("{id}, with changes") } else { id }
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default().trim().to_owned()
}

/// The first line of what a program says.
fn said(program: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(program);
    command.args(arguments);
    said_by(&mut command).and_then(|text| text.lines().next().map(str::to_owned)).unwrap_or_else(|| "-".to_owned())
}

/// The name and the version, or the load of the last minute and of five; what follows is of no use here.
fn first_words(text: &str) -> String {
    text.split(' ').take(2).collect::<Vec<_>>().join(" ")
}

fn said_by(command: &mut Command) -> Option<String> {
    let output = command.output().ok()?;
    String::from_utf8(output.stdout).ok()
}
