//! The server that all clients ask: TLS, a thread for each connection, and answers that are ready to be sent.
//!
//! The address says what is wanted: `https://localhost:PORT/PRODUCTS/MILLISECONDS` is an endpoint with so many products
//! that waits so long before each answer.

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

/// A running server; it ends with the process.
pub(crate) struct Server {
    port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    /// What requests have to prove themselves by.
    authorization: String,
    catalogs: Mutex<HashMap<usize, Catalog>>,
}

impl Server {
    /// Starts on a free port of this machine, for requests with this token.
    pub(crate) fn start(config: &Arc<ServerConfig>, token: &str) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        let shared = Arc::new(Shared { authorization: format!("Bearer {token}"), catalogs: Mutex::default() });
        let (config, served) = (Arc::clone(config), Arc::clone(&shared));
        thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                let (config, shared) = (Arc::clone(&config), Arc::clone(&served));
                // A client that ends its connection ends this thread.
                thread::spawn(move || serve(socket, config, &shared).ok());
            }
        });
        Ok(Self { port, shared })
    }

    /// The endpoint with so many products, each answer of which takes so long.
    pub(crate) fn endpoint(&self, products: usize, latency: Duration) -> String {
        format!("https://localhost:{}/{products}/{}", self.port, latency.as_millis())
    }

    /// Looks at the products of an endpoint.
    pub(crate) fn with_catalog<T>(&self, products: usize, look: impl FnOnce(&mut Catalog) -> T) -> T {
        look(self.shared.catalogs().entry(products).or_insert_with(|| Catalog::new(products)))
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
        let (status, body) = answer(&request, shared);
        let mut message = format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: {}\r\n\r\n",
            body.len()
        )
        .into_bytes();
        message.extend_from_slice(&body);
        stream.write_all(&message)?;
        stream.flush()?;
    }
    Ok(())
}

fn answer(request: &Message, shared: &Shared) -> (&'static str, Arc<[u8]>) {
    let refused = |status| (status, Arc::from(&b"{}"[..]));
    if request.header("authorization") != Some(&shared.authorization) {
        return refused("401 Unauthorized");
    }
    let mut words = request.head.split(' ');
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let Some((products, latency, rest)) = place(path) else { return refused("404 Not Found") };
    if !latency.is_zero() {
        thread::sleep(latency);
    }
    let mut catalogs = shared.catalogs();
    let catalog = catalogs.entry(products).or_insert_with(|| Catalog::new(products));
    let answer = match (method, rest.strip_prefix("AllowSelfServicePurchase/products")) {
        ("GET", Some("?scope=product")) => Some(catalog.list()),
        ("GET", Some("?scope=offerType" | "?scope=OfferType")) => Some(Arc::from(&br#"{"items":[]}"#[..])),
        ("PUT", Some(id)) => changed(catalog, id, &request.body),
        _ => None,
    };
    answer.map_or_else(|| refused("404 Not Found"), |body| ("200 OK", body))
}

fn changed(catalog: &mut Catalog, id: &str, body: &[u8]) -> Option<Arc<[u8]>> {
    let body: Value = serde_json::from_slice(body).ok()?;
    catalog.change(id.strip_prefix('/')?, body["policyValue"].as_str()?).map(Arc::from)
}

/// How many products there are, how long answers take, and what lies behind `/v1.0/policies/`.
fn place(path: &str) -> Option<(usize, Duration, &str)> {
    let (endpoint, rest) = path.split_once("/v1.0/policies/")?;
    let (products, latency) = endpoint.strip_prefix('/')?.split_once('/')?;
    Some((products.parse().ok()?, Duration::from_millis(latency.parse().ok()?), rest))
}
