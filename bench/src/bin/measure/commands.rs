//! The commands that are compared.

use std::ffi::OsString;
use std::time::Duration;

use crate::Result;
use crate::fixture::Fixture;
use crate::memory;
use crate::options::Options;
use crate::timing::CommandSpec;

pub(crate) const LIST_TEST_ROOT: &str = "mscommerce product list, test root";
pub(crate) const LIST_SYSTEM_ROOTS: &str = "mscommerce product list, system roots";
pub(crate) const HANDWRITTEN_TEST_ROOT: &str = "hand-written client, test root";
pub(crate) const HANDWRITTEN_SYSTEM_ROOTS: &str = "hand-written client, system roots";
pub(crate) const CURL_TEST_ROOT: &str = "curl, test root";
pub(crate) const CURL_SYSTEM_ROOTS: &str = "curl, system roots";
pub(crate) const VERSION: &str = "mscommerce --version";
pub(crate) const TRUE: &str = "/bin/true";

/// List commands are measured without latency, which would hide the cost of the clients.
const NO_LATENCY: Duration = Duration::ZERO;

/// Builds the commands.
pub(crate) struct Commands<'a> {
    pub(crate) options: &'a Options,
    pub(crate) fixture: &'a Fixture,
}

/// The trusted root certificates.
#[derive(Clone, Copy)]
pub(crate) enum Roots {
    /// The test root alone.
    Test,
    /// The system's roots and the test root.
    System,
}

impl Commands<'_> {
    /// The same list by every client, with each choice of roots.
    pub(crate) fn lists(&self, products: usize) -> Vec<CommandSpec> {
        let clients = |roots| {
            [self.products_list(products, roots), self.handwritten_client(products, roots), self.curl(products, roots)]
        };
        [clients(Roots::Test), clients(Roots::System)].concat()
    }

    /// The commands in the plot.
    pub(crate) fn plotted(&self, products: usize) -> Vec<CommandSpec> {
        let roots = Roots::Test;
        vec![self.products_list(products, roots), self.handwritten_client(products, roots), self.curl(products, roots)]
    }

    pub(crate) fn versions(&self) -> [CommandSpec; 2] {
        [self.mscommerce(VERSION, &["--version"], None), self.command(TRUE, vec!["/bin/true".into()], vec![], "")]
    }

    /// Other tools that send the same request, if they are installed.
    pub(crate) fn peers(&self, products: usize) -> Vec<CommandSpec> {
        let Some(python) = &self.options.python else { return Vec::new() };
        let url = self.list_url(products);
        let ca_bundle = vec![("REQUESTS_CA_BUNDLE".into(), self.fixture.bundle.clone().into())];
        let last_id = last_product_id(products);
        let python_args = vec![
            python.into(),
            self.options.python_list.clone().into(),
            self.fixture.home.join("msal-cache.json").into(),
            self.fixture.token.clone().into(),
            url.clone().into(),
        ];
        let mut peers = vec![self.command("Python, msal and requests", python_args, ca_bundle.clone(), &last_id)];
        if let Some(az) = find_program("az") {
            let authorization = format!("Authorization=Bearer {}", self.fixture.token);
            let az_args = ["rest", "--method", "get", "--skip-authorization-header", "--headers", &authorization];
            let mut az_args: Vec<OsString> = az_args.iter().map(OsString::from).collect();
            az_args.insert(0, az);
            az_args.extend(["--url".into(), url.into()]);
            let environment = [ca_bundle, vec![("AZURE_CORE_COLLECT_TELEMETRY".into(), "false".into())]].concat();
            peers.push(self.command("az rest", az_args, environment, &last_id));
        }
        peers
    }

    /// Measures the peak memory of the short commands in bytes.
    pub(crate) fn measure_memory(&self, products: usize) -> Result<Vec<(String, u64)>> {
        let mut large_list = self.products_list(3000, Roots::System);
        large_list.name.push_str(", 3000 products");
        let commands = [self.lists(products), self.versions().to_vec(), vec![large_list]].concat();
        commands.iter().map(|command| Ok((command.name.clone(), memory::highest_peak(command)?))).collect()
    }

    /// `mscommerce` with these arguments at an endpoint.
    pub(crate) fn mscommerce(&self, name: &str, arguments: &[&str], endpoint: Option<String>) -> CommandSpec {
        let mut args = vec![self.options.executable.clone().into_os_string()];
        args.extend(arguments.iter().map(OsString::from));
        let endpoint = endpoint.map(|url| ("MSCOMMERCE_ENDPOINT".into(), url.into()));
        self.command(name, args, endpoint.into_iter().collect(), "")
    }

    /// Sets the roots that an `mscommerce` command trusts.
    pub(crate) fn with_roots(&self, mut command: CommandSpec, roots: Roots) -> CommandSpec {
        let file = match roots {
            Roots::Test => &self.fixture.root,
            // It reads the system's bundle by default.
            Roots::System if self.fixture.system_roots_mounted => return command,
            Roots::System => &self.fixture.bundle,
        };
        command.environment.push(("SSL_CERT_FILE".into(), file.into()));
        command
    }

    fn products_list(&self, products: usize, roots: Roots) -> CommandSpec {
        let name = match roots {
            Roots::Test => LIST_TEST_ROOT,
            Roots::System => LIST_SYSTEM_ROOTS,
        };
        let endpoint = self.fixture.server.endpoint(products, NO_LATENCY);
        let mut command = self.with_roots(self.mscommerce(name, &["products", "list"], Some(endpoint)), roots);
        command.expected_output = last_product_id(products);
        command
    }

    fn handwritten_client(&self, products: usize, roots: Roots) -> CommandSpec {
        let (name, file) = match roots {
            Roots::Test => (HANDWRITTEN_TEST_ROOT, &self.fixture.root),
            Roots::System => (HANDWRITTEN_SYSTEM_ROOTS, &self.fixture.bundle),
        };
        let program = std::env::current_exe().unwrap_or_default().with_file_name("handwritten_client");
        let args = vec![
            program.into(),
            self.list_url(products).into(),
            self.fixture.token_cache().into(),
            file.clone().into(),
        ];
        self.command(name, args, vec![], &last_product_id(products))
    }

    fn curl(&self, products: usize, roots: Roots) -> CommandSpec {
        let token = format!("authorization: Bearer {}", self.fixture.token);
        let id = "x-ms-correlation-id: 00000000-0000-4000-8000-000000000000";
        let args =
            ["curl", "-q", "-sS", "--fail", "--http1.1", "-H", &token, "-H", "accept: application/json", "-H", id];
        let mut args: Vec<OsString> = args.iter().map(OsString::from).collect();
        let (name, file) = match roots {
            Roots::Test => (CURL_TEST_ROOT, Some(&self.fixture.root)),
            Roots::System => (CURL_SYSTEM_ROOTS, (!self.fixture.system_roots_mounted).then_some(&self.fixture.bundle)),
        };
        if let Some(file) = file {
            args.extend(["--cacert".into(), file.into()]);
        }
        args.push(self.list_url(products).into());
        self.command(name, args, vec![], &last_product_id(products))
    }

    fn list_url(&self, products: usize) -> String {
        let endpoint = self.fixture.server.endpoint(products, NO_LATENCY);
        format!("{endpoint}/v1.0/policies/AllowSelfServicePurchase/products?scope=product")
    }

    /// A command with an environment of its own: the user's proxies, credentials and roots do not reach it.
    fn command(
        &self,
        name: &str,
        args: Vec<OsString>,
        variables: Vec<(OsString, OsString)>,
        expected_output: &str,
    ) -> CommandSpec {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mut environment = vec![("PATH".into(), path), ("HOME".into(), self.fixture.home.clone().into())];
        environment.extend(variables);
        CommandSpec { name: name.to_owned(), args, environment, expected_output: expected_output.to_owned() }
    }
}

fn last_product_id(products: usize) -> String {
    format!("CFQ7TTC{:05}", products - 1)
}

fn find_program(name: &str) -> Option<OsString> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|directory| directory.join(name)).find(|file| file.is_file()).map(Into::into)
}
