//! The saved sign-ins, read and changed as a whole.

mod file;
#[cfg(any(fuzzing, test))]
pub mod properties;
mod sealing;

use std::path::Path;
use std::time::Duration;

use super::credential::{CacheFile, CachedCredential, VersionHeader};
use crate::error::{Error, ErrorKind, Result};
use crate::files::OpenError;
use crate::secret::SecretBytes;
use crate::ui::Ui;
use file::{Lock, SignInFile};

/// The layout of the file that this version writes. The one before it knew no applications, and is understood.
const VERSION: u32 = 2;
const OLDEST: u32 = 1;

/// The sign-ins in one directory.
pub struct TokenCache {
    file: SignInFile,
    ui: Ui,
}

/// What became of looking for a profile's sign-in.
pub enum Lookup {
    Found(Box<CachedCredential>),
    /// Nobody is signed in under this profile, but under these.
    Missing {
        others: Vec<String>,
    },
}

/// The sign-ins, while no other process can change them.
pub struct CacheLock {
    file: SignInFile,
    content: CacheFile,
    _lock: Lock,
}

impl TokenCache {
    pub fn new(directory: &Path, ui: Ui) -> Self {
        Self { file: SignInFile::new(directory), ui }
    }

    /// Whether there is anything that could hold a sign-in.
    pub fn exists(&self) -> bool {
        self.file.directory_exists()
    }

    /// The sign-in of a profile, or the names of the profiles that have one.
    pub async fn look_up(&self, profile: &str, patience: Duration) -> Result<Lookup> {
        let mut profiles = self.content(patience).await?.profiles;
        Ok(match profiles.remove(profile) {
            Some(sign_in) => Lookup::Found(Box::new(sign_in)),
            None => Lookup::Missing { others: profiles.into_keys().collect() },
        })
    }

    /// Takes the file for a change. Waits at most `patience` for other processes.
    pub async fn lock(&self, patience: Duration) -> Result<CacheLock> {
        let lock = self.file.lock(patience).await?;
        let content = self.understood()?.unwrap_or_else(|why| {
            let kept = match self.file.quarantine() {
                Ok(aside) => format!("it was set aside as {}", aside.display()),
                Err(error) => format!("it could not be moved aside: {error}"),
            };
            self.warn(&format!("{why}; {kept}"));
            CacheFile::default()
        });
        Ok(CacheLock { content, file: self.file.clone(), _lock: lock })
    }

    /// The file is replaced in one step, so reading needs no lock; only moving it aside does.
    async fn content(&self, patience: Duration) -> Result<CacheFile> {
        let why = match self.understood().map_err(|error| error.with_kind(ErrorKind::Auth))? {
            Ok(content) => return Ok(content),
            Err(why) => why,
        };
        if let Ok(locked) = self.lock(patience).await {
            return Ok(locked.content);
        }
        self.warn(&why);
        Ok(CacheFile::default())
    }

    /// The file's content, or why it cannot be used: damaged, or written by a newer version. One that is not this user's
    /// own is an error, and is left where it is.
    fn understood(&self) -> Result<Result<CacheFile, String>> {
        let read = self.file.read(|message| self.ui.warn(message));
        match read.and_then(|found| found.map(sealing::open).transpose()) {
            Ok(Some(content)) => Ok(Self::parse(&content)),
            Ok(None) => Ok(Ok(CacheFile::default())),
            Err(OpenError::Io(error)) => Ok(Err(error.to_string())),
            Err(OpenError::NotOwned(why)) => {
                let path = self.file.path();
                Err(Error::failed(format!("the saved sign-ins in {} are not used: {why}", path.display()))
                    .with_hint("look at how it came there and remove it, or name another directory in MSCOMMERCE_HOME"))
            }
        }
    }

    pub fn parse(text: &[u8]) -> Result<CacheFile, String> {
        // The parser's message may quote the text, which holds tokens.
        let damaged =
            |error: serde_json::Error| format!("it is damaged at line {}, column {}", error.line(), error.column());
        let layout: VersionHeader = serde_json::from_slice(text).map_err(damaged)?;
        if !(OLDEST..=VERSION).contains(&layout.version) {
            return Err(format!(
                "its layout is number {}, and this version knows {OLDEST} and {VERSION}",
                layout.version
            ));
        }
        serde_json::from_slice(text).map_err(damaged)
    }

    fn warn(&self, why: &str) {
        let path = self.file.path();
        self.ui.warn(&format!("the saved sign-ins in {} cannot be used: {why}", path.display()));
    }
}

impl CacheLock {
    /// Finds out whether a sign-in could be saved.
    pub fn ensure_writable(&self) -> Result<()> {
        self.file.ensure_writable()
    }

    pub fn sign_in(&self, profile: &str) -> Option<&CachedCredential> {
        self.content.profiles.get(profile)
    }

    pub fn profiles(&self) -> Vec<String> {
        self.content.profiles.keys().cloned().collect()
    }

    /// Replaces a profile's sign-in.
    pub fn save(&mut self, profile: &str, sign_in: CachedCredential) -> Result<()> {
        self.content.profiles.insert(profile.to_owned(), sign_in);
        self.write()
    }

    /// Removes the sign-ins of the profiles that `fits`, and every file that could hold a trace of them.
    /// Returns the names of those removed.
    pub fn remove(&mut self, fits: impl Fn(&str) -> bool) -> Result<Vec<String>> {
        let names: Vec<String> = self.content.profiles.keys().filter(|name| fits(name)).cloned().collect();
        for name in &names {
            self.content.profiles.remove(name);
        }
        if self.content.profiles.is_empty() {
            self.file.remove()?;
        } else if !names.is_empty() {
            self.write()?;
        }
        Ok(names)
    }

    /// Removes what may hold the tokens of any profile: a file that was set aside because it could not be
    /// understood, and what a killed process left half written. Returns whether there was any.
    pub fn remove_stale_files(&self) -> Result<bool> {
        self.file.remove_stale_files()
    }

    fn write(&mut self) -> Result<()> {
        self.content.version = VERSION;
        let mut content = SecretBytes::default();
        serde_json::to_writer_pretty(&mut content, &self.content).map_err(Error::from_source)?;
        let sealed = sealing::seal(&content)
            .map_err(|error| Error::from_source(error).context("Windows could not seal the sign-in"))?;
        self.file.write(&sealed)
    }
}
