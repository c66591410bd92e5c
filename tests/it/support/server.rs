//! Servers that misbehave in ways a well-made mock server does not: they count connections and TLS handshakes,
//! break off, say nothing, or speak another protocol.

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

/// How long to wait for something that is bound to come; more than any machine needs.
pub(crate) const TEST_TIMEOUT: Duration = Duration::from_secs(60);

const SECONDS_A_DAY: u64 = 24 * 60 * 60;

/// What arrived at a server.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recorded {
    pub(crate) connections: usize,
    /// TLS handshakes that were completed.
    pub(crate) handshakes: usize,
    pub(crate) requests: Vec<Received>,
}

impl Recorded {
    /// The requests, a line each.
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
    fn note(&self, change: impl FnOnce(&mut Recorded)) {
        change(&mut self.recorded.lock().unwrap());
        self.changed.notify_all();
    }
}

/// A server on a free port of 127.0.0.1, which hands each connection to a function on a thread of its own.
pub(crate) struct Server {
    address: SocketAddr,
    log: Arc<Log>,
    is_stopping: Arc<AtomicBool>,
    last_caller: Sender<SocketAddr>,
    acceptor: Option<JoinHandle<Vec<JoinHandle<()>>>>,
}

impl Server {
    pub(crate) fn start(serve: impl Fn(Connection) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let (log, is_stopping) = (Arc::<Log>::default(), Arc::<AtomicBool>::default());
        let (last_caller, last_of_all) = mpsc::channel();
        let acceptor = {
            let (log, is_stopping) = (Arc::clone(&log), Arc::clone(&is_stopping));
            thread::spawn(move || accept(&listener, &log, &is_stopping, &last_of_all, &Arc::new(serve)))
        };
        Self { address, log, is_stopping, last_caller, acceptor: Some(acceptor) }
    }

    /// A server that nothing should come to: it hangs up on whoever does.
    pub(crate) fn unexpected() -> Self {
        Self::start(drop)
    }

    /// A server that gives every request the same answer, byte for byte, and then closes the connection.
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

    /// Certificates are made for names, so this address is one with a name.
    pub(crate) fn https(&self) -> String {
        format!("https://localhost:{}", self.port())
    }

    /// Returns as soon as what has arrived fits.
    #[track_caller]
    #[cfg(unix)]
    pub(crate) fn wait_until(&self, fits: impl Fn(&Recorded) -> bool) {
        let recorded = self.log.recorded.lock().unwrap();
        let (recorded, waited) =
            self.log.changed.wait_timeout_while(recorded, TEST_TIMEOUT, |recorded| !fits(recorded)).unwrap();
        assert!(!waited.timed_out(), "only this arrived: {recorded:?}");
    }

    /// Everything that arrived. Connections are accepted in order, so once the one made here has been, there is
    /// none left that was made before; the clients must have ended.
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
        self.last_caller.send(caller.local_addr().unwrap()).unwrap();
        Some(acceptor)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A test that failed may have left a client behind, so nothing is waited for.
        self.stop();
    }
}

fn accept(
    listener: &TcpListener,
    log: &Arc<Log>,
    is_stopping: &AtomicBool,
    last_of_all: &Receiver<SocketAddr>,
    serve: &Arc<impl Fn(Connection) + Send + Sync + 'static>,
) -> Vec<JoinHandle<()>> {
    let (mut connections, mut last_caller) = (Vec::new(), None);
    while let Ok((stream, caller)) = listener.accept() {
        if is_stopping.load(Ordering::SeqCst) && last_caller.is_none() {
            last_caller = last_of_all.recv().ok();
        }
        if last_caller == Some(caller) {
            break;
        }
        log.note(|recorded| recorded.connections += 1);
        stream.set_read_timeout(Some(TEST_TIMEOUT)).unwrap();
        let connection = Connection { stream: Box::new(stream), unread: Vec::new(), log: Arc::clone(log) };
        let serve = Arc::clone(serve);
        connections.push(thread::spawn(move || serve(connection)));
    }
    connections
}

trait Stream: Read + Write + Send {}
impl<S: Read + Write + Send> Stream for S {}

/// One connection, seen from the server. A client that has gone is no failure: many tests make it leave.
pub(crate) struct Connection {
    stream: Box<dyn Stream>,
    unread: Vec<u8>,
    log: Arc<Log>,
}

impl Connection {
    /// The next request, or nothing where the client has closed the connection.
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
        self.log.note(|recorded| recorded.requests.push(request.clone()));
        Some(request)
    }

    /// Sends an answer with a body of JSON; the connection stays open. False where the client has gone.
    pub(crate) fn respond_json(&mut self, body: &str) -> bool {
        self.send(http_response(200, "application/json", body).as_bytes())
    }

    /// Sends bytes. False where the client has gone.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).and_then(|()| self.stream.flush()).is_ok()
    }

    /// The bytes of one TLS record: what a client says first.
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

    /// Waits until the client closes the connection, whatever it says before.
    pub(crate) fn wait_for_close(&mut self) {
        while self.read_more().is_some() {
            self.unread.clear();
        }
    }

    /// Goes on with TLS, or not at all where the client breaks the handshake off.
    pub(crate) fn accept_tls(self, config: &Arc<ServerConfig>) -> Option<Self> {
        let Self { mut stream, log, .. } = self;
        let mut tls = ServerConnection::new(Arc::clone(config)).unwrap();
        while tls.is_handshaking() {
            tls.complete_io(&mut stream).ok()?;
        }
        log.note(|recorded| recorded.handshakes += 1);
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

/// A whole answer as it goes over the wire.
pub(crate) fn http_response(status: u16, content_type: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status} Something\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// A port that refuses connections for as long as this lives: it is taken, but nobody listens. A port that was
/// closed could be given to another test.
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

/// A certificate authority of the test's own.
pub(crate) struct TestCa(CertifiedIssuer<'static, KeyPair>);

/// When a certificate is valid.
#[derive(Clone, Copy)]
pub(crate) enum Validity {
    Valid,
    Expired,
    NotYetValid,
}

impl TestCa {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::default();
        // Two authorities of one name would be taken for each other.
        params.distinguished_name.push(DnType::CommonName, format!("An authority made by a test, {}", Uuid::new_v4()));
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// The authority's certificate, as `SSL_CERT_FILE` wants it.
    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    /// A server that shows a certificate for `localhost`, valid now, in every TLS version that is secure.
    pub(crate) fn localhost_config(&self) -> Arc<ServerConfig> {
        self.server("localhost", Validity::Valid, rustls::ALL_VERSIONS)
    }

    pub(crate) fn server(
        &self,
        name: &str,
        validity: Validity,
        versions: &[&'static SupportedProtocolVersion],
    ) -> Arc<ServerConfig> {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        // Apple's systems trust no server's certificate that is valid for years.
        let (first, last) = match validity {
            Validity::Valid => (-2, 30),
            Validity::Expired => (-60, -30),
            Validity::NotYetValid => (30, 60),
        };
        let today = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs() / SECONDS_A_DAY;
        let on = |days: i64| {
            let day = today.checked_add_signed(days).unwrap();
            date_time_ymd(1970, 1, 1) + Duration::from_secs(day * SECONDS_A_DAY)
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
