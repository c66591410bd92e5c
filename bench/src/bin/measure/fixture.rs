//! An empty home with a saved sign-in, a server to list at, and the files of authorities.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::Result;
use crate::certificates::Authority;
use crate::options::Options;
use crate::server::Server;

/// Where Linux distributions keep all the authorities that they trust in one file.
const BUNDLES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// What the contenders share.
pub(crate) struct Home {
    pub(crate) directory: PathBuf,
    pub(crate) server: Server,
    pub(crate) token: String,
    /// The test authority alone.
    pub(crate) root: PathBuf,
    /// The system's authorities and the test authority.
    pub(crate) bundle: PathBuf,
    /// Whether the bundle lies where the system's own file is, for this process and its children alone.
    pub(crate) is_mounted: bool,
}

impl Home {
    pub(crate) fn prepare(options: &Options) -> Result<Self> {
        let directory = options.scratch.clone();
        if directory.exists() {
            fs::remove_dir_all(&directory)?;
        }
        fs::create_dir_all(&directory)?;
        let authority = Authority::new()?;
        let (root, bundle) = (directory.join("root.pem"), directory.join("bundle.pem"));
        fs::write(&root, &authority.pem)?;
        let system =
            BUNDLES.iter().map(Path::new).find(|path| path.is_file()).ok_or("no file of the system's roots")?;
        fs::write(&bundle, format!("{}\n{}", fs::read_to_string(system)?, authority.pem))?;
        let is_mounted = options.outside.as_deref().is_some_and(is_elsewhere) && mount(&bundle, system);
        let token = token()?;
        let server = Server::start(&authority.server, &token)?;
        let home = Self { directory, server, token, root, bundle, is_mounted };
        home.sign_in(&options.tool)?;
        Ok(home)
    }

    /// The file with the sign-in.
    pub(crate) fn sign_ins(&self) -> PathBuf {
        self.state().join("sign-ins.json")
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.directory.join(".local/state/mscommerce")
    }

    /// As a user does it, so that the file is what the tool makes it.
    fn sign_in(&self, tool: &Path) -> Result<()> {
        let mut command = Command::new(tool);
        command.args(["connect", "--with-token", "-q"]).env_clear().env("HOME", &self.directory);
        let mut child = command.stdin(Stdio::piped()).spawn()?;
        child.stdin.take().ok_or("no standard input")?.write_all(self.token.as_bytes())?;
        if child.wait()?.success() { Ok(()) } else { Err("the sign-in could not be saved".into()) }
    }
}

/// Whether this process sees other mounts than the one that names its namespace: what is mounted then is seen by nobody else.
fn is_elsewhere(outside: &str) -> bool {
    fs::read_link("/proc/self/ns/mnt").is_ok_and(|here| here != Path::new(outside))
}

fn mount(bundle: &Path, system: &Path) -> bool {
    let mut command = Command::new("mount");
    command.arg("--bind").arg(bundle).arg(system).status().is_ok_and(|status| status.success())
}

/// A token in the shape and of the length that Entra's have. Nothing signs it: the server knows it by heart.
fn token() -> Result<String> {
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
    let encoded = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
    let header = json!({ "typ": "JWT", "alg": "RS256", "kid": "benchmark" });
    Ok(format!("{}.{}.{}", encoded(&header), encoded(&claims), URL_SAFE_NO_PAD.encode([7; 256])))
}
