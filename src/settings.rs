//! Settings from flags and environment variables, validated before a command runs.

use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use clap::{ArgAction, Args, ColorChoice, ValueEnum};
use etcetera::base_strategy::{BaseStrategy, choose_native_strategy};
use secrecy::SecretString;
use url::Url;

use crate::api::is_valid_segment;
use crate::auth::{
    Claims, DEFAULT_CLIENT_ID, DEFAULT_PROFILE, EnvApplication, TENANT_VARIABLE, TOKEN_VARIABLE, Tenant,
    env_application,
};
use crate::environment::{Environment, home_directory};
use crate::error::{Error, Result};
use crate::files;
use crate::http::describe_roots;
use crate::output::{Format, Query};
use crate::secret::into_secret;
use crate::setting::{DescribedSetting, Setting, Source, parse_authority, parse_url};
use crate::text::truncate;

/// The only policy in public use.
pub const DEFAULT_POLICY: &str = "AllowSelfServicePurchase";
/// The policy endpoint (source: MSCommerce module).
const DEFAULT_ENDPOINT: &str = "https://licensing.m365.microsoft.com";
/// The authority host of the public cloud.
const DEFAULT_AUTHORITY: &str = "https://login.microsoftonline.com";
/// The scope of the application M365 License Manager.
const DEFAULT_SCOPE: &str = "aeb86249-8ea3-49e2-900b-54cc8e308f85/.default";
const DEFAULT_TIMEOUT_SECONDS: u32 = 100;

const OUTPUT_VARIABLE: &str = "MSCOMMERCE_OUTPUT";
const PROFILE_VARIABLE: &str = "MSCOMMERCE_PROFILE";
const ENDPOINT_VARIABLE: &str = "MSCOMMERCE_ENDPOINT";
const CLIENT_ID_VARIABLE: &str = "MSCOMMERCE_CLIENT_ID";
const SCOPE_VARIABLE: &str = "MSCOMMERCE_SCOPE";
const HOME_VARIABLE: &str = "MSCOMMERCE_HOME";
const AUTHORITY_VARIABLE: &str = "AZURE_AUTHORITY_HOST";

/// Variables that an env file of docker may leave in quotation marks, without another error that shows it.
const UNQUOTED_VARIABLES: [&str; 3] = [CLIENT_ID_VARIABLE, SCOPE_VARIABLE, HOME_VARIABLE];

/// Flags that every command takes.
#[derive(Args, Debug)]
#[command(next_help_heading = "Global options")]
#[allow(clippy::doc_markdown, reason = "the doc comments of arguments are help texts")]
pub struct GlobalArgs {
    /// Policy ID [default: AllowSelfServicePurchase]
    #[arg(long, global = true, hide_short_help = true, value_name = "ID")]
    pub policy_id: Option<String>,
    /// Saved sign-in to use [default: default]
    #[arg(long, global = true, hide_short_help = true, value_name = "NAME")]
    pub profile: Option<String>,
    /// Tenant ID or domain [default: the tenant of the sign-in]
    #[arg(long, global = true, hide_short_help = true, value_name = "TENANT")]
    pub tenant: Vec<String>,
    /// Output format: table (default), json, csv, tsv, markdown
    #[arg(
        short,
        long,
        global = true,
        hide_short_help = true,
        value_name = "FORMAT",
        ignore_case = true,
        hide_possible_values = true
    )]
    pub output: Option<Format>,
    /// Filter JSON output with a JMESPath expression
    #[arg(long, global = true, hide_short_help = true, value_name = "JMESPATH")]
    pub query: Option<String>,
    /// Timeout of all requests together [default: 100]
    #[arg(long, global = true, hide_short_help = true, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=86_400))]
    pub timeout: Option<u32>,
    /// Hide progress and notes
    #[arg(short, long, global = true, hide_short_help = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Log each HTTP request (-vv: with headers and bodies)
    #[arg(short, long, global = true, hide_short_help = true, action = ArgAction::Count)]
    pub verbose: u8,
    /// Use color: auto, always or never
    #[arg(
        long,
        global = true,
        hide_short_help = true,
        value_name = "WHEN",
        default_value_t,
        value_enum,
        hide_possible_values = true
    )]
    pub color: ColorChoice,
}

/// The settings of a run.
#[derive(Clone)]
pub struct Settings {
    pub policy_id: Setting<String>,
    pub profile: Setting<String>,
    /// The tenants of `--tenant`, without duplicates.
    pub tenants: Vec<Tenant>,
    pub format: Setting<Format>,
    pub query: Option<Query>,
    pub timeout: Setting<Duration>,
    pub endpoint: Setting<Url>,
    /// The client ID for users, unless `connect --client-id` is set.
    pub client_id: Setting<String>,
    /// The scope to request.
    pub scope: Setting<String>,
    environment: Rc<Environment>,
}

impl Settings {
    pub fn new(args: &GlobalArgs, environment: Environment) -> Result<Self> {
        environment.check_unquoted(&UNQUOTED_VARIABLES)?;
        let policy_id = Setting::from_flag("--policy-id", args.policy_id.clone(), DEFAULT_POLICY.to_owned());
        if !is_valid_segment(&policy_id.value) {
            return Err(Error::usage(format!("--policy-id: '{}' is not a valid ID", truncate(&policy_id.value, 80)))
                .with_hint("mscommerce policy list"));
        }
        let mut tenants = Vec::new();
        for name in &args.tenant {
            let tenant = Tenant::parse(name).map_err(|error| Error::usage(format!("--tenant: {error}")))?;
            if !tenants.contains(&tenant) {
                tenants.push(tenant);
            }
        }
        let seconds = |seconds: u32| Duration::from_secs(seconds.into());
        Ok(Self {
            policy_id,
            profile: parse_profile(args, &environment)?,
            tenants,
            format: parse_format(args, &environment)?,
            query: args.query.as_deref().map(Query::parse).transpose()?,
            timeout: Setting::from_flag("--timeout", args.timeout.map(seconds), seconds(DEFAULT_TIMEOUT_SECONDS)),
            endpoint: parse_url(&environment, ENDPOINT_VARIABLE, DEFAULT_ENDPOINT)?,
            client_id: Setting::from_env(&environment, CLIENT_ID_VARIABLE, DEFAULT_CLIENT_ID),
            scope: Setting::from_env(&environment, SCOPE_VARIABLE, DEFAULT_SCOPE),
            environment: Rc::new(environment),
        })
    }

    /// Whether the result is printed as a table for people, without a query that selects a part of it.
    pub fn prints_table(&self) -> bool {
        self.format.value == Format::Table && self.query.is_none()
    }

    /// Returns the settings for one tenant.
    pub fn with_tenant(&self, tenant: Tenant) -> Self {
        Self { tenants: vec![tenant], ..self.clone() }
    }

    /// The global flags on the command line that affect a command or its output.
    pub fn given_flags(&self) -> impl Iterator<Item = &'static str> {
        let flags = [
            ("--policy-id", self.policy_id.flag().is_some()),
            ("--profile", self.profile.flag().is_some()),
            ("--tenant", !self.tenants.is_empty()),
            ("--output", self.format.flag().is_some()),
            ("--query", self.query.is_some()),
            ("--timeout", self.timeout.flag().is_some()),
        ];
        flags.into_iter().filter(|(_, is_given)| *is_given).map(|(flag, _)| flag)
    }

    /// The tenant of `--tenant`; `None` without the flag or with several tenants.
    pub fn tenant(&self) -> Option<&Tenant> {
        if let [tenant] = &*self.tenants { Some(tenant) } else { None }
    }

    /// The tenant for `connect` and applications, with its source: `--tenant`, otherwise `AZURE_TENANT_ID`. Do not use
    /// it with a cached credential, whose tenant `AZURE_TENANT_ID` must not change.
    pub fn sign_in_tenant(&self) -> Result<(Option<Tenant>, &'static str)> {
        if let Some(tenant) = self.tenant() {
            return Ok((Some(tenant.clone()), "--tenant"));
        }
        self.environment.check_unquoted(&[TENANT_VARIABLE])?;
        let tenant = self.environment.get(TENANT_VARIABLE).as_deref().map(Tenant::parse).transpose();
        let tenant = tenant.map_err(|error| Error::usage(format!("{TENANT_VARIABLE}: {error}")))?;
        Ok((tenant, TENANT_VARIABLE))
    }

    /// The authority host for sign-ins. Fails if `AZURE_AUTHORITY_HOST` is invalid or contains a
    /// tenant.
    pub fn authority(&self) -> Result<Url> {
        parse_authority(&self.environment, AUTHORITY_VARIABLE, DEFAULT_AUTHORITY).map(|setting| setting.value)
    }

    /// The resource that tokens must be issued for: the scope without `/.default`.
    pub fn resource(&self) -> String {
        let scope = &self.scope.value;
        scope.strip_suffix("/.default").unwrap_or(scope).to_owned()
    }

    /// Whether `MSCOMMERCE_TOKEN` is set, valid or not.
    pub fn has_env_token(&self) -> bool {
        self.environment.get(TOKEN_VARIABLE).is_some()
    }

    /// The access token of `MSCOMMERCE_TOKEN`. Fails if it is not a JWT.
    pub fn env_token(&self) -> Result<Option<SecretString>> {
        let Some(token) = self.environment.get(TOKEN_VARIABLE).map(into_secret) else { return Ok(None) };
        if Claims::of_access_token(&token).is_some() {
            return Ok(Some(token));
        }
        Err(Error::usage(format!(
            "{TOKEN_VARIABLE} is not an access token: a token is a JWT, without spaces, quotes or 'Bearer'"
        ))
        .with_hint("export MSCOMMERCE_TOKEN=$(az account get-access-token --resource aeb86249-8ea3-49e2-900b-54cc8e308f85 --query accessToken -o tsv)"))
    }

    /// The application of the `AZURE_*` environment variables. Fails if a variable is invalid.
    pub fn env_application(&self) -> Result<EnvApplication> {
        let application = env_application(&self.environment);
        if !matches!(application, Ok(EnvApplication::Absent | EnvApplication::Incomplete(_))) {
            // Report an invalid tenant now, not at sign-in.
            self.sign_in_tenant()?;
        }
        application
    }

    /// Whether a credential of the environment takes precedence over the profile.
    pub fn has_env_credential(&self) -> bool {
        self.has_env_token() || matches!(self.env_application(), Ok(EnvApplication::Complete(_)))
    }

    /// The directory of the token cache and the history. See [`state_directory`].
    pub fn state_directory(&self) -> Result<PathBuf> {
        state_directory(&self.environment)
    }

    /// The state directory, for display. Fails if it exists and other users could have written to it.
    fn checked_state_directory(&self) -> Result<String> {
        let path = self.state_directory()?;
        match files::check_private_dir(&path) {
            Err(error) if !error.is_not_found() => Err(error.into_error("use", &path)),
            _ => Ok(path.display().to_string()),
        }
    }

    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// The settings that affect requests, with their sources, for `doctor`.
    pub fn describe(&self) -> Vec<DescribedSetting> {
        let row = |name, value: Result<String>, source: Source| DescribedSetting { name, value, source: source.name() };
        let authority = parse_authority(&self.environment, AUTHORITY_VARIABLE, DEFAULT_AUTHORITY);
        let env_or_default = |variable, is_set: bool| if is_set { Source::Env(variable) } else { Source::Default };
        let authority_source = env_or_default(AUTHORITY_VARIABLE, self.environment.get(AUTHORITY_VARIABLE).is_some());
        let home_source = env_or_default(HOME_VARIABLE, self.environment.get(HOME_VARIABLE).is_some());
        let format = self.format.value.to_possible_value().map(|value| value.get_name().to_owned());
        let (tenant, tenant_source) = match (self.tenant(), self.sign_in_tenant()) {
            (Some(tenant), _) => (Ok(tenant.to_string()), Source::Flag("--tenant")),
            (None, Ok((Some(tenant), variable))) => {
                (Ok(format!("{tenant}, for connect and applications")), Source::Env(variable))
            }
            (None, Ok((None, _))) => (Ok("the tenant of the sign-in".to_owned()), Source::Default),
            (None, Err(error)) => (Err(error), Source::Env(TENANT_VARIABLE)),
        };
        let mut rows = vec![
            row("policy-id", Ok(self.policy_id.value.clone()), self.policy_id.source),
            row("endpoint", Ok(self.endpoint.value.to_string()), self.endpoint.source),
            row("authority", authority.map(|setting| setting.value.to_string()), authority_source),
            row("client-id", Ok(self.client_id.value.clone()), self.client_id.source),
            row("scope", Ok(self.scope.value.clone()), self.scope.source),
            row("profile", Ok(self.profile.value.clone()), self.profile.source),
            row("timeout", Ok(format!("{} s", self.timeout.value.as_secs())), self.timeout.source),
            row("state-directory", self.checked_state_directory(), home_source),
            row("output", Ok(format.unwrap_or_default()), self.format.source),
            row("tenant", tenant, tenant_source),
        ];
        rows.extend(describe_roots().into_iter().map(|(path, source)| DescribedSetting {
            name: "trusted certificates",
            value: Ok(path),
            source,
        }));
        rows
    }
}

/// The directory of the token cache and the history: `MSCOMMERCE_HOME`, otherwise the platform's directory for
/// application state. Fails if there is no home directory.
pub fn state_directory(environment: &Environment) -> Result<PathBuf> {
    if let Some(home) = environment.get_path(HOME_VARIABLE)? {
        return std::path::absolute(home)
            .map_err(|error| Error::usage(error).context(format!("{HOME_VARIABLE} is not a usable path")));
    }
    let base = home_directory().and_then(|_| choose_native_strategy().ok()).ok_or_else(|| {
        Error::usage(format!("home directory not found; set {HOME_VARIABLE} to a directory for mscommerce"))
    })?;
    // Only Linux has a state directory. On Windows, the cache directory is in the local application data, which does
    // not roam to other machines.
    let base = base.state_dir().unwrap_or_else(|| if cfg!(windows) { base.cache_dir() } else { base.data_dir() });
    Ok(base.join("mscommerce"))
}

fn parse_profile(args: &GlobalArgs, environment: &Environment) -> Result<Setting<String>> {
    let profile = match &args.profile {
        Some(name) => Setting { value: name.clone(), source: Source::Flag("--profile") },
        None => Setting::from_env(environment, PROFILE_VARIABLE, DEFAULT_PROFILE),
    };
    let name = &profile.value;
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '@');
    if name.is_empty() || name.len() > 64 || !name.chars().all(is_allowed) {
        return Err(Error::usage(format!(
            "{}: '{}' is not a valid profile name: use up to 64 letters, digits, dots, hyphens, underscores and @",
            profile.source.name(),
            truncate(name, 80)
        )));
    }
    Ok(profile)
}

fn parse_format(args: &GlobalArgs, environment: &Environment) -> Result<Setting<Format>> {
    let name = match (args.output, environment.get(OUTPUT_VARIABLE)) {
        (None, Some(name)) => name,
        (flag, _) => return Ok(Setting::from_flag("--output", flag, Format::default())),
    };
    let value = Format::from_str(&name, true).map_err(|_| {
        let formats: Vec<_> = Format::value_variants().iter().filter_map(ValueEnum::to_possible_value).collect();
        let formats: Vec<_> = formats.iter().map(clap::builder::PossibleValue::get_name).collect();
        let name = truncate(&name, 80);
        Error::usage(format!("{OUTPUT_VARIABLE}: unknown format '{name}'; use one of {}", formats.join(", ")))
    })?;
    Ok(Setting { value, source: Source::Env(OUTPUT_VARIABLE) })
}

#[cfg(test)]
mod tests;
