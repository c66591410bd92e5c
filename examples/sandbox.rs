//! Runs `mscommerce` with a simulated tenant. All requests stay on this machine.
//!
//! `cargo run --example sandbox -- product list` starts the tenant, signs in, runs the command and exits. Without a
//! command, the example prints the environment variables to export and runs until Ctrl-C.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a separate program")]

#[path = "../tests/tenant/mod.rs"]
mod tenant;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use mscommerce::{Environment, Input};
use tenant::{ADMIN, APP_ID, APP_SECRET, CUSTOMER_DOMAIN, HOME_DOMAIN, MFA, PASSWORD, READER, SimulatedTenant};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Result<ExitCode> {
    let command: Vec<OsString> = std::env::args_os().skip(1).collect();
    let home = tempfile::tempdir()?;
    let tenant = SimulatedTenant::start();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let variables = tenant_variables(&tenant, home.path());
    let code = runtime.block_on(async {
        let code = sign_in(&variables).await;
        if code != 0 {
            return code;
        }
        if command.is_empty() {
            print_instructions(&tenant, home.path());
            return u8::from(wait_for_stop_signal().await.is_err());
        }
        let arguments = [OsString::from("mscommerce")].into_iter().chain(command);
        mscommerce::run(arguments, environment(&variables), Input::from_process()).await
    });
    runtime.shutdown_background();
    Ok(ExitCode::from(code))
}

/// Returns the environment variables for the simulated tenant.
fn tenant_variables(tenant: &SimulatedTenant, home: &Path) -> Vec<(&'static str, OsString)> {
    vec![
        ("MSCOMMERCE_ENDPOINT", tenant.url().into()),
        ("AZURE_AUTHORITY_HOST", tenant.url().into()),
        ("MSCOMMERCE_HOME", home.into()),
    ]
}

/// Returns the environment of this process with `variables` instead of the variables for a real tenant.
fn environment(variables: &[(&'static str, OsString)]) -> Environment {
    let is_replaced = |name: &OsString| {
        let name = name.to_string_lossy().to_uppercase();
        name.starts_with("MSCOMMERCE_") && name != "MSCOMMERCE_OUTPUT" || name.starts_with("AZURE_")
    };
    let inherited = std::env::vars_os().filter(|(name, _)| !is_replaced(name));
    inherited.chain(variables.iter().map(|(name, value)| (OsString::from(name), value.clone()))).collect()
}

async fn sign_in(variables: &[(&'static str, OsString)]) -> u8 {
    let arguments = ["mscommerce", "connect", "--username", ADMIN, "--password-stdin"].map(OsString::from);
    let password = Input::from_bytes(PASSWORD.into());
    mscommerce::run(arguments, environment(variables), password).await
}

fn print_instructions(tenant: &SimulatedTenant, home: &Path) {
    let exports = [
        ("MSCOMMERCE_ENDPOINT", tenant.url()),
        ("AZURE_AUTHORITY_HOST", tenant.url()),
        ("MSCOMMERCE_HOME", home.display().to_string()),
    ];
    let unset = [
        "MSCOMMERCE_TOKEN",
        "MSCOMMERCE_PROFILE",
        "MSCOMMERCE_CLIENT_ID",
        "MSCOMMERCE_SCOPE",
        "AZURE_TENANT_ID",
        "AZURE_CLIENT_ID",
        "AZURE_CLIENT_SECRET",
        "AZURE_CLIENT_CERTIFICATE_PATH",
        "AZURE_FEDERATED_TOKEN_FILE",
    ];
    for (name, value) in exports {
        if cfg!(windows) {
            println!("$env:{name} = '{value}'");
        } else {
            println!("export {name}='{value}'");
        }
    }
    if cfg!(windows) {
        for name in unset {
            println!("$env:{name} = ''");
        }
    } else {
        println!("unset {}", unset.join(" "));
    }
    eprintln!(
        "\nThe simulated tenant is running at {}.\n\
         In another terminal, set the variables above, then run:\n\n    \
         mscommerce status\n    mscommerce product list\n\n\
         Sign in with mscommerce connect, or with connect --username USER. Users:\n    \
         {ADMIN} (can change settings)\n    {READER} (can read settings)\n    \
         {MFA} (must sign in with a browser)\n\
         Their password is '{PASSWORD}'. To act as a partner, add --tenant {CUSTOMER_DOMAIN}.\n\n\
         To sign in as a service principal, set these variables:\n    \
         AZURE_TENANT_ID={HOME_DOMAIN}\n    AZURE_CLIENT_ID={APP_ID}\n    AZURE_CLIENT_SECRET='{APP_SECRET}'\n\n\
         Press Ctrl-C to stop. All changes are then lost.",
        tenant.url()
    );
}

/// Waits for Ctrl-C or, on Unix, SIGTERM, which scripts send to their child processes.
#[cfg(unix)]
async fn wait_for_stop_signal() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        result = tokio::signal::ctrl_c() => result,
        _ = terminate.recv() => Ok(()),
    }
}

#[cfg(not(unix))]
async fn wait_for_stop_signal() -> std::io::Result<()> {
    tokio::signal::ctrl_c().await
}
