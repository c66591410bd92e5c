//! `doctor`: checks settings, network, authority, credential and policy. It changes nothing but what any command changes:
//! an expired token is refreshed.

mod authority;
mod network;

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use secrecy::ExposeSecret;
use serde_json::Value;

use super::CommandOutput;
use crate::api::{self, ApiError};
use crate::auth::{Access, Claims, Session, SignInMethod, Source, Status, foreign_audience};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::http::host_and_port;
use crate::output::{Content, Output, Record, Row};
use crate::text::{format_counts, format_timestamp, sanitize_line};
use authority::check_authority;
use network::check_host;

pub const EXAMPLES: &str = "\
Examples:
  mscommerce doctor
  mscommerce doctor -o markdown    # for a ticket; contains no secret
  mscommerce doctor --tenant customer.example

The table shows only the checks that did not pass; -v shows all. If a check
fails, the exit code is 1.";

/// With a larger difference a token looks expired, or not valid yet. Entra tolerates the same, in seconds.
const MAX_CLOCK_SKEW: i64 = 300;

/// The steps of a run.
#[derive(Default)]
struct DiagnosticReport {
    steps: Vec<Step>,
}

/// One check and its result.
struct Step {
    name: &'static str,
    target: String,
    outcome: StepOutcome,
    finding: String,
    hints: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum StepOutcome {
    Passed,
    Failed,
    Skipped,
}

impl StepOutcome {
    /// The value of the field `outcome`.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}

impl Record for Step {
    const FIELDS: &'static [&'static str] = &["step", "target", "outcome", "finding", "hint"];
    /// Without hints: the error has them below the table, where commands do not wrap.
    const COLUMNS: &'static [(&'static str, Content)] = &[
        ("RESULT", Content::Outcome),
        ("STEP", Content::Text("step")),
        ("TARGET", Content::Unbroken("target")),
        ("FINDING", Content::Text("finding")),
    ];

    fn into_row(self) -> Row {
        let hint = if self.hints.is_empty() { Value::Null } else { Value::from(self.hints.join("; ")) };
        let values =
            vec![self.name.into(), self.target.into(), self.outcome.as_str().into(), self.finding.into(), hint];
        Row { values, ..Row::default() }
    }
}

impl DiagnosticReport {
    fn passed(&mut self, name: &'static str, target: &str, finding: impl Into<String>) {
        self.add(name, target, StepOutcome::Passed, finding.into(), &[]);
    }

    fn skipped(&mut self, name: &'static str, target: &str, reason: &str) {
        self.add(name, target, StepOutcome::Skipped, reason.to_owned(), &[]);
    }

    fn failed(&mut self, name: &'static str, target: &str, error: &Error) {
        self.add(name, target, StepOutcome::Failed, error.summary(), error.hints());
    }

    /// Adds a step for a result. Returns the value, if there is one.
    fn record<T>(
        &mut self,
        name: &'static str,
        target: &str,
        result: Result<T, impl Into<Error>>,
        finding: impl FnOnce(&T) -> String,
    ) -> Option<T> {
        match result {
            Ok(value) => {
                self.passed(name, target, finding(&value));
                Some(value)
            }
            Err(error) => {
                self.failed(name, target, &error.into());
                None
            }
        }
    }

    fn add(&mut self, name: &'static str, target: &str, outcome: StepOutcome, finding: String, hints: &[String]) {
        self.steps.push(Step { name, target: target.to_owned(), outcome, finding, hints: hints.to_vec() });
    }

    /// Counts the steps: `25 checks: 23 passed, 1 failed, 1 skipped`.
    fn summary(&self) -> String {
        let count = |outcome| self.steps.iter().filter(|step| step.outcome == outcome).count();
        let counts = [StepOutcome::Passed, StepOutcome::Failed, StepOutcome::Skipped];
        let counts = format_counts(counts.map(|outcome| (count(outcome), outcome.as_str())));
        format!("{} checks: {counts}", self.steps.len())
    }

    /// The error of the command, if a step failed, with the hints of all steps.
    fn error(&self) -> Option<Error> {
        self.steps.iter().find(|step| step.outcome == StepOutcome::Failed)?;
        let mut hints: Vec<String> = self.steps.iter().flat_map(|step| step.hints.clone()).collect();
        let mut seen = HashSet::new();
        hints.retain(|hint| seen.insert(hint.clone()));
        Some(Error::failed(self.summary()).with_hints(hints))
    }

    /// The steps that did not pass, the failed ones first.
    fn into_problems(self) -> Vec<Step> {
        let (failed, others): (Vec<Step>, Vec<Step>) =
            self.steps.into_iter().partition(|step| step.outcome == StepOutcome::Failed);
        failed.into_iter().chain(others.into_iter().filter(|step| step.outcome == StepOutcome::Skipped)).collect()
    }
}

pub async fn run(context: &Context) -> Result<CommandOutput> {
    let mut report = DiagnosticReport::default();
    for setting in context.settings.describe() {
        match setting.value {
            Err(error) if setting.name == "state-directory" && !needs_state_directory(context) => {
                let reason = format!("only required for saved sign-ins and the history: {}", error.summary());
                report.skipped("setting", setting.name, &reason);
            }
            value => {
                report.record("setting", setting.name, value, |value| format!("{value} ({})", setting.source));
            }
        }
    }
    let progress = context.ui.show_spinner("Checking the connection…", 1);
    run_checks(&mut report, context).await;
    drop(progress);
    let error = report.error();
    let note = error.is_none().then(|| report.summary());
    let shows_all = !context.settings.prints_table() || context.ui.is_verbose();
    let steps = if shows_all { report.steps } else { report.into_problems() };
    Ok(CommandOutput { note, error, ..Output::list(steps).into() })
}

/// Whether the sign-in is saved in the state directory, or there is a directory that could be used.
fn needs_state_directory(context: &Context) -> bool {
    !context.settings.has_env_credential() || context.settings.state_directory().is_ok()
}

async fn run_checks(report: &mut DiagnosticReport, context: &Context) {
    let (endpoint, policy_id) = (&context.settings.endpoint.value, &context.settings.policy_id.value);
    // Network and authority are checked without a credential, too.
    let session = open_session(context).await;
    let status = session.as_ref().ok().map(|(_, status)| status);
    let is_endpoint_reachable = check_host(report, endpoint, context).await;
    let is_authority_reachable = check_authority(report, status, context).await;
    let (session, status) = match session {
        Ok(session) => session,
        Err(error) => {
            report.failed("credential", &format!("profile {}", context.settings.profile.value), &error);
            report.skipped("policy", policy_id, "no credential");
            return;
        }
    };
    let api = context.api_with(session, policy_id);
    let is_usable = if needs_token_request(&status) && !is_authority_reachable {
        report.skipped("credential", &describe_source(&status, context), "the authority was not reached");
        false
    } else {
        check_credential(report, &status, &api, context).await
    };
    match (is_usable, is_endpoint_reachable) {
        (false, _) => report.skipped("policy", policy_id, "no usable credential"),
        (true, false) => report.skipped("policy", policy_id, "the endpoint was not reached"),
        (true, true) => check_policy(report, &api, &host_and_port(endpoint)).await,
    }
}

async fn open_session(context: &Context) -> Result<(Session, Status)> {
    let session = context.session()?;
    let status = session.status().await?;
    Ok((session, status))
}

/// Compares this machine's clock with that of a server, which has a resolution of a second.
fn check_clock(report: &mut DiagnosticReport, host: &str, server_time: Option<DateTime<Utc>>) {
    let Some(server_time) = server_time else {
        report.skipped("clock", host, "the time of the host is unknown");
        return;
    };
    let skew = (Utc::now() - server_time).num_seconds();
    let direction = if skew < 0 { "behind" } else { "ahead of" };
    let finding = format!("this machine's clock is {} s {direction} the clock of {host}", skew.abs());
    match skew.abs() {
        0..2 => report.passed("clock", host, "the clocks agree"),
        2..=MAX_CLOCK_SKEW => report.passed("clock", host, finding),
        _ => {
            let hint = "synchronize this machine's clock with a time server";
            report.failed("clock", host, &Error::failed(finding).with_hint(hint));
        }
    }
}

/// The source of the credential.
fn describe_source(status: &Status, context: &Context) -> String {
    match (status.source, status.method) {
        (Source::Environment, SignInMethod::Application) => "the application in the environment".to_owned(),
        (Source::Environment, _) => "MSCOMMERCE_TOKEN".to_owned(),
        (Source::Cache, _) => format!("profile {}", context.settings.profile.value),
    }
}

/// Whether a token has to be requested before the policy can be read.
fn needs_token_request(status: &Status) -> bool {
    status.authority.is_some() && !status.is_fresh
}

/// Gets an access token and describes it. Returns whether it can be used.
async fn check_credential(
    report: &mut DiagnosticReport,
    status: &Status,
    api: &api::Client,
    context: &Context,
) -> bool {
    let is_refreshed = needs_token_request(status) && status.source == Source::Cache;
    let claims = get_usable_token(status, api, &context.settings.resource()).await;
    let claims = report.record("credential", &describe_source(status, context), claims, |claims| {
        let refreshed = if is_refreshed { ", just refreshed" } else { "" };
        format!("method {}{refreshed}, {}", status.method, describe_token(claims, status))
    });
    claims.is_some()
}

/// The claims of the access token. Fails if they show that the service would reject it; it is not sent then.
async fn get_usable_token(status: &Status, api: &api::Client, resource: &str) -> Result<Claims> {
    let session = api.session();
    let token = session.access_token().await?;
    let claims = Claims::decode_unverified(token.expose_secret()).unwrap_or_default();
    if foreign_audience(&claims, resource).is_some() {
        return Err(Error::auth("the token is for another service; it was not sent")
            .with_detail(describe_token(&claims, status))
            .with_hints(session.unauthorized_hints(&token)));
    }
    match session.check_access(&token, Access::Read) {
        Ok(()) => Ok(claims),
        Err(error) => Err(error.with_detail(describe_token(&claims, status))),
    }
}

/// Account, tenant, audience, expiry and permissions of a token.
fn describe_token(claims: &Claims, status: &Status) -> String {
    let part = |name: &str, value: Option<String>| {
        let value = value.map_or_else(|| "unknown".to_owned(), |value| sanitize_line(&value));
        format!("{name} {value}")
    };
    let account = claims.account().map(str::to_owned).or_else(|| status.account.clone());
    let tenant = claims.tid.clone().or_else(|| status.tenant_id.clone());
    let expires_at = claims.expires_at().or(status.expires_at);
    let permissions = if claims.is_application() {
        part("roles", Some(if claims.roles.is_empty() { "none".to_owned() } else { claims.roles.join(" ") }))
    } else {
        part("scopes", claims.scopes.clone())
    };
    [
        part("account", account),
        part("tenant", tenant),
        part("audience", claims.aud.clone()),
        part("valid until", expires_at.map(format_timestamp)),
        permissions,
    ]
    .join(", ")
}

/// Reads the policy, and compares the clocks.
async fn check_policy(report: &mut DiagnosticReport, api: &api::Client, host: &str) {
    let response = api.policy_response().await;
    let date = match &response {
        Ok(response) => response.date,
        Err(error) => error.downcast_ref::<ApiError>().and_then(|error| error.date),
    };
    report.record("policy", api.policy_id(), response, |response| {
        format!("status {}, correlation ID {}", response.status.as_u16(), response.correlation_id)
    });
    check_clock(report, host, date);
}
