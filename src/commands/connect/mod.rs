//! `connect`: signing in, and saving the sign-in.

mod application;
mod browser;
mod saving;

use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::{CommandOutput, Context};
use crate::auth::{ClientCredentials, Entra, ORGANIZATIONS, SignInCommand, SignInMethod, TOKEN_VARIABLE, Tenant};
use crate::cli::ConnectArgs;
use crate::error::{Error, Result};
use crate::text::sanitize_line;
use saving::Saving;

/// Where and as what to sign in.
struct Aim {
    tenant: Option<Tenant>,
    /// What named the tenant: a flag or a variable.
    tenant_origin: &'static str,
    authority: Url,
    client_id: String,
    scope: String,
}

pub async fn run(args: ConnectArgs, context: &Context<'_>) -> Result<CommandOutput> {
    let settings = context.settings;
    if settings.has_env_token() {
        return Err(Error::usage(format!("{TOKEN_VARIABLE} is set, and outranks whatever sign-in is saved"))
            .with_hint(format!("unset {TOKEN_VARIABLE}, then run connect again")));
    }
    if !args.application
        && let Some(variables) = settings.env_application_variables()?
    {
        return Err(Error::usage(format!(
            "{variables} name an application, which outranks whatever sign-in is saved"
        ))
        .with_hint("no command needs connect then; to save a sign-in as this application: mscommerce connect --application")
        .with_hint("to sign in as a person, unset AZURE_CLIENT_ID, then run connect again"));
    }
    check_flags(&args)?;
    let application = if args.application { Some(application::named(&args, context).await?) } else { None };
    let aim = aim(&args, application.as_ref(), context)?;
    let store = context.store()?;
    let saving = Saving { context, store: &store, aim: &aim };
    let entra = Entra {
        http: context.http,
        authority: &aim.authority,
        tenant: aim.tenant.as_ref().map_or(ORGANIZATIONS, Tenant::as_str),
        client_id: &aim.client_id,
        scope: &aim.scope,
        connect: SignInCommand {
            profile: &settings.profile,
            tenant: settings.tenant.as_ref(),
            client_id: Some(&aim.client_id),
            is_application: false,
        },
    };
    if let Some(application) = &application {
        application::sign_in(application, &saving).await?;
    } else if args.with_token {
        saving.ready_token().await?;
    } else if let Some(user) = &args.username {
        if !args.password_stdin && !context.terminal.facts().input_is_terminal {
            return Err(Error::usage("there is no terminal to ask for the password on")
                .with_hint("hand it over with --password-stdin"));
        }
        saving.check_place().await?;
        let password = password(user, context).await?;
        context.http.reset_deadline();
        saving.save(entra.password(user, &password).await?, SignInMethod::Password).await?;
    } else if args.device_code {
        saving.check_place().await?;
        by_device_code(&entra, &saving).await?;
    } else {
        saving.check_place().await?;
        browser::sign_in(&args, &entra, &saving).await?;
    }
    Ok(CommandOutput::default())
}

/// Refuses what belongs to another way of signing in than the one that is asked for; clap lets it pass where the ways
/// exclude each other.
fn check_flags(args: &ConnectArgs) -> Result<()> {
    let proofs = [
        (args.client_secret_stdin, "--client-secret-stdin"),
        (args.certificate.is_some(), "--certificate"),
        (args.federated_token_file.is_some(), "--federated-token-file"),
        (args.github_oidc, "--github-oidc"),
    ];
    match proofs.into_iter().find(|(is_given, _)| *is_given) {
        Some((_, flag)) if !args.application => {
            Err(Error::usage(format!("{flag} is for an application: add --application, or leave it out")))
        }
        _ if args.password_stdin && args.username.is_none() => {
            Err(Error::usage("--password-stdin is for a user's password: add --username USER, or leave it out"))
        }
        _ => Ok(()),
    }
}

fn aim(args: &ConnectArgs, application: Option<&ClientCredentials>, context: &Context<'_>) -> Result<Aim> {
    let settings = context.settings;
    let empty = |value: &Option<String>| value.as_ref().is_some_and(|value| value.trim().is_empty());
    if empty(&args.client_id) {
        return Err(Error::usage("--client-id is empty"));
    }
    if empty(&args.username) {
        return Err(Error::usage("--username is empty"));
    }
    let (tenant, tenant_origin) = settings.sign_in_tenant()?;
    let client_id = application.map(|application| &application.client_id).or(args.client_id.as_ref());
    Ok(Aim {
        tenant,
        tenant_origin,
        authority: settings.authority()?,
        client_id: client_id.cloned().unwrap_or_else(|| settings.client_id()),
        scope: settings.scope(),
    })
}

async fn password(user: &str, context: &Context<'_>) -> Result<SecretString> {
    let password = if context.terminal.facts().input_is_terminal {
        context.terminal.secret(&format!("Password for {user}: ")).await?
    } else {
        context.terminal.input_as_secret().await?
    };
    if password.expose_secret().is_empty() {
        return Err(Error::usage("the password is empty"));
    }
    if password.expose_secret().contains(['\n', '\r', '\0']) {
        return Err(Error::usage("the password on standard input has more than one line"));
    }
    Ok(password)
}

async fn by_device_code(entra: &Entra<'_>, saving: &Saving<'_>) -> Result<()> {
    let code = entra.device_code().await?;
    let minutes = code.expires_in().as_secs().div_ceil(60);
    saving.context.terminal.say(&format!(
        "To sign in, open {} on any device and enter the code\n\n    {}\n\nIt is valid for {minutes} minutes. Waiting …",
        sanitize_line(code.verification_uri()),
        sanitize_line(code.user_code()),
    ));
    saving.save(entra.redeem_device_code(&code).await?, SignInMethod::DeviceCode).await?;
    Ok(())
}
