//! Requests to the policy endpoint.

use std::collections::HashSet;
use std::rc::Rc;

use chrono::{DateTime, Utc};
use reqwest::{Method, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use url::Url;

use super::error::{ApiError, RequestError};
use super::model::{Policy, ProductPolicy, Scope, Target};
use super::page::{Page, display_link, resolve_next_link};
use super::value::PolicyValue;
use crate::auth::{Access, Session};
use crate::error::{Error, Result};
use crate::http::{self, Delivery, Effect, HttpError, Response, RetryPolicy};
use crate::ui::Progress;

/// The maximum number of pages of a list, to stop at a loop of next links.
const MAX_PAGES: usize = 100;

/// The maximum size of all pages of a list together, in bytes. Each page has its own limit.
const MAX_LIST_SIZE: usize = 64 * 1024 * 1024;

/// The result of an update.
pub struct Updated {
    /// The item after the update.
    pub item: ProductPolicy,
    pub correlation_id: String,
}

/// A policy with the metadata of its response.
pub struct PolicyResponse {
    pub policy: Policy,
    pub status: StatusCode,
    pub correlation_id: String,
    /// The service's time, from the `Date` header.
    pub date: Option<DateTime<Utc>>,
}

/// A client of the endpoint for one policy and one tenant.
#[derive(Clone)]
pub struct Client {
    http: http::Client,
    endpoint: Url,
    policy_id: String,
    session: Rc<Session>,
}

impl Client {
    pub fn new(http: http::Client, endpoint: Url, policy_id: String, session: Session) -> Self {
        Self { http, endpoint, policy_id, session: Rc::new(session) }
    }

    pub fn policy_id(&self) -> &str {
        &self.policy_id
    }

    pub fn session(&self) -> &Session {
        &self.session
    }

    pub(super) fn show_spinner(&self, message: &str) -> Progress {
        self.http.ui().show_spinner(message, 1)
    }

    /// Gets an access token. Fails if the token's roles do not allow this access.
    pub async fn prepare(&self, access: Access) -> Result<()> {
        let _spinner = self.show_spinner("Signing in…");
        let token = self.session.access_token().await?;
        self.session.check_access(&token, access)
    }

    /// `GET /v1.0/policies` (Get-MSCommercePolicies).
    pub async fn policies(&self) -> Result<Vec<Policy>> {
        let _spinner = self.show_spinner("Reading policies…");
        self.read_list(self.url(&[])?, "could not list the policies", Policy::from_json).await
    }

    /// `GET /v1.0/policies/P` (Get-MSCommercePolicy).
    pub async fn policy(&self) -> Result<Policy> {
        self.policy_response().await.map(|response| response.policy)
    }

    /// `GET /v1.0/policies/P` (Get-MSCommercePolicy), with the response metadata.
    pub async fn policy_response(&self) -> Result<PolicyResponse> {
        let _spinner = self.show_spinner("Reading policies…");
        let action = format!("could not read the policy {}", self.policy_id);
        let response = self.send(Method::GET, self.url(&[&self.policy_id])?, None, &action, Access::Read).await?;
        let policy = response.json().and_then(Policy::from_json).filter(|policy| !policy.is_empty());
        let policy = policy.ok_or_else(|| ApiError::new(&action, &response).into_error(Access::Read))?;
        let correlation_id = response.correlation_id.clone().unwrap_or_default();
        Ok(PolicyResponse { policy, status: response.status, date: response.date(), correlation_id })
    }

    /// `GET /v1.0/policies/P/products?scope=S` (Get-MSCommerceProductPolicies).
    pub async fn list(&self, scope: Scope) -> Result<Vec<ProductPolicy>> {
        let _spinner = self.show_spinner("Reading products…");
        let mut url = self.url(&[&self.policy_id, "products"])?;
        url.query_pairs_mut().append_pair("scope", scope.query_value());
        let action = match scope {
            Scope::OfferType => "could not list the offer types",
            Scope::Product => "could not list the products",
        };
        self.read_list(url, action, |item| self.parse_item(item)).await
    }

    /// `GET` of one product or offer type (Get-MSCommerceProductPolicy).
    pub async fn get(&self, target: &Target) -> Result<ProductPolicy> {
        let _spinner = self.show_spinner("Reading products…");
        let action = format!("could not read {target}");
        let response = self.send(Method::GET, self.target_url(target)?, None, &action, Access::Read).await?;
        self.parse_target(target, &response, &action)
    }

    /// Reads one product or offer type after an update whose outcome is unknown, even after an interrupt.
    pub async fn reread(&self, target: &Target) -> Result<ProductPolicy> {
        let action = format!("could not read {target}");
        let token = self.session.access_token().await?;
        let url = self.target_url(target)?;
        let response = self.send_once(&token, &Method::GET, &url, None, &action, RetryPolicy::Final).await?;
        if !response.status.is_success() {
            return Err(ApiError::new(&action, &response).into_error(Access::Read));
        }
        self.parse_target(target, &response, &action)
    }

    /// `PUT` of one product or offer type (Update-MSCommerceProductPolicy). Returns the item after the update.
    pub async fn update(&self, target: &Target, value: PolicyValue) -> Result<Updated, RequestError> {
        let _spinner = self.show_spinner("Applying changes…");
        let url = self.target_url(target).map_err(RequestError::not_sent)?;
        let (body, action) =
            (json!({ "policyValue": value.as_str() }).to_string(), format!("could not change {target}"));
        let response = self.send(Method::PUT, url, Some(&body), &action, Access::Write).await?;
        let Some(item) = self.parse_product(&response) else {
            let action = format!("cannot tell whether {target} was changed");
            let error = ApiError::new(&action, &response).into_error(Access::Write);
            let effect = response.effect().max(Effect::Possible);
            return Err(RequestError { error, effect, correlation_id: response.correlation_id });
        };
        Ok(Updated { item, correlation_id: response.correlation_id.unwrap_or_default() })
    }

    /// Reads all pages of a list. Follows a next link only below the endpoint, because the request contains the token.
    ///
    /// Whether the service returns next links is unverified: no public client reads them.
    async fn read_list<I>(&self, first: Url, action: &str, parse_item: impl Fn(Value) -> Option<I>) -> Result<Vec<I>> {
        let (mut items, mut seen, mut next, mut size) = (Vec::new(), HashSet::new(), Some(first), 0);
        while let Some(url) = next.take() {
            let response = self.send(Method::GET, url.clone(), None, action, Access::Read).await?;
            let page = Page::parse(&response, &parse_item);
            let page = page.ok_or_else(|| ApiError::new(action, &response).into_error(Access::Read))?;
            items.extend(page.items);
            seen.insert(url.clone());
            size += response.body.len();
            let Some(link) = page.next else { break };
            let error = |message: String| {
                let id = response.correlation_id.as_deref().unwrap_or_default();
                let detail = format!("status {}, correlation ID: {id}", response.status);
                Error::failed(message).context(action).with_detail(detail)
            };
            if size > MAX_LIST_SIZE {
                let mebibytes = MAX_LIST_SIZE / 1024 / 1024;
                return Err(error(format!("the list is larger than {mebibytes} MiB and was not read completely"))
                    .with_hint("check whether a proxy responds instead of the service"));
            }
            next = resolve_next_link(&self.endpoint, &url, &link).filter(|next| !seen.contains(next));
            if next.is_none() || seen.len() >= MAX_PAGES {
                let link = display_link(&link);
                return Err(error(format!("the link to the next page cannot be followed: {link}"))
                    .with_hint("give Microsoft support the correlation ID; the link is outside the endpoint or was already followed"));
            }
        }
        Ok(items)
    }

    /// Sends a request. Fails for a status other than 2xx. `action` is the context of an error.
    async fn send(
        &self,
        method: Method,
        url: Url,
        body: Option<&str>,
        action: &str,
        access: Access,
    ) -> Result<Response, RequestError> {
        let (response, token) = self.exchange(method, url, body, action, access).await?;
        if response.status.is_success() {
            return Ok(response);
        }
        let error = self.status_error(&response, &token, action, access);
        Err(RequestError { error, effect: response.effect(), correlation_id: response.correlation_id })
    }

    /// Sends a request. If the service rejects the token, refreshes it and sends the request again. Returns the response
    /// with any status, and the token that was sent.
    pub(super) async fn exchange(
        &self,
        method: Method,
        url: Url,
        body: Option<&str>,
        action: &str,
        access: Access,
    ) -> Result<(Response, SecretString), RequestError> {
        let mut token = self.session.access_token().await.map_err(RequestError::not_sent)?;
        let checked = self.session.check_access(&token, access);
        checked.map_err(|error| RequestError::not_sent(error.context(action)))?;
        let retry_policy = RetryPolicy::for_method(&method);
        let mut response = self.send_once(&token, &method, &url, body, action, retry_policy).await?;
        if response.status == StatusCode::UNAUTHORIZED && !self.http.is_interrupted() {
            // The service may have processed an attempt before the rejected one, regardless of later results.
            let prior_effect = response.effect();
            let refreshed = self.session.refresh(&token).await.map_err(|error| {
                let error = ApiError::new("before that", &response).attach_to(error.context(action));
                RequestError { error, effect: prior_effect, correlation_id: response.correlation_id.clone() }
            })?;
            if let Some(refreshed) = refreshed {
                token = refreshed;
                let again = self.send_once(&token, &method, &url, body, action, retry_policy).await;
                response = again.map_err(|error| error.with_prior_effect(prior_effect))?;
                response.prior_effect = response.prior_effect.max(prior_effect);
            }
        }
        Ok((response, token))
    }

    /// The error for a status other than 2xx.
    pub(super) fn status_error(
        &self,
        response: &Response,
        token: &SecretString,
        action: &str,
        access: Access,
    ) -> Error {
        let error = ApiError::new(action, response);
        match response.status {
            StatusCode::UNAUTHORIZED => error.into_error(access).with_hints(self.session.unauthorized_hints(token)),
            StatusCode::FORBIDDEN => match self.session.forbidden_hints(token) {
                Some(hints) => error.into_error_with_hints(&[]).with_hints(hints),
                None => error.into_error(access),
            },
            _ => error.into_error(access),
        }
    }

    async fn send_once(
        &self,
        token: &SecretString,
        method: &Method,
        url: &Url,
        body: Option<&str>,
        action: &str,
        retry_policy: RetryPolicy,
    ) -> Result<Response, RequestError> {
        let to_request_error = |error: HttpError| {
            let effect = error.effect();
            // Omit the ID of a request that was not sent: support cannot find it.
            let correlation_id = error.correlation_id.clone().filter(|_| error.delivery != Delivery::NotSent);
            let detail = correlation_id.as_ref().map(|id| format!("correlation ID: {id}"));
            let error = detail.into_iter().fold(Error::from(error).context(action), Error::with_detail);
            RequestError { error, effect, correlation_id }
        };
        let request = self.http.request(method.clone(), url.clone()).map_err(to_request_error)?;
        let mut request = request
            .bearer_auth(token.expose_secret())
            .header(reqwest::header::ACCEPT, "application/json")
            .header(http::CORRELATION_ID, http::new_correlation_id());
        if let Some(body) = body {
            request = request.header(reqwest::header::CONTENT_TYPE, "application/json").body(body.to_owned());
        }
        let request = request.build().map_err(|error| to_request_error(HttpError::invalid_request(&error)))?;
        let tenant = self.session.tenant_id();
        self.http.send_for(tenant.as_deref(), request, retry_policy).await.map_err(to_request_error)
    }

    /// Parses the item with the ID of `target`.
    fn parse_target(&self, target: &Target, response: &Response, action: &str) -> Result<ProductPolicy> {
        let item = self.parse_product(response);
        let item = item.ok_or_else(|| ApiError::new(action, response).into_error(Access::Read))?;
        if item.id.as_ref().is_none_or(|id| id.eq_ignore_ascii_case(&target.id)) {
            return Ok(item);
        }
        let id = response.correlation_id.as_deref().unwrap_or_default();
        Err(Error::failed(format!("the service returned {} instead of {target}", item.label()))
            .context(action)
            .with_detail(format!("correlation ID: {id}"))
            .with_hint("Try again. If it persists, give Microsoft support the correlation ID."))
    }

    fn parse_product(&self, response: &Response) -> Option<ProductPolicy> {
        response.json().and_then(|item| self.parse_item(item)).filter(|item| !item.is_empty())
    }

    /// Parses an item. If it has no policy ID, sets that of the request.
    fn parse_item(&self, item: Value) -> Option<ProductPolicy> {
        let mut item = ProductPolicy::from_json(item)?;
        item.policy_id.get_or_insert_with(|| self.policy_id.clone());
        Some(item)
    }

    fn target_url(&self, target: &Target) -> Result<Url> {
        let collection = match target.scope {
            Scope::Product => "products",
            Scope::OfferType => "offerTypes",
        };
        self.url(&[&self.policy_id, collection, &target.id])
    }

    /// The URL of `/v1.0/policies` followed by `segments`, each encoded as one path segment.
    fn url(&self, segments: &[&str]) -> Result<Url> {
        if let Some(id) = segments.iter().find(|segment| !is_valid_segment(segment)) {
            return Err(Error::usage(format!("'{id}' is not a valid ID")).with_hint("mscommerce product list"));
        }
        let mut url = self.endpoint.clone();
        url.path_segments_mut()
            .map_err(|()| Error::usage("the endpoint is not a URL"))?
            .pop_if_empty()
            .extend(["v1.0", "policies"].iter().chain(segments));
        Ok(url)
    }
}

/// Whether a text is valid as a URL path segment. `.` and `..` change the path even if encoded, and URL parsers remove
/// control characters such as tabs.
pub fn is_valid_segment(segment: &str) -> bool {
    !matches!(segment, "" | "." | "..") && !segment.chars().any(char::is_control)
}
