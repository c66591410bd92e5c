//! Signing in as an application: its access token is saved, and nothing that it proves itself with.

use secrecy::{ExposeSecret, SecretString};

use super::saving::Saving;
use crate::api::Access;
use crate::auth::{
    CertificateFile, ClientAuth, ClientCredentials, Entra, PasswordRequired, SignInCommand, SignInMethod, missing_role,
};
use crate::cli::ConnectArgs;
use crate::commands::Context;
use crate::error::{Error, Result};
use crate::report::Report;

/// The application that the flags and the environment name.
pub async fn named(args: &ConnectArgs, context: &Context<'_>) -> Result<ClientCredentials> {
    let settings = context.settings;
    let client_id = settings.client_id_for_connect(args)?;
    if settings.sign_in_tenant()?.0.is_none() {
        return Err(no_tenant());
    }
    let secret = if args.client_secret_stdin { Some(secret(context).await?) } else { None };
    let client_auth = match settings.client_auth_for_connect(args, secret)? {
        ClientAuth::Certificate(file) if context.terminal.facts().input_is_terminal => {
            ClientAuth::Certificate(opened(file, context).await?)
        }
        client_auth => client_auth,
    };
    Ok(ClientCredentials { client_id, client_auth })
}

fn no_tenant() -> Error {
    Error::usage("an application signs in to a tenant that is named")
        .with_hint("add --tenant TENANT, or set AZURE_TENANT_ID")
}

/// The application's secret, typed or from standard input.
async fn secret(context: &Context<'_>) -> Result<SecretString> {
    let secret = if context.terminal.facts().input_is_terminal {
        context.terminal.secret("Client secret: ").await?
    } else {
        context.terminal.input_as_secret().await?
    };
    let secret = SecretString::from(secret.expose_secret().trim());
    if secret.expose_secret().is_empty() {
        return Err(Error::usage("no client secret was handed over: standard input is empty")
            .with_hint("mscommerce connect --application --client-secret-stdin < secret.txt"));
    }
    if secret.expose_secret().contains(char::is_whitespace) {
        return Err(Error::usage("what was handed over is no client secret: a secret is one word"));
    }
    Ok(secret)
}

/// The file, with the password that opens it: one that is missing is asked for.
async fn opened(file: CertificateFile, context: &Context<'_>) -> Result<CertificateFile> {
    match file.read().await {
        Err(error) if error.downcast_ref::<PasswordRequired>().is_some() => {
            let password = context.terminal.secret("Password of the certificate's file: ").await?;
            context.http.reset_deadline();
            Ok(file.with_password(password))
        }
        Err(error) => Err(error),
        Ok(_) => Ok(file),
    }
}

/// Signs in and saves the access token. A token without the role that the service asks for is saved all the same.
pub async fn sign_in(application: &ClientCredentials, saving: &Saving<'_>) -> Result<()> {
    let (aim, settings) = (saving.aim, saving.context.settings);
    let tenant = aim.tenant.as_ref().ok_or_else(no_tenant)?;
    let entra = Entra {
        http: saving.context.http,
        authority: &aim.authority,
        tenant: tenant.as_str(),
        client_id: &application.client_id,
        scope: &aim.scope,
        connect: SignInCommand {
            profile: &settings.profile,
            tenant: settings.tenant.as_ref(),
            client_id: Some(&application.client_id),
            is_application: true,
        },
    };
    saving.check_place().await?;
    saving.context.terminal.debug(&format!("signing in as {} at {tenant}", application.description()));
    let grant = application.sign_in(&entra).await?;
    let (token, resource) = (grant.access_token.clone(), settings.resource());
    saving.save(grant, SignInMethod::Application).await?;
    let terminal = saving.context.terminal;
    if let Some(missing) = missing_role(&token, &resource, Access::Read) {
        terminal.warn_of(&missing);
    } else if let Some(missing) = missing_role(&token, &resource, Access::Write) {
        terminal.info(&format!("It may read: {}.", missing.message()));
    }
    Ok(())
}
