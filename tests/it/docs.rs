//! The documents quote real error texts and real commands, and their links resolve.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use serde_json::json;

use crate::support::cli::CliResult;
use crate::support::env::TestEnv;
use crate::support::fixtures::{
    CAPTIVE_PORTAL_PAGE, DISABLED_PRODUCT, ENABLED_PRODUCT, OLD_POWER_BI, POWER_BI, TRIALS, UNKNOWN_TENANT, VISIO,
};
use crate::support::server::{RefusingPort, Server, TestCa, Validity, http_response};
use crate::tenant::certificates::TestCertificate;
use crate::tenant::{
    ADMIN, APP_ID, APP_SECRET, CUSTOMER_TENANT, HOME_TENANT, PASSWORD, Product, READ_PERMISSION, Response,
};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The Markdown files in the root of the repository and below `docs`, with their text.
fn documents() -> Vec<(PathBuf, String)> {
    let mut paths = markdown_files(root(), false);
    paths.extend(markdown_files(&root().join("docs"), true));
    assert!(paths.len() > 5, "{} documents", paths.len());
    paths.into_iter().map(|path| (path.clone(), fs::read_to_string(&path).unwrap())).collect()
}

fn markdown_files(directory: &Path, recursive: bool) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.flat_map(|path| match path.is_dir() {
        true if recursive => markdown_files(&path, true),
        true => Vec::new(),
        false => vec![path],
    });
    files.filter(|path| path.extension().is_some_and(|extension| extension == "md")).collect()
}

const TROUBLESHOOTING: &str = include_str!("../../docs/troubleshooting.md");

/// Texts between backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// Whether one line of `output` contains the quoted error text, which has `{placeholders}` for what varies.
fn says(output: &str, quote: &str) -> bool {
    let parts: Vec<&str> = quote.split('{').map(|part| part.split_once('}').map_or(part, |(_, rest)| rest)).collect();
    output.lines().any(|line| {
        let mut rest = line;
        parts.iter().all(|part| rest.split_once(part.trim()).map(|(_, after)| rest = after).is_some())
    })
}

/// A run whose error text is a heading of docs/troubleshooting.md.
struct ErrorCase {
    heading: &'static str,
    run: fn() -> CliResult,
}

const LIST: &[&str] = &["products", "list"];
const CONNECT: &[&str] = &["connect", "--username", ADMIN, "--password-stdin"];
const DISABLE: &[&str] = &["product", "update", POWER_BI, "--value", "disabled"];
const APPLICATION: [(&str, &str); 3] =
    [("AZURE_CLIENT_ID", APP_ID), ("AZURE_TENANT_ID", HOME_TENANT), ("AZURE_CLIENT_SECRET", APP_SECRET)];

/// Lists products with a valid token and these variables.
fn list(variables: &[(&str, &str)]) -> CliResult {
    let env = TestEnv::new();
    let token = env.tenant.issue_token(ADMIN, HOME_TENANT, 3600);
    env.run_with_env(&[&[("MSCOMMERCE_TOKEN", token.as_str())], variables].concat(), LIST)
}

/// Lists products at this endpoint.
fn list_at(endpoint: &str) -> CliResult {
    list(&[("MSCOMMERCE_ENDPOINT", endpoint)])
}

/// Lists products at a server that sends this response.
fn list_with_response(response: &str) -> CliResult {
    list_at(&Server::responding_with(response).http())
}

/// Lists products through a proxy that sends this response.
fn list_through_proxy(response: &str) -> CliResult {
    let proxy = Server::responding_with(response);
    list(&[("MSCOMMERCE_ENDPOINT", "https://licensing.example"), ("HTTPS_PROXY", &proxy.http())])
}

/// Lists products at a TLS server with this certificate, trusting its issuer.
fn list_over_tls(name: &str, validity: Validity) -> CliResult {
    let ca = TestCa::new();
    let config = ca.server_config(name, validity, rustls::ALL_VERSIONS);
    let server = Server::start(move |connection| drop(connection.accept_tls(&config)));
    let directory = tempfile::tempdir().unwrap();
    let roots = directory.path().join("roots.pem");
    fs::write(&roots, ca.pem()).unwrap();
    list(&[("MSCOMMERCE_ENDPOINT", &server.https()), ("SSL_CERT_FILE", roots.to_str().unwrap())])
}

/// Updates a product whose update request gets this response.
fn update_with_response(response: Response) -> CliResult {
    let env = TestEnv::signed_in();
    env.tenant.fail_next("PUT ", response);
    env.run(DISABLE)
}

const ERROR_CASES: &[ErrorCase] = &[
    ErrorCase { heading: "could not resolve the host name {name}", run: || list_at("https://nowhere.invalid") },
    ErrorCase { heading: "refused the connection", run: || list_at(&RefusingPort::new().http()) },
    ErrorCase {
        heading: "{host} did not respond within {seconds} s",
        run: || {
            let server = Server::start(|mut connection| connection.wait_for_close());
            let env = TestEnv::signed_in();
            env.run_with_env(&[("MSCOMMERCE_ENDPOINT", &server.http())], &["products", "list", "--timeout", "1"])
        },
    },
    ErrorCase {
        heading: "the connection to {host} was lost before the response was complete",
        run: || list_at(&Server::start(|mut connection| drop(connection.read_request())).http()),
    },
    ErrorCase {
        heading: "received a web page instead of a response from {host}",
        run: || list_with_response(&http_response(200, "text/html", CAPTIVE_PORTAL_PAGE)),
    },
    ErrorCase {
        heading: "{host} returned {status} with a redirect to {address}",
        run: || {
            list_with_response(
                "HTTP/1.1 302 Found\r\nLocation: https://elsewhere.example/\r\nContent-Length: 0\r\n\r\n",
            )
        },
    },
    ErrorCase {
        heading: "uses http; use https, except for an address of this machine",
        run: || list_at("http://licensing.example"),
    },
    ErrorCase {
        heading: "the proxy {proxy} refused the connection",
        run: || {
            let proxy = RefusingPort::new().http();
            list(&[("MSCOMMERCE_ENDPOINT", "https://licensing.example"), ("HTTPS_PROXY", &proxy)])
        },
    },
    ErrorCase {
        heading: "the proxy {proxy} requires a user name and password",
        run: || list_through_proxy("HTTP/1.1 407 Authenticate\r\nContent-Length: 0\r\n\r\n"),
    },
    ErrorCase {
        heading: "the proxy {proxy} rejected the connection to {host}",
        run: || list_through_proxy("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"),
    },
    ErrorCase {
        heading: "the proxy type of {proxy} is not supported",
        run: || {
            list(&[("MSCOMMERCE_ENDPOINT", "https://licensing.example"), ("HTTPS_PROXY", "socks5://127.0.0.1:1080")])
        },
    },
    ErrorCase {
        heading: "is not a proxy URL",
        run: || list(&[("MSCOMMERCE_ENDPOINT", "https://licensing.example"), ("HTTPS_PROXY", "not a proxy")]),
    },
    ErrorCase {
        heading: "the user name or password in {variable} contains characters that must be encoded",
        run: || list(&[("MSCOMMERCE_ENDPOINT", "https://licensing.example"), ("HTTPS_PROXY", "http://a@b:c@proxy:1")]),
    },
    ErrorCase {
        heading: "the certificate of {host} is not trusted: unknown issuer",
        run: || {
            let config = TestCa::new().localhost_config();
            let server = Server::start(move |connection| drop(connection.accept_tls(&config)));
            let directory = tempfile::tempdir().unwrap();
            let roots = directory.path().join("roots.pem");
            fs::write(&roots, TestCa::new().pem()).unwrap();
            list(&[("MSCOMMERCE_ENDPOINT", &server.https()), ("SSL_CERT_FILE", roots.to_str().unwrap())])
        },
    },
    ErrorCase {
        heading: "the certificate of {host} has expired",
        run: || list_over_tls("localhost", Validity::Expired),
    },
    ErrorCase {
        heading: "the certificate of {host} is not valid yet",
        run: || list_over_tls("localhost", Validity::NotYetValid),
    },
    ErrorCase {
        heading: "the certificate presented for {host} is for another name",
        run: || list_over_tls("other.example", Validity::Valid),
    },
    ErrorCase {
        heading: "{host} does not use TLS on this port",
        run: || {
            let server = Server::start(|mut connection| {
                connection.tls_record();
                connection.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
            });
            list_at(&server.https())
        },
    },
    ErrorCase {
        heading: "{host} closed the connection during the TLS handshake",
        run: || list_at(&Server::start(|mut connection| drop(connection.tls_record())).https()),
    },
    ErrorCase {
        heading: "could not read the certificates in SSL_CERT_FILE",
        run: || list(&[("MSCOMMERCE_ENDPOINT", "https://localhost:1"), ("SSL_CERT_FILE", "/nonexistent/roots.pem")]),
    },
    ErrorCase { heading: "not signed in", run: || TestEnv::new().run(LIST) },
    ErrorCase {
        heading: "is set and takes precedence over saved sign-ins",
        run: || TestEnv::new().run_with_env(&[("MSCOMMERCE_TOKEN", "x")], &["connect", "--device-code"]),
    },
    ErrorCase {
        heading: "are set and take precedence over saved sign-ins",
        run: || TestEnv::new().run_with_env(&APPLICATION, &["connect", "--device-code"]),
    },
    ErrorCase {
        heading: "the application in the environment is incomplete",
        run: || TestEnv::new().run_with_env(&APPLICATION[..1], LIST),
    },
    ErrorCase {
        heading: "the value of {variable} begins and ends with a quotation mark",
        run: || list(&[("MSCOMMERCE_CLIENT_ID", "\"x\"")]),
    },
    ErrorCase {
        heading: "could not listen on port {port}",
        run: || {
            let server = Server::unexpected();
            TestEnv::new().run(&["connect", "--redirect-port", &server.port().to_string()])
        },
    },
    ErrorCase {
        heading: "cannot prompt for the password: standard input is not a terminal",
        run: || TestEnv::new().run(&["connect", "--username", ADMIN]),
    },
    ErrorCase { heading: "is not an access token", run: || list(&[("MSCOMMERCE_TOKEN", "Bearer x")]) },
    ErrorCase {
        heading: "the token in {variable} expired at {time}",
        run: || {
            let env = TestEnv::new();
            let token = env.tenant.issue_token(ADMIN, HOME_TENANT, -60);
            env.run_with_env(&[("MSCOMMERCE_TOKEN", &token)], LIST)
        },
    },
    ErrorCase {
        heading: "the saved token is for tenant {tenant} and cannot be used for {asked}",
        run: || {
            let env = TestEnv::new();
            let token = env.tenant.issue_token(ADMIN, HOME_TENANT, 3600);
            env.run_with_stdin(&["connect", "--with-token"], &token).assert_code(0);
            env.run(&["products", "list", "--tenant", CUSTOMER_TENANT])
        },
    },
    ErrorCase {
        heading: "could not parse the response from {host}",
        run: || {
            let authority = Server::responding_with(http_response(200, "application/json", "{}"));
            let env = TestEnv::new();
            let mut command = env.command(CONNECT);
            command.env("AZURE_AUTHORITY_HOST", authority.http());
            TestEnv::run_command_with_stdin(command, PASSWORD)
        },
    },
    ErrorCase {
        heading: "{what}: the service returned {status}",
        run: || list_with_response(&http_response(400, "application/json", "{}")),
    },
    ErrorCase {
        heading: "its token lacks the role {role}",
        run: || {
            let env = TestEnv::new();
            env.tenant.grant_app(&[READ_PERMISSION]);
            env.run_with_env(&APPLICATION, DISABLE)
        },
    },
    ErrorCase {
        heading: "not sent: {host} is rate limited for {seconds} s",
        run: || {
            let env = TestEnv::signed_in();
            env.tenant.fail_next("PUT ", Response::json(429, &json!({})).header("retry-after", "3600"));
            env.run(&["products", "update", "--all", "--value", "disabled", "--yes", "--jobs", "1"])
        },
    },
    ErrorCase {
        heading: "invalid response from the service",
        run: || list_with_response(&http_response(200, "application/json", "{}")),
    },
    ErrorCase {
        heading: "the link to the next page cannot be followed",
        run: || {
            let page = r#"{"items":[],"continuationToken":"x","@odata.nextLink":"https://elsewhere.example/","nextLink":"https://elsewhere.example/"}"#;
            list_with_response(&http_response(200, "application/json", page))
        },
    },
    ErrorCase {
        heading: "no {kind} has the ID or name '{words}'",
        run: || TestEnv::signed_in().run(&["product", "get", "Nonesuch"]),
    },
    ErrorCase {
        heading: "'{words}' matches {number} {kind}s; nothing was changed",
        run: || {
            let env = TestEnv::signed_in();
            let product = |id| Product::new(id, "Twin", "Enabled");
            env.tenant.set_products(vec![product("CFQ7TTC0AAA1"), product("CFQ7TTC0AAA2")]);
            env.run(&["product", "update", "Twin", "--value", "disabled"])
        },
    },
    ErrorCase {
        heading: "use the new ID {new} ({name}) instead of {id}",
        run: || TestEnv::signed_in().run(&["product", "get", OLD_POWER_BI]),
    },
    ErrorCase {
        heading: "{tenants} of {total} tenants failed",
        run: || TestEnv::signed_in().run(&["products", "list", "--tenant", HOME_TENANT, "--tenant", UNKNOWN_TENANT]),
    },
    ErrorCase {
        heading: "cannot tell whether {product} was changed",
        run: || update_with_response(Response::text(200, "application/json", "[]")),
    },
    ErrorCase {
        heading: "{product} should be {value}, but the service returned {other}",
        run: || update_with_response(Response::text(200, "application/json", ENABLED_PRODUCT)),
    },
    ErrorCase {
        heading: "the service returned {other} instead of {product}",
        run: || {
            update_with_response(Response::text(200, "application/json", DISABLED_PRODUCT.replace(POWER_BI, VISIO)))
        },
    },
    ErrorCase {
        heading: "{number} skipped",
        run: || {
            let env = TestEnv::signed_in();
            env.tenant.fail_next("PUT ", Response::json(401, &json!({})));
            env.tenant.revoke_refresh_tokens();
            env.run(&["products", "update", "--all", "--value", "disabled", "--yes", "--jobs", "1"])
        },
    },
    ErrorCase {
        heading: "the changes cannot be recorded, so nothing was changed",
        run: || {
            let env = TestEnv::signed_in();
            fs::create_dir(env.history_path()).unwrap();
            env.run(DISABLE)
        },
    },
    ErrorCase {
        heading: "confirmation required, but standard input is not a terminal; nothing was changed",
        run: || TestEnv::signed_in().run(&["products", "update", "--all", "--value", "disabled"]),
    },
    ErrorCase {
        heading: "Nothing in this run can be undone anymore",
        run: || {
            let env = TestEnv::signed_in();
            env.run(DISABLE).assert_code(0);
            env.tenant.set_value(POWER_BI, TRIALS);
            env.run(&["undo", "--yes"])
        },
    },
    ErrorCase {
        heading: "the file contains {ids} that the tenant does not have; nothing was changed",
        run: || {
            let env = TestEnv::signed_in();
            env.write("b.toml", "[products]\nCFQ7TTC0AAA1 = 'Disabled'\n");
            env.run_in_home(&["baseline", "apply", "b.toml", "--yes"])
        },
    },
    ErrorCase {
        heading: "the saved sign-ins in {file} cannot be used",
        run: || {
            let env = TestEnv::signed_in();
            fs::write(env.cache_path(), "{").unwrap();
            env.run(LIST)
        },
    },
    #[cfg(unix)]
    ErrorCase {
        heading: "other users could read {file}",
        run: || {
            use std::os::unix::fs::PermissionsExt as _;
            let env = TestEnv::signed_in();
            fs::set_permissions(env.cache_path(), fs::Permissions::from_mode(0o644)).unwrap();
            env.run(LIST)
        },
    },
    #[cfg(unix)]
    ErrorCase {
        heading: "{file} is not used",
        run: || {
            let env = TestEnv::signed_in();
            let target = env.home().join("elsewhere.json");
            fs::rename(env.cache_path(), &target).unwrap();
            std::os::unix::fs::symlink(target, env.cache_path()).unwrap();
            env.run(LIST)
        },
    },
];

/// Headings whose errors need a terminal, a signal, a full disk or minutes; other tests cause these errors.
const HEADINGS_WITHOUT_CASE: &[&str] = &[
    "could not read the saved sign-ins in {file}",
    "could not be reached",
    "timed out connecting to {host}",
    "not sent: the timeout of {seconds} s has expired",
    "{host} does not support TLS 1.2 or later",
    "could not establish a secure connection to {host}",
    "could not set up the HTTP client",
    "the sign-in was not completed in the browser within {seconds} s",
    "the saved token expired at {time} and cannot be refreshed",
    "requested a token for tenant {asked}, but received one for {other}",
    "profile {profile} was signed in again by another process",
    "interrupted while the request was in progress: {product}",
    "timed out waiting for another mscommerce process to release {file}",
    "the refreshed sign-in cannot be saved",
    "home directory not found",
    "only ~/ is expanded",
];

#[test]
fn error_texts_match_troubleshooting_headings() {
    // Most cases wait between retries, so they run in parallel.
    let failures: Vec<String> = thread::scope(|scope| {
        let runs: Vec<_> = ERROR_CASES.iter().map(|case| (case.heading, scope.spawn(case.run))).collect();
        let check = |(heading, run): (&str, thread::ScopedJoinHandle<'_, CliResult>)| {
            let CliResult { code, stderr, .. } = run.join().expect(heading);
            let not_said = !says(&stderr, heading);
            not_said.then(|| format!("{heading}: exit code {code}\n{stderr}"))
        };
        runs.into_iter().filter_map(check).collect()
    });
    assert!(failures.is_empty(), "not in stderr:\n{}", failures.join("\n"));
}

#[test]
fn every_troubleshooting_heading_has_a_case() {
    let headings = TROUBLESHOOTING.lines().filter_map(|line| line.strip_prefix("### `")?.strip_suffix('`'));
    let known: BTreeSet<&str> =
        ERROR_CASES.iter().map(|case| case.heading).chain(HEADINGS_WITHOUT_CASE.iter().copied()).collect();
    assert_eq!(headings.collect::<BTreeSet<_>>(), known);
}

/// The rows of the AADSTS tables: the codes and the quoted error text.
fn aadsts_rows(section: &str) -> Vec<(Vec<u32>, &'static str)> {
    let (_, section) = TROUBLESHOOTING.split_once(&format!("### AADSTS: {section}\n")).unwrap();
    let rows = section.split("\n#").next().unwrap().lines().filter(|line| line.starts_with("| AADSTS"));
    let codes =
        |cell: &str| cell.split("AADSTS").skip(1).map(|code| code.trim_matches([' ', ',']).parse().unwrap()).collect();
    let row = |line: &'static str| {
        let cells: Vec<&str> = line.split('|').collect();
        Some((codes(cells[1]), quoted(cells[2]).next()?))
    };
    rows.filter_map(row).collect()
}

/// A token response with this error code.
fn aadsts(code: u32) -> Response {
    let description = format!("AADSTS{code}: Microsoft's words.");
    Response::json(400, &json!({ "error": "invalid_grant", "error_description": description, "error_codes": [code] }))
}

#[test]
fn aadsts_texts_match_troubleshooting() {
    let (env, mut count) = (TestEnv::new(), 0);
    let mut check = |section: &str, run: &dyn Fn() -> CliResult| {
        for (codes, text) in aadsts_rows(section) {
            for code in codes {
                env.tenant.fail_next("/oauth2/v2.0/token", aadsts(code));
                let result = run().assert_code(4);
                assert!(says(&result.stderr, text), "AADSTS{code}: {text}\n---\n{}", result.stderr);
                count += 1;
            }
        }
    };
    check("a person's sign-in", &|| env.run_with_stdin(CONNECT, PASSWORD));
    check("an application's sign-in", &|| env.run_with_env(&APPLICATION, LIST));
    assert!(count > 30, "{count} codes");
}

/// The anchor that GitHub makes of a heading.
fn slug(heading: &str) -> String {
    let kept = heading.trim_start_matches('#').trim().to_lowercase();
    kept.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c)).collect::<String>().replace(' ', "-")
}

#[test]
fn links_resolve_to_files_and_headings() {
    for (path, text) in documents() {
        for link in text.split("](").skip(1).map(|after| after.split(')').next().unwrap()) {
            if link.contains("://") {
                continue;
            }
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { path.clone() } else { path.parent().unwrap().join(file) };
            assert!(target.is_file(), "{}: {link} has no target", path.display());
            let has_heading = || {
                fs::read_to_string(&target).unwrap().lines().any(|line| slug(line) == anchor && line.starts_with('#'))
            };
            assert!(anchor.is_empty() || has_heading(), "{}: {link} has no such heading", path.display());
        }
    }
}

/// The arguments of each call of the executable in a line of shell code.
fn calls(line: &str) -> impl Iterator<Item = Vec<String>> {
    let begins = line.match_indices("mscommerce ").map(|(at, _)| at);
    let begins = begins.filter(|at| line[..*at].chars().next_back().is_none_or(|before| " (`|".contains(before)));
    begins.map(|at| {
        let (mut arguments, mut quote) = (vec![String::new()], None);
        for character in line[at..].chars() {
            match (quote, character) {
                (Some(open), close) if open == close => quote = None,
                (None, '\'' | '"') => quote = Some(character),
                (None, '|' | ';' | '>' | '<' | '#' | ')' | '}' | '&' | '`') => break,
                (None, ' ') => arguments.push(String::new()),
                _ => arguments.last_mut().unwrap().push(character),
            }
        }
        arguments.into_iter().skip(1).filter(|word| !word.is_empty() && word != "\\").collect()
    })
}

#[test]
fn commands_in_code_blocks_parse() {
    let fenced = |text: &str| text.split("```").skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    let blocks = documents().into_iter().flat_map(|(_, text)| fenced(&text)).collect::<String>();
    let commands: BTreeSet<Vec<String>> = blocks.lines().flat_map(|line| calls(line).collect::<Vec<_>>()).collect();
    assert!(commands.len() > 40, "{} commands", commands.len());
    let env = TestEnv::new();
    for command in commands {
        // The parser rejects unknown arguments before it shows the help.
        let arguments: Vec<&str> = command.iter().map(String::as_str).chain(["--help"]).collect();
        let result = env.run(&arguments);
        assert_eq!(result.code, 0, "mscommerce {}\n{}", command.join(" "), result.stderr);
    }
}

/// Runs the shell script of docs/partners.md that reads customers.csv.
#[cfg(unix)]
#[test]
fn script_for_customers_reads_files_of_excel_and_notepad() {
    let text = fs::read_to_string(root().join("docs/partners.md")).unwrap();
    let script =
        text.split("```sh\n").find(|block| block.starts_with("#!/bin/sh")).unwrap().split("```").next().unwrap();
    let env = TestEnv::new();
    let certificate = TestCertificate::rsa();
    env.tenant.register_certificate(&certificate.certificate_der);
    env.tenant.grant_app(&[READ_PERMISSION]);
    env.write("app.pem", certificate.key_pem() + &certificate.certificate_pem());
    env.write("baseline.toml", "[products]\nCFQ7TTC0H9MP = 'Disabled'\n");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_mscommerce"), env.home().join("mscommerce")).unwrap();
    let path = format!("{}:{}", env.home().display(), std::env::var("PATH").unwrap());
    let lines = format!("{HOME_TENANT},{APP_ID},app.pem\n{CUSTOMER_TENANT},{APP_ID},app.pem\n");
    for (name, customers) in [
        ("as it is", lines.clone()),
        ("no final line end", lines.trim_end().to_owned()),
        ("Windows line ends", lines.replace('\n', "\r\n")),
        ("byte order mark", format!("\u{feff}{lines}")),
        ("Excel", format!("\u{feff}{}", lines.trim_end().replace('\n', "\r\n"))),
        ("Excel with semicolons, blank lines", lines.replace('\n', "\r\n\r\n").replace(',', ";")),
    ] {
        env.write("customers.csv", customers);
        let mut command = crate::support::pty::in_shell(script, &env.command::<&str>(&[]));
        let result = command.env("PATH", &path).current_dir(env.home()).output().unwrap();
        let result = CliResult::from(result).assert_code(0);
        let expected = format!("{HOME_TENANT}: exit code 3\n{CUSTOMER_TENANT}: exit code 0\n");
        assert_eq!(result.stdout, expected, "{name}\n{}", result.stderr);
        for (tenant, rows) in [(HOME_TENANT, 2), (CUSTOMER_TENANT, 1)] {
            let file = format!("drift-{tenant}.csv");
            assert_eq!(env.read(&file).lines().count(), rows, "{name}");
            fs::remove_file(env.home().join(file)).unwrap();
        }
    }
}
