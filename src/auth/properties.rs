//! What has to hold of everything about the sign-in that others write.

pub(crate) use super::browser::properties::loopback;
pub(crate) use super::cache::properties::sign_ins;
pub(crate) use super::refusal::properties::refusal;
