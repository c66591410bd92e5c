//! How the parts that know no terminal tell the person something on the way.

/// Receives what happens while a command works. The terminal implements it; tests can collect it.
pub trait Report {
    /// Something the person should know although the command goes on.
    fn warn(&self, message: &str);
    /// Something good to know, which `--quiet` silences.
    fn info(&self, message: &str);
    /// A step taken, shown at `-v`. Must never be given a secret.
    fn debug(&self, message: &str);
}
