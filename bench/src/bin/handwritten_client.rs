//! The floor: the least that a client can do which lists the products with a saved sign-in, written by hand without a
//! runtime, a parser of command lines or a library for HTTP.
//!
//! `floor URL SIGN-INS ROOTS` sends the request that `mscommerce products list` sends, over a connection that is verified
//! by the authorities of one file, and prints the answer as a table. Nothing else is handled: no proxy, no second try, no
//! renewal, no redirect. A short cut that would make it less than that request is not taken.

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
    let [url, sign_ins, roots] = arguments.as_slice() else { return Err("floor URL SIGN-INS ROOTS".into()) };
    let token = token(sign_ins)?;
    let (authority, path) = url.strip_prefix("https://").and_then(|rest| rest.split_once('/')).ok_or("no https URL")?;
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    let mut stream = connect(authority, host, roots)?;
    let id = correlation_id()?;
    let request = format!(
        "GET /{path} HTTP/1.1\r\nauthorization: Bearer {token}\r\naccept: application/json\r\n\
         x-ms-correlation-id: {id}\r\nuser-agent: floor\r\nhost: {authority}\r\n\r\n"
    );
    stream.write_all(request.as_bytes())?;
    let body = answer(&mut stream)?;
    let list: List = serde_json::from_slice(&body)?;
    io::stdout().write_all(table(&list.items)?.as_bytes())?;
    Ok(())
}

/// The access token of the profile `default`.
fn token(sign_ins: &str) -> Result<String> {
    let saved: Value = serde_json::from_slice(&std::fs::read(sign_ins)?)?;
    let tenants = saved["profiles"]["default"]["tenants"].as_object().ok_or("no sign-in")?;
    let token = tenants.values().next().and_then(|tenant| tenant["accessToken"].as_str());
    Ok(token.ok_or("no access token")?.to_owned())
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

/// A random GUID, as the service wants one with each request.
fn correlation_id() -> Result<String> {
    let mut bytes = [0; 16];
    SystemRandom::new().fill(&mut bytes).map_err(|_| "no randomness")?;
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let mut text = String::with_capacity(36);
    for (at, byte) in bytes.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        write!(text, "{byte:02x}")?;
    }
    Ok(text)
}

/// The body of an answer that says its length and that all went well.
fn answer(stream: &mut impl Read) -> Result<Vec<u8>> {
    let message = Message::read(stream)?.ok_or("the answer broke off")?;
    if !message.head.starts_with("HTTP/1.1 200 ") {
        return Err(message.head.lines().next().unwrap_or_default().into());
    }
    message.header("content-length").ok_or("no length")?;
    Ok(message.body)
}

fn table(items: &[Item]) -> Result<String> {
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
