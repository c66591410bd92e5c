//! A refusal that is remembered.

use std::cell::RefCell;

use crate::error::{Error, ErrorKind, Result};

/// Why a token was refused, with the hints: there is no point in asking again in the same run.
#[derive(Default)]
pub struct Refused(RefCell<Option<(String, Vec<String>)>>);

impl Refused {
    /// Fails where a token was refused before.
    pub fn check(&self) -> Result<()> {
        match &*self.0.borrow() {
            Some((why, hints)) => Err(Error::auth(why).with_hints(hints.clone())),
            None => Ok(()),
        }
    }

    /// Remembers a refusal; other failures may pass.
    pub fn remember<T>(&self, asked: &Result<T>) {
        if let Err(error) = asked
            && error.kind() == ErrorKind::Auth
        {
            self.0.replace(Some((error.summary(), error.hints().to_vec())));
        }
    }
}
