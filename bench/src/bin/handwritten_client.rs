//! Lists the products with a cached sign-in, with as little code as possible: no async runtime, no argument parser, no HTTP
//! library.
//!
//! `handwritten_client URL CACHE ROOTS` sends the request that `mscommerce product list` sends, over a connection verified
//! with the root certificates of one file, and prints the response as a table. It handles nothing else: no proxy, no retry,
//! no token refresh, no redirect. It takes no shortcut that would make it do less than that one request.

use std::error::Error;
use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use mscommerce_bench::Message;
use ring::rand::{SecureRandom, SystemRandom};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde::Deserialize;
use serde_json::Value;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

#[derive(Deserialize)]
struct List {
    items: Vec<Item>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    policy_id: String,
    scope: String,
    product_id: String,
    product_name: String,
    policy_value: String,
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, cache, roots] = arguments.as_slice() else {
        return Err("usage: handwritten_client URL CACHE ROOTS".into());
    };
    let token = read_access_token(cache)?;
    let (authority, path) =
        url.strip_prefix("https://").and_then(|rest| rest.split_once('/')).ok_or("the URL is not https")?;
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    let mut stream = connect(authority, host, roots)?;
    let id = new_correlation_id()?;
    let request = format!(
        "GET /{path} HTTP/1.1\r\nauthorization: Bearer {token}\r\naccept: application/json\r\n\
         x-ms-correlation-id: {id}\r\nuser-agent: handwritten-client\r\nhost: {authority}\r\n\r\n"
    );
    stream.write_all(request.as_bytes())?;
    let body = read_body(&mut stream)?;
    let list: List = serde_json::from_slice(&body)?;
    io::stdout().write_all(format_table(&list.items)?.as_bytes())?;
    Ok(())
}

/// Reads the access token of the profile `default`.
fn read_access_token(cache: &str) -> Result<String> {
    let cache: Value = serde_json::from_slice(&std::fs::read(cache)?)?;
    let tenants = cache["profiles"]["default"]["tenants"].as_object().ok_or("no cached sign-in")?;
    let token = tenants.values().next().and_then(|tenant| tenant["accessToken"].as_str());
    Ok(token.ok_or("no access token in the cache")?.to_owned())
}

fn connect(authority: &str, host: &str, roots: &str) -> Result<StreamOwned<ClientConnection, TcpStream>> {
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&std::fs::read(roots)?) {
        store.add(certificate?)?;
    }
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(store)
        .with_no_client_auth();
    let session = ClientConnection::new(Arc::new(config), ServerName::try_from(host.to_owned())?)?;
    let socket = TcpStream::connect(authority)?;
    socket.set_nodelay(true)?;
    socket.set_read_timeout(Some(Duration::from_secs(10)))?;
    Ok(StreamOwned::new(session, socket))
}

/// Returns a random GUID. The service requires one with each request.
fn new_correlation_id() -> Result<String> {
    let mut bytes = [0; 16];
    SystemRandom::new().fill(&mut bytes).map_err(|_| "no randomness")?;
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let mut text = String::with_capacity(36);
    for (index, byte) in bytes.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        write!(text, "{byte:02x}")?;
    }
    Ok(text)
}

/// Reads the body of a response with status 200 and a `Content-Length`.
fn read_body(stream: &mut impl Read) -> Result<Vec<u8>> {
    let message = Message::read(stream)?.ok_or("the response is incomplete")?;
    if !message.head.starts_with("HTTP/1.1 200 ") {
        return Err(message.head.lines().next().unwrap_or_default().into());
    }
    message.header("content-length").ok_or("the response has no Content-Length")?;
    Ok(message.body)
}

fn format_table(items: &[Item]) -> Result<String> {
    let header = ["policyId", "scope", "id", "name", "policyValue"];
    let row = |item: &Item| [&item.policy_id, &item.scope, &item.product_id, &item.product_name].map(String::len);
    let mut widths = [header[0].len(), header[1].len(), header[2].len(), header[3].len()];
    for item in items {
        for (width, length) in widths.iter_mut().zip(row(item)) {
            *width = length.max(*width);
        }
    }
    let [policy, scope, id, name] = widths;
    let mut text = String::new();
    let mut line = |cells: [&str; 5]| {
        let [first, second, third, fourth, last] = cells;
        writeln!(text, "{first:policy$}  {second:scope$}  {third:id$}  {fourth:name$}  {last}")
    };
    line(header)?;
    for item in items {
        line([&item.policy_id, &item.scope, &item.product_id, &item.product_name, &item.policy_value])?;
    }
    Ok(text)
}
