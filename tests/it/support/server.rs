//! Servers that a mock server cannot replace: they count connections and TLS handshakes, close connections early, send
//! nothing, or speak another protocol.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned, SupportedProtocolVersion};
use uuid::Uuid;

use crate::tenant::Received;

/// How long to wait for an expected event: longer than any machine needs.
pub(crate) const TEST_TIMEOUT: Duration = Duration::from_secs(60);

const SECONDS_PER_DAY: u64 = 24 * 60 * 60;

/// Everything that arrived at a server.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recorded {
    pub(crate) connections: usize,
    /// Completed TLS handshakes.
    pub(crate) handshakes: usize,
    pub(crate) requests: Vec<Received>,
}

impl Recorded {
    /// The requests, one line each.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.requests.iter().map(Received::line).collect()
    }
}

#[derive(Default)]
struct Log {
    recorded: Mutex<Recorded>,
    changed: Condvar,
}

impl Log {
    fn update(&self, change: impl FnOnce(&mut Recorded)) {
        change(&mut self.recorded.lock().unwrap());
        self.changed.notify_all();
    }
}

/// A server on a free port of 127.0.0.1. It passes each connection to a function on its own thread.
pub(crate) struct Server {
    address: SocketAddr,
    log: Arc<Log>,
    is_stopping: Arc<AtomicBool>,
    stop_address: Sender<SocketAddr>,
    acceptor: Option<JoinHandle<Vec<JoinHandle<()>>>>,
}

impl Server {
    pub(crate) fn start(serve: impl Fn(Connection) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let (log, is_stopping) = (Arc::<Log>::default(), Arc::<AtomicBool>::default());
        let (stop_address, stop_receiver) = mpsc::channel();
        let acceptor = {
            let (log, is_stopping) = (Arc::clone(&log), Arc::clone(&is_stopping));
            thread::spawn(move || accept(&listener, &log, &is_stopping, &stop_receiver, &Arc::new(serve)))
        };
        Self { address, log, is_stopping, stop_address, acceptor: Some(acceptor) }
    }

    /// A server that must not be contacted. It closes every connection.
    pub(crate) fn unexpected() -> Self {
        Self::start(drop)
    }

    /// A server that sends these bytes in response to the first request of each connection, then closes it.
    pub(crate) fn responding_with(response: impl Into<Vec<u8>>) -> Self {
        let response = response.into();
        Self::start(move |mut connection| {
            if connection.read_request().is_some() {
                connection.send(&response);
            }
        })
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    pub(crate) fn http(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The address by name, because certificates are for names.
    pub(crate) fn https(&self) -> String {
        format!("https://localhost:{}", self.port())
    }

    /// Waits until what has arrived satisfies the condition.
    #[track_caller]
    #[cfg(unix)]
    pub(crate) fn wait_until(&self, condition: impl Fn(&Recorded) -> bool) {
        let recorded = self.log.recorded.lock().unwrap();
        let (recorded, waited) =
            self.log.changed.wait_timeout_while(recorded, TEST_TIMEOUT, |recorded| !condition(recorded)).unwrap();
        assert!(!waited.timed_out(), "only this arrived: {recorded:?}");
    }

    /// Stops the server and returns everything that arrived. Connections are accepted in order, so the one that `stop`
    /// makes is the last. The clients must have exited.
    pub(crate) fn finish(mut self) -> Recorded {
        let acceptor = self.stop().expect("a server is finished once");
        for connection in acceptor.join().unwrap() {
            connection.join().unwrap();
        }
        self.log.recorded.lock().unwrap().clone()
    }

    fn stop(&mut self) -> Option<JoinHandle<Vec<JoinHandle<()>>>> {
        let acceptor = self.acceptor.take()?;
        self.is_stopping.store(true, Ordering::SeqCst);
        let caller = TcpStream::connect(self.address).unwrap();
        self.stop_address.send(caller.local_addr().unwrap()).unwrap();
        Some(acceptor)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // No wait: a failed test may have left a client running.
        self.stop();
    }
}

fn accept(
    listener: &TcpListener,
    log: &Arc<Log>,
    is_stopping: &AtomicBool,
    stop_receiver: &Receiver<SocketAddr>,
    serve: &Arc<impl Fn(Connection) + Send + Sync + 'static>,
) -> Vec<JoinHandle<()>> {
    let (mut connections, mut stop_address) = (Vec::new(), None);
    while let Ok((stream, caller)) = listener.accept() {
        if is_stopping.load(Ordering::SeqCst) && stop_address.is_none() {
            stop_address = stop_receiver.recv().ok();
        }
        if stop_address == Some(caller) {
            break;
        }
        log.update(|recorded| recorded.connections += 1);
        stream.set_read_timeout(Some(TEST_TIMEOUT)).unwrap();
        let connection = Connection { stream: Box::new(stream), unread: Vec::new(), log: Arc::clone(log) };
        let serve = Arc::clone(serve);
        connections.push(thread::spawn(move || serve(connection)));
    }
    connections
}

trait Stream: Read + Write + Send {}
impl<S: Read + Write + Send> Stream for S {}

/// The server's side of a connection. A client that has disconnected is not an error: many tests cause that.
pub(crate) struct Connection {
    stream: Box<dyn Stream>,
    unread: Vec<u8>,
    log: Arc<Log>,
}

impl Connection {
    /// The next request, or `None` if the client has closed the connection.
    pub(crate) fn read_request(&mut self) -> Option<Received> {
        let end = loop {
            if let Some(start) = self.unread.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break start + 4;
            }
            self.read_more()?;
        };
        let head = String::from_utf8(self.unread.drain(..end).collect()).unwrap();
        let mut lines = head.lines();
        let mut first = lines.next()?.split(' ');
        let (method, target) = (first.next()?.to_owned(), first.next()?);
        let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
        let headers: Vec<_> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
            .collect();
        let mut request =
            Received { method, path: path.to_owned(), query: query.map(str::to_owned), headers, body: String::new() };
        let length = request.header("content-length").map_or(0, |length| length.parse().unwrap());
        while self.unread.len() < length {
            self.read_more()?;
        }
        request.body = String::from_utf8(self.unread.drain(..length).collect()).unwrap();
        self.log.update(|recorded| recorded.requests.push(request.clone()));
        Some(request)
    }

    /// Sends a response with a JSON body and keeps the connection open. False if the client has disconnected.
    pub(crate) fn respond_json(&mut self, body: &str) -> bool {
        self.send(http_response(200, "application/json", body).as_bytes())
    }

    /// Sends bytes. False if the client has disconnected.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).and_then(|()| self.stream.flush()).is_ok()
    }

    /// The bytes of one TLS record, such as the `ClientHello`.
    pub(crate) fn tls_record(&mut self) -> Option<Vec<u8>> {
        loop {
            if let [_, _, _, high, low, ..] = self.unread[..] {
                let length = 5 + usize::from(u16::from_be_bytes([high, low]));
                if self.unread.len() >= length {
                    return Some(self.unread.drain(..length).collect());
                }
            }
            self.read_more()?;
        }
    }

    /// Discards input until the client closes the connection.
    pub(crate) fn wait_for_close(&mut self) {
        while self.read_more().is_some() {
            self.unread.clear();
        }
    }

    /// Performs the TLS handshake; `None` if the client aborts it.
    pub(crate) fn accept_tls(self, config: &Arc<ServerConfig>) -> Option<Self> {
        let Self { mut stream, log, .. } = self;
        let mut tls = ServerConnection::new(Arc::clone(config)).unwrap();
        while tls.is_handshaking() {
            tls.complete_io(&mut stream).ok()?;
        }
        log.update(|recorded| recorded.handshakes += 1);
        Some(Self { stream: Box::new(StreamOwned::new(tls, stream)), unread: Vec::new(), log })
    }

    fn read_more(&mut self) -> Option<()> {
        let mut buffer = [0; 4096];
        loop {
            match self.stream.read(&mut buffer) {
                Ok(0) => return None,
                Ok(count) => {
                    self.unread.extend_from_slice(&buffer[..count]);
                    return Some(());
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return None,
            }
        }
    }
}

/// A complete HTTP/1.1 response.
pub(crate) fn http_response(status: u16, content_type: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status} Something\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// A port that refuses connections: bound, but not listening. A closed port could be reused by another test.
pub(crate) struct RefusingPort(tokio::net::TcpSocket);

impl RefusingPort {
    pub(crate) fn new() -> Self {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        Self(socket)
    }

    pub(crate) fn http(&self) -> String {
        format!("http://{}", self.0.local_addr().unwrap())
    }
}

/// A certificate authority for one test.
pub(crate) struct TestCa(CertifiedIssuer<'static, KeyPair>);

/// The validity period of a certificate.
#[derive(Clone, Copy)]
pub(crate) enum Validity {
    Valid,
    Expired,
    NotYetValid,
}

impl TestCa {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::default();
        // Clients confuse two authorities with the same name.
        params.distinguished_name.push(DnType::CommonName, format!("Test CA {}", Uuid::new_v4()));
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// The CA certificate in PEM, for `SSL_CERT_FILE`.
    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    /// A server configuration with a valid certificate for `localhost` and every TLS version that rustls supports.
    pub(crate) fn localhost_config(&self) -> Arc<ServerConfig> {
        self.server_config("localhost", Validity::Valid, rustls::ALL_VERSIONS)
    }

    pub(crate) fn server_config(
        &self,
        name: &str,
        validity: Validity,
        versions: &[&'static SupportedProtocolVersion],
    ) -> Arc<ServerConfig> {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        // Apple's systems reject server certificates that are valid for years.
        let (first, last) = match validity {
            Validity::Valid => (-2, 30),
            Validity::Expired => (-60, -30),
            Validity::NotYetValid => (30, 60),
        };
        let today = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs() / SECONDS_PER_DAY;
        let on = |days: i64| {
            let day = today.checked_add_signed(days).unwrap();
            date_time_ymd(1970, 1, 1) + Duration::from_secs(day * SECONDS_PER_DAY)
        };
        (params.not_before, params.not_after) = (on(first), on(last));
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder_with_provider(rustls::crypto::ring::default_provider().into())
            .with_protocol_versions(versions)
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        Arc::new(config)
    }
}
