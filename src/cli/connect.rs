//! `connect` and `disconnect`.

use clap::Args;

const CONNECT_EXAMPLES: &str = "\
Examples:
  mscommerce connect
  mscommerce connect --device-code              on a machine without a browser
  mscommerce connect --tenant contoso.com       as a guest or a partner
  mscommerce connect --username admin@contoso.com --password-stdin < password.txt
  az account get-access-token --resource aeb86249-8ea3-49e2-900b-54cc8e308f85 \\
    --query accessToken -o tsv | mscommerce connect --with-token";

#[derive(Args, Debug)]
#[command(after_help = CONNECT_EXAMPLES)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct ConnectArgs {
    /// Sign in on another device, with a code
    #[arg(long, group = "way")]
    pub(crate) device_code: bool,
    /// Sign in with this user's password (no multi-factor sign-in)
    #[arg(long, group = "way", value_name = "USER")]
    pub(crate) username: Option<String>,
    /// Read the password from standard input
    #[arg(long, requires = "username")]
    pub(crate) password_stdin: bool,
    /// Read a ready access token from standard input
    #[arg(long, group = "way", conflicts_with = "client_id")]
    pub(crate) with_token: bool,
    /// The public client to sign in as [env: MSCOMMERCE_CLIENT_ID]
    #[arg(long, value_name = "ID")]
    pub(crate) client_id: Option<String>,
    /// The port on which the browser's answer is awaited [default: any free port]
    #[arg(long, value_name = "PORT", conflicts_with = "way", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) redirect_port: Option<u16>,
    /// Print the address to open, do not open it
    #[arg(long, conflicts_with = "way")]
    pub(crate) no_browser: bool,
}

#[derive(Args, Debug)]
pub(crate) struct DisconnectArgs {
    /// Forget the sign-ins of every profile
    #[arg(long, conflicts_with = "profile")]
    pub(crate) all: bool,
}
