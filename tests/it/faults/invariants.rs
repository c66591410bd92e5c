//! What must be true after every run, with any faults.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::schedule::{Command, Schedule};
use super::service::TenantState;
use crate::support::cli::CliResult;
use crate::tenant::{ADMIN, HOME_TENANT, Received};

/// One attempt and four retries, in addition to those with a 429 response.
const MAX_ATTEMPTS: usize = 5;

/// A completed run, and the state before and after it.
pub(super) struct RunCheck<'r> {
    pub(super) schedule: &'r Schedule,
    pub(super) state: &'r TenantState,
    pub(super) result: &'r CliResult,
    /// The values before the run, by id.
    pub(super) before: &'r BTreeMap<String, String>,
    /// The history entries of the run.
    pub(super) history: &'r [Value],
    /// The history entries of earlier runs.
    pub(super) earlier_history: &'r [Value],
    /// The profile in the token cache.
    pub(super) profile: &'r Value,
}

impl RunCheck<'_> {
    /// Every violated invariant.
    pub(super) fn violations(&self) -> Vec<String> {
        let mut violations = Vec::new();
        let checks = [
            Self::check_values,
            Self::check_records,
            Self::check_history,
            Self::check_attempts,
            Self::check_cache,
            Self::check_output,
        ];
        for check in checks {
            check(self, &mut |violation| violations.push(violation));
        }
        violations
    }

    fn wanted(&self, id: &str) -> Option<&String> {
        self.schedule.scenario().wanted.get(id)?.as_ref()
    }

    /// Items outside the scenario keep their values; the others have their old or the requested value.
    fn check_values(&self, report: &mut dyn FnMut(String)) {
        for (id, after) in &self.state.values() {
            if *after != self.before[id] && Some(after) != self.wanted(id) {
                report(format!("{id} was {} and is {after}", self.before[id]));
            }
        }
        let distinct: BTreeSet<&String> = self.state.applied.iter().collect();
        if distinct.len() < self.state.applied.len() {
            report(format!("changed more than once: {:?}", self.state.applied));
        }
        for request in self.state.requests.iter().filter(|request| request.method == "PUT") {
            let id = request.path.rsplit('/').next().unwrap_or_default();
            let body: Value = serde_json::from_str(&request.body).unwrap();
            let wanted = self.wanted(id).map(String::as_str);
            if body["policyValue"].as_str() != wanted || wanted == Some(&self.before[id]) {
                report(format!("unrequested update: {} {}", request.path, request.body));
            }
        }
    }

    /// The records show the actual values, and the exit code agrees with them.
    fn check_records(&self, report: &mut dyn FnMut(String)) {
        if self.is_killed() {
            return;
        }
        let (after, was_sent) = (self.state.values(), |id: &str| {
            self.state.requests.iter().any(|request| request.method == "PUT" && request.path.ends_with(id))
        });
        if self.result.stdout.is_empty() {
            if self.result.code == 0 || self.state.requests.iter().any(|request| request.method == "PUT") {
                report("the updates are not reported".to_owned());
            }
            return;
        }
        let records = self.result.records();
        let ids: Vec<&str> = records.iter().filter_map(|record| record["id"].as_str()).collect();
        let distinct: BTreeSet<&str> = ids.iter().copied().collect();
        let expected_ids: BTreeSet<&str> = self.schedule.scenario().wanted.keys().map(String::as_str).collect();
        if distinct != expected_ids || ids.len() != expected_ids.len() {
            report(format!("the records are for {ids:?}, the command is for {expected_ids:?}"));
            return;
        }
        for (record, &id) in records.iter().zip(&ids) {
            let (before, now, wanted) = (&self.before[id], &after[id], self.wanted(id));
            let (outcome, reported) = (record["outcome"].as_str().unwrap_or_default(), &record["policyValue"]);
            let is_correct = match outcome {
                "changed" => wanted == Some(now) && reported == now && before != now,
                "unchanged" => reported == now && wanted.is_none_or(|wanted| wanted == before) && !was_sent(id),
                "failed" => reported == now && record["error"].is_string(),
                "unknown" => (reported.is_null() || reported == now) && record["error"].is_string(),
                "skipped" => reported == before && record["error"].is_string() && !was_sent(id),
                _ => false,
            };
            let is_complete = record["wantedValue"] == *wanted.unwrap_or(before) && record["previousValue"] == *before;
            if !is_correct || !is_complete {
                report(format!("{id} was {before}, is {now}, should be {wanted:?}, and the record says {record}"));
            }
        }
        let is_done = records.iter().all(|record| record["outcome"] == "changed" || record["outcome"] == "unchanged");
        let is_as_wanted = expected_ids.iter().all(|id| self.wanted(id).is_none_or(|wanted| after[*id] == *wanted));
        if (self.result.code == 0) != is_done && self.result.code != 130 || (is_done && !is_as_wanted) {
            report(format!(
                "exit code {}, all reported as done: {is_done}, all done: {is_as_wanted}",
                self.result.code
            ));
        }
        if !matches!(self.result.code, 0 | 1 | 130) {
            report(format!("exit code {}", self.result.code));
        }
    }

    fn is_killed(&self) -> bool {
        self.schedule.can_be_killed() && self.result.code == -1
    }

    /// The history contains each change that was reported, once, and nothing else. It accounts for every update that
    /// reached the service, even if the process was killed.
    fn check_history(&self, report: &mut dyn FnMut(String)) {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        if !self.is_killed() {
            let records = if self.result.stdout.is_empty() { Vec::new() } else { self.result.records() };
            let is_history = |record: &&Value| !["unchanged", "skipped"].contains(&record["outcome"].as_str().unwrap());
            let sent = records.iter().filter(is_history);
            let fields = ["id", "previousValue", "wantedValue", "outcome"];
            let mut reported: Vec<_> = sent.map(|record| fields.map(|name| text(&record[name]))).collect();
            let fields = ["id", "from", "to", "outcome"];
            let mut recorded: Vec<_> = self.history.iter().map(|entry| fields.map(|name| text(&entry[name]))).collect();
            reported.sort();
            recorded.sort();
            if reported != recorded {
                report(format!("reported: {reported:?}, in the history: {recorded:?}"));
            }
        }
        let after = self.state.values();
        for request in self.state.requests.iter().filter(|request| request.method == "PUT") {
            if !self.history.iter().any(|entry| request.path.ends_with(entry["id"].as_str().unwrap())) {
                report(format!("the history does not contain {}", request.path));
            }
        }
        for entry in self.history {
            let (now, before) = (&after[&text(&entry["id"])], &self.before[&text(&entry["id"])]);
            let is_correct = match entry["outcome"].as_str().unwrap() {
                "changed" => entry["to"] == **now,
                "failed" => before == now,
                _ => entry["from"] == **before,
            };
            if !is_correct {
                report(format!("{} was {before}, is {now}, and the history says {entry}", entry["id"]));
            }
        }
        let undone = self.earlier_history.first().filter(|_| matches!(self.schedule.command, Command::Undo(..)));
        for entry in self.history {
            let id = text(&entry["id"]);
            let is_confirmed = entry["outcome"] != "changed"
                || self.state.confirmed.contains(&(text(&entry["correlationId"]), id.clone()))
                || self.state.applied.contains(&id);
            let is_complete = entry["tenantId"] == HOME_TENANT
                && entry["account"] == ADMIN
                && entry["policyId"] == "AllowSelfServicePurchase"
                && entry["run"] == self.history[0]["run"]
                && entry["undoes"] == *undone.map_or(&Value::Null, |undone| &undone["run"]);
            if !is_confirmed || !is_complete {
                report(format!("incorrect history entry: {entry}"));
            }
        }
    }

    /// No request is sent more often than the retries allow.
    fn check_attempts(&self, report: &mut dyn FnMut(String)) {
        // Attempts with a new access token are counted separately.
        let count = |requests: &[Received]| {
            let mut attempts: BTreeMap<(String, Option<String>), usize> = BTreeMap::new();
            for request in requests {
                let key = (request.line(), request.header("authorization").map(str::to_owned));
                *attempts.entry(key).or_default() += 1;
            }
            attempts
        };
        let mut attempts = count(&self.state.requests);
        for (key, rate_limited) in count(&self.state.rate_limited) {
            *attempts.get_mut(&key).unwrap() -= rate_limited;
        }
        let (to_entra, to_commerce): (Vec<_>, Vec<_>) =
            attempts.into_iter().partition(|((line, _), _)| line.ends_with("/token"));
        let to_entra: usize = to_entra.into_iter().map(|(_, count)| count).sum();
        for ((line, _), count) in to_commerce.into_iter().filter(|(_, count)| *count > MAX_ATTEMPTS) {
            report(format!("{line} was sent {count} times"));
        }
        let refreshes = self.state.rejected_tokens + usize::from(self.schedule.token_lifetime < 300);
        if to_entra > refreshes * MAX_ATTEMPTS {
            report(format!("{to_entra} requests for {refreshes} refreshes"));
        }
    }

    /// The cached tokens were issued together, and no later ones were used.
    fn check_cache(&self, report: &mut dyn FnMut(String)) {
        let access = self.profile["tenants"][HOME_TENANT]["accessToken"].as_str().unwrap_or_default();
        let cached = self.state.pairs.iter().position(|pair| pair.access == access);
        let used = self.state.pairs.iter().rposition(|pair| {
            let bearer = format!("Bearer {}", pair.access);
            self.state.requests.iter().any(|request| request.header("authorization") == Some(&bearer))
        });
        let is_pair = cached.is_some_and(|index| self.profile["refreshToken"] == self.state.pairs[index].refresh);
        if !is_pair || cached < used {
            report(format!("cached is pair {cached:?} ({}), used was {used:?}", self.profile["refreshToken"]));
        }
    }

    /// No stream shows a token, the program does not panic, and stderr agrees with the exit code.
    fn check_output(&self, report: &mut dyn FnMut(String)) {
        let history: String = self.history.iter().map(Value::to_string).collect();
        for (name, text) in [("stdout", &self.result.stdout), ("stderr", &self.result.stderr), ("history", &history)] {
            if self.state.pairs.iter().any(|pair| text.contains(&pair.access) || text.contains(&pair.refresh)) {
                report(format!("{name} contains a token"));
            }
        }
        let is_expected =
            matches!(self.result.code, 0..=4) || (self.result.code == 130 && self.schedule.interruption.is_some());
        if self.result.stderr.contains("panicked") || !(is_expected || self.is_killed()) {
            report("panicked or killed by a signal".to_owned());
        }
        // A run that completes after Ctrl-C has no error.
        let is_complete = !["failed", "unknown", "skipped"].iter().any(|outcome| self.result.stdout.contains(outcome));
        let may_lack_error = self.result.code == 0 || (self.result.code == 130 && is_complete);
        let has_error = self.result.stderr.contains("error: ");
        if (has_error && self.result.code == 0 || !has_error && !may_lack_error) && !self.is_killed() {
            report(format!("exit code {}, and stderr disagrees", self.result.code));
        }
    }
}
