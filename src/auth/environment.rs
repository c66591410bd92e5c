//! Reads an application's credential from the `AZURE_*` variables of the Azure SDKs and from GitHub Actions.

use std::path::PathBuf;

use secrecy::SecretString;
use url::Url;

use super::application::{ClientAuth, ClientCredentials};
use super::arg_source::ArgSource;
use super::certificate::CertificateFile;
use super::federated::{FederatedToken, GITHUB_TOKEN, GITHUB_URL};
use crate::environment::Environment;
use crate::error::{Error, Result};
use crate::http::{is_loopback, may_have_user_info};
use crate::secret::into_secret;

pub const TENANT_VARIABLE: &str = "AZURE_TENANT_ID";
const CLIENT_ID: &str = "AZURE_CLIENT_ID";
const SECRET: &str = "AZURE_CLIENT_SECRET";
const CERTIFICATE: &str = "AZURE_CLIENT_CERTIFICATE_PATH";
const PASSWORD: &str = "AZURE_CLIENT_CERTIFICATE_PASSWORD";
const FEDERATED: &str = "AZURE_FEDERATED_TOKEN_FILE";

/// The variable that is set in every GitHub Actions job.
const GITHUB_ACTIONS: &str = "GITHUB_ACTIONS";

const CLIENT_AUTH_FLAGS: &str =
    "add one of --client-secret-stdin, --certificate FILE, --federated-token-file FILE, --github-oidc";

/// The client ID and credential flags of `connect --application`.
#[derive(Default)]
pub struct ClientAuthArgs {
    pub client_id: Option<String>,
    /// The client secret from standard input.
    pub secret: Option<SecretString>,
    pub certificate: Option<PathBuf>,
    pub federated_token_file: Option<PathBuf>,
    pub github_oidc: bool,
}

/// The application configured in the environment.
pub enum EnvApplication {
    Absent,
    /// The message, with the variables that are set and those that are missing.
    Incomplete(String),
    Complete(ClientCredentials),
}

/// Reads the application from the environment. `AZURE_TENANT_ID` is required even with `--tenant`, because that flag
/// must not decide whether the application is used.
pub fn env_application(environment: &Environment) -> Result<EnvApplication> {
    let is_set = |name: &&str| environment.get(name).is_some();
    if ![CLIENT_ID, SECRET, CERTIFICATE, FEDERATED].iter().any(&is_set) {
        return Ok(EnvApplication::Absent);
    }
    environment.check_unquoted(&[CLIENT_ID, TENANT_VARIABLE, SECRET, CERTIFICATE, FEDERATED])?;
    let mut missing: Vec<String> =
        [CLIENT_ID, TENANT_VARIABLE].into_iter().filter(|name| !is_set(name)).map(str::to_owned).collect();
    let client_auth = env_client_auth(environment);
    if matches!(client_auth, Ok(None)) {
        missing.push(missing_client_auth(environment));
    }
    match environment.get(CLIENT_ID) {
        Some(client_id) if missing.is_empty() => {
            let client_auth = client_auth?.ok_or_else(|| Error::auth("the application has no credential"))?;
            Ok(EnvApplication::Complete(ClientCredentials { client_id, client_auth }))
        }
        _ => {
            let names = [CLIENT_ID, TENANT_VARIABLE, SECRET, CERTIFICATE, FEDERATED];
            let set = names.into_iter().filter(is_set).collect::<Vec<_>>().join(", ");
            let missing = missing.join(" and ");
            Ok(EnvApplication::Incomplete(format!(
                "the application in the environment is incomplete: {set} set, {missing} missing"
            )))
        }
    }
}

impl EnvApplication {
    /// The variables of a complete application, which takes precedence over saved sign-ins.
    pub fn variables(&self) -> Option<String> {
        let Self::Complete(application) = self else { return None };
        let client_auth = match application.client_auth {
            ClientAuth::Secret { .. } => SECRET,
            ClientAuth::Certificate(_) => CERTIFICATE,
            ClientAuth::Federated(FederatedToken::File { .. }) => FEDERATED,
            ClientAuth::Federated(FederatedToken::Github { .. }) => GITHUB_URL,
        };
        Some(format!("{CLIENT_ID}, {TENANT_VARIABLE} and {client_auth}"))
    }
}

/// The client ID for `connect --application`: from the flag, else from the environment.
pub fn client_id_for_connect(flag: Option<&str>, environment: &Environment) -> Result<String> {
    if flag.is_none() {
        environment.check_unquoted(&[CLIENT_ID])?;
    }
    flag.map(str::to_owned).or_else(|| environment.get(CLIENT_ID)).ok_or_else(|| {
        Error::usage("no application specified").with_hint(format!("add --client-id ID, or set {CLIENT_ID}"))
    })
}

/// The credential for `connect --application`: from the flags, else from the environment.
pub fn client_auth_for_connect(args: ClientAuthArgs, environment: &Environment) -> Result<ClientAuth> {
    let client_auth = if let Some(value) = args.secret {
        Some(ClientAuth::Secret { value, source: ArgSource::Flag("--client-secret-stdin") })
    } else if let Some(path) = args.certificate {
        Some(certificate_auth(path, ArgSource::Flag("--certificate"), environment))
    } else if let Some(path) = args.federated_token_file {
        Some(ClientAuth::Federated(FederatedToken::file(path, ArgSource::Flag("--federated-token-file"))))
    } else if args.github_oidc {
        let client_auth = github_auth(environment)?;
        Some(client_auth.ok_or_else(|| {
            Error::usage(format!("--github-oidc: {GITHUB_URL} and {GITHUB_TOKEN} are not set"))
                .with_hint("on GitHub Actions, add the permission id-token: write to the job")
        })?)
    } else {
        check_client_id_matches(args.client_id.as_deref(), environment)?;
        env_client_auth(environment)?
    };
    client_auth.ok_or_else(|| {
        Error::usage("no credential for the application")
            .with_detail(format!("{} missing", missing_client_auth(environment)))
            .with_hint(CLIENT_AUTH_FLAGS)
    })
}

/// Fails if `--client-id` differs from `AZURE_CLIENT_ID`: the environment's secret must not be sent for another
/// application.
fn check_client_id_matches(flag: Option<&str>, environment: &Environment) -> Result<()> {
    match (flag, environment.get(CLIENT_ID)) {
        (Some(flag), Some(variable)) if !flag.eq_ignore_ascii_case(&variable) => Err(Error::usage(format!(
            "--client-id and {CLIENT_ID} are different applications, so the credential in the environment was not used"
        ))
        .with_hint(CLIENT_AUTH_FLAGS)),
        _ => Ok(()),
    }
}

/// The credential in the environment: a secret, else a certificate, else a federated token file (the order of
/// azure-identity), else the token endpoint of GitHub Actions.
fn env_client_auth(environment: &Environment) -> Result<Option<ClientAuth>> {
    environment.check_unquoted(&[SECRET, CERTIFICATE, FEDERATED])?;
    if let Some(secret) = environment.get(SECRET) {
        return Ok(Some(ClientAuth::Secret { value: into_secret(secret), source: ArgSource::Variable(SECRET) }));
    }
    if let Some(path) = environment.get_path(CERTIFICATE)? {
        return Ok(Some(certificate_auth(path, ArgSource::Variable(CERTIFICATE), environment)));
    }
    if let Some(path) = environment.get_path(FEDERATED)? {
        return Ok(Some(ClientAuth::Federated(FederatedToken::file(path, ArgSource::Variable(FEDERATED)))));
    }
    github_auth(environment)
}

fn certificate_auth(path: PathBuf, source: ArgSource, environment: &Environment) -> ClientAuth {
    // `get` trims its value, but spaces may be part of a password.
    let password = environment.get_os(PASSWORD).map(|password| into_secret(password.to_string_lossy().into_owned()));
    ClientAuth::Certificate(CertificateFile::new(path, password, source))
}

/// The token endpoint of GitHub Actions, if the job has the permission `id-token: write`.
fn github_auth(environment: &Environment) -> Result<Option<ClientAuth>> {
    let (Some(url), Some(token)) = (environment.get(GITHUB_URL), environment.get(GITHUB_TOKEN)) else {
        return Ok(None);
    };
    let invalid = |reason: &str| {
        Error::auth(format!("{GITHUB_URL} {reason}"))
            .with_hint("run the command in a GitHub Actions job with the permission id-token: write")
    };
    // The query may contain any character.
    if may_have_user_info(url.split(['?', '#']).next().unwrap_or_default()) {
        return Err(invalid("must not contain a user name or a password"));
    }
    let url = Url::parse(&url).ok().filter(Url::has_host).ok_or_else(|| invalid("is not a URL"))?;
    if url.scheme() != "https" && !is_loopback(&url) {
        return Err(invalid("uses http; use https, except for an address of this machine"));
    }
    Ok(Some(ClientAuth::Federated(FederatedToken::github(url, into_secret(token)))))
}

/// The variables to set if the environment has no credential, for messages.
fn missing_client_auth(environment: &Environment) -> String {
    let variables = format!("one of {SECRET}, {CERTIFICATE} and {FEDERATED}");
    if environment.get_os(GITHUB_ACTIONS).is_some() {
        format!("{variables} (or, for GitHub's token, the job's permission id-token: write)")
    } else {
        variables
    }
}
