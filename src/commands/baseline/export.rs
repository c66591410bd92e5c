//! `baseline export`: the tenant's settings as a file.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use crate::cli::{ExportArgs, ScopeArg};
use crate::commands::{CommandOutput, Context, listing};
use crate::error::{Error, Result};
use crate::output::Format;
use crate::plan::{self, Form};
use crate::report::Report;
use crate::text::shell_quote;

pub async fn run(args: &ExportArgs, context: &Context<'_>) -> Result<CommandOutput> {
    let form = form(args, context)?;
    if let Some(file) = &args.file {
        check_free(file, args.force)?;
    }
    let policy_id = &context.settings.policy_id;
    let listed = context
        .with_endpoint(policy_id, async |endpoint| listing::read(ScopeArg::All.scopes(), endpoint, context).await)
        .await?;
    let exported = plan::export(policy_id, listed, form)?;
    for (label, why) in &exported.left_out {
        context.terminal.warn(&format!("{label} is left out: {why}"));
    }
    let Some(file) = &args.file else {
        return Ok(CommandOutput { document: Some(exported.text), ..CommandOutput::default() });
    };
    write(file, &exported.text, args.force)?;
    let shown = file.display().to_string();
    let check = context.settings.command(&format!("mscommerce baseline check {}", shell_quote(&shown)));
    context.terminal.info(&format!("Written: {shown}\nTo compare the tenant with it later: {check}"));
    Ok(CommandOutput::default())
}

/// A file's name says its form; on standard output it is TOML, or JSON where that is asked for.
fn form(args: &ExportArgs, context: &Context<'_>) -> Result<Form> {
    let given = context.settings.format_given;
    match (&args.file, given) {
        (None, None) if context.settings.format == Format::Json => Ok(Form::Json),
        (None, None) => Ok(Form::Toml),
        (None, Some(Format::Json)) => Ok(Form::Json),
        (Some(file), None) => Ok(Form::of(file)),
        (Some(file), Some(Format::Json)) if Form::of(file) == Form::Json => Ok(Form::Json),
        (Some(_), Some(_)) => {
            Err(Error::usage("--output is for standard output; the name of the file decides its form")
                .with_hint("name a file that ends in .json, or leave out --output"))
        }
        (None, Some(_)) => Err(Error::usage("a baseline is TOML, or JSON: there is no other form of it")
            .with_hint("leave out --output for TOML, or use --output json")),
    }
}

/// Looks before anything is asked of the service.
fn check_free(file: &Path, force: bool) -> Result<()> {
    let shown = file.display();
    match fs::metadata(file) {
        Ok(found) if found.is_dir() => Err(Error::failed(format!("{shown} is a directory"))),
        Ok(found) if !found.is_file() => Err(Error::failed(format!("{shown} is no regular file"))),
        Ok(_) if force => Ok(()),
        Ok(_) => Err(is_there(file)),
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(cannot_write(file, error)),
        Err(_) if file.is_symlink() => Err(Error::failed(format!("{shown} is a link that leads nowhere"))),
        Err(_) => match directory(file) {
            directory if directory.is_dir() => Ok(()),
            directory => {
                Err(Error::failed(format!("could not write {shown}: there is no directory {}", directory.display())))
            }
        },
    }
}

fn directory(file: &Path) -> &Path {
    file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn is_there(file: &Path) -> Error {
    Error::failed(format!("{} is there already; nothing was written", file.display()))
        .with_hint("name another file, or add --force to replace this one")
}

fn cannot_write(file: &Path, error: io::Error) -> Error {
    Error::from_source(error).context(format!("could not write {}", file.display()))
}

/// Writes beside the place and moves there, so that nobody finds half a file.
fn write(file: &Path, text: &str, force: bool) -> Result<()> {
    // Through a symbolic link the file that it leads to is replaced, and not the link.
    let place = fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
    let mut builder = tempfile::Builder::new();
    builder.prefix(".baseline-");
    // Unlike the sign-ins this is a file to share: the usual permissions hold.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let written = builder.tempfile_in(directory(&place)).and_then(|mut temporary| {
        temporary.write_all(text.as_bytes())?;
        if let Ok(before) = fs::metadata(&place) {
            temporary.as_file().set_permissions(before.permissions())?;
        }
        temporary.as_file().sync_all()?;
        Ok(temporary)
    });
    let temporary = written.map_err(|error| cannot_write(file, error))?;
    let persisted = if force { temporary.persist(&place) } else { temporary.persist_noclobber(&place) };
    match persisted {
        Ok(_) => Ok(()),
        Err(failed) if failed.error.kind() == io::ErrorKind::AlreadyExists => Err(is_there(file)),
        Err(failed) => Err(cannot_write(file, failed.error)),
    }
}
