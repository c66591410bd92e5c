//! The code that a browser brings: redeemed once, whatever befalls the request or the browser.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::process::{Child, ChildStderr};

use url::Url;

use crate::support::cli::CliResult;
use crate::support::env::TestEnv;
use crate::support::server::{Connection, Server};
use crate::tenant::{authorize, post_form};

/// The executable, waiting for a browser.
struct Waiting {
    child: Child,
    stderr: BufReader<ChildStderr>,
    url: Url,
}

impl Waiting {
    fn start(env: &TestEnv, authority: &str) -> Self {
        let mut command = env.command(&["connect", "--no-browser"]);
        let mut child = command.env("AZURE_AUTHORITY_HOST", authority).spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        while !line.contains("/oauth2/v2.0/authorize?") {
            line.clear();
            assert_ne!(stderr.read_line(&mut line).unwrap(), 0, "no address was shown");
        }
        Self { child, stderr, url: line.trim().parse().unwrap() }
    }

    fn parameter(&self, name: &str) -> String {
        self.url.query_pairs().find(|(key, _)| key == name).unwrap().1.into_owned()
    }

    fn finish(mut self) -> CliResult {
        let mut stderr = String::new();
        self.stderr.read_to_string(&mut stderr).unwrap();
        let code = self.child.wait().unwrap().code().unwrap_or(-1);
        CliResult { code, stdout: String::new(), stderr }
    }
}

#[test]
fn a_code_whose_request_breaks_off_is_not_sent_again() {
    let ways: [fn(&mut Connection); 2] = [
        |_| {},
        |connection| {
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{");
        },
    ];
    for end in ways {
        let server = Server::start(move |mut connection| {
            if connection.read_request().is_some() {
                end(&mut connection);
            }
        });
        let env = TestEnv::new();
        let waiting = Waiting::start(&env, &server.http());
        let (redirect, state) = (waiting.parameter("redirect_uri"), waiting.parameter("state"));
        post_form(&redirect, &[("code", "the-code"), ("state", &state)]);
        waiting.finish().assert_code(1).stderr_contains(&["broke off before the answer was complete"]);
        let recorded = server.finish();
        assert_eq!(recorded.requests.len(), 1, "{recorded:?}");
        assert!(recorded.requests[0].body.contains("the-code"));
        assert!(!env.cache_path().exists());
    }
}

#[test]
fn a_code_that_is_brought_several_times_is_redeemed_once() {
    let env = TestEnv::new();
    let waiting = Waiting::start(&env, &env.tenant.url());
    let port = Url::parse(&waiting.parameter("redirect_uri")).unwrap().port().unwrap();
    let form = authorize(waiting.url.as_str()).sign_in().clone();
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(&form.fields).finish();
    let request = format!(
        "POST /m365/commerce HTTP/1.1\r\nHost: localhost:{port}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let (most, last) = request.split_at(request.len() - 1);
    let browsers: Vec<TcpStream> = (0..8)
        .map(|_| {
            let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
            stream.write_all(most.as_bytes()).unwrap();
            stream
        })
        .collect();
    // Whoever comes late may find the executable gone.
    for mut stream in &browsers {
        let _ = stream.write_all(last.as_bytes());
    }
    let landed = browsers.into_iter().filter(|mut stream| {
        let mut response = Vec::new();
        let _ = stream.read_to_end(&mut response);
        response.starts_with(b"HTTP/1.1 200 ")
    });
    assert_eq!(landed.count(), 1);
    waiting.finish().assert_code(0);
    assert_eq!(env.token_requests().len(), 1);
}
