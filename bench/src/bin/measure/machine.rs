//! Describes the machine, the versions and the load during the measurement.

use std::fs;
use std::process::Command;
use std::thread;

use crate::options::Options;

/// Share of processor time used by other processes above which the results are unreliable.
const MAX_FOREIGN_LOAD: f64 = 0.1;

/// Facts about the machine, as names and values.
pub(crate) struct Machine {
    pub(crate) facts: Vec<(&'static str, String)>,
    start: CpuTicks,
}

/// Processor time since boot, in the kernel's ticks.
#[derive(Clone, Copy)]
struct CpuTicks {
    total: f64,
    idle: f64,
    /// Of this process and its children.
    own: f64,
}

impl Machine {
    pub(crate) fn inspect(options: &Options) -> Self {
        let executable = options.executable.to_string_lossy();
        let facts = vec![
            ("date", first_line("date", &["-u", "+%F"])),
            ("processor", processor()),
            ("system", format!("{}, Linux {}", distribution(), read("/proc/sys/kernel/osrelease"))),
            ("commit", commit()),
            ("mscommerce", first_line(&executable, &["--version"])),
            ("rustc", first_line("rustc", &["--version"])),
            ("curl", first_two_words(&first_line("curl", &["--version"]))),
            ("openssl", first_two_words(&first_line("openssl", &["version"]))),
            ("load average at start", first_two_words(&read("/proc/loadavg"))),
        ];
        Self { facts, start: CpuTicks::now() }
    }

    /// Adds the load by other processes since `inspect`.
    pub(crate) fn record_load(&mut self) {
        let now = CpuTicks::now();
        let (total, idle) = (now.total - self.start.total, now.idle - self.start.idle);
        let foreign = ((total - idle - (now.own - self.start.own)) / total).max(0.0);
        let verdict = if foreign > MAX_FOREIGN_LOAD { "busy: the times are unreliable" } else { "quiet" };
        self.facts.push(("processor time of other processes", format!("{:.0} %, {verdict}", foreign * 100.0)));
    }
}

impl CpuTicks {
    fn now() -> Self {
        let stat = read("/proc/stat");
        let cpu = stat.lines().next().unwrap_or_default();
        let ticks: Vec<f64> = parse_numbers(cpu.trim_start_matches("cpu")).into_iter().take(8).collect();
        // idle and iowait
        let idle = ticks.iter().skip(3).take(2).sum();
        let own = read("/proc/self/stat");
        // utime, stime, cutime and cstime. The program name before them may contain blanks; it ends with a bracket.
        let own = own.rsplit_once(") ").map_or("", |(_, rest)| rest).split(' ').skip(11).take(4);
        let own = own.filter_map(|number| number.parse::<f64>().ok()).sum();
        Self { total: ticks.iter().sum(), idle, own }
    }
}

fn parse_numbers(text: &str) -> Vec<f64> {
    text.split_whitespace().filter_map(|number| number.parse().ok()).collect()
}

fn processor() -> String {
    let info = read("/proc/cpuinfo");
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("unknown", |(_, model)| model);
    let count = thread::available_parallelism().map_or(0, usize::from);
    format!("{model}, {count} available")
}

fn distribution() -> String {
    let release = read("/etc/os-release");
    let name = release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="));
    name.unwrap_or("unknown").trim_matches('"').to_owned()
}

fn commit() -> String {
    let id = first_line("git", &["rev-parse", "--short", "HEAD"]);
    let mut status = Command::new("git");
    status.args(["status", "--porcelain", "--untracked-files=no", "--", "src", "Cargo.lock"]);
    let is_modified = stdout(&mut status).is_some_and(|text| !text.is_empty());
    if is_modified { format!("{id}, modified") } else { id }
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default().trim().to_owned()
}

/// Returns the first line that a program prints.
fn first_line(program: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(program);
    command.args(arguments);
    stdout(&mut command).and_then(|text| text.lines().next().map(str::to_owned)).unwrap_or_else(|| "-".to_owned())
}

/// Name and version of a program, or the load averages of one and five minutes.
fn first_two_words(text: &str) -> String {
    text.split(' ').take(2).collect::<Vec<_>>().join(" ")
}

fn stdout(command: &mut Command) -> Option<String> {
    let output = command.output().ok()?;
    String::from_utf8(output.stdout).ok()
}
