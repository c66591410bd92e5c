//! What the sign-ins at all tenants of one run share: the profile, its refresh token, and the file it is kept in.

use std::cell::{Cell, OnceCell, RefCell};
use std::rc::{Rc, Weak};
use std::time::Duration;

use tokio::sync::Mutex;

use crate::auth::cache::{CacheLock, Lookup, TokenCache};
use crate::auth::credential::CachedCredential;
use crate::auth::sign_in_command::SignInCommand;
use crate::error::{Error, Result};
use crate::http;
use crate::ui::Ui;

/// How long another process may hold the file of sign-ins; a renewal takes seconds.
const LOCK_PATIENCE: Duration = Duration::from_secs(30);

/// The saved sign-in of one profile, for one run.
pub struct ProfileStore {
    pub http: http::Client,
    pub ui: Ui,
    pub profile: String,
    store: TokenCache,
    /// Whether the run is at several tenants.
    pub is_at_several: bool,
    /// Why nothing else serves in the place of a sign-in that is missing, and what to do about it.
    instead: Option<String>,
    /// Who has been served in this run. All its requests are made as one account, even if somebody signs in to the
    /// profile anew meanwhile.
    account: OnceCell<Option<String>>,
    /// A renewed sign-in that could not be saved: it serves the rest of the run.
    unsaved: RefCell<Option<Box<CachedCredential>>>,
    /// The file of sign-ins, as long as one of the run's renewals holds it: they go on side by side.
    held: Mutex<Weak<Held>>,
    cannot_lock: Cell<bool>,
}

/// The file of sign-ins, held against other processes.
pub type Held = RefCell<CacheLock>;

impl ProfileStore {
    pub fn new(
        http: http::Client,
        store: TokenCache,
        ui: Ui,
        profile: &str,
        instead: Option<String>,
        is_at_several: bool,
    ) -> Self {
        Self {
            is_at_several,
            http,
            ui,
            profile: profile.to_owned(),
            store,
            instead,
            account: OnceCell::new(),
            unsaved: RefCell::default(),
            held: Mutex::default(),
            cannot_lock: Cell::new(false),
        }
    }

    /// The sign-in as it is now: what could not be saved, what the held file says, or what the file says.
    /// `connect` is the command that signs in where nobody is.
    pub async fn sign_in(&self, held: Option<&Held>, connect: &SignInCommand) -> Result<CachedCredential> {
        if let Some(unsaved) = &*self.unsaved.borrow() {
            return Ok(CachedCredential::clone(unsaved));
        }
        if let Some(held) = held {
            let locked = held.borrow();
            return locked.sign_in(&self.profile).cloned().ok_or_else(|| self.nobody(&[], connect));
        }
        match self.store.look_up(&self.profile, self.http.remaining()).await? {
            Lookup::Found(sign_in) => Ok(*sign_in),
            Lookup::Missing { others } => Err(self.nobody(&others, connect)),
        }
    }

    fn nobody(&self, others: &[String], connect: &SignInCommand) -> Error {
        let error = if others.is_empty() {
            Error::auth("nobody is signed in")
        } else {
            Error::auth(format!("nobody is signed in under the profile '{}'", self.profile))
                .with_detail(format!("signed in: {}", others.join(", ")))
        };
        let error = match &self.instead {
            Some(why) => error.with_detail(why).with_hint(format!("set what is missing, or sign in: {connect}")),
            None => error.with_hint(connect.to_string()),
        };
        if others.is_empty() { error } else { error.with_hint("to use another profile, name it: --profile NAME") }
    }

    /// Fails where nobody is signed in. `connect` is the command that signs in.
    pub async fn check(&self, connect: &SignInCommand) -> Result<()> {
        self.sign_in(None, connect).await.map(drop)
    }

    /// The account that has been served.
    pub fn account(&self) -> Option<String> {
        self.account.get().cloned().flatten()
    }

    /// Remembers the account that is served. Returns whether it is the first.
    pub fn use_as(&self, account: Option<&String>) -> bool {
        self.account.set(account.cloned()).is_ok()
    }

    /// Whether the run may go on as this account.
    pub fn is_same(&self, account: Option<&String>) -> bool {
        self.account.get().is_none_or(|before| before.as_ref() == account)
    }

    /// Takes the file of sign-ins, or goes on without it: a command that only needs a token is not to fail for it.
    pub async fn hold(&self) -> Option<Rc<Held>> {
        let mut holder = self.held.lock().await;
        if self.unsaved.borrow().is_some() || self.cannot_lock.get() {
            return None;
        }
        if let Some(held) = holder.upgrade() {
            return Some(held);
        }
        match self.store.lock(self.http.remaining().min(LOCK_PATIENCE)).await {
            Ok(locked) => {
                let held = Rc::new(RefCell::new(locked));
                *holder = Rc::downgrade(&held);
                Some(held)
            }
            Err(error) => {
                self.cannot_lock.set(true);
                self.ui.warn(&format!("the renewed sign-in cannot be saved: {}", error.summary()));
                // Waiting for another process is not the service's slowness.
                self.http.reset_deadline();
                None
            }
        }
    }

    /// Saves a renewed sign-in; one that cannot be saved serves the rest of the run.
    pub fn save(&self, sign_in: CachedCredential, held: Option<&Held>) {
        let mut unsaved = self.unsaved.borrow_mut();
        // What could not be saved once is not tried again: it would be told again.
        let held = held.filter(|_| unsaved.is_none());
        match held.map(|held| held.borrow_mut().save(&self.profile, sign_in.clone())) {
            Some(Ok(())) => return,
            Some(Err(error)) => {
                self.ui.warn(&format!("the renewed sign-in was not saved: {}", error.summary()));
            }
            None => {}
        }
        *unsaved = Some(Box::new(sign_in));
    }
}
