//! Who is measured, and how each is told to do the same.

use std::ffi::OsString;
use std::time::Duration;

use crate::Result;
use crate::fixture::Home;
use crate::memory as peak;
use crate::options::Options;
use crate::timing::Recipe;

pub(crate) const TOOL_ROOT: &str = "mscommerce products list, test root";
pub(crate) const TOOL_SYSTEM: &str = "mscommerce products list, system's roots";
pub(crate) const FLOOR_ROOT: &str = "hand-written client, test root";
pub(crate) const FLOOR_SYSTEM: &str = "hand-written client, system's roots";
pub(crate) const CURL_ROOT: &str = "curl, test root";
pub(crate) const CURL_SYSTEM: &str = "curl, system's roots";
pub(crate) const TOOL_VERSION: &str = "mscommerce --version";
pub(crate) const TRUE: &str = "/bin/true";

/// Lists are measured at a server next door: what it takes to get there would hide what the clients take.
const NEAR: Duration = Duration::ZERO;

/// Makes the commands that are compared.
pub(crate) struct Contenders<'a> {
    pub(crate) options: &'a Options,
    pub(crate) home: &'a Home,
}

/// Whose certificates are trusted.
#[derive(Clone, Copy)]
pub(crate) enum Roots {
    /// The test authority alone.
    Test,
    /// All that the system trusts, and the test authority.
    System,
}

impl Contenders<'_> {
    /// The same list by all, with each choice of roots.
    pub(crate) fn lists(&self, products: usize) -> Vec<Recipe> {
        let of = |roots| [self.tool_list(products, roots), self.floor(products, roots), self.curl(products, roots)];
        [of(Roots::Test), of(Roots::System)].concat()
    }

    /// What the plot shows.
    pub(crate) fn curve(&self, products: usize) -> Vec<Recipe> {
        let roots = Roots::Test;
        vec![self.tool_list(products, roots), self.floor(products, roots), self.curl(products, roots)]
    }

    pub(crate) fn versions(&self) -> [Recipe; 2] {
        [self.tool(TOOL_VERSION, &["--version"], None), self.recipe(TRUE, vec!["/bin/true".into()], vec![], "")]
    }

    /// Other tools for the same request, where they are installed.
    pub(crate) fn peers(&self, products: usize) -> Vec<Recipe> {
        let Some(python) = &self.options.python else { return Vec::new() };
        let url = self.url(products);
        let trust = vec![("REQUESTS_CA_BUNDLE".into(), self.home.bundle.clone().into())];
        let last = last_of(products);
        let words = vec![
            python.into(),
            self.options.python_list.clone().into(),
            self.home.directory.join("msal-cache.json").into(),
            self.home.token.clone().into(),
            url.clone().into(),
        ];
        let mut peers = vec![self.recipe("Python, msal and requests", words, trust.clone(), &last)];
        if let Some(az) = program("az") {
            let authorization = format!("Authorization=Bearer {}", self.home.token);
            let words = ["rest", "--method", "get", "--skip-authorization-header", "--headers", &authorization];
            let mut words: Vec<OsString> = words.iter().map(OsString::from).collect();
            words.insert(0, az);
            words.extend(["--url".into(), url.into()]);
            let environment = [trust, vec![("AZURE_CORE_COLLECT_TELEMETRY".into(), "false".into())]].concat();
            peers.push(self.recipe("az rest", words, environment, &last));
        }
        peers
    }

    /// The peaks of what is short, in bytes.
    pub(crate) fn memory(&self, products: usize) -> Result<Vec<(String, u64)>> {
        let mut many = self.tool_list(3000, Roots::System);
        many.name.push_str(", 3000 products");
        let recipes = [self.lists(products), self.versions().to_vec(), vec![many]].concat();
        recipes.iter().map(|recipe| Ok((recipe.name.clone(), peak::of(recipe)?))).collect()
    }

    /// The tool with these arguments at an endpoint.
    pub(crate) fn tool(&self, name: &str, arguments: &[&str], endpoint: Option<String>) -> Recipe {
        let mut words = vec![self.options.tool.clone().into_os_string()];
        words.extend(arguments.iter().map(OsString::from));
        let endpoint = endpoint.map(|url| ("MSCOMMERCE_ENDPOINT".into(), url.into()));
        self.recipe(name, words, endpoint.into_iter().collect(), "")
    }

    /// Lets the tool trust these.
    pub(crate) fn trusting(&self, mut tool: Recipe, roots: Roots) -> Recipe {
        let file = match roots {
            Roots::Test => &self.home.root,
            // It reads the system's file unless it is told otherwise.
            Roots::System if self.home.is_mounted => return tool,
            Roots::System => &self.home.bundle,
        };
        tool.environment.push(("SSL_CERT_FILE".into(), file.into()));
        tool
    }

    fn tool_list(&self, products: usize, roots: Roots) -> Recipe {
        let name = match roots {
            Roots::Test => TOOL_ROOT,
            Roots::System => TOOL_SYSTEM,
        };
        let endpoint = self.home.server.endpoint(products, NEAR);
        let mut tool = self.trusting(self.tool(name, &["products", "list"], Some(endpoint)), roots);
        tool.shows = last_of(products);
        tool
    }

    fn floor(&self, products: usize, roots: Roots) -> Recipe {
        let (name, file) = match roots {
            Roots::Test => (FLOOR_ROOT, &self.home.root),
            Roots::System => (FLOOR_SYSTEM, &self.home.bundle),
        };
        let program = std::env::current_exe().unwrap_or_default().with_file_name("handwritten_client");
        let words = vec![program.into(), self.url(products).into(), self.home.sign_ins().into(), file.clone().into()];
        self.recipe(name, words, vec![], &last_of(products))
    }

    fn curl(&self, products: usize, roots: Roots) -> Recipe {
        let token = format!("authorization: Bearer {}", self.home.token);
        let id = "x-ms-correlation-id: 00000000-0000-4000-8000-000000000000";
        let words =
            ["curl", "-q", "-sS", "--fail", "--http1.1", "-H", &token, "-H", "accept: application/json", "-H", id];
        let mut words: Vec<OsString> = words.iter().map(OsString::from).collect();
        let (name, file) = match roots {
            Roots::Test => (CURL_ROOT, Some(&self.home.root)),
            Roots::System => (CURL_SYSTEM, (!self.home.is_mounted).then_some(&self.home.bundle)),
        };
        if let Some(file) = file {
            words.extend(["--cacert".into(), file.into()]);
        }
        words.push(self.url(products).into());
        self.recipe(name, words, vec![], &last_of(products))
    }

    fn url(&self, products: usize) -> String {
        let endpoint = self.home.server.endpoint(products, NEAR);
        format!("{endpoint}/v1.0/policies/AllowSelfServicePurchase/products?scope=product")
    }

    /// Proxies, other sign-ins and other roots of whoever runs this stay outside.
    fn recipe(&self, name: &str, words: Vec<OsString>, more: Vec<(OsString, OsString)>, shows: &str) -> Recipe {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mut environment = vec![("PATH".into(), path), ("HOME".into(), self.home.directory.clone().into())];
        environment.extend(more);
        Recipe { name: name.to_owned(), words, environment, shows: shows.to_owned() }
    }
}

/// The id of the last product.
fn last_of(products: usize) -> String {
    format!("CFQ7TTC{:05}", products - 1)
}

fn program(name: &str) -> Option<OsString> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|directory| directory.join(name)).find(|file| file.is_file()).map(Into::into)
}
