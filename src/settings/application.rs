//! The application that the environment names, by the variables that Azure's own libraries read.

use std::path::PathBuf;

use secrecy::SecretString;
use url::Url;

use super::{Settings, TENANT_VARIABLE};
use crate::auth::{Application, CertificateFile, Federated, GITHUB_TOKEN, GITHUB_URL, Origin, Proof};
use crate::cli::ConnectArgs;
use crate::error::{Error, Result};
use crate::http::is_loopback;
use crate::secret;

/// azure-identity's names.
const CLIENT_ID: &str = "AZURE_CLIENT_ID";
const SECRET: &str = "AZURE_CLIENT_SECRET";
const CERTIFICATE: &str = "AZURE_CLIENT_CERTIFICATE_PATH";
const PASSWORD: &str = "AZURE_CLIENT_CERTIFICATE_PASSWORD";
const FEDERATED: &str = "AZURE_FEDERATED_TOKEN_FILE";

/// What a job on GitHub Actions always has.
const ON_GITHUB: &str = "GITHUB_ACTIONS";

const PROOF_FLAGS: &str =
    "add one of --client-secret-stdin, --certificate FILE, --federated-token-file FILE, --github-oidc";

/// What the environment says of an application.
pub enum InEnvironment {
    Absent,
    /// Which of the variables are set, and what is missing, in words.
    Partial(String),
    Complete(Application),
}

impl Settings {
    /// The application of the environment. `AZURE_TENANT_ID` belongs to it: `--tenant` leads it elsewhere, but who acts
    /// must not depend on that flag.
    pub fn application(&self) -> Result<InEnvironment> {
        let set = |name: &&str| self.environment.text(name).is_some();
        if ![CLIENT_ID, SECRET, CERTIFICATE, FEDERATED].iter().any(&set) {
            return Ok(InEnvironment::Absent);
        }
        let mut missing = Vec::new();
        let client_id = self.environment.text(CLIENT_ID);
        if client_id.is_none() {
            missing.push(CLIENT_ID.to_owned());
        }
        let has_tenant = self.environment.text(TENANT_VARIABLE).is_some();
        if !has_tenant {
            missing.push(TENANT_VARIABLE.to_owned());
        }
        let proof = self.proof();
        if matches!(proof, Ok(None)) {
            missing.push(self.missing_proof());
        }
        match client_id {
            Some(client_id) if missing.is_empty() => {
                // What is no tenant, and what proves nothing, is told now, rather than passed over.
                self.tenant_to_connect()?;
                let proof = proof?.ok_or_else(|| Error::sign_in("the application has nothing to prove itself with"))?;
                Ok(InEnvironment::Complete(Application { client_id, proof }))
            }
            _ => {
                let names = [CLIENT_ID, TENANT_VARIABLE, SECRET, CERTIFICATE, FEDERATED];
                let set = names.into_iter().filter(set).collect::<Vec<_>>().join(", ");
                let missing = missing.join(" and ");
                Ok(InEnvironment::Partial(format!(
                    "the environment names an application only in part: {set} set, {missing} missing"
                )))
            }
        }
    }

    /// The variables that name a complete application, which outranks whatever is saved.
    pub fn application_variables(&self) -> Result<Option<String>> {
        let InEnvironment::Complete(application) = self.application()? else { return Ok(None) };
        let proof = match application.proof {
            Proof::Secret { .. } => SECRET,
            Proof::Certificate(_) => CERTIFICATE,
            Proof::Federated(Federated::File { .. }) => FEDERATED,
            Proof::Federated(Federated::Github { .. }) => GITHUB_URL,
        };
        Ok(Some(format!("{CLIENT_ID}, {TENANT_VARIABLE} and {proof}")))
    }

    /// The id of the application to `connect` as.
    pub fn application_id(&self, args: &ConnectArgs) -> Result<String> {
        args.client_id.clone().or_else(|| self.environment.text(CLIENT_ID)).ok_or_else(|| {
            Error::usage("no application is named").hint(format!("add --client-id ID, or set {CLIENT_ID}"))
        })
    }

    /// What the application to `connect` as proves itself with: what the flags say, else what the environment says.
    /// `secret` was read from standard input, where that was asked for.
    pub fn proof_to_connect(&self, args: &ConnectArgs, secret: Option<SecretString>) -> Result<Proof> {
        let proof = if let Some(value) = secret {
            Some(Proof::Secret { value, origin: Origin::Flag("--client-secret-stdin") })
        } else if let Some(path) = &args.certificate {
            Some(self.certificate(path.clone(), Origin::Flag("--certificate")))
        } else if let Some(path) = &args.federated_token_file {
            Some(Proof::Federated(Federated::file(path.clone(), Origin::Flag("--federated-token-file"))))
        } else if args.github_oidc {
            let proof = self.github()?;
            Some(proof.ok_or_else(|| {
                Error::usage(format!("--github-oidc: {GITHUB_URL} and {GITHUB_TOKEN} are not set"))
                    .hint("on GitHub Actions, give the job: permissions: id-token: write")
            })?)
        } else {
            self.check_proof_belongs_to(args)?;
            self.proof()?
        };
        proof.ok_or_else(|| {
            Error::usage("there is nothing for the application to prove itself with")
                .detail(format!("{} missing", self.missing_proof()))
                .hint(PROOF_FLAGS)
        })
    }

    /// What proves the application of the environment is not presented as another's.
    fn check_proof_belongs_to(&self, args: &ConnectArgs) -> Result<()> {
        match (&args.client_id, self.environment.text(CLIENT_ID)) {
            (Some(asked), Some(named)) if !asked.eq_ignore_ascii_case(&named) => Err(Error::usage(format!(
                "--client-id names another application than {CLIENT_ID}, so what else the environment has is not its own"
            ))
            .hint(PROOF_FLAGS)),
            _ => Ok(()),
        }
    }

    /// What the environment has to prove an application with: a secret before a certificate before a federated token
    /// (azure-identity's order), and GitHub's own token where there is none of them.
    fn proof(&self) -> Result<Option<Proof>> {
        let path = |name: &str| self.environment.raw(name).map(PathBuf::from);
        if let Some(secret) = self.environment.text(SECRET) {
            return Ok(Some(Proof::Secret { value: secret::taken(secret), origin: Origin::Variable(SECRET) }));
        }
        if let Some(path) = path(CERTIFICATE) {
            return Ok(Some(self.certificate(path, Origin::Variable(CERTIFICATE))));
        }
        if let Some(path) = path(FEDERATED) {
            return Ok(Some(Proof::Federated(Federated::file(path, Origin::Variable(FEDERATED)))));
        }
        self.github()
    }

    fn certificate(&self, path: PathBuf, origin: Origin) -> Proof {
        // A password may begin or end with blanks.
        let password = self.environment.raw(PASSWORD).map(|password| password.to_string_lossy().into_owned());
        Proof::Certificate(CertificateFile::new(path, password.map(secret::taken), origin))
    }

    /// The way to the token that GitHub Actions gives to a job about itself.
    fn github(&self) -> Result<Option<Proof>> {
        let (Some(url), Some(token)) = (self.environment.text(GITHUB_URL), self.environment.text(GITHUB_TOKEN)) else {
            return Ok(None);
        };
        let wrong = |why: &str| {
            Error::sign_in(format!("{GITHUB_URL} {why}"))
                .hint("GitHub sets it, in a job with permissions: id-token: write")
        };
        let url = Url::parse(&url).ok().filter(Url::has_host).ok_or_else(|| wrong("holds no web address"))?;
        if url.scheme() != "https" && !is_loopback(&url) {
            return Err(wrong("is plain http; tokens are sent over https, or to this machine alone"));
        }
        Ok(Some(Proof::Federated(Federated::github(url, secret::taken(token)))))
    }

    fn missing_proof(&self) -> String {
        let proofs = format!("one of {SECRET}, {CERTIFICATE} and {FEDERATED}");
        if self.environment.raw(ON_GITHUB).is_some() {
            format!("{proofs} (or, for GitHub's own token, the job's permission id-token: write)")
        } else {
            proofs
        }
    }
}
