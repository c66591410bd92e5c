//! The executable: answers a shell that completes, else runs one command on a tokio runtime.

use std::io;
use std::process::ExitCode;

use mscommerce::{Environment, Input};

fn main() -> io::Result<ExitCode> {
    if let Some(code) = mscommerce::handle_completion_request() {
        return Ok(ExitCode::from(code));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let code =
        runtime.block_on(mscommerce::run(std::env::args_os(), Environment::from_process(), Input::from_process()));
    // An interrupted prompt leaves its thread reading, and dropping the runtime would wait for it.
    std::process::exit(code.into())
}
