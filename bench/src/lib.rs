//! Reads HTTP/1.1 messages: shared by the hand-written client and the benchmark server.

use std::io::{self, Read};

/// A request or a response.
pub struct Message {
    /// First line and headers, without the empty line after them.
    pub head: String,
    /// As long as `Content-Length` says.
    pub body: Vec<u8>,
}

impl Message {
    /// Reads the next message of a connection, or `None` if the connection ends before a message is complete.
    ///
    /// # Errors
    ///
    /// Returns the error of the connection.
    pub fn read(stream: &mut impl Read) -> io::Result<Option<Self>> {
        let mut received = Vec::new();
        let mut chunk = [0; 16 * 1024];
        let head_end = loop {
            if let Some(position) = received.windows(4).position(|window| window == b"\r\n\r\n") {
                break position;
            }
            match stream.read(&mut chunk)? {
                0 => return Ok(None),
                count => received.extend_from_slice(&chunk[..count]),
            }
        };
        let body = received.split_off(head_end + 4);
        received.truncate(head_end);
        let mut message = Self { head: String::from_utf8_lossy(&received).into_owned(), body };
        let received_len = message.body.len();
        let content_length = message.header("content-length").and_then(|value| value.parse().ok()).unwrap_or_default();
        message.body.resize(content_length, 0);
        if received_len < content_length {
            stream.read_exact(&mut message.body[received_len..])?;
        }
        Ok(Some(message))
    }

    /// Returns the value of the first header with this name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.head.lines().filter_map(|line| line.split_once(':'));
        headers.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }
}
