//! Entra's refusals, and the advice that fits each.

mod advice;
#[cfg(any(fuzzing, test))]
pub mod properties;

use std::fmt;

use serde_json::Value;

use super::sign_in_command::SignInCommand;
use crate::error::{Error, ErrorKind};
use crate::http::Response;
use crate::text::{display_excerpt, sanitize_line, truncate};
use advice::advice;

/// Entra's sentences are shorter; whatever is longer was not made to be read.
const LONGEST_SENTENCE: usize = 1000;

/// An OAuth error answer with Entra's additions (entra-docs, "error codes").
#[derive(Clone, Debug, Default)]
pub struct OAuthError {
    pub error: String,
    error_description: String,
    error_code: Option<u32>,
    suberror: String,
    trace_id: String,
    correlation_id: String,
    meaning: String,
}

impl OAuthError {
    /// Reads the error answer of a token or device code request.
    pub fn of(answer: &Response) -> Option<Self> {
        Self::from_json(&answer.json()?)
    }

    /// Reads an error object. Only `error` is needed; members of another type than documented are passed over.
    pub fn from_json(body: &Value) -> Option<Self> {
        let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let first_code = body.get("error_codes").and_then(|codes| codes.get(0));
        let error_code = first_code.and_then(|code| code.as_u64().or_else(|| code.as_str()?.parse().ok()));
        let refusal = Self {
            error: text("error"),
            error_description: text("error_description"),
            error_code: error_code.and_then(|code| u32::try_from(code).ok()),
            suberror: text("suberror"),
            trace_id: text("trace_id"),
            correlation_id: text("correlation_id"),
            meaning: String::new(),
        };
        (!refusal.error.is_empty()).then_some(refusal)
    }

    /// An error that came by way of the browser.
    pub fn from_redirect(error: String, description: String) -> Self {
        Self { error, error_description: description, ..Self::default() }
    }

    /// The number after `AADSTS`.
    pub fn code(&self) -> Option<u32> {
        self.error_code.or_else(|| {
            let digits = self.error_description.split("AADSTS").nth(1)?;
            digits.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
        })
    }

    /// Whether it may be what an application presented that was refused, rather than the tenant, the client or the
    /// scope.
    pub fn may_concern_client_auth(&self) -> bool {
        let others = [90002, 700_016, 7_000_229, 500_011, 650_052, 65001, 53003, 501_051, 1_002_012];
        !self.code().is_some_and(|code| others.contains(&code))
    }

    /// `what` failed because of this refusal. `connect` is the command that signs in again.
    pub fn into_error(mut self, what: &str, connect: &SignInCommand) -> Error {
        let advice = advice(self.code(), &self.error, connect.is_application);
        self.meaning = format!("{what}: {}", advice.meaning);
        let (words, ids) = (self.words(), self.ids());
        let error = Error::from_source(self).with_kind(ErrorKind::Auth).with_detail(words);
        let error = if ids.is_empty() { error } else { error.with_detail(ids) };
        error.with_hints(advice.hints.iter().map(|hint| connect.expand(hint)))
    }

    /// Entra's own sentence, without the ids that it ends in.
    fn words(&self) -> String {
        let sentence = self.error_description.split(" Trace ID:").next().unwrap_or_default();
        let sentence = sanitize_line(sentence.lines().next().unwrap_or_default().trim());
        let sentence = truncate(&sentence, LONGEST_SENTENCE);
        let suberror =
            if self.suberror.is_empty() { String::new() } else { format!(", {}", display_excerpt(&self.suberror)) };
        let error = display_excerpt(&self.error);
        if sentence.is_empty() { format!("{error}{suberror}") } else { format!("{sentence} ({error}{suberror})") }
    }

    fn ids(&self) -> String {
        let told = |given: &str, label: &str| {
            let given = if given.is_empty() { after(&self.error_description, label) } else { Some(given.to_owned()) };
            given.map(|id| format!("{}: {}", label.trim_end_matches(':').to_lowercase(), display_excerpt(&id)))
        };
        let ids = [told(&self.correlation_id, "Correlation ID:"), told(&self.trace_id, "Trace ID:")];
        ids.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

/// The word that follows `label` in Entra's description.
fn after(description: &str, label: &str) -> Option<String> {
    description.split(label).nth(1)?.split_whitespace().next().map(str::to_owned)
}

impl fmt::Display for OAuthError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.meaning)
    }
}

impl std::error::Error for OAuthError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::Tenant;
    use serde_json::json;

    #[test]
    fn the_code_and_the_ids_are_found_in_the_description_alone() {
        let refusal = OAuthError::from_redirect(
            "invalid_grant".into(),
            "AADSTS53003: Access has been blocked. Trace ID: t-1 Correlation ID: c-1 Timestamp: 2026-01-01 00:00:00Z"
                .into(),
        );
        assert_eq!(refusal.code(), Some(53003));
        assert_eq!(refusal.words(), "AADSTS53003: Access has been blocked. (invalid_grant)");
        assert_eq!(refusal.ids(), "correlation id: c-1, trace id: t-1");
        let error = refusal.into_error("could not sign in", &SignInCommand::new("lab", None));
        assert_eq!(error.message(), "could not sign in: a Conditional Access policy blocks this sign-in");
        assert_eq!(error.kind(), ErrorKind::Auth);
        let wrong =
            OAuthError::from_redirect("invalid_grant".into(), "AADSTS50126: Invalid username or password.".into());
        let error = wrong.into_error("could not sign in", &SignInCommand::new("lab", None));
        assert_eq!(error.hints(), ["mscommerce connect --profile lab"]);
    }

    #[test]
    fn an_endless_answer_is_told_of_in_few_words() {
        let long = "x y".repeat(100_000);
        let refusal = OAuthError { trace_id: long.clone(), ..OAuthError::from_redirect(long.clone(), long) };
        assert!(refusal.words().chars().count() < LONGEST_SENTENCE + 100);
        assert!(refusal.ids().chars().count() < 100);
    }

    #[test]
    fn members_of_another_type_do_not_hide_the_refusal() {
        let body = json!({"error": "invalid_grant", "suberror": null, "error_codes": ["50126"], "trace_id": 7});
        assert_eq!(OAuthError::from_json(&body).and_then(|refusal| refusal.code()), Some(50126));
        assert!(OAuthError::from_json(&json!({"error_codes": [1]})).is_none());
    }

    #[test]
    fn a_tenant_is_named_once_in_a_hint() {
        let tenant = Tenant::parse("fabrikam.example").expect("a tenant");
        let connect = SignInCommand::new("lab", Some(&tenant));
        assert_eq!(connect.expand("{connect}"), "mscommerce connect --profile lab --tenant fabrikam.example");
        assert_eq!(connect.expand("{connect at TENANT}"), "mscommerce connect --profile lab --tenant TENANT");
    }
}
