//! `baseline export`: writes the tenant's settings to a file.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;

use super::{CommandOutput, lookup};
use crate::api::Scope;
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::files;
use crate::output::Format;
use crate::plan::{self, FileFormat};
use crate::text::shell_quote;

#[derive(Args, Debug)]
pub struct ExportArgs {
    /// File to write: TOML, or JSON if it ends in .json [default: -]
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Overwrite an existing file
    #[arg(long, requires = "file")]
    pub force: bool,
}

pub async fn run(args: ExportArgs, context: &Context) -> Result<CommandOutput> {
    // `-` is standard output, the default.
    let args = ExportArgs { file: args.file.filter(|file| !files::is_stdio(file)), ..args };
    let format = export_format(&args, context)?;
    if let Some(file) = &args.file {
        ensure_can_create(file, args.force).map_err(|error| error.with_kind(ErrorKind::Usage))?;
    }
    let listed = lookup::list(&Scope::ALL, &context.api()?, context).await?;
    let exported = plan::export(&context.settings.policy_id.value, listed, format)?;
    for (label, reason) in &exported.skipped {
        context.ui.warn(&format!("skipped {label}: {reason}"));
    }
    let Some(file) = &args.file else {
        return Ok(CommandOutput { text: Some(exported.text), ..CommandOutput::default() });
    };
    write(file, &exported.text, args.force)?;
    let path = file.display().to_string();
    let check = context.command(&format!("mscommerce baseline check {}", shell_quote(&path)));
    context.ui.info(&format!("Wrote {path}."));
    context.ui.info(&format!("To check the tenant against this file: {check}"));
    Ok(CommandOutput::default())
}

/// The format of the export: by the file name, or by `--output` for standard output. The default is TOML.
fn export_format(args: &ExportArgs, context: &Context) -> Result<FileFormat> {
    let format_flag = context.settings.format.flag();
    match (&args.file, format_flag) {
        (None, None) if context.settings.format.value == Format::Json => Ok(FileFormat::Json),
        (None, None) => Ok(FileFormat::Toml),
        (None, Some(Format::Json)) => Ok(FileFormat::Json),
        (Some(file), None) => Ok(FileFormat::from_path(file)),
        (Some(file), Some(Format::Json)) if FileFormat::from_path(file) == FileFormat::Json => Ok(FileFormat::Json),
        (Some(_), Some(_)) => {
            Err(Error::usage("--output is for standard output only; the file extension selects the format of a file")
                .with_hint("use a file name that ends in .json, or omit --output"))
        }
        (None, Some(_)) => {
            Err(Error::usage("a baseline is either TOML or JSON")
                .with_hint("omit --output for TOML, or use --output json"))
        }
    }
}

/// Fails if the file cannot be created, so that no request is sent in vain.
fn ensure_can_create(file: &Path, force: bool) -> Result<()> {
    let path = file.display();
    match fs::metadata(file) {
        Ok(metadata) if metadata.is_dir() => Err(Error::failed(format!("{path} is a directory"))),
        Ok(metadata) if !metadata.is_file() => Err(Error::failed(format!("{path} is not a regular file"))),
        Ok(_) if force => Ok(()),
        Ok(_) => Err(already_exists(file)),
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(write_error(file, error)),
        Err(_) if file.is_symlink() => Err(Error::failed(format!("{path} is a broken symbolic link"))),
        Err(_) if parent(file).is_dir() => Ok(()),
        Err(_) => {
            let parent = parent(file).display();
            Err(Error::failed(format!("could not write {path}: directory {parent} does not exist")))
        }
    }
}

fn parent(file: &Path) -> &Path {
    file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn already_exists(file: &Path) -> Error {
    Error::failed(format!("{} already exists; nothing was written", file.display()))
        .with_hint("use another file, or add --force to replace this one")
}

fn write_error(file: &Path, error: io::Error) -> Error {
    Error::from_source(error).context(format!("could not write {}", file.display()))
}

/// Writes the file atomically: a temporary file in the same directory, then a rename.
fn write(file: &Path, text: &str, force: bool) -> Result<()> {
    // Replace the target of a symbolic link, not the link.
    let target = fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
    let mut builder = tempfile::Builder::new();
    builder.prefix(".baseline-");
    // The file contains no secret and is shared, so it gets default permissions.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let written = builder.tempfile_in(parent(&target)).and_then(|mut temporary| {
        temporary.write_all(text.as_bytes())?;
        if let Ok(existing) = fs::metadata(&target) {
            temporary.as_file().set_permissions(existing.permissions())?;
        }
        temporary.as_file().sync_all()?;
        Ok(temporary)
    });
    let temporary = written.map_err(|error| write_error(file, error))?;
    let persisted = if force { temporary.persist(&target) } else { temporary.persist_noclobber(&target) };
    match persisted {
        Ok(_) => Ok(()),
        Err(failed) if failed.error.kind() == io::ErrorKind::AlreadyExists => Err(already_exists(file)),
        Err(failed) => Err(write_error(file, failed.error)),
    }
}
