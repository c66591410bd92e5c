//! A minimal browser: HTTP to load a page and submit a form, without an async runtime.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use url::{Host, Url};

/// A response that the browser received.
#[derive(Debug, Clone)]
pub struct BrowserResponse {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl BrowserResponse {
    /// The first header of this name, case-insensitive.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error} in the body {:?}", self.body))
    }
}

/// A form on a page.
#[derive(Debug, Clone)]
pub struct Form {
    pub action: String,
    pub fields: Vec<(String, String)>,
}

impl Form {
    /// The value of a field, which must exist.
    pub fn field(&self, name: &str) -> &str {
        self.fields
            .iter()
            .find(|(known, _)| known == name)
            .map_or_else(|| panic!("the form has no field {name}"), |(_, value)| value.as_str())
    }

    /// Submits the form. Returns status and body of the response.
    pub fn submit(&self) -> (u16, String) {
        let fields: Vec<(&str, &str)> =
            self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        post_form(&self.action, &fields)
    }
}

/// The page at `/authorize`: two forms, or none on an error page.
#[derive(Debug, Clone)]
pub struct AuthorizePage {
    pub status: u16,
    pub html: String,
    pub forms: Vec<Form>,
}

impl AuthorizePage {
    /// The form of the "Sign in" button.
    pub fn sign_in(&self) -> &Form {
        self.form(0)
    }

    /// The form of the "Cancel" button.
    pub fn cancel(&self) -> &Form {
        self.form(1)
    }

    fn form(&self, index: usize) -> &Form {
        self.forms
            .get(index)
            .unwrap_or_else(|| panic!("no such form on this page (status {}):\n{}", self.status, self.html))
    }
}

/// Opens a sign-in page.
pub fn authorize(url: &str) -> AuthorizePage {
    let response = send("GET", url, &[], "");
    AuthorizePage {
        status: response.status,
        forms: response.body.split("<form ").skip(1).map(form_in).collect(),
        html: response.body,
    }
}

/// Posts a form. Returns status and body of the response.
pub fn post_form(url: &str, fields: &[(&str, &str)]) -> (u16, String) {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let content_type = ("content-type", "application/x-www-form-urlencoded");
    let response = send("POST", url, &[content_type], &body);
    (response.status, response.body)
}

/// Sends a request over plain HTTP and reads the complete response.
pub fn send(method: &str, url: &str, headers: &[(&str, &str)], body: &str) -> BrowserResponse {
    let url = Url::parse(url).unwrap_or_else(|error| panic!("{error}: {url}"));
    assert_eq!(url.scheme(), "http", "only plain http is spoken here");
    let mut stream = connect(&url);
    let authority = &url[url::Position::BeforeHost..url::Position::AfterPort];
    let target = &url[url::Position::BeforePath..url::Position::AfterQuery];
    let mut request = format!("{method} {target} HTTP/1.1\r\n");
    let length = body.len().to_string();
    let own = [("host", authority), ("connection", "close"), ("content-length", &length)];
    for (name, value) in own.iter().chain(headers) {
        for part in [name, ": ", value, "\r\n"] {
            request.push_str(part);
        }
    }
    request.push_str("\r\n");
    request.push_str(body);
    stream.write_all(request.as_bytes()).expect("the request goes out");
    read_response(&mut stream)
}

/// `localhost` is 127.0.0.1 here: not every machine has `::1`.
fn connect(url: &Url) -> TcpStream {
    let port = url.port_or_known_default().expect("http has a port");
    let stream = match url.host() {
        Some(Host::Domain("localhost")) => TcpStream::connect((Ipv4Addr::LOCALHOST, port)),
        Some(Host::Domain(name)) => TcpStream::connect((name, port)),
        Some(Host::Ipv4(address)) => TcpStream::connect((address, port)),
        Some(Host::Ipv6(address)) => TcpStream::connect((address, port)),
        None => panic!("{url} names no host"),
    };
    let stream = stream.unwrap_or_else(|error| panic!("cannot connect to {url}: {error}"));
    // A server that never responds should fail the test, not block it.
    stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a read timeout");
    stream
}

fn read_response(stream: &mut TcpStream) -> BrowserResponse {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        if let Some(response) = complete(&bytes, false) {
            return response;
        }
        match stream.read(&mut chunk) {
            Ok(0) => break,
            Ok(count) => bytes.extend_from_slice(&chunk[..count]),
            Err(error) => panic!("the answer broke off: {error}"),
        }
    }
    complete(&bytes, true).expect("a whole answer before the connection closes")
}

/// The response, if head and body are complete.
fn complete(bytes: &[u8], closed: bool) -> Option<BrowserResponse> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&bytes[..end]);
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let header = |wanted| headers.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
    assert!(header("transfer-encoding").is_none(), "chunked answers are not understood here");
    let body = &bytes[end + 4..];
    let body = match header("content-length").and_then(|length| length.parse().ok()) {
        Some(length) => body.get(..length)?,
        None if closed => body,
        None => return None,
    };
    let body = String::from_utf8_lossy(body).into_owned();
    Some(BrowserResponse { status, headers, body })
}

/// The form at the start of this HTML.
fn form_in(html: &str) -> Form {
    let html = html.split("</form>").next().unwrap_or(html);
    let fields = html
        .lines()
        .filter(|line| line.starts_with("<input type=\"hidden\""))
        .map(|line| (attribute(line, "name"), attribute(line, "value")));
    Form { action: attribute(html, "action"), fields: fields.collect() }
}

fn attribute(html: &str, name: &str) -> String {
    let opening = format!("{name}=\"");
    let value = html
        .split_once(opening.as_str())
        .and_then(|(_, rest)| rest.split_once('"'))
        .map_or_else(|| panic!("no {name} in {html}"), |(value, _)| value);
    value
        .replace("&#10;", "\n")
        .replace("&#13;", "\r")
        .replace("&#39;", "'")
        .replace("&quot;", "\"")
        .replace("&gt;", ">")
        .replace("&lt;", "<")
        // Last, so that an escaped ampersand does not start another escape.
        .replace("&amp;", "&")
}
