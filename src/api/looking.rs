//! Reading with an eye on the answer itself rather than on what it means.

use chrono::{DateTime, Utc};
use reqwest::StatusCode;

use super::client::Client;
use super::error::ApiError;
use super::model::Policy;
use crate::auth::Access;
use crate::error::Result;

/// A policy, and how the service answered when it was read.
pub struct Looked {
    pub policy: Policy,
    pub status: StatusCode,
    pub correlation_id: String,
    /// The service's clock.
    pub date: Option<DateTime<Utc>>,
}

impl Client {
    /// `GET /v1.0/policies/P` (Get-MSCommercePolicy), with its answer.
    pub async fn look_at_policy(&self) -> Result<Looked> {
        let what = format!("could not read the policy {}", self.policy_id());
        let (answer, id) = self.read(&[self.policy_id()], &what).await?;
        let policy = answer.json().and_then(Policy::from_json).filter(|policy| !policy.is_empty());
        let policy = policy.ok_or_else(|| ApiError::new(&what, &answer, &id).into_error(Access::Read))?;
        Ok(Looked { policy, status: answer.status, date: answer.date(), correlation_id: id })
    }
}
