//! The command tree: names, flags and help. No behaviour.
#![allow(clippy::doc_markdown, reason = "the comments on commands and flags are the help texts")]

use std::path::PathBuf;

use clap::{ArgAction, ArgGroup, Args, Parser, Subcommand, ValueEnum};

use crate::commerce::PolicyValue;
use crate::output::Format;
use crate::pattern::Pattern;

const EXAMPLES: &str = "\
Examples:
  mscommerce connect                            sign in with the browser
  mscommerce products list                      what may people buy for themselves?
  mscommerce product update CFQ7TTC0H9MP --value disabled
  mscommerce products list --value enabled -o json
  mscommerce products update --all --value disabled --dry-run

Exit codes:
  0 done   1 failed   2 wrong usage   3 'baseline check' found drift
  4 sign-in needed or refused   130 interrupted

Environment:
  MSCOMMERCE_TOKEN       a ready access token; outranks every saved sign-in
  MSCOMMERCE_PROFILE     the profile where --profile is not given
  MSCOMMERCE_OUTPUT      the output format where --output is not given
  MSCOMMERCE_HOME        the directory for sign-ins and the record of changes
  MSCOMMERCE_CLIENT_ID   the client id that 'connect' uses
  MSCOMMERCE_SCOPE       the scope that 'connect' asks for
  MSCOMMERCE_ENDPOINT    the policy endpoint (https, or http to this machine)
  AZURE_TENANT_ID        the tenant for 'connect' where --tenant is not given
  AZURE_AUTHORITY_HOST   the sign-in service, for national clouds
  HTTPS_PROXY, NO_PROXY, SSL_CERT_FILE, NO_COLOR   as everywhere";

/// Show and change which Microsoft 365 products people in your organisation may buy for themselves.
#[derive(Debug, Parser)]
#[command(
    name = "mscommerce",
    bin_name = "mscommerce",
    version,
    after_help = EXAMPLES,
    max_term_width = 100
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) global: GlobalArgs,
}

/// Flags that every command takes.
#[derive(Args, Debug)]
#[command(next_help_heading = "Global options")]
pub(crate) struct GlobalArgs {
    /// The policy to work on [default: AllowSelfServicePurchase]
    #[arg(long, global = true, value_name = "ID")]
    pub(crate) policy_id: Option<String>,
    /// The saved sign-in to use [env: MSCOMMERCE_PROFILE] [default: default]
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// The tenant: its id or one of its domains [default: the tenant signed in to]
    #[arg(long, global = true, value_name = "TENANT")]
    pub(crate) tenant: Option<String>,
    /// table, json, csv, tsv or markdown [env: MSCOMMERCE_OUTPUT] [default: table]
    #[arg(short, long, global = true, value_name = "FORMAT", ignore_case = true, hide_possible_values = true)]
    pub(crate) output: Option<Format>,
    /// How long the network may take, in seconds [default: 100]
    #[arg(long, global = true, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=86_400))]
    pub(crate) timeout: Option<u32>,
    /// Say less: only results, questions, warnings and errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Say more: each request, its status, its correlation id
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,
    /// When to use colour: auto, always or never
    #[arg(long, global = true, value_name = "WHEN", default_value_t, value_enum, hide_possible_values = true)]
    pub(crate) color: ColorChoice,
}

/// When to use colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorChoice {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Sign in, with the browser unless told otherwise
    #[command(visible_alias = "login")]
    Connect(ConnectArgs),
    /// Forget the saved sign-in
    #[command(visible_alias = "logout")]
    Disconnect(DisconnectArgs),
    /// Who is signed in, where, how and until when; touches no network
    Status,
    /// Show the policies of the tenant
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Work on many products
    #[command(subcommand)]
    Products(ProductsCommand),
    /// Work on one product or offer type
    #[command(subcommand)]
    Product(ProductCommand),
    /// Keep the tenant's settings as a file, and compare
    #[command(subcommand)]
    Baseline(BaselineCommand),
    /// What this tool changed from this machine; touches no network
    #[command(after_help = HISTORY_EXAMPLES)]
    History(HistoryArgs),
    /// Take back the last run's changes
    #[command(after_help = UNDO_HELP)]
    Undo(ChangeArgs),
}

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

#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// List the policies (Get-MSCommercePolicies)
    List,
    /// Show one policy (Get-MSCommercePolicy)
    Get {
        /// The policy's id [default: the one of --policy-id]
        #[arg(value_name = "POLICY", conflicts_with = "policy_id")]
        policy: Option<String>,
    },
}

const LIST_EXAMPLES: &str = "\
Examples:
  mscommerce products list --scope all
  mscommerce products list --name 'power bi'
  mscommerce products list --name '/^(Visio|Project) /' --value enabled -o tsv";

#[derive(Debug, Subcommand)]
pub(crate) enum ProductsCommand {
    /// List products and what the policy says of each (Get-MSCommerceProductPolicies)
    #[command(after_help = LIST_EXAMPLES)]
    List(ListArgs),
    /// Change many products at once
    #[command(after_help = UPDATE_MANY_EXAMPLES)]
    Update(UpdateManyArgs),
}

/// What every command that may change many products takes.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct ChangeArgs {
    /// Say what would change, change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Do not ask; needed where there is no terminal to ask on
    #[arg(long)]
    pub(crate) yes: bool,
}

/// How many requests are sent side by side.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct JobsArgs {
    /// How many changes may be on their way at the same time
    #[arg(long, value_name = "N", default_value_t = DEFAULT_JOBS, value_parser = clap::value_parser!(u8).range(1..=64))]
    pub(crate) jobs: u8,
}

/// The number of changes on their way at the same time where `--jobs` does not say.
pub(crate) const DEFAULT_JOBS: u8 = 8;

#[derive(Args, Debug)]
#[command(group(ArgGroup::new("selection").required(true)))]
pub(crate) struct UpdateManyArgs {
    /// Ids or exact names; case does not matter
    #[arg(value_name = "ID_OR_NAME", group = "selection")]
    pub(crate) products: Vec<String>,
    /// Everything that the service lists
    #[arg(long, group = "selection")]
    pub(crate) all: bool,
    /// Names that contain this text, or that fit a /regular expression/; case does not matter
    #[arg(long, value_name = "PATTERN", value_parser = Pattern::parse, group = "selection")]
    pub(crate) name: Option<Pattern>,
    /// All but this one, by its id or exact name; may be given several times
    #[arg(long, value_name = "ID_OR_NAME", conflicts_with = "products")]
    pub(crate) except: Vec<String>,
    /// What to choose from: product, offer-type or all
    #[arg(long, value_enum, default_value_t, ignore_case = true, hide_possible_values = true)]
    pub(crate) scope: ScopeChoice,
    /// The value to set: enabled, disabled, only-trials-without-payment-method (trials)
    #[arg(long, value_name = "VALUE", value_parser = PolicyValue::parse)]
    pub(crate) value: PolicyValue,
    #[command(flatten)]
    pub(crate) change: ChangeArgs,
    #[command(flatten)]
    pub(crate) jobs: JobsArgs,
}

const UPDATE_MANY_EXAMPLES: &str = "\
Examples:
  mscommerce products update --all --value disabled
  mscommerce products update --all --except 'Power BI Pro' --value disabled
  mscommerce products update --name visio --value trials --dry-run
  mscommerce products update CFQ7TTC0HD33 'Visio Plan 2' --value trials --yes";

#[derive(Debug, Subcommand)]
pub(crate) enum BaselineCommand {
    /// Write the tenant's settings as a file
    #[command(after_help = EXPORT_EXAMPLES)]
    Export(ExportArgs),
    /// Print what differs from the file; exit code 3 where something does
    #[command(after_help = CHECK_EXAMPLES)]
    Check {
        /// The baseline: TOML, or JSON where its name ends in .json
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Change what differs from the file
    #[command(after_help = APPLY_EXAMPLES)]
    Apply(ApplyArgs),
}

#[derive(Args, Debug)]
pub(crate) struct ExportArgs {
    /// The file to write: TOML, or JSON where its name ends in .json [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Replace a file that is there already
    #[arg(long, requires = "file")]
    pub(crate) force: bool,
}

#[derive(Args, Debug)]
pub(crate) struct ApplyArgs {
    /// The baseline: TOML, or JSON where its name ends in .json
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Go on where the file names ids that the tenant does not have
    #[arg(long)]
    pub(crate) ignore_unknown: bool,
    #[command(flatten)]
    pub(crate) change: ChangeArgs,
    #[command(flatten)]
    pub(crate) jobs: JobsArgs,
}

const EXPORT_EXAMPLES: &str = "\
Examples:
  mscommerce baseline export --file baseline.toml
  mscommerce baseline export -o json";

const CHECK_EXAMPLES: &str = "\
Examples:
  mscommerce baseline check baseline.toml
  mscommerce baseline check baseline.toml -o markdown >> \"$GITHUB_STEP_SUMMARY\"";

const APPLY_EXAMPLES: &str = "\
Examples:
  mscommerce baseline apply baseline.toml --dry-run
  mscommerce baseline apply baseline.toml --yes";

#[derive(Args, Debug)]
pub(crate) struct HistoryArgs {
    /// How many changes to show, newest first
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) limit: u32,
}

const HISTORY_EXAMPLES: &str = "\
With --tenant (an id) or --policy-id, only the changes there.

Examples:
  mscommerce history --limit 5
  mscommerce history -o csv > changes.csv";

const UNDO_HELP: &str = "\
The last run is the newest in 'mscommerce history' at this tenant and policy. \
What has been changed again since is left as it is, and named. An undo is a run, too: \
the next undo takes it back.

Examples:
  mscommerce undo --dry-run
  mscommerce undo --yes";

#[derive(Args, Debug)]
pub(crate) struct ListArgs {
    /// What to list: product, offer-type or all
    #[arg(long, value_enum, default_value_t, ignore_case = true, hide_possible_values = true)]
    pub(crate) scope: ScopeChoice,
    /// Only names that contain this text, or that fit a /regular expression/; case does not matter
    #[arg(long, value_name = "PATTERN", value_parser = Pattern::parse)]
    pub(crate) name: Option<Pattern>,
    /// Only products with this value: enabled, disabled, only-trials-without-payment-method (trials)
    #[arg(long, value_name = "VALUE", value_parser = PolicyValue::parse)]
    pub(crate) value: Option<PolicyValue>,
}

/// Products, offer types, or both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ScopeChoice {
    /// Microsoft's products.
    #[default]
    Product,
    /// Kinds of offers of other sellers.
    #[value(alias = "offertype")]
    OfferType,
    /// Both.
    All,
}

const GET_EXAMPLES: &str = "\
Examples:
  mscommerce product get CFQ7TTC0H9MP
  mscommerce product get 'power bi pro' -o json
  mscommerce product get --offer-type SaaS";

const UPDATE_EXAMPLES: &str = "\
Examples:
  mscommerce product update CFQ7TTC0H9MP --value disabled
  mscommerce product update 'Power BI Pro' --value trials --dry-run
  mscommerce product update --offer-type SaaS --enabled false --confirm";

#[derive(Debug, Subcommand)]
pub(crate) enum ProductCommand {
    /// Show one product or offer type (Get-MSCommerceProductPolicy)
    #[command(after_help = GET_EXAMPLES)]
    Get(TargetArgs),
    /// Change one product or offer type (Update-MSCommerceProductPolicy)
    #[command(after_help = UPDATE_EXAMPLES)]
    Update(UpdateArgs),
}

#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
pub(crate) struct TargetArgs {
    /// The product's id, or its exact name; case does not matter
    #[arg(value_name = "PRODUCT")]
    pub(crate) product: Option<String>,
    /// The offer type's id, such as SaaS, instead of a product
    #[arg(long, value_name = "TYPE")]
    pub(crate) offer_type: Option<String>,
}

#[derive(Args, Debug)]
#[command(group(ArgGroup::new("setting").required(true)))]
pub(crate) struct UpdateArgs {
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    /// The value to set: enabled, disabled, only-trials-without-payment-method (trials)
    #[arg(long, value_name = "VALUE", value_parser = PolicyValue::parse, group = "setting")]
    pub(crate) value: Option<PolicyValue>,
    /// true sets Enabled, false sets Disabled
    #[arg(long, value_name = "BOOL", group = "setting", value_parser = truth)]
    pub(crate) enabled: Option<bool>,
    /// Say what would change, change nothing (-WhatIf)
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Ask before the change is made (-Confirm)
    #[arg(long)]
    pub(crate) confirm: bool,
}

fn truth(text: &str) -> Result<bool, &'static str> {
    match text.to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err("it is either true or false"),
    }
}
