//! Reading the policy together with the status and headers of its response.

use chrono::{DateTime, Utc};
use reqwest::StatusCode;

use super::client::Client;
use super::error::ApiError;
use super::model::Policy;
use crate::auth::Access;
use crate::error::Result;

/// A policy, and the response that it came in.
pub struct PolicyResponse {
    pub policy: Policy,
    pub status: StatusCode,
    pub correlation_id: String,
    /// The time at the service.
    pub date: Option<DateTime<Utc>>,
}

impl Client {
    /// `GET /v1.0/policies/P` (Get-MSCommercePolicy), with its response.
    pub async fn policy_response(&self) -> Result<PolicyResponse> {
        let action = format!("could not read the policy {}", self.policy_id());
        let (response, id) = self.read(&[self.policy_id()], &action).await?;
        let policy = response.json().and_then(Policy::from_json).filter(|policy| !policy.is_empty());
        let policy = policy.ok_or_else(|| ApiError::new(&action, &response, &id).into_error(Access::Read))?;
        Ok(PolicyResponse { policy, status: response.status, date: response.date(), correlation_id: id })
    }
}
