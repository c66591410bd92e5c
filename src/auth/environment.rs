//! The application that the environment names, by the variables that Azure's own libraries read.

use std::path::PathBuf;

use secrecy::SecretString;
use url::Url;

use super::application::{ArgSource, ClientAuth, ClientCredentials};
use super::certificate::CertificateFile;
use super::federated::{FederatedToken, GITHUB_TOKEN, GITHUB_URL};
use crate::error::{Error, Result};
use crate::http::is_loopback;
use crate::secret;
use crate::settings::{Settings, TENANT_VARIABLE};

/// azure-identity's names.
const CLIENT_ID: &str = "AZURE_CLIENT_ID";
const SECRET: &str = "AZURE_CLIENT_SECRET";
const CERTIFICATE: &str = "AZURE_CLIENT_CERTIFICATE_PATH";
const PASSWORD: &str = "AZURE_CLIENT_CERTIFICATE_PASSWORD";
const FEDERATED: &str = "AZURE_FEDERATED_TOKEN_FILE";

/// What a job on GitHub Actions always has.
const GITHUB_ACTIONS: &str = "GITHUB_ACTIONS";

const CLIENT_AUTH_FLAGS: &str =
    "add one of --client-secret-stdin, --certificate FILE, --federated-token-file FILE, --github-oidc";

/// What `connect --application` says about the application's authentication.
#[derive(Default)]
pub struct ClientAuthArgs {
    pub client_id: Option<String>,
    /// Read from standard input.
    pub secret: Option<SecretString>,
    pub certificate: Option<PathBuf>,
    pub federated_token_file: Option<PathBuf>,
    pub github_oidc: bool,
}

/// The application in the environment.
pub enum EnvApplication {
    Absent,
    /// Which of the variables are set, and what is missing, in words.
    Incomplete(String),
    Complete(ClientCredentials),
}

impl Settings {
    /// The application of the environment. `AZURE_TENANT_ID` belongs to it: `--tenant` leads it elsewhere, but who acts
    /// must not depend on that flag.
    pub fn env_application(&self) -> Result<EnvApplication> {
        let set = |name: &&str| self.environment().get(name).is_some();
        if ![CLIENT_ID, SECRET, CERTIFICATE, FEDERATED].iter().any(&set) {
            return Ok(EnvApplication::Absent);
        }
        let mut missing = Vec::new();
        let client_id = self.environment().get(CLIENT_ID);
        if client_id.is_none() {
            missing.push(CLIENT_ID.to_owned());
        }
        let has_tenant = self.environment().get(TENANT_VARIABLE).is_some();
        if !has_tenant {
            missing.push(TENANT_VARIABLE.to_owned());
        }
        let client_auth = self.env_client_auth();
        if matches!(client_auth, Ok(None)) {
            missing.push(self.missing_client_auth());
        }
        match client_id {
            Some(client_id) if missing.is_empty() => {
                // What is no tenant, and what proves nothing, is told now, rather than passed over.
                self.sign_in_tenant()?;
                let client_auth =
                    client_auth?.ok_or_else(|| Error::auth("the application has nothing to prove itself with"))?;
                Ok(EnvApplication::Complete(ClientCredentials { client_id, client_auth }))
            }
            _ => {
                let names = [CLIENT_ID, TENANT_VARIABLE, SECRET, CERTIFICATE, FEDERATED];
                let set = names.into_iter().filter(set).collect::<Vec<_>>().join(", ");
                let missing = missing.join(" and ");
                Ok(EnvApplication::Incomplete(format!(
                    "the environment names an application only in part: {set} set, {missing} missing"
                )))
            }
        }
    }

    /// The variables that name a complete application, which outranks whatever is saved.
    pub fn env_application_variables(&self) -> Result<Option<String>> {
        let EnvApplication::Complete(application) = self.env_application()? else { return Ok(None) };
        let client_auth = match application.client_auth {
            ClientAuth::Secret { .. } => SECRET,
            ClientAuth::Certificate(_) => CERTIFICATE,
            ClientAuth::Federated(FederatedToken::File { .. }) => FEDERATED,
            ClientAuth::Federated(FederatedToken::Github { .. }) => GITHUB_URL,
        };
        Ok(Some(format!("{CLIENT_ID}, {TENANT_VARIABLE} and {client_auth}")))
    }

    /// The id of the application to `connect` as.
    pub fn client_id_for_connect(&self, given: Option<&str>) -> Result<String> {
        given.map(str::to_owned).or_else(|| self.environment().get(CLIENT_ID)).ok_or_else(|| {
            Error::usage("no application is named").with_hint(format!("add --client-id ID, or set {CLIENT_ID}"))
        })
    }

    /// What the application to `connect` as proves itself with: what the flags say, else what the environment says.
    pub fn client_auth_for_connect(&self, args: ClientAuthArgs) -> Result<ClientAuth> {
        let client_auth = if let Some(value) = args.secret {
            Some(ClientAuth::Secret { value, origin: ArgSource::Flag("--client-secret-stdin") })
        } else if let Some(path) = args.certificate {
            Some(self.certificate(path, ArgSource::Flag("--certificate")))
        } else if let Some(path) = args.federated_token_file {
            Some(ClientAuth::Federated(FederatedToken::file(path, ArgSource::Flag("--federated-token-file"))))
        } else if args.github_oidc {
            let client_auth = self.github()?;
            Some(client_auth.ok_or_else(|| {
                Error::usage(format!("--github-oidc: {GITHUB_URL} and {GITHUB_TOKEN} are not set"))
                    .with_hint("on GitHub Actions, give the job: permissions: id-token: write")
            })?)
        } else {
            self.check_client_id_matches(args.client_id.as_deref())?;
            self.env_client_auth()?
        };
        client_auth.ok_or_else(|| {
            Error::usage("there is nothing for the application to prove itself with")
                .with_detail(format!("{} missing", self.missing_client_auth()))
                .with_hint(CLIENT_AUTH_FLAGS)
        })
    }

    /// What proves the application of the environment is not presented as another's.
    fn check_client_id_matches(&self, given: Option<&str>) -> Result<()> {
        match (given, self.environment().get(CLIENT_ID)) {
            (Some(asked), Some(named)) if !asked.eq_ignore_ascii_case(&named) => Err(Error::usage(format!(
                "--client-id names another application than {CLIENT_ID}, so what else the environment has is not its own"
            ))
            .with_hint(CLIENT_AUTH_FLAGS)),
            _ => Ok(()),
        }
    }

    /// What the environment has to prove an application with: a secret before a certificate before a federated token
    /// (azure-identity's order), and GitHub's own token where there is none of them.
    fn env_client_auth(&self) -> Result<Option<ClientAuth>> {
        let path = |name: &str| self.environment().get_os(name).map(PathBuf::from);
        if let Some(secret) = self.environment().get(SECRET) {
            return Ok(Some(ClientAuth::Secret {
                value: secret::into_secret(secret),
                origin: ArgSource::Variable(SECRET),
            }));
        }
        if let Some(path) = path(CERTIFICATE) {
            return Ok(Some(self.certificate(path, ArgSource::Variable(CERTIFICATE))));
        }
        if let Some(path) = path(FEDERATED) {
            return Ok(Some(ClientAuth::Federated(FederatedToken::file(path, ArgSource::Variable(FEDERATED)))));
        }
        self.github()
    }

    fn certificate(&self, path: PathBuf, origin: ArgSource) -> ClientAuth {
        // A password may begin or end with blanks.
        let password = self.environment().get_os(PASSWORD).map(|password| password.to_string_lossy().into_owned());
        ClientAuth::Certificate(CertificateFile::new(path, password.map(secret::into_secret), origin))
    }

    /// The way to the token that GitHub Actions gives to a job about itself.
    fn github(&self) -> Result<Option<ClientAuth>> {
        let (Some(url), Some(token)) = (self.environment().get(GITHUB_URL), self.environment().get(GITHUB_TOKEN))
        else {
            return Ok(None);
        };
        let wrong = |why: &str| {
            Error::auth(format!("{GITHUB_URL} {why}"))
                .with_hint("GitHub sets it, in a job with permissions: id-token: write")
        };
        let url = Url::parse(&url).ok().filter(Url::has_host).ok_or_else(|| wrong("holds no web address"))?;
        if url.scheme() != "https" && !is_loopback(&url) {
            return Err(wrong("is plain http; tokens are sent over https, or to this machine alone"));
        }
        Ok(Some(ClientAuth::Federated(FederatedToken::github(url, secret::into_secret(token)))))
    }

    fn missing_client_auth(&self) -> String {
        let proofs = format!("one of {SECRET}, {CERTIFICATE} and {FEDERATED}");
        if self.environment().get_os(GITHUB_ACTIONS).is_some() {
            format!("{proofs} (or, for GitHub's own token, the job's permission id-token: write)")
        } else {
            proofs
        }
    }
}
