//! `connect`: signs in and caches the credential.

use std::path::PathBuf;

use chrono::Utc;
use clap::Args;
use secrecy::{ExposeSecret, SecretString};

use super::CommandOutput;
use super::connect_browser::sign_in_with_browser;
use super::sign_in_saver::{SIGN_IN, SignInSaver, SignInTarget};
use crate::auth::{
    Access, CertificateFile, Claims, ClientAuth, ClientAuthArgs, ClientCredentials, Entra, Expiry, ORGANIZATIONS,
    PasswordRequired, SignInMethod, TOKEN_VARIABLE, Tenant, TokenResponse, check_roles, client_auth_for_connect,
    client_id_for_connect, clock_detail, foreign_audience,
};
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::text::{format_timestamp, shell_quote_short};

/// Blocked by a Conditional Access policy (entra-docs, "error codes").
const CONDITIONAL_ACCESS: u32 = 53003;

const HINT_GET_TOKEN: &str = "az account get-access-token --resource aeb86249-8ea3-49e2-900b-54cc8e308f85 --query accessToken -o tsv | mscommerce connect --with-token";

const HINT_SECRET_STDIN: &str = "mscommerce connect --application --client-secret-stdin < secret.txt";

const CREDENTIALS: &str = "Credentials";

const EXAMPLES: &str = "\
Examples:
  mscommerce connect
  mscommerce connect --device-code           # on a machine without a browser
  mscommerce connect --tenant contoso.com    # as a guest or a partner
  mscommerce connect --username USER --password-stdin < password.txt
  mscommerce connect --application --tenant contoso.com --client-id ID \\
    --certificate app.pem
  az account get-access-token --resource aeb86249-8ea3-49e2-900b-54cc8e308f85 \\
    --query accessToken -o tsv | mscommerce connect --with-token";

#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct ConnectArgs {
    /// Sign in on another device with a code
    #[arg(long, group = "method", help_heading = CREDENTIALS)]
    pub device_code: bool,
    /// Sign in with a password (no MFA)
    #[arg(long, help_heading = CREDENTIALS, group = "method", value_name = "USER")]
    pub username: Option<String>,
    /// Read the password from standard input
    #[arg(long, help_heading = CREDENTIALS, requires = "username")]
    pub password_stdin: bool,
    /// Read an access token from standard input
    #[arg(long, help_heading = CREDENTIALS, group = "method", conflicts_with = "client_id")]
    pub with_token: bool,
    /// Sign in as a service principal
    #[arg(long, help_heading = CREDENTIALS, group = "method")]
    pub application: bool,
    /// Read the client secret from standard input
    #[arg(long, help_heading = CREDENTIALS, group = "client_auth", requires = "application")]
    pub client_secret_stdin: bool,
    /// Certificate and private key (PEM or PFX)
    #[arg(long, help_heading = CREDENTIALS, group = "client_auth", requires = "application", value_name = "FILE")]
    pub certificate: Option<PathBuf>,
    /// Federated token of another issuer
    #[arg(long, help_heading = CREDENTIALS, group = "client_auth", requires = "application", value_name = "FILE")]
    pub federated_token_file: Option<PathBuf>,
    /// OIDC token of the GitHub Actions job
    #[arg(long, help_heading = CREDENTIALS, group = "client_auth", requires = "application")]
    pub github_oidc: bool,
    /// Client ID of the app registration
    #[arg(long, value_name = "ID")]
    pub client_id: Option<String>,
    /// Local port for the redirect [default: a free port]
    #[arg(long, value_name = "PORT", conflicts_with = "method", value_parser = clap::value_parser!(u16).range(1..))]
    pub redirect_port: Option<u16>,
    /// Print the URL instead of opening it
    #[arg(long, conflicts_with = "method")]
    pub no_browser: bool,
}

pub async fn run(args: ConnectArgs, context: &Context) -> Result<CommandOutput> {
    let settings = &context.settings;
    if settings.has_env_token() {
        return Err(Error::usage(format!("{TOKEN_VARIABLE} is set and takes precedence over saved sign-ins"))
            .with_hint(format!("unset {TOKEN_VARIABLE}, then run connect again")));
    }
    if !args.application
        && let Some(variables) = settings.env_application()?.variables()
    {
        return Err(Error::usage(format!(
            "{variables} are set and take precedence over saved sign-ins"
        ))
        .with_hint("run other commands without connect, or save a sign-in as this application: mscommerce connect --application")
        .with_hint("unset AZURE_CLIENT_ID to sign in as a user, then run connect again"));
    }
    check_flags(&args)?;
    let credentials = if args.application { Some(client_credentials(&args, context).await?) } else { None };
    let target = resolve_target(&args, credentials.as_ref(), context)?;
    let mut sign_in_command = context.sign_in_command().with_client_id(&target.client_id);
    if credentials.is_some() {
        sign_in_command = sign_in_command.for_application();
    }
    let entra = Entra {
        http: context.http.clone(),
        authority: target.authority.clone(),
        tenant: target.tenant.as_ref().map_or(ORGANIZATIONS, Tenant::as_str).to_owned(),
        client_id: target.client_id.clone(),
        scope: target.scope.clone(),
    };
    let saver = SignInSaver { context: context.clone(), cache: context.token_cache()?, target, sign_in_command };
    if let Some(credentials) = &credentials {
        sign_in_as_application(credentials, &entra, &saver).await?;
    } else if args.with_token {
        saver.save(read_access_token(context).await?, SignInMethod::Token).await?;
    } else if let Some(user) = &args.username {
        if !args.password_stdin && !context.ui.tty().stdin {
            return Err(Error::usage("cannot prompt for the password: standard input is not a terminal")
                .with_hint("add --password-stdin to read the password from standard input"));
        }
        saver.ensure_cache_writable().await?;
        let password = read_password(user, context).await?;
        context.http.reset_deadline();
        let response = entra.password(user, &password).await;
        let response = response.map_err(|error| error.into_error(SIGN_IN, &saver.sign_in_command))?;
        saver.save(response, SignInMethod::Password).await?;
    } else if args.device_code {
        saver.ensure_cache_writable().await?;
        sign_in_with_device_code(&entra, &saver).await?;
    } else {
        saver.ensure_cache_writable().await?;
        sign_in_with_browser(&entra, &saver, args.redirect_port, args.no_browser).await?;
    }
    Ok(CommandOutput::default())
}

/// Fails if a flag belongs to another sign-in method. clap does not enforce `requires` if the required flag conflicts
/// with a given one.
fn check_flags(args: &ConnectArgs) -> Result<()> {
    let client_auth_flags = [
        (args.client_secret_stdin, "--client-secret-stdin"),
        (args.certificate.is_some(), "--certificate"),
        (args.federated_token_file.is_some(), "--federated-token-file"),
        (args.github_oidc, "--github-oidc"),
    ];
    match client_auth_flags.into_iter().find(|(is_set, _)| *is_set) {
        Some((_, flag)) if !args.application => Err(Error::usage(format!("{flag} requires --application"))),
        _ if args.password_stdin && args.username.is_none() => {
            Err(Error::usage("--password-stdin requires --username USER"))
        }
        _ => Ok(()),
    }
}

fn resolve_target(
    args: &ConnectArgs,
    credentials: Option<&ClientCredentials>,
    context: &Context,
) -> Result<SignInTarget> {
    let settings = &context.settings;
    let is_empty = |value: &Option<String>| value.as_ref().is_some_and(|value| value.trim().is_empty());
    if is_empty(&args.client_id) {
        return Err(Error::usage("--client-id is empty"));
    }
    if is_empty(&args.username) {
        return Err(Error::usage("--username is empty"));
    }
    let (tenant, tenant_source) = settings.sign_in_tenant()?;
    let client_id = credentials.map(|credentials| &credentials.client_id).or(args.client_id.as_ref());
    Ok(SignInTarget {
        tenant,
        tenant_source,
        authority: settings.authority()?,
        client_id: client_id.unwrap_or(&settings.client_id.value).clone(),
        scope: settings.scope.value.clone(),
    })
}

/// Prompts for a secret on a terminal; otherwise reads it from standard input. The hint shows how to do that.
async fn read_secret(prompt: &str, stdin_hint: &str, context: &Context) -> Result<SecretString> {
    if !context.ui.tty().stdin {
        return context.ui.read_stdin_secret().await;
    }
    let secret = context.ui.prompt_secret(prompt).await;
    secret.map_err(|error| if error.kind() == ErrorKind::Usage { error.with_hint(stdin_hint) } else { error })
}

async fn read_password(user: &str, context: &Context) -> Result<SecretString> {
    let hint = format!("mscommerce connect --username {} --password-stdin < password.txt", shell_quote_short(user));
    let password = read_secret(&format!("Password for {user}: "), &hint, context).await?;
    if password.expose_secret().is_empty() {
        return Err(Error::usage("the password is empty"));
    }
    if password.expose_secret().contains(['\n', '\r', '\0']) {
        return Err(Error::usage("the password on standard input has more than one line"));
    }
    Ok(password)
}

/// Reads an access token that another tool issued. Fails if it is not a JWT or is expired.
async fn read_access_token(context: &Context) -> Result<TokenResponse> {
    let token = read_secret("Access token: ", HINT_GET_TOKEN, context).await?;
    let token = SecretString::from(token.expose_secret().trim());
    if token.expose_secret().is_empty() {
        return Err(Error::usage("no access token: standard input is empty").with_hint(HINT_GET_TOKEN));
    }
    let invalid_token = || Error::usage("the input is not an Entra access token (JWT)").with_hint(HINT_GET_TOKEN);
    let claims = Claims::of_access_token(&token).ok_or_else(invalid_token)?;
    let expires_at = claims.expires_at().ok_or_else(invalid_token)?;
    if expires_at <= Utc::now() {
        return Err(Error::auth(format!("the token expired at {}", format_timestamp(expires_at)))
            .with_detail(clock_detail())
            .with_hint("provide a new token"));
    }
    let resource = context.settings.resource();
    if let Some(audience) = foreign_audience(&claims, &resource) {
        context.ui.warn(&format!("the token is for {audience}, not for {resource}; the service may reject it"));
    }
    let expiry = Expiry::new(Utc::now(), expires_at);
    Ok(TokenResponse { access_token: token, refresh_token: None, expiry, claims })
}

async fn sign_in_with_device_code(entra: &Entra, saver: &SignInSaver) -> Result<()> {
    let sign_in_command = &saver.sign_in_command;
    let code = entra.device_code().await;
    let code = code.map_err(|error| error.into_error("could not request a device code", sign_in_command))?;
    let minutes = code.expires_in().as_secs().div_ceil(60);
    saver.context.ui.status(&format!(
        "To sign in, open {} on any device and enter the code\n\n    {}\n\nThe code is valid for {minutes} minutes. Waiting for sign-in…",
        code.verification_uri(),
        code.user_code(),
    ));
    let response = entra.poll_device_code(&code).await.map_err(|error| {
        let is_blocked = error.code() == Some(CONDITIONAL_ACCESS);
        let error = error.into_error(SIGN_IN, sign_in_command);
        let hint = format!("sign in with a browser if device codes are blocked: {sign_in_command}");
        if is_blocked { error.with_hint(hint) } else { error }
    })?;
    saver.save(response, SignInMethod::DeviceCode).await.map(drop)
}

/// Resolves the client credentials from the flags and the environment.
async fn client_credentials(args: &ConnectArgs, context: &Context) -> Result<ClientCredentials> {
    let settings = &context.settings;
    let client_id = client_id_for_connect(args.client_id.as_deref(), settings.environment())?;
    if settings.sign_in_tenant()?.0.is_none() {
        return Err(Error::usage("an application sign-in requires a tenant")
            .with_hint("add --tenant TENANT, or set AZURE_TENANT_ID"));
    }
    let secret = if args.client_secret_stdin { Some(read_client_secret(context).await?) } else { None };
    let client_auth_args = ClientAuthArgs {
        client_id: args.client_id.clone(),
        secret,
        certificate: args.certificate.clone(),
        federated_token_file: args.federated_token_file.clone(),
        github_oidc: args.github_oidc,
    };
    let client_auth = match client_auth_for_connect(client_auth_args, settings.environment())? {
        ClientAuth::Certificate(file) if context.ui.tty().stdin => {
            ClientAuth::Certificate(unlock_certificate(file, context).await?)
        }
        client_auth => client_auth,
    };
    Ok(ClientCredentials { client_id, client_auth })
}

async fn read_client_secret(context: &Context) -> Result<SecretString> {
    let secret = read_secret("Client secret: ", HINT_SECRET_STDIN, context).await?;
    let secret = SecretString::from(secret.expose_secret().trim());
    if secret.expose_secret().is_empty() {
        return Err(Error::usage("no client secret: standard input is empty").with_hint(HINT_SECRET_STDIN));
    }
    if secret.expose_secret().contains(char::is_whitespace) {
        return Err(Error::usage("the input is not a client secret: a secret does not contain spaces"));
    }
    Ok(secret)
}

/// Prompts for the password of an encrypted certificate file if none is set.
async fn unlock_certificate(file: CertificateFile, context: &Context) -> Result<CertificateFile> {
    match file.load().await {
        Err(error) if error.downcast_ref::<PasswordRequired>().is_some() => {
            let password = match context.ui.prompt_secret("Password of the certificate file: ").await {
                // The hint of the first error names the variable for the password.
                Err(no_terminal) if no_terminal.kind() == ErrorKind::Usage => return Err(error),
                password => password?,
            };
            context.http.reset_deadline();
            Ok(file.with_password(password))
        }
        Err(error) => Err(error),
        Ok(_) => Ok(file),
    }
}

/// Signs in with client credentials and caches the access token. A missing role is only a warning.
async fn sign_in_as_application(credentials: &ClientCredentials, entra: &Entra, saver: &SignInSaver) -> Result<()> {
    let ui = &saver.context.ui;
    saver.ensure_cache_writable().await?;
    ui.debug(&format!("signing in as {} to tenant {}", credentials.description(), entra.tenant));
    let response = credentials.sign_in(entra, &saver.sign_in_command).await?;
    let (token, resource) = (response.access_token.clone(), saver.context.settings.resource());
    saver.save(response, SignInMethod::Application).await?;
    if let Err(error) = check_roles(&token, &resource, Access::Read) {
        ui.warn_error(&error);
    } else if let Err(error) = check_roles(&token, &resource, Access::Write) {
        ui.info(&format!("The sign-in is read-only: {}.", error.message()));
    }
    Ok(())
}
