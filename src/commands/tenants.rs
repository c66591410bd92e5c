//! Several tenants in one command: which, and what became of each.

use std::io;
use std::path::Path;

use futures_util::future::join_all;

use super::at_tenant::TenantClient;
use super::{Context, suggest};
use crate::auth::Tenant;
use crate::cli::TenantsArgs;
use crate::error::{Error, ErrorKind, Result};
use crate::files;
use crate::report::Report;
use crate::text::{sanitize_line, shell_quote};

/// No list of customers comes near this.
const LARGEST: usize = 1024 * 1024;

const MORE_HINTS: &str = "for more, run the command at one tenant alone: --tenant TENANT";

/// The tenants that the command line names, where they are several: `None` for a command at one tenant. A file makes
/// them several whatever it holds, so that the form of the result does not depend on it.
pub async fn several(args: &TenantsArgs, context: &Context<'_>) -> Result<Option<Vec<Tenant>>> {
    let named = &context.settings.tenants;
    let Some(file) = &args.tenants_file else {
        return Ok((!named.is_empty()).then(|| named.clone()));
    };
    if !named.is_empty() || context.settings.tenant.is_some() {
        return Err(Error::usage("--tenant and --tenants-file are given: name the tenants in one way"));
    }
    read(file).await.map(Some)
}

/// The flags that name the same tenants again, for hints.
pub fn flags(args: &TenantsArgs, context: &Context<'_>) -> String {
    match &args.tenants_file {
        Some(file) => format!(" --tenants-file {}", shell_quote(&file.display().to_string())),
        None => context.settings.tenants.iter().map(|tenant| format!(" --tenant {tenant}")).collect(),
    }
}

/// Reads a file of tenants: one a line, `#` begins a comment.
async fn read(path: &Path) -> Result<Vec<Tenant>> {
    let file = sanitize_line(&path.display().to_string());
    let bytes = files::read_limited(path, LARGEST).await.map_err(|error| match error.kind() {
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

/// What was found at the tenants that could be read, and the failures at the others.
pub struct Found<'p, T> {
    pub read: Vec<(&'p TenantClient<'p>, T)>,
    pub failures: TenantFailures,
}

/// Reads from all tenants side by side; the limit of requests on their way holds for all of them together. A tenant
/// that is named twice, by its id and a domain, is read twice and counted once.
pub async fn read_all<'p, T>(
    places: &'p [TenantClient<'p>],
    context: &Context<'_>,
    read: impl AsyncFn(&'p TenantClient<'p>) -> Result<T>,
) -> Found<'p, T> {
    let results = join_all(places.iter().map(|place| read(place))).await;
    let mut found = Found { read: Vec::new(), failures: TenantFailures { total: places.len(), told: Vec::new() } };
    for (place, result) in places.iter().zip(results) {
        match result {
            Ok(value) => {
                let same = found.read.iter().find(|(other, _): &&(&TenantClient<'_>, T)| other.id() == place.id());
                if let Some((other, _)) = same {
                    let (one, name) = (other.name(), place.name());
                    context.terminal.warn(&format!("{one} and {name} are one tenant, which counts once"));
                    found.failures.total -= 1;
                } else {
                    found.read.push((place, value));
                }
            }
            Err(error) => found.failures.add(place, error),
        }
    }
    found
}

impl TenantClient<'_> {
    /// The tenant as it was named.
    pub fn name(&self) -> String {
        self.context.settings.tenant.as_ref().map(ToString::to_string).unwrap_or_default()
    }

    /// The tenant as it was named, with its id where that is another name.
    pub fn label(&self) -> String {
        let (name, id) = (self.name(), self.id());
        if name.eq_ignore_ascii_case(&id) { name } else { format!("{name} ({id})") }
    }

    /// The tenant's id, as far as it is known: for the field `tenantId`.
    pub fn id(&self) -> String {
        self.endpoint.tokens().tenant_id().unwrap_or_else(|| self.name())
    }
}

/// The tenants at which a command failed: the others do not fail for it.
pub struct TenantFailures {
    /// How many tenants there are.
    total: usize,
    told: Vec<(String, Error)>,
}

impl TenantFailures {
    /// At how many of the tenants something failed.
    pub fn len(&self) -> usize {
        self.told.len()
    }

    /// How many tenants there are.
    pub fn total(&self) -> usize {
        self.total
    }

    pub fn is_empty(&self) -> bool {
        self.told.is_empty()
    }

    fn add(&mut self, place: &TenantClient<'_>, error: Error) {
        let error = suggest::whatever_else(error, place.context.settings);
        self.extend(place, Some(error));
    }

    /// Adds what failed at a tenant, if something did.
    pub fn extend(&mut self, place: &TenantClient<'_>, error: Option<Error>) {
        self.told.extend(error.map(|error| (place.label(), error)));
    }

    /// The failure of the whole command, if there is one, told for every tenant: a refused sign-in outweighs the rest.
    pub fn into_error(mut self) -> Option<Error> {
        if self.total == 1 {
            return self.told.pop().map(|(name, error)| error.context(name));
        }
        if self.told.is_empty() {
            return None;
        }
        let is_refused = self.told.iter().any(|(_, error)| error.kind() == ErrorKind::Auth);
        let kind = if is_refused { ErrorKind::Auth } else { ErrorKind::Failed };
        let (failed, total) = (self.told.len(), self.total);
        let mut whole = Error::failed(format!("{failed} of {total} tenants failed")).with_kind(kind);
        for (name, error) in &self.told {
            whole = whole.with_detail(format!("{name}: {}", error.message()));
            whole = error.details().fold(whole, |whole, line| whole.with_detail(format!("  {line}")));
        }
        let hints = self.told.iter().flat_map(|(_, error)| error.hints()).cloned();
        Some(whole.with_hints(suggest::hints_of_several(hints, || MORE_HINTS.to_owned())))
    }
}
