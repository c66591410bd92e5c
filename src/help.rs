//! Help: the overview, `help COMMAND` and the help topics.

use clap::builder::StyledStr;
use clap::{Arg, ArgMatches, Command, Error, error::ErrorKind};
use comfy_table::presets::NOTHING;
use comfy_table::{ColumnConstraint, ContentArrangement, Table};

use crate::variables;

/// The commands of the overview, by group.
const GROUPS: [(&str, &[&str]); 4] = [
    ("Sign in", &["connect", "disconnect", "status"]),
    ("Settings", &["product", "policy", "baseline"]),
    ("Changes", &["history", "undo"]),
    ("Tools", &["doctor", "api", "completions", "man"]),
];

/// The topics of `help`.
pub const TOPICS: [&str; 5] = ["options", "environment", "exit-codes", "output", "authentication"];

/// In columns.
const TOPIC_WIDTH: u16 = 80;

const SHORT_FOOTER: &str = "Examples and details: --help. Global options: mscommerce help options";
const LONG_FOOTER: &str = "Global options: mscommerce help options";

const ROOT_FOOTER: &str = "\
Details: mscommerce COMMAND --help. Topics, with mscommerce help TOPIC:
options, environment, exit-codes, output, authentication";

const ROOT_EXAMPLES: &str = "\
Examples:
  mscommerce connect
  mscommerce product list
  mscommerce product update CFQ7TTC0H9MP --value disabled
  mscommerce product update --all --value disabled --dry-run

Topics, with mscommerce help TOPIC:
options, environment, exit-codes, output, authentication";

pub const ENVIRONMENT_NOTES: &str = "\
Empty variables count as unset. White space and a byte order mark around a value
are dropped. A leading ~/ in a path is the home directory.";

pub const EXIT_CODES: &str = "\
0    Success
1    Failed, completely or in part, or cancelled at the prompt
2    Usage error: no request was sent
3    Drift: 'baseline check' found differences
4    Sign-in required or rejected
130  Interrupted by Ctrl-C or SIGTERM

With several tenants: 4 if any sign-in was rejected, otherwise 1 if any tenant
failed, otherwise 3 if any tenant drifted.";

const OUTPUT: &str = "\
Results are written to standard output, messages to standard error.

-o table     For people. Columns depend only on the command
-o json      An object or an array. Contains every field
-o csv       With a header row, for spreadsheets
-o tsv       With a header row, for cut and awk
-o markdown  A table for an issue or a job summary

Field names are the same in json, csv, tsv, markdown and --query. --query takes
a JMESPath expression (https://jmespath.org) and filters the JSON. With -o tsv,
it prints plain values without a header.

Outcomes of a change:
  changed    The service confirmed the new value
  unchanged  The value was already set; nothing was sent
  planned    Would be sent without --dry-run
  failed     Not changed
  unknown    Sent, but not confirmed: the change may still be applied
  skipped    Not sent, because of Ctrl-C or a rejected sign-in

Examples:
  mscommerce product list -o tsv --query \"[?policyValue=='Enabled'].id\"
  mscommerce history -o csv > changes.csv";

const AUTHENTICATION: &str = "\
Changes require the role Billing Administrator or Global Administrator. Global
Reader can list, preview and check. Partners need the role over GDAP.

The first credential that is found is used; 'mscommerce status' names it:
  1. MSCOMMERCE_TOKEN
  2. The service principal of the AZURE_* variables (no connect needed)
  3. The sign-in that connect saved in the profile

Interactive:
  mscommerce connect                     # browser
  mscommerce connect --device-code       # browser on another device
  mscommerce connect --username USER     # password, without MFA

Scripts and CI:
  AZURE_CLIENT_ID and AZURE_TENANT_ID, with a secret, a certificate, a federated
  token or GitHub OIDC (see 'mscommerce help environment')

Several tenants: --tenant uses the saved sign-in in another tenant.
Several sign-ins: --profile keeps them apart.";

/// The `help` subcommand, which takes a command or a topic.
pub fn subcommand() -> Command {
    Command::new("help")
        .about("Show help for a command or a topic")
        .hide(true)
        .arg(Arg::new("words").value_name("COMMAND|TOPIC").num_args(0..))
}

/// Adds the examples of the root command.
pub fn add_examples(root: Command) -> Command {
    root.after_long_help(ROOT_EXAMPLES)
}

/// Adds the overview and the footers to the help of all commands, and shows global options only for the root command.
/// `is_long` is whether the root command shows its options.
pub fn prepare(command: Command, is_long: bool) -> Command {
    let mut command = add_examples(command).after_help(ROOT_FOOTER);
    command.build();
    let groups = groups(&command);
    // The groups list the subcommands.
    let command = command.mut_subcommands(|subcommand| prepare_subcommand(subcommand).hide(true));
    let options = if is_long { "\n\n{all-args}" } else { "" };
    let groups = groups.trim_end();
    command.help_template(format!("{{about}}\n\n{{usage-heading}} {{usage}}\n\n{groups}{options}{{after-help}}"))
}

fn prepare_subcommand(command: Command) -> Command {
    let footer = match command.get_after_long_help() {
        Some(examples) => format!("{examples}\n\n{LONG_FOOTER}"),
        None => LONG_FOOTER.to_owned(),
    };
    let command = command.after_help(SHORT_FOOTER).after_long_help(footer).mut_subcommands(prepare_subcommand);
    command.mut_args(|arg| if arg.is_global_set() { arg.hide(true) } else { arg })
}

/// The commands with their summaries, by group.
fn groups(command: &Command) -> String {
    let mut text = String::new();
    for (heading, names) in GROUPS {
        text += &format!("{heading}:\n");
        for name in names {
            let about = command.find_subcommand(name).and_then(Command::get_about);
            text += &format!("  {name:<12} {}\n", about.map(ToString::to_string).unwrap_or_default());
        }
    }
    text
}

/// The text that `help` with these arguments prints. `root` is prepared.
pub fn render(matches: &ArgMatches, root: &mut Command) -> Result<StyledStr, Error> {
    let words: Vec<&String> = matches.get_many("words").into_iter().flatten().collect();
    topic(&words, root).or_else(|| command_help(&words, root)).ok_or_else(|| {
        let words = words.iter().map(|word| word.as_str()).collect::<Vec<_>>().join(" ");
        let topics = "options, environment, exit-codes, output and authentication";
        let message = format!("'{words}' is not a command or a help topic; topics are {topics}");
        root.error(ErrorKind::InvalidSubcommand, message)
    })
}

fn topic(words: &[&String], root: &Command) -> Option<StyledStr> {
    let [word] = words else { return None };
    let text = match word.as_str() {
        "options" => {
            let options = Command::new("options").disable_help_flag(true).help_template("{options}");
            let globals = root.get_arguments().filter(|arg| arg.is_global_set());
            options.args(globals.map(|arg| arg.clone().hide_short_help(false))).render_help().ansi().to_string()
        }
        "environment" => {
            let groups: Vec<String> = variables::GROUPS.iter().map(format_variables).collect();
            format!("{}\n{ENVIRONMENT_NOTES}\n", groups.join("\n"))
        }
        "exit-codes" => format!("{EXIT_CODES}\n"),
        "output" => format!("{OUTPUT}\n"),
        "authentication" => format!("{AUTHENTICATION}\n"),
        _ => return None,
    };
    Some(text.into())
}

/// The variables of a group with their meanings, in two columns.
fn format_variables((heading, variables): &variables::Group) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_width(TOPIC_WIDTH);
    table.add_rows(variables.iter().map(|(name, meaning)| [(*name).to_owned(), meaning.replace('`', "")]));
    if let Some(names) = table.column_mut(0) {
        names.set_constraint(ColumnConstraint::ContentWidth).set_padding((2, 2));
    }
    let lines: String = table.lines().map(|line| format!("{}\n", line.trim_end())).collect();
    format!("{heading}:\n{lines}")
}

/// The long help of a command, or the overview without words.
fn command_help(words: &[&String], root: &Command) -> Option<StyledStr> {
    let mut command = root;
    for word in words {
        command = command.find_subcommand(word)?;
    }
    let mut command = command.clone();
    let help = if words.is_empty() { command.render_help() } else { command.render_long_help() };
    Some(format!("{}\n", help.ansi().to_string().trim_end()).into())
}
