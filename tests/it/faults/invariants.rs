//! What has to be true after a run, whatever befell its requests.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::schedule::{Command, Schedule};
use super::service::World;
use crate::support::cli::CliResult;
use crate::tenant::{ADMIN, HOME_TENANT};

/// One try and four more.
const MAX_ATTEMPTS: usize = 5;

/// A run that has ended, and what it found and left.
pub(super) struct RunCheck<'j> {
    pub(super) schedule: &'j Schedule,
    pub(super) world: &'j World,
    pub(super) result: &'j CliResult,
    /// The values by id when it began.
    pub(super) before: &'j BTreeMap<String, String>,
    /// The lines that it added to the record of changes, and those that were there.
    pub(super) journal: &'j [Value],
    pub(super) older: &'j [Value],
    /// The profile's saved sign-in.
    pub(super) sign_in: &'j Value,
}

impl RunCheck<'_> {
    /// Everything that is not as it has to be.
    pub(super) fn violations(&self) -> Vec<String> {
        let mut violations = Vec::new();
        for about in [Self::values, Self::records, Self::recorded, Self::tries, Self::saved, Self::told] {
            about(self, &mut |violation| violations.push(violation));
        }
        violations
    }

    fn wanted(&self, id: &str) -> Option<&String> {
        self.schedule.act().wanted.get(id)?.as_ref()
    }

    /// Everything the run was not about is as it was, and everything else is as it was or as wanted.
    fn values(&self, report: &mut dyn FnMut(String)) {
        for (id, after) in &self.world.values() {
            if *after != self.before[id] && Some(after) != self.wanted(id) {
                report(format!("{id} was {} and is {after}", self.before[id]));
            }
        }
        let once: BTreeSet<&String> = self.world.made.iter().collect();
        if once.len() < self.world.made.len() {
            report(format!("changed more than once: {:?}", self.world.made));
        }
        for request in self.world.requests.iter().filter(|request| request.method == "PUT") {
            let id = request.path.rsplit('/').next().unwrap_or_default();
            let body: Value = serde_json::from_str(&request.body).unwrap();
            let wanted = self.wanted(id).map(String::as_str);
            if body["policyValue"].as_str() != wanted || wanted == Some(&self.before[id]) {
                report(format!("a change that nobody wants: {} {}", request.path, request.body));
            }
        }
    }

    fn records(&self, report: &mut dyn FnMut(String)) {
        let (after, was_sent) = (self.world.values(), |id: &str| {
            self.world.requests.iter().any(|request| request.method == "PUT" && request.path.ends_with(id))
        });
        if self.result.stdout.is_empty() {
            if self.result.code == 0 || self.world.requests.iter().any(|request| request.method == "PUT") {
                report("nothing is told of the changes".to_owned());
            }
            return;
        }
        let records = self.result.json();
        let records = records.as_array().unwrap();
        let ids: Vec<&str> = records.iter().filter_map(|record| record["id"].as_str()).collect();
        let distinct: BTreeSet<&str> = ids.iter().copied().collect();
        let about: BTreeSet<&str> = self.schedule.act().wanted.keys().map(String::as_str).collect();
        if distinct != about || ids.len() != about.len() {
            report(format!("the records are about {ids:?}, the command about {about:?}"));
            return;
        }
        for (record, &id) in records.iter().zip(&ids) {
            let (before, now, wanted) = (&self.before[id], &after[id], self.wanted(id));
            let (outcome, told) = (record["outcome"].as_str().unwrap_or_default(), &record["policyValue"]);
            let is_right = match outcome {
                "changed" => wanted == Some(now) && told == now && before != now,
                "unchanged" => told == now && wanted.is_none_or(|wanted| wanted == before) && !was_sent(id),
                "failed" => (told.is_null() || told == now) && record["error"].is_string(),
                _ => false,
            };
            if !is_right || record["previousValue"] != **before {
                report(format!("{id} was {before}, is {now}, should be {wanted:?}, and the record says {record}"));
            }
        }
        let is_done = records.iter().all(|record| record["outcome"] != "failed");
        let is_as_wanted = about.iter().all(|id| self.wanted(id).is_none_or(|wanted| after[*id] == *wanted));
        if (self.result.code == 0) != is_done || (is_done && !is_as_wanted) {
            report(format!("exit code {}, all told as done: {is_done}, all done: {is_as_wanted}", self.result.code));
        }
        if !matches!(self.result.code, 0 | 1) {
            report(format!("exit code {}", self.result.code));
        }
    }

    /// The record of changes holds what was told as changed, each once, and nothing else.
    fn recorded(&self, report: &mut dyn FnMut(String)) {
        let records = if self.result.stdout.is_empty() { Value::Null } else { self.result.json() };
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let changed = records.as_array().into_iter().flatten().filter(|record| record["outcome"] == "changed");
        let mut told: Vec<_> =
            changed.map(|record| ["id", "previousValue", "policyValue"].map(|name| text(&record[name]))).collect();
        let mut kept: Vec<_> =
            self.journal.iter().map(|entry| ["id", "from", "to"].map(|name| text(&entry[name]))).collect();
        told.sort();
        kept.sort();
        if told != kept {
            report(format!("told as changed: {told:?}, recorded: {kept:?}"));
        }
        let undone = self.older.first().filter(|_| matches!(self.schedule.command, Command::Undo(..)));
        for entry in self.journal {
            let is_confirmed = self.world.confirmed.contains(&(text(&entry["correlationId"]), text(&entry["id"])));
            let is_whole = entry["tenantId"] == HOME_TENANT
                && entry["account"] == ADMIN
                && entry["policyId"] == "AllowSelfServicePurchase"
                && entry["run"] == self.journal[0]["run"]
                && entry["undoes"] == *undone.map_or(&Value::Null, |undone| &undone["run"]);
            if !is_confirmed || !is_whole {
                report(format!("recorded, and not so: {entry}"));
            }
        }
    }

    fn tries(&self, report: &mut dyn FnMut(String)) {
        let mut tries: BTreeMap<(String, &str), usize> = BTreeMap::new();
        let (to_entra, to_commerce): (Vec<_>, Vec<_>) =
            self.world.requests.iter().partition(|request| request.path.ends_with("/token"));
        for request in to_commerce {
            // A token that is refused makes way for another one, with tries of its own.
            *tries.entry((request.line(), request.header("authorization").unwrap_or_default())).or_default() += 1;
        }
        for ((line, _), count) in tries.into_iter().filter(|(_, count)| *count > MAX_ATTEMPTS) {
            report(format!("{line} was sent {count} times"));
        }
        let renewals = self.world.refusals + usize::from(self.schedule.token_lifetime < 300);
        if to_entra.len() > renewals * MAX_ATTEMPTS {
            report(format!("{} requests for {renewals} renewals", to_entra.len()));
        }
    }

    /// The saved tokens came together, and no newer ones have been in use.
    fn saved(&self, report: &mut dyn FnMut(String)) {
        let access = self.sign_in["tenants"][HOME_TENANT]["accessToken"].as_str().unwrap_or_default();
        let saved = self.world.pairs.iter().position(|pair| pair.access == access);
        let used = self.world.pairs.iter().rposition(|pair| {
            let bearer = format!("Bearer {}", pair.access);
            self.world.requests.iter().any(|request| request.header("authorization") == Some(&bearer))
        });
        let is_saved_together = saved.is_some_and(|at| self.sign_in["refreshToken"] == self.world.pairs[at].refresh);
        if !is_saved_together || saved < used {
            report(format!("saved is the sign-in {saved:?} ({}), used was {used:?}", self.sign_in["refreshToken"]));
        }
    }

    fn told(&self, report: &mut dyn FnMut(String)) {
        let journal: String = self.journal.iter().map(Value::to_string).collect();
        for (place, text) in [("output", &self.result.stdout), ("errors", &self.result.stderr), ("record", &journal)] {
            if self.world.pairs.iter().any(|pair| text.contains(&pair.access) || text.contains(&pair.refresh)) {
                report(format!("the {place} shows a token"));
            }
        }
        if self.result.stderr.contains("panicked") || !(0..=4).contains(&self.result.code) {
            report("it did not end by itself".to_owned());
        }
        if (self.result.code == 0) == self.result.stderr.contains("error: ") {
            report(format!("exit code {}, and the errors say otherwise", self.result.code));
        }
    }
}
