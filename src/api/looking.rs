//! Reading with an eye on the answer itself rather than on what it means.

use chrono::{DateTime, Utc};
use reqwest::{Method, StatusCode};

use super::client::{Client, TokenSource};
use super::model::{Policy, Scope};
use super::error::{Access, ApiError};
use crate::error::{Error, Result};
use crate::http;

/// A policy, and how the service answered when it was read.
pub struct Looked {
    pub policy: Policy,
    pub status: StatusCode,
    pub correlation_id: String,
    /// The service's clock.
    pub date: Option<DateTime<Utc>>,
}

impl<T: TokenSource> Client<'_, T> {
    /// `GET /v1.0/policies/P` (Get-MSCommercePolicy), with its answer.
    pub async fn look_at_policy(&self) -> Result<Looked> {
        let what = format!("could not read the policy {}", self.policy_id());
        let (answer, id) = self.get(&[self.policy_id()], &what).await?;
        let policy = answer.json().and_then(Policy::from_json).filter(|policy| !policy.is_empty());
        let policy = policy.ok_or_else(|| ApiError::new(&what, &answer, &id).into_error(Access::Read))?;
        Ok(Looked { policy, status: answer.status, date: answer.date(), correlation_id: id })
    }

    /// The names of the members beside the items of a listing, and how many items there are.
    pub async fn look_at_listing(&self, scope: Scope) -> Result<(Vec<String>, usize)> {
        let what = "could not list the products";
        let url = self.listing_url(scope)?;
        let (answer, id) = self.get_url(url, what).await?;
        let shape = answer.json().and_then(|body| {
            let body = body.as_object()?;
            let others = body.keys().filter(|name| *name != "items").cloned().collect();
            Some((others, body.get("items")?.as_array()?.len()))
        });
        shape.ok_or_else(|| ApiError::new(what, &answer, &id).into_error(Access::Read))
    }

    /// What a listing is answered with where no token is sent. Sends no credential.
    pub async fn look_without_token(&self) -> Result<ApiError> {
        let what = "could not list the products without a token";
        let request = self.http().request(Method::GET, self.listing_url(Scope::Product)?).map_err(Error::from)?;
        let request = request.header(http::CORRELATION_ID, http::new_correlation_id());
        let answer = self.http().send(request).await.map_err(Error::from)?;
        let id = answer.correlation_id.clone().unwrap_or_default();
        Ok(ApiError::new(what, &answer, &id))
    }
}
