//! `connect` with a browser: authorization code flow with PKCE and a loopback redirect.

use std::convert::Infallible;
use std::time::Duration;

use super::sign_in_saver::{SIGN_IN, SignInSaver};
use crate::auth::{
    AuthorizationRequest, Entra, Page, RedirectListener, RedirectResult, SignInCommand, SignInMethod, can_open_browser,
    is_ssh_session, open_browser,
};
use crate::error::{Error, Result};

/// Time to finish the sign-in in the browser, unless `--timeout` is set.
const BROWSER_TIMEOUT: Duration = Duration::from_secs(5 * 60);

pub async fn sign_in_with_browser(
    entra: &Entra,
    saver: &SignInSaver,
    redirect_port: Option<u16>,
    no_browser: bool,
) -> Result<()> {
    // Listen before the URL is printed, so that no redirect is missed.
    let listener = RedirectListener::bind(redirect_port).await?;
    let port = listener.port();
    let request = entra.authorization_request(port)?;
    let url = request.url.to_string();
    // Print the URL first, in case no browser opens.
    saver.context.ui.status(&format!("To sign in, open this URL in a browser on this machine:\n\n{url}\n"));
    // Run both concurrently: a browser in the foreground redirects before the call that opens it returns.
    tokio::select! {
        biased;
        never = open_sign_in_page(url, port, no_browser, saver) => match never {},
        result = finish_sign_in(listener, request, entra, saver) => result,
    }
}

/// Waits for the redirect, exchanges its code, saves the tokens, and shows the result in the browser.
async fn finish_sign_in(
    listener: RedirectListener,
    request: AuthorizationRequest,
    entra: &Entra,
    saver: &SignInSaver,
) -> Result<()> {
    let context = &saver.context;
    let timeout = context.settings.timeout.flag().copied().unwrap_or(BROWSER_TIMEOUT);
    let redirect = listener.wait_for_redirect(request.state.secret(), timeout).await;
    let (redirect, page) = redirect.map_err(|error| redirect_error(error, &saver.sign_in_command))?;
    context.http.reset_deadline();
    let response = match redirect {
        RedirectResult::Code(code) => entra.exchange_code(code, request).await,
        RedirectResult::Error(error) => Err(error.into()),
    };
    let result = match response {
        Ok(response) => saver.save(response, SignInMethod::Browser).await,
        Err(error) => Err(error.into_error(SIGN_IN, &saver.sign_in_command)),
    };
    page.send(match &result {
        Ok((account, tenant_id)) => Page::success(account, tenant_id),
        Err(error) => Page::failure(error),
    })
    .await;
    result.map(drop)
}

fn redirect_error(error: Error, sign_in_command: &SignInCommand) -> Error {
    error.context(SIGN_IN).with_hint(format!("try again: {sign_in_command}")).with_hint(format!(
        "use a device code if the browser cannot reach this machine or shows AADSTS50011: {sign_in_command} --device-code"
    ))
}

/// Opens the browser, or asks the user to open the URL. Never returns.
async fn open_sign_in_page(url: String, port: u16, no_browser: bool, saver: &SignInSaver) -> Infallible {
    let (ui, environment) = (&saver.context.ui, saver.context.settings.environment());
    if no_browser || !can_open_browser(environment) {
        ui.status("Waiting for sign-in…");
    } else if open_browser(url).await {
        ui.info("The browser should open now. Waiting for sign-in…");
    } else {
        ui.status("Could not open a browser. Open the URL yourself. Waiting for sign-in…");
    }
    ui.info(&format!(
        "If the browser shows AADSTS50011, press Ctrl-C and run: {} --device-code",
        saver.sign_in_command
    ));
    if is_ssh_session(environment) {
        ui.status(&format!(
            "This is a remote session. First forward the port from your own machine: ssh -L {port}:localhost:{port} HOST"
        ));
    }
    std::future::pending().await
}
