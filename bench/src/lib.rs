//! What the floor and the server that it is measured at share: reading a message of HTTP/1.1.

use std::io::{self, Read};

/// A request or an answer.
pub struct Message {
    /// The first line and the headers, without the empty line behind them.
    pub head: String,
    /// As long as the headers say.
    pub body: Vec<u8>,
}

impl Message {
    /// The next message of a connection; `None` where the connection ends before one is whole.
    ///
    /// # Errors
    ///
    /// Fails where the connection fails.
    pub fn read(stream: &mut impl Read) -> io::Result<Option<Self>> {
        let mut received = Vec::new();
        let mut chunk = [0; 16 * 1024];
        let end = loop {
            if let Some(at) = received.windows(4).position(|window| window == b"\r\n\r\n") {
                break at;
            }
            match stream.read(&mut chunk)? {
                0 => return Ok(None),
                read => received.extend_from_slice(&chunk[..read]),
            }
        };
        let body = received.split_off(end + 4);
        received.truncate(end);
        let mut message = Self { head: String::from_utf8_lossy(&received).into_owned(), body };
        let begun = message.body.len();
        let length = message.header("content-length").and_then(|length| length.parse().ok()).unwrap_or_default();
        message.body.resize(length, 0);
        if begun < length {
            stream.read_exact(&mut message.body[begun..])?;
        }
        Ok(Some(message))
    }

    /// The value of the first header of this name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.head.lines().filter_map(|line| line.split_once(':'));
        headers.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }
}
