//! A forwarder that loses responses, to record the behaviour of the executable that a restructuring must not change
//! when it cannot know whether a change was made.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Forwards requests to the simulated tenant. Its thread ends with the test process.
pub(crate) struct LossyProxy {
    url: String,
}

impl LossyProxy {
    /// Loses the responses to the first `lost` changes, which arrive nevertheless.
    pub(crate) fn start(tenant: &str, lost: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let tenant = tenant.trim_start_matches("http://").to_owned();
        thread::spawn(move || {
            let lost = AtomicUsize::new(lost);
            for connection in listener.incoming().flatten() {
                // A connection that ends early is the test's business, not an error here.
                let _ = forward(connection, &tenant, &lost);
            }
        });
        Self { url }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

/// Forwards one request, and closes the connection.
fn forward(mut client: TcpStream, tenant: &str, lost: &AtomicUsize) -> io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line == "\r\n" {
            break;
        }
        head += &line;
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;

    let mut server = TcpStream::connect(tenant)?;
    server.write_all(format!("{head}Connection: close\r\n\r\n").as_bytes())?;
    server.write_all(&body)?;
    let mut response = Vec::new();
    server.read_to_end(&mut response)?;
    let is_lost = head.starts_with("PUT ")
        && lost.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok();
    if is_lost { Ok(()) } else { client.write_all(&response) }
}
