//! `man`: the manual, made from the command tree.

use std::fs;
use std::path::Path;

use clap::CommandFactory;
use clap_mangen::Man;

use super::CommandOutput;
use crate::cli::{Cli, ManArgs};
use crate::error::{Error, Result};

pub fn run(args: &ManArgs) -> Result<CommandOutput> {
    let mut root = Cli::command();
    root.build();
    match &args.directory {
        Some(directory) => {
            let pages = write(&root, directory)?;
            let note = Some(format!("{pages} pages were written to {}.", directory.display()));
            Ok(CommandOutput { note, ..CommandOutput::default() })
        }
        None => Ok(CommandOutput { document: Some(page(root)?), ..CommandOutput::default() }),
    }
}

/// Writes the page of a command and of each below it, and returns how many they are.
fn write(command: &clap::Command, directory: &Path) -> Result<usize> {
    let cannot = |error: std::io::Error| {
        Error::from_source(error).context(format!("could not write to {}", directory.display()))
    };
    fs::create_dir_all(directory).map_err(cannot)?;
    let name = command.get_display_name().unwrap_or_else(|| command.get_name());
    fs::write(directory.join(format!("{name}.1")), page(command.clone())?).map_err(cannot)?;
    let mut pages = 1;
    for below in command.get_subcommands().filter(|below| below.get_name() != "help") {
        pages += write(below, directory)?;
    }
    Ok(pages)
}

fn page(command: clap::Command) -> Result<String> {
    let mut page = Vec::new();
    // The name of a command below another is no version, and an argument that is empty is taken for the next one.
    let source = concat!("mscommerce ", env!("CARGO_PKG_VERSION"));
    Man::new(command).date("\\&").source(source).render(&mut page).map_err(Error::from_source)?;
    String::from_utf8(page).map_err(Error::from_source)
}
