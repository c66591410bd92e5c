//! The tenants of a command, one or several: which ones, a client for each, and what each of them returned.

use std::io;
use std::path::{Path, PathBuf};

use clap::Args;
use futures_util::future::join_all;

use super::lookup;
use crate::api;
use crate::auth::Tenant;
use crate::context::{Context, CredentialSource};
use crate::error::{Error, ErrorKind, Result};
use crate::files;
use crate::text::{sanitize_line, shell_quote};

/// In bytes. Larger than any list of customers.
const MAX_FILE_SIZE: usize = 1024 * 1024;

const HINT_SINGLE_TENANT: &str = "for more, run the command at one tenant alone: --tenant TENANT";

/// Several tenants at once.
#[derive(Args, Debug)]
pub struct TenantsArgs {
    /// A file of tenants, one a line (# begins a comment); --tenant may be given several times, too
    #[arg(long, value_name = "FILE")]
    pub tenants_file: Option<PathBuf>,
}

impl TenantsArgs {
    /// The tenants of a command at several tenants; `None` for a command at one. A file always makes it several, so that
    /// the form of the result does not depend on the file.
    pub async fn read(&self, context: &Context) -> Result<Option<Vec<Tenant>>> {
        let named = &context.settings.tenants;
        let Some(file) = &self.tenants_file else {
            return Ok((named.len() > 1).then(|| named.clone()));
        };
        if !named.is_empty() {
            return Err(Error::usage("--tenant and --tenants-file are given: name the tenants in one way"));
        }
        read_tenants_file(file).await.map(Some)
    }

    /// The flags that name the same tenants again, for hints.
    pub fn flags(&self, context: &Context) -> String {
        match &self.tenants_file {
            Some(file) => format!(" --tenants-file {}", shell_quote(&file.display().to_string())),
            None => context.settings.tenants.iter().map(|tenant| format!(" --tenant {tenant}")).collect(),
        }
    }
}

/// Reads a file of tenants: one a line, `#` begins a comment.
async fn read_tenants_file(path: &Path) -> Result<Vec<Tenant>> {
    let file = sanitize_line(&path.display().to_string());
    let bytes = files::read_limited(path, MAX_FILE_SIZE).await.map_err(|error| match error.kind() {
        io::ErrorKind::FileTooLarge => Error::usage(format!("--tenants-file: {file} is larger than 1 MiB")),
        _ => Error::usage(error).context(format!("--tenants-file: could not read {file}")),
    })?;
    let text = std::str::from_utf8(files::strip_bom(&bytes))
        .map_err(|_| Error::usage(format!("--tenants-file: {file} is not UTF-8 text")).with_hint("save it as UTF-8"))?;
    let mut tenants = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let name = line.split('#').next().unwrap_or_default().trim();
        if !name.is_empty() {
            let tenant = Tenant::parse(name).map_err(|error| {
                Error::usage(format!("--tenants-file: {file}:{}: {}", index + 1, sanitize_line(&error)))
            })?;
            if !tenants.contains(&tenant) {
                tenants.push(tenant);
            }
        }
    }
    if tenants.is_empty() {
        return Err(Error::usage(format!("--tenants-file: {file} names no tenant")));
    }
    Ok(tenants)
}

/// A client and the context for one tenant.
#[derive(Clone)]
pub struct TenantClient {
    pub context: Context,
    pub api: api::Client,
}

impl TenantClient {
    /// The tenant as the user names it; empty for the tenant that is signed in to.
    pub fn name(&self) -> String {
        self.context.settings.tenant().map(ToString::to_string).unwrap_or_default()
    }

    /// The tenant as the user names it, with its id if that is another name.
    pub fn label(&self) -> String {
        let (name, id) = (self.name(), self.id());
        if name.eq_ignore_ascii_case(&id) { name } else { format!("{name} ({id})") }
    }

    /// The tenant's id as far as it is known, for the field `tenantId`.
    pub fn id(&self) -> String {
        self.api.session().tenant_id().unwrap_or_else(|| self.name())
    }
}

/// A client for each tenant of a command.
pub struct Tenants {
    clients: Vec<TenantClient>,
    is_many: bool,
}

impl Tenants {
    /// A client for the tenant that is signed in to or named with `--tenant`.
    pub fn single(context: &Context) -> Result<Self> {
        let client = TenantClient { context: context.clone(), api: context.api()? };
        Ok(Self { clients: vec![client], is_many: false })
    }

    /// A client for each named tenant, or a single one. All share one credential.
    pub async fn resolve(named: Option<Vec<Tenant>>, context: &Context) -> Result<Self> {
        let Some(named) = named else { return Self::single(context) };
        let source = CredentialSource::resolve(context, named.len() > 1)?;
        if let CredentialSource::Profile(store) = &source
            && named.len() > 1
        {
            // A missing sign-in is one error, not one for each tenant.
            store.ensure_signed_in(&context.sign_in_command()).await?;
        }
        let client = |tenant| {
            let context = context.with_tenant(tenant);
            let api = context.api_with(source.session(&context)?, &context.settings.policy_id.value);
            Ok(TenantClient { context, api })
        };
        Ok(Self { clients: named.into_iter().map(client).collect::<Result<_>>()?, is_many: true })
    }

    /// Calls `f` for all tenants concurrently. The error of a single tenant is the error of the command. A tenant that
    /// is named twice, by its id and a domain, counts once.
    pub async fn for_each<T, F: Future<Output = Result<T>>>(
        &self,
        f: impl Fn(TenantClient) -> F,
    ) -> Result<TenantResults<T>> {
        let results = join_all(self.clients.iter().cloned().map(f)).await;
        let mut all = TenantResults {
            succeeded: Vec::new(),
            failures: TenantFailures { total: self.clients.len(), failed: Vec::new() },
            is_many: self.is_many,
        };
        for (client, result) in self.clients.iter().zip(results) {
            match result {
                Err(error) if !self.is_many => return Err(error),
                Err(error) => {
                    let error = lookup::with_fallback_hint(error, &client.context);
                    all.failures.add(client, error);
                }
                Ok(value) => match all.succeeded.iter().find(|(other, _)| other.id() == client.id()) {
                    Some((other, _)) => {
                        let (first, second) = (other.name(), client.name());
                        client.context.ui.warn(&format!("{first} and {second} are one tenant, which counts once"));
                        all.failures.total -= 1;
                    }
                    None => all.succeeded.push((client.clone(), value)),
                },
            }
        }
        Ok(all)
    }
}

/// What the tenants of a command returned.
pub struct TenantResults<T> {
    pub succeeded: Vec<(TenantClient, T)>,
    pub failures: TenantFailures,
    /// Whether the command is at several tenants: records begin with the tenant's id.
    pub is_many: bool,
}

impl<T> TenantResults<T> {
    /// Converts what each tenant returned.
    pub fn map<U>(self, f: impl Fn(T) -> U) -> TenantResults<U> {
        let succeeded = self.succeeded.into_iter().map(|(client, value)| (client, f(value))).collect();
        TenantResults { succeeded, failures: self.failures, is_many: self.is_many }
    }

    /// The tenants that succeeded, as the end of a sentence: ` in the tenant ID` or ` at 3 tenants`.
    pub fn location(&self) -> String {
        match self.succeeded.as_slice() {
            [(client, _)] if !self.is_many => {
                client.api.session().tenant_id().map(|id| format!(" in the tenant {id}")).unwrap_or_default()
            }
            [_] => " at 1 tenant".to_owned(),
            several => format!(" at {} tenants", several.len()),
        }
    }
}

/// The errors of a command at several tenants. One tenant's error does not stop the others.
pub struct TenantFailures {
    /// The number of tenants, failed or not.
    pub total: usize,
    failed: Vec<(String, Error)>,
}

impl TenantFailures {
    /// The number of tenants that failed.
    pub fn len(&self) -> usize {
        self.failed.len()
    }

    pub fn is_empty(&self) -> bool {
        self.failed.is_empty()
    }

    pub fn add(&mut self, client: &TenantClient, error: Error) {
        self.failed.push((client.label(), error));
    }

    /// The error of the whole command, if any tenant failed. A rejected sign-in takes precedence over other errors.
    pub fn into_error(mut self) -> Option<Error> {
        if self.total == 1 {
            return self.failed.pop().map(|(name, error)| error.context(name));
        }
        if self.failed.is_empty() {
            return None;
        }
        let is_auth = self.failed.iter().any(|(_, error)| error.kind() == ErrorKind::Auth);
        let kind = if is_auth { ErrorKind::Auth } else { ErrorKind::Failed };
        let (failed, total) = (self.failed.len(), self.total);
        let mut combined = Error::failed(format!("{failed} of {total} tenants failed")).with_kind(kind);
        for (name, error) in &self.failed {
            combined = combined.with_detail(format!("{name}: {}", error.message()));
            combined = error.details().fold(combined, |combined, line| combined.with_detail(format!("  {line}")));
        }
        let hints = self.failed.iter().flat_map(|(_, error)| error.hints()).cloned();
        Some(combined.with_hints(lookup::dedup_hints(hints, || HINT_SINGLE_TENANT.to_owned())))
    }
}
