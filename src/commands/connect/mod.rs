//! `connect`: signing in, and saving the sign-in.

mod browser;
mod saving;

use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::{Context, Ended};
use crate::cli::ConnectArgs;
use crate::error::{Error, Result};
use crate::identity::{ConnectCommand, Entra, Method, ORGANIZATIONS, TOKEN_VARIABLE, Tenant};
use crate::text::one_line;
use saving::Saving;

/// Where and as what to sign in.
struct Place {
    tenant: Option<Tenant>,
    /// What named the tenant: a flag or a variable.
    tenant_origin: &'static str,
    authority: Url,
    client_id: String,
    scope: String,
}

pub(super) async fn run(args: ConnectArgs, context: &Context<'_>) -> Result<Ended> {
    let settings = context.settings;
    if settings.has_token() {
        return Err(Error::usage(format!("{TOKEN_VARIABLE} is set, and outranks whatever sign-in is saved"))
            .hint(format!("unset {TOKEN_VARIABLE}, then run connect again")));
    }
    let place = place(&args, context)?;
    let store = context.store()?;
    let saving = Saving { context, store: &store, place: &place };
    let entra = Entra {
        http: context.http,
        authority: &place.authority,
        tenant: place.tenant.as_ref().map_or(ORGANIZATIONS, Tenant::as_str),
        client_id: &place.client_id,
        scope: &place.scope,
        connect: ConnectCommand {
            profile: &settings.profile,
            tenant: settings.tenant.as_ref(),
            client_id: Some(&place.client_id),
        },
    };
    if args.with_token {
        saving.ready_token().await?;
    } else if let Some(user) = &args.username {
        if !args.password_stdin && !context.terminal.facts().input_is_terminal {
            return Err(Error::usage("there is no terminal to ask for the password on")
                .hint("hand it over with --password-stdin"));
        }
        saving.check_place().await?;
        let password = password(user, context).await?;
        context.http.restart_clock();
        saving.save(entra.password(user, &password).await?, Method::Password).await?;
    } else if args.device_code {
        saving.check_place().await?;
        by_device_code(&entra, &saving).await?;
    } else {
        saving.check_place().await?;
        browser::sign_in(&args, &entra, &saving).await?;
    }
    Ok(Ended::default())
}

fn place(args: &ConnectArgs, context: &Context<'_>) -> Result<Place> {
    let settings = context.settings;
    let empty = |value: &Option<String>| value.as_ref().is_some_and(|value| value.trim().is_empty());
    if empty(&args.client_id) {
        return Err(Error::usage("--client-id is empty"));
    }
    if empty(&args.username) {
        return Err(Error::usage("--username is empty"));
    }
    let (tenant, tenant_origin) = settings.tenant_to_connect()?;
    Ok(Place {
        tenant,
        tenant_origin,
        authority: settings.authority()?,
        client_id: args.client_id.clone().unwrap_or_else(|| settings.client_id()),
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
        one_line(code.verification_uri()),
        one_line(code.user_code()),
    ));
    saving.save(entra.redeem_device_code(&code).await?, Method::DeviceCode).await?;
    Ok(())
}
