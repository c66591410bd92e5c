//! `connect`: signing in, and saving the sign-in.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::Utc;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::{Context, Outcome};
use crate::cli::ConnectArgs;
use crate::error::{Error, Result};
use crate::identity::browser::{BrowserSignIn, Page};
use crate::identity::{
    Claims, DEFAULT_PROFILE, Entra, Grant, Method, ORGANIZATIONS, SignIn, Store, TOKEN_VARIABLE, Tenant, TenantToken,
    connect_command, is_token,
};
use crate::report::Report;

/// How long the person may take in the browser, where `--timeout` does not say.
const BROWSER_PATIENCE: Duration = Duration::from_secs(5 * 60);

/// Where and as what to sign in.
struct Place {
    tenant: Option<Tenant>,
    authority: Url,
    client_id: String,
    scope: String,
}

pub(super) async fn run(args: ConnectArgs, context: &Context<'_>) -> Result<Outcome> {
    if context.settings.token.is_some() {
        return Err(Error::usage(format!("{TOKEN_VARIABLE} is set, and outranks whatever sign-in is saved"))
            .hint(format!("unset {TOKEN_VARIABLE}, then run connect again")));
    }
    let settings = context.settings;
    let place = Place {
        tenant: settings.tenant_to_connect()?,
        authority: settings.authority()?,
        client_id: args.client_id.clone().unwrap_or_else(|| settings.client_id()),
        scope: settings.scope(),
    };
    let store = context.store()?;
    let saving = Saving { context, store: &store, place: &place };
    let connect = connect_command(&settings.profile);
    let entra = Entra {
        http: context.http,
        authority: &place.authority,
        tenant: place.tenant.as_ref().map_or(ORGANIZATIONS, Tenant::as_str),
        client_id: &place.client_id,
        scope: &place.scope,
        connect: &connect,
    };
    if args.with_token {
        saving.ready_token().await?;
    } else if let Some(user) = &args.username {
        let password = password(user, args.password_stdin, context).await?;
        saving.check_place().await?;
        context.http.restart_clock();
        saving.save(entra.password(user, &password).await?, Method::Password).await?;
    } else if args.device_code {
        saving.check_place().await?;
        by_device_code(&entra, &saving).await?;
    } else {
        saving.check_place().await?;
        by_browser(&args, &entra, &saving).await?;
    }
    Ok(Outcome::default())
}

async fn password(user: &str, from_stdin: bool, context: &Context<'_>) -> Result<SecretString> {
    let is_terminal = context.terminal.facts().input_is_terminal;
    let password = if from_stdin && !is_terminal {
        context.terminal.input_as_secret().await?
    } else if is_terminal {
        context.terminal.secret(&format!("Password for {user}: ")).await?
    } else {
        return Err(
            Error::usage("there is no terminal to ask for the password on").hint("hand it over with --password-stdin")
        );
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
        code.verification_uri(),
        code.user_code(),
    ));
    saving.save(entra.redeem_device_code(&code).await?, Method::DeviceCode).await?;
    Ok(())
}

async fn by_browser(args: &ConnectArgs, entra: &Entra<'_>, saving: &Saving<'_>) -> Result<()> {
    let settings = saving.context.settings;
    let sign_in = BrowserSignIn::start(entra, args.redirect_port).await?;
    show_address(&sign_in, args.no_browser, saving.context).await;
    let patience = if settings.timeout_is_given { settings.timeout } else { BROWSER_PATIENCE };
    sign_in
        .finish(patience, async |grant| {
            let (account, tenant_id) = saving.save(grant, Method::Browser).await?;
            Ok(((), Page::success(&account, &tenant_id)))
        })
        .await
}

/// Prints the address before anything is opened, so that it is there whatever becomes of the browser.
async fn show_address(sign_in: &BrowserSignIn<'_>, no_browser: bool, context: &Context<'_>) {
    let (terminal, url) = (context.terminal, sign_in.url().to_string());
    terminal.say(&format!("To sign in, open this address in a browser on this machine:\n\n{url}\n"));
    let environment = context.settings.environment();
    if !no_browser && browser_is_likely(context) {
        let opened = tokio::task::spawn_blocking(move || {
            let options = webbrowser::BrowserOptions::new().with_suppress_output(true).clone();
            webbrowser::open_browser_with_options(webbrowser::Browser::Default, &url, &options)
        });
        match opened.await {
            Ok(Ok(())) => terminal.note("Your browser should have opened it. Waiting for it …"),
            _ => terminal.say("No browser could be opened. Waiting for you to open the address …"),
        }
        return;
    }
    terminal.say("Waiting for you to open it …");
    if environment.raw("SSH_CONNECTION").is_some() {
        let port = sign_in.port();
        terminal.say(&format!(
            "This is a remote session: forward the port first (ssh -L {port}:localhost:{port} HOST), or press Ctrl-C and use --device-code."
        ));
    }
}

/// Whether there is a graphical browser to be opened. Without a screen, a text browser would take over the terminal.
fn browser_is_likely(context: &Context<'_>) -> bool {
    let environment = context.settings.environment();
    let has = |name: &str| environment.raw(name).is_some();
    cfg!(any(windows, target_os = "macos"))
        || ["DISPLAY", "WAYLAND_DISPLAY", "BROWSER", "WSL_DISTRO_NAME"].into_iter().any(has)
}

/// Saves sign-ins of this run, under the profile in use.
struct Saving<'a> {
    context: &'a Context<'a>,
    store: &'a Store<'a>,
    place: &'a Place,
}

impl Saving<'_> {
    /// Finds out whether a sign-in could be saved, before a person is asked for one.
    async fn check_place(&self) -> Result<()> {
        self.store.lock(self.context.http.time_left()).await.map(drop)
    }

    /// Saves a token that was made elsewhere.
    async fn ready_token(&self) -> Result<()> {
        let terminal = self.context.terminal;
        let token = if terminal.facts().input_is_terminal {
            terminal.secret("Access token: ").await?
        } else {
            terminal.input_as_secret().await?
        };
        let token = SecretString::from(token.expose_secret().trim());
        let claims = Claims::of(token.expose_secret()).filter(|_| is_token(&token));
        let not_a_token = || {
            Error::usage("what was handed over is not an access token (a JWT of Entra's)")
                .hint("az account get-access-token --resource aeb86249-8ea3-49e2-900b-54cc8e308f85 --query accessToken -o tsv | mscommerce connect --with-token")
        };
        let claims = claims.ok_or_else(not_a_token)?;
        let expires_at = claims.expires_at().ok_or_else(not_a_token)?;
        if expires_at <= Utc::now() {
            return Err(Error::sign_in(format!("the token ended at {expires_at}")).hint("hand over a new one"));
        }
        let resource = self.place.scope.trim_end_matches("/.default");
        if let Some(audience) = claims.aud.as_deref().filter(|audience| *audience != resource) {
            terminal.warn(&format!("the token is for the service {audience}, not for {resource}; it may be refused"));
        }
        self.save(Grant { access_token: token, refresh_token: None, expires_at, claims }, Method::Token).await?;
        Ok(())
    }

    /// Saves what was granted, says so, and returns the account and the tenant's id.
    async fn save(&self, grant: Grant, method: Method) -> Result<(String, String)> {
        let place = self.place;
        let tenant_id = tenant_of(&grant, place.tenant.as_ref(), method)?;
        let account = grant.claims.account().map(str::to_owned);
        let client_id = match method {
            Method::Token => grant.claims.client_id().map(str::to_owned),
            _ => Some(place.client_id.clone()),
        };
        let mut sign_in = SignIn {
            account: account.clone(),
            tenant_id: tenant_id.clone(),
            method,
            authority: place.authority.clone(),
            client_id,
            scope: place.scope.clone(),
            refresh_token: grant.refresh_token,
            tenants: BTreeMap::new(),
        };
        let token = TenantToken { access_token: grant.access_token, expires_at: grant.expires_at, domains: Vec::new() };
        sign_in.keep(&tenant_id, token, place.tenant.as_ref());
        let profile = &self.context.settings.profile;
        self.store.lock(self.context.http.time_left()).await?.save(profile, sign_in)?;

        let account = account.unwrap_or_else(|| "an account without a name".to_owned());
        let under = if profile == DEFAULT_PROFILE { String::new() } else { format!(" (profile {profile})") };
        self.context.terminal.note(&format!("Signed in as {account} to the tenant {tenant_id}{under}."));
        Ok((account, tenant_id))
    }
}

/// The tenant that the token names. One that was asked for must be that one.
fn tenant_of(grant: &Grant, asked: Option<&Tenant>, method: Method) -> Result<String> {
    let Some(tid) = grant.claims.tid.clone() else {
        return asked.and_then(Tenant::id).map(str::to_owned).ok_or_else(|| {
            Error::sign_in("the token does not say which tenant it is for")
                .hint("mscommerce connect --tenant TENANT-ID")
        });
    };
    match asked {
        Some(asked) if asked.id().is_some_and(|id| !id.eq_ignore_ascii_case(&tid)) => {
            let message = format!("the tenant {asked} was asked for, but the token is for {tid}; nothing was saved");
            Err(if method == Method::Token { Error::usage(message) } else { Error::sign_in(message) })
        }
        Some(asked) if asked.id().is_none() && method == Method::Token => Err(Error::usage(format!(
            "the token is for the tenant {tid}, and the domain {asked} cannot be compared with that"
        ))
        .hint("leave out --tenant and AZURE_TENANT_ID, or give the tenant's id")),
        _ => Ok(tid),
    }
}
