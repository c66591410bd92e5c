//! `man`: a manual page for each command, from the command tree and the texts of its help.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, Command};
use clap_mangen::Man;
use clap_mangen::roff::{Inline, Roff, bold, roman};

use super::CommandOutput;
use crate::error::{Error, Result};
use crate::{auth, help, history, known_products, variables};

pub const EXAMPLES: &str = "\
Examples:
  mscommerce man | man -l -
  mscommerce man --directory ~/.local/share/man/man1";

/// The state directories, and the variable that takes precedence.
const STATE_DIRECTORIES: [(&str, &str); 4] = [
    ("$MSCOMMERCE_HOME", "State directory, if the variable is set"),
    ("~/.local/state/mscommerce", "State directory on Linux, or mscommerce in $XDG_STATE_HOME"),
    ("~/Library/Application Support/mscommerce", "State directory on macOS"),
    ("%LOCALAPPDATA%\\mscommerce", "State directory on Windows"),
];

/// The files of the state directory.
const STATE_FILES: [(&str, &str); 3] = [
    (auth::CACHE_FILE, "Saved sign-ins in the state directory. Private: it contains tokens"),
    (history::FILE, "History of changes in the state directory, one JSON object per line"),
    (known_products::FILE, "Products of the last list in the state directory, for shell completion"),
];

#[derive(Args, Clone, Debug)]
pub struct ManArgs {
    /// Write a page for each command to this directory
    #[arg(long, value_name = "DIRECTORY")]
    pub directory: Option<PathBuf>,
}

/// Renders the manual pages. `root` is the command tree.
pub fn run(args: &ManArgs, root: Command) -> Result<CommandOutput> {
    let mut root = help::add_examples(root);
    root.build();
    let Some(directory) = &args.directory else {
        return Ok(CommandOutput { text: Some(render_page(&root, &root)?), ..CommandOutput::default() });
    };
    let pages = write_pages(&root, &root, directory)?;
    let note = Some(format!("Wrote {pages} pages to {}.", directory.display()));
    Ok(CommandOutput { note, ..CommandOutput::default() })
}

/// Writes the pages of a command and its subcommands. Returns the number of pages.
fn write_pages(command: &Command, parent: &Command, directory: &Path) -> Result<usize> {
    let write_error = |error: std::io::Error| {
        Error::from_source(error).context(format!("could not write to {}", directory.display()))
    };
    fs::create_dir_all(directory).map_err(write_error)?;
    let page = render_page(command, parent)?;
    fs::write(directory.join(format!("{}.1", page_name(command))), page).map_err(write_error)?;
    let mut pages = 1;
    for subcommand in subcommands(command) {
        pages += write_pages(subcommand, command, directory)?;
    }
    Ok(pages)
}

/// The subcommands with a page.
fn subcommands(command: &Command) -> impl Iterator<Item = &Command> {
    command.get_subcommands().filter(|subcommand| subcommand.get_name() != "help")
}

fn page_name(command: &Command) -> &str {
    command.get_display_name().unwrap_or_else(|| command.get_name())
}

/// Renders the page of a command. The root is its own parent.
fn render_page(command: &Command, parent: &Command) -> Result<String> {
    let is_root = page_name(command) == page_name(parent);
    // Rendered without styles, because the page has its own.
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage:").trim().to_owned();
    let shown = command.clone().override_usage(usage);
    // A page has room for the options that the short help leaves out, but clap_mangen omits their descriptions.
    let show = |arg: clap::Arg| {
        let is_elsewhere = arg.is_global_set() && !is_root;
        let is_hidden = is_elsewhere || arg.is_hide_set();
        arg.hide_short_help(false).hide(is_hidden)
    };
    let shown = shown.mut_args(show);
    // An empty argument: without a date, roff would use the next argument as the date.
    let source = concat!("mscommerce ", env!("CARGO_PKG_VERSION"));
    let man = Man::new(shown).date("\"\"").source(source).manual("mscommerce manual");
    let help = command.get_after_long_help().map(ToString::to_string).unwrap_or_default();
    let (examples, paragraphs): (Vec<&str>, Vec<&str>) =
        help.split("\n\n").filter(|text| !text.is_empty()).partition(|text| text.starts_with("Examples:"));

    let mut page = Vec::new();
    let render = |page: &mut Vec<u8>| {
        man.render_title(page)?;
        man.render_name_section(page)?;
        man.render_synopsis_section(page)?;
        man.render_description_section(page)?;
        page.extend(to_bytes(|roff| add_paragraphs(roff, &paragraphs)));
        man.render_options_section(page)?;
        if !is_root {
            page.extend(to_bytes(|roff| add_paragraphs(roff, &["The global options are described in mscommerce(1)."])));
        }
        if subcommands(command).next().is_some() {
            man.render_subcommands_section(page)?;
        }
        Ok(())
    };
    render(&mut page).map_err(|error: std::io::Error| Error::from_source(error))?;
    page.extend(to_bytes(|roff| {
        add_examples(roff, &examples);
        add_exit_status(roff);
        add_environment(roff, is_root);
        add_files(roff, is_root);
        add_see_also(roff, command, parent);
    }));
    let page = String::from_utf8(page).map_err(Error::from_source)?;
    // clap_mangen writes an empty line between two breaks above possible values, which mandoc warns about.
    let page = page.replace("\n.br\n\n.br\n", "\n.br\n");
    // Each section begins with the same preamble.
    let preamble = Roff::new().render();
    Ok(format!("{preamble}{}", page.replace(&preamble, "")))
}

/// The text of sections that this module adds. Without the preamble, which the title already has.
fn to_bytes(add: impl FnOnce(&mut Roff)) -> Vec<u8> {
    let mut roff = Roff::new();
    add(&mut roff);
    roff.to_roff().into_bytes()
}

fn add_paragraphs(roff: &mut Roff, paragraphs: &[&str]) {
    for paragraph in paragraphs {
        roff.control("PP", []).text([roman(paragraph.replace('\n', " "))]);
    }
}

fn add_examples(roff: &mut Roff, examples: &[&str]) {
    let lines: Vec<&str> = examples.iter().flat_map(|text| text.lines().skip(1)).collect();
    if lines.is_empty() {
        return;
    }
    roff.control("SH", ["EXAMPLES"]).control("nf", []);
    for line in lines {
        roff.text([roman(line.strip_prefix("  ").unwrap_or(line))]);
    }
    roff.control("fi", []);
}

fn add_exit_status(roff: &mut Roff) {
    roff.control("SH", ["EXIT STATUS"]);
    let (codes, note) = help::EXIT_CODES.split_once("\n\n").unwrap_or((help::EXIT_CODES, ""));
    for line in codes.lines() {
        let (code, meaning) = line.split_once(' ').unwrap_or((line, ""));
        add_entry(roff, code, meaning.trim());
    }
    add_paragraphs(roff, &[note]);
}

fn add_environment(roff: &mut Roff, is_root: bool) {
    roff.control("SH", ["ENVIRONMENT"]);
    if !is_root {
        roff.text([roman("See mscommerce(1).")]);
        return;
    }
    roff.text([roman(help::ENVIRONMENT_NOTES.replace('\n', " "))]);
    for (heading, variables) in variables::GROUPS {
        roff.control("SS", [*heading]);
        for (name, meaning) in *variables {
            add_entry(roff, name, &meaning.replace('`', ""));
        }
    }
}

fn add_files(roff: &mut Roff, is_root: bool) {
    roff.control("SH", ["FILES"]);
    if !is_root {
        roff.text([roman("See mscommerce(1).")]);
        return;
    }
    for (path, meaning) in STATE_DIRECTORIES.iter().chain(&STATE_FILES) {
        add_entry(roff, path, meaning);
    }
}

fn add_see_also(roff: &mut Roff, command: &Command, parent: &Command) {
    let related = [parent].into_iter().chain(subcommands(parent)).chain(subcommands(command));
    let mut names: Vec<&str> = related.map(page_name).filter(|name| *name != page_name(command)).collect();
    names.push("mscommerce");
    names.sort_unstable();
    names.dedup();
    names.retain(|name| *name != page_name(command));
    let last = names.len().saturating_sub(1);
    // Names are searched for, so they are not hyphenated.
    roff.control("SH", ["SEE ALSO"]).control("ad", ["l"]).control("nh", []);
    for (index, name) in names.into_iter().enumerate() {
        roff.text([bold(name), roman(if index == last { "(1)" } else { "(1)," })]);
    }
}

/// Adds an entry of a list: a term, and its meaning below it.
fn add_entry(roff: &mut Roff, term: &str, meaning: &str) {
    let meaning: Inline = roman(meaning);
    roff.control("TP", []).text([bold(term)]).text([meaning]);
}
