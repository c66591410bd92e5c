//! Signing in with the browser of this machine.

use std::time::Duration;

use super::saving::Saving;
use crate::auth::browser::{BrowserFlow, Page};
use crate::auth::{Entra, SignInMethod};
use crate::cli::ConnectArgs;
use crate::commands::Context;
use crate::error::Result;
use crate::report::Report;

/// How long the person may take, where `--timeout` does not say.
const PATIENCE: Duration = Duration::from_secs(5 * 60);

pub async fn sign_in(args: &ConnectArgs, entra: &Entra<'_>, saving: &Saving<'_>) -> Result<()> {
    let context = saving.context;
    let sign_in = BrowserFlow::start(entra, args.redirect_port).await?;
    let (url, port, connect) = (sign_in.url().to_string(), sign_in.port(), entra.connect);
    // Printed before anything is opened, so that it is there whatever becomes of the browser.
    context.terminal.say(&format!("To sign in, open this address in a browser on this machine:\n\n{url}\n"));
    let opening = async {
        if args.no_browser || !is_likely(context) {
            context.terminal.say("Waiting for you to open it …");
        } else {
            open(url, context).await;
        }
        context.terminal.info(&format!(
            "If the browser shows AADSTS50011, press Ctrl-C and try another way in: {connect} --device-code"
        ));
        if is_remote(context) {
            context.terminal.say(&format!(
                "This is a remote session. Forward the port from your own machine first: ssh -L {port}:localhost:{port} HOST"
            ));
        }
        std::future::pending::<()>().await;
    };
    let patience = if context.settings.timeout_is_given { context.settings.timeout } else { PATIENCE };
    let finishing = sign_in.finish(patience, async |grant| {
        let (account, tenant_id) = saving.save(grant, SignInMethod::Browser).await?;
        Ok(Page::success(&account, &tenant_id))
    });
    // A browser that stays in the foreground brings its answer while it is still being opened.
    tokio::select! {
        biased;
        () = opening => Ok(()),
        result = finishing => result,
    }
}

async fn open(url: String, context: &Context<'_>) {
    let opened = tokio::task::spawn_blocking(move || {
        let mut options = webbrowser::BrowserOptions::new();
        options.with_suppress_output(true);
        webbrowser::open_browser_with_options(webbrowser::Browser::Default, &url, &options)
    });
    match opened.await {
        Ok(Ok(())) => context.terminal.info("Your browser should have opened it. Waiting for it …"),
        _ => context.terminal.say("No browser could be opened. Waiting for you to open the address …"),
    }
}

/// Whether there is a browser to be opened in front of the person. Without a screen, a text browser would take over
/// the terminal; in a remote session, any browser would open on the far machine.
fn is_likely(context: &Context<'_>) -> bool {
    let has = |name: &str| context.settings.environment().get_os(name).is_some();
    let has_screen = cfg!(any(windows, target_os = "macos"))
        || ["DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME"].into_iter().any(has);
    has("BROWSER") || (has_screen && !is_remote(context))
}

fn is_remote(context: &Context<'_>) -> bool {
    context.settings.environment().get_os("SSH_CONNECTION").is_some()
}
