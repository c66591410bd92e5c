//! What has to hold of everything about the sign-in that others write.

pub use super::cache::properties::sign_ins;
pub use super::oauth_error::properties::refusal;
pub use super::proptests::loopback;
