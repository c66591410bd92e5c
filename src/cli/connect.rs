//! `connect` and `disconnect`.

use std::path::PathBuf;

use clap::Args;

const CONNECT_EXAMPLES: &str = "\
Examples:
  mscommerce connect
  mscommerce connect --device-code              on a machine without a browser
  mscommerce connect --tenant contoso.com       as a guest or a partner
  mscommerce connect --username admin@contoso.com --password-stdin < password.txt
  mscommerce connect --application --tenant contoso.com --client-id ID \\
    --certificate app.pem
  az account get-access-token --resource aeb86249-8ea3-49e2-900b-54cc8e308f85 \\
    --query accessToken -o tsv | mscommerce connect --with-token";

pub const DISCONNECT_EXAMPLES: &str = "\
Examples:
  mscommerce disconnect
  mscommerce disconnect --profile contoso";

#[derive(Args, Debug)]
#[command(after_help = CONNECT_EXAMPLES)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct ConnectArgs {
    /// Sign in on another device, with a code
    #[arg(long, group = "way")]
    pub device_code: bool,
    /// Sign in with this user's password (no multi-factor sign-in)
    #[arg(long, group = "way", value_name = "USER")]
    pub username: Option<String>,
    /// Read the password from standard input
    #[arg(long, requires = "username")]
    pub password_stdin: bool,
    /// Read a ready access token from standard input
    #[arg(long, group = "way", conflicts_with = "client_id")]
    pub with_token: bool,
    /// Sign in as an application: with what the AZURE_… variables say, or with one of the next four
    #[arg(long, group = "way")]
    pub application: bool,
    /// Read the application's secret from standard input
    #[arg(long, group = "proof", requires = "application")]
    pub client_secret_stdin: bool,
    /// The application's certificate and private key: PEM, or PKCS#12 (PFX)
    #[arg(long, group = "proof", requires = "application", value_name = "FILE")]
    pub certificate: Option<PathBuf>,
    /// A file with a token of another issuer that the application trusts
    #[arg(long, group = "proof", requires = "application", value_name = "FILE")]
    pub federated_token_file: Option<PathBuf>,
    /// The token that GitHub Actions gives to the job
    #[arg(long, group = "proof", requires = "application")]
    pub github_oidc: bool,
    /// The client to sign in as [env: MSCOMMERCE_CLIENT_ID, or AZURE_CLIENT_ID for an application]
    #[arg(long, value_name = "ID")]
    pub client_id: Option<String>,
    /// The port on which the browser's answer is awaited [default: any free port]
    #[arg(long, value_name = "PORT", conflicts_with = "way", value_parser = clap::value_parser!(u16).range(1..))]
    pub redirect_port: Option<u16>,
    /// Print the address to open, do not open it
    #[arg(long, conflicts_with = "way")]
    pub no_browser: bool,
}

#[derive(Args, Debug)]
pub struct DisconnectArgs {
    /// Forget the sign-ins of every profile
    #[arg(long, conflicts_with = "profile")]
    pub all: bool,
}
