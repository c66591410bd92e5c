//! What has to hold of everything about the sign-in that others write.

pub use super::browser::properties::loopback;
pub use super::cache::properties::sign_ins;
pub use super::refusal::properties::refusal;
