//! Detects and opens the user's browser.

use crate::environment::Environment;

/// Whether a browser can open on the user's screen. Without a display, a text browser would take over the terminal. In
/// an SSH session, the browser would open on the remote machine.
pub fn can_open_browser(environment: &Environment) -> bool {
    let has = |name: &str| environment.get_os(name).is_some();
    let has_screen = cfg!(any(windows, target_os = "macos"))
        || ["DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME"].into_iter().any(has);
    has("BROWSER") || (has_screen && !is_ssh_session(environment))
}

/// Whether this process runs in an SSH session.
pub fn is_ssh_session(environment: &Environment) -> bool {
    environment.get_os("SSH_CONNECTION").is_some()
}

/// Opens a URL in the default browser. Returns whether the browser started.
pub async fn open_browser(url: String) -> bool {
    let open = move || {
        let mut options = webbrowser::BrowserOptions::new();
        options.with_suppress_output(true);
        webbrowser::open_browser_with_options(webbrowser::Browser::Default, &url, &options)
    };
    matches!(tokio::task::spawn_blocking(open).await, Ok(Ok(())))
}
