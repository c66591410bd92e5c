//! The credential of a profile, shared by all tenants of a run and synchronized with the cache.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};
use std::time::Duration;

use tokio::sync::Mutex;

use super::cache::{CacheLock, TokenCache};
use super::cache_file::CacheFile;
use super::credential::CachedCredential;
use super::sign_in_command::SignInCommand;
use crate::error::{Error, Result};
use crate::http;
use crate::ui::Ui;

/// The maximum wait for the cache lock. A refresh in another process takes seconds.
const LOCK_TIMEOUT: Duration = Duration::from_secs(30);

/// The credential of one profile, shared by all tenants of a run.
pub struct ProfileStore {
    pub http: http::Client,
    pub ui: Ui,
    pub profile: String,
    /// Whether the run covers several tenants.
    pub many_tenants: bool,
    cache: TokenCache,
    /// The message about an incomplete application in the environment, if any.
    incomplete_env_hint: Option<String>,
    /// The credential of this run. It is loaded on first use, and each refresh updates it.
    current: RefCell<Option<Rc<CachedCredential>>>,
    /// The cache lock, shared by concurrent refreshes.
    shared_lock: Mutex<Weak<RefCell<CacheLock>>>,
    /// Whether locking the cache failed. It is not attempted again.
    lock_failed: Cell<bool>,
    /// Whether `current` is newer than the cache because saving it failed.
    is_unsaved: Cell<bool>,
}

impl ProfileStore {
    pub fn new(
        http: http::Client,
        cache: TokenCache,
        ui: Ui,
        profile: &str,
        incomplete_env_hint: Option<String>,
        many_tenants: bool,
    ) -> Self {
        Self {
            http,
            ui,
            profile: profile.to_owned(),
            cache,
            many_tenants,
            incomplete_env_hint,
            current: RefCell::default(),
            shared_lock: Mutex::default(),
            lock_failed: Cell::new(false),
            is_unsaved: Cell::new(false),
        }
    }

    /// Fails if the profile has no credential. The error's hint shows `sign_in_command`.
    pub async fn ensure_signed_in(&self, sign_in_command: &SignInCommand) -> Result<()> {
        self.credential(sign_in_command).await.map(drop)
    }

    /// Returns the credential, and loads it on first use.
    pub async fn credential(&self, sign_in_command: &SignInCommand) -> Result<Rc<CachedCredential>> {
        if let Some(credential) = self.loaded() {
            return Ok(credential);
        }
        let credential = Rc::new(self.load(sign_in_command).await?);
        self.ui.debug(&format!("using the saved sign-in of profile {}", self.profile));
        Ok(Rc::clone(self.current.borrow_mut().get_or_insert(credential)))
    }

    /// The credential, if it is already loaded.
    pub fn loaded(&self) -> Option<Rc<CachedCredential>> {
        self.current.borrow().clone()
    }

    /// Replaces the credential of this run.
    pub fn set(&self, credential: CachedCredential) -> Rc<CachedCredential> {
        Rc::clone(self.current.borrow_mut().insert(Rc::new(credential)))
    }

    async fn load(&self, sign_in_command: &SignInCommand) -> Result<CachedCredential> {
        let mut content = self.cache.load(self.http.remaining()).await?;
        content.profiles.remove(&self.profile).ok_or_else(|| self.not_signed_in_error(&content, sign_in_command))
    }

    fn not_signed_in_error(&self, content: &CacheFile, sign_in_command: &SignInCommand) -> Error {
        let others = content.profile_names();
        let error = if others.is_empty() {
            Error::auth("not signed in")
        } else {
            Error::auth(format!("profile '{}' is not signed in", self.profile))
                .with_detail(format!("profiles that are signed in: {}", others.join(", ")))
        };
        let error = match &self.incomplete_env_hint {
            Some(hint) => {
                error.with_detail(hint).with_hint(format!("set the missing variables, or sign in: {sign_in_command}"))
            }
            None => error.with_hint(sign_in_command.to_string()),
        };
        if others.is_empty() { error } else { error.with_hint("use another profile with --profile NAME") }
    }

    /// Locks the cache. Returns `None` if that fails or an earlier save failed: the run then keeps refreshed tokens in
    /// memory.
    pub async fn lock(&self) -> Option<Rc<RefCell<CacheLock>>> {
        let mut shared_lock = self.shared_lock.lock().await;
        if self.is_unsaved.get() || self.lock_failed.get() {
            return None;
        }
        if let Some(lock) = shared_lock.upgrade() {
            return Some(lock);
        }
        let lock = tokio::select! {
            lock = self.cache.lock(self.http.remaining().min(LOCK_TIMEOUT)) => lock,
            // No further request is sent, so nothing needs saving.
            () = self.http.interrupted() => return None,
        };
        match lock {
            Ok(lock) => {
                let lock = Rc::new(RefCell::new(lock));
                *shared_lock = Rc::downgrade(&lock);
                Some(lock)
            }
            Err(error) => {
                self.lock_failed.set(true);
                self.ui.warn(&format!("the refreshed sign-in cannot be saved: {}", error.summary()));
                // The timeout for requests must not include the wait for another process.
                self.http.reset_deadline();
                None
            }
        }
    }

    /// Reads the credential from the cache again. Returns `None` if the credential in memory is newer.
    pub async fn reload(
        &self,
        lock: Option<&RefCell<CacheLock>>,
        sign_in_command: &SignInCommand,
    ) -> Result<Option<CachedCredential>> {
        if self.is_unsaved.get() {
            return Ok(None);
        }
        let Some(lock) = lock else { return self.load(sign_in_command).await.map(Some) };
        let lock = lock.borrow();
        match lock.content().profiles.get(&self.profile) {
            Some(credential) => Ok(Some(credential.clone())),
            None => Err(self.not_signed_in_error(lock.content(), sign_in_command)),
        }
    }

    /// Saves the credential in the cache. If that fails, warns and keeps it in memory only.
    pub fn save(&self, credential: &CachedCredential, lock: Option<&RefCell<CacheLock>>) {
        let lock = lock.filter(|_| !self.is_unsaved.get());
        match lock.map(|lock| lock.borrow_mut().save(&self.profile, credential.clone())) {
            Some(Ok(())) => return,
            Some(Err(error)) => self.ui.warn(&format!("the refreshed sign-in was not saved: {}", error.summary())),
            None => {}
        }
        self.is_unsaved.set(true);
    }
}
