//! Flags and environment, turned into typed settings; whatever is wrong with them is said here, before anything
//! is done.

mod described;

use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use clap::{ArgAction, Args, ColorChoice, ValueEnum};
use etcetera::base_strategy::{BaseStrategy, choose_native_strategy};
use secrecy::SecretString;
use url::Url;

use crate::api::is_valid_segment;
use crate::auth::{DEFAULT_CLIENT_ID, DEFAULT_PROFILE, SignInCommand, TOKEN_VARIABLE, Tenant, is_bearer_token};
use crate::environment::Environment;
use crate::error::{Error, Result};
use crate::http::is_loopback;
use crate::output::{Format, Query};
use crate::secret;
use crate::text::truncate;

/// The only policy in public use.
const DEFAULT_POLICY: &str = "AllowSelfServicePurchase";
/// The policy endpoint (MSCommerce module).
const DEFAULT_ENDPOINT: &str = "https://licensing.m365.microsoft.com";
/// Entra's public cloud.
const DEFAULT_AUTHORITY: &str = "https://login.microsoftonline.com";
/// M365 License Manager.
const DEFAULT_SCOPE: &str = "aeb86249-8ea3-49e2-900b-54cc8e308f85/.default";
/// Seconds that the network may take.
const DEFAULT_TIMEOUT: u32 = 100;

const OUTPUT_VARIABLE: &str = "MSCOMMERCE_OUTPUT";
const PROFILE_VARIABLE: &str = "MSCOMMERCE_PROFILE";
const ENDPOINT_VARIABLE: &str = "MSCOMMERCE_ENDPOINT";
const AUTHORITY_VARIABLE: &str = "AZURE_AUTHORITY_HOST";
pub const TENANT_VARIABLE: &str = "AZURE_TENANT_ID";
const HOME_VARIABLE: &str = "MSCOMMERCE_HOME";

/// Flags that every command takes.
#[derive(Args, Debug)]
#[command(next_help_heading = "Global options")]
pub struct GlobalArgs {
    /// The policy to work on [default: AllowSelfServicePurchase]
    #[arg(long, global = true, value_name = "ID")]
    pub policy_id: Option<String>,
    /// The saved sign-in to use [env: MSCOMMERCE_PROFILE] [default: default]
    #[arg(long, global = true, value_name = "NAME")]
    pub profile: Option<String>,
    /// The tenant: its id or one of its domains [default: the tenant signed in to]
    #[arg(long, global = true, value_name = "TENANT")]
    pub tenant: Vec<String>,
    /// table, json, csv, tsv or markdown [env: MSCOMMERCE_OUTPUT] [default: table]
    #[arg(short, long, global = true, value_name = "FORMAT", ignore_case = true, hide_possible_values = true)]
    pub output: Option<Format>,
    /// A JMESPath expression that picks from the result as -o json prints it
    #[arg(long, global = true, value_name = "JMESPATH")]
    pub query: Option<String>,
    /// How long the network may take, in seconds [default: 100]
    #[arg(long, global = true, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=86_400))]
    pub timeout: Option<u32>,
    /// Say less: only results, questions, warnings and errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say more: each request, its status, its correlation id
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
    /// When to use colour: auto, always or never
    #[arg(long, global = true, value_name = "WHEN", default_value_t, value_enum, hide_possible_values = true)]
    pub color: ColorChoice,
}

/// The settings that every command shares.
#[derive(Clone)]
pub struct Settings {
    pub policy_id: String,
    /// The policy named with `--policy-id`.
    pub policy_id_given: Option<String>,
    pub profile: String,
    /// Whether `--profile` was given.
    profile_is_given: bool,
    /// The tenant named with `--tenant`, where it is one.
    pub tenant: Option<Tenant>,
    /// The tenants named with `--tenant`, where they are several.
    pub tenants: Vec<Tenant>,
    pub format: Format,
    /// The format named with `--output`.
    pub format_given: Option<Format>,
    /// What `--query` picks from the result.
    pub query: Option<Query>,
    pub timeout: Duration,
    /// Whether `--timeout` was given, rather than left at its default.
    pub timeout_is_given: bool,
    pub endpoint: Url,
    environment: Rc<Environment>,
}

impl Settings {
    pub fn new(args: &GlobalArgs, environment: Environment) -> Result<Self> {
        let policy_id = args.policy_id.clone().unwrap_or_else(|| DEFAULT_POLICY.to_owned());
        if !is_valid_segment(&policy_id) {
            return Err(Error::usage(format!("--policy-id: '{}' cannot be an id", truncate(&policy_id, 80)))
                .with_hint("mscommerce policy list"));
        }
        let mut tenants = Vec::new();
        for name in &args.tenant {
            let tenant = Tenant::parse(name).map_err(|error| Error::usage(format!("--tenant: {error}")))?;
            if !tenants.contains(&tenant) {
                tenants.push(tenant);
            }
        }
        let tenant = if tenants.len() == 1 { tenants.pop() } else { None };
        Ok(Self {
            policy_id,
            policy_id_given: args.policy_id.clone(),
            profile: profile(args, &environment)?,
            profile_is_given: args.profile.is_some(),
            tenant,
            tenants,
            format: format(args, &environment)?,
            format_given: args.output,
            query: args.query.as_deref().map(Query::parse).transpose()?,
            timeout: Duration::from_secs(args.timeout.unwrap_or(DEFAULT_TIMEOUT).into()),
            timeout_is_given: args.timeout.is_some(),
            endpoint: address(&environment, ENDPOINT_VARIABLE, DEFAULT_ENDPOINT)?,
            environment: Rc::new(environment),
        })
    }

    /// The same settings for one tenant.
    pub fn with_tenant(&self, tenant: Tenant) -> Self {
        Self { tenant: Some(tenant), tenants: Vec::new(), ..self.clone() }
    }

    /// The authority host that `connect` signs in at.
    pub fn authority(&self) -> Result<Url> {
        address(&self.environment, AUTHORITY_VARIABLE, DEFAULT_AUTHORITY)
    }

    /// The tenant that `connect` and applications sign in to, and what names it: `--tenant`, else `AZURE_TENANT_ID`,
    /// which must not move a saved sign-in.
    pub fn sign_in_tenant(&self) -> Result<(Option<Tenant>, &'static str)> {
        if self.tenant.is_some() {
            return Ok((self.tenant.clone(), "--tenant"));
        }
        let named = self.environment.get(TENANT_VARIABLE).as_deref().map(Tenant::parse).transpose();
        let named = named.map_err(|error| Error::usage(format!("{TENANT_VARIABLE}: {error}")))?;
        Ok((named, TENANT_VARIABLE))
    }

    /// Whether `MSCOMMERCE_TOKEN` is set, to whatever.
    pub fn has_env_token(&self) -> bool {
        self.environment.get(TOKEN_VARIABLE).is_some()
    }

    /// The token of `MSCOMMERCE_TOKEN`.
    pub fn env_token(&self) -> Result<Option<SecretString>> {
        let Some(token) = self.environment.get(TOKEN_VARIABLE).map(secret::into_secret) else { return Ok(None) };
        if is_bearer_token(&token) {
            return Ok(Some(token));
        }
        Err(Error::usage(format!(
            "{TOKEN_VARIABLE} does not hold an access token: a token is one word, without quotes or 'Bearer'"
        ))
        .with_hint("export MSCOMMERCE_TOKEN=$(az account get-access-token --resource aeb86249-8ea3-49e2-900b-54cc8e308f85 --query accessToken -o tsv)"))
    }

    /// The public client that `connect` signs in as, where `--client-id` does not say.
    pub fn client_id(&self) -> String {
        self.environment.get("MSCOMMERCE_CLIENT_ID").unwrap_or_else(|| DEFAULT_CLIENT_ID.to_owned())
    }

    /// The scope to ask for.
    pub fn scope(&self) -> String {
        self.environment.get("MSCOMMERCE_SCOPE").unwrap_or_else(|| DEFAULT_SCOPE.to_owned())
    }

    /// The service that tokens have to be for: the scope without its ending.
    pub fn resource(&self) -> String {
        let scope = self.scope();
        scope.strip_suffix("/.default").unwrap_or(&scope).to_owned()
    }

    /// Where the sign-ins are kept.
    pub fn state_directory(&self) -> Result<PathBuf> {
        state_directory(&self.environment)
    }

    /// A command for a hint, with the flags that lead it where this run was led.
    pub fn command(&self, command: &str) -> String {
        let mut command = self.command_any_policy(command);
        if self.policy_id != DEFAULT_POLICY {
            command.push_str(&format!(" --policy-id {}", crate::text::shell_quote_short(&self.policy_id)));
        }
        command
    }

    /// The same for a command that is not about the policy in use.
    pub fn command_any_policy(&self, command: &str) -> String {
        format!("{command}{}", SignInCommand::new(&self.profile, self.tenant.as_ref()).flags())
    }

    pub fn environment(&self) -> &Environment {
        &self.environment
    }
}

/// Where the sign-ins are kept: `MSCOMMERCE_HOME`, else the platform's place for an application's state.
pub fn state_directory(environment: &Environment) -> Result<PathBuf> {
    if let Some(home) = environment.get_os(HOME_VARIABLE) {
        return std::path::absolute(home)
            .map_err(|error| Error::usage(error).context(format!("{HOME_VARIABLE} is no usable path")));
    }
    let base = choose_native_strategy().map_err(|_| {
        Error::usage(format!("there is no home directory; name a directory for mscommerce in {HOME_VARIABLE}"))
    })?;
    // Linux has a place for state. macOS keeps it with an application's data; on Windows the cache is the
    // local application data, which does not roam to other machines.
    let base = base.state_dir().unwrap_or_else(|| if cfg!(windows) { base.cache_dir() } else { base.data_dir() });
    Ok(base.join("mscommerce"))
}

fn profile(args: &GlobalArgs, environment: &Environment) -> Result<String> {
    let (name, origin) = match (&args.profile, environment.get(PROFILE_VARIABLE)) {
        (Some(name), _) => (name.clone(), "--profile"),
        (None, Some(name)) => (name, PROFILE_VARIABLE),
        (None, None) => return Ok(DEFAULT_PROFILE.to_owned()),
    };
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '@');
    if name.is_empty() || name.len() > 64 || !name.chars().all(fits) {
        let name = truncate(&name, 80);
        return Err(Error::usage(format!(
            "{origin}: '{name}' is no profile name: up to 64 letters, digits, dots, hyphens, underscores and @"
        )));
    }
    Ok(name)
}

fn format(args: &GlobalArgs, environment: &Environment) -> Result<Format> {
    if let Some(format) = args.output {
        return Ok(format);
    }
    let Some(name) = environment.get(OUTPUT_VARIABLE) else { return Ok(Format::default()) };
    Format::from_str(&name, true).map_err(|_| {
        let formats: Vec<_> = Format::value_variants().iter().filter_map(ValueEnum::to_possible_value).collect();
        let formats: Vec<_> = formats.iter().map(clap::builder::PossibleValue::get_name).collect();
        let name = truncate(&name, 80);
        Error::usage(format!("{OUTPUT_VARIABLE}: there is no format '{name}'; the formats are {}", formats.join(", ")))
    })
}

/// Tokens travel to this address, so it has to be https, or a server on this machine.
fn address(environment: &Environment, variable: &str, default: &str) -> Result<Url> {
    let text = environment.get(variable).unwrap_or_else(|| default.to_owned());
    // What may be a password is not repeated.
    let shown = if text.contains('@') { "its value".to_owned() } else { format!("'{}'", truncate(&text, 80)) };
    let wrong = |why: &str| Error::usage(format!("{variable}: {shown} {why}"));
    // Azure's libraries accept an authority host without a scheme, too.
    let with_scheme = if text.contains("://") { text.clone() } else { format!("https://{text}") };
    let url = Url::parse(&with_scheme).map_err(|error| wrong(&format!("is no web address: {error}")))?;
    if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
        return Err(Error::usage(format!(
            "{variable}: the address must not hold a user, a password, a query or a fragment"
        )));
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        "http" => Err(wrong("is plain http; tokens are sent over https, or to this machine alone")
            .with_hint("write https:// in place of http://")),
        _ => Err(wrong("is no https address")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Cli, Command};
    use clap::Parser;

    fn settings(flags: &[&str], variables: &[(&str, &str)]) -> Result<Settings> {
        let cli = Cli::try_parse_from(["mscommerce", "status"].iter().chain(flags)).expect("a command line");
        assert!(matches!(cli.command, Command::Status));
        Settings::new(&cli.global, variables.iter().copied().collect())
    }

    #[test]
    fn flags_outrank_variables_and_variables_outrank_defaults() {
        let chosen = settings(&["--profile", "a"], &[("MSCOMMERCE_PROFILE", "b"), ("MSCOMMERCE_OUTPUT", "JSON")])
            .expect("settings");
        assert_eq!((chosen.profile.as_str(), chosen.format), ("a", Format::Json));
        assert_eq!(chosen.endpoint.as_str(), "https://licensing.m365.microsoft.com/");
    }

    #[test]
    fn an_empty_variable_counts_as_unset() {
        assert_eq!(
            settings(&[], &[("MSCOMMERCE_OUTPUT", ""), ("MSCOMMERCE_PROFILE", " ")]).expect("settings").profile,
            "default"
        );
    }

    #[test]
    fn plain_http_goes_to_this_machine_alone() {
        for fits in [
            "http://127.0.0.1:1",
            "http://[::1]:1",
            "http://localhost:1",
            "https://proxy.example/base",
            "login.example",
        ] {
            assert!(settings(&[], &[("MSCOMMERCE_ENDPOINT", fits)]).is_ok(), "{fits}");
        }
        for wrong in [
            "http://licensing.m365.microsoft.com",
            "http://127.0.0.1.example",
            "ftp://x.example",
            "https://u:p@x.example",
            "http://",
        ] {
            assert!(settings(&[], &[("MSCOMMERCE_ENDPOINT", wrong)]).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_variable_with_a_wrong_value_is_named() {
        for (variable, value) in [("MSCOMMERCE_OUTPUT", "xml"), ("MSCOMMERCE_PROFILE", "a b")] {
            let error = settings(&[], &[(variable, value)]).err().expect("an error");
            assert!(error.message().contains(variable), "{error:?}");
        }
        let error =
            settings(&[], &[("MSCOMMERCE_TOKEN", "Bearer abc")]).expect("settings").env_token().expect_err("an error");
        assert!(error.message().contains("MSCOMMERCE_TOKEN") && !error.summary().contains("abc"), "{error:?}");
    }
}
