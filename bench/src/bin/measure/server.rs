//! The benchmark server: TLS, one thread for each connection, prepared responses.
//!
//! The endpoint `https://localhost:PORT/PRODUCTS/MILLISECONDS` has that number of products and that latency.

use std::collections::HashMap;
use std::io::Write;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use mscommerce_bench::Message;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::Value;

use crate::Result;
use crate::catalog::Catalog;

/// A running server. It stops with the process.
pub(crate) struct Server {
    port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    /// The expected `Authorization` header.
    authorization: String,
    catalogs: Mutex<HashMap<usize, Catalog>>,
}

impl Server {
    /// Starts on a free loopback port and accepts requests with this token.
    pub(crate) fn start(config: &Arc<ServerConfig>, token: &str) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        let shared = Arc::new(Shared { authorization: format!("Bearer {token}"), catalogs: Mutex::default() });
        let (config, accepted) = (Arc::clone(config), Arc::clone(&shared));
        thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                let (config, shared) = (Arc::clone(&config), Arc::clone(&accepted));
                // The thread ends with the connection.
                thread::spawn(move || serve(socket, config, &shared).ok());
            }
        });
        Ok(Self { port, shared })
    }

    /// Returns the endpoint with this number of products and this latency.
    pub(crate) fn endpoint(&self, products: usize, latency: Duration) -> String {
        format!("https://localhost:{}/{products}/{}", self.port, latency.as_millis())
    }

    /// Gives access to the products of an endpoint.
    pub(crate) fn with_catalog<T>(&self, products: usize, access: impl FnOnce(&mut Catalog) -> T) -> T {
        access(self.shared.catalogs().entry(products).or_insert_with(|| Catalog::new(products)))
    }
}

impl Shared {
    fn catalogs(&self) -> MutexGuard<'_, HashMap<usize, Catalog>> {
        self.catalogs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn serve(socket: TcpStream, config: Arc<ServerConfig>, shared: &Shared) -> Result<()> {
    socket.set_nodelay(true)?;
    let mut stream = StreamOwned::new(ServerConnection::new(config)?, socket);
    while let Some(request) = Message::read(&mut stream)? {
        let (status, body) = respond(&request, shared);
        let mut response = format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: {}\r\n\r\n",
            body.len()
        )
        .into_bytes();
        response.extend_from_slice(&body);
        stream.write_all(&response)?;
        stream.flush()?;
    }
    Ok(())
}

fn respond(request: &Message, shared: &Shared) -> (&'static str, Arc<[u8]>) {
    let error = |status| (status, Arc::from(&b"{}"[..]));
    if request.header("authorization") != Some(&shared.authorization) {
        return error("401 Unauthorized");
    }
    let mut request_line = request.head.split(' ');
    let (method, path) = (request_line.next().unwrap_or_default(), request_line.next().unwrap_or_default());
    let Some((products, latency, rest)) = parse_path(path) else { return error("404 Not Found") };
    if !latency.is_zero() {
        thread::sleep(latency);
    }
    let mut catalogs = shared.catalogs();
    let catalog = catalogs.entry(products).or_insert_with(|| Catalog::new(products));
    let body = match (method, rest.strip_prefix("AllowSelfServicePurchase/products")) {
        ("GET", Some("?scope=product")) => Some(catalog.list()),
        ("GET", Some("?scope=offerType" | "?scope=OfferType")) => Some(Arc::from(&br#"{"items":[]}"#[..])),
        ("PUT", Some(id)) => update(catalog, id, &request.body),
        _ => None,
    };
    body.map_or_else(|| error("404 Not Found"), |body| ("200 OK", body))
}

fn update(catalog: &mut Catalog, id: &str, body: &[u8]) -> Option<Arc<[u8]>> {
    let body: Value = serde_json::from_slice(body).ok()?;
    catalog.update(id.strip_prefix('/')?, body["policyValue"].as_str()?).map(Arc::from)
}

/// Splits a path into the number of products, the latency and the part after `/v1.0/policies/`.
fn parse_path(path: &str) -> Option<(usize, Duration, &str)> {
    let (endpoint, rest) = path.split_once("/v1.0/policies/")?;
    let (products, latency) = endpoint.strip_prefix('/')?.split_once('/')?;
    Some((products.parse().ok()?, Duration::from_millis(latency.parse().ok()?), rest))
}
