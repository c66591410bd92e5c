//! Requests to the policy endpoint.

use std::collections::HashSet;
use std::rc::Rc;

use reqwest::{Method, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use url::Url;

use super::error::ApiError;
use super::model::{Policy, PolicyValue, ProductPolicy, Scope, Target};
use crate::auth::{Access, Session};
use crate::error::{Error, Result};
use crate::http::{self, HttpError, Response, RetryPolicy};
use crate::text::{sanitize_line, truncate};

/// A list longer than this many pages is taken for a loop.
const MOST_PAGES: usize = 100;

/// A request that was not served as it should have been.
pub struct UpdateError {
    pub error: Error,
    /// Whether the service may have acted on the request all the same.
    pub outcome_unknown: bool,
}

impl From<UpdateError> for Error {
    fn from(error: UpdateError) -> Self {
        error.error
    }
}

impl UpdateError {
    /// The request was never sent, or was refused.
    fn not_applied(error: Error) -> Self {
        Self { error, outcome_unknown: false }
    }

    /// The same for a request of which an earlier try may have arrived.
    fn or_ambiguous(mut self, is_ambiguous: bool) -> Self {
        self.outcome_unknown |= is_ambiguous;
        self
    }
}

/// A change that was served: the item as it now is, and the correlation id of the request that changed it.
pub struct Updated {
    pub item: ProductPolicy,
    pub correlation_id: String,
}

/// The endpoint, for one policy.
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

    /// The policy that this client is for.
    pub fn policy_id(&self) -> &str {
        &self.policy_id
    }

    /// The credential that requests are made with.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// Gets a token, and makes sure that it may be good for this, before anything is sent.
    pub async fn prepare(&self, purpose: Access) -> Result<()> {
        let token = self.session.access_token().await?;
        self.session.check_access(&token, purpose)
    }

    /// `GET /v1.0/policies` (Get-MSCommercePolicies).
    pub async fn policies(&self) -> Result<Vec<Policy>> {
        let what = "could not list the policies";
        self.read_list(self.url(&[])?, what, Policy::from_json).await
    }

    /// `GET /v1.0/policies/P` (Get-MSCommercePolicy).
    pub async fn policy(&self) -> Result<Policy> {
        self.policy_response().await.map(|response| response.policy)
    }

    /// `GET /v1.0/policies/P/products?scope=S` (Get-MSCommerceProductPolicies).
    pub async fn list(&self, scope: Scope) -> Result<Vec<ProductPolicy>> {
        let url = self.listing_url(scope)?;
        let what = match scope {
            Scope::OfferType => "could not list the offer types",
            Scope::Product => "could not list the products",
        };
        self.read_list(url, what, |item| self.decode_product(item)).await
    }

    /// `GET` of one product or offer type (Get-MSCommerceProductPolicy).
    pub async fn get(&self, target: &Target) -> Result<ProductPolicy> {
        let what = format!("could not read {target}");
        let (answer, id) = self.send(Method::GET, self.target_url(target)?, None, &what, Access::Read).await?;
        self.decode_one(&answer).ok_or_else(|| ApiError::new(&what, &answer, &id).into_error(Access::Read))
    }

    /// `PUT` of one product or offer type (Update-MSCommerceProductPolicy); the answer is the item as it now is.
    pub async fn update(&self, target: &Target, value: PolicyValue) -> Result<Updated, UpdateError> {
        let what = format!("could not change {target}");
        let url = self.target_url(target).map_err(UpdateError::not_applied)?;
        let body = json!({ "policyValue": value.as_str() });
        let (answer, id) = self.send(Method::PUT, url, Some(&body), &what, Access::Write).await?;
        let updated = self.decode_one(&answer).map(|item| Updated { item, correlation_id: id.clone() });
        updated.ok_or_else(|| {
            let what = format!("cannot tell whether {target} was changed");
            UpdateError { error: ApiError::new(&what, &answer, &id).into_error(Access::Write), outcome_unknown: true }
        })
    }

    /// Reads what lies at these segments below `/v1.0/policies`; returns the answer and the correlation id sent.
    pub async fn read(&self, segments: &[&str], what: &str) -> Result<(Response, String)> {
        self.read_url(self.url(segments)?, what).await
    }

    /// Reads what lies at an address; returns the answer and the correlation id sent.
    pub async fn read_url(&self, url: Url, what: &str) -> Result<(Response, String)> {
        Ok(self.send(Method::GET, url, None, what, Access::Read).await?)
    }

    /// The address of a listing.
    pub fn listing_url(&self, scope: Scope) -> Result<Url> {
        let mut url = self.url(&[&self.policy_id, "products"])?;
        url.query_pairs_mut().append_pair("scope", scope.query_value());
        Ok(url)
    }

    /// Reads a list to its end. No public client of this service reads a next link, so whether it pages is
    /// unverified; a link is followed only within the same endpoint, for the token goes with it.
    async fn read_list<I>(&self, first: Url, what: &str, decode_item: impl Fn(Value) -> Option<I>) -> Result<Vec<I>> {
        let (mut items, mut seen, mut next) = (Vec::new(), HashSet::new(), Some(first));
        while let Some(url) = next.take() {
            let (answer, id) = self.send(Method::GET, url.clone(), None, what, Access::Read).await?;
            let page = Page::decode(&answer, &decode_item);
            let page = page.ok_or_else(|| ApiError::new(what, &answer, &id).into_error(Access::Read))?;
            items.extend(page.items);
            seen.insert(url.clone());
            if let Some(link) = &page.next {
                let following = within(&self.endpoint, &url, link).filter(|to| !seen.contains(to));
                if following.is_none() || seen.len() >= MOST_PAGES {
                    let link = truncate(&sanitize_line(link), 300);
                    return Err(Error::failed(format!("the link to the list's next page cannot be followed: {link}"))
                        .context(what)
                        .with_detail(format!("status {}, correlation id: {id}", answer.status))
                        .with_hint("a link is followed within the endpoint alone, and once: try again; support asks for the correlation id"));
                }
                next = following;
            }
        }
        Ok(items)
    }

    /// Sends one request; a token that is refused is renewed once. Returns the answer and the correlation id sent.
    async fn send(
        &self,
        method: Method,
        url: Url,
        body: Option<&Value>,
        what: &str,
        purpose: Access,
    ) -> Result<(Response, String), UpdateError> {
        let mut token = self.session.access_token().await.map_err(UpdateError::not_applied)?;
        self.session.check_access(&token, purpose).map_err(|error| UpdateError::not_applied(error.context(what)))?;
        let (mut answer, mut id) = self.send_with(&token, &method, &url, body, what).await?;
        if answer.status == StatusCode::UNAUTHORIZED && !self.http.is_interrupted() {
            // A try before the one that was refused may have worked, whatever comes of those after it.
            let is_ambiguous = answer.prior_attempt_ambiguous;
            let or_ambiguous = |error: UpdateError| error.or_ambiguous(is_ambiguous);
            let renewed = self.session.refresh(&token).await.map_err(|error| {
                let refused = ApiError::new("before that", &answer, &id);
                or_ambiguous(UpdateError::not_applied(refused.attach_to(error.context(what))))
            })?;
            if let Some(renewed) = renewed {
                token = renewed;
                (answer, id) = self.send_with(&token, &method, &url, body, what).await.map_err(or_ambiguous)?;
                answer.prior_attempt_ambiguous |= is_ambiguous;
            }
        }
        if answer.status.is_success() {
            return Ok((answer, id));
        }
        let refusal = ApiError::new(what, &answer, &id);
        let error = match answer.status {
            StatusCode::UNAUTHORIZED => refusal.into_error(purpose).with_hints(self.session.unauthorized_hints(&token)),
            StatusCode::FORBIDDEN => match self.session.forbidden_hints(&token) {
                Some(advice) => refusal.into_error_with_hints(&[]).with_hints(advice),
                None => refusal.into_error(purpose),
            },
            _ => refusal.into_error(purpose),
        };
        Err(UpdateError { error, outcome_unknown: !answer.status.is_client_error() || answer.prior_attempt_ambiguous })
    }

    async fn send_with(
        &self,
        token: &SecretString,
        method: &Method,
        url: &Url,
        body: Option<&Value>,
        what: &str,
    ) -> Result<(Response, String), UpdateError> {
        let error = |failure: HttpError| {
            let outcome_unknown = failure.is_ambiguous();
            let correlation_id = failure.correlation_id.clone();
            let error = Error::from(failure).context(what);
            // Nobody can look up a request that never left.
            let error = match correlation_id.filter(|_| outcome_unknown) {
                Some(id) => error.with_detail(format!("correlation id: {id}")),
                None => error,
            };
            UpdateError { error, outcome_unknown }
        };
        let mut request = self
            .http
            .request(method.clone(), url.clone())
            .map_err(error)?
            .bearer_auth(token.expose_secret())
            .header(reqwest::header::ACCEPT, "application/json")
            .header(http::CORRELATION_ID, http::new_correlation_id());
        if let Some(body) = body {
            request = request.json(body);
        }
        let request = request.build().map_err(|failure| error(HttpError::invalid_request(&failure)))?;
        let answer = self.http.send(request, RetryPolicy::for_method(method)).await.map_err(error)?;
        let correlation_id = answer.correlation_id.clone().unwrap_or_default();
        Ok((answer, correlation_id))
    }

    fn decode_one(&self, answer: &Response) -> Option<ProductPolicy> {
        answer.json().and_then(|item| self.decode_product(item)).filter(|item| !item.is_empty())
    }

    /// An item that names no policy belongs to the one that was asked about.
    fn decode_product(&self, item: Value) -> Option<ProductPolicy> {
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

    /// The endpoint's URL with `segments` below `/v1.0/policies`, each encoded as one path segment.
    fn url(&self, segments: &[&str]) -> Result<Url> {
        if let Some(id) = segments.iter().find(|segment| !is_valid_segment(segment)) {
            return Err(Error::usage(format!("'{id}' cannot be an id")).with_hint("mscommerce products list"));
        }
        let mut url = self.endpoint.clone();
        url.path_segments_mut()
            .map_err(|()| Error::usage("the endpoint is not a web address"))?
            .pop_if_empty()
            .extend(["v1.0", "policies"].iter().chain(segments));
        Ok(url)
    }
}

/// `.` and `..` would change the path even when encoded, and URLs drop control characters such as tabs.
pub fn is_valid_segment(segment: &str) -> bool {
    !matches!(segment, "" | "." | "..") && !segment.chars().any(char::is_control)
}

/// One page of a list: its items, and the link to the next page.
pub struct Page<I> {
    pub items: Vec<I>,
    pub next: Option<String>,
}

impl<I> Page<I> {
    /// `None` where the body is no list, or one of its items cannot be understood.
    pub fn decode(answer: &Response, decode_item: impl Fn(Value) -> Option<I>) -> Option<Self> {
        let mut body = answer.json()?;
        let Some(Value::Array(items)) = body.get_mut("items").map(Value::take) else { return None };
        let items = items.into_iter().map(decode_item).collect::<Option<_>>()?;
        let links = ["nextLink", "@odata.nextLink"];
        let next = links.iter().find_map(|name| body.get(*name)?.as_str()).filter(|link| !link.is_empty());
        Some(Self { items, next: next.map(str::to_owned) })
    }
}

/// Where a link on the page at `from` leads, if that is within the endpoint. A name and a password in it would be sent
/// along.
pub fn within(endpoint: &Url, from: &Url, link: &str) -> Option<Url> {
    let to = from.join(link).ok()?;
    let has_user = !to.username().is_empty() || to.password().is_some();
    (to.origin() == endpoint.origin() && !has_user).then_some(to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_leads_nowhere_but_to_the_endpoint() {
        let at = |address: &str| Url::parse(address).expect("an address");
        let (endpoint, from) = (at("https://service.example/"), at("https://service.example/v1.0/policies?a=b"));
        let leads = |link| within(&endpoint, &from, link).map(String::from);
        assert_eq!(leads("?page=2").as_deref(), Some("https://service.example/v1.0/policies?page=2"));
        for elsewhere in
            ["//evil.example/", "http://service.example/", "https://a:b@service.example/", "https://[", "a:"]
        {
            assert_eq!(leads(elsewhere), None, "{elsewhere}");
        }
    }
}
