//! Received requests and responses.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use wiremock::{Request, ResponseTemplate};

/// A received request.
#[derive(Debug, Clone)]
pub struct Received {
    pub method: String,
    /// The percent-encoded path, without `.` and `..` segments, which HTTP libraries resolve.
    pub path: String,
    pub query: Option<String>,
    /// Header names are in lower case.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Received {
    /// The request line: `GET /v1.0/policies?scope=product`.
    pub fn line(&self) -> String {
        let Self { method, path, .. } = self;
        match &self.query {
            Some(query) => format!("{method} {path}?{query}"),
            None => format!("{method} {path}"),
        }
    }

    /// The last segment of the path, still percent-encoded: the id in a request for one product.
    pub fn last_segment(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// The first header of this name, case-insensitive.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The bearer token of the `Authorization` header.
    pub fn bearer(&self) -> Option<&str> {
        let (scheme, token) = self.header("authorization")?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("Bearer").then(|| token.trim())
    }

    /// The body as a form.
    pub fn form(&self) -> BTreeMap<String, String> {
        pairs(&self.body)
    }

    /// The query's parameters.
    pub fn parameters(&self) -> BTreeMap<String, String> {
        pairs(self.query.as_deref().unwrap_or_default())
    }

    /// Whether the `Content-Type` is this one, with any parameters.
    pub fn is_of_type(&self, media_type: &str) -> bool {
        self.header("content-type")
            .and_then(|value| value.split(';').next())
            .is_some_and(|value| value.trim().eq_ignore_ascii_case(media_type))
    }

    /// The path segments, decoded separately, so that an encoded slash stays in its segment.
    pub(super) fn segments(&self) -> Vec<String> {
        self.path.split('/').skip(1).map(percent_decoded).collect()
    }
}

impl From<&Request> for Received {
    fn from(request: &Request) -> Self {
        let headers = request.headers.iter().map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes());
            (name.as_str().to_owned(), value.into_owned())
        });
        Self {
            method: request.method.to_string(),
            path: request.url.path().to_owned(),
            query: request.url.query().map(str::to_owned),
            headers: headers.collect(),
            body: String::from_utf8_lossy(&request.body).into_owned(),
        }
    }
}

/// A response.
#[derive(Debug, Clone)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub content_type: String,
    pub body: String,
    /// The delay of the response.
    pub delay: Option<Duration>,
}

impl Response {
    /// A response with this content type.
    pub fn text(status: u16, content_type: &str, body: impl Into<String>) -> Self {
        Self { status, headers: Vec::new(), content_type: content_type.to_owned(), body: body.into(), delay: None }
    }

    /// A JSON response.
    pub fn json(status: u16, body: &Value) -> Self {
        Self::text(status, "application/json; charset=utf-8", body.to_string())
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Delays the response.
    #[must_use]
    pub fn after(mut self, delay: Duration) -> Self {
        self.delay = Some(delay);
        self
    }
}

impl From<Response> for ResponseTemplate {
    fn from(response: Response) -> Self {
        let mut template =
            ResponseTemplate::new(response.status).set_body_raw(response.body.into_bytes(), &response.content_type);
        for (name, value) in response.headers {
            template = template.append_header(name, value);
        }
        match response.delay {
            Some(delay) => template.set_delay(delay),
            None => template,
        }
    }
}

fn pairs(encoded: &str) -> BTreeMap<String, String> {
    form_urlencoded::parse(encoded.as_bytes()).into_owned().collect()
}

/// Decodes a path segment. A form decoder would replace plus signs.
fn percent_decoded(text: &str) -> String {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let escaped = (first == b'%')
            .then(|| tail.get(..2))
            .flatten()
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        if let Some(byte) = escaped {
            decoded.push(byte);
            rest = &tail[2..];
        } else {
            decoded.push(first);
            rest = tail;
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}
