//! What the measured commands share: a home directory with a cached sign-in, the server, and certificate files.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::Result;
use crate::certificates::TestCa;
use crate::options::Options;
use crate::server::Server;

/// Bundles of root certificates on Linux distributions.
const SYSTEM_BUNDLES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// The environment of the measured commands.
pub(crate) struct Fixture {
    /// The home directory.
    pub(crate) home: PathBuf,
    pub(crate) server: Server,
    pub(crate) token: String,
    /// File with the test root alone.
    pub(crate) root: PathBuf,
    /// File with the system's roots and the test root.
    pub(crate) bundle: PathBuf,
    /// Whether the bundle is mounted over the system's own file, for this process and its children alone.
    pub(crate) system_roots_mounted: bool,
}

impl Fixture {
    pub(crate) fn create(options: &Options) -> Result<Self> {
        let home = options.scratch.clone();
        if home.exists() {
            fs::remove_dir_all(&home)?;
        }
        fs::create_dir_all(&home)?;
        let ca = TestCa::new()?;
        let (root, bundle) = (home.join("root.pem"), home.join("bundle.pem"));
        fs::write(&root, &ca.root_pem)?;
        let system = SYSTEM_BUNDLES
            .iter()
            .map(Path::new)
            .find(|path| path.is_file())
            .ok_or("no bundle of system roots found")?;
        fs::write(&bundle, format!("{}\n{}", fs::read_to_string(system)?, ca.root_pem))?;
        let system_roots_mounted =
            options.outer_mount_namespace.as_deref().is_some_and(has_own_mounts) && bind_mount(&bundle, system);
        let token = new_access_token()?;
        let server = Server::start(&ca.server_config, &token)?;
        let fixture = Self { home, server, token, root, bundle, system_roots_mounted };
        fixture.sign_in(&options.executable)?;
        Ok(fixture)
    }

    pub(crate) fn token_cache(&self) -> PathBuf {
        self.state_directory().join("sign-ins.json")
    }

    pub(crate) fn state_directory(&self) -> PathBuf {
        self.home.join(".local/state/mscommerce")
    }

    /// Signs in with `connect`, so that the token cache has the format that the executable writes.
    fn sign_in(&self, executable: &Path) -> Result<()> {
        let mut command = Command::new(executable);
        command.args(["connect", "--with-token", "-q"]).env_clear().env("HOME", &self.home);
        let mut child = command.stdin(Stdio::piped()).spawn()?;
        child.stdin.take().ok_or("no standard input")?.write_all(self.token.as_bytes())?;
        if child.wait()?.success() { Ok(()) } else { Err("connect --with-token failed".into()) }
    }
}

/// Whether this process is in another mount namespace than the script, so that a mount affects no other process.
fn has_own_mounts(outer_namespace: &str) -> bool {
    fs::read_link("/proc/self/ns/mnt").is_ok_and(|namespace| namespace != Path::new(outer_namespace))
}

fn bind_mount(bundle: &Path, system: &Path) -> bool {
    let mut command = Command::new("mount");
    command.arg("--bind").arg(bundle).arg(system).status().is_ok_and(|status| status.success())
}

/// Returns an access token with the structure and length of Entra's. It is not signed: the server compares it as text.
fn new_access_token() -> Result<String> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let tenant = "11111111-1111-4111-8111-111111111111";
    let claims = json!({
        "aud": "aeb86249-8ea3-49e2-900b-54cc8e308f85",
        "iss": format!("https://sts.windows.net/{tenant}/"),
        "iat": now,
        "nbf": now,
        "exp": now + 24 * 60 * 60,
        "appid": "3d5cffa9-04da-4657-8cab-c7f074657cad",
        "appidacr": "0",
        "oid": "a0000000-0000-4000-8000-000000000001",
        "scp": "LicenseManager.AccessAsUser",
        "tid": tenant,
        "upn": "admin@contoso.example",
        "ver": "1.0",
        "xms_filler": "x".repeat(600),
    });
    let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
    let header = json!({ "typ": "JWT", "alg": "RS256", "kid": "benchmark" });
    Ok(format!("{}.{}.{}", encode(&header), encode(&claims), URL_SAFE_NO_PAD.encode([7; 256])))
}
