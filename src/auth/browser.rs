//! The user's browser.

use crate::environment::Environment;

/// Whether a browser can open in front of the user. Without a screen, a text browser would take over the terminal; in an
/// SSH session, any browser would open on the remote machine.
pub fn can_open_browser(environment: &Environment) -> bool {
    let has = |name: &str| environment.get_os(name).is_some();
    let has_screen = cfg!(any(windows, target_os = "macos"))
        || ["DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME"].into_iter().any(has);
    has("BROWSER") || (has_screen && !is_ssh_session(environment))
}

pub fn is_ssh_session(environment: &Environment) -> bool {
    environment.get_os("SSH_CONNECTION").is_some()
}

/// Opens an address in the browser. Returns whether that worked.
pub async fn open_browser(url: String) -> bool {
    let open = move || {
        let mut options = webbrowser::BrowserOptions::new();
        options.with_suppress_output(true);
        webbrowser::open_browser_with_options(webbrowser::Browser::Default, &url, &options)
    };
    matches!(tokio::task::spawn_blocking(open).await, Ok(Ok(())))
}
