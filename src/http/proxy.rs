//! The proxy for a URL, from the environment or system settings.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::Uri;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use reqwest::StatusCode;
use secrecy::SecretString;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use url::Url;

use crate::environment;
use crate::secret::SecretBytes;

/// The proxy variables for HTTPS, in reqwest's order of precedence.
const PROXY_VARIABLES: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];

/// The characters that end the host part of a URL, or are not allowed in it: in a user name or password, they have to be
/// percent-encoded.
const RESERVED: [char; 17] =
    ['@', '/', '\\', '#', '?', '[', ']', '"', '<', '>', '^', '`', '{', '|', '}', ' ', '\u{7f}'];

/// How long a proxy may take to repeat its answer.
const TUNNEL_STATUS_TIMEOUT: Duration = Duration::from_secs(5);

/// The minimum length of a proxy password to search for in responses.
const MIN_PASSWORD_LEN: usize = 8;

/// Why a proxy variable cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidProxy {
    /// The value is not the address of a proxy.
    Address,
    /// The user name or password contains characters that must be percent-encoded. Libraries would take a part of the
    /// password for the host.
    UserInfo,
}

/// The problem of the proxy variable that applies to `url`, with its name. Other variables are not checked.
pub fn invalid_proxy_variable(url: &Url) -> Option<(&'static str, InvalidProxy)> {
    let (name, value) = proxy_variable()?;
    if bypassed_by(url).is_some() {
        return None;
    }
    if has_reserved_user_info(&value) {
        return Some((name, InvalidProxy::UserInfo));
    }
    // reqwest ignores an address that either of these cannot parse, and connects without a proxy.
    let is_valid = Matcher::builder().all(&value).build().intercept(&url.as_str().parse().ok()?).is_some()
        && Url::parse(&with_scheme(&value)).is_ok_and(|proxy| proxy.has_host());
    (!is_valid).then_some((name, InvalidProxy::Address))
}

/// Whether the user name or password of a proxy, everything up to the last `@`, needs percent encoding.
fn has_reserved_user_info(value: &str) -> bool {
    let Some((user_info, _)) = value.split_once("://").map_or(value, |(_, rest)| rest).rsplit_once('@') else {
        return false;
    };
    let is_escape = |escape: &str| escape.len() == 2 && escape.chars().all(|digit| digit.is_ascii_hexdigit());
    user_info.contains(|c: char| RESERVED.contains(&c) || c.is_control() || !c.is_ascii())
        || user_info.match_indices('%').any(|(at, _)| !user_info.get(at + 1..at + 3).is_some_and(is_escape))
}

fn with_scheme(value: &str) -> String {
    if value.contains("://") { value.to_owned() } else { format!("http://{value}") }
}

/// The proxy variable that applies to HTTPS, with its value.
fn proxy_variable() -> Option<(&'static str, String)> {
    PROXY_VARIABLES.into_iter().find_map(|name| Some((name, variable(name)?)))
}

/// The proxy of the environment, for a client. `None` if no variable is set: then reqwest uses system settings.
///
/// reqwest's own reading of the variables does not skip empty ones, and takes fewer forms of `NO_PROXY`.
pub fn env_proxy() -> Option<reqwest::Proxy> {
    let (_, value) = proxy_variable()?;
    let value = with_scheme(&value);
    Some(reqwest::Proxy::custom(move |url| bypassed_by(url).is_none().then(|| value.clone())))
}

/// The `NO_PROXY` variable that exempts `url` from the configured proxy.
pub fn bypassed_by(url: &Url) -> Option<&'static str> {
    proxy_variable()?;
    let name = ["NO_PROXY", "no_proxy"].into_iter().find(|name| variable(name).is_some())?;
    (url.scheme() == "https" && matches_no_proxy(&variable(name)?, url)).then_some(name)
}

/// Whether a no-proxy list contains the host of `url`. Accepts the forms of curl and of Python's libraries: separated by
/// commas or blanks, `host:port`, `*.domain`, and with a dot at the end.
fn matches_no_proxy(list: &str, url: &Url) -> bool {
    let port = url.port_or_known_default();
    let entries = list.split([',', ' ', '\t', ';']).map(|entry| entry.trim_matches(['"', '\''])).filter_map(|entry| {
        let (host, entry_port) = match entry.rsplit_once(':') {
            // An IPv6 address without brackets also contains colons.
            Some((host, digits)) if !host.contains(':') || host.ends_with(']') => {
                (host, Some(digits.parse::<u16>().ok()?))
            }
            _ => (entry, None),
        };
        let host = host.trim_matches(['[', ']']).trim_end_matches('.');
        let host = if host == "*" { host } else { host.trim_start_matches('*') };
        (entry_port.is_none() || entry_port == port).then_some(host)
    });
    let list = entries.collect::<Vec<_>>().join(",");
    let host = url.host_str().unwrap_or_default().trim_end_matches('.');
    let Ok(uri) = format!("https://{host}/").parse() else { return false };
    Matcher::builder().all("http://proxy.invalid:1").no(list).build().intercept(&uri).is_none()
}

/// The trimmed value of an environment variable. `None` if it is unset or blank.
fn variable(name: &str) -> Option<String> {
    let value = environment::process_variable(name)?;
    Some(environment::trim(&value.to_string_lossy()).to_owned()).filter(|value| !value.is_empty())
}

/// A proxy between this machine and a host.
pub struct Proxy {
    /// The URL of the proxy, without credentials.
    pub display: String,
    pub host: String,
    pub port: u16,
    /// Whether reqwest supports the proxy's scheme.
    pub is_supported: bool,
    /// Whether the connection to the proxy uses TLS.
    pub is_secure: bool,
    /// The environment variable that configures the proxy, or system settings.
    pub source: &'static str,
}

/// The URL of the proxy for `url`, without credentials.
pub fn proxy_display(url: &Url) -> Option<String> {
    proxy_for(url).map(|proxy| proxy.display)
}

/// The user name and password in the proxy variable, which an intercepting proxy may echo. Omits a password shorter
/// than [`MIN_PASSWORD_LEN`].
pub fn credentials() -> Vec<SecretString> {
    let any_url = Uri::from_static("https://service.invalid/");
    let intercept = proxy_variable().and_then(|(_, value)| Matcher::builder().all(value).build().intercept(&any_url));
    let header = intercept.as_ref().and_then(|intercept| intercept.basic_auth()?.to_str().ok()?.split_once(' '));
    let Some(pair) = header.and_then(|(_, encoded)| STANDARD.decode(encoded).ok()).map(SecretBytes::from) else {
        return Vec::new();
    };
    let password = pair.splitn(2, |byte| *byte == b':').nth(1).filter(|password| password.len() >= MIN_PASSWORD_LEN);
    let secrets = [Some(&*pair), password].into_iter().flatten();
    secrets.map(|secret| SecretString::from(&*String::from_utf8_lossy(secret))).collect()
}

/// The proxy for `url` in the environment or system settings.
fn intercept(url: &Url) -> Option<Intercept> {
    // Plain HTTP is sent only to this machine.
    if url.scheme() == "http" || bypassed_by(url).is_some() {
        return None;
    }
    let matcher = match proxy_variable() {
        Some((_, value)) => Matcher::builder().all(value).build(),
        None => Matcher::from_system(),
    };
    matcher.intercept(&url.as_str().parse().ok()?)
}

/// The status with which the proxy for `url` rejects a tunnel to its host. Asks the proxy once more, because the HTTP
/// libraries do not pass the status on. `None` if it does not answer in time, or the connection to it uses TLS.
pub async fn tunnel_status(url: &Url) -> Option<StatusCode> {
    let (proxy, intercept) = (proxy_for(url).filter(|proxy| !proxy.is_secure)?, intercept(url)?);
    let target = format!("{}:{}", url.host_str()?, url.port_or_known_default()?);
    let mut request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n").into_bytes();
    if let Some(credentials) = intercept.basic_auth() {
        request.extend([b"Proxy-Authorization: ", credentials.as_bytes(), b"\r\n"].concat());
    }
    request.extend(b"\r\n");
    let exchange = async {
        let mut stream = TcpStream::connect((proxy.host.as_str(), proxy.port)).await?;
        stream.write_all(&request).await?;
        let mut start = [0; "HTTP/1.1 403".len()];
        stream.read_exact(&mut start).await.map(|_| start)
    };
    let start = tokio::time::timeout(TUNNEL_STATUS_TIMEOUT, exchange).await.ok()?.ok()?;
    let status = start.strip_prefix(b"HTTP/1.").and_then(|rest| StatusCode::from_bytes(rest.get(2..)?).ok());
    status.filter(|status| !status.is_success())
}

/// The proxy for `url`.
pub fn proxy_for(url: &Url) -> Option<Proxy> {
    let intercept = intercept(url)?;
    let uri = intercept.uri();
    let (scheme, host) = (uri.scheme_str().unwrap_or("http"), uri.host()?);
    // Show only scheme, host and port: in a malformed URL, the password may be in any other part.
    let port = uri.port_u16().map(|port| format!(":{port}")).unwrap_or_default();
    let is_secure = scheme == "https";
    Some(Proxy {
        display: format!("{scheme}://{host}{port}"),
        host: host.to_owned(),
        port: uri.port_u16().unwrap_or(if is_secure { 443 } else { 80 }),
        is_supported: is_secure || scheme == "http",
        is_secure,
        source: proxy_variable().map_or("system settings", |(name, _)| name),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_proxy_accepts_the_forms_of_curl_and_python() {
        let matches = |list, url| matches_no_proxy(list, &Url::parse(url).expect("a URL"));
        let url = "https://api.contoso.test";
        for list in [
            "*",
            "contoso.test",
            ".contoso.test",
            "*.contoso.test",
            "contoso.test.",
            "api.contoso.test:443",
            "*.contoso.test:443",
            "other.test contoso.test",
            "other.test,\tcontoso.test",
            "\"contoso.test\"",
            "CONTOSO.test",
            ".contoso.test.",
        ] {
            assert!(matches(list, url), "{list}");
            assert!(matches(list, "https://api.contoso.test./"), "{list}");
        }
        for list in [
            "",
            " ",
            "contoso.test:8443",
            "ntoso.test",
            "contoso",
            "*contoso",
            "api.contoso.test.other",
            "contoso.test:x",
        ] {
            assert!(!matches(list, url), "{list}");
        }
        assert!(matches("api.contoso.test:8443", "https://api.contoso.test:8443"));
        for list in ["10.0.0.0/8", "10.1.2.3", "10.1.2.3:443"] {
            assert!(matches(list, "https://10.1.2.3"), "{list}");
        }
        for list in ["::1", "[::1]", "[::1]:443", "fe80::1 ::1"] {
            assert!(matches(list, "https://[::1]"), "{list}");
        }
    }

    #[test]
    fn user_info_must_be_percent_encoded() {
        for value in [
            "http://ada@corp.example:pw1@h:1",
            "http://user:p@ss@h",
            "http://user:p#ss@h",
            "http://CORP\\user:pw@h",
            "u:p/w@h",
            "http://u:p%w@h",
            "http://u:p%4@h",
            "http://u:pä@h",
            "http://u:p w@h",
            "http://h/?a@b",
            "u@x:p@h",
        ] {
            assert!(has_reserved_user_info(value), "{value}");
        }
        for value in ["http://h:1", "h:1", "http://u:p%40s@h", "u:p@h:1", "http://u@h", "http://u:p:w!$&'()*+,;=~._-@h"]
        {
            assert!(!has_reserved_user_info(value), "{value}");
        }
    }
}
