//! Runs a command for one or several tenants: resolves the tenants, creates their clients and collects their results.

use std::cell::RefCell;
use std::collections::BTreeMap;
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
use crate::plan::Plan;
use crate::text::{sanitize_line, shell_quote};
use crate::ui::Progress;

/// In bytes. Larger than any realistic list of tenants.
const MAX_FILE_SIZE: usize = 1024 * 1024;

const HINT_SINGLE_TENANT: &str = "run the command with --tenant TENANT to see more";

/// Several tenants at once.
#[derive(Args, Debug)]
pub struct TenantsArgs {
    /// Tenants, one per line (or repeat --tenant)
    #[arg(long, value_name = "FILE")]
    pub tenants_file: Option<PathBuf>,
}

impl TenantsArgs {
    /// The tenants of `--tenants-file` or of several `--tenant` flags; `None` for a single tenant. A file counts as
    /// several tenants even if it contains one, so that the output fields do not depend on the file.
    pub async fn read(&self, context: &Context) -> Result<Option<Vec<Tenant>>> {
        let flag_tenants = &context.settings.tenants;
        let Some(file) = &self.tenants_file else {
            return Ok((flag_tenants.len() > 1).then(|| flag_tenants.clone()));
        };
        if !flag_tenants.is_empty() {
            return Err(Error::usage("--tenant and --tenants-file cannot be used together"));
        }
        read_tenants_file(file, context).await.map(Some)
    }

    /// Fails if both the tenants and `file` are read from standard input.
    pub fn check_stdin(&self, file: &Path) -> Result<()> {
        if files::is_stdio(file) && self.tenants_file.as_deref().is_some_and(files::is_stdio) {
            return Err(Error::usage("--tenants-file and FILE cannot both be standard input (-)"));
        }
        Ok(())
    }

    /// The flags that select the same tenants, for hints.
    pub fn flags(&self, context: &Context) -> String {
        match &self.tenants_file {
            Some(file) => format!(" --tenants-file {}", shell_quote(&file.display().to_string())),
            None => context.settings.tenants.iter().map(|tenant| format!(" --tenant {tenant}")).collect(),
        }
    }
}

/// Reads a file with one tenant per line. `#` starts a comment. Removes duplicates.
async fn read_tenants_file(path: &Path, context: &Context) -> Result<Vec<Tenant>> {
    let file = files::input_name(path);
    let bytes = context.ui.read_file(path, MAX_FILE_SIZE).await.map_err(|error| match error.kind() {
        io::ErrorKind::FileTooLarge => Error::usage(format!("--tenants-file: {file} is larger than 1 MiB")),
        _ => Error::usage(error).context(format!("--tenants-file: could not read {file}")),
    })?;
    let text = files::to_text(&bytes).ok_or_else(|| {
        Error::usage(format!("--tenants-file: {file} is not UTF-8 text")).with_hint("save it as UTF-8")
    })?;
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
        return Err(Error::usage(format!("--tenants-file: {file} contains no tenants")));
    }
    Ok(tenants)
}

/// The context and API client of one tenant.
#[derive(Clone)]
pub struct TenantClient {
    pub context: Context,
    pub api: api::Client,
}

impl TenantClient {
    /// Creates a client for the tenant of `--tenant` or, without the flag, of the sign-in.
    pub fn new(context: &Context) -> Result<Self> {
        Ok(Self { context: context.clone(), api: context.api()? })
    }

    /// The tenant as a message suffix: ` in the tenant ID`; empty if the ID is unknown.
    pub fn location(&self) -> String {
        let id = self.api.session().tenant_id();
        id.map(|id| format!(" in tenant {}", sanitize_line(&id))).unwrap_or_default()
    }

    /// The tenant as the user spells it; empty for the tenant of the sign-in.
    pub fn name(&self) -> String {
        self.context.settings.tenant().map(ToString::to_string).unwrap_or_default()
    }

    /// Whether the user specified the tenant by its ID.
    fn is_named_by_id(&self) -> bool {
        self.context.settings.tenant().is_some_and(|tenant| tenant.id().is_some())
    }

    /// The tenant as the user spells it, followed by its ID if they differ.
    pub fn label(&self) -> String {
        let (name, id) = (self.name(), self.id());
        if name.eq_ignore_ascii_case(&id) { name } else { format!("{name} ({id})") }
    }

    /// The value of the field `tenantId`: the tenant ID, or the tenant as the user spells it if the ID is unknown.
    pub fn id(&self) -> String {
        self.api.session().tenant_id().unwrap_or_else(|| self.name())
    }
}

/// A plan with its tenant.
pub struct TenantPlan {
    pub tenant: TenantClient,
    pub plan: Plan,
}

/// A client for each tenant of a command.
pub struct Tenants {
    clients: Vec<TenantClient>,
    is_many: bool,
}

impl Tenants {
    /// Creates a client for the tenant of `--tenant` or, without the flag, of the sign-in.
    pub fn single(context: &Context) -> Result<Self> {
        Ok(Self { clients: vec![TenantClient::new(context)?], is_many: false })
    }

    /// Creates a client for each tenant of the list, or a single one without a list. All clients share one credential.
    pub async fn resolve(tenant_list: Option<Vec<Tenant>>, context: &Context) -> Result<Self> {
        let Some(tenant_list) = tenant_list else { return Self::single(context) };
        let source = CredentialSource::resolve(context, tenant_list.len() > 1)?;
        if let CredentialSource::Profile(store) = &source
            && tenant_list.len() > 1
        {
            // Report a missing sign-in once, not once per tenant.
            store.ensure_signed_in(&context.sign_in_command()).await?;
        }
        let client = |tenant| {
            let context = context.with_tenant(tenant);
            let api = context.api_with(source.session(&context)?, &context.settings.policy_id.value);
            Ok(TenantClient { context, api })
        };
        Ok(Self { clients: tenant_list.into_iter().map(client).collect::<Result<_>>()?, is_many: true })
    }

    /// Calls `f` for all tenants concurrently. Fails only for a single tenant; otherwise collects the errors. Calls `f`
    /// once for a tenant that is listed by ID and by domain.
    pub async fn for_each<T, F: Future<Output = Result<T>>>(
        &self,
        f: impl Fn(TenantClient) -> F,
    ) -> Result<TenantResults<T>> {
        let by_id = self.clients.iter().enumerate().filter(|(_, client)| client.is_named_by_id());
        let owners: RefCell<BTreeMap<String, usize>> =
            RefCell::new(by_id.map(|(index, client)| (client.name(), index)).collect());
        // The ID of a domain is known once it has an access token.
        let owner = async |index: usize, client: &TenantClient| {
            if self.clients.len() == 1 {
                return Ok::<usize, Error>(index);
            }
            client.api.session().access_token().await?;
            Ok(*owners.borrow_mut().entry(client.id().to_lowercase()).or_insert(index))
        };
        let call = async |(index, client): (usize, &TenantClient)| match owner(index, client).await? {
            owner if owner == index => f(client.clone()).await.map(Ok),
            owner => Ok(Err(owner)),
        };
        let spinner = self.clients.first().map(|client| {
            let message = "Reading products…";
            client.context.ui.show_spinner(message, self.clients.len())
        });
        let results = join_all(self.clients.iter().enumerate().map(async |client| {
            let result = call(client).await;
            spinner.iter().for_each(Progress::advance);
            result
        }))
        .await;
        drop(spinner);
        let mut all = TenantResults {
            succeeded: Vec::new(),
            failures: TenantFailures { total: self.clients.len(), failed: Vec::new() },
            is_many: self.is_many,
        };
        // The position of each tenant is that of its first name.
        let mut positions: Vec<usize> = (0..self.clients.len()).collect();
        let (mut succeeded, mut duplicates) = (Vec::new(), Vec::new());
        for (index, (client, result)) in self.clients.iter().zip(results).enumerate() {
            match result {
                Err(error) if !self.is_many => return Err(error),
                Err(error) => {
                    let error = lookup::with_fallback_hint(error, &client.context);
                    all.failures.add(client, error);
                }
                Ok(Ok(value)) => succeeded.push((index, client.clone(), value)),
                Ok(Err(owner)) => {
                    duplicates.push((index.max(owner), index.min(owner)));
                    positions[owner] = positions[owner].min(index);
                    all.failures.total -= 1;
                }
            }
        }
        duplicates.sort_unstable();
        for (second, first) in duplicates {
            let (first, second) = (&self.clients[first], &self.clients[second]);
            let names = format!("{} and {}", first.name(), second.name());
            first.context.ui.warn(&format!("{names} are the same tenant, which is processed once"));
        }
        succeeded.sort_by_key(|(index, _, _)| positions[*index]);
        all.succeeded = succeeded.into_iter().map(|(_, client, value)| (client, value)).collect();
        Ok(all)
    }
}

/// The results of a command, by tenant.
pub struct TenantResults<T> {
    pub succeeded: Vec<(TenantClient, T)>,
    pub failures: TenantFailures,
    /// Whether the command runs for several tenants. If so, the tenant ID is the first field of each record.
    pub is_many: bool,
}

impl<T> TenantResults<T> {
    /// The result of a command that runs for a single tenant.
    pub fn single(client: TenantClient, value: T) -> Self {
        let failures = TenantFailures { total: 1, failed: Vec::new() };
        Self { succeeded: vec![(client, value)], failures, is_many: false }
    }

    /// The tenants that succeeded, as a message suffix: ` in the tenant ID` or ` at 3 tenants`.
    pub fn location(&self) -> String {
        match self.succeeded.as_slice() {
            [(client, _)] if !self.is_many => client.location(),
            [_] => " in 1 tenant".to_owned(),
            several => format!(" in {} tenants", several.len()),
        }
    }
}

/// The errors of a command that runs for several tenants. An error in one tenant does not stop the others.
pub struct TenantFailures {
    /// The number of all tenants.
    pub total: usize,
    failed: Vec<(String, Error)>,
}

impl TenantFailures {
    /// The number of failed tenants.
    pub fn len(&self) -> usize {
        self.failed.len()
    }

    pub fn is_empty(&self) -> bool {
        self.failed.is_empty()
    }

    pub fn add(&mut self, client: &TenantClient, error: Error) {
        self.failed.push((client.label(), error));
    }

    /// The combined error, or `None` if no tenant failed. A sign-in error takes precedence and sets the exit code.
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
            combined = combined.with_nested(format!("{name}: {}", error.message()), error);
        }
        let hints = self.failed.iter().flat_map(|(_, error)| error.hints()).cloned();
        Some(combined.with_hints(lookup::dedup_hints(hints, || HINT_SINGLE_TENANT.to_owned())))
    }
}
